"""A modem's QMI or MBIM device, asked by running ``qmicli`` or ``mbimcli``: one run a question.

The device stays its owner's. QMI goes through qmi-proxy, which ModemManager uses too and which lets go after each
question. MBIM goes through mbim-proxy only where that runs already: it would open the device anew, which ends a
connection that umbim made, and keep it open, which takes umbim's answers away. Without it the session that umbim left
open is used; only where there is none one is opened. While another program has the device open nothing is asked.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import select
import shutil
import subprocess
from collections.abc import Callable
from itertools import count

from remsim.core.clock import Clock
from remsim.core.errors import AtFormatError, AtTimeout, Conflict, ModemError, ModemGone, PortBusy
from remsim.core.masking import masked
from remsim.core.small_dataclass import dataclass
from remsim.modems.channel import CHUNK, Channel, wait_for
from remsim.modems.detect import ControlPort
from remsim.modems.holders import holders, running
from remsim.modems.reply import AtReply

log = logging.getLogger(__name__)

LONGEST_OUTPUT = 1 << 16
LEAST_TIMEOUT_S = 6.0
"""Starting the program and the proxy takes its time, the modem's own answer up to some seconds."""
END_S = 1.0
LOOK_S = 0.2
HELD_S = 2.0
"""How long another program's question is waited for."""

PROXIES = frozenset(("qmi-proxy", "mbim-proxy"))
_ACTION = re.compile(r"[a-z][a-z0-9-]{3,60}")
_VALUE = re.compile(r"[A-Za-z0-9=,.:-]{1,1600}")
_NOISE = re.compile(r"^\[[^\]\n]*\] -\w+ \*\* .*\n?", re.MULTILINE)
_FAILURE = re.compile(r"^error: (.*)$", re.MULTILINE)
_UNSUPPORTED = re.compile(
    r"Unknown option|NotSupported|InvalidQmiCommand|InvalidServiceType|Unsupported|NoDeviceSupport|InvalidDeviceService"
)
_LATE = re.compile(r"timed out|timeout", re.IGNORECASE)
_VANISHED = re.compile(r"No such (file|device)|device is gone|removed", re.IGNORECASE)
_NOT_OPENED = re.compile(r"Not ?Opened", re.IGNORECASE)
_OPENING = re.compile(r"couldn't (open|create) the \w+Device|couldn't create \w+Device", re.IGNORECASE)

UNSUPPORTED = "UNSUPPORTED"
"""The result code of an action that program or modem do not know: it is not asked again."""


@dataclass(frozen=True, slots=True)
class Tool:
    """The program that speaks a protocol, and how it is got."""

    program: str
    hint: str


TOOLS = {
    "qmi": Tool("qmicli", "install the package qmi-utils (OpenWrt) or libqmi-utils (Debian)"),
    "mbim": Tool("mbimcli", "install the package mbim-utils (OpenWrt) or libmbim-utils (Debian)"),
}


def is_installed(protocol: str) -> bool:
    """Whether the program of a protocol can be run."""
    return shutil.which(TOOLS[protocol].program) is not None


class ControlChannel(Channel):
    """A control device in the place of an AT port. ``query`` takes the tools' actions (``nas-get-signal-info``)."""

    def __init__(self, port: ControlPort, *, clock: Clock, on_urc: Callable[[str], None]) -> None:
        super().__init__(port.path, clock=clock, on_urc=on_urc)
        self.port = port
        self.is_beside_manager = False
        self._tool = TOOLS[port.protocol]
        self._program: str | None = None
        self._transactions = count(1)
        self._is_shared = True

    @property
    def is_open(self) -> bool:
        return self._program is not None

    @property
    def manner(self) -> str:
        """How the modem is read, in a few words."""
        beside = " beside ModemManager" if self.is_beside_manager else ""
        return f"read by {self.port.protocol.upper()}{beside}"

    def open(self) -> None:
        """Find the program. ``PortBusy`` names who has the device for itself."""
        program = shutil.which(self._tool.program)
        if program is None:
            text = f"{self.path} can be read only with {self._tool.program}, which is not installed"
            raise ModemError(text, hint=self._tool.hint, code="tool_missing")
        if not os.path.exists(self.path):
            raise ModemGone(self.path)
        self._look_around()
        self.is_beside_manager = self._is_shared and running("ModemManager") is not None
        self._program = program

    def close(self) -> None:
        """Ask nothing more."""
        self._program = None

    def query(
        self,
        command: str,
        *,
        timeout_s: float = 3.0,
        payload: str | None = None,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> AtReply:
        """Run one action. ``final`` of the answer is OK, ERROR or ``UNSUPPORTED``.

        Raises ``AtTimeout``, ``ModemGone``, ``PortBusy``; ``Conflict`` for an AT command.
        """
        if not _ACTION.fullmatch(command):
            text = f"this modem is read by {self.port.protocol.upper()}: no AT port of it is free"
            raise Conflict(text, code="no_at_port", hint="let an AT port of it become free")
        output, why = self._asked(f"--{command}", command, timeout_s)
        log.debug("%s: %s -> %r", self.path, command, masked(output))
        return self._reply(command, output, why, timeout_s)

    def run(self, action: str, value: str, *, timeout_s: float) -> AtReply:
        """Run an action that takes a value; neither that nor the answer is logged. Not for what users write.

        As ``query``; the only line behind ERROR is what the program says of it.
        """
        if not _ACTION.fullmatch(action) or not _VALUE.fullmatch(value):
            raise ValueError(action)
        output, why = self._asked(f"--{action}={value}", action, timeout_s)
        reply = self._reply(action, output, why, timeout_s)
        return AtReply(action, (masked(why)[:160],), reply.final) if why is not None else reply

    def wait_urcs(self, timeout_s: float) -> bool:
        """Nothing comes unasked; False when woken, True when the time is over."""
        ready = wait_for(select.POLLIN, timeout_s, self._wake_fd, self._abort_fd)
        if self._wake_fd in ready:
            os.eventfd_read(self._wake_fd)
        return not ready

    def _asked(self, argument: str, command: str, timeout_s: float) -> tuple[str, str | None]:
        """What the program said, and why it failed if it did; in turn with others who ask."""
        with self._turns:
            self._look_around()
            self.commands_sent += 1
            timeout_s = max(timeout_s, LEAST_TIMEOUT_S)
            output = self._run([*self._way(), argument], command, timeout_s)
            failed = _FAILURE.search(output)
            if failed and _NOT_OPENED.search(failed[1]) and not self._is_shared:
                output = self._run(["--no-close", argument], command, timeout_s)
                failed = _FAILURE.search(output)
        return output, failed[1].strip() if failed else None

    def _reply(self, command: str, output: str, why: str | None, timeout_s: float) -> AtReply:
        if why is None:
            return AtReply(command, tuple(output.splitlines()), "OK")
        return self._refused(command, why, timeout_s)

    def _way(self) -> list[str]:
        """How the device is reached without disturbing its owner."""
        if self._is_shared:
            return ["--device-open-proxy"]
        return [f"--no-open={next(self._transactions)}", "--no-close"]

    def _look_around(self) -> None:
        """See who has the device open; wait a little for one that only asks something."""
        deadline = self._clock.monotonic() + HELD_S
        while True:
            found = holders([self.path])
            shared = [one for one in found if one.name in PROXIES]
            others = [one for one in found if one.name not in PROXIES]
            if not others:
                break
            if self._clock.monotonic() >= deadline or self._aborted:
                raise PortBusy(self.path, str(others[0]), hint=others[0].hint)
            wait_for(select.POLLIN, LOOK_S, self._abort_fd)
        self._is_shared = self.port.protocol == "qmi" or bool(shared)

    def _run(self, arguments: list[str], command: str, timeout_s: float) -> str:
        """The program's output, both streams; it is ended when it takes too long or says too much."""
        if self._program is None or self._aborted:
            raise ModemGone(self.path)
        try:
            process = subprocess.Popen(
                [self._program, "-d", self.path, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},  # other languages write 7,2 dB
            )
        except OSError as error:
            raise ModemError(f"{self._tool.program} cannot be started: {error.strerror}") from error
        try:
            return self._collect(process, command, timeout_s)
        finally:
            end(process)

    def _collect(self, process: subprocess.Popen[bytes], command: str, timeout_s: float) -> str:
        deadline = self._clock.monotonic() + timeout_s
        assert process.stdout is not None
        stream = process.stdout.fileno()
        os.set_blocking(stream, False)
        data, is_over = b"", False
        while not is_over:
            is_over = process.poll() is not None  # a proxy it started may keep the stream open
            wait_for(select.POLLIN, 0 if is_over else LOOK_S, stream, self._abort_fd)
            while chunk := read_chunk(stream):
                data += chunk
                if len(data) > LONGEST_OUTPUT:
                    raise AtFormatError(command, data[:80].decode("ascii", "replace"))
            if self._aborted:
                raise ModemGone(self.path)
            if not is_over and chunk == b"":
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(LOOK_S)
            if self._clock.monotonic() > deadline:
                raise AtTimeout(command, timeout_s)
        return _NOISE.sub("", data.decode("utf-8", "replace").replace("\r", ""))

    def _refused(self, command: str, why: str, timeout_s: float) -> AtReply:
        """What an ``error:`` line means."""
        if _UNSUPPORTED.search(why):
            return AtReply(command, (), UNSUPPORTED)
        if _LATE.search(why):
            raise AtTimeout(command, timeout_s)
        if _VANISHED.search(why) or not os.path.exists(self.path):
            raise ModemGone(self.path)
        if _OPENING.search(why):
            raise ModemError(f"{self._tool.program} cannot open {self.path}: {masked(why)[:160]}")
        return AtReply(command, (), "ERROR")


def read_chunk(stream: int) -> bytes | None:
    """What has come; empty at the end, None when there is nothing now."""
    try:
        return os.read(stream, CHUNK)
    except BlockingIOError:
        return None


def end(process: subprocess.Popen[bytes]) -> None:
    """End a program that may still run: kindly, so that it lets its QMI client go, then not."""
    if process.stdout is not None:
        process.stdout.close()
    for stop in (process.terminate, process.kill):
        if process.poll() is not None:
            return
        stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(END_S)
