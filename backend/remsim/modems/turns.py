"""Whose turn it is on a port."""

from __future__ import annotations

import threading
from collections import deque


class Turns:
    """A lock given in the order of asking, so that a round of polling cannot keep a user's command waiting."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._is_taken = False

    def __enter__(self) -> None:
        self.take()

    def __exit__(self, *_: object) -> None:
        self.give()

    def take(self, within_s: float = -1) -> bool:
        """Wait for one's turn, for ever unless a time is given; False when it did not come."""
        with self._mutex:
            if not self._is_taken:
                self._is_taken = True
                return True
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        if turn.acquire(timeout=within_s):
            return True
        with self._mutex:
            if turn not in self._waiting:
                return True  # it came at the last moment
            self._waiting.remove(turn)
            return False

    def give(self) -> None:
        """Let the next one have it."""
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False
