"""Whether a link is used: what probes, its device and the page of a portal say becomes one state. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from remsim.links.probes.plan import ProbeResult, Quality


@dataclass(frozen=True, slots=True)
class Limits:
    """When a link's state changes.

    ``down`` misses in a row and ``down_s`` of silence take it out, ``up`` answers bring it back: twice as many for each
    failure in ten minutes, up to a minute's. ``failback_s`` is waited beside that after a failure. Losses and round
    trips above the first limit make it ``degraded``, below the second ``up`` again. ``waits_for_portal``: it is not up
    before a page was asked for.
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
    """A state that began. ``first_miss_at`` is when the first probe of those that mattered was missed (monotonic)."""

    state: str
    before: str
    at_monotonic: float
    reason: str
    first_miss_at: float | None = None

    @property
    def is_failure(self) -> bool:
        """Whether flows have to leave it."""
        return self.before in ("up", "degraded") and self.state not in ("up", "degraded")


class Health:
    """The state of one link (one of core.routes.STATES), since when (monotonic) and why.

    Everything is told with its time and answers with the change it made, or None. Not for several threads at once.
    """

    def __init__(self, limits: Limits, now: float) -> None:
        self.limits = limits
        self.state = "starting"
        self.since = now
        self.reason: str | None = None
        self.failures = 0

    def feed(self, result: ProbeResult) -> Change | None:
        """A probe was answered or missed."""

    def device(self, is_there: bool, is_up: bool, at: float, reason: str | None = None) -> Change | None:
        """Its device came, went, or lost its carrier, address or network: that needs no probe."""

    def portal(self, is_portal: bool | None, at: float) -> Change | None:
        """A page was asked for: True when something else answered in its place, None when it could not be told."""

    def quality(self, quality: Quality, at: float) -> Change | None:
        """What the last probes say of loss and round trips."""

    def enable(self, is_enabled: bool, at: float) -> Change | None:
        """The admin switches it on or off."""

    def tick(self, at: float) -> Change | None:
        """Time passed; to be called each second or so."""
