"""The algorithms of core.routes.ALGORITHMS over a group of links, each with its reasons."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from remsim.core.routes import ALGORITHMS, SLOTS, LinkView
from remsim.core.small_dataclass import dataclass
from remsim.links.load import scores, words
from remsim.links.load.groups import by_price, price_of
from remsim.links.load.scores import Candidate, Known
from remsim.links.load.thrift import lasting_price, thrifty

LOAD_DRIVEN = frozenset(("adaptive", "throughput", "least_connections", "overflow", "cheapest", "thrifty"))
"""Algorithms that look at what links carry at the moment."""
FULL, ROOM = 0.85, 0.65
"""Above the first share of its capacity a link is full, below the second it has room again."""
LATENCY_SHARE, LATENCY_MS = 0.2, 10.0
"""Links whose round trip is not longer than the shortest by both share the flows."""


Reasons = Mapping[int, tuple[float | None, str]]
"""Of each link by its index: the score, and why in words."""
Part = tuple[list[int], Callable[[], Reasons]]


@dataclass(frozen=True, slots=True)
class Balanced:
    """Slots of a group. ``explain`` makes the reasons, which nobody needs as often as the slots."""

    algorithm: str
    slots: Sequence[int]
    explain: Callable[[], Reasons]
    choice: str

    def called(self, choice: str) -> Balanced:
        """The same under other words."""
        return replace(self, choice=choice)


def alone(
    group: Sequence[LinkView], why: Callable[[LinkView], str], choice: str, given: Sequence[int] = ()
) -> Balanced:
    """The first link of some, where no ``given`` slots say otherwise."""
    slots = list(given) or [group[0].index] * SLOTS
    return Balanced("equal", slots, lambda: {one.index: (None, why(one)) for one in group}, choice)


def balance(
    algorithm: str,
    group: Sequence[LinkView],
    known: Mapping[int, Known],
    *,
    klass: str = "bulk",
    full: set[int] | None = None,
    is_sticky: bool = False,
    pages_bps: float | None = None,
) -> Balanced:
    """Share flows among links of which there is at least one. ``full`` remembers which were full.

    ``is_sticky``: devices keep their links, so what happens at the moment counts for nothing. ``pages_bps``: what pages
    move, None while there are none; bulk flows leave them a link.
    """
    links = scores.candidates(group, known)
    if is_sticky:
        links = [replace(one, rate_bps=0.0, busy=0, young=0, flows=0) for one in links]
    elif algorithm == "adaptive" and klass == "bulk" and pages_bps is not None:
        kept = scores.kept_for_pages(links, pages_bps)
        links = [replace(one, is_kept=one.index == kept) for one in links]
    slots, explain = _by(algorithm, klass, links, set() if full is None else full)
    return Balanced(algorithm, slots, explain, ALGORITHMS[algorithm])


def _by(algorithm: str, klass: str, links: list[Candidate], full: set[int]) -> Part:
    """Slots and reasons; scores are in the algorithm's own unit."""
    match algorithm:
        case "weighted":
            return scores.by_weight(links), _told(links, lambda one: one.view.weight, _weight)
        case "measured":
            return scores.by_capacity(links), _told(links, lambda one: one.capacity_bps / 1e6, _capacity)
        case "least_connections":
            return scores.by_connections(links), _told(links, lambda one: one.flows, lambda one: f"{one.flows} flows")
        case "latency":
            return _shortest(links)
        case "throughput":
            return scores.by_free(links), _told(links, lambda one: one.free_bps / 1e6, _free)
        case "overflow":
            return _until_full([[one] for one in _ordered(links)], full, lambda one: f"priority {one.view.priority}")
        case "cheapest":
            by_index = {one.index: one for one in links}
            groups = [[by_index[one.index] for one in same] for same in by_price([o.view for o in links], price_of)]
            return _until_full(groups, full, lambda one: words.price(one.view))
        case "thrifty":
            return thrifty(links), _told(links, lambda one: lasting_price(one.view), lambda one: words.price(one.view))
        case "remaining_data":
            return _by_remaining(links)
        case "failover":
            first = _ordered(links)[0]
            return [first.index] * SLOTS, _told(links, lambda one: None, lambda one: _place(one, first))
        case "equal":
            return scores.alike(links), _told(links, lambda one: None, lambda one: "each alike")
    if klass == "interactive":
        return scores.by_page_time(links), _told(links, Candidate.page_s, words.page)
    return scores.least_loaded(links), _told(links, lambda one: one.share_bps() / 1e6, words.load)


def _told(
    links: list[Candidate], score: Callable[[Candidate], float | None], why: Callable[[Candidate], str]
) -> Callable[[], Reasons]:
    def explain() -> Reasons:
        return {one.index: (_round(score(one)), why(one)) for one in links}

    return explain


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def _ordered(links: list[Candidate]) -> list[Candidate]:
    return sorted(links, key=lambda one: (one.view.priority, one.index))


def _weight(one: Candidate) -> str:
    return f"weight {one.view.weight}{words.ramped(one)}"


def _capacity(one: Candidate) -> str:
    if one.view.down_bps is None:
        return f"not measured yet, tried as {words.rate(one.capacity_bps)} Mbit/s"
    return f"{words.rate(one.view.down_bps)} Mbit/s measured{words.ramped(one)}"


def _free(one: Candidate) -> str:
    return words.free_of(one.view) + words.ramped(one)


def _place(one: Candidate, first: Candidate) -> str:
    place = f"priority {one.view.priority}"
    return place if one.index == first.index else f"{place}: waits for {first.view.name} to fail"


def _by_remaining(links: list[Candidate]) -> Part:
    views = [one.view for one in links]
    weights = {one.index: scores.remaining_weight(one, views) for one in views}
    slots = scores.in_proportion(links, lambda one: weights[one.index] * one.ramp)
    return slots, _told(links, lambda one: weights[one.index], lambda one: words.data_left(one.view))


def _shortest(links: list[Candidate]) -> Part:
    """Links with the shortest round trip, all that are about as quick alike."""
    least = min(one.latency_ms for one in links)
    limit = max(least * (1 + LATENCY_SHARE), least + LATENCY_MS)
    quick = [one for one in links if one.latency_ms <= limit]
    return scores.alike(quick), _told(links, lambda one: one.latency_ms, lambda one: words.latency_of(one.view))


def _until_full(
    groups: Sequence[Sequence[Candidate]], full: set[int], place: Callable[[Candidate], str]
) -> Part:
    """The first group until all of it is full, then with the next, and so on."""
    links = [one for group in groups for one in group]
    for one in links:
        if one.rate_bps >= FULL * one.capacity_bps:
            full.add(one.index)
        elif one.rate_bps <= ROOM * one.capacity_bps:
            full.discard(one.index)
    full.intersection_update(one.index for one in links)
    chosen = next((group for group in groups if any(one.index not in full for one in group)), None)
    taken = [one for one in chosen if one.index not in full] if chosen else links
    are_full = frozenset(full)

    def why(one: Candidate) -> str:
        return f"{place(one)}, {_fullness(one, are_full)}"

    return scores.least_loaded(taken), _told(links, lambda one: one.rate_bps / one.capacity_bps, why)


def _fullness(one: Candidate, full: frozenset[int]) -> str:
    return f"full: {words.free_of(one.view)}" if one.index in full else words.free_of(one.view)
