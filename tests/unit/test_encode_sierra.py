"""Sierra's replies of the simulator, read by the router's own decoder."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from remsim.modems.decode import decode_reply
from remsim.simulator.drive import Scene
from remsim.simulator.encode import sierra
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
    assert values["neighbours"] == []
