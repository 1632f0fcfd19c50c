"""Actions for tests of the control desk: one that waits, one that changes a number which the scripted modem keeps."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from control_bench import ControlBench
from modem_bench import ONLINE
from remsim.core.errors import ModemError
from remsim.core.forms import Flag, Form, Text, Whole
from remsim.core.jobs import Job
from remsim.modems.control.action import Action
from remsim.modems.control.change import Change, ChangeForm
from remsim.modems.control.target import Target
from scripted_modem import OK, framed


class Wait(Action):
    """Goes on until told to end."""

    name, label, group = "wait", "Wait", "device"

    def __init__(self) -> None:
        self.go = threading.Event()

    def form(self, target: Target) -> Form:
        fields = {"pin": Text(1, 8, load_default="", metadata={"secret": True}), "fail": Flag(load_default=False)}
        return Form.from_dict(fields)()

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        job.report(0.1, "waiting", can_abort=True)
        target.wait_until(self.go.is_set, 10, job)
        if values["fail"]:
            raise ModemError("it broke", hint="mend it")
        return {"waited": True}


class LevelForm(ChangeForm):
    level = Whole(0, 9, required=True)


class Level(Change):
    """A number that the modem keeps, by +LVL."""

    name, label, group, remembers = "level", "Set the level", "radio", True

    def form(self, target: Target) -> Form:
        return LevelForm()

    def read(self, target: Target) -> dict[str, Any]:
        return {"level": int(target.send("AT+LVL?").lines[0].split(":")[1])}

    def apply(self, target: Target, values: Mapping[str, Any], job: Job) -> None:
        target.send(f"AT+LVL={values['level']}")


class Leveled:
    """The scripted modem's level, with what goes wrong."""

    def __init__(self, bench: ControlBench, level: int = 1) -> None:
        self.level, self.kept, self.log = level, True, []
        self.bench = bench
        self.without_service: set[int] = set()
        bench.modem.answers["AT+LVL?"] = lambda command: framed(f"+LVL: {self.level}\n\nOK")
        for number in range(10):
            bench.modem.answers[f"AT+LVL={number}"] = self._set

    def _set(self, command: str) -> bytes:
        wanted = int(command[-1])
        self.log.append(wanted)
        if self.kept:
            self.level = wanted
        state = "SEARCH" if self.level in self.without_service else None
        self.bench.set(
            'AT+QENG="servingcell"', '+QENG: "servingcell","SEARCH"' if state else ONLINE['AT+QENG="servingcell"']
        )
        return OK


def wait_action() -> Wait:
    from remsim.modems.control import desk

    action = desk.ACTIONS["wait"]
    assert isinstance(action, Wait)
    return action


def told(bench: ControlBench) -> list[dict[str, Any]]:
    return [event.data | {"message": event.message} for event in bench.events if event.kind == "control"]
