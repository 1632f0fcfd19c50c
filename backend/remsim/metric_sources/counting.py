"""What has to be counted all the time, so that it is known when somebody asks."""

from __future__ import annotations

import threading
from collections import Counter

from remsim.core.events import KINDS, Event


class EventCounter:
    """Counts what happens, from any thread. Every kind is there from the beginning, so that its first one is seen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = Counter(dict.fromkeys(KINDS, 0))

    def take(self, event: Event) -> None:
        """One more."""
        with self._lock:
            self._counts[event.kind] += 1

    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        with self._lock:
            return dict(self._counts)


class Stopwatch:
    """How often something was done, and how long all of it took."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count, self._total_s = 0, 0.0

    def took(self, seconds: float) -> None:
        """Once more."""
        with self._lock:
            self._count += 1
            self._total_s += seconds

    def read(self) -> tuple[int, float]:
        """How often, and seconds of all together."""
        with self._lock:
            return self._count, self._total_s
