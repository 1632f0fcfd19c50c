"""Wall time in UTC for storage, monotonic time for deadlines; a fake of both for tests."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime
from typing import Protocol

FIRST_TRUSTED = 1_600_000_000
"""A wall clock before this (2020) has not been set since boot."""


SET_S = 2.0
"""A difference of the two clocks that is more than drift."""


class Clock(Protocol):
    """Where every room gets its time from."""

    def now(self) -> float:
        """Wall clock, seconds since the epoch (UTC). May jump."""

    def monotonic(self) -> float:
        """Seconds that never jump. For deadlines and durations only."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's clocks."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class FakeClock:
    """A clock that moves only when told; ``sleep`` moves it at once."""

    def __init__(self, now: float = 1_767_225_600.0, monotonic: float = 1000.0) -> None:
        self._now = now
        self._monotonic = monotonic
        self._lock = threading.Lock()

    def now(self) -> float:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        """Let time pass on both clocks."""
        with self._lock:
            self._now += seconds
            self._monotonic += seconds

    def set_wall(self, now: float) -> None:
        """Jump the wall clock (as NTP does at boot); the monotonic clock stays."""
        self._now = now


class Moment:
    """Now, to be told later: it keeps its place in time when the wall clock is set meanwhile."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall, self._monotonic = clock.now(), clock.monotonic()

    @property
    def wall(self) -> float:
        """Its wall time by the clock of today."""
        wall = self._clock.now() - (self._clock.monotonic() - self._monotonic)
        if abs(wall - self._wall) > SET_S:
            self._wall = wall
        return self._wall


def iso_utc(epoch_s: float) -> str:
    """ISO 8601 in UTC with milliseconds: ``2026-01-01T00:00:00.000Z``."""
    seconds, milliseconds = divmod(int(epoch_s * 1000), 1000)  # of one number, or a rounding parts them
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{milliseconds:03d}Z"
