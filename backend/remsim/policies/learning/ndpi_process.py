"""nDPI in a process of its own, started again when it ends."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from remsim.policies.learning.packets import octets_of

MODULE = "remsim.policies.learning.ndpi_child"
FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 300.0
END_S = 2.0
MOST_OF_LINE = 256


class NdpiProcess:
    """``step`` from one thread: starts it, and reads what it found. ``problem``: why it does not run."""

    def __init__(self) -> None:
        self.problem: str | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._due = 0.0
        self._wait_s = FIRST_WAIT_S
        self._rest = b""

    @property
    def due(self) -> float | None:
        """When (monotonic) it is to be started again; None while it runs."""
        return self._due if self._process is None else None

    def fileno(self) -> int:
        """Of its output; -1 while it does not run."""
        return -1 if self._process is None or self._process.stdout is None else self._process.stdout.fileno()

    def start(self, now: float) -> None:
        """Start it when it is due."""
        if self._process is not None or now < self._due:
            return
        package = str(Path(__file__).resolve().parents[3])
        environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": package, "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", MODULE],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
            )
        except OSError as error:
            self._ended(now, str(error))

    def read(self, now: float) -> list[tuple[bytes, str]]:
        """Addresses and nDPI's names of what was seen there; called when there is something to read."""
        if self._process is None:
            return []
        try:
            raw = os.read(self.fileno(), 65536)
        except OSError:
            raw = b""
        if not raw:
            self._end(now)
            return []
        lines = (self._rest + raw).split(b"\n")
        self._rest = lines.pop()[-MOST_OF_LINE:]
        found: list[tuple[bytes, str]] = []
        for line in lines:
            address, _, name = line.decode(errors="replace").partition(" ")
            if address == "ready":
                self.problem, self._wait_s = None, FIRST_WAIT_S
                continue
            octets = octets_of(address)
            if octets is not None and name:
                found.append((octets, name))
        return found

    def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()

    def _end(self, now: float) -> None:
        process = self._process
        assert process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_S)
        said = b""
        if process.returncode is not None and process.stderr is not None:
            said = process.stderr.read(2000)
        code = process.returncode
        self.stop()
        self._ended(now, said.decode(errors="replace").strip().rsplit("\n", 1)[-1] or f"nDPI ended ({code})")

    def _ended(self, now: float, why: str) -> None:
        self.problem = f"applications are not looked for: {why}"
        self._due = now + self._wait_s
        self._wait_s = min(2 * self._wait_s, LONGEST_WAIT_S)
