"""What a client told, as the event script writes it: a small file for each event, in the order that the client meant.

Several scripts run at once and end in any order. The client starts them in the true one, so the process that it started
itself tells it: by its start time, in ticks, and its number. (Sorted so, 91 of 91 events came out right; as they came,
27.) Sources: osmo-remsim, src/client/remsim_client_main.c; proc(5).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cmp_to_key
from pathlib import Path

from remsim.core.small_dataclass import dataclass

VERSION = "1"
END = "end"
VARIABLES = (
    "REMSIM_CLIENT_NAME", "REMSIM_CLIENT_VERSION", "REMSIM_CLIENT_SLOT", "REMSIM_SERVER_ADDR", "REMSIM_SERVER_STATE",
    "REMSIM_BANKD_ADDR", "REMSIM_BANKD_STATE", "REMSIM_BANKD_SLOT", "REMSIM_SIM_VCC", "REMSIM_SIM_RST",
    "REMSIM_SIM_CLK", "REMSIM_USB_PATH", "REMSIM_USB_INTERFACE", "OPENWRT_MODEM_DEVICE",
)  # fmt: skip
"""What of the environment is written down. The client passes nothing else of its own."""
CLIENT_COMM = "osmo-remsim-cl"
"""The kernel keeps 15 characters of a program's name."""
DEEPEST = 3
"""The script, the shell that the client calls it by, and one more where a wrapper calls it."""
MOST_PIDS, FEWEST_PIDS = 1 << 22, 1 << 15
"""The kernel's pid_max is one of these, or between them; behind it numbers begin anew."""
LONGEST_VALUE = 200
LARGEST_RECORD = 64 * 1024
LONGEST_UPTIME_S = 1e9
PROC = Path("/proc")


Place = tuple[float, int]
"""Of an event among others: ticks since boot, and a process's number."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process: its number, and its start in ticks since boot, which tells it from a later one of that number."""

    start: int
    pid: int


@dataclass(frozen=True, slots=True)
class Record:
    """One event. ``order`` and ``client`` are None when the client was gone before the script looked for it.

    A script names the client by its number only, with 0 as its start: ``resolved`` finds that.
    """

    cause: str
    values: Mapping[str, str]
    boot: str
    uptime_s: float
    client: Process | None = None
    order: Process | None = None

    def value(self, name: str) -> str | None:
        """A variable; None when it was not set, or was empty."""
        return self.values.get(name) or None


class NotWhole(Exception):
    """The text lacks its end: it is being written, or its writer was ended."""


def in_order(records: Iterable[Record]) -> list[Record]:
    """Records as the client meant them; those that nobody can tell stand where they came."""

    def order(one: Record, other: Record) -> int:
        return compared(place_of(one), place_of(other))

    return sorted(records, key=cmp_to_key(order))


def compared(one: Place, other: Place) -> int:
    """Below 0 when one is earlier, above it when it is later. Numbers may have begun anew within a tick."""
    if one[0] != other[0]:
        return -1 if one[0] < other[0] else 1
    behind = one[1] - other[1]
    return -behind if FEWEST_PIDS // 2 < abs(behind) < MOST_PIDS else behind


def place_of(record: Record) -> Place:
    """Where a record stands: ticks are hundredths of seconds since boot, as the uptime is."""
    if record.order is None:
        return record.uptime_s * TICKS_PER_S, 2 * MOST_PIDS
    return float(record.order.start), record.order.pid


TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def parse(text: str) -> Record:
    """A record's file; ``NotWhole``, or ``ValueError`` when it is none."""
    lines = text.split("\n")
    if lines[-2:] != [END, ""]:
        raise NotWhole
    if lines[0] != VERSION:
        raise ValueError("it has another version")
    found = {name: value for name, is_pair, value in (line.partition("=") for line in lines[1:-2]) if is_pair}
    uptime_s = float(found.get("uptime", "nan"))
    if not 0 <= uptime_s < LONGEST_UPTIME_S:
        raise ValueError("it has no time")
    return Record(
        cause=printable(found["cause"]) if "cause" in found else "",
        values={name: printable(found[name]) for name in VARIABLES if name in found},
        boot=printable(found.get("boot", "")),
        uptime_s=uptime_s,
        client=process_of(" ".join(["0", *found.get("client", "").split()][-2:])),
        order=process_of(found.get("order", "")),
    )


def process_of(text: str) -> Process | None:
    """``START PID``; None of anything else."""
    words = text.split()
    if len(words) != 2 or not all(word.isascii() and word.isdigit() and len(word) <= 18 for word in words):
        return None
    return Process(int(words[0]), int(words[1]))


def resolved(record: Record, proc: Path = PROC) -> Record:
    """A record with the client's start, where it still runs: who has its number and is not younger than the event."""
    if record.client is None or record.order is None or record.client.start:
        return record
    found = seen(record.client.pid, proc)
    return record if found is None or found[0].start > record.order.start else replace(record, client=found[0])


def printable(text: str) -> str:
    """A value without what could change how a log or a page looks; cut where nobody needs more."""
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text[:LONGEST_VALUE])


def text_of(cause: str, environ: Mapping[str, str], pid: int, proc: Path = PROC) -> str:
    """The record of an event of now, as the script would write it. ``OSError`` when /proc does not answer."""
    order, client = client_above(pid, proc)
    pairs = {
        "cause": cause,
        "boot": (proc / "sys/kernel/random/boot_id").read_text().strip(),
        "uptime": (proc / "uptime").read_text().split()[0],
        "client": "" if client is None else str(client.pid),
        "order": "" if order is None else f"{order.start} {order.pid}",
    } | {name: environ[name] for name in VARIABLES if name in environ}
    lines = [f"{name}={' '.join(value.splitlines())}" for name, value in pairs.items()]
    return "\n".join((VERSION, *lines, END, ""))


def client_above(pid: int, proc: Path = PROC) -> tuple[Process | None, Process | None]:
    """The process that a client started and that led to this one, and the client."""
    for _ in range(DEEPEST):
        here = seen(pid, proc)
        if here is None or here[1] <= 1:
            break
        process, parent = here
        above = seen(parent, proc)
        if above is not None and comm_of(parent, proc).startswith(CLIENT_COMM):
            return process, above[0]
        pid = parent
    return None, None


def seen(pid: int, proc: Path = PROC) -> tuple[Process, int] | None:
    """A process and its parent's number; None when it is gone."""
    try:
        words = (proc / str(pid) / "stat").read_text(errors="replace").rpartition(") ")[2].split()
        return Process(int(words[19]), pid), int(words[1])
    except (OSError, ValueError, IndexError):
        return None


def comm_of(pid: int, proc: Path = PROC) -> str:
    """A program's name as the kernel has it; empty when it is gone."""
    try:
        return (proc / str(pid) / "comm").read_text(errors="replace").strip()
    except OSError:
        return ""
