"""Quectel's replies of the simulator, read by the router's own decoder."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from remsim.modems.decode import decode_reply
from remsim.simulator.drive import NR_LEG, Scene
from remsim.simulator.encode import quectel
from scenes import scenes


def decoded(model: str, platform: str, command: str, body: str) -> dict:
    return decode_reply("quectel", model, platform, command, f"{command}\r\n{body}\r\n\r\nOK\r\n")


def qeng(scene: Scene, model: str, platform: str, *, is_5g: bool) -> dict:
    body = quectel.qeng(scene, "999", "01", state="NOCONN", is_5g_module=is_5g)
    return decoded(model, platform, 'AT+QENG="servingcell"', body)


def half_steps(sinr_db: int | None) -> float | None:
    """SINR as QENG's 26 steps of 2 dB keep it."""
    return None if sinr_db is None else 2.0 * round((sinr_db + 20) / 2) - 20


@given(scenes("LTE", "NSA"))
def test_lte_cell_survives_qeng_on_a_5g_module(scene: Scene) -> None:
    values = qeng(scene, "RM520N-GL", "SDX62", is_5g=True)
    cell, channel = scene.cell, scene.cell.channel
    assert values["rat"] == "LTE"
    assert (values["state"], values["mcc"], values["mnc"]) == ("NOCONN", "999", "01")
    assert (values["cell_id"], values["pci"], values["tac"]) == (cell.cell_id, cell.pci, cell.tac)
    assert (values["earfcn"], values["band"], values["bw_dl_mhz"]) == (channel.number, channel.band, channel.mhz)
    assert (values["rsrp_dbm"], values["rsrq_db"], values["rssi_dbm"]) == (
        scene.rsrp_dbm,
        scene.rsrq_db,
        scene.rssi_dbm,
    )
    assert values.get("sinr_db") == half_steps(scene.sinr_db)
    assert values["cqi"] == scene.cqi


@given(scenes("NSA"))
def test_the_5g_leg_survives_qeng_and_makes_it_5g_when_measured(scene: Scene) -> None:
    values = qeng(scene, "RM520N-GL", "SDX62", is_5g=True)
    leg = values["nr"]
    assert (leg["arfcn"], leg["band"], leg["bw_dl_mhz"], leg["scs_khz"]) == (NR_LEG.number, NR_LEG.band, NR_LEG.mhz, 30)
    assert leg["pci"] == scene.cell.nr_pci
    assert (leg["rsrp_dbm"], leg["rsrq_db"], leg["sinr_db"]) == (scene.rsrp_dbm, scene.rsrq_db, scene.sinr_db)
    measured = scene.rsrp_dbm is not None or scene.sinr_db is not None
    assert values["mode"] == ("NSA" if measured else "LTE")


@given(scenes("SA"))
def test_standalone_cell_survives_qeng(scene: Scene) -> None:
    values = qeng(scene, "RM520N-GL", "SDX62", is_5g=True)
    assert (values["mode"], values["rat"], values["band"], values["bw_dl_mhz"]) == ("SA", "NR", 8, 10)
    assert (values["cell_id"], values["pci"], values["tac"]) == (scene.cell.cell_id, scene.cell.pci, scene.cell.tac)
    assert (values["rsrp_dbm"], values["rsrq_db"], values["sinr_db"]) == (scene.rsrp_dbm, scene.rsrq_db, scene.sinr_db)


@given(scenes("UMTS"))
def test_3g_cell_survives_qeng_and_qcsq(scene: Scene) -> None:
    values = qeng(scene, "EC25", "MDM9x07", is_5g=False)
    assert (values["mode"], values["lac"], values["cell_id"]) == ("UMTS", scene.cell.tac, scene.cell.cell_id)
    assert values["rscp_dbm"] == scene.rscp_dbm
    assert decoded("EC25", "MDM9x07", "AT+QCSQ", quectel.qcsq(scene))["rscp_dbm"] == scene.rscp_dbm


@given(scenes("LTE", "NSA"))
def test_an_lte_module_sees_the_anchor_only(scene: Scene) -> None:
    values = qeng(scene, "EC25", "MDM9x07", is_5g=False)
    assert values["mode"] == "LTE" and "nr" not in values
    assert (values["rsrp_dbm"], values["rsrq_db"]) == (scene.rsrp_dbm, scene.rsrq_db)


NAMES = {"QRSRP": "rsrp_dbm", "QRSRQ": "rsrq_db", "QSINR": "sinr_db"}


@given(scenes("LTE", "NSA", "SA"), st.sampled_from(sorted(NAMES)), st.booleans())
def test_the_best_antenna_has_the_level_of_the_cell(scene: Scene, name: str, is_5g: bool) -> None:
    body = quectel.branches(scene, name, is_5g_module=is_5g)
    values = decoded("RM520N-GL" if is_5g else "EM12-G", "", f"AT+{name}", body)
    level, listed = getattr(scene, NAMES[name]), NAMES[name].replace("_", "_branches_")
    for leg in (values, *([values["nr"]] if is_5g and scene.mode == "NSA" else [])):
        if level not in (None, -140, -44):
            assert leg[NAMES[name]] == level and leg[listed][0] == level
        assert len(leg[listed]) == 4 and leg[listed][2:] == [None, None]


@given(scenes("LTE", "NSA"))
def test_qcsq_keeps_all_four_levels(scene: Scene) -> None:
    values = decoded("EC25", "MDM9x07", "AT+QCSQ", quectel.qcsq(scene))
    expected = (scene.rssi_dbm, scene.rsrp_dbm, scene.sinr_db, scene.rsrq_db)
    assert (values["rssi_dbm"], values["rsrp_dbm"], values["sinr_db"], values["rsrq_db"]) == expected


@given(scenes("LTE", "NSA", "SA"))
def test_qcainfo_names_the_primary_carrier_and_the_5g_one(scene: Scene) -> None:
    values = decoded("RM520N-GL", "SDX62", "AT+QCAINFO", quectel.qcainfo(scene, is_5g_module=True))
    primary, channel = values["pcc"], scene.cell.channel
    assert (primary["band"], primary["bw_dl_mhz"], primary["pci"]) == (channel.band, channel.mhz, scene.cell.pci)
    assert primary["arfcn" if scene.mode == "SA" else "earfcn"] == channel.number
    leg = [NR_LEG.band] if scene.mode == "NSA" else []
    assert [carrier["band"] for carrier in values["scc"]] == [one.channel.band for one in scene.carriers] + leg


@given(scenes("LTE", "NSA"), st.sampled_from([("RM520N-GL", "SDX62", True), ("EP06", "MDM9x40", False)]))
def test_qcainfo_tells_each_secondary_carrier_whole(scene: Scene, module: tuple[str, str, bool]) -> None:
    name, platform, is_5g = module
    values = decoded(name, platform, "AT+QCAINFO", quectel.qcainfo(scene, is_5g_module=is_5g))
    found = [carrier for carrier in values["scc"] if carrier["rat"] == "LTE"]
    assert len(found) == len(scene.carriers)
    for carrier, one in zip(found, scene.carriers, strict=True):
        told = (carrier["earfcn"], carrier["bw_dl_mhz"], carrier["pci"], carrier["rsrp_dbm"], carrier["rsrq_db"])
        assert told == (one.channel.number, one.channel.mhz, one.pci, one.rsrp_dbm, one.rsrq_db)


@given(scenes("LTE", "NSA"), st.sampled_from([("RM520N-GL", "SDX62", "5g"), ("EC25", "MDM9x07", "lte")]))
def test_neighbours_survive_qeng(scene: Scene, module: tuple[str, str, str]) -> None:
    name, platform, form = module
    values = decoded(name, platform, 'AT+QENG="neighbourcell"', quectel.neighbours(scene, form))
    found = [(cell["earfcn"], cell["pci"], cell["rsrp_dbm"], cell["rsrq_db"]) for cell in values.get("neighbours", [])]
    assert found == [(one.number, one.pci, one.rsrp_dbm, one.rsrq_db) for one in scene.neighbours]


@given(scenes("SA"))
def test_unisoc_prints_megahertz_and_decibels(scene: Scene) -> None:
    asked = ("RM500U-CNV", "unisoc", 'AT+QENG="servingcell"')
    values = decoded(*asked, quectel.qeng_unisoc(scene, "999", "01", state="NOCONN"))
    assert (values["mode"], values["band"], values["bw_dl_mhz"]) == ("SA", 8, 10)
    assert (values["rsrp_dbm"], values["rsrq_db"], values["sinr_db"]) == (scene.rsrp_dbm, scene.rsrq_db, scene.sinr_db)
    neighbours = decoded("RM500U-CNV", "unisoc", 'AT+QENG="neighbourcell"', quectel.neighbours(scene, "unisoc"))
    assert [cell["pci"] for cell in neighbours.get("neighbours", [])] == [one.pci for one in scene.neighbours]
    primary = decoded("RM500U-CNV", "unisoc", "AT+QCAINFO", quectel.qcainfo_unisoc(scene))["pcc"]
    assert (primary["band"], primary["bw_dl_mhz"], primary["pci"]) == (8, 10, scene.cell.pci)


@given(scenes("LTE"))
def test_bg96_calls_its_lte_cat_m(scene: Scene) -> None:
    body = quectel.qeng(scene, "999", "01", state="NOCONN", is_5g_module=False, technology="CAT-M")
    values = decoded("BG96", "", 'AT+QENG="servingcell"', body)
    assert (values["rat"], values["rsrp_dbm"], values["pci"]) == ("LTE-M", scene.rsrp_dbm, scene.cell.pci)
    assert decoded("BG96", "", "AT+QCSQ", quectel.qcsq(scene, "CAT-M1"))["sinr_db"] == scene.sinr_db


@given(scenes("LTE", "NSA", "SA"))
def test_qnwinfo_names_network_band_and_channel(scene: Scene) -> None:
    values = decoded("RM520N-GL", "SDX62", "AT+QNWINFO", quectel.qnwinfo(scene, "99901", is_5g_module=True))
    first = values["carriers"][0]
    assert (first["plmn"], first["band"]) == ("99901", scene.cell.channel.band)


def test_temperature_is_the_hottest_sensor_that_is_there() -> None:
    body = quectel.qtemp(47, is_5g_module=True)
    assert decoded("RM520N-GL", "SDX62", "AT+QTEMP", body)["temperature_c"] == 47
    assert decoded("EC25", "MDM9x07", "AT+QTEMP", quectel.qtemp(47, is_5g_module=False))["temperature_c"] == 47
