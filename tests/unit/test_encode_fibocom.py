"""Fibocom's replies of the simulator, read by the router's own decoder."""

from __future__ import annotations

from hypothesis import given
from remsim.modems.decode import decode_reply
from remsim.simulator.drive import NR_LEG, Scene
from remsim.simulator.encode import fibocom
from scenes import scenes


def decoded(command: str, body: str) -> dict:
    return decode_reply("fibocom", "FM350-GL", "mediatek", command, f"{command}\r\n{body}\r\n\r\nOK\r\n")


def gtccinfo(scene: Scene | None) -> dict:
    return decoded("AT+GTCCINFO?", fibocom.gtccinfo(scene, "999", "01"))


def clamped(value: int | None, low: float, high: float) -> float | None:
    """A level as an index of limited range keeps it."""
    return None if value is None else min(max(value, low), high)


@given(scenes("LTE", "NSA"))
def test_lte_cell_survives_gtccinfo(scene: Scene) -> None:
    values = gtccinfo(scene)
    cell, channel = scene.cell, scene.cell.channel
    assert (values["mode"], values["rat"]) == (scene.mode, "LTE")
    assert (values["mcc"], values["mnc"]) == ("999", "1")
    assert (values["earfcn"], values["band"], values["bw_dl_mhz"]) == (channel.number, channel.band, channel.mhz)
    assert (values["cell_id"], values["pci"], values["tac"]) == (cell.cell_id, cell.pci, cell.tac)
    assert values["rsrp_dbm"] == clamped(scene.rsrp_dbm, -141, -44)
    assert values["rsrq_db"] == clamped(scene.rsrq_db, -20, -3)
    assert values["sinr_db"] == scene.sinr_db


@given(scenes("NSA"))
def test_the_5g_leg_survives_gtccinfo(scene: Scene) -> None:
    leg = gtccinfo(scene)["nr"]
    assert (leg["arfcn"], leg["band"], leg["bw_dl_mhz"], leg["pci"]) == (
        NR_LEG.number,
        NR_LEG.band,
        NR_LEG.mhz,
        scene.cell.nr_pci,
    )
    assert leg["tac"] is leg["cell_id"] is None
    assert (leg["rsrp_dbm"], leg["rsrq_db"]) == (scene.rsrp_dbm, scene.rsrq_db)


@given(scenes("SA"))
def test_standalone_cell_survives_gtccinfo(scene: Scene) -> None:
    values = gtccinfo(scene)
    assert (values["mode"], values["band"], values["arfcn"]) == ("SA", 8, scene.cell.channel.number)
    assert (values["cell_id"], values["tac"]) == (scene.cell.cell_id, scene.cell.tac)
    assert (values["rsrp_dbm"], values["rsrq_db"]) == (scene.rsrp_dbm, scene.rsrq_db)


@given(scenes("UMTS"))
def test_3g_cell_survives_gtccinfo(scene: Scene) -> None:
    values = gtccinfo(scene)
    assert (values["mode"], values["lac"], values["cell_id"]) == ("UMTS", scene.cell.tac, scene.cell.cell_id)


def test_without_service_there_are_no_rows() -> None:
    assert gtccinfo(None).get("rat") is None
    assert "pcc" not in decoded("AT+GTCAINFO?", fibocom.gtcainfo(None))


@given(scenes("LTE", "NSA", "SA"))
def test_gtcainfo_names_the_carriers(scene: Scene) -> None:
    values = decoded("AT+GTCAINFO?", fibocom.gtcainfo(scene))
    primary, channel = values["pcc"], scene.cell.channel
    assert (primary["band"], primary["pci"], primary["bw_dl_mhz"]) == (channel.band, scene.cell.pci, channel.mhz)
    assert primary["rsrp_dbm"] == scene.rsrp_dbm
    if scene.mode == "NSA":
        assert (values["nr_pcc"]["band"], values["nr_pcc"]["arfcn"]) == (NR_LEG.band, NR_LEG.number)
        assert values["nr_pcc"]["rsrp_dbm"] == scene.rsrp_dbm


def test_cops_says_13_on_plain_lte_and_has_a_form_of_its_own_without_a_network() -> None:
    values = decoded("AT+COPS?", fibocom.cops("Operator A", "99901", 0, 7))
    assert (values["cops_mode"], values["operator"], values["act"]) == (0, "Operator A", 13)
    assert decoded("AT+COPS?", fibocom.cops(None, "99901", 0, 7))["plmn"] is None


@given(scenes("LTE", "NSA", "SA"))
def test_neighbours_and_secondary_carriers_survive_on_mediatek(scene: Scene) -> None:
    found = gtccinfo(scene).get("neighbours", [])
    told = [(one.get("earfcn", one.get("arfcn")), one["pci"], one["rsrp_dbm"], one["rsrq_db"]) for one in found]
    assert told == [(one.number, one.pci, one.rsrp_dbm, one.rsrq_db) for one in scene.neighbours]
    values = decoded("AT+GTCAINFO?", fibocom.gtcainfo(scene))
    told = [(one["band"], one["pci"], one["earfcn"], one["bw_dl_mhz"], one["active"]) for one in values["scc"]]
    expected = [(one.channel.band, one.pci, one.channel.number, one.channel.mhz, True) for one in scene.carriers]
    assert told == expected


def qualcomm(command: str, body: str) -> dict:
    return decode_reply("fibocom", "FM160-EAU", "SDX62", command, f"{command}\r\n{body}\r\n\r\nOK\r\n")


@given(scenes("LTE", "NSA", "SA"))
def test_scenes_survive_on_qualcomm_with_channels_in_hex(scene: Scene) -> None:
    values = qualcomm("AT+GTCCINFO?", fibocom.gtccinfo_hex(scene, "999", "01"))
    cell, channel = scene.cell, scene.cell.channel
    assert (values["mode"], values["pci"], values["band"]) == (scene.mode, cell.pci, channel.band)
    assert (values["tac"], values["cell_id"]) == (cell.tac, cell.cell_id)
    assert values["arfcn" if scene.mode == "SA" else "earfcn"] == channel.number
    assert values["rsrp_dbm"] == (scene.rsrp_dbm if scene.mode == "SA" else clamped(scene.rsrp_dbm, -141, -44))
    assert values["sinr_db"] == scene.sinr_db
    if scene.mode == "NSA":
        leg = values["nr"]
        assert (leg["arfcn"], leg["pci"], leg["band"]) == (NR_LEG.number, cell.nr_pci, NR_LEG.band)
        assert (leg["rsrp_dbm"], leg["sinr_db"]) == (scene.rsrp_dbm, scene.sinr_db)
    told = [(one.get("earfcn", one.get("arfcn")), one["pci"], one["rsrp_dbm"]) for one in values.get("neighbours", [])]
    assert told == [(one.number, one.pci, one.rsrp_dbm) for one in scene.neighbours]


@given(scenes("LTE", "NSA", "SA"))
def test_carriers_survive_on_qualcomm(scene: Scene) -> None:
    values = qualcomm("AT+GTCAINFO?", fibocom.gtcainfo_hex(scene))
    channel = scene.cell.channel
    assert (values["pcc"]["band"], values["pcc"]["pci"]) == (channel.band, scene.cell.pci)
    told = [(one["band"], one["pci"], one["earfcn"], one["bw_dl_mhz"]) for one in values["scc"]]
    assert told == [(one.channel.band, one.pci, one.channel.number, one.channel.mhz) for one in scene.carriers]
    if scene.mode == "NSA":
        assert (values["nr_pcc"]["band"], values["nr_pcc"]["pci"]) == (NR_LEG.band, scene.cell.nr_pci)
