"""A virtual modem's AT port: a pseudo terminal with a parser behind it that is as slow as a real one."""

from __future__ import annotations

import contextlib
import errno
import os
import tty
from collections.abc import Callable

LONGEST_COMMAND = 4096
Schedule = Callable[[float, Callable[[], None]], None]


class ModemTty:
    """Takes command lines, answers after a while, echoes unless told not to.

    Nobody holds the slave open here: a router finds the port free, and its close is seen as on a real tty.
    """

    def __init__(self, answer: Callable[[str], str | None], schedule: Schedule, delay_s: float) -> None:
        self._answer = answer
        self._schedule = schedule
        self.delay_s = delay_s
        self.mode = "normal"  # normal, silence, garbage
        self.master, slave = os.openpty()
        self.slave_name = os.ttyname(slave)
        tty.setraw(slave)
        os.close(slave)
        os.set_blocking(self.master, False)
        self._echo = True
        self._pending = b""
        self._closed = False

    def close(self) -> None:
        """Hang up: who reads gets EIO, as when a modem is unplugged."""
        if not self._closed:
            self._closed = True
            os.close(self.master)

    def readable(self) -> bool:
        """Take what was written to the port; False while nobody has it open."""
        try:
            data = os.read(self.master, 4096)
        except BlockingIOError:
            return True
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            self._pending = b""
            return False
        if self.mode == "silence":
            return True
        if self._echo and self.mode == "normal":
            self.write(data)
        self._pending = (self._pending + data)[-LONGEST_COMMAND:]
        while b"\r" in self._pending:
            line, _, self._pending = self._pending.partition(b"\r")
            command = line.decode("ascii", "replace").strip()
            if command:
                self._schedule(self.delay_s, lambda command=command: self._reply(command))  # type: ignore[misc]
        return True

    def urc(self, line: str) -> None:
        """Say something nobody asked for."""
        if self.mode == "normal":
            self.write(f"\r\n{line}\r\n".encode())

    def write(self, data: bytes) -> None:
        """Put bytes on the line; lost when nobody listens or the buffer is full, as on a tty."""
        if not self._closed:
            with contextlib.suppress(OSError):
                os.write(self.master, data)

    def _reply(self, command: str) -> None:
        if self._closed or self.mode == "silence":
            return
        if self.mode == "garbage":
            self.write(os.urandom(200) + b"\r\n\x00\xff+QENG: \"serv\r\n" + b"x" * 3000)
            return
        upper = command if '"' in command else command.upper()
        if upper in ("ATE0", "ATE1"):
            self._echo = upper == "ATE1"
        body = self._answer(upper)
        if body is None:
            text = "\r\nERROR\r\n"
        elif body.startswith("+CME ERROR"):
            text = f"\r\n{body}\r\n"
        elif body:
            text = f"\r\n{body}\r\n\r\nOK\r\n"
        else:
            text = "\r\nOK\r\n"
        self.write(text.encode())
