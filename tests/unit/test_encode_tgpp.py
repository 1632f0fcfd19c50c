"""27.007 replies of the simulator, read by the router's own decoder."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.modems.decode import decode_reply
from remsim.simulator.drive import Scene
from remsim.simulator.encode import tgpp
from scenes import scenes


def decoded(command: str, body: str) -> dict:
    return decode_reply("generic", "", "", command, f"{command}\r\n{body}\r\n\r\nOK\r\n" if command else body)


@given(scenes("LTE", "NSA"), st.booleans())
def test_lte_levels_survive_cesq(scene: Scene, with_nr: bool) -> None:
    values = decoded("AT+CESQ", tgpp.cesq(scene, with_nr=with_nr))
    assert (values["rsrp_dbm"], values["rsrq_db"]) == (scene.rsrp_dbm, scene.rsrq_db)


@given(scenes("NSA"))
def test_the_5g_leg_survives_cesq(scene: Scene) -> None:
    values = decoded("AT+CESQ", tgpp.cesq(scene, with_nr=True))
    if scene.rsrp_dbm is not None:
        expected = (scene.rsrp_dbm, scene.rsrq_db, scene.sinr_db)
        assert tuple(values["nr"][name] for name in ("rsrp_dbm", "rsrq_db", "sinr_db")) == expected


@given(scenes("SA"))
def test_5g_levels_survive_cesq(scene: Scene) -> None:
    values = decoded("AT+CESQ", tgpp.cesq(scene, with_nr=True))
    if scene.rsrp_dbm is None and scene.rsrq_db is None:
        assert values["rat"] is None
    else:
        expected = (scene.rsrp_dbm, scene.rsrq_db, scene.sinr_db)
        assert (values["rsrp_dbm"], values["rsrq_db"], values["sinr_db"]) == expected


@given(scenes("UMTS"))
def test_3g_level_survives_cesq(scene: Scene) -> None:
    assert decoded("AT+CESQ", tgpp.cesq(scene, with_nr=False)).get("rscp_dbm") == scene.rscp_dbm


@given(scenes("LTE"), st.sampled_from(["", " "]))
def test_csq_keeps_rssi_within_2_db(scene: Scene, blank: str) -> None:
    rssi_dbm = decoded("AT+CSQ", tgpp.csq(scene, blank=blank))["rssi_dbm"]
    if scene.rssi_dbm is None:
        assert rssi_dbm is None
    else:
        assert abs(rssi_dbm - min(scene.rssi_dbm, -51)) <= 1


@given(scenes("LTE", "NSA", "SA"), st.sampled_from(["+CREG", "+CEREG", "+C5GREG"]), st.sampled_from([1, 5]))
def test_place_survives_registration_in_read_form_and_urc(scene: Scene, name: str, stat: int) -> None:
    area = "lac" if name == "+CREG" else "tac"
    read = decoded(f"AT{name}?", tgpp.registration(name, 2, stat, scene))
    urc = decoded("", tgpp.registration(name, None, stat, scene))
    for values in (read, urc):
        assert (values["stat"], values["registered"], values["roaming"]) == (stat, True, stat == 5)
        assert (values[area], values["cell_id"]) == (scene.cell.tac, scene.cell.cell_id)
        assert values["act"] == tgpp.ACT[scene.mode]
    assert read["n"] == 2 and "n" not in urc


@given(scenes("LTE"), st.sampled_from([0, 2, 3, 4]))
def test_there_is_no_place_without_registration(scene: Scene, stat: int) -> None:
    values = decoded("AT+CEREG?", tgpp.registration("+CEREG", 2, stat, scene))
    assert (values["stat"], values["registered"]) == (stat, False)
    assert "cell_id" not in values


@pytest.mark.parametrize(
    ("form", "expected"), [(0, {"operator": "Operator A", "act": 7}), (2, {"plmn": "99901", "act": 7})]
)
def test_cops_tells_the_name_or_the_code(form: int, expected: dict) -> None:
    values = decoded("AT+COPS?", tgpp.cops("Operator A", "99901", form, 7, 1))
    assert expected.items() <= values.items()
    assert values["cops_mode"] == 1
