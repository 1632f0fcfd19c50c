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
