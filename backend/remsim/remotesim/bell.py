"""What a thread waits for that is woken from this process, and from scripts through a named pipe."""

from __future__ import annotations

import contextlib
import os
import select


class Bell:
    """``ring`` from any thread; ``wait`` in one."""

    def __init__(self) -> None:
        self._inner, self._outer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._pipes = {self._inner}

    def watch(self, pipe: int) -> None:
        """Be woken by what is written into a pipe, too."""
        self._pipes.add(pipe)

    def ring(self) -> None:
        """Wake who waits, or who will next."""
        with contextlib.suppress(OSError):  # a full pipe wakes as well
            os.write(self._outer, b".")

    def wait(self, timeout_s: float) -> None:
        """Until it rings, or so long."""
        ready, _, _ = select.select(list(self._pipes), [], [], timeout_s)
        for pipe in ready:
            with contextlib.suppress(OSError):
                while len(os.read(pipe, 4096)) == 4096:
                    pass

    def close(self) -> None:
        """Nobody waits any more."""
        for pipe in (*self._pipes, self._outer):
            with contextlib.suppress(OSError):
                os.close(pipe)
        self._pipes.clear()
