"""Sierra's replies of the simulator, read by the router's own decoder."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from remsim.modems.decode import decode_reply
from remsim.simulator.drive import NR_LEG, Scene
from remsim.simulator.encode import sierra, sierra_nr
from scenes import scenes


def decoded(command: str, body: str) -> dict:
    return decode_reply("sierra", "EM7565", "MDM9x50", command, f"{command}\r\n{body}\r\n\r\nOK\r\n")


def gstatus(scene: Scene | None, *, registered: bool = True, temperature_c: int = 40) -> dict:
    body = sierra.gstatus(scene, registered=registered, temperature_c=temperature_c, uptime_s=60, connected=registered)
    return decoded("AT!GSTATUS?", body)


@given(scenes("LTE", "NSA"), st.integers(20, 80))
def test_lte_cell_survives_gstatus(scene: Scene, temperature_c: int) -> None:
    values = gstatus(scene, temperature_c=temperature_c)
    channel = scene.cell.channel
    assert (values["mode"], values["rat"], values["registered"]) == ("LTE", "LTE", True)
    assert (values["band"], values["earfcn"], values["bw_dl_mhz"]) == (channel.band, channel.number, channel.mhz)
    assert (values["tac"], values["cell_id"]) == (scene.cell.tac, scene.cell.cell_id)
    assert (values["rsrp_rxm_dbm"], values["rssi_rxm_dbm"]) == (scene.rsrp_dbm, scene.rssi_dbm)
    assert values["rsrp_rxd_dbm"] is None
    assert (values["rsrq_db"], values["sinr_db"]) == (scene.rsrq_db, scene.sinr_db)
    assert values["temperature_c"] == temperature_c


@given(scenes("UMTS"))
def test_3g_cell_survives_gstatus(scene: Scene) -> None:
    values = gstatus(scene)
    assert values["mode"] == "UMTS"
    assert (values["lac"], values["cell_id"]) == (scene.cell.tac, scene.cell.cell_id)
    assert values["rscp_dbm"] == scene.rscp_dbm


@given(scenes("LTE"))
def test_a_refused_modem_is_camped_but_not_registered(scene: Scene) -> None:
    values = gstatus(scene, registered=False)
    assert values["registered"] is False and values["ps_attached"] is False
    assert values["rsrp_rxm_dbm"] == scene.rsrp_dbm


def test_no_service_has_no_levels() -> None:
    values = gstatus(None, registered=False)
    assert values["registered"] is False
    assert values["mode"] is None
    assert not [name for name in values if name.endswith("_dbm")]


@given(scenes("LTE", "NSA"))
def test_lte_cell_survives_lteinfo(scene: Scene) -> None:
    values = decoded("AT!LTEINFO?", sierra.lteinfo(scene, "999", "01"))
    cell, channel = scene.cell, scene.cell.channel
    assert (values["mcc"], values["mnc"]) == ("999", "01")
    assert (values["earfcn"], values["band"], values["bw_dl_mhz"]) == (channel.number, channel.band, channel.mhz)
    assert (values["cell_id"], values["pci"], values["tac"]) == (cell.cell_id, cell.pci, cell.tac)
    assert (values["rsrp_dbm"], values["rsrq_db"], values["rssi_dbm"]) == (
        scene.rsrp_dbm,
        scene.rsrq_db,
        scene.rssi_dbm,
    )
    # The decoder does not believe a very low SNR beside a strong level.
    doubted = scene.sinr_db is not None and scene.sinr_db < -5 and (scene.rsrp_dbm or -140) > -80
    assert values.get("sinr_db") == (None if doubted else scene.sinr_db)
    found = {(cell.get("earfcn", channel.number), cell["pci"], cell["rsrp_dbm"]) for cell in values["neighbours"]}
    heard = {(one.number, one.pci, one.rsrp_dbm) for one in scene.neighbours}
    assert found <= heard
    assert found >= {cell for cell in heard if cell[:2] != (channel.number, scene.cell.pci)}


@given(scenes("LTE", "NSA"), st.booleans())
def test_secondary_carriers_survive_gstatus(scene: Scene, is_9x30: bool) -> None:
    model, platform = ("MC7455", "MDM9x30") if is_9x30 else ("EM7565", "MDM9x50")
    body = sierra.gstatus(
        scene, registered=True, temperature_c=40, uptime_s=60, connected=True, power="ONLINE", is_9x30=is_9x30
    )
    values = decode_reply("sierra", model, platform, "AT!GSTATUS?", f"AT!GSTATUS?\r\n{body}\r\n\r\nOK\r\n")
    told = scene.carriers[:1] if is_9x30 else scene.carriers
    found = [(one["band"], one["earfcn"], one["bw_dl_mhz"], one["rsrp_dbm"]) for one in values.get("scc", [])]
    assert found == [(one.channel.band, one.channel.number, one.channel.mhz, one.rsrp_dbm) for one in told]
    assert values["ca_active"] == bool(told)
    assert values["rsrp_rxm_dbm"] == scene.rsrp_dbm


@given(scenes("LTE", "NSA", "SA"))
def test_scenes_survive_the_page_of_an_em9190(scene: Scene) -> None:
    asked = {"registered": True, "temperature_c": 40, "uptime_s": 60, "connected": True}
    reply = f"{sierra_nr.gstatus(scene, **asked)}\r\n\r\nOK\r\n"
    values = decode_reply("sierra", "EM9190", "SDX55", "AT!GSTATUS?", reply)
    assert (values["mode"], values["registered"]) == (scene.mode, True)
    assert (values["tac"], values["cell_id"]) == (scene.cell.tac, scene.cell.cell_id)
    assert [one["band"] for one in values.get("scc", [])] == [one.channel.band for one in scene.carriers]
    cell = values if scene.mode == "SA" else values["nr"]
    if scene.mode == "LTE":
        assert cell is None
        return
    channel = scene.cell.channel if scene.mode == "SA" else NR_LEG
    assert (cell["band"], cell["arfcn"], cell["bw_dl_mhz"]) == (channel.band, channel.number, channel.mhz)
    assert (cell["rsrp_dbm"], cell["rsrq_db"], cell["sinr_db"]) == (scene.rsrp_dbm, scene.rsrq_db, scene.sinr_db)


@given(scenes("NSA", "SA"))
def test_nrinfo_tells_the_pci_on_em91(scene: Scene) -> None:
    reply = f"{sierra_nr.nrinfo(scene, cell_id_is_pci=True)}\r\n\r\nOK\r\n"
    values = decode_reply("sierra", "EM9190", "SDX55", "AT!NRINFO?", reply)
    cell, pci = (values, scene.cell.pci) if scene.mode == "SA" else (values["nr"], scene.cell.nr_pci)
    assert cell["pci"] == pci
