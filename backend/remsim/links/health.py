"""Whether a link is used: what probes, its device and the page of a portal say becomes one state. Pure.

::

    starting --answers, page seen--> up <--quality--> degraded
        ^                             |                  |
        |      misses and silence, device, portal        |
        +---- down, no_device, portal <------------------+
"""

from __future__ import annotations

from remsim.core.routes import USABLE
from remsim.core.small_dataclass import dataclass
from remsim.links.probes.plan import ProbeResult, Quality

FLAP_MEMORY_S = 600.0
MOST_HELD_S = 60.0
PORTAL_WAIT_S = 10.0
"""So long a link waits to be told of a portal; then it is used."""
DEGRADED_AFTER_S, BETTER_AFTER_S = 3.0, 5.0


@dataclass(frozen=True, slots=True)
class Limits:
    """When a link's state changes.

    ``down`` misses in a row (more on a link that loses many) and ``down_s`` of silence take it out. ``up`` answers
    bring it back, watched for at least as many periods; for twice as long with each further failure in ten minutes, up
    to a minute. ``failback_s`` is the least wait after a failure. Losses and round trips above the first limit make
    it ``degraded``, below the second ``up`` again. ``waits_for_portal``: it is not up before a page was asked for.
    """

    down: int = 3
    down_s: float = 0.6
    up: int = 10
    period_s: float = 0.2
    failback_s: float = 0.0
    loss_percent: tuple[float, float] = (25.0, 10.0)
    latency_ms: tuple[float, float] = (1000.0, 500.0)
    waits_for_portal: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A state that began. ``silent_since`` is the last sign of life before it, where silence made it (monotonic)."""

    state: str
    before: str
    at_monotonic: float
    reason: str | None
    silent_since: float | None = None

    @property
    def is_failure(self) -> bool:
        """Whether flows have to leave it."""
        return self.before in USABLE and self.state not in USABLE


class Health:
    """The state of one link (one of core.routes.STATES), since when (monotonic) and why.

    Everything is told with its time and answers with the change it made, or None. Not for several threads at once.
    ``failures`` counts how often it went out of use by itself.
    """

    def __init__(self, limits: Limits, now: float) -> None:
        self.limits = limits
        self.state = "starting"
        self.since = now
        self.reason: str | None = None
        self.failures = 0
        self._flaps: list[float] = []
        self._is_enabled = True
        self._is_there = self._is_up = True
        self._device_reason: str | None = None
        self._error: str | None = None
        self._is_alive = False
        self._misses = self._answers = 0
        self._silent_since: float | None = None
        self._first_answer_at: float | None = None
        self._counted_at = -1.0
        self._is_silent = False
        self._has_looked = False
        self._is_portal = False
        self._trouble: str | None = None
        self._turning_since: float | None = None

    def feed(self, result: ProbeResult) -> Change | None:
        """A probe was answered or missed."""
        at = result.at_monotonic
        if result.is_answered:
            self._misses, self._silent_since, self._error = 0, None, None
            if result.kind != "traffic":
                self._count_answer(at)
        else:
            self._misses += 1
            if self._silent_since is None:
                self._silent_since = at - result.silent_s
            if result.error in ("no_device", "net_down"):
                self._error = result.error
                self._lose()
            elif self._misses >= max(self.limits.down, result.needed) and result.silent_s >= self.limits.down_s:
                self._is_silent = True
                self._lose()
        return self._settle(at)

    def device(self, is_there: bool, is_up: bool, at: float, reason: str | None = None) -> Change | None:
        """Its device came, went, or lost its carrier, address or network: that needs no probe."""
        if is_there and is_up:
            self._error = None
        elif self._is_there and self._is_up:
            self._lose()
        self._is_there, self._is_up, self._device_reason = is_there, is_up, reason
        return self._settle(at)

    def portal(self, is_portal: bool | None, at: float) -> Change | None:
        """A page was asked for: True when something else answered in its place, None when it could not be told."""
        self._has_looked = True
        if is_portal is not None:
            if self._is_portal and not is_portal:
                self._lose()  # it comes back as after any failure: watched for a while
                self._has_looked = True
            self._is_portal = is_portal
        return self._settle(at)

    def quality(self, quality: Quality, at: float) -> Change | None:
        """What the last probes say of loss and round trips."""
        trouble = self._trouble_of(quality) if self._is_alive else None
        if (trouble is None) == (self._trouble is None):
            self._turning_since = None
            self._trouble = trouble
        elif self._turning_since is None:
            self._turning_since = at
        elif at - self._turning_since >= (DEGRADED_AFTER_S if trouble else BETTER_AFTER_S):
            self._trouble, self._turning_since = trouble, None
        return self._settle(at)

    def enable(self, is_enabled: bool, at: float) -> Change | None:
        """The admin switches it on or off."""
        if self._is_enabled != is_enabled:
            self._lose()  # answers on their way when it was switched off count no more than those before
            self._is_portal &= is_enabled
        self._is_enabled = is_enabled
        return self._settle(at)

    @property
    def is_silent(self) -> bool:
        """Whether its probes are not answered."""
        return self._is_silent

    def tick(self, at: float) -> Change | None:
        """Time passed; to be called each second or so."""
        return self._settle(at)

    def _count_answer(self, at: float) -> None:
        """Answers of a volley come together: one in half a period counts."""
        if self._is_alive:
            return
        if self._first_answer_at is None:
            self._first_answer_at = at
        if at - self._counted_at >= self.limits.period_s / 2:
            self._counted_at = at
            self._answers += 1
        self._is_silent &= self._answers < self.limits.up

    def _lose(self) -> None:
        """What was known of it counts no more."""
        self._is_alive = False
        self._answers = 0
        self._first_answer_at = None
        self._counted_at = -1.0
        self._has_looked = False
        self._trouble = self._turning_since = None

    def _held_s(self, at: float) -> float:
        """How long answers have to come before it is used."""
        flaps = sum(1 for one in self._flaps if at - one < FLAP_MEMORY_S)
        doubled = self.limits.up * self.limits.period_s * 2.0 ** min(max(flaps - 1, 0), 10)
        held_s = min(doubled, MOST_HELD_S) - self.limits.period_s
        return max(held_s, self.limits.failback_s) if flaps else held_s

    def _settle(self, at: float) -> Change | None:
        if not self._is_alive and self._first_answer_at is not None and not self._is_portal:
            waited_s = at - self._first_answer_at
            held_s = self._held_s(at)
            is_looked_at = self._has_looked or not self.limits.waits_for_portal or waited_s > held_s + PORTAL_WAIT_S
            self._is_alive = self._answers >= self.limits.up and waited_s >= held_s - 1e-6 and is_looked_at
        state, reason = self._verdict(at)
        if state == self.state:
            self.reason = reason if state != "degraded" or self.reason is None else self.reason
            return None
        change = Change(state, self.state, at, reason, None if state in USABLE else self._silent_since)
        if change.is_failure and state != "off":
            self.failures += 1
            self._flaps = [one for one in self._flaps if at - one < FLAP_MEMORY_S] + [at]
        self.state, self.since, self.reason = state, at, reason
        return change

    def _verdict(self, at: float) -> tuple[str, str | None]:
        if not self._is_enabled:
            return "off", "it is switched off"
        if not self._is_there or self._error == "no_device":
            return "no_device", self._device_reason or "its device is not there"
        if not self._is_up or self._error == "net_down":
            return "down", self._device_reason or "its device is down"
        if self._is_silent:
            return "down", "it does not answer" if self.state != "down" or self.reason is None else self.reason
        if self._is_portal:
            return "portal", "something stands between it and the Internet: a page to sign in, or no credit"
        if not self._is_alive:
            return "starting", self._why_not_yet()
        if self._trouble is not None:
            return "degraded", self._trouble
        return "up", None

    def _why_not_yet(self) -> str | None:
        if self._answers >= self.limits.up:
            return "it answers and is watched a little longer"
        return "it begins to answer" if self._answers else None

    def _trouble_of(self, quality: Quality) -> str | None:
        level = 0 if self._trouble is None else 1
        loss, latency = quality.loss_percent, quality.latency_ms
        if loss is not None and loss > self.limits.loss_percent[level]:
            return f"{loss:.0f} % of the probes are lost"
        if latency is not None and latency > self.limits.latency_ms[level]:
            return f"round trips take {latency:.0f} ms"
        return None
