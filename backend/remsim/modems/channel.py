"""The sole owner of one AT port.

Nobody else opens the tty (TIOCEXCL and flock), one command is under way at a time, deadlines are monotonic, an answer
that comes late is never taken for the next command's, and what nobody asked for goes to ``on_urc``.
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

from remsim.core.clock import Clock
from remsim.core.errors import Aborted, AtTimeout, InvalidInput, ModemError, ModemGone, PortBusy
from remsim.modems.decode.text import FINAL
from remsim.modems.device import Device, open_device
from remsim.modems.holders import holders
from remsim.modems.masking import shown_command, shown_reply
from remsim.modems.reply import AtReply, LineSplitter, ReplyCollector, TextJoiner
from remsim.modems.turns import Turns

log = logging.getLogger(__name__)

RESYNC_COMMAND = "AT+CMEE?"
"""Never asked otherwise, so its prefix tells its answer from every late one."""
RESYNC_PREFIX = "+CMEE"
QUIET_S = 0.15
DRAIN_S = 1.0
RESYNC_S = 10.0
"""However long the command that follows may take."""
REFUSED_QUIET_S = 0.5
ESCAPE = b"\x1b"
CHUNK = 4096
FLOOD_PAUSE_S = 0.002
"""After a chunk that is half full or more: a port that floods us is slowed down and does not take the processor."""
LONGEST_COMMAND = 1024
CANCEL_LOOK_S = 0.2
ABORT_S, ABORT_AGAIN_S = 10.0, 2.0
"""How long a modem may take to end a command that was cancelled, and how often it is told: one that has only just begun
may overlook it (V.250 §5.6.1)."""
PROMPT = ">"
TURN_S = 10.0
"""How long a command waits for others to end: a search of minutes must not hold up who asks for a page."""
PROMPT_S = 10.0
"""How long a modem may take to ask for a payload, however long the answer behind it may take."""
GONE_ERRORS = frozenset((errno.EIO, errno.ENXIO, errno.ENODEV, errno.EBADF, errno.ENOENT))


class NoPrompt(AtTimeout):
    """The modem did not ask for the payload, so nothing of it was sent."""


class Occupied(AtTimeout):
    """Another command has kept the port for longer than anybody should be kept waiting."""

    code = "busy"
    http_status = 409

    def __init__(self, under_way: str, waited_s: float) -> None:
        super().__init__(under_way, waited_s)
        self.message = f"the modem is still busy with {under_way}"
        self.args = (self.message,)
        self.hint = "wait for its end or abort it"


class Channel:
    """One AT port. ``query`` may be called from any thread; ``wait_urcs`` from the modem's own.

    ``on_urc`` is called in the thread that reads, and must not send commands.
    """

    def __init__(self, path: str, *, clock: Clock, on_urc: Callable[[str], None]) -> None:
        self.path = path
        self.commands_sent = 0
        self._clock = clock
        self._on_urc = on_urc
        self._turns = Turns()
        self._under_way = ""
        self._serial: Device | None = None
        self._lines = LineSplitter()
        self._texts = TextJoiner()
        self._in_step = True
        self._echoes = False
        self._aborted = False
        self._wakers = threading.Lock()
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._abort_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    @property
    def is_open(self) -> bool:
        return self._serial is not None

    @property
    def discarded_bytes(self) -> int:
        """Bytes thrown away because no line end came."""
        return self._lines.discarded_bytes

    def open(self) -> None:
        """Take the port; ``PortBusy`` names who holds it, ``ModemGone`` says that it is not there."""
        with self._turns:
            if self._serial is not None:
                return
            taken = holders([self.path])
            if taken:
                raise PortBusy(self.path, str(taken[0]), hint=taken[0].hint)
            try:
                port = open_device(self.path)
            except OSError as error:
                if error.errno in (errno.EACCES, errno.EPERM):
                    text, hint = f"{self.path} cannot be opened: permission denied", "run as root or in group dialout"
                    raise ModemError(text, hint=hint) from error
                if error.errno in (errno.EBUSY, errno.EWOULDBLOCK) or "lock" in str(error):
                    raise PortBusy(self.path) from error
                raise ModemGone(self.path) from error
            with contextlib.suppress(OSError):
                fcntl.ioctl(port.fileno(), termios.TIOCEXCL)
            os.set_blocking(port.fileno(), False)
            self._serial = port
            self._lines, self._texts = LineSplitter(), TextJoiner()
            self._in_step = False  # lines queued while nobody listened come first

    def close(self) -> None:
        """Let the port go without waiting for a dead modem to take what was written."""
        with self._turns:
            self._release()

    def dispose(self) -> None:
        """Close for good, with what wakes a waiting thread."""
        self.abort()
        self.close()
        with self._wakers:
            for fd in (self._wake_fd, self._abort_fd):
                if fd >= 0:
                    os.close(fd)
            self._wake_fd = self._abort_fd = -1

    def wake(self) -> None:
        """End a ``wait_urcs`` at once; a command under way goes on."""
        with self._wakers:
            if self._wake_fd >= 0:
                os.eventfd_write(self._wake_fd, 1)

    def abort(self) -> None:
        """End a command under way too, with ``ModemGone``: the channel is given up."""
        with self._wakers:
            self._aborted = True
            if self._abort_fd >= 0:
                os.eventfd_write(self._abort_fd, 1)

    def query(
        self,
        command: str,
        *,
        timeout_s: float = 3.0,
        payload: str | None = None,
        is_cancelled: Callable[[], bool] | None = None,
    ) -> AtReply:
        """Send one command line and collect its answer.

        ``payload`` is sent with Ctrl-Z when the modem prompts for it. Once ``is_cancelled`` says so, a character ends
        the command (V.250 §5.6.1) and ``Aborted`` is raised. Raises ``AtTimeout`` (``NoPrompt``, ``Occupied`` when
        others keep the port), ``ModemGone``.
        """
        if not command.isprintable() or not command.isascii() or not 2 <= len(command) <= LONGEST_COMMAND:
            raise InvalidInput("an AT command is one line of printable ASCII characters", field="command")
        if not self._turns.take(TURN_S):
            raise Occupied(self._under_way, TURN_S)
        self._under_way = shown_command(command)
        try:
            if not self._in_step:
                self._resync(min(timeout_s, RESYNC_S))
            self._dispatch(self._read(0))
            return self._exchange(command, timeout_s, payload, is_cancelled)
        finally:
            self._turns.give()

    def wait_urcs(self, timeout_s: float) -> bool:
        """Pass unsolicited lines on as they come; False when woken, True when the time is over."""
        deadline = self._clock.monotonic() + timeout_s
        while True:
            left = deadline - self._clock.monotonic()
            if left <= 0:
                return True
            ready = wait_for(select.POLLIN, left, self._fileno(), self._wake_fd, self._abort_fd)
            if self._wake_fd in ready:
                os.eventfd_read(self._wake_fd)
                return False
            if ready:
                with self._turns:
                    self._dispatch(self._read(0))

    def _exchange(
        self, command: str, timeout_s: float, payload: str | None, is_cancelled: Callable[[], bool] | None
    ) -> AtReply:
        deadline = self._clock.monotonic() + timeout_s
        prompt_by = min(deadline, self._clock.monotonic() + PROMPT_S)
        is_ending, stop_at = False, 0.0
        collector = ReplyCollector(command, expects_echo=self._echoes, payload=payload)
        self.commands_sent += 1
        self._write(command.encode("ascii") + b"\r", command, deadline, timeout_s)
        while collector.final is None:
            left = (deadline if payload is None else prompt_by) - self._clock.monotonic()
            if left <= 0:
                self._in_step = False
                if is_ending:
                    raise Aborted(f"{shown_command(command)} was given up; the modem has not said that it stopped")
                if payload is not None:
                    raise NoPrompt(shown_command(command), min(timeout_s, PROMPT_S))
                raise AtTimeout(shown_command(command), timeout_s)
            if is_cancelled is not None:
                now = self._clock.monotonic()
                if is_cancelled() and not is_ending:
                    is_ending, deadline, stop_at = True, now + ABORT_S, now
                if is_ending and now >= stop_at:
                    self._write(b"\r", command, deadline, ABORT_S)
                    stop_at = now + ABORT_AGAIN_S
                left = min(left, CANCEL_LOOK_S)
            is_prompted = False
            for line in self._read(left):
                if payload is not None and line == PROMPT:
                    is_prompted = True
                elif line.startswith(RESYNC_PREFIX) and RESYNC_PREFIX not in command:
                    collector.skip_end()  # the answer to a resync that had been given up
                elif collector.final is not None or not collector.take(line):
                    self._urc(line)
            if payload is not None and (is_prompted or self._lines.has_prompt):
                self._lines.clear()
                self._write(payload.encode("ascii", "replace") + b"\x1a", command, deadline, timeout_s)
                payload = None
        self._echoes = self._echoes or collector.echoed
        if is_ending:
            self._in_step = False
            raise Aborted(f"{shown_command(command)} was aborted")
        reply = AtReply(command, tuple(collector.lines), collector.final)
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s: %s -> %r", self.path, shown_command(command), shown_reply(command, reply.text))
        return reply

    def _resync(self, timeout_s: float) -> None:
        """Get back into step: let late answers run dry, then wait for an answer that only now can come.

        An error alone proves nothing, it may be a late one: it counts when nothing follows it for a while.
        """
        begun = self._clock.monotonic()
        deadline, quiet_by = begun + timeout_s, begun + min(DRAIN_S, timeout_s / 2)  # some modems are never quiet
        while self._clock.monotonic() < quiet_by and (late := self._read(QUIET_S)):
            self._dispatch(late, quiet=True)
        if self._lines.has_prompt:
            self._write(ESCAPE, RESYNC_COMMAND, deadline, timeout_s)
        self._lines.clear()
        self.commands_sent += 1
        self._write(RESYNC_COMMAND.encode() + b"\r", RESYNC_COMMAND, deadline, timeout_s)
        is_answered = self._echoes = False
        quiet_at: float | None = None
        while True:
            left = (deadline if quiet_at is None else min(deadline, quiet_at)) - self._clock.monotonic()
            if left <= 0:
                break
            for line in self._read(left):
                if line.startswith(RESYNC_PREFIX):
                    is_answered = True
                elif line.upper().endswith(RESYNC_COMMAND):
                    self._echoes = True
                elif not FINAL.match(line):
                    self._dispatch([line], quiet=True)
                elif is_answered:
                    self._in_step = True
                    return
                elif line.upper() != "OK":
                    quiet_at = self._clock.monotonic() + REFUSED_QUIET_S
        if quiet_at is None:
            raise AtTimeout(RESYNC_COMMAND, timeout_s)
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
        ready = wait_for(select.POLLIN, timeout_s, port, self._abort_fd)
        if self._aborted:
            raise ModemGone(self.path)
        if port not in ready:
            return []
        try:
            data = os.read(port, CHUNK)
        except BlockingIOError:
            return []
        except OSError as error:
            raise self._gone(error) from error
        if not data:
            raise self._gone(None)
        if len(data) > CHUNK // 2:
            self._clock.sleep(FLOOD_PAUSE_S)
        return self._texts.feed(self._lines.feed(data))

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
                    raise AtTimeout(shown_command(command), timeout_s) from None
                if self._aborted:
                    raise ModemGone(self.path) from None
                wait_for(select.POLLOUT, min(left, 0.2), port)
            except OSError as error:
                raise self._gone(error) from error

    def _gone(self, error: OSError | None) -> ModemGone:
        if error is not None and error.errno not in GONE_ERRORS:
            log.warning("%s: %s", self.path, error.strerror)
        self._release()
        return ModemGone(self.path)

    def _release(self) -> None:
        port, self._serial = self._serial, None
        if port is None:
            return
        with contextlib.suppress(OSError, termios.error):
            termios.tcflush(port.fileno(), termios.TCIOFLUSH)
        with contextlib.suppress(OSError, termios.error):
            fcntl.ioctl(port.fileno(), termios.TIOCNXCL)
        with contextlib.suppress(OSError, termios.error):
            port.close()


def wait_for(event: int, timeout_s: float, *fds: int) -> set[int]:
    """The descriptors that are ready, hung up ones too. ``poll``, for ``select`` ends at descriptor 1023."""
    poller = select.poll()
    for fd in fds:
        poller.register(fd, event)
    return {fd for fd, _ in poller.poll(max(timeout_s, 0) * 1000)}
