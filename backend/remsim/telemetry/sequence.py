"""One rising number for every message, over restarts, crashes and a full disk."""

from __future__ import annotations

import contextlib
import logging
import threading
from pathlib import Path

from remsim.core.files import write_atomically

log = logging.getLogger(__name__)

BLOCK = 100_000
RETRY_EVERY = 1000


class Sequence:
    """Hands out integers. A block of them is reserved on disk ahead, so a crash wastes numbers and repeats none."""

    def __init__(self, path: Path, floor: int = 0) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._next = max(self._load(), floor) + 1
        self._reserve_at = self._next - 1
        self._failed = False

    def next(self) -> int:
        """The next number."""
        with self._lock:
            return self._take(1)

    def reserve(self, count: int) -> range:
        """``count`` numbers in a row, for messages that are older than those to come."""
        with self._lock:
            first = self._take(count)
            return range(first, first + count)

    def raise_to(self, number: int) -> None:
        """Go on above a number that was found elsewhere (a restored journal)."""
        with self._lock:
            self._next = max(self._next, number + 1)

    @property
    def last(self) -> int:
        """The last number handed out."""
        return self._next - 1

    def _take(self, count: int) -> int:
        first = self._next
        self._next += count
        if self._next > self._reserve_at:
            self._reserve(self._next + BLOCK)
        return first

    def _reserve(self, limit: int) -> None:
        """Reserve while half a block is left: a disk that is full for hours costs nothing yet."""
        try:
            write_atomically(self._path, str(limit).encode())
            self._reserve_at = limit - BLOCK // 2
        except OSError as error:
            # Numbers go on rising in memory; the journal's own highest number is the floor at the next start.
            self._reserve_at = self._next + RETRY_EVERY
            if not self._failed:
                log.warning("%s cannot be written: %s", self._path, error.strerror)
            self._failed = True
        else:
            self._failed = False

    def _load(self) -> int:
        with contextlib.suppress(OSError, ValueError):
            return max(int(self._path.read_text()), 0)
        return 0
