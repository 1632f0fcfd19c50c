"""What the control thread does: looks at flows and links, keeps rings, moves flows off a link that fails.

Knows no thread: Control calls it, one call at a time. Times are monotonic seconds.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from remsim.config.routing import LinkSettings, Routing, RoutingSettings
from remsim.core.clock import Clock
from remsim.core.errors import RemsimError
from remsim.core.events import Event
from remsim.core.routes import SLOTS, USABLE, LinkView, Loaded, Program, RingSpec
from remsim.links.counting import Counting
from remsim.links.facts import Around
from remsim.links.failover import SPENT, Failover, because, is_gone
from remsim.links.finding import NOTHING_FOUND, Found
from remsim.links.health import Change
from remsim.links.ledger import Ledger
from remsim.links.link import Link
from remsim.links.load.flows import Arrivals, FlowMeter
from remsim.links.load.keeper import Rings
from remsim.links.load.rings import BLOCKED as REFUSED
from remsim.links.load.rings import Ring, Rules
from remsim.links.load.scores import PAGE_OCTETS, ROUND_TRIPS, Known, candidates
from remsim.links.load.timing import Pages
from remsim.links.plane import Addresses, LinkRoute, Plane, PlaneOptions, able_of
from remsim.links.probes.prober import Prober
from remsim.links.uptime import Uptime

log = logging.getLogger(__name__)

POLL_S, IDLE_POLL_S, MOST_POLL_S = 0.25, 0.5, 3.0
TICK_S, LOOK_S, LAN_S, LAN_TIMEOUT_S = 1.0, 5.0, 10.0, 30
SHARE_OF_CORE = 0.04
"""Looking at flows takes no more than this of the time: with very many of them it is done more rarely."""
IDLE_BPS = 50_000.0


class Sharing:
    """Links that share traffic. ``views``, ``meter`` and ``rings`` are read by other threads."""

    def __init__(
        self,
        plane: Plane,
        prober: Prober,
        around: Around,
        clock: Clock,
        emit: Callable[[Event], None],
        *,
        uptime: Uptime | None,
        ledger: Ledger,
        simulated: bool,
    ) -> None:
        self._plane, self._prober, self._around, self._clock, self._emit = plane, prober, around, clock, emit
        self._uptime, self._ledger, self._simulated = uptime, ledger, simulated
        self._settings = RoutingSettings()
        self._rules = Rules()
        self._program = Program()
        self._found = NOTHING_FOUND
        self._started_with: tuple[tuple[str, ...], PlaneOptions] | None = None
        self._routes: tuple[LinkRoute, ...] = ()
        self._gone: list[Link] = []
        self._is_loaded = False
        self._polled_at: float | None = None
        self._pages = Pages()
        self._poll_at = self._tick_at = self._look_at = self._lan_at = float("-inf")
        self._poll_cost_s = self._swap_cost_s = 0.0
        self._is_idle = False
        self.links: Mapping[int, Link] = {}
        self.views: tuple[LinkView, ...] = ()
        self._weighed: Mapping[int, Known] = {}
        """What links were known by when rings were worked out last."""
        self.meter = FlowMeter()
        self.failover = Failover(plane, self.meter, clock, emit)
        self.rings = Rings()
        self.counting = Counting(plane, prober, ledger, simulated=simulated)
        self.pressing: tuple[Mapping[str, str | None], ...] = ()
        """What an admin should see now."""
        self.ticks: list[Callable[[Sequence[LinkView]], None]] = []
        self.on_device: Callable[[str], None] = lambda device: None

    # -- what others want -------------------------------------------------------------------------------------------

    def configure(self, routing: Routing, found: Found) -> None:
        """Put settings in force, the first time too; ``PlaneRefused``, ``PlaneError``."""
        at, wanted = self._clock.monotonic(), routing.globals
        self._settings, self._found = wanted, found
        self._rules = Rules(
            "measured" if wanted.algorithm == "weighted" and wanted.weights == "measured" else wanted.algorithm,
            wanted.last_resort,
            wanted.prefer_low_latency,
            wanted.interactive_link_free,
            wanted.router_country,
        )
        started = (self.lan, PlaneOptions(wanted.router_traffic, wanted.nat))
        if started != self._started_with:
            self._plane.start(started[0], on_device=lambda device: self.on_device(device), options=started[1])
            self._started_with, self._routes, self._is_loaded = started, (), False
        for link in self._take(routing.by_number, at):
            self._prober.unwatch(link.index)
            self._gone.append(link)
        self.rings.set(self._program, wanted.persistence)
        self._look(at)
        self._set_links()
        self._refresh(at)
        self._load()
        while self._gone:
            self.failover.cut(self._gone.pop(), at)
        self._lan_at = self._poll_at = self._tick_at = float("-inf")

    def stop(self) -> None:
        """Leave the machine as it was found."""
        if self._started_with is not None:
            self._started_with, self._is_loaded = None, False
            self._plane.stop([one.flow for one in self.meter.live() if one.rx_bps or one.tx_bps])

    def load(self, program: Program) -> Loaded:
        """Put policies in force; with ``PlaneError`` those before stay."""
        before, self._program = self._program, program
        try:
            self.rings.set(program, self._settings.persistence)
            self._refresh(self._clock.monotonic())
            return self._load()
        except RemsimError:
            self._program = before
            self.rings.set(before, self._settings.persistence)
            self._refresh(self._clock.monotonic())
            raise

    def remember(self, program: Program) -> None:
        """Put policies in force as soon as there is something to put them into."""
        self._program = program

    def act(self, index: int, action: str) -> None:
        """See Control.act."""
        link, at = self.links[index], self._clock.monotonic()
        if action == "test":
            self._prober.restart(index)
        else:
            self.failover.cut(link, at)

    def found(self, found: Found) -> None:
        """Devices of interfaces, the LAN's, or resolvers are others than before."""
        self._found = found
        self._lan_at = self._look_at = float("-inf")

    def device(self, name: str) -> None:
        """A device came, went or changed; have a look now, also at the others: they may have gone with it. Without a
        name any may have changed."""
        at = self._clock.monotonic()
        changed = [link for link in self.links.values() if name in ("", link.device)]
        if changed:
            self._look(at)
        for link in changed:
            self._ensure(link)
            self._settle(link, None, at)
        self._set_links()

    def changed(self, link: Link, change: Change) -> None:
        """What a link's probes said made it change."""
        at = self._clock.monotonic()
        if self.links.get(link.index) is not link:
            return
        if link.is_spent != link.was_spent:
            self._seen(link, at)()
        else:
            self._settle(link, change, at)

    # -- the loop ---------------------------------------------------------------------------------------------------

    def turn(self) -> float:
        """Do what is due; how long until something is again."""
        at = self._clock.monotonic()
        if at >= self._tick_at:
            self._tick_at = at + TICK_S
            self._tick(at)
        if at >= self._poll_at:
            self._poll(at)
            self._poll_at = at + self.period_s
        return max(0.0, min(self._tick_at, self._poll_at) - self._clock.monotonic())

    @property
    def period_s(self) -> float:
        """Between two looks at flows."""
        least = IDLE_POLL_S if self._is_idle else POLL_S
        return min(MOST_POLL_S, max(least, (self._poll_cost_s + self._swap_cost_s) / SHARE_OF_CORE))

    def loop(self) -> dict[str, float]:
        """What the loop takes, for the status."""
        return {
            "period_s": round(self.period_s, 3),
            "poll_ms": round(self._poll_cost_s * 1000, 3),
            "swap_ms": round(self._swap_cost_s * 1000, 3),
        }

    def _poll(self, at: float) -> None:
        """Flows, rates, rings."""
        begin = time.thread_time()
        arrivals = self.meter.update(self._plane.flows(), at)
        busy = any(one.busy for one in self.meter.links.values())
        if self._polled_at is not None and at > self._polled_at:
            self._pages.feed(arrivals.pages, at - self._polled_at, is_bulk_busy=busy)
        self._polled_at = at
        self.rings.arrived(arrivals.flows)
        self.counting.flows_moved(arrivals.octets)
        self._learn_times(arrivals)
        self._refresh(at, is_quick=True)
        self._poll_cost_s += 0.2 * (time.thread_time() - begin - self._poll_cost_s)
        loads = self.meter.links.values()
        self._is_idle = not arrivals.flows and sum(one.rx_bps + one.tx_bps for one in loads) < IDLE_BPS
        self._swap(at)

    def _tick(self, at: float) -> None:
        """Once a second: counters, capacities, healths; then those who asked for it."""
        self.counting.count(self.links.values(), self.meter, at)
        for link in self.links.values():
            link.money = self._ledger.money(link.index)
            if link.is_spent != link.was_spent:
                self._seen(link, at)()
        if at >= self._look_at:
            self._look_at = at + LOOK_S
            self._look(at)
            self._set_links()
            for link in self.links.values():
                self._ensure(link)
            self._watch_pressing()
        else:
            for link in self.links.values():
                if link.settings.modem and self._around.facts(link.settings) != link.facts:
                    self._seen(link, at)()
        for link in self.links.values():
            quality = self._prober.quality(link.index)
            link.take(quality, at)
            if self._uptime is not None:
                link.uptime_percent = self._uptime.percent(link.settings.name)
            changes = (
                link.change(lambda health, quality=quality: health.quality(quality, at)),  # type: ignore[misc]
                link.change(lambda health: health.tick(at)),
            )
            for change in changes:
                self._settle(link, change, at)
        if at >= self._lan_at:
            self._lan_at = at + LAN_S
            if self.lan:
                self._plane.add("lan", self.lan, LAN_TIMEOUT_S)
        self._see()
        self._tell()

    def _watch_pressing(self) -> None:
        """Tell of what began to be pressing."""
        known = {one["code"] for one in self.pressing}
        self.pressing = tuple(self._plane.pressing())
        for one in self.pressing:
            if one["code"] not in known:
                message = f"{one['message']} {one['hint']}"
                self._emit(Event("conntrack", "remsim", self._clock.now(), message, "warning", {"code": one["code"]}))

    def _tell(self) -> None:
        for tick in self.ticks:
            try:
                tick(self.views)
            except Exception:  # one that fails must not end the others, or the loop
                log.exception("a follower of links failed")

    def _learn_times(self, arrivals: Arrivals) -> None:
        """How long short transfers took, against what was expected."""
        if not arrivals.transfers:
            return
        known = {one.index: one for one in candidates(self.views, self._known(self._clock.monotonic()))}
        for transfer in arrivals.transfers:
            one, link = known.get(transfer.link), self.links.get(transfer.link)
            if one is not None and link is not None:
                page_s = one.page_s() / one.time_factor
                first_s = ROUND_TRIPS * one.latency_ms / 1000
                link.time.feed(transfer.seconds, first_s + (page_s - first_s) * transfer.octets / PAGE_OCTETS)

    # -- links ------------------------------------------------------------------------------------------------------

    def _take(self, wanted: Mapping[int, LinkSettings], at: float) -> list[Link]:
        """Links as they are written; those that are gone."""
        before, now = self.links, {}
        for index, settings in wanted.items():
            link = before.get(index)
            if link is None or link.settings.name != settings.name:
                link = Link(index, settings, at)
            link.configure(settings)
            now[index] = link
        self.links = now
        for link in now.values():
            change = link.change(lambda health, link=link: health.enable(link.settings.enabled, at))  # type: ignore[misc]
            self._settle(link, change, at)
        if self._uptime is not None:
            self._uptime.keep_only(frozenset(one.settings.name for one in now.values()))
        return [link for index, link in before.items() if now.get(index) is not link]

    def _look(self, at: float) -> None:
        """What device each link has, and what that has. Flows are moved when all have been looked at, so that none is
        moved to a link that has gone too."""
        for follow in [self._seen(link, at) for link in self.links.values()]:
            follow()

    def _seen(self, link: Link, at: float) -> Callable[[], None]:
        """Look at one; what is to be called to follow what was seen."""
        link.facts = self._around.facts(link.settings)
        device = self._device_of(link)
        other = next(
            (one for one in self.links.values() if one.index < link.index and one.device == device and device), None
        )
        is_taken = other is not None or device in self.lan
        addresses = self._plane.addresses(device) if device is not None and not is_taken else None
        before = (link.device, link.addresses)
        link.device, link.addresses = None if is_taken else device, addresses
        reason = None
        if other is not None:
            reason = f"{device} is the device of {other.settings.name} already"
        elif device in self.lan:
            reason = f"{device} is a device of the LAN"
        elif link.facts is not None and link.facts.is_online is False:
            reason = "its modem is not registered for data"
        elif link.is_spent:
            reason = SPENT
        if link.was_spent and not link.is_spent:
            self._prober.restart(link.index)
        link.was_spent = link.is_spent
        is_up = addresses is not None and addresses.is_up and reason is None
        change = link.change(lambda health: health.device(link.device is not None, is_up, at, reason))
        return partial(self._follow, link, change, before, at)

    def _follow(
        self, link: Link, change: Change | None, before: tuple[str | None, Addresses | None], at: float
    ) -> None:
        """Have a link probed, led and used as its device is now; ``before``: its device, and what that had."""
        is_new, addresses = before != (link.device, link.addresses), link.addresses
        if link.settings.enabled and link.device is not None:
            resolvers = self._resolvers(link)
            self._prober.watch(link.index, link.planned(self._settings, resolvers, is_simulated=self._simulated))
            if is_new:
                self._prober.restart(link.index)
        else:
            self._prober.unwatch(link.index)
        if is_new and link.was_used:
            self._ensure(link)
        self._settle(link, change, at)
        link.is_forgotten |= not link.is_cut and (is_gone(addresses) or has_moved(before[1], addresses))
        if link.was_used and has_moved(before[1], addresses):
            self.failover.cut(link, at)  # the kernel has forgotten them, and replies to the old address come no more

    def _device_of(self, link: Link) -> str | None:
        if link.settings.device:
            return link.settings.device
        if link.settings.interface:
            return self._found.devices.get(link.settings.interface)
        return link.facts.device if link.facts else None

    def _resolvers(self, link: Link) -> tuple[str, ...]:
        return self._found.resolvers.get(link.settings.interface, ())

    @property
    def lan(self) -> tuple[str, ...]:
        """The devices whose traffic is led."""
        return self._settings.lan or self._found.lan

    def _set_links(self) -> None:
        """Tell the plane of links when they are others."""
        routes = [link.route(self._resolvers(link)) for link in self.links.values()]
        wanted = tuple(one for one in routes if one is not None)
        if wanted != self._routes:
            self._plane.set_links(wanted)
            self._routes = wanted

    def _ensure(self, link: Link) -> None:
        """Have its route (again)."""
        route = link.route(self._resolvers(link))
        if route is not None:
            link.has_route = self._plane.ensure_route(route)

    def _settle(self, link: Link, change: Change | None, at: float) -> None:
        """Follow a link's state: rings first, then its flows, then the news."""
        if link.health.state in USABLE and not link.was_used:
            self._ensure(link)
        is_used = link.state in USABLE
        if link.was_used != is_used:
            self._look_at = float("-inf")  # what the plane knows of it depends on that; traffic comes first
        if link.was_used and not is_used:
            link.was_used = False
            self._refresh(at)
            self._swap(at, is_urgent=True)
            self.failover.fail(link, change, [one.name for one in self.views if one.is_usable], at)
        elif is_used and not link.was_used:
            link.was_used = True
            self._return(link, at)
        elif change is not None:
            self._refresh(at)
            self._swap(at, is_urgent=True)
            if link.state not in ("starting", link.told):  # one that comes and goes is news once
                self.failover.say("link_state", link, f"{link.settings.name} is {link.state}{because(link.reason)}", {})

    def _return(self, link: Link, at: float) -> None:
        is_lost = not link.is_cut and link.is_forgotten
        is_first = not any(one.was_used for one in self.links.values() if one is not link)
        link.is_cut = True
        if link.health.failures:
            link.back_at = at
        self._refresh(at)
        self._swap(at, is_urgent=True)
        self.failover.back(link, self.links.values(), at, is_lost=is_lost, is_first=is_first)
        self._tell()

    # -- rings ------------------------------------------------------------------------------------------------------

    def slots(self, spec: RingSpec, family: int | None) -> tuple[int, ...]:
        """What a ring gives new flows of a family (None: any) to, also one that is not there; any thread may ask."""
        if spec.policy is None:
            spec = replace(spec, persistence=self._settings.persistence)
        slots = self.rings.slots_like(spec)
        if slots is None:
            slots = Ring(spec).choose(self.views, self._weighed, self._rules, self._clock.monotonic()).written
        if family is None:
            return slots[:SLOTS]
        is_strict = any(choice.is_strict for choice in spec.choices)
        able = able_of(slots[:SLOTS], slots[SLOTS:], {0, *self._plane.able(family)})
        return tuple(able) or (REFUSED if is_strict and slots else ())

    def resolver_of(self, address: str) -> str | None:
        """The one link whose own resolver an address is; any thread may ask."""
        found = [route.name for route in self._routes if address in route.dns]
        return found[0] if len(found) == 1 else None

    def _known(self, at: float) -> dict[int, Known]:
        return {index: link.known(at, self.meter.carries(index)) for index, link in self.links.items()}

    def _refresh(self, at: float, *, is_quick: bool = False) -> None:
        """Views and rings from what is known now."""
        self._see()
        rules = replace(self._rules, pages_bps=self._pages.bps if self._pages.are_expected else None)
        self._weighed = self._known(at)
        self.rings.choose(self.views, self._weighed, rules, at, is_quick=is_quick)

    def _see(self) -> None:
        able = {family: self._plane.able(family) for family in (4, 6)}
        self.views = tuple(
            link.view(self.meter.carries(index), tuple(family for family, ours in able.items() if index in ours))
            for index, link in self.links.items()
        )

    def _swap(self, at: float, *, is_urgent: bool = False) -> None:
        """Write rings that should be others."""
        wanted = self.rings.due(at, is_urgent=is_urgent)
        if not wanted or not self._is_loaded:
            return
        begin = time.monotonic()
        try:
            self._plane.swap(wanted)
        except RemsimError as error:
            log.warning("rings could not be changed: %s", error.message)
            return
        self._swap_cost_s += 0.2 * (time.monotonic() - begin - self._swap_cost_s)
        self.rings.written(wanted, at)

    def _load(self) -> Loaded:
        loaded = self._plane.load(self._program, self.rings.defaults, self.rings.slots())
        self._is_loaded = True
        self.rings.loaded(self._clock.monotonic())
        return loaded


def has_moved(before: Addresses | None, now: Addresses | None) -> bool:
    """Whether a device has lost its address of IPv4, or has another one of a family than it had.

    When an address goes, the kernel forgets what was masqueraded by it, also where it comes again at once.
    """
    if before is None or now is None:
        return False
    lost4 = before.address4 is not None and now.address4 != before.address4
    return lost4 or bool(before.address6 and now.address6 and now.address6 != before.address6)
