"""One direction of a relayed connection: through a pipe within the kernel, or where that fails through a buffer."""

from __future__ import annotations

import contextlib
import errno
import os
import socket

PIPE_BYTES = 65536
NOT_SPLICED = frozenset((errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP))


class Pump:
    """Moves what one socket receives to another. ``OSError``: the connection is broken."""

    def __init__(self, source: socket.socket, sink: socket.socket) -> None:
        self._source, self._sink = source, sink
        self._pipe: tuple[int, int] | None = None
        self._is_spliced = hasattr(os, "splice")
        self._waiting = 0
        self._buffer = b""
        self._is_ended = self._is_stuffed = False
        self.is_done = False
        self.moved = 0

    @property
    def wants_more(self) -> bool:
        """Whether the source should be read."""
        return not self._is_ended and not self._is_stuffed and self._waiting < PIPE_BYTES // 2

    @property
    def has_some(self) -> bool:
        """Whether something waits for the sink."""
        return self._waiting > 0

    def give(self, data: bytes) -> None:
        """Have this go first; before anything was read."""
        self._buffer = data
        self._waiting = len(data)

    def fill(self) -> None:
        """Take what the source has, then pass on what can be."""
        if self.wants_more:
            try:
                size = self._splice_in() if self._is_spliced and not self._buffer else self._read()
                if size == 0:
                    self._is_ended = True
                self._waiting += size
            except BlockingIOError:
                self._is_stuffed = self._waiting > 0  # many small packets fill a pipe before its octets do
        self.drain()

    def drain(self) -> None:
        """Pass on what can be; the end of the source is passed on too."""
        with contextlib.suppress(BlockingIOError):
            while self._waiting:
                size = self._send() if self._buffer else self._splice_out()
                self._waiting -= size
                self.moved += size
                self._is_stuffed = False
        if self._is_ended and not self._waiting and not self.is_done:
            self.is_done = True
            with contextlib.suppress(OSError):
                self._sink.shutdown(socket.SHUT_WR)
            self.close()

    def close(self) -> None:
        """Let the pipe go."""
        if self._pipe is not None:
            for fd in self._pipe:
                os.close(fd)
            self._pipe = None

    def _splice_in(self) -> int:
        if self._pipe is None:
            self._pipe = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        flags = os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK
        try:
            return os.splice(self._source.fileno(), self._pipe[1], PIPE_BYTES - self._waiting, flags=flags)
        except OSError as error:
            if error.errno not in NOT_SPLICED or self._waiting:
                raise
            self._is_spliced = False
            return self._read()

    def _splice_out(self) -> int:
        assert self._pipe is not None
        flags = os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK
        try:
            return os.splice(self._pipe[0], self._sink.fileno(), self._waiting, flags=flags)
        except OSError as error:
            if error.errno not in NOT_SPLICED:
                raise
            self._is_spliced = False
            self._buffer = os.read(self._pipe[0], self._waiting)
            return self._send()

    def _read(self) -> int:
        data = self._source.recv(PIPE_BYTES)
        self._buffer += data
        return len(data)

    def _send(self) -> int:
        size = self._sink.send(self._buffer)
        self._buffer = self._buffer[size:]
        return size
