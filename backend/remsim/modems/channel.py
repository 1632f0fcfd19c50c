"""The sole owner of one AT port.

Nobody else opens the tty (TIOCEXCL and flock), one command is under way at a time, deadlines are monotonic, an answer that
comes late is never taken for the next command's, and what nobody asked for goes to ``on_urc``.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import select
import termios
import threading
from collections.abc import Callable
from pathlib import Path

import serial

from remsim.core.clock import Clock
from remsim.core.errors import AtTimeout, InvalidInput, ModemGone, PortBusy
from remsim.modems.reply import AtReply, LineSplitter, ReplyCollector

log = logging.getLogger(__name__)

RESYNC_COMMAND = "AT+CMEE?"
"""Never asked otherwise, so its prefix tells its answer from every late one."""
RESYNC_PREFIX = "+CMEE"
QUIET_S = 0.15
LONGEST_COMMAND = 1024
GONE_ERRORS = frozenset((errno.EIO, errno.ENXIO, errno.ENODEV, errno.EBADF, errno.ENOENT))


class Channel:
    """One AT port. ``query`` may be called from any thread; ``wait_urcs`` from the modem's own."""

    def __init__(self, path: str, *, clock: Clock, on_urc: Callable[[str], None]) -> None:
        self.path = path
        self.commands_sent = 0
        self.late_answers = 0
        self._clock = clock
        self._on_urc = on_urc
        self._lock = threading.RLock()
        self._serial: serial.Serial | None = None
        self._lines = LineSplitter()
        self._in_step = True
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_read, False)
        os.set_blocking(self._wake_write, False)

    @property
    def is_open(self) -> bool:
        return self._serial is not None

    @property
    def discarded_bytes(self) -> int:
        """Bytes thrown away because no line end came."""
        return self._lines.discarded_bytes

    def open(self) -> None:
        """Take the port; ``PortBusy`` names who holds it, ``ModemGone`` says that it is not there."""
        with self._lock:
            if self._serial is not None:
                return
            holder = port_holder(self.path)
            if holder is not None:
                raise PortBusy(self.path, holder)
            try:
                port = serial.Serial(self.path, 115200, timeout=0, exclusive=True, rtscts=False)
            except serial.SerialException as error:
                if error.errno in (errno.EBUSY, errno.EWOULDBLOCK, errno.EACCES, errno.EPERM) or "lock" in str(error):
                    raise PortBusy(self.path) from error
                raise ModemGone(self.path) from error
            except (OSError, termios.error) as error:
                raise ModemGone(self.path) from error
            with contextlib.suppress(OSError):
                fcntl.ioctl(port.fileno(), termios.TIOCEXCL)
            os.set_blocking(port.fileno(), False)
            self._serial = port
            self._lines = LineSplitter()
            self._in_step = False  # lines queued while nobody listened come first

    def close(self) -> None:
        """Let the port go without waiting for a dead modem to take what was written."""
        with self._lock:
            port, self._serial = self._serial, None
            if port is None:
                return
            with contextlib.suppress(OSError, termios.error):
                termios.tcflush(port.fileno(), termios.TCIOFLUSH)
            with contextlib.suppress(OSError, termios.error):
                fcntl.ioctl(port.fileno(), termios.TIOCNXCL)
            with contextlib.suppress(OSError, termios.error, serial.SerialException):
                port.close()

    def dispose(self) -> None:
        """Close for good, the wake-up pipe too."""
        self.close()
        for end in (self._wake_read, self._wake_write):
            with contextlib.suppress(OSError):
                os.close(end)

    def wake(self) -> None:
        """End a ``wait_urcs`` at once."""
        with contextlib.suppress(OSError):
            os.write(self._wake_write, b"!")

    def query(self, command: str, *, timeout_s: float = 3.0, payload: str | None = None) -> AtReply:
        """Send one command line and collect its answer.

        ``payload`` is sent with Ctrl-Z when the modem prompts for it. Raises ``AtTimeout``, ``ModemGone``.
        """
        if not command.isprintable() or not command.isascii() or not 2 <= len(command) <= LONGEST_COMMAND:
            raise InvalidInput("an AT command is one line of printable ASCII characters", field="command")
        with self._lock:
            if not self._in_step:
                self._resync(min(timeout_s, 3.0))
            self._dispatch(self._read(0))
            return self._exchange(command, timeout_s, payload)

    def wait_urcs(self, timeout_s: float) -> bool:
        """Pass unsolicited lines on as they come; False when woken, True when the time is over."""
        deadline = self._clock.monotonic() + timeout_s
        while True:
            left = deadline - self._clock.monotonic()
            if left <= 0:
                return True
            ready = wait_for(select.POLLIN, left, self._fileno(), self._wake_read)
            if self._wake_read in ready:
                with contextlib.suppress(OSError):
                    os.read(self._wake_read, 64)
                return False
            if ready:
                with self._lock:
                    self._dispatch(self._read(0))

    def _exchange(self, command: str, timeout_s: float, payload: str | None) -> AtReply:
        deadline = self._clock.monotonic() + timeout_s
        collector = ReplyCollector(command)
        self._lines.clear()
        self.commands_sent += 1
        self._write(command.encode("ascii") + b"\r", command, deadline, timeout_s)
        while collector.final is None:
            left = deadline - self._clock.monotonic()
            if left <= 0:
                self._in_step = False
                raise AtTimeout(command, timeout_s)
            for line in self._read(left):
                if collector.final is not None or not collector.take(line):
                    self._urc(line)
            if payload is not None and self._lines.has_prompt:
                self._lines.clear()
                self._write(payload.encode("ascii", "replace") + b"\x1a", command, deadline, timeout_s)
                payload = None
        return AtReply(command, tuple(collector.lines), collector.final)

    def _resync(self, timeout_s: float) -> None:
        """Get back into step: let late answers run dry, then wait for an answer that only now can come."""
        deadline = self._clock.monotonic() + timeout_s
        while self._clock.monotonic() < deadline and (late := self._read(QUIET_S)):
            self.late_answers += 1
            self._dispatch(late, quiet=True)
        collector_done = answered = False
        self._lines.clear()
        self.commands_sent += 1
        self._write(RESYNC_COMMAND.encode() + b"\r", RESYNC_COMMAND, deadline, timeout_s)
        while not collector_done:
            left = deadline - self._clock.monotonic()
            if left <= 0:
                raise AtTimeout(RESYNC_COMMAND, timeout_s)
            for line in self._read(left):
                if line.startswith(RESYNC_PREFIX):
                    answered = True
                elif line.upper() == "OK" and answered:
                    collector_done = True
                elif "ERROR" in line.upper() or line.upper() == "COMMAND NOT SUPPORT":
                    # A modem without AT+CMEE? answers an error: good enough once the line was quiet before.
                    collector_done = True
                elif not line.upper().endswith(RESYNC_COMMAND):
                    self._dispatch([line], quiet=True)
        self._in_step = True

    def _dispatch(self, lines: list[str], *, quiet: bool = False) -> None:
        """Lines outside an exchange: unsolicited ones go on, remains of late answers do not."""
        for line in lines:
            if not quiet or line.startswith(("+", "^", "*", "!")):
                self._urc(line)

    def _urc(self, line: str) -> None:
        try:
            self._on_urc(line)
        except Exception:  # what a listener makes of a line must not break the exchange it came in
            log.exception("%s: an unsolicited line was not understood", self.path)

    def _fileno(self) -> int:
        if self._serial is None:
            raise ModemGone(self.path)
        return int(self._serial.fileno())

    def _read(self, timeout_s: float) -> list[str]:
        """Lines that come within the time; returns as soon as there are bytes."""
        port = self._fileno()
        try:
            if not wait_for(select.POLLIN, timeout_s, port):
                return []
            data = os.read(port, 4096)
        except BlockingIOError:
            return []
        except OSError as error:
            raise self._gone(error) from error
        if not data:
            raise self._gone(None)
        return self._lines.feed(data)

    def _write(self, data: bytes, command: str, deadline: float, timeout_s: float) -> None:
        """Write without blocking: a port whose modem is dead takes nothing."""
        port = self._fileno()
        while data:
            try:
                data = data[os.write(port, data) :]
            except BlockingIOError:
                left = deadline - self._clock.monotonic()
                if left <= 0:
                    self._in_step = False
                    raise AtTimeout(command, timeout_s) from None
                wait_for(select.POLLOUT, min(left, 0.2), port)
            except OSError as error:
                raise self._gone(error) from error

    def _gone(self, error: OSError | None) -> ModemGone:
        if error is not None and error.errno not in GONE_ERRORS:
            log.warning("%s: %s", self.path, error.strerror)
        self.close()
        return ModemGone(self.path)


def wait_for(event: int, timeout_s: float, *fds: int) -> set[int]:
    """The descriptors that are ready, hung up ones too. ``poll``, for ``select`` ends at descriptor 1023."""
    poller = select.poll()
    for fd in fds:
        poller.register(fd, event)
    return {fd for fd, _ in poller.poll(max(timeout_s, 0) * 1000)}


def port_holder(path: str) -> str | None:
    """The name and pid of another process that has the port open, as far as /proc tells."""
    try:
        device = os.stat(path).st_rdev
    except OSError:
        return None
    own = os.getpid()
    for process in Path("/proc").glob("[0-9]*"):
        if int(process.name) == own:
            continue
        try:
            for fd in os.scandir(process / "fd"):
                target = os.readlink(fd.path)
                if target.startswith("/dev/") and target != "/dev/null" and os.stat(target).st_rdev == device:
                    return f"{(process / 'comm').read_text().strip()} (pid {process.name})"
        except OSError:
            continue
    return None
