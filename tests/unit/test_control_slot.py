"""SIM slots: counted from 1, read back, the new card known afterwards, back again without service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from family_modems import FamilyBench
from marshmallow import ValidationError
from remsim.core.errors import Conflict
from remsim.modems.control import slot as control
from remsim.modems.control.slot import SimSlot
from remsim.modems.control.target import Target
from scripted_modem import OK, framed
from usb_tree import UsbTree

Bench = Callable[[str], FamilyBench]
GUARDS = {"service_s": 5, "confirm_s": 0}
CARDS = {0: "89490200001234567890", 1: "89880390000000000017"}


@pytest.fixture
def bench_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    for name, seconds in (("TAKEN_S", 3.0), ("CARD_S", 1.0), ("LOOK_S", 0.1), ("LOOK_TIMEOUT_S", 0.5)):
        monkeypatch.setattr(control, name, seconds)
    monkeypatch.setitem(Target.send_last.__kwdefaults__, "timeout_s", 1.0)
    made: list[FamilyBench] = []

    def make(module: str) -> FamilyBench:
        made.append(FamilyBench(tmp_path, monkeypatch, module, actions=(SimSlot(),)))
        return made[-1]

    yield make
    for bench in made:
        bench.close()


class Tray:
    """Two cards; ``states`` is what +CPIN? says of each. ``read`` and ``choose`` are the family's commands."""

    def __init__(self, bench: FamilyBench, read: str, choose: str, text: str, first: int) -> None:
        self.bench, self.slot, self.first = bench, 0, first
        self.states = {0: "+CPIN: READY", 1: "+CPIN: READY"}
        self.obeys = True
        answers = bench.modem.answers
        answers[read] = lambda command: framed(f"{text.format(self.slot + first)}\n\nOK")
        bench.serve(choose, lambda match: self.choose(int(match[1])))
        answers["AT+CPIN?"] = lambda command: self.card("")
        for command, prefix in (("AT+QCCID", "+QCCID"), ("AT+ICCID", "+ICCID"), ("AT+CCID", "+CCID")):
            answers[command] = lambda command, prefix=prefix: self.card(f"{prefix}: {CARDS[self.slot]}")
        bench.serve(r'AT\+QENG="servingcell"', lambda match: "")

    def card(self, text: str) -> bytes:
        state = self.states[self.slot]
        if state.startswith("+CME"):
            return framed(state)
        return framed(f"{text or state}\n\nOK")

    def choose(self, number: int) -> str:
        if self.obeys:
            self.slot = number - self.first
        return ""


def quectel(bench: FamilyBench) -> Tray:
    return Tray(bench, "AT+QUIMSLOT?", r"AT\+QUIMSLOT=(\d)", "+QUIMSLOT: {}", 1)


def test_a_quectel_counts_from_one_and_its_other_card_is_known(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    quectel(bench)
    form = bench.start().desk.form("modem1", "sim-slot")
    assert [one["const"] for one in form["properties"]["slot"]["oneOf"]] == [1, 2]
    assert form["properties"]["slot"]["default"] == 1 and form["properties"]["service_s"]["default"] == 240
    seen = bench.target.modem.identifications
    job = bench.run("sim-slot", slot=2, **GUARDS)
    assert job.state == "done", job.error
    assert job.result["slot"] == 2 and job.result["sim_state"] == "READY"
    assert job.result["iccid"].endswith("0017") and "8988" not in job.result["iccid"]
    assert bench.wrote("QUIMSLOT=") == ["AT+QUIMSLOT=2"]
    assert bench.target.modem.identifications == seen + 1, "set up and identified anew, once"
    assert bench.manager.view("modem1")["iccid"].endswith("0017")


def test_the_same_slot_is_no_change(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    quectel(bench)
    job = bench.start().run("sim-slot", slot=1, **GUARDS)
    assert job.result["changed"] is False and bench.wrote("QUIMSLOT=") == []


@pytest.mark.parametrize("wrong", [0, 3, "2\r", '2"', "two", None, True])
def test_other_slots_are_refused(bench_of: Bench, wrong: object) -> None:
    bench = bench_of("RM520N-GL")
    quectel(bench)
    bench.start()
    with pytest.raises(ValidationError):
        bench.desk.start("modem1", "sim-slot", {"slot": wrong}, actor="x")
    assert bench.wrote("QUIMSLOT=") == []


def test_an_empty_slot_is_left_again_at_once(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    tray = quectel(bench)
    tray.states[1] = "+CME ERROR: 10"
    job = bench.start().run("sim-slot", slot=2, service_s=600, confirm_s=0, timeout_s=40)
    assert (job.state, job.code, tray.slot) == ("failed", "rolled_back", 0)
    assert "no SIM is in it" in str(job.error) and "insert a SIM" in str(job.hint)


def test_a_card_that_wants_its_pin_is_no_reason_to_go_back(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    tray = quectel(bench)
    tray.states[1] = "+CPIN: SIM PIN"
    job = bench.start().run("sim-slot", slot=2, service_s=600, confirm_s=0, timeout_s=40)
    assert (job.state, tray.slot) == ("done", 1), job.error
    assert job.result["sim_state"] == "SIM PIN" and "enter the PIN" in job.result["hint"]


def test_an_answer_without_effect_is_told(bench_of: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SimSlot, "read_back_s", 0.3)
    monkeypatch.setattr(control, "TAKEN_S", 0.5)
    bench = bench_of("RM520N-GL")
    quectel(bench).obeys = False
    job = bench.start().run("sim-slot", slot=2, **GUARDS)
    assert job.code == "not_taken" and "still has slot 1" in str(job.error)


def sierra(bench: FamilyBench) -> Tray:
    return Tray(bench, "AT!UIMS?", r"AT!UIMS=(\d)", "!UIMS: {}", 0)


def test_a_sierra_counts_from_zero(bench_of: Bench) -> None:
    bench = bench_of("EM7565")
    tray = sierra(bench)
    bench.serve(r"AT!UIMS=\?", lambda match: "!UIMS: (0-1),3")
    job = bench.start().run("sim-slot", slot=2, **GUARDS)
    assert job.state == "done" and tray.slot == 1 and bench.wrote("UIMS=1", "ENTERCND", "CFUN=") == ["AT!UIMS=1"]


def test_a_sierra_that_wants_its_password_and_a_push_gets_both(bench_of: Bench) -> None:
    bench = bench_of("EM9291")
    tray = sierra(bench)
    state = {"open": False, "read": False}
    bench.serve(r'AT!ENTERCND="A710"', lambda match: state.update(open=True) or "")
    bench.serve(r"AT!UIMS=(\d)", lambda match: tray.choose(int(match[1])) if state["open"] else "ERROR")
    bench.serve(r"AT\+CFUN=(\d)", lambda match: state.update(read=match[1] == "1") or "")
    ready = bench.modem.answers["AT+CPIN?"]
    bench.modem.answers["AT+CPIN?"] = lambda command: (
        framed("+CME ERROR: 13") if tray.slot == 1 and not state["read"] else ready(command)  # type: ignore[operator]
    )
    job = bench.start().run("sim-slot", slot=2, timeout_s=30, **GUARDS)
    assert job.state == "done", job.error
    assert bench.wrote("UIMS=1", "ENTERCND", "CFUN=") == [
        "AT!UIMS=1", 'AT!ENTERCND="A710"', "AT!UIMS=1", "AT+CFUN=0", "AT+CFUN=1",
    ]  # fmt: skip


def test_an_fm350_never_says_ok_and_comes_back_later(bench_of: Bench) -> None:
    bench = bench_of("FM350-GL")
    tray = Tray(bench, "AT+GTDUALSIM?", r"AT\+GTDUALSIM=(\d)", '+GTDUALSIM : {}, "SUB1", "L"', 0)
    bench.serve(r"AT\+GTDUALSIM=(\d)", lambda match: tray.choose(int(match[1])) or b"\r\n+ESIMS: 1,29\r\n")
    bench.start()
    job = bench.desk.start("modem1", "sim-slot", {"slot": 2, **GUARDS}, actor="x")
    bench.wait(lambda: "AT+GTDUALSIM=1" in bench.modem.commands)
    bench.tree.unplug("1-1")
    (bench.tree.dev / "ttyUSB2").unlink()
    bench.wait(lambda: bench.manager.view("modem1")["state"] in ("rebooting", "gone"))
    plug_fm350(bench.tree)
    bench.link("ttyUSB9")
    bench.wait(lambda: job.is_over, 30)
    assert job.state == "done", job.error
    assert job.result["slot"] == 2
    bench.wait(lambda: bench.manager.view("modem1")["reading"]["sim_slot"] == 2)


def plug_fm350(tree: UsbTree) -> None:
    tree.plug("1-1", "0e8d:7127")
    tree.interface("1-1", 6, tty="ttyUSB9", driver="option")


def test_an_esim_without_a_profile_says_what_to_do(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    tray = quectel(bench)
    tray.states[0] = "+CME ERROR: 10"
    tray.states[1] = "+CPIN: EMPTY_EUICC"
    job = bench.start("no_sim").run("sim-slot", slot=2, **GUARDS)
    assert job.state == "done" and job.result["sim_state"] == "EMPTY_EUICC" and "profile" in job.result["hint"]


@pytest.mark.parametrize("state", ["+CPIN: EMPTY_EUICC", "+CME ERROR: 10"])
def test_a_built_in_esim_without_a_profile_is_stayed_with_when_that_is_wanted(bench_of: Bench, state: str) -> None:
    bench = bench_of("EM9291")
    tray = sierra(bench)
    bench.serve(r"AT\+CFUN=\d", lambda match: "")
    tray.states[1] = state
    bench.start()
    wanted = {"slot": 2, "service_s": 600, "confirm_s": 0, "timeout_s": 40}
    job = bench.run("sim-slot", without_profile=True, **wanted)
    assert (job.state, tray.slot, job.result["slot"]) == ("done", 1, 2), job.error
    assert "without_profile" not in job.result
    job = bench.run("sim-slot", slot=1, service_s=5, confirm_s=0)
    assert (job.state, tray.slot) == ("done", 0), job.error


def test_only_where_an_esim_is_built_in_it_can_be_stayed_with(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    quectel(bench)
    assert "without_profile" not in bench.start().desk.form("modem1", "sim-slot")["properties"]


def test_a_module_with_one_slot_says_so(bench_of: Bench) -> None:
    bench = bench_of("EG25").start()
    with pytest.raises(Conflict) as error:
        bench.desk.start("modem1", "sim-slot", {"slot": 2}, actor="x")
    assert error.value.code == "not_offered" and "one SIM slot" in error.value.message


def test_unplugged_in_the_middle_ends_with_what_is_so(bench_of: Bench) -> None:
    bench = bench_of("RM520N-GL")
    quectel(bench)
    bench.start()

    def vanish(match: object) -> bytes:
        bench.tree.unplug("1-1")
        (bench.tree.dev / "ttyUSB2").unlink()
        return OK

    bench.serve(r"AT\+QUIMSLOT=(\d)", vanish)
    job = bench.run("sim-slot", slot=2, timeout_s=60, **GUARDS)
    assert job.state == "failed" and job.error
