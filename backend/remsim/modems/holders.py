"""Who else has a modem's ports open, as far as /proc tells, and what to do about it.

Nothing is taken from anybody: a port in use is left alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from remsim.core.small_dataclass import dataclass

LONGEST_NAME = 15
"""What the kernel keeps of a process's name."""
ANY_PROGRAM = "stop that program or let it use another port"


@dataclass(frozen=True, slots=True)
class Program:
    """A program known to use modems: ``title`` as people call it, ``hint`` what its user does to free the port."""

    title: str
    hint: str


MODEM_MANAGER = Program(
    "ModemManager",
    "it leaves ports alone that udev marks with ID_MM_PORT_IGNORE, and a modem while 'mmcli --inhibit-device' runs",
)
QMODEM = Program("QModem", "switch this modem off in QModem's settings, or let QModem use the other AT port")
REMSIM = Program("osmo-remsim-client", "give it the other AT port in /etc/config/remsim (modem device)")
CONNECTION = "it carries the modem's connection: let it be"
BY_HAND = "close it when you are done"

PROGRAMS = {
    "ModemManager": MODEM_MANAGER,
    "tom_modem": QMODEM,
    "ubus-at-daemon": QMODEM,
    "at-daemon": QMODEM,
    "qmodem": QMODEM,
    "quectel-CM": Program("quectel-CM", CONNECTION),
    "quectel-CM-M": Program("quectel-CM", CONNECTION),
    "sms_tool": Program("sms_tool", "it lets go by itself; if it comes again and again, give it the other AT port"),
    "sms_tool_q": Program("sms_tool", "it lets go by itself; if it comes again and again, give it the other AT port"),
    "osmo-remsim-client": REMSIM,
    "osmo-remsim-client-shell": REMSIM,
    "osmo-remsim-client-openwrt": REMSIM,
    "uqmi": Program("uqmi", CONNECTION),
    "umbim": Program("umbim", CONNECTION),
    "qmicli": Program("qmicli", CONNECTION),
    "mbimcli": Program("mbimcli", CONNECTION),
    "qmi-proxy": Program("qmi-proxy", CONNECTION),
    "mbim-proxy": Program("mbim-proxy", CONNECTION),
    "netifd": Program("netifd", CONNECTION),
    "pppd": Program("pppd", "it carries the connection over this port; connect by QMI, MBIM or NCM instead"),
    "comgt": Program("comgt", "the 3g and ncm protocols use it while they connect; it lets go by itself"),
    "gcom": Program("comgt", "the 3g and ncm protocols use it while they connect; it lets go by itself"),
    "chat": Program("chat", "it is used while a connection is made and lets go by itself"),
    "smsd": Program("smstools", "give it the other AT port in its configuration"),
    "gammu-smsd": Program("gammu", "give it the other AT port in its configuration"),
    "gpsd": Program("gpsd", "give it the modem's NMEA port instead of its AT port"),
    "minicom": Program("minicom", BY_HAND),
    "picocom": Program("picocom", BY_HAND),
    "screen": Program("screen", BY_HAND),
    "socat": Program("socat", BY_HAND),
    "microcom": Program("microcom", BY_HAND),
}
BY_NAME = {name[:LONGEST_NAME]: program for name, program in PROGRAMS.items()}


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that has a port open."""

    path: str
    name: str
    pid: int

    @property
    def program(self) -> Program | None:
        """Which known program it is."""
        return BY_NAME.get(self.name)

    @property
    def hint(self) -> str:
        """What its user can do."""
        program = self.program
        return program.hint if program else ANY_PROGRAM

    def __str__(self) -> str:
        title = self.program.title if self.program else self.name
        name = title if title.startswith(self.name) else f"{title}: {self.name}"
        return f"{name} (pid {self.pid})"

    def as_dict(self) -> dict[str, str | int | None]:
        """The object of the API."""
        title = self.program.title if self.program else None
        return {"port": self.path, "program": title, "process": self.name, "pid": self.pid, "hint": self.hint}


def holders(paths: Iterable[str], proc: Path = Path("/proc")) -> list[Holder]:
    """All other processes that have one of the device nodes open, in the order of their pids. One walk for all."""
    wanted: dict[str, list[str]] = {}
    for path in paths:
        wanted.setdefault(os.path.realpath(path), []).append(path)
    wanted.pop(os.devnull, None)  # what simulated modems have for a node that is only shown
    if not wanted:
        return []
    return [
        Holder(path, name_of(process), pid)
        for pid, process in processes(proc)
        for target in sorted(open_files(process) & wanted.keys())
        for path in wanted[target]
    ]


def running(name: str, proc: Path = Path("/proc")) -> int | None:
    """The pid of a process of that name, if one runs."""
    return next((pid for pid, process in processes(proc) if name_of(process) == name[:LONGEST_NAME]), None)


def processes(proc: Path) -> Iterator[tuple[int, Path]]:
    """Every other process and its folder."""
    own = os.getpid()
    try:
        pids = sorted(int(name) for name in os.listdir(proc) if name.isascii() and name.isdigit())
    except OSError:
        return
    yield from ((pid, proc / str(pid)) for pid in pids if pid != own)


def open_files(process: Path) -> set[str]:
    """What a process has open; nothing for one that has ended or is not ours to look at."""
    targets: set[str] = set()
    folder = f"{process}/fd"
    try:
        names = os.listdir(folder)
    except OSError:
        return targets
    for name in names:
        try:
            targets.add(os.readlink(f"{folder}/{name}"))
        except OSError:
            continue
    return targets


def name_of(process: Path) -> str:
    """A process's name, at most 15 characters."""
    try:
        return (process / "comm").read_text("utf-8", "replace").strip() or "unknown"
    except OSError:
        return "unknown"
