"""How much longer transfers take on a link than is expected of it, and whether pages are to be expected."""

from __future__ import annotations

import math

PAGES_S = 3.0
PAGES_BPS = 100_000.0
FIRST_S, HOLD_S = 6.0, 60.0
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


class Pages:
    """Whether pages come, so that a link should be left to them: they do until bulk flows ran for a while without any.

    ``bps`` is what they move. After the start a few seconds show that there are none, later a minute.
    """

    def __init__(self) -> None:
        self.bps = 0.0
        self._quiet_s = 0.0
        self._patience_s = FIRST_S

    def feed(self, octets: int, passed_s: float, *, is_bulk_busy: bool) -> None:
        """What pages moved since the last look, and whether bulk flows run."""
        keep = math.exp(-passed_s / PAGES_S)
        self.bps = keep * self.bps + (1 - keep) * octets * 8 / passed_s
        if self.bps >= PAGES_BPS:
            self._quiet_s, self._patience_s = 0.0, HOLD_S
        elif is_bulk_busy:
            self._quiet_s += passed_s

    @property
    def are_expected(self) -> bool:
        """Whether a link should be left to them."""
        return self._quiet_s < self._patience_s
