"""What a link can carry: as configured, else learned from what it carried while it was full.

Full is a link whose round trips are longer than when it rests (its queue stands), or that carries the same for seconds
although several flows want more. What it carries then is its capacity; what it carries otherwise is only a lower bound,
so a link that was never full is given more flows than its highest rate alone would earn (it is explored).
"""

from __future__ import annotations

import math
from collections import deque

FOLLOW_S = 8.0
"""How fast a capacity follows a full link that carries less than it did."""
FIRM_S = 900.0
"""How long a capacity that was seen with the link full counts as one."""
FLAT_S = 3.0
FLAT_SHARE = 0.15
QUEUE_MS = 35.0
QUEUE_SHARE = 0.4
"""A round trip longer than the shortest by this (and by this share of it) has stood in a queue."""
FLOOR_S = 300.0
LEAST_BPS = 64_000.0
"""Below this nothing is learned: a link that only carries probes shows nothing."""


class Floor:
    """The shortest round trip of the last five to ten minutes."""

    def __init__(self) -> None:
        self._since: float | None = None
        self._now: float | None = None
        self._before: float | None = None

    def feed(self, at: float, latency_ms: float | None) -> None:
        """A round trip."""
        if latency_ms is None:
            return
        if self._since is None or at - self._since > FLOOR_S:
            self._since, self._before, self._now = at, self._now, latency_ms
        self._now = latency_ms if self._now is None else min(self._now, latency_ms)

    @property
    def ms(self) -> float | None:
        """The shortest, None before the first."""
        if self._now is None or self._before is None:
            return self._now
        return min(self._now, self._before)

    def has_queue(self, latency_ms: float | None) -> bool | None:
        """Whether a round trip stood in a queue; None when that cannot be told."""
        if latency_ms is None or self.ms is None:
            return None
        return latency_ms > self.ms + max(QUEUE_MS, QUEUE_SHARE * self.ms)


class Capacity:
    """One direction of a link, bits a second."""

    def __init__(self, configured_bps: float | None = None) -> None:
        self.configured_bps = configured_bps
        self._learned_bps: float | None = None
        self._full_at: float | None = None
        self._recent: deque[tuple[float, float]] = deque()

    @property
    def bps(self) -> float | None:
        """What it can carry as far as is known; None before it carried anything."""
        return self.configured_bps if self.configured_bps is not None else self._learned_bps

    @property
    def source(self) -> str | None:
        """``configured``, ``learned`` or None."""
        if self.configured_bps is not None:
            return "configured"
        return "learned" if self._learned_bps is not None else None

    def is_firm(self, at: float) -> bool:
        """Whether the link was seen full not long ago, or somebody said what it carries."""
        return self.configured_bps is not None or (self._full_at is not None and at - self._full_at < FIRM_S)

    def feed(self, at: float, bps: float, passed_s: float, has_queue: bool | None, busy: int) -> None:
        """What it carried in the last second or so; ``has_queue`` None: its round trips tell nothing."""
        if bps < LEAST_BPS:
            self._recent.clear()
            return
        is_full = busy > 0 and (has_queue or (has_queue is None and busy > 1 and self._is_flat(at, bps)))
        known = self._learned_bps
        if known is None or bps > known:
            self._learned_bps = bps
        elif is_full:
            self._learned_bps = known + (bps - known) * (1 - math.exp(-passed_s / FOLLOW_S))
        if is_full:
            self._full_at = at

    def _is_flat(self, at: float, bps: float) -> bool:
        """Whether it carries the same for some seconds, close to the most it did."""
        self._recent.append((at, bps))
        while at - self._recent[0][0] > FLAT_S:
            self._recent.popleft()
        rates = [one for _, one in self._recent]
        covered = at - self._recent[0][0] >= FLAT_S * 0.6
        return covered and min(rates) > (1 - FLAT_SHARE) * max(rates) and bps > 0.7 * (self._learned_bps or 0)
