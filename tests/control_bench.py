"""One scripted modem under a real manager, jobs and control desk; what a test needs to have something done to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from modem_bench import ONLINE, QUICK, manager_over, replies
from remsim.config.settings import ModemSettings
from remsim.core.bus import Bus
from remsim.core.clock import SystemClock
from remsim.core.events import Event
from remsim.core.jobs import Job, Jobs
from remsim.modems import operations
from remsim.modems.control import change
from remsim.modems.control.action import Action
from remsim.modems.control.desk import ControlDesk
from remsim.modems.control.means import Means
from remsim.modems.control.pending import Pending
from remsim.modems.control.seen import SeenBands
from remsim.modems.control.target import Target
from remsim.modems.gpio import Gpio
from remsim.modems.inhibitions import Inhibitions
from remsim.modems.netifd import Netifd
from scripted_modem import ScriptedModem, framed
from usb_tree import UsbTree, plug_rm520n

USB_PATH = "1-1"
WAITS = (
    *QUICK,
    (operations, "WAIT_SLICE_S", 0.05),
    (change, "SETTLE_S", 0.5),
    (change, "RETURN_S", 3.0),
)


class ControlBench:
    """``modem`` is the scripted one on ``1-1``, an RM520N unless ``texts`` say otherwise. Close it at the end."""

    def __init__(
        self,
        root: Path,
        monkeypatch: pytest.MonkeyPatch,
        *,
        actions: tuple[Action, ...] | None = None,
        texts: Mapping[str, str] | None = None,
        plug: Callable[[UsbTree], None] | None = None,
        config_dir: Path | None = None,
        netifd: Netifd | None = None,
        gpio: Callable[[ControlBench], Gpio] | None = None,
        **settings: Any,
    ) -> None:
        for module, name, seconds in WAITS:
            monkeypatch.setattr(module, name, seconds)
        if actions is not None:
            table = {action.name: action for action in actions}
            for user in ("desk", "restore"):
                monkeypatch.setattr(f"remsim.modems.control.{user}.ACTIONS", table)
        self.tree = UsbTree(root)
        self.state_dir = root / "state"
        self.modem = ScriptedModem(replies(texts or ONLINE))
        self.events: list[Event] = []
        self.clock = SystemClock()
        self.jobs = Jobs(Bus(), self.clock)
        self.means = Means(
            clock=self.clock,
            sysfs_root=self.tree.sys,
            config_dir=config_dir,
            gpio=gpio(self) if gpio else Gpio(self.tree.sys, self.clock),
            netifd=netifd or Netifd(is_used=False),
            inhibitions=Inhibitions(),
            seen_bands=SeenBands(self.state_dir),
            pending=Pending(self.state_dir),
            staged_dir=root / "staged",
        )
        (plug or (lambda tree: plug_rm520n(tree, USB_PATH, 0, "simwwan0")))(self.tree)
        self.link()
        one = ModemSettings(USB_PATH, period_s=0.1, probe_targets=(), **settings)
        self.manager = manager_over(self.tree, self.state_dir, (one,), emit=self.events.append)
        self.desk = ControlDesk(self.manager, self.jobs, self.means, emit=self.events.append, state_dir=self.state_dir)

    def link(self, tty: str = "ttyUSB2") -> None:
        """Put the scripted modem behind a device node."""
        for node in self.tree.dev.iterdir():
            if node.name.startswith("tty"):
                node.unlink()
        (self.tree.dev / tty).symlink_to(self.modem.path)

    def start(self, state: str = "online") -> ControlBench:
        """Begin polling and wait until the modem is in a state."""
        self.manager.start()
        self.wait(lambda: any(view["state"] == state for view in self.manager.views()))
        return self

    def close(self) -> None:
        """End everything."""
        self.manager.stop()
        self.means.close()
        self.modem.unplug()

    @property
    def target(self) -> Target:
        return Target(self.manager.modem("modem1"), self.means)

    def set(self, command: str, text: str | None) -> None:
        """Change an answer: text before OK, a final code like ERROR alone, or None for silence."""
        is_final = text is not None and text.startswith(("ERROR", "+CME", "+CMS", "OK"))
        self.modem.answers[command] = None if text is None else framed(text if is_final else f"{text}\n\nOK")

    def restart(self, away_s: float = 0.3) -> None:
        """The modem leaves the bus and comes back, as after a reset."""

        def vanish() -> None:
            time.sleep(0.05)
            device, port = self.tree.devices / USB_PATH, self.tree.dev / "ttyUSB2"
            hidden = device.with_name(".away")
            device.rename(hidden)
            port.unlink()
            before, self.modem = self.modem, ScriptedModem()
            self.modem.answers, self.modem.commands = before.answers, before.commands
            before.unplug()
            time.sleep(away_s)
            port.symlink_to(self.modem.path)
            hidden.rename(device)

        threading.Thread(target=vanish, daemon=True).start()

    def run(self, name: str, timeout_s: float = 20.0, **content: Any) -> Job:
        """Start an action and wait for its end."""
        job = self.desk.start("modem1", name, content, actor="test")
        self.wait(lambda: job.is_over, timeout_s)
        return job

    def wait(self, is_so: Callable[[], Any], timeout_s: float = 40.0) -> None:
        """Wait until something is so."""
        deadline = time.monotonic() + timeout_s
        while not is_so():
            assert time.monotonic() < deadline, self.manager.views()
            time.sleep(0.02)
