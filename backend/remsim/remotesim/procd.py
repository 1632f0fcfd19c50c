"""Clients as instances of OpenWrt's procd: it watches them, also while this service restarts; here it is only asked.

``/etc/init.d/remsim-clients`` gives procd what ``remsim remote-sim commands`` prints. Its lines in the system's log
begin with the name of the program, which is a link with the client's slot in it (``link_name``). Source: OpenWrt's
rc.common, procd.sh and procd/service/instance.c.
"""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from remsim.core.clock import Clock
from remsim.core.errors import RemsimError
from remsim.remotesim.processes import MOST_LINES, Seen, readable
from remsim.remotesim.programs import RELAY_SUFFIX, SEARCHED, Instance

log = logging.getLogger(__name__)

SERVICE = "remsim-clients"
INIT = Path("/etc/init.d") / SERVICE
PROCD = Path("/sbin/procd")
ASK_S, CHANGE_S = 5.0, 30.0
LOOK_S = 5.0
AGAIN_S = 60.0
"""After procd was not brought to run what it should."""


class ProcdError(RemsimError):
    """procd, or the script that tells it what to run, does not do what it was asked."""

    code = "procd_error"
    http_status = 502


def is_here(init: Path = INIT) -> bool:
    """Whether clients are procd's here."""
    return PROCD.exists() and init.exists()


class Procd:
    """``init`` and ``tools`` (``ubus``, ``logread``) can be others in tests."""

    def __init__(self, clock: Clock, *, init: Path = INIT, tools: Path | None = None) -> None:
        self._clock = clock
        self._init = init
        self._tools = tools
        self._lock = threading.Lock()
        self._bell = threading.Event()
        self._wanted: tuple[Instance, ...] | None = None
        self._told: tuple[Instance, ...] | None = None
        self._again_at = 0.0
        self._seen: dict[str, Seen] = {}

    def follow(self, instances: Sequence[Instance]) -> None:
        """Have procd run these. What it runs already when the service begins is not touched if it is the same."""
        with self._lock:
            self._wanted = tuple(instances)
        self.wake()

    def restart(self, client: str) -> None:
        """End it and start it again; ``ProcdError`` says why that failed."""
        self._call("restart", client)
        self.wake()

    def step(self, wait_s: float) -> None:
        """Tell procd what is new, and look."""
        with self._lock:
            wanted = self._wanted
        self._look()
        now = self._clock.monotonic()
        if wanted is not None and wanted != self._told and now >= self._again_at:
            try:
                if self._told is not None or not self._is_running(wanted):
                    self._call("reload")
                    self._look()
                self._told = wanted
            except ProcdError as error:
                log.error("%s", error.message)
                self._again_at = now + AGAIN_S
        self._bell.wait(min(wait_s, LOOK_S))
        self._bell.clear()

    def seen(self) -> dict[str, Seen]:
        """What procd said last."""
        with self._lock:
            return dict(self._seen)

    def log(self, instance: Instance) -> list[str]:
        """Its lines in the system's log."""
        name = Path(instance.command[0]).name if instance.is_relay else link_name(instance)
        text = self._run("logread", "-e", rf" {re.escape(name)}\[", timeout_s=ASK_S)
        return readable("\n".join(text.splitlines()[-MOST_LINES:]))

    def wake(self) -> None:
        """Have ``step`` return."""
        self._bell.set()

    def close(self) -> None:
        """They are procd's, and go on."""

    def _is_running(self, wanted: Sequence[Instance]) -> bool:
        """Whether procd has exactly these already."""
        asked = {one.name: arguments_of(one) for one in wanted}
        return asked == {name: tuple(map(str, one.get("command", ()))) for name, one in self._instances().items()}

    def _look(self) -> None:
        try:
            found = self._instances()
        except ProcdError as error:
            log.warning("%s", error.message)
            return
        with self._lock:
            before = self._seen
            self._seen = {name: self._seen_of(one, before.get(name)) for name, one in found.items()}

    def _seen_of(self, one: dict[str, Any], before: Seen | None) -> Seen:
        restarts = before.restarts if before else 0
        pid = one.get("pid")
        if one.get("running") is not True or not isinstance(pid, int):
            status = one.get("exit_code")
            return Seen(False, restarts=restarts, ended=f"ended with status {status}" if status is not None else None)
        if before is not None and before.pid == pid:
            return before
        is_again = before is not None and (before.pid is not None or before.ended is not None)
        return Seen(True, pid, started_at(pid, self._clock), restarts + is_again, before.ended if before else None)

    def _instances(self) -> dict[str, dict[str, Any]]:
        text = self._run("ubus", "call", "service", "list", json.dumps({"name": SERVICE}), timeout_s=ASK_S)
        try:
            found = json.loads(text).get(SERVICE, {}).get("instances", {})
            return {str(name): dict(one) for name, one in found.items()}
        except (ValueError, AttributeError, TypeError) as error:
            raise ProcdError("procd says nothing that can be read of the clients") from error

    def _call(self, *words: str) -> None:
        self._run(str(self._init), *words, timeout_s=CHANGE_S)

    def _run(self, program: str, *words: str, timeout_s: float) -> str:
        path = str(self._tools / program) if self._tools and "/" not in program else program
        try:
            done = subprocess.run(
                [path, *words],
                capture_output=True,
                timeout=timeout_s,
                stdin=subprocess.DEVNULL,
                env={"PATH": os.environ.get("PATH") or SEARCHED},
                check=True,
            )
        except subprocess.TimeoutExpired as error:
            raise ProcdError(f"{Path(program).name} did not end within {timeout_s:g} s") from error
        except subprocess.CalledProcessError as error:
            told = error.stderr.decode(errors="replace").strip().splitlines()[-1:]
            why = f": {told[0][:200]}" if told else f" with status {error.returncode}"
            raise ProcdError(f"{Path(program).name} {words[0]} failed{why}") from error
        except OSError as error:
            raise ProcdError(f"{Path(program).name} cannot be run: {error.strerror}") from error
        return done.stdout.decode(errors="replace")


def link_name(instance: Instance) -> str:
    """The name of a client's program for procd: its lines in the log begin with it, so they can be told from others'.

    It begins as the program's own, which client-openwrt and our event script look for.
    """
    command = instance.command
    slot = ".".join(command[command.index(option) + 1] for option in ("-c", "-n"))
    return f"{Path(command[0]).name}-{slot}"


def link_dir(instances_dir: str = f"/var/run/{SERVICE}") -> Path:
    """Where those links are, in RAM."""
    return Path(instances_dir)


def arguments_of(instance: Instance) -> tuple[str, ...]:
    """The command line that procd is given."""
    if instance.is_relay:
        return instance.command
    return (str(link_dir() / link_name(instance)), *instance.command[1:])


def lines_of(instances: Sequence[Instance]) -> list[str]:
    """What ``remsim remote-sim commands`` prints, and the init script reads: a word and its value a line."""
    lines = []
    for one in instances:
        command = arguments_of(one)
        lines.append(f"instance {one.name}")
        if not one.is_relay:
            lines += [f"program {one.command[0]}", f"link {command[0]}"]
        lines += [f"env {name}={value}" for name, value in one.environment.items()]
        lines += [f"arg {argument}" for argument in command]
        lines.append("end")
    return lines


def started_at(pid: int, clock: Clock, proc: Path = Path("/proc")) -> float | None:
    """When a process began, seconds since the epoch."""
    try:
        ticks = int((proc / str(pid) / "stat").read_text(errors="replace").rpartition(") ")[2].split()[19])
        uptime_s = float((proc / "uptime").read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return None
    return clock.now() - (uptime_s - ticks / os.sysconf("SC_CLK_TCK"))


def client_of(instance_name: str) -> str:
    """The client of an instance."""
    return instance_name.removesuffix(RELAY_SUFFIX)
