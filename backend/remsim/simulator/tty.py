"""A virtual modem's ports: pseudo terminals with an interpreter behind them that is as slow as a real one."""

from __future__ import annotations

import contextlib
import errno
import os
import random
import select
import tty
from collections.abc import Callable

from remsim.simulator.session import Session

Schedule = Callable[[float, Callable[[], None]], None]

DELAYS_S = {"!GSTATUS": 0.03, "!LTEINFO": 0.03, "+COPS": 0.04, "+QCAINFO": 0.02, "+QENG": 0.012, "+GTCCINFO": 0.015}
"""Commands that real modems take longer for."""
LONG_S = {"+COPS=?": 35.0, "+COPS=": 3.0, "+CMGS": 0.0, "+CFUN=": 0.4, "!SELRAT=": 1.0, "!BAND=": 1.0}
"""Commands that take seconds: these follow the simulation's pace."""
LONG_SPREAD = (0.6, 1.7)
SENDING_S = 1.5
ABORTABLE = "+COPS=?"
"""A command that any character aborts (V.250)."""
SHORTEST_S, LONGEST_S = 0.004, 0.012
GARBAGE_PERIOD_S = 0.25


class Pty:
    """A pseudo terminal whose slave nobody holds open here: a router finds the port free, and its close is seen."""

    def __init__(self) -> None:
        self.master, slave = os.openpty()
        self.slave_name = os.ttyname(slave)
        tty.setraw(slave)
        os.close(slave)
        os.set_blocking(self.master, False)
        self.closed = False

    @property
    def is_open(self) -> bool:
        """Whether somebody has the slave open."""
        poller = select.poll()
        poller.register(self.master, 0)
        return not any(event & select.POLLHUP for _, event in poller.poll(0))

    def write(self, data: bytes) -> None:
        """Put bytes on the line; lost when nobody listens or the buffer is full, as on a tty."""
        if not self.closed:
            with contextlib.suppress(OSError):
                os.write(self.master, data)

    def close(self) -> None:
        """Hang up: who reads gets EIO, as when a modem is unplugged."""
        if not self.closed:
            self.closed = True
            os.close(self.master)


class AtPort:
    """One AT port: takes command lines, answers one after the other."""

    def __init__(
        self, pty: Pty, session: Session, schedule: Schedule, noise: random.Random, pace: Callable[[], float]
    ) -> None:
        self.pty = pty
        self.session = session
        self.mode = "booting"  # booting, normal, silence, garbage, late, no_ok
        self.slow_s = 0.0
        self.aborted = "ERROR"
        self.on_answer: Callable[[AtPort, str], None] = lambda port, command: None
        self._schedule = schedule
        self._noise = noise
        self._pace = pace
        self._waiting: list[str] = []
        self._running: str | None = None
        self._turn = 0
        self._held: str | None = None

    def readable(self) -> bool:
        """Take what was written to the port; False while nobody has it open."""
        try:
            data = os.read(self.pty.master, 4096)
        except BlockingIOError:
            return True
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return False
        if self.mode in ("booting", "silence"):
            return True
        if self._running is not None and ABORTABLE in self._running.upper() and self.mode != "garbage":
            self._abort()
            return True
        if self.session.echo and self.mode != "garbage":
            self.pty.write(data)
        self._waiting += [line for line in self.session.feed(data) if line]
        self._next()
        return True

    def restart(self, session: Session) -> None:
        """The parser works now, with the settings of a reset."""
        self.session, self.mode, self._waiting, self._held = session, "normal", [], None

    def garble(self) -> None:
        """Say nonsense now and again until the mode changes."""
        if self.mode == "garbage" and not self.pty.closed:
            self.pty.write(self._noise.randbytes(700) + b'\r\n\x00\xff+QENG: "serv\r\n+CEREG: ,,\r\n' + b"\x81" * 900)
            self._schedule(GARBAGE_PERIOD_S, self.garble)

    def urc(self, *lines: str) -> None:
        """Say something nobody asked for."""
        if self.mode in ("normal", "late", "no_ok"):
            for line in lines:
                self.pty.write(f"\r\n{line}\r\n".encode())

    def _next(self) -> None:
        if not self._waiting or self._running is not None:
            return
        line = self._running = self._waiting.pop(0)
        self._turn += 1
        turn = self._turn
        self._schedule(self._delay_s(line.upper()), lambda: self._reply(line, turn))

    def _delay_s(self, line: str) -> float:
        extra_s = next((delay for name, delay in DELAYS_S.items() if name in line), 0.0)
        short_s = self._noise.uniform(SHORTEST_S, LONGEST_S) + extra_s * self._noise.uniform(0.6, 1.2) + self.slow_s
        long_s = SENDING_S if self.session.is_prompting else next(
            (delay for name, delay in LONG_S.items() if name in line and "+COPS=3" not in line), 0.0
        )
        return short_s + (long_s * self._noise.uniform(*LONG_SPREAD) * self._pace() if long_s else 0.0)

    def _reply(self, line: str, turn: int) -> None:
        if turn != self._turn:
            return  # it was aborted
        if self.mode not in ("booting", "silence", "garbage"):
            text = self.session.execute(line)
            late_s = self.session.take_delay_s()
            if late_s > 0:
                self._schedule(late_s, lambda: self._answer(line, turn, text))
            else:
                self._answer(line, turn, text)
            return
        self._running = None
        if self.mode == "garbage":
            self.pty.write(self._noise.randbytes(300))
        self._next()

    def _answer(self, line: str, turn: int, text: str | None) -> None:
        if turn != self._turn:
            return  # it was aborted
        self._running = None
        if text is not None:
            self._say(text)
        self.on_answer(self, line)
        self._next()

    def _say(self, text: str) -> None:
        """An answer, or what a fault makes of it: the one before, or one without its end."""
        if self.mode == "late":
            text, self._held = self._held or "", text
        elif self.mode == "no_ok":
            text = text.removesuffix("\r\nOK\r\n")
        if text:
            self.pty.write(text.encode())

    def _abort(self) -> None:
        """What was sent meanwhile is the abort and nothing else."""
        self._turn += 1
        line, self._running = self._running or "", None
        self.pty.write(f"\r\n{self.aborted}\r\n".encode())
        self.on_answer(self, line)
        self._next()
