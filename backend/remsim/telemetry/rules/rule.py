"""A rule, and where it stands for one subject: pending, firing, resolved."""

from __future__ import annotations

from collections import deque

from remsim.core.small_dataclass import dataclass
from remsim.telemetry.rules.hours import ALWAYS, Hours

Value = float | int | str | None
FLAPS, FLAPS_S, CALM_S = 5, 300.0, 60.0
"""What fires five times in five minutes is over only when it has been well for a minute: else it would never rest."""
MOST_COUNTED = 1000
"""A count of events goes no further."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What is a matter: ``measure`` of ``source`` compared with ``threshold``, for ``for_s``, within ``hours``.

    ``source`` is any word that the feeder uses too; ``subject`` None is every one that is fed, each on its own.
    ``above`` is true beyond the threshold and false again at ``threshold - hysteresis`` or less (``below`` the other
    way round); in between it stays as it was, so noise within the hysteresis neither ends a wait nor an alert.
    ``is`` and ``is_not`` compare words with those of ``words``, numbers with ``threshold``. ``absent`` is true while
    the value is unknown. ``count_at_least`` counts events of the last ``window_s``.
    """

    name: str
    source: str
    measure: str
    comparison: str
    threshold: float = 0.0
    words: frozenset[str] = frozenset()
    hysteresis: float = 0.0
    for_s: float = 0.0
    clear_for_s: float = 0.0
    window_s: float = 0.0
    subject: str | None = None
    hours: Hours = ALWAYS

    def holds(self, value: Value, before: bool) -> bool:
        """Whether it is so with a known value; ``before``: whether it was."""
        kind = self.comparison
        if kind == "absent":
            return value is None
        if kind in ("is", "is_not"):
            same = value in self.words if isinstance(value, str) else value == self.threshold and not self.words
            return same == (kind == "is")
        if not isinstance(value, int | float):
            return False
        if kind == "below":
            return value < (self.threshold + self.hysteresis if before else self.threshold)
        if kind == "count_at_least":
            return value > self.threshold - self.hysteresis - 1 if before else value >= self.threshold
        return value > (self.threshold - self.hysteresis if before else self.threshold)

    def quiet_between(self, before: bool) -> tuple[float, float] | None:
        """Numbers strictly between these leave the answer as it is; None: any number may change it."""
        infinite = float("inf")
        if self.comparison == "absent":
            return -infinite, infinite
        if self.comparison == "above":
            return (self.threshold - self.hysteresis, infinite) if before else (-infinite, self.threshold)
        if self.comparison == "below":
            return (-infinite, self.threshold + self.hysteresis) if before else (self.threshold, infinite)
        return None


@dataclass(frozen=True, slots=True)
class Transition:
    """A rule moved on for a subject, at a time of the feeder's.

    ``to`` is ``pending`` (it is so, the wait begins), ``firing``, ``resolved`` (it was firing and is over) or
    ``dropped`` (a wait that ended without firing). ``reason`` says what ended it when not the value did.
    """

    track: Track
    to: str
    at: float
    reason: str | None = None


class Track:
    """One rule for one subject. Times are the feeder's: they only rise, and everything else is up to him.

    A value that is unknown is neither true nor false: what pends or fires stays so, but nothing fires or ends until a
    value is known again. A rule on absence is the exception: to it the unknown is what it waits for.
    """

    __slots__ = (
        "clear_since", "due_at", "fired_at", "fires", "is_known", "is_true", "peak", "rule", "since", "state",
        "subject", "times", "value",
    )  # fmt: skip

    def __init__(self, rule: Rule, subject: str) -> None:
        self.rule, self.subject = rule, subject
        self.state = "ok"
        self.is_true = self.is_known = False
        self.since = self.fired_at = self.clear_since = self.due_at = None  # type: float | None
        self.value: Value = None
        self.peak: Value = None
        self.fires: tuple[float, ...] = ()
        self.times: deque[float] | None = deque(maxlen=MOST_COUNTED) if rule.comparison == "count_at_least" else None

    def restore(self, state: str, since: float, fired_at: float | None, peak: Value = None) -> None:
        """Go on from before a restart: nothing is known yet, so nothing happens before a value does."""
        self.state, self.since, self.fired_at, self.peak = state, since, fired_at, peak
        self.is_true, self.is_known, self.clear_since = True, False, None

    def observe(self, value: Value, at: float) -> str | None:
        """Take a value; the transition, if any."""
        self.is_known = value is not None or self.rule.comparison == "absent"
        self.note(value)
        if not self.is_known:
            return None
        self.is_true = self.rule.holds(value, self.is_true)
        return self.advance(at)

    def note(self, value: Value) -> None:
        """Keep the last known value and the worst one."""
        if value is None:
            return
        self.value = value
        if self.state != "ok" and isinstance(value, int | float):
            worse = min if self.rule.comparison == "below" else max
            self.peak = worse(self.peak, value) if isinstance(self.peak, int | float) else value

    def advance(self, at: float) -> str | None:
        """What the time alone changes; called at ``due`` or later."""
        if not self.is_known:
            return None
        if self.is_true:
            self.clear_since = None
            if self.state == "ok":
                self.state, self.since, self.peak = "pending", at, None
                self.note(self.value)
                return self._fire(at) or "pending"
            return self._fire(at) if self.state == "pending" else None
        if self.state == "pending":
            return self.reset("dropped")
        if self.state == "firing":
            if self.clear_since is None:
                self.clear_since = at
            if at >= self.clear_since + self.clear_for_s:
                return self.reset("resolved")
        return None

    def _fire(self, at: float) -> str | None:
        assert self.since is not None
        if at < self.since + self.rule.for_s:
            return None
        self.state, self.fired_at = "firing", at
        self.fires = (*self.fires[1 - FLAPS :], at)
        return "firing"

    @property
    def clear_for_s(self) -> float:
        """How long it must be well to end; longer while it flutters."""
        is_fluttering = len(self.fires) == FLAPS and self.fires[-1] - self.fires[0] <= FLAPS_S
        return max(self.rule.clear_for_s, CALM_S) if is_fluttering else self.rule.clear_for_s

    def reset(self, to: str) -> str:
        """Begin anew; times and values of the last alert stay readable until the next one begins."""
        self.state, self.clear_since = "ok", None
        self.is_true = False
        return to

    def due(self) -> float | None:
        """When time alone changes something, if no value comes."""
        if not self.is_known:
            return None
        if self.state == "pending" and self.is_true:
            assert self.since is not None
            return self.since + self.rule.for_s
        if self.clear_since is not None:
            return self.clear_since + self.clear_for_s
        return None
