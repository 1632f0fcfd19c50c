"""What the daemon knows and the packet does not: the time, how links are, the country. It opens and closes policies."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, tzinfo

from remsim.core.routes import LinkView
from remsim.policies.facts import Facts
from remsim.policies.language.model import Test, Window
from remsim.policies.language.terms import Literal
from remsim.policies.language.words import GATES

STEADY_S = 10.0
"""How long a measured figure has to be beyond its bound, or within it again, before it counts."""
AHEAD_DAYS = 8
WAYS: tuple[Callable[[LinkView], str], ...] = (
    lambda link: link.name,
    lambda link: link.title,
    lambda link: link.device or "",
)
"""What a text may call a link, the surest first."""


def is_gate(literal: Literal) -> bool:
    """Whether it is asked of the daemon."""
    return literal.test.kind in GATES


def holds(literal: Literal, facts: Facts) -> bool | None:
    """Whether it holds now; None where that is unknown, which opens nothing, be it negated or not."""
    test = literal.test
    if test.kind == "time":
        found = None if facts.now is None else in_hours(test, facts.now, facts.zone)
    elif test.kind == "router_country":
        found = None if facts.router_country is None else facts.router_country in test.values
    else:
        found = _link_holds(test, link_of(test.subject, facts.links))
    return None if found is None else found is not literal.is_negated


def in_hours(test: Test, now: float, zone: tzinfo) -> bool:
    """Whether a time is within one of the test's windows, by the wall clock of a zone."""
    local = datetime.fromtimestamp(now, zone)
    minute, day = local.hour * 60 + local.minute, local.weekday()
    return any(isinstance(one, Window) and _in_window(one, minute, day) for one in test.values)


def _in_window(window: Window, minute: int, day: int) -> bool:
    days = window.days or range(7)
    if window.begin < window.end:
        return day in days and window.begin <= minute < window.end
    if minute >= window.begin:
        return day in days
    return minute < window.end and (day - 1) % 7 in days


def next_change(test: Test, now: float, zone: tzinfo) -> float | None:
    """When a time test next begins or ceases to hold, to the minute; None when it never does."""
    is_in = in_hours(test, now, zone)
    before = now
    for edge in _edges(test, now, zone):
        if in_hours(test, edge, zone) is not is_in:
            return _flip(test, before, edge, zone)
        before = edge
    return None


def _edges(test: Test, now: float, zone: tzinfo) -> list[float]:
    """Begins and ends of the windows in the days to come; where a clock is put forward or back, those around it."""
    today = datetime.fromtimestamp(now, zone).date()
    found: set[float] = set()
    for ahead in range(-1, AHEAD_DAYS + 1):
        midnight = datetime.combine(today + timedelta(days=ahead), datetime.min.time())
        for one in test.values:
            if isinstance(one, Window):
                for minutes in (one.begin, one.end, 0):
                    naive = midnight + timedelta(minutes=minutes)
                    found.update(naive.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    return sorted(edge for edge in found if edge > now)


def _flip(test: Test, low: float, high: float, zone: tzinfo) -> float:
    """The minute between two times at which it changes."""
    is_in = in_hours(test, low, zone)
    low, high = low // 60, high // 60
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if in_hours(test, middle * 60, zone) is is_in else (low, middle)
    return float(high * 60)


def link_of(name: str, links: tuple[LinkView, ...]) -> LinkView | None:
    """A link by its name, its title or its device."""
    for way in WAYS:
        for one in links:
            if way(one).lower() == name.lower():
                return one
    return None


def _link_holds(test: Test, link: LinkView | None) -> bool | None:
    if link is None:
        return None
    if test.asked == "is":
        states = [_is_state(link, str(one)) for one in test.values]
        return True if True in states else None if None in states else False
    value = {"latency": link.latency_ms, "loss": link.loss_percent, "remaining": link.remaining_bytes}[test.asked]
    bound = test.values[0]
    if not isinstance(bound, int):
        return None
    if value is None:
        # without a cap, what is left is more than any bound
        return test.operator == ">" if test.asked == "remaining" and link.cap_state == "ok" else None
    return value > bound if test.operator == ">" else value < bound


def _is_state(link: LinkView, word: str) -> bool | None:
    if word == "usable":
        return link.is_usable
    if word == "unusable":
        return not link.is_usable
    if word == "roaming":
        return link.is_roaming
    if word == "capped":
        return link.cap_state in ("slow", "soft", "hard")
    if word == "down":
        return link.state in ("down", "no_device", "off", "starting")
    return link.state == word


class Steady:
    """Answers of ``holds`` that do not flutter: a measured figure counts once it has lasted."""

    def __init__(self) -> None:
        self._seen: dict[Literal, tuple[bool | None, bool | None, float]] = {}

    def holds(self, literal: Literal, facts: Facts, monotonic: float) -> bool | None:
        """As ``holds``; for latency and loss what has been so for ``STEADY_S``."""
        found = holds(literal, facts)
        if literal.test.asked not in ("latency", "loss"):
            return found
        told, wanted, since = self._seen.get(literal, (found, found, monotonic))
        if found != wanted:
            wanted, since = found, monotonic
        if wanted != told and monotonic - since >= STEADY_S:
            told = wanted
        self._seen[literal] = (told, wanted, since)
        return told
