"""Cards and slots of virtual modems: PIN, PUK, tries, and what a switch and a reset do to them."""

from __future__ import annotations

import pytest
from remsim.simulator.models import ROWS
from virtual import Bench

NAMES = [row.name for row in ROWS]
SLOTS = [
    ("RM520N-GL", "AT+QUIMSLOT?", "AT+QUIMSLOT=2", "+QUIMSLOT: 2"),
    ("EG25-G", "AT+QDSIM?", "AT+QDSIM=1", "+QDSIM: 1"),
    ("EM9190", "AT!UIMS?", "AT!UIMS=1", "!UIMS: 1"),
]


def locked(model: str = "RM520N-GL") -> Bench:
    bench = Bench(model)
    assert bench.say('AT+CLCK="SC",1,"1234"') == "OK"
    bench.reset()
    return bench


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_asks_for_the_pin_from_the_next_reset_on(name: str) -> None:
    bench = Bench(name)
    assert bench.say('AT+CLCK="SC",2') == "+CLCK: 0"
    assert bench.say('AT+CLCK="SC",1,"1234"') == "OK"
    assert bench.say("AT+CPIN?") == "+CPIN: READY"
    bench.reset()
    assert bench.say("AT+CPIN?") == "+CPIN: SIM PIN"
    assert not bench.state.registered
    assert bench.say('AT+CPIN="1234"') == "OK"
    assert bench.kinds() == ["opened"]
    assert bench.say("AT+CPIN?") == "+CPIN: READY"
    assert bench.state.registered
    assert bench.say('AT+CPIN="1234"') == "+CME ERROR: 3"


def test_three_wrong_pins_want_the_puk_and_ten_wrong_puks_are_the_end() -> None:
    bench = locked()
    assert [bench.say('AT+CPIN="0000"') for _ in range(3)] == ["+CME ERROR: 16", "+CME ERROR: 16", "+CME ERROR: 12"]
    assert bench.say("AT+CPIN?") == "+CPIN: SIM PUK"
    assert bench.say('AT+CPIN="1234"') == "+CME ERROR: 12"
    for _ in range(10):
        assert bench.say('AT+CPIN="00000000","4321"') == "+CME ERROR: 16"
    assert bench.say('AT+CPIN="12345678","4321"') == "+CME ERROR: 16"


def test_the_puk_sets_a_new_pin() -> None:
    bench = locked()
    for _ in range(3):
        bench.say('AT+CPIN="0000"')
    assert bench.say('AT+CPIN="12345678","12"') == "+CME ERROR: 12"
    assert bench.say('AT+CPIN="12345678","4321"') == "OK"
    bench.reset()
    assert bench.say('AT+CPIN="1234"') == "+CME ERROR: 16"
    assert bench.say('AT+CPIN="4321"') == "OK"


def test_a_pin_is_changed_only_while_it_is_asked_for() -> None:
    bench = Bench("EM7565")
    assert bench.say('AT+CPWD="SC","1234","4321"') == "+CME ERROR: 3"
    bench.say('AT+CLCK="SC",1,"1234"')
    assert bench.say('AT+CPWD="SC","9999","4321"') == "+CME ERROR: 16"
    assert bench.say('AT+CPWD="SC","1234","12a4"') == "+CME ERROR: 3"
    assert bench.say('AT+CPWD="SC","1234","4321"') == "OK"
    assert bench.say('AT+CLCK="SC",0,"4321"') == "OK"


@pytest.mark.parametrize(
    ("model", "command"), [("RM520N-GL", "AT+QPINC?"), ("EM7565", "AT+CPINC?"), ("L850-GL", "AT+CPINR")]
)
def test_the_tries_left_are_told_in_each_family(model: str, command: str) -> None:
    bench = locked(model)
    bench.say('AT+CPIN="0000"')
    values = bench.decoded(command)
    assert (values["pin_tries_left"], values["puk_tries_left"]) == (2, 10)


def test_thales_tells_the_tries_of_what_is_asked_for() -> None:
    bench = locked("PLS8-E")
    assert bench.say("AT^SPIC") == "^SPIC: 3"
    for _ in range(3):
        bench.say('AT+CPIN="0000"')
    assert bench.say("AT^SPIC") == "^SPIC: 10"


@pytest.mark.parametrize(("model", "ask", "choose", "told"), SLOTS)
def test_a_slot_switch_is_answered_at_once_and_done_later(model: str, ask: str, choose: str, told: str) -> None:
    bench = Bench(model)
    before = bench.say(ask)
    assert bench.say(choose) == "OK"
    assert bench.say(ask) == before
    (effect,) = bench.state.effects
    assert (effect.kind, effect.slot) == ("slot", 1)
    bench.state.slot = effect.slot
    assert bench.say(ask) == told
    bench.reset()
    assert bench.say(ask) == told


def test_an_fm350_never_says_ok_to_a_switch_and_its_second_slot_is_an_empty_euicc() -> None:
    bench = Bench("FM350-GL")
    assert bench.session.execute("AT+GTDUALSIM=1") == ""
    assert bench.kinds() == ["urc", "reset"]
    bench.reset()
    assert bench.decoded("AT+GTDUALSIM?")["sim_slot"] == 1
    assert bench.say("AT+CPIN?") == "+CPIN: EMPTY_EUICC"
    assert bench.say("AT+CIMI") == "+CME ERROR: 10"
    assert not bench.state.registered


def test_the_cards_of_two_slots_differ() -> None:
    bench = Bench("RM520N-GL")
    first = bench.say("AT+CIMI"), bench.say("AT+CCID")
    bench.state.slot = 1
    second = bench.say("AT+CIMI"), bench.say("AT+CCID")
    assert first[0] != second[0] and first[1] != second[1]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("command", ["AT+QUIMSLOT=9", "AT!UIMS=9", "AT+GTDUALSIM=9", "AT+QDSIM=9", "AT+QUIMSLOT=0"])
def test_a_slot_that_is_not_there_is_an_error(name: str, command: str) -> None:
    bench = Bench(name)
    assert "ERROR" in bench.say(command)
    assert bench.state.effects == []


def test_a_busy_card_says_so_and_a_radio_off_keeps_it_readable() -> None:
    bench = Bench("EC25")
    bench.state.sim_busy = True
    assert bench.say("AT+CPIN?") == "+CME ERROR: 14"
    bench.state.sim_busy = False
    assert bench.say("AT+CFUN=4") == "OK"
    assert bench.say("AT+CPIN?") == "+CPIN: READY"
    assert bench.say("AT+CREG?") == "+CREG: 0,0"
    assert bench.say("AT+CFUN=1") == "OK"
    assert bench.kinds() == ["report", "retune"]
