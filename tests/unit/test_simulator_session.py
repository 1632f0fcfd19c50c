"""The virtual modem's AT interpreter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.modems.drivers import driver_for
from remsim.simulator.profiles import PROFILES, scene_at
from remsim.simulator.session import LONGEST_LINE, Session
from remsim.simulator.state import ModemState

NUMBERS = range(1, len(PROFILES) + 1)


def state_of(number: int, second: int = 0) -> ModemState:
    profile = PROFILES[number - 1]
    return ModemState(number, profile, scene_at(profile, second))


def fields_of(state: ModemState) -> dict:
    """What the router's driver makes of this modem now."""
    driver = driver_for(state.model.vendor, state.model.name)
    session = Session(state)
    values: dict = {}
    for command in (*driver.setup_commands, *driver.slow_commands, *driver.fast_commands):
        answer = session.execute(command)
        assert answer is not None
        values |= {name: value for name, value in driver.decode(command, answer).items() if value is not None}
    return driver.reading_fields(values)


@pytest.mark.parametrize("number", NUMBERS)
def test_every_command_of_the_driver_is_known(number: int) -> None:
    state = state_of(number)
    driver = driver_for(state.model.vendor, state.model.name)
    session = Session(state)
    commands = (*driver.identity_commands, *driver.sim_identity_commands, *driver.slow_commands, *driver.fast_commands)
    refused = [command for command in commands if not (session.execute(command) or "").endswith("\r\nOK\r\n")]
    assert refused == []


@pytest.mark.parametrize("number", NUMBERS)
def test_what_the_router_reads_is_the_scene_all_along_the_drive(number: int) -> None:
    for second in range(0, 2400, 40):
        state = state_of(number, second)
        scene, fields = state.scene, fields_of(state)
        assert (fields["state"], fields["registration"], fields["sim_state"]) == ("online", "home", "READY")
        assert (fields["cell_id"], fields["operator"]) == (scene.cell.cell_id, scene.operator)
        assert fields["mode"] == ("LTE" if scene.mode == "NSA" and state.model.is_lte_only else scene.mode)
        if scene.mode == "UMTS":
            assert fields["rscp_dbm"] == scene.rscp_dbm
            continue
        assert (fields["rsrp_dbm"], fields["rsrq_db"]) == (scene.rsrp_dbm, scene.rsrq_db)
        assert fields["sinr_db"] == pytest.approx(min(scene.sinr_db, 30), abs=1)  # QENG: steps of 2 dB up to 30
        if fields["mode"] == "NSA":
            assert (fields["nr_rsrp_dbm"], fields["nr_band"]) == (scene.rsrp_dbm, 78)


@pytest.mark.parametrize("number", NUMBERS)
def test_a_missing_sim_a_refusal_and_a_search_are_told_apart(number: int) -> None:
    state = state_of(number)
    state.sim_present = False
    assert fields_of(state)["state"] == "no_sim"
    state.sim_present, state.denied = True, True
    assert fields_of(state)["state"] == "denied"
    state.denied, state.searching = False, True
    assert fields_of(state)["state"] == "searching"


def test_two_modems_of_one_product_differ_in_all_identifiers() -> None:
    states = [state_of(number) for number in NUMBERS]
    for name in ("imei", "imsi", "iccid"):
        assert len({getattr(state, name) for state in states}) == len(states)
    assert all(len(state.imei) == len(state.imsi) == 15 and state.imei.isdigit() for state in states)
    assert all(19 <= len(state.iccid) <= 20 for state in states)


def test_settings_of_a_port_hold_and_echo_begins_on() -> None:
    session = Session(state_of(1))
    assert session.echo
    assert session.execute("ate0") == "\r\nOK\r\n"
    assert not session.echo
    assert session.execute("AT+CMEE?") == "\r\n+CMEE: 0\r\n\r\nOK\r\n"
    session.execute("AT+CMEE=2")
    assert session.execute("AT+CMEE?") == "\r\n+CMEE: 2\r\n\r\nOK\r\n"


@pytest.mark.parametrize(("cmee", "told"), [(0, "ERROR"), (1, "+CME ERROR: 10"), (2, "+CME ERROR: SIM not inserted")])
def test_a_cause_is_told_as_asked_for(cmee: int, told: str) -> None:
    state = state_of(2)
    state.sim_present = False
    session = Session(state)
    session.execute(f"AT+CMEE={cmee}")
    assert session.execute("AT+CIMI") == f"\r\n{told}\r\n"


def test_a_chain_ends_with_its_first_failing_member() -> None:
    session = Session(state_of(1))
    assert session.execute("AT+CFUN?;+NONSENSE;+CFUN?") == "\r\n+CFUN: 1\r\n\r\nERROR\r\n"
    assert session.execute("AT+CFUN?;+CREG=0") == "\r\n+CFUN: 1\r\n\r\nOK\r\n"


def test_only_what_asked_for_it_gets_a_urc_of_registration_and_it_has_no_n() -> None:
    state = state_of(1)
    session = Session(state)
    assert session.registration_urc() is None
    session.execute("AT+CEREG=2")
    assert session.registration_urc() == (
        f'+CEREG: 1,"{state.scene.cell.tac:X}","{state.scene.cell.cell_id:X}",{7 if state.scene.mode == "LTE" else 13}'
    )
    state.denied = True
    assert session.registration_urc() == "+CEREG: 3"


def test_a_command_line_ends_with_cr_and_line_feeds_mean_nothing() -> None:
    session = Session(state_of(1))
    assert session.feed(b"AT+C") == []
    assert session.feed(b"SQ\r\nAT\r") == ["AT+CSQ", "AT"]


@given(st.lists(st.binary(max_size=4096), max_size=6))
def test_no_bytes_break_the_interpreter(pieces: list[bytes]) -> None:
    session = Session(state_of(3))
    for piece in pieces:
        for line in session.feed(piece):
            answer = session.execute(line)
            assert answer is None or answer.endswith("\r\n")
    session.feed(b"\r")
    session.feed(b"A" * 100_000)
    assert len(session.feed(b"\r")[-1]) <= LONGEST_LINE
