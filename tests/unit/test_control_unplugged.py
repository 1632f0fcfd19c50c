"""A modem that is unplugged, falls silent or answers garbage in the middle of a job: the job ends, and says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from family_modems import FamilyBench
from remsim.modems.control import pin, power, slot
from remsim.modems.control.cell_lock import LockCells
from remsim.modems.control.change import Change
from remsim.modems.control.kept import SimDetection, UrcPort
from remsim.modems.control.pin import Pin, PinChange, PinLock, Puk
from remsim.modems.control.power import Radio, Reset
from remsim.modems.control.preferences import RadioSettings
from remsim.modems.control.slot import SimSlot
from remsim.modems.control.target import Target
from scripted_modem import framed

GUARDS = {"service_s": 5, "confirm_s": 0}
JOBS: dict[str, tuple[str, dict[str, Any]]] = {
    "reset": (r"AT\+CFUN=1,1", {}),
    "radio": (r"AT\+CFUN=4", {"on": False, **GUARDS}),
    "radio-settings": (r'AT\+QNWPREFCFG="lte_band",3', {"lte_bands": [3], **GUARDS}),
    "cell-lock": (r'AT\+QNWLOCK="common/4g",1,1300,12', {"more_lte_cells": "1300:12", **GUARDS}),
    "sim-slot": (r"AT\+QUIMSLOT=2", {"slot": 2, **GUARDS}),
    "pin-lock": (r'AT\+CLCK="SC",1,"1234"', {"on": True, "pin": "1234"}),
    "pin-change": (r'AT\+CPWD="SC","1234","5678"', {"pin": "1234", "new_pin": "5678", "again": "5678"}),
    "sim-detection": (r"AT\+QSIMDET=1,\d", {"on": True, "really": True}),
    "urc-port": (r'AT\+QURCCFG="urcport","usbat"', {"really": True}),
}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FamilyBench]:
    for module, name, seconds in (
        (pin, "READY_S", 0.5), (pin, "LOOK_S", 0.05), (pin, "ENTER_S", 0.5),
        (slot, "TAKEN_S", 0.5), (slot, "LOOK_S", 0.05), (slot, "CARD_S", 0.3), (slot, "RENEWED_S", 1.0),
        (slot, "LOOK_TIMEOUT_S", 0.3), (power, "LOOK_S", 0.2),
        (power, "LOOK_TIMEOUT_S", 0.2), (power, "CFUN_TIMEOUT_S", 0.5),
        (Change, "read_back_s", 0.5), (Radio, "read_back_s", 0.5), (SimSlot, "read_back_s", 0.5),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, seconds)
    monkeypatch.setattr(power.restart, "__defaults__", (1.5,))
    for method in (Target.send, Target.ask, Target.said, Target.send_last):
        monkeypatch.setitem(method.__kwdefaults__, "timeout_s", 0.5)
    monkeypatch.setattr("remsim.modems.control.preferences.WRITE_S", 0.5)
    monkeypatch.setattr("remsim.modems.control.cell_lock.WRITE_S", 0.5)
    actions = (Reset(), Radio(), RadioSettings(), LockCells(), SimSlot(), Pin(), PinLock(), PinChange(), Puk())
    bench = FamilyBench(tmp_path, monkeypatch, "RM520N-GL", actions=(*actions, SimDetection(), UrcPort()))
    enabled = {"pin": False}
    bench.set("AT+QUIMSLOT?", "+QUIMSLOT: 1")
    bench.set("AT+QPINC?", '+QPINC: "SC",3,10')
    bench.modem.answers['AT+CLCK="SC",2'] = lambda command: framed(f"+CLCK: {int(enabled['pin'])}\n\nOK")
    bench.set("AT+QSIMDET?", "+QSIMDET: 0,1")
    bench.set('AT+QURCCFG="urcport"', '+QURCCFG: "urcport","uart1"')
    bench.set('AT+QNWLOCK="common/4g"', '+QNWLOCK: "common/4g",0')
    bench.set('AT+QNWLOCK="common/5g"', '+QNWLOCK: "common/5g",0')
    bench.set('AT+QNWPREFCFG="mode_pref"', '+QNWPREFCFG: "mode_pref",AUTO')
    bench.set('AT+QNWPREFCFG="lte_band"', '+QNWPREFCFG: "lte_band",1:3:20')
    bench.start()
    bench.wait(lambda: bench.target.values.get("urc_port") == "uart1")
    yield bench
    bench.close()


def ends(bench: FamilyBench, name: str, trouble: Callable[[Any], bytes | None]) -> None:
    command, content = JOBS[name]
    if name == "pin-change":
        bench.set('AT+CLCK="SC",2', "+CLCK: 1")
    bench.serve(command, trouble)
    job = bench.run(name, timeout_s=60, **content)
    assert job.state == "failed" and job.error and job.code != "internal_error", (job.state, job.error, job.code)
    # What the interrupted change left may be undone at once; that ends too.
    bench.wait(lambda: bench.manager.view("modem1")["operation"] is None)
    assert "1234" not in job.error


@pytest.mark.parametrize("name", JOBS)
def test_unplugged_in_the_middle(bench: FamilyBench, name: str) -> None:
    def vanish(match: Any) -> None:
        bench.tree.unplug("1-1")
        (bench.tree.dev / "ttyUSB2").unlink()

    ends(bench, name, vanish)


@pytest.mark.parametrize("name", JOBS)
def test_silent_in_the_middle(bench: FamilyBench, name: str) -> None:
    ends(bench, name, lambda match: None)


@pytest.mark.parametrize("name", sorted(set(JOBS) - {"pin-change"}))  # a card tells nothing of its PIN
def test_the_answer_to_another_command_is_no_success(bench: FamilyBench, name: str) -> None:
    ends(bench, name, lambda match: b"\r\n+CSQ: 20,99\r\n\r\nOK\r\n")


@pytest.mark.parametrize("name", JOBS)
def test_an_error_in_the_middle_says_why(bench: FamilyBench, name: str) -> None:
    ends(bench, name, lambda match: framed("+CME ERROR: 3"))
