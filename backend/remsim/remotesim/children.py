"""Clients as children of the service, where no procd runs them: started again when they end, and ended with it."""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from remsim.core.clock import Clock, iso_utc
from remsim.core.errors import NotFound
from remsim.remotesim.processes import Seen, readable
from remsim.remotesim.programs import Instance

log = logging.getLogger(__name__)

FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
STABLE_S = 60.0
"""Who has run for so long is started again at once the next time."""
BEHIND_RELAY_S = 1.0
"""A client whose connection is refused waits for 10 s: its relay gets a moment to listen."""
KILL_S = 4.0
ENDING_S = 0.1
"""Who has closed its output is about to end."""
LARGEST_LOG = 64 * 1024
"""There are two such files a client."""
READ_AT_ONCE = 32 * 1024
READ_A_SECOND = 64 * 1024
"""Who writes more has to wait, so that one in a loop can neither fill a disk nor take a whole core."""
PASSED_ON = ("PATH", "HOME", "LANG", "TZ", "LD_LIBRARY_PATH")
"""Of our environment, which may hold secrets."""
DEATH = (
    "import ctypes,os,sys;ctypes.CDLL(None).prctl(1,15);"
    "os.getppid()==int(sys.argv[1]) or sys.exit(1);os.execv(sys.argv[2],sys.argv[2:])"
)
"""Becomes the program, which the kernel then ends when we end without a word (PR_SET_PDEATHSIG)."""


class Child:
    """One instance and its present process, if there is one."""

    def __init__(self, instance: Instance, log_path: Path, due: float) -> None:
        self.instance = instance
        self.log_path = log_path
        self.due: float | None = due
        self.process: subprocess.Popen[bytes] | None = None
        self.seen = Seen(running=False)
        self.wait_s = FIRST_WAIT_S
        self.started = 0.0
        self.is_wanted = True
        self.kill_at: float | None = None
        self.quota, self.quota_at = READ_A_SECOND, 0.0
        self.is_listened_to = self.is_closed = False
        self.rest = b""

    def write(self, stamp: str, content: bytes) -> None:
        """Add whole lines to its log, each with the time; the log is bounded. A full disk costs the lines."""
        lines = (self.rest + content).split(b"\n")
        self.rest = lines.pop()[-READ_AT_ONCE:]
        text = b"".join(f"{stamp} ".encode() + line + b"\n" for line in lines)
        with contextlib.suppress(OSError):
            if self.log_path.exists() and self.log_path.stat().st_size + len(text) > LARGEST_LOG:
                self.log_path.replace(self.log_path.with_suffix(".log.1"))
            with open(os.open(self.log_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "wb") as file:
                file.write(text)


class Children:
    """All of them. The kernel ends a child with the thread that started it, so one starts all: that of ``step``."""

    def __init__(self, log_dir: Path, clock: Clock) -> None:
        self._log_dir = log_dir
        self._clock = clock
        self._lock = threading.Lock()
        self._children: dict[str, Child] = {}
        self._wanted: dict[str, Instance] = {}
        self._again: set[str] = set()
        self._selector = selectors.DefaultSelector()
        self._ear, self._bell = socket.socketpair()
        self._bell.setblocking(False)
        self._selector.register(self._ear, selectors.EVENT_READ)

    def follow(self, instances: Sequence[Instance]) -> None:
        """Have exactly these run."""
        with self._lock:
            self._wanted = {one.name: one for one in instances}
        self.wake()

    def restart(self, client: str) -> None:
        """End it and start it again."""
        with self._lock:
            self._again.add(client)
        self.wake()

    def seen(self) -> dict[str, Seen]:
        """What is known of each."""
        with self._lock:
            return {name: child.seen for name, child in self._children.items()}

    def log(self, instance: Instance) -> list[str]:
        """The last lines, also of earlier processes."""
        path = self._path(instance.name)
        parts = []
        for one in (path.with_suffix(".log.1"), path):
            with contextlib.suppress(OSError):
                parts.append(one.read_text("utf-8", "replace"))
        if not parts:
            raise NotFound(f"{instance.name} has written nothing yet", field="name")
        return readable("".join(parts))

    def wake(self) -> None:
        """Have ``step`` return."""
        with contextlib.suppress(OSError):  # the pipe is full, or closed at the end
            self._bell.send(b".")

    def step(self, wait_s: float) -> None:
        """Follow, start what is due, read what was written, bury who ended."""
        now = self._clock.monotonic()
        self._adopt(now)
        before = {name: child.seen for name, child in self._children.items()}
        for child in list(self._children.values()):
            self._tend(child, now)
        if any(child.seen != before[name] for name, child in self._children.items()):
            wait_s = 0.0  # somebody is waiting to hear of it
        dues = [one.due for one in self._children.values() if one.due is not None]
        for one in self._children.values():
            if one.process is not None and not one.is_listened_to:
                dues.append(now + ENDING_S if one.is_closed else one.quota_at + 1.0)
        dues += [one.kill_at for one in self._children.values() if one.kill_at is not None]
        until = min([wait_s, *(max(0.0, due - now) for due in dues)])
        for key, _ in self._selector.select(until):
            if key.fileobj is self._ear:
                self._ear.recv(4096)
            else:
                self._hear(key.data)

    def close(self) -> None:
        """End all of them; who does not want to is killed."""
        self.follow(())
        end = self._clock.monotonic() + KILL_S + 1.0
        while self._clock.monotonic() < end:
            self.step(0.05)
            if not any(child.process for child in self._children.values()):
                break
        self._selector.close()
        self._ear.close()
        self._bell.close()

    def _path(self, name: str) -> Path:
        return self._log_dir / f"{name}.log"

    def _adopt(self, now: float) -> None:
        """Bring the children to what is wanted."""
        with self._lock:
            wanted, again = dict(self._wanted), self._again
            self._again = set()
            for name, instance in wanted.items():
                child = self._children.get(name)
                relay = f"{instance.client}-relay"
                waits = BEHIND_RELAY_S if not instance.is_relay and relay in wanted else 0.0
                if child is None:
                    self._children[name] = Child(instance, self._path(name), now + waits)
                elif child.instance != instance or not child.is_wanted or name in again:
                    child.instance, child.is_wanted = instance, True
                    self._end(child, now)
                    child.wait_s = FIRST_WAIT_S
                    child.due = now + waits if child.process is None else None
            for name, child in self._children.items():
                if name not in wanted and child.is_wanted:
                    child.is_wanted, child.due = False, None
                    self._end(child, now)
            gone = [name for name, child in self._children.items() if not child.is_wanted and child.process is None]
            for name in gone:
                del self._children[name]

    def _tend(self, child: Child, now: float) -> None:
        process = child.process
        if process is None:
            if child.is_wanted and child.due is not None and child.due <= now:
                self._start(child, now)
            return
        status = process.poll()
        if status is not None:
            self._bury(child, status, now)
        elif child.kill_at is not None and child.kill_at <= now:
            child.kill_at = None
            process.kill()
        elif now - child.quota_at >= 1.0:
            child.quota, child.quota_at = READ_A_SECOND, now
            if not child.is_listened_to and not child.is_closed and process.stdout is not None:
                self._selector.register(process.stdout, selectors.EVENT_READ, child)
                child.is_listened_to = True

    def _start(self, child: Child, now: float) -> None:
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        command = [sys.executable, "-I", "-S", "-c", DEATH, str(os.getpid()), *child.instance.command]
        try:
            self._log_dir.mkdir(parents=True, exist_ok=True)
            child.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,  # open and silent: osmo-remsim-client-shell ends with it
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=environment | dict(child.instance.environment),
                cwd="/",
                start_new_session=True,
            )
        except OSError as error:
            self._wait(child, now, f"it cannot be started: {error.strerror}")
            return
        assert child.process.stdout is not None
        os.set_blocking(child.process.stdout.fileno(), False)
        self._selector.register(child.process.stdout, selectors.EVENT_READ, child)
        child.is_listened_to, child.is_closed = True, False
        child.quota, child.quota_at = READ_A_SECOND, now
        child.started, child.due, child.kill_at = now, None, None
        seen = child.seen
        with self._lock:
            child.seen = Seen(True, child.process.pid, self._clock.now(), seen.restarts, seen.ended)

    def _hear(self, child: Child) -> None:
        """Read what a child wrote, until its share of this second is used up."""
        assert child.process is not None and child.process.stdout is not None
        content = child.process.stdout.read(min(READ_AT_ONCE, child.quota))
        if content:
            child.quota -= len(content)
            child.write(iso_utc(self._clock.now()), content)
        if not content or child.quota <= 0:
            self._selector.unregister(child.process.stdout)
            child.is_listened_to, child.is_closed = False, not content

    def _end(self, child: Child, now: float) -> None:
        if child.process is not None and child.kill_at is None:
            child.kill_at = now + KILL_S
            child.process.terminate()

    def _bury(self, child: Child, status: int, now: float) -> None:
        process = child.process
        assert process is not None and process.stdout is not None and process.stdin is not None
        process.stdin.close()
        with contextlib.suppress(OSError):
            content = process.stdout.read(READ_AT_ONCE) or b""
            child.write(iso_utc(self._clock.now()), content + (b"" if content.endswith(b"\n") else b"\n"))
        if child.is_listened_to:
            self._selector.unregister(process.stdout)
            child.is_listened_to = False
        process.stdout.close()
        was_asked = child.kill_at is not None or not child.is_wanted
        child.process, child.kill_at = None, None
        if not child.is_wanted:
            with self._lock:
                child.seen = Seen(False, restarts=child.seen.restarts)
        elif was_asked:
            child.due = now
            with self._lock:
                child.seen = Seen(False, restarts=child.seen.restarts)
        else:
            if now - child.started >= STABLE_S:
                child.wait_s = FIRST_WAIT_S
            how = f"was ended by signal {-status}" if status < 0 else f"ended with status {status}"
            self._wait(child, now, how)

    def _wait(self, child: Child, now: float, why: str) -> None:
        """It is started again, later each time."""
        child.due = now + child.wait_s
        child.wait_s = min(2 * child.wait_s, LONGEST_WAIT_S)
        with self._lock:
            child.seen = Seen(False, restarts=child.seen.restarts + 1, ended=why)
