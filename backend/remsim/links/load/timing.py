"""How much longer transfers take on a link than is expected of it, learned from those that end."""

from __future__ import annotations

LEAST, MOST = 0.5, 2.0
WEIGHT = 0.05
"""Of one transfer: some twenty of them count."""
ENOUGH = 8


class TimeFactor:
    """The sum of times that were taken over the sum of those expected.

    A look at flows comes some times a second, so a single short transfer's time is known badly; but what is too long
    for one is too short for another, and the sums are right.
    """

    def __init__(self) -> None:
        self._taken = self._expected = 0.0
        self._count = 0

    def feed(self, taken_s: float, expected_s: float) -> None:
        """A transfer ended. One that took very long waited for something else than the link."""
        taken_s = min(taken_s, 5 * expected_s)
        self._taken += WEIGHT * (taken_s - self._taken)
        self._expected += WEIGHT * (expected_s - self._expected)
        self._count += 1

    @property
    def value(self) -> float:
        """1 before enough of them ended."""
        if self._count < ENOUGH or self._expected <= 0:
            return 1.0
        return min(MOST, max(LEAST, self._taken / self._expected))
