"""A modem on a pseudo terminal that answers as a test tells it to."""

from __future__ import annotations

import contextlib
import os
import select
import threading
import time
import tty
from collections.abc import Callable

Answer = bytes | Callable[[str], bytes] | None
OK = b"\r\nOK\r\n"


def framed(text: str) -> bytes:
    """A reply as modems frame it: blank lines around, CR LF everywhere."""
    return ("\r\n" + text.replace("\n", "\r\n") + "\r\n").encode()


class ScriptedModem:
    """Echoes, logs the commands and writes the scripted answers; unknown commands get ERROR, None gets silence.

    ``delays`` holds seconds by command: the parser is busy that long, as a real one, and takes the next one after it.
    """

    def __init__(self, answers: dict[str, Answer] | None = None, *, echo: bool = True) -> None:
        self.answers: dict[str, Answer] = {"AT+CMEE?": framed("+CMEE: 1\n\nOK"), **(answers or {})}
        self.delays: dict[str, float] = {}
        self.echo = echo
        self.commands: list[str] = []
        self.received = b""
        self.default: Answer = framed("ERROR")
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        self.path = os.ttyname(self._slave)
        self._stop_read, self._stop_write = os.pipe()
        self._open = [self._master, self._slave, self._stop_read, self._stop_write]
        self._unplugging = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def say(self, data: bytes) -> None:
        """Write bytes nobody asked for."""
        while data:
            data = data[os.write(self._master, data) :]

    def unplug(self) -> None:
        """Hang up: whoever has the port open gets EIO. Once only: the numbers may be somebody else's files by then."""
        with self._unplugging:
            if self._open and self._thread.is_alive():
                os.write(self._stop_write, b"!")
                self._thread.join(5)
            while self._open:
                os.close(self._open.pop())

    def _run(self) -> None:
        pending = b""
        while True:
            ready, _, _ = select.select([self._master, self._stop_read], [], [])
            if self._stop_read in ready:
                return
            try:
                data = os.read(self._master, 4096)
            except OSError:
                return
            self.received += data
            pending += data
            while b"\r" in pending or b"\x1a" in pending or pending == b"\x1b":
                end = min(at for at in (pending.find(b"\r"), pending.find(b"\x1a"), pending.find(b"\x1b")) if at >= 0)
                command, pending = pending[: end + 1].decode(), pending[end + 1 :]
                self._take(command.removesuffix("\r"))

    def _take(self, command: str) -> None:
        self.commands.append(command)
        if self.echo and "\x1b" not in command:
            self.say(command.encode() + b"\r")
        time.sleep(self.delays.get(command, 0.0))
        answer = self.answers.get(command, self.default)
        if callable(answer):
            answer = answer(command)
        if answer is not None:
            with contextlib.suppress(OSError):
                self.say(answer)
