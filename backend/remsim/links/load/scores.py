"""From what links carry to sixteen slots. Pure: numbers in, slots out.

Slots are in order of preference: the kernel begins with the first after each change, so the next few flows take what
is best for them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from remsim.core.routes import SLOTS, LinkView
from remsim.core.small_dataclass import dataclass

PAGE_OCTETS = 50_000
"""An interactive flow is weighed by the time this much takes, after three round trips."""
ROUND_TRIPS = 3
WORTH = 1.3
"""Interactive flows go to links that need at most this much more time than the fastest."""
USUAL_BPS = 10e6
"""A link that was never seen to carry anything is tried as if it could carry this, or what its neighbours do."""
USUAL_MS = 100.0
EXPLORE = 2.0
"""A link that was never full may carry this much more than it did."""
LEFT_SHARE = 0.8
IDLE_WORTH = 1.2
"""Bits that a link carries which carried none count so much beside those that a flow gets itself: above 1, idle links
are used before busy ones are shared, whatever their size."""
KEPT_FLOWS = 1
KEPT_SHARE, KEPT_WORTH = 0.3, 2.0
"""A link is only kept for pages where it is no more than this of all, and hardly slower for them than the fastest."""
TOLERATED_LOSS = 5.0
"""Up to this (one probe of twenty) says nothing."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A link with the numbers it is weighed by, none of them unknown.

    ``capacity_bps`` is what it is taken to carry, ``rate_bps`` what it carries, ``busy`` how many flows fill it
    (``young`` of them too young to have a rate), ``time_factor`` how much longer transfers took on it than was
    expected, ``ramp`` below 1 while it is just back. ``is_kept``: bulk flows leave it to pages as long as they can.
    """

    view: LinkView
    capacity_bps: float
    rate_bps: float = 0.0
    busy: int = 0
    young: int = 0
    flows: int = 0
    latency_ms: float = USUAL_MS
    floor_ms: float = USUAL_MS
    time_factor: float = 1.0
    ramp: float = 1.0
    is_kept: bool = False

    @property
    def index(self) -> int:
        return self.view.index

    @property
    def is_measured(self) -> bool:
        """Whether its capacity is known, and not only how much it carried at least."""
        return self.capacity_bps == self.view.down_bps

    @property
    def free_bps(self) -> float:
        """What nobody uses."""
        return max(0.0, self.capacity_bps - self.rate_bps)

    @property
    def quality(self) -> float:
        """1, less for each probe lost beyond what chance explains."""
        return 1 / (1 + 0.2 * max(0.0, (self.view.loss_percent or 0.0) - TOLERATED_LOSS))

    def share_bps(self, more: int = 0) -> float:
        """What one flow more than ``more`` new ones would get: a part like all others, or what those leave that do not
        take theirs."""
        equal = self.capacity_bps / (self.busy + more + 1)
        left = LEFT_SHARE * self.free_bps / (self.young + more + 1)
        return max(equal, left) * self.ramp * self.quality

    def gain_bps(self, more: int = 0) -> float:
        """What one flow more is worth: its own share, and what all links together carry more than without it."""
        if self.is_kept:
            return self.share_bps(more + KEPT_FLOWS)
        idle = self.free_bps * self.ramp * self.quality if self.busy + more == 0 else 0.0
        return self.share_bps(more) + IDLE_WORTH * idle

    def page_s(self) -> float:
        """How long an interactive transfer would take."""
        rate = max(self.free_bps, self.capacity_bps / (self.busy + 1), 1.0) * self.quality
        return (ROUND_TRIPS * self.latency_ms / 1000 + PAGE_OCTETS * 8 / rate) * self.time_factor


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a link beside its view: whether its capacity is ``is_firm`` (see Capacity), and what Candidate
    has of the same names."""

    is_firm: bool = True
    rate_bps: float | None = None
    floor_ms: float | None = None
    young: int = 0
    time_factor: float = 1.0
    ramp: float = 1.0


NOTHING = Known()


def candidates(links: Sequence[LinkView], known: Mapping[int, Known]) -> list[Candidate]:
    """Links with their unknowns filled in: what neighbours have, else what is usual."""
    capacities = sorted(one.down_bps for one in links if one.down_bps and known.get(one.index, NOTHING).is_firm)
    usual = capacities[len(capacities) // 2] if capacities else USUAL_BPS
    latencies = sorted(one.latency_ms for one in links if one.latency_ms is not None)
    usual_ms = latencies[len(latencies) // 2] if latencies else USUAL_MS
    return [_candidate(link, known.get(link.index, NOTHING), usual, usual_ms) for link in links]


def _candidate(link: LinkView, known: Known, usual_bps: float, usual_ms: float) -> Candidate:
    capacity = link.down_bps or 0.0
    if not capacity or not known.is_firm:
        capacity = max(usual_bps, EXPLORE * capacity)
    rate = known.rate_bps if known.rate_bps is not None else link.rx_bps or 0.0
    latency_ms = link.latency_ms if link.latency_ms is not None else usual_ms
    return Candidate(
        link,
        max(capacity, 1.0),
        rate,
        link.busy_flows or 0,
        known.young,
        link.flows or 0,
        latency_ms,
        known.floor_ms if known.floor_ms is not None else latency_ms,
        known.time_factor,
        known.ramp,
    )


Gain = Callable[[Candidate, int], float]
"""What one flow more is worth on a link that was given so many."""


def fill(links: Sequence[Candidate], gain: Gain) -> list[int]:
    """Sixteen slots, each for the link on which one flow more is worth most; none without links.

    Equal gains go to the first by priority.
    """
    ordered = sorted(links, key=lambda one: (one.view.priority, one.index))
    given = dict.fromkeys((one.index for one in ordered), 0)
    slots = []
    for _ in range(SLOTS if ordered else 0):
        best = max(ordered, key=lambda one: gain(one, given[one.index]))
        given[best.index] += 1
        slots.append(best.index)
    return slots


def in_proportion(links: Sequence[Candidate], weight: Callable[[Candidate], float]) -> list[int]:
    """Sixteen slots as the weights are; all alike where none weighs anything. (Webster's method.)"""
    weights = {one.index: max(0.0, weight(one)) for one in links}
    if not any(weights.values()):
        weights = dict.fromkeys(weights, 1.0)
    return fill(
        [one for one in links if weights[one.index] > 0], lambda one, given: weights[one.index] / (given + 0.5)
    )


def least_loaded(links: Sequence[Candidate]) -> list[int]:
    """Each flow to where it gets most: capacity over flows."""
    return fill(links, Candidate.gain_bps)


def quick_when_quiet(links: Sequence[Candidate]) -> list[Candidate]:
    """Links on which a page takes little time when nothing else runs there, the smallest first."""
    quiet = [replace(one, rate_bps=0.0, busy=0, latency_ms=one.floor_ms) for one in links]
    times = {one.index: one.page_s() for one in quiet}
    least = min(times.values(), default=0.0)
    quick = [one for one in links if times[one.index] <= KEPT_WORTH * least]
    return sorted(quick, key=lambda one: (one.capacity_bps, one.index))


def kept_for_pages(links: Sequence[Candidate], pages_bps: float) -> int | None:
    """The link that bulk flows leave to pages: the smallest that is quick and has room for as many as come. None where
    that would be too much of what all links carry."""
    most = KEPT_SHARE * sum(one.capacity_bps for one in links)
    for one in quick_when_quiet(links):
        if one.is_measured and pages_bps * 1.2 <= one.capacity_bps <= most:
            return one.index
    return None


def by_page_time(links: Sequence[Candidate]) -> list[int]:
    """To those that need little more time for a page than the fastest, the faster the more."""
    times = {one.index: one.page_s() for one in links}
    least = min(times.values(), default=0.0)
    worth = [one for one in links if times[one.index] <= WORTH * least]
    return in_proportion(worth, lambda one: one.ramp / times[one.index])


def by_weight(links: Sequence[Candidate]) -> list[int]:
    """As the admin's weights say."""
    return in_proportion(links, lambda one: one.view.weight * one.ramp)


def by_capacity(links: Sequence[Candidate]) -> list[int]:
    """As much as each carries."""
    return in_proportion(links, lambda one: one.capacity_bps * one.quality * one.ramp)


def by_free(links: Sequence[Candidate]) -> list[int]:
    """To those with most free."""
    return in_proportion(links, lambda one: max(one.free_bps, 0.02 * one.capacity_bps) * one.quality * one.ramp)


def by_connections(links: Sequence[Candidate]) -> list[int]:
    """Each flow to the link with the fewest, a link of weight 2 counting half its flows."""
    return fill(links, lambda one, given: -(one.flows + given + 1) / (max(one.view.weight, 1) * one.ramp))


def alike(links: Sequence[Candidate]) -> list[int]:
    """In turn."""
    return in_proportion(links, lambda one: one.ramp)


def remaining_weight(link: LinkView, links: Sequence[LinkView]) -> float:
    """Octets a second that are left until the cap is reset; a link without a cap counts as the best of them."""
    rates = [
        max(0, one.remaining_bytes) / max(3600.0, one.reset_s or 30 * 86400.0)
        for one in links
        if one.remaining_bytes is not None
    ]
    if link.remaining_bytes is None:
        return max(rates, default=0.0) or 1.0
    return max(0, link.remaining_bytes) / max(3600.0, link.reset_s or 30 * 86400.0)
