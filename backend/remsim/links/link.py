"""One link as the control loop keeps it: its device, its health, what it carries."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from remsim.config.routing import LinkSettings, RoutingSettings
from remsim.core.routes import USABLE, Flow, LinkView
from remsim.links.facts import ModemFacts
from remsim.links.health import Change, Health, Limits
from remsim.links.ledger import UNKNOWN as NO_MONEY
from remsim.links.ledger import Money
from remsim.links.load.capacity import Capacity, Floor
from remsim.links.load.flows import LinkLoad
from remsim.links.load.scores import Known
from remsim.links.load.timing import TimeFactor
from remsim.links.now import LinkNow
from remsim.links.plane import Addresses, LinkRoute
from remsim.links.probes.plan import UNKNOWN, ProbePlan, ProbeResult, Quality
from remsim.links.probes.wanted import limits_of, plan_of

RAMP_S, RAMP = 10.0, 0.5
"""A link that is back has half of its share for so long."""
SPENT_BYTES, SPENT_S = 1_000_000, 2.0
"""A link with a hard cap that falls silent has used it up where no more is left than this, or than it carries in so
long: the kernel's quota and what is counted differ by as much."""
STALE_S = 2.0
"""A round trip older than this tells nothing of a queue."""


class Link:
    """A link. Probes are told from the prober's thread, all else from the control thread; ``index`` stays its own."""

    def __init__(self, index: int, settings: LinkSettings, at: float) -> None:
        self.index = index
        self.settings = settings
        self.health = Health(Limits(), at)
        self.device: str | None = None
        self.addresses: Addresses | None = None
        self.facts: ModemFacts | None = None
        self.plan: ProbePlan | None = None
        self.has_route = True
        self.is_cut = True
        self.left: list[Flow] = []
        """Its flows when it failed as the last link."""
        self.is_forgotten = False
        """Whether the kernel has forgotten those, as it does when a device goes down."""
        self.back_at = float("-inf")
        self.was_used = False
        self.was_spent = False
        self.told: str | None = None
        """The state that an event told last."""
        self.rx_bps: float | None = None
        self.tx_bps: float | None = None
        self.counted: tuple[int, int] | None = None
        self.quality = UNKNOWN
        self.money: Money = NO_MONEY
        self.uptime_percent: float | None = None
        self.floor = Floor()
        self.time = TimeFactor()
        self.down, self.up = capacities(settings)
        self._answered_at = float("-inf")
        self._lock = threading.Lock()

    def configure(self, settings: LinkSettings) -> None:
        """Take changed settings; what was learned stays."""
        if (settings.down_kbit, settings.up_kbit) != (self.settings.down_kbit, self.settings.up_kbit):
            self.down, self.up = capacities(settings)
        self.settings = settings

    def change(self, tell: Callable[[Health], Change | None]) -> Change | None:
        """Tell its health something."""
        with self._lock:
            return tell(self.health)

    def probed(self, result: ProbeResult) -> Change | None:
        """A probe was answered or missed; in the prober's thread."""
        if result.rtt_ms is not None:
            self._answered_at = result.at_monotonic
        return self.change(lambda health: health.feed(result))

    def planned(self, wanted: RoutingSettings, resolvers: tuple[str, ...], *, is_simulated: bool) -> ProbePlan:
        """How it is to be probed now."""
        has = self.addresses
        self.plan = plan_of(
            wanted,
            self.settings,
            self.index,
            None if is_simulated else self.device,
            resolvers=resolvers,
            has4=has is None or has.address4 is not None or has.address6 is None,
            has6=has is not None and has.address6 is not None,
        )
        self.health.limits = limits_of(wanted, self.plan)
        return self.plan

    def route(self, resolvers: tuple[str, ...]) -> LinkRoute | None:
        """What the plane has to know; None without a device. Its resolvers are its own while it works: many are public,
        and answer over other links too."""
        if self.device is None or not self.settings.enabled:
            return None
        settings, gateway = self.settings, self.settings.gateway
        is_slow = self.money.cap_state == "slow"
        return LinkRoute(
            self.index,
            settings.name,
            self.device,
            gateway4=gateway if gateway and ":" not in gateway else None,
            gateway6=gateway if ":" in gateway else None,
            dns=(settings.dns or resolvers) if self.state in USABLE else (),
            hard_cap_bytes=self.money.remaining_bytes if settings.cap_hard else None,
            limit_kbit=settings.slow_kbit if is_slow else None,
            is_metered=settings.metered,
            ipv6=settings.ipv6,
        )

    @property
    def state(self) -> str:
        """One of core.routes.STATES: a link that answers but has no route yet is not up."""
        state = self.health.state
        return "down" if state in ("up", "degraded") and not self.has_route else state

    @property
    def reason(self) -> str | None:
        """Why it is in its state."""
        if self.health.state in ("up", "degraded") and not self.has_route:
            return "it answers, but there is no route over it"
        return self.health.reason

    @property
    def is_spent(self) -> bool:
        """Whether its hard cap is used up, so that the kernel lets nothing pass, probes neither."""
        left = self.money.remaining_bytes
        if not self.settings.cap_hard or left is None:
            return False
        slack = SPENT_BYTES + SPENT_S * ((self.rx_bps or 0.0) + (self.tx_bps or 0.0)) / 8
        return left <= 0 or (self.health.is_silent and left <= slack) or (self.was_spent and left <= SPENT_BYTES)

    def has_queue(self, at: float) -> bool | None:
        """Whether packets wait in it; None when no probe tells."""
        if at - self._answered_at > STALE_S:
            return None
        return self.floor.has_queue(self.quality.latency_ms)

    def known(self, at: float, load: LinkLoad) -> Known:
        """What rings weigh beside the view."""
        return Known(
            is_firm=self.down.is_firm(at),
            rate_bps=load.rx_bps or self.rx_bps,
            floor_ms=self.floor.ms,
            young=load.young,
            time_factor=self.time.value,
            ramp=RAMP if at - self.back_at < RAMP_S else 1.0,
        )

    def view(self, load: LinkLoad, families: tuple[int, ...] = ()) -> LinkView:
        """What is known of it now."""
        settings, facts, money, quality = self.settings, self.facts, self.money, self.quality
        down_bps, up_bps = self.down.bps, self.up.bps
        if money.cap_state == "slow" and settings.slow_kbit:
            down_bps = min(down_bps or settings.slow_kbit * 1000.0, settings.slow_kbit * 1000.0)
            up_bps = min(up_bps or settings.slow_kbit * 1000.0, settings.slow_kbit * 1000.0)
        return LinkView(
            self.index,
            settings.name,
            settings.title,
            self.state,
            self.device,
            settings.weight,
            settings.priority,
            settings.tags,
            settings.metered,
            carrier=settings.carrier or (facts.carrier if facts else None),
            plmn=facts.plmn if facts else None,
            home_plmn=facts.home_plmn if facts else None,
            country=settings.country or (facts.country if facts else None),
            is_roaming=facts.is_roaming if facts else None,
            latency_ms=quality.latency_ms,
            jitter_ms=quality.jitter_ms,
            loss_percent=quality.loss_percent,
            uptime_percent=self.uptime_percent,
            down_bps=down_bps,
            up_bps=up_bps,
            rx_bps=self.rx_bps,
            tx_bps=self.tx_bps,
            flows=load.flows,
            busy_flows=load.busy,
            cost_per_gb_minor=money.cost_per_gb_minor,
            overage_per_gb_minor=money.overage_per_gb_minor,
            currency=money.currency,
            remaining_bytes=money.remaining_bytes,
            reset_s=money.reset_s,
            cap_state=money.cap_state,
            cap_bytes=money.cap_bytes,
            cycle_s=money.cycle_s,
            families=families,
        )

    def now(self, view: LinkView, wall_offset: float) -> LinkNow:
        """A snapshot; ``wall_offset`` makes wall time of monotonic."""
        plan, addresses, gateway = self.plan, self.addresses, self.settings.gateway
        if addresses is not None and ":" in gateway:
            addresses = replace(addresses, gateway6=gateway)
        elif addresses is not None and gateway:
            addresses = replace(addresses, gateway4=gateway)
        return LinkNow(
            self.settings,
            view,
            self.health.since + wall_offset,
            self.reason,
            self.health.failures,
            self.down.source,
            addresses,
            self.quality,
            tuple(dict.fromkeys(one.host for one in plan.targets)) if plan else (),
        )

    def take(self, quality: Quality, at: float) -> None:
        """What the last probes say; the shortest round trip is remembered."""
        self.quality = quality
        if at - self._answered_at <= STALE_S:
            self.floor.feed(at, quality.latency_ms)


def capacities(settings: LinkSettings) -> tuple[Capacity, Capacity]:
    """Down and up, as configured or to be learned."""
    down, up = settings.down_kbit, settings.up_kbit
    return Capacity(down * 1000.0 if down else None), Capacity(up * 1000.0 if up else None)
