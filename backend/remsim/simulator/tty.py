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

    def __init__(self, pty: Pty, session: Session, schedule: Schedule, noise: random.Random) -> None:
        self.pty = pty
        self.session = session
        self.mode = "booting"  # booting, normal, silence, garbage
        self.slow_s = 0.0
        self.on_answer: Callable[[str], None] = lambda command: None
        self._schedule = schedule
        self._noise = noise
        self._waiting: list[str] = []
        self._busy = False

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
        if self.session.echo and self.mode == "normal":
            self.pty.write(data)
        self._waiting += [line for line in self.session.feed(data) if line]
        self._next()
        return True

    def restart(self, session: Session) -> None:
        """The parser works now, with the settings of a reset."""
        self.session, self.mode, self._waiting = session, "normal", []

    def garble(self) -> None:
        """Say nonsense now and again until the mode changes."""
        if self.mode == "garbage" and not self.pty.closed:
            self.pty.write(self._noise.randbytes(700) + b'\r\n\x00\xff+QENG: "serv\r\n+CEREG: ,,\r\n' + b"\x81" * 900)
            self._schedule(GARBAGE_PERIOD_S, self.garble)

    def urc(self, *lines: str) -> None:
        """Say something nobody asked for."""
        if self.mode == "normal":
            for line in lines:
                self.pty.write(f"\r\n{line}\r\n".encode())

    def _next(self) -> None:
        if not self._waiting or self._busy:
            return
        self._busy = True
        line = self._waiting.pop(0)
        extra_s = next((delay for name, delay in DELAYS_S.items() if name in line.upper()), 0.0)
        delay_s = self._noise.uniform(SHORTEST_S, LONGEST_S) + extra_s * self._noise.uniform(0.6, 1.2) + self.slow_s
        self._schedule(delay_s, lambda: self._reply(line))

    def _reply(self, line: str) -> None:
        self._busy = False
        if self.mode == "garbage":
            self.pty.write(self._noise.randbytes(300))
        elif self.mode == "normal":
            text = self.session.execute(line)
            if text is not None:
                self.pty.write(text.encode())
            self.on_answer(line)
        self._next()
