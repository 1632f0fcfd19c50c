"""The best link by one criterion, which another takes over only when it is clearly and lastingly better."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from remsim.core.routes import LinkView
from remsim.core.small_dataclass import dataclass

BETTER_SHARE = 0.2
BETTER_S = 10.0


@dataclass(slots=True)
class Preferred:
    """Who is preferred, and who has been better since when (monotonic)."""

    index: int | None = None
    rival: int | None = None
    since: float = 0.0

    def best(self, links: Sequence[LinkView], worse: Callable[[LinkView], float], margin: float, at: float) -> LinkView:
        """The link to prefer, of at least one. ``worse`` grows with what is bad; a difference up to ``margin`` or a
        fifth is none. Unlike the numbers, who is gone is gone: another is chosen at once."""
        ordered = sorted(links, key=lambda one: (worse(one), one.priority, one.index))
        now = next((one for one in links if one.index == self.index), None)
        if now is None:
            self.index, self.rival = ordered[0].index, None
            return ordered[0]
        best = ordered[0]
        if not is_better(worse(best), worse(now), margin):
            self.rival = None
            return now
        if self.rival != best.index:
            self.rival, self.since = best.index, at
        if at - self.since >= BETTER_S:
            self.index, self.rival = best.index, None
            return best
        return now


def is_better(one: float, other: float, margin: float) -> bool:
    """Whether a number is lower than another by more than the margin and a fifth."""
    if other == one:
        return False
    if other == float("inf") or one == float("-inf"):
        return True
    return other - one > margin and other - one > BETTER_SHARE * abs(other)
