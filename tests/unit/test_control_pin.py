"""PIN and PUK: digits only, no try spent twice, the last one only with a tick, nothing of it in the journal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from family_modems import FamilyBench
from marshmallow import ValidationError
from remsim.core.errors import Conflict
from remsim.modems.control import pin as control
from remsim.modems.control.pin import Pin, PinChange, PinLock, Puk
from scripted_modem import framed

ACTIONS = (Pin(), PinLock(), PinChange(), Puk())


class Card:
    """A card with PIN 1234 and PUK 12345678."""

    def __init__(self, bench: FamilyBench, state: str = "SIM PIN", pin_tries: int = 3) -> None:
        self.state, self.pin, self.pin_tries, self.puk_tries, self.is_locked = state, "1234", pin_tries, 10, True
        self.busy = 0
        answers = bench.modem.answers
        answers["AT+CPIN?"] = lambda command: self.tell()
        answers["AT+QPINC?"] = lambda command: framed(
            f'+QPINC: "SC",{self.pin_tries},{self.puk_tries}\n+QPINC: "P2",3,10\n\nOK'
        )
        answers['AT+CLCK="SC",2'] = lambda command: framed(f"+CLCK: {int(self.is_locked)}\n\nOK")
        bench.serve(r'AT\+CPIN="(\d+)"', lambda match: self.enter(match[1]))
        bench.serve(r'AT\+CPIN="(\d+)","(\d+)"', lambda match: self.unblock(*match.groups()))
        bench.serve(r'AT\+CLCK="SC",(\d),"(\d+)"', lambda match: self.lock(*match.groups()))
        bench.serve(r'AT\+CPWD="SC","(\d+)","(\d+)"', lambda match: self.change(*match.groups()))

    def tell(self) -> bytes:
        if self.busy:
            self.busy -= 1
            return framed("+CME ERROR: 14")
        return framed(f"+CPIN: {self.state}\n\nOK")

    def check(self, pin: str) -> str:
        if pin == self.pin:
            self.pin_tries = 3
            return ""
        self.pin_tries -= 1
        if self.pin_tries == 0:
            self.state = "SIM PUK"
            return "+CME ERROR: 12"
        return "+CME ERROR: 16"

    def enter(self, pin: str) -> str:
        told = self.check(pin)
        if not told:
            self.state, self.busy = "READY", 2
        return told

    def unblock(self, puk: str, pin: str) -> str:
        if puk != "12345678":
            self.puk_tries -= 1
            return "+CME ERROR: 16"
        self.state, self.pin, self.pin_tries, self.puk_tries = "READY", pin, 3, 10
        return ""

    def lock(self, on: str, pin: str) -> str:
        told = self.check(pin)
        if not told:
            self.is_locked = on == "1"
        return told

    def change(self, old: str, new: str) -> str:
        told = self.check(old)
        if not told:
            self.pin = new
        return told


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FamilyBench]:
    monkeypatch.setattr(control, "LOOK_S", 0.05)
    monkeypatch.setattr(control, "READY_S", 3.0)
    bench = FamilyBench(tmp_path, monkeypatch, "RM520N-GL", actions=ACTIONS)
    yield bench
    bench.close()


def secrets_of(bench: FamilyBench) -> list[str]:
    return bench.wrote("CPIN=", "CLCK=\"SC\",0", "CLCK=\"SC\",1", "CPWD=")


def test_a_pin_opens_the_card_and_nobody_reads_it(bench: FamilyBench) -> None:
    Card(bench)
    bench.start("sim_pin")
    fields = bench.desk.form("modem1", "pin")["properties"]
    assert fields["pin"]["format"] == "password" and "Tries left: 3" in fields["really"]["description"]
    job = bench.run("pin", pin="1234")
    assert (job.state, job.result) == ("done", {"sim_state": "READY"})
    assert secrets_of(bench) == ['AT+CPIN="1234"']
    bench.wait(lambda: bench.target.is_online)
    written = json.dumps([[event.message, event.data] for event in bench.events]) + json.dumps(job.as_dict())
    assert "1234" not in written


def test_what_an_open_card_is_good_for_can_be_done_at_once(bench: FamilyBench) -> None:
    Card(bench)
    bench.start("sim_pin")
    bench.run("pin", pin="1234")
    assert bench.run("pin-lock", on=False, pin="1234").result == {"changed": True, "on": False}


def test_a_card_that_was_just_blocked_takes_its_puk_at_once(bench: FamilyBench) -> None:
    card = Card(bench, "READY", pin_tries=1)
    bench.start()
    card.busy = 0
    assert "wants its PUK" in str(bench.run("pin-lock", on=False, pin="9999", really=True).error)
    assert bench.run("puk", puk="12345678", new_pin="4711", again="4711").state == "done"


@pytest.mark.parametrize("wrong", ["abcd", "123", "123456789", '12"4', "1234\r", "12 34", "１２３４", 1234, "", None])
def test_only_digits_reach_the_card(bench: FamilyBench, wrong: object) -> None:
    Card(bench)
    bench.start("sim_pin")
    with pytest.raises(ValidationError):
        bench.desk.start("modem1", "pin", {"pin": wrong}, actor="x")
    assert secrets_of(bench) == []


def test_a_wrong_pin_is_sent_once_and_the_tries_are_told(bench: FamilyBench) -> None:
    card = Card(bench)
    job = bench.start("sim_pin").run("pin", pin="9999")
    assert job.state == "failed" and "2 tries are left" in str(job.error) and card.pin_tries == 2
    assert secrets_of(bench) == ['AT+CPIN="9999"'] and "9999" not in str(job.error)
    bench.wait(lambda: bench.target.values.get("pin_tries_left") == 2)


def test_the_last_try_takes_a_tick(bench: FamilyBench) -> None:
    Card(bench, pin_tries=1)
    job = bench.start("sim_pin").run("pin", pin="1234")
    assert (job.state, job.at_field) == ("failed", "really") and secrets_of(bench) == []
    assert bench.run("pin", pin="1234", really=True).state == "done"


def test_a_card_that_does_not_answer_is_not_asked_again(bench: FamilyBench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "ENTER_S", 0.3)
    Card(bench)
    bench.serve(r'AT\+CPIN="(\d+)"', lambda match: None)
    job = bench.start("sim_pin").run("pin", pin="1234")
    assert (job.state, job.code) == ("failed", "not_taken") and "before you try again" in str(job.hint)
    assert secrets_of(bench) == ['AT+CPIN="1234"']


def test_an_open_card_wants_no_pin_and_a_blocked_one_its_puk(bench: FamilyBench) -> None:
    card = Card(bench, "READY")
    bench.start()
    offered = {one["name"]: one["missing"] for one in bench.desk.actions("modem1")}
    assert "wants no PIN" in offered["pin"] and "wants no PUK" in offered["puk"] and offered["pin-lock"] is None
    card.state = "SIM PUK"
    bench.target.hasten("CPIN")
    bench.wait(lambda: bench.target.values.get("sim_state") == "SIM PUK")
    with pytest.raises(Conflict) as error:
        bench.desk.start("modem1", "pin", {"pin": "1234"}, actor="x")
    assert "PUK" in error.value.message


def test_a_card_that_was_opened_meanwhile_costs_no_try(bench: FamilyBench) -> None:
    card = Card(bench)
    bench.start("sim_pin")
    bench.manager.set_period("modem1", 60.0)  # what is known of the card grows old
    card.state = "READY"
    job = bench.run("pin", pin="1234")
    assert (job.state, job.code) == ("failed", "not_wanted") and secrets_of(bench) == []


def test_the_question_is_switched_off_and_read_back(bench: FamilyBench) -> None:
    card = Card(bench, "READY")
    bench.start()
    assert bench.desk.form("modem1", "pin-lock")["properties"]["on"]["default"] is True
    job = bench.run("pin-lock", on=False, pin="1234")
    assert (job.state, job.result, card.is_locked) == ("done", {"changed": True, "on": False}, False)
    assert bench.run("pin-lock", on=False, pin="1234").result["changed"] is False
    assert secrets_of(bench) == ['AT+CLCK="SC",0,"1234"']


def test_a_busy_card_is_asked_again_what_costs_no_try(bench: FamilyBench) -> None:
    card = Card(bench, "READY")
    busy = [framed("+CME ERROR: 14")] * 3
    told = bench.modem.answers['AT+CLCK="SC",2']
    bench.modem.answers['AT+CLCK="SC",2'] = lambda command: busy.pop() if busy else told(command)  # type: ignore[operator,misc]
    job = bench.start().run("pin-lock", on=False, pin="1234")
    assert job.state == "done" and card.is_locked is False and secrets_of(bench) == ['AT+CLCK="SC",0,"1234"']


def test_a_new_pin_is_typed_twice(bench: FamilyBench) -> None:
    card = Card(bench, "READY")
    bench.start()
    wrong = bench.run("pin-change", pin="1234", new_pin="5678", again="5679")
    assert wrong.at_field == "again" and secrets_of(bench) == []
    job = bench.run("pin-change", pin="1234", new_pin="5678", again="5678")
    assert job.state == "done" and card.pin == "5678" and job.result["pin_tries_left"] == 3


def test_a_pin_is_not_changed_on_a_card_that_does_not_ask_for_it(bench: FamilyBench) -> None:
    Card(bench, "READY").is_locked = False
    job = bench.start().run("pin-change", pin="1234", new_pin="5678", again="5678")
    assert job.state == "failed" and "switch the question on" in str(job.hint) and secrets_of(bench) == []


def test_a_puk_opens_a_blocked_card_with_a_new_pin(bench: FamilyBench) -> None:
    card = Card(bench, "SIM PUK", pin_tries=0)
    bench.start("sim_puk")
    wrong = bench.run("puk", puk="87654321", new_pin="5678", again="5678")
    assert wrong.state == "failed" and "9 tries are left" in str(wrong.error)
    card.puk_tries = 1
    assert bench.run("puk", puk="12345678", new_pin="5678", again="5678").at_field == "really"
    job = bench.run("puk", puk="12345678", new_pin="5678", again="5678", really=True)
    assert job.state == "done" and (card.state, card.pin) == ("READY", "5678")


def test_the_tries_are_asked_only_while_the_card_wants_something(bench: FamilyBench) -> None:
    card = Card(bench, "READY")
    bench.start()
    for _ in range(3):
        seen = len(bench.modem.commands)
        bench.wait(lambda seen=seen: len(bench.modem.commands) > seen + 10)
    assert bench.wrote("QPINC") == [] and "pin_tries_left" not in bench.target.values
    card.state = "SIM PIN"
    bench.modem.say(b"\r\n+CPIN: SIM PIN\r\n")
    bench.wait(lambda: bench.target.values.get("pin_tries_left") == 3)
    card.state = "READY"
    bench.modem.say(b"\r\n+CPIN: READY\r\n")
    bench.wait(lambda: "pin_tries_left" not in bench.target.values)


def test_no_card_no_pin(bench: FamilyBench) -> None:
    bench.set("AT+CPIN?", "+CME ERROR: 10")
    bench.start("no_sim")
    assert {one["missing"] for one in bench.desk.actions("modem1")} == {"There is no SIM."}
