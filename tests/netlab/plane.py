"""The kernel's data plane in a lab's router, without the service: for what is measured of it alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from netlab.lab import LAN, Lab
from netlab.space import end


class PlaneInRouter:
    """``with PlaneInRouter(lab) as plane``: ``plane.tell("swap", times=100)``; see ``plane_worker``."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    def __enter__(self) -> PlaneInRouter:
        command = [sys.executable, str(Path(__file__).with_name("plane_worker.py"))]
        self._child = self._lab.router.popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        links = [{"index": one.index, "device": one.device, "gateway": one.gateway} for one in self._lab.links]
        self.told = self.tell("start", links=links, lan=[LAN])
        return self

    def __exit__(self, *_: object) -> None:
        if self._child.poll() is None:
            self.tell("stop")
        end(self._child)

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._child.pid

    def tell(self, what: str, **order: object) -> Any:
        """Have it do something; its answer."""
        self.ask(what, **order)
        return self.answer()

    def ask(self, what: str, **order: object) -> None:
        """Have it begin something."""
        assert self._child.stdin is not None
        self._child.stdin.write(json.dumps({"do": what, **order}).encode() + b"\n")
        self._child.stdin.flush()

    def answer(self) -> Any:
        """What came of it."""
        assert self._child.stdout is not None
        line = self._child.stdout.readline()
        if not line:
            raise RuntimeError("the plane's process ended, see above")
        return json.loads(line)
