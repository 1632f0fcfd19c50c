"""A socket for ``http.client`` that a server cannot hold for longer, or fill with more, than a request may take."""

from __future__ import annotations

import io
import socket
import time
from http.client import HTTPException
from typing import Any


class TooLong(HTTPException):
    """An answer has more octets than are read."""


class TimedSocket:
    """What ``http.client`` needs of a socket, with one deadline and one limit of size for all that a request reads."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._deadline = 0.0
        self._left = 0

    def allow(self, deadline: float, octets: int) -> None:
        """Let a request go on until ``deadline`` (monotonic) and read so many octets."""
        self._deadline, self._left = deadline, octets

    def sendall(self, data: bytes) -> None:
        """Send."""
        self._sock.settimeout(self._remaining())
        self._sock.sendall(data)

    def makefile(self, mode: str) -> io.BufferedReader:
        """What the answer is read from."""
        return io.BufferedReader(TimedReader(self, self._sock.makefile("rb", 0)))

    def read_into(self, file: Any, buffer: Any) -> int:
        """Read what is there."""
        self._sock.settimeout(self._remaining())
        count: int = file.readinto(buffer)
        self._left -= count
        if self._left < 0:
            raise TooLong
        return count

    def close(self) -> None:
        """Hang up."""
        self._sock.close()

    def _remaining(self) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("it takes too long")
        return left


class TimedReader(io.RawIOBase):
    """A timed socket as a file; the socket is open until its files are closed, as ``http.client`` expects."""

    def __init__(self, timed: TimedSocket, file: Any) -> None:
        self._timed = timed
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        return self._timed.read_into(self._file, buffer)

    def close(self) -> None:
        self._file.close()
        super().close()
