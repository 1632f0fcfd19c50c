"""A service beside a simulator that outlives it, for tests that kill the one and keep the other's card."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from remsim.simulator.control import SimulatorControl
from running import RunningService


class Beside(RunningService):
    """A service on a modem that outlives it."""

    program = (str(Path(__file__).parent / "serve_beside.py"),)
    codes: dict[str, str]
    place: str

    def online(self) -> None:
        self.wait_for("modems", lambda answer: [one["state"] for one in answer["modems"]] == ["online"], 40)

    def begin(self, path: str, body: dict[str, Any] | None = None, method: str = "POST") -> str:
        status, job = self.request(f"esim/modem1{path}", method=method, body=body or {})
        assert status == 202, job
        return str(job["id"])

    def until(self, job: str, wanted: Callable[[dict[str, Any]], bool], within_s: float = 40) -> dict[str, Any]:
        """A job, when something is so, or at its end."""
        deadline = time.monotonic() + within_s
        while True:
            one: dict[str, Any] = self.get(f"jobs/{job}")
            if wanted(one) or one["ended_at"]:
                return one
            assert time.monotonic() < deadline, (one, self.log())
            time.sleep(0.01)

    def done(self, path: str, body: dict[str, Any] | None = None, method: str = "POST") -> dict[str, Any]:
        return self.until(self.begin(path, body, method), lambda one: False, 90)

    def download(self, what: str, **options: Any) -> str:
        return self.begin("/downloads", {"code": self.codes[what], "consent": True, **options})

    @property
    def holder(self) -> dict[str, Any]:
        found: dict[str, Any] = self.get("esim")["holders"][0]
        return found

    def states(self) -> dict[str, str]:
        return {one["profile_name"]: one["state"] for one in self.holder["profiles"]}

    def id_of(self, name: str) -> str:
        return next(str(one["id"]) for one in self.holder["profiles"] if one["profile_name"] == name)

    def fault(self, name: str, seconds: float | None = None) -> None:
        self.control.fault(self.place, name, seconds=seconds)

    @property
    def control(self) -> SimulatorControl:
        return SimulatorControl(self.data.parent / "devices")
