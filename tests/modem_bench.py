"""A modem manager over a tree of files and scripted modems, with what it told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from remsim.config.settings import ModemSettings, Settings
from remsim.core.clock import SystemClock
from remsim.core.events import Event
from remsim.core.reading import ModemReading
from remsim.modems import channel, modem, plan, session
from remsim.modems.manager import ModemManager
from scripted_modem import OK, Answer, ScriptedModem, framed
from usb_tree import UsbTree, plug_rm520n

PERIOD_S = 0.1
QENG = '+QENG: "servingcell","NOCONN","LTE","FDD",262,01,1A2B03,12,1300,3,5,5,1A2B,-97,-11,-68,15,9,-,20'  # one line
ONLINE = {
    "AT+CGMI": "Quectel",
    "AT+CGMM": "RM520N-GL",
    "AT+CGMR": "RM520NGLAAR03A01M4G",
    "AT+CGSN": "868371050000012",
    "AT+CIMI": "262010000000001",
    "AT+QCCID": "+QCCID: 89490200001234567890",
    "AT+CPIN?": "+CPIN: READY",
    "AT+CEREG?": '+CEREG: 2,1,"1A2B","01A2B03",7',
    "AT+C5GREG?": "+C5GREG: 2,0",
    "AT+COPS?": '+COPS: 0,0,"Telekom.de",7',
    "AT+QTEMP": '+QTEMP: "modem-ambient-usr","41"',
    "AT+CFUN?": "+CFUN: 1",
    'AT+QENG="servingcell"': QENG,
}
"""What an RM520N says to the driver."""
QUICK = (
    (modem, "RETRY_S", 0.1),
    (modem, "BUSY_RETRY_S", 0.2),
    (modem, "LOOK_AGAIN_S", 0.05),
    (modem, "BOOT_PATIENCE_S", 0.0),
    (plan, "TIMEOUT_S", 0.5),
    (plan, "PATIENT_TIMEOUT_S", 0.5),
    (session, "HANDSHAKE_TIMEOUT_S", 0.2),
    (channel, "QUIET_S", 0.03),
)
"""Waits of tests."""


def replies(texts: Mapping[str, str]) -> dict[str, Answer]:
    """Texts before OK, and the settings of a session that are just taken."""
    told: dict[str, Answer] = {command: framed(f"{text}\n\nOK") for command, text in texts.items()}
    return dict.fromkeys(("AT", "ATE1", "AT+CMEE=1", "AT+CREG=2", "AT+CGREG=2", "AT+CEREG=2"), OK) | told


def answers(imei: str) -> dict[str, Answer]:
    """What one of several RM520N says."""
    return replies(ONLINE | {"AT+CGSN": imei})


def manager_over(
    tree: UsbTree,
    state_dir: Path,
    modems: tuple[ModemSettings, ...],
    *,
    emit: Callable[[Event], None],
    publish_reading: Callable[[ModemReading], None] = lambda reading: None,
) -> ModemManager:
    """A manager that looks at a tree of files, often."""
    state_dir.mkdir(exist_ok=True)
    return ModemManager(
        settings=Settings(modems=modems),
        clock=SystemClock(),
        publish_reading=publish_reading,
        emit=emit,
        state_dir=state_dir,
        sysfs_root=tree.sys,
        dev_root=tree.dev,
        scan_period_s=0.1,
    )


class Bench:
    """A manager over a tree of files, with what it told."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.tree = UsbTree(root)
        self.modems: dict[str, ScriptedModem] = {}
        self.readings: list[ModemReading] = []
        self.events: list[Event] = []
        self._manager: ModemManager | None = None

    def plug(self, usb_path: str, imei: str, *, tty: int = 0) -> ScriptedModem:
        one = self.modems[usb_path] = ScriptedModem(answers(imei))
        self.link(tty, one)
        plug_rm520n(self.tree, usb_path, tty, f"simwwan{tty}")
        (self.tree.dev / f"ttyUSB{tty + 3}").unlink()
        return one

    def link(self, tty: int, one: ScriptedModem) -> None:
        node = self.tree.dev / f"ttyUSB{tty + 2}"
        node.unlink(missing_ok=True)
        node.symlink_to(one.path)

    def unplug(self, usb_path: str, *, tty: int = 0) -> None:
        self.unplug_tree(usb_path, tty=tty)
        self.modems.pop(usb_path).unplug()

    def unplug_tree(self, usb_path: str, *, tty: int = 0) -> None:
        self.tree.unplug(usb_path)
        (self.tree.dev / f"ttyUSB{tty + 2}").unlink()

    def start(self, *, period_s: float | None = PERIOD_S) -> ModemManager:
        paths = ("1-1", "1-2", "1-3")
        modems = tuple(ModemSettings(path, period_s=period_s, probe_targets=()) for path in paths)
        self._manager = manager_over(
            self.tree,
            self.root / "state",
            modems,
            emit=self.events.append,
            publish_reading=self.readings.append,
        )
        self._manager.start()
        return self._manager

    def stop(self) -> None:
        if self._manager is not None:
            self._manager.stop()
        for one in self.modems.values():
            one.unplug()

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


@contextmanager
def quick_bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    """A bench whose waits are short, stopped in the end."""
    for module, name, seconds in QUICK:
        monkeypatch.setattr(module, name, seconds)
    bench = Bench(tmp_path)
    try:
        yield bench
    finally:
        bench.stop()


def wait_for(wanted: Callable[[], Any], timeout_s: float = 40.0) -> None:
    """Look till it is so."""
    deadline = time.monotonic() + timeout_s
    while not wanted():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def is_online(manager: ModemManager, modem_id: str = "modem1") -> bool:
    """Whether a modem is online."""
    return any(view["id"] == modem_id and view["state"] == "online" for view in manager.views())
