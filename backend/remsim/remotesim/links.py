"""What no event tells: whether a client runs, and whether its links are up, by its process and its sockets.

A TCP connection that is up is not yet one that was accepted: a refused client dials again every 1 to 16 seconds. So a
link counts as up once the same socket has been so for three seconds. Source: proc(5).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from remsim.core.small_dataclass import dataclass
from remsim.remotesim.record import PROC, Process, seen

ESTABLISHED, SYN_SENT = "01", "02"
SURE_S = 3.0
SERVER_PORT, BANKD_PORT = 9998, 9999


@dataclass(frozen=True, slots=True)
class Link:
    """One link: up, down, or too young to tell (None). ``dials``: it waits for an answer. ``since_s``: since boot."""

    up: bool | None
    dials: bool = False
    since_s: float | None = None


@dataclass(frozen=True, slots=True)
class Socket:
    """A TCP socket of a process: the port at the other end, its state, and what tells it from others."""

    inode: str
    port: int
    state: str


class Links:
    """The links of one client over time."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, float]] = {}

    def look(self, sockets: list[Socket], ports: dict[str, int], now_s: float) -> dict[str, Link]:
        """How each link is, by the port at its other end. ``now_s`` is seconds since boot."""
        return {
            name: self._one(name, [one for one in sockets if one.port == port], now_s) for name, port in ports.items()
        }

    def _one(self, name: str, sockets: list[Socket], now_s: float) -> Link:
        up = next((one for one in sockets if one.state == ESTABLISHED), None)
        if up is None:
            self._seen.pop(name, None)
            return Link(False, any(one.state == SYN_SENT for one in sockets))
        inode, since_s = self._seen.get(name, ("", now_s))
        if inode != up.inode:
            since_s = now_s
            self._seen[name] = up.inode, now_s
        return Link(True if now_s - since_s >= SURE_S else None, since_s=since_s)


def sockets_of(pid: int, proc: Path = PROC) -> list[Socket] | None:
    """A process's TCP sockets; None when it is gone, or not ours to look at."""
    inodes = set()
    try:
        for entry in os.scandir(proc / str(pid) / "fd"):
            target = os.readlink(entry.path)
            if target.startswith("socket:["):
                inodes.add(target[8:-1])
    except OSError:
        return None
    return [one for one in table_of(pid, proc) if one.inode in inodes]


def table_of(pid: int, proc: Path) -> Iterator[Socket]:
    """All TCP sockets in a process's network namespace."""
    for name in ("tcp", "tcp6"):
        try:
            lines = (proc / str(pid) / "net" / name).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            words = line.split()
            if len(words) > 9:
                yield Socket(words[9], int(words[2].rpartition(":")[2], 16), words[3])


def is_alive(process: Process, proc: Path = PROC) -> bool:
    """Whether it is this process that has its number now."""
    found = seen(process.pid, proc)
    return found is not None and found[0] == process


def port_of(address: str | None, default: int) -> int:
    """The port of ``HOST:PORT``."""
    port = (address or "").rpartition(":")[2]
    return int(port) if port.isascii() and port.isdigit() and 0 < int(port) < 65536 else default
