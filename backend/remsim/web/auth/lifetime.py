"""How long something is good, on a router whose clock may stand at 1970 after each boot."""

from __future__ import annotations

from remsim.core.clock import FIRST_TRUSTED, Clock


class TrueTime:
    """The wall clock; while it is not set, the latest time that we know to be past.

    So what had ended before the power cut stays ended, and what had not does not end because nobody knows the time.
    """

    def __init__(self, clock: Clock, latest: float = 0.0) -> None:
        self._clock = clock
        self._latest = latest
        self._since = clock.monotonic()

    @property
    def is_set(self) -> bool:
        """Whether the wall clock can be believed."""
        return self._clock.now() >= FIRST_TRUSTED

    def now(self) -> float:
        """Seconds since the epoch; too few rather than too many."""
        if self.is_set:
            return self._clock.now()
        return self._latest + self._clock.monotonic() - self._since

    def monotonic(self) -> float:
        """Seconds that never jump."""
        return self._clock.monotonic()
