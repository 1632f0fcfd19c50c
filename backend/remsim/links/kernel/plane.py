"""The data plane of the kernel: one nftables table of ours, ip rules, a routing table a link, conntrack."""

from __future__ import annotations

import contextlib
import logging
import re
import socket
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from remsim.core.allocator import give_back
from remsim.core.clock import Clock
from remsim.core.errors import RemsimError
from remsim.core.routes import Flow, Loaded, PolicyCode, Program, RingSpec
from remsim.links.kernel.capabilities import probed
from remsim.links.kernel.common import with_common_sets
from remsim.links.kernel.conntrack import Conntrack
from remsim.links.kernel.crowd import crowding
from remsim.links.kernel.cutting import cut_elements, poke, to_reset
from remsim.links.kernel.deaths import Deaths
from remsim.links.kernel.device_events import EVERYTHING, DeviceEvents
from remsim.links.kernel.in_force import DELETED, InForce
from remsim.links.kernel.iproute import LinkTables, Out
from remsim.links.kernel.neighbours import check_alone, firewall_masquerades, foreign_bits, offloading
from remsim.links.kernel.nft import Nft
from remsim.links.kernel.sysctls import Sysctls
from remsim.links.kernel.table import Table, layout, policy_chains, ring_chains
from remsim.links.kernel.way import Way, way_of
from remsim.links.kernel.wide import Names, wide_names, widened, widened_rules
from remsim.links.note import RUN_DIR, note_path
from remsim.links.plane import USUAL, Addresses, Capability, Cut, LinkRoute, PlaneError, PlaneOptions, PlaneRefused

log = logging.getLogger(__name__)

NET_ADMIN = 1 << 12
"""CAP_NET_ADMIN, linux/capability.h."""
POKES_AFTER_S = 0.6, 1.3
"""A client that has just answered something odd answers nothing odd for half a second (Linux: tcp_invalid_ratelimit);
who has begun again meanwhile is not disturbed, for the sets of cut flows swallow what it says."""
ANSWERS_S = 0.2
"""So long clients of the LAN have to answer before the table goes."""
DEVICE = re.compile(r'[^\s"*/:\\]{1,15}')
QUOTA_SLACK_BYTES, QUOTA_SLACK = 1_000_000, 0.01
"""A quota that has about what it should have left is left alone: making it anew touches the table."""


class KernelPlane:
    """A ``links.plane.Plane``. Its methods are for one thread, but ``on_device`` is called from another."""

    def __init__(self, clock: Clock, *, run_dir: Path = RUN_DIR, root: Path = Path("/")) -> None:
        self._clock = clock
        self._root = root
        self._sysctls = Sysctls(note_path(run_dir))
        self._nft: Nft | None = None
        self._ours: InForce | None = None
        self._conntrack: Conntrack | None = None
        self._tables: LinkTables | None = None
        self._events: DeviceEvents | None = None
        self._options = USUAL
        self._nat = True
        self._foreign = 0
        self._lan: tuple[str, ...] = ()
        self._own: frozenset[str] | None = None
        self._deaths: Deaths | None = None
        self._capabilities: tuple[Capability, ...] = ()
        self._links: dict[int, LinkRoute] = {}
        self._outs: dict[int, Out] = {}
        self._quotas: dict[int, tuple[int, int]] = {}
        """What each hard cap had left when it was made, and what its link had carried then."""
        self._program = Program()
        self._wide: Names = {}
        self._default: tuple[RingSpec, ...] = ()
        self._rings: dict[str, tuple[int, ...]] = {}
        self._to_poke: list[tuple[float, list[Flow]]] = []
        self._is_stale = False
        """Whether a device's way out may have changed since the table was made."""
        self._is_crowded = False
        self._remade_known = 0

    def start(self, lan: Sequence[str], *, on_device: Callable[[str], None], options: PlaneOptions = USUAL) -> None:
        """Look at the kernel and at who else leads packets; ``PlaneRefused``."""
        check_names(lan)
        check_rights()
        check_alone(self._root)
        self._foreign = foreign_bits(self._root)
        self._lan, self._options = tuple(lan), options
        if self._nft is None:
            nft, conntrack = Nft(), Conntrack()
            self._capabilities = probed(nft, conntrack)
            missing = [one for one in self._capabilities if one.is_needed and not one.is_there]
            if missing:
                nft.close()
                conntrack.close()
                raise lacking(missing)
            self._nft, self._ours = nft, InForce(nft, self._layout)
            self._conntrack, self._tables, self._deaths = conntrack, LinkTables(), Deaths(self._clock)
            self._sysctls.start()
            self._events = DeviceEvents(lambda device: self._changed(device, on_device))
        self._nat = options.nat == "on" or (options.nat == "auto" and not firewall_masquerades(self._nft))
        self._is_stale = True

    def stop(self, moving: Sequence[Flow] = ()) -> None:
        """Take the table, the rules, the routes and the settings away: as much of it as can be."""
        events, self._events = self._events, None
        if events is not None:
            events.stop()
        try:
            self._let_go(moving)
        except (OSError, PlaneError) as error:
            log.warning("links: downloads that hang now could not be told: %s", error)
        ours, self._ours, self._nft = self._ours, None, None
        self._remade_known = 0
        if ours is not None:
            ours.close()
        tables, self._tables = self._tables, None
        if tables is not None:
            try:
                tables.clear()
            except OSError as error:
                log.warning("links: rules or routes stay: %s", error)
            tables.close()
        for opened in (self._conntrack, self._deaths):
            if opened is not None:
                opened.close()
        self._conntrack, self._deaths = None, None
        self._sysctls.stop()
        self._links, self._outs, self._quotas, self._to_poke = {}, {}, {}, []
        self._program, self._wide, self._default, self._rings = Program(), {}, (), {}

    def capabilities(self) -> tuple[Capability, ...]:
        """What the kernel has told."""
        return self._capabilities

    def warnings(self) -> list[dict[str, str | None]]:
        """What an admin should see."""
        found = [offloading(self._nft, self._root)] if self._nft is not None else []
        for index, link in self._links.items():
            if link.ipv6 == "nptv6" and self._outs.get(index, Out()).has_neighbours:
                found.append(not_alone(link))
        return [one for one in found if one is not None]

    def pressing(self) -> list[dict[str, str | None]]:
        """Whether there is room for more connections."""
        found = crowding(self._root, is_told=self._is_crowded)
        self._is_crowded = found is not None
        return [] if found is None else [found]

    def set_links(self, links: Sequence[LinkRoute]) -> None:
        """Rules and tables of these links, and the nftables table, which leads nothing before a program is loaded."""
        assert self._tables is not None
        check_names(link.device for link in links)
        self._links = {link.index: link for link in links}
        self._sysctls.devices(link.device for link in links)
        try:
            self._outs = self._tables.set_links(links)
            self._tables.clear_others()
        except OSError as error:
            raise PlaneError(f"the kernel does not take rules or routes of links: {error}") from error
        self._own = None
        self._keep_quotas()
        self._running.put()

    def addresses(self, device: str) -> Addresses:
        """What a device has."""
        assert self._tables is not None
        return self._tables.addresses(device)

    def ensure_route(self, link: LinkRoute) -> bool:
        """Have a link's table lead out by it."""
        assert self._tables is not None
        out = self._tables.lead(link)
        self._is_stale |= self._outs.get(link.index) != out
        self._refresh()
        return out.is_up and (out.carries4 or out.carries6)

    def able(self, family: int) -> Collection[int]:
        """Links whose tables lead out in a family."""
        outs = tuple(self._outs.items())
        if family == 4:
            return [index for index, out in outs if out.carries4]
        off = {index for index, link in tuple(self._links.items()) if link.ipv6 == "off"}
        return [index for index, out in outs if out.carries6 and index not in off]

    def load(self, program: Program, default: Sequence[RingSpec], rings: Mapping[str, Sequence[int]]) -> Loaded:
        """Put a program in force; sets of ranges come before it, in transactions of their own."""
        before = self._program, self._wide, self._default, self._rings
        self._program = with_common_sets(widened(program))
        self._wide, self._default = wide_names(program), tuple(default)
        self._rings = {name: tuple(slots) for name, slots in rings.items()}
        try:
            return Loaded(*self._running.load(self._program.sets))
        except PlaneError:
            self._program, self._wide, self._default, self._rings = before
            with contextlib.suppress(PlaneError):
                self._running.load(self._program.sets)  # the sets that had come go, and others hold what they held
            raise
        finally:
            give_back()

    def prepare(self, program: Program) -> None:
        """Fill the sets of ranges of a program that will be loaded. May take seconds, and any thread may do it."""
        ours = self._ours
        if ours is not None:
            ours.prepare(widened(program).sets)

    def swap(self, rings: Mapping[str, Sequence[int]]) -> None:
        """Write the slots of rings."""
        self._refresh()
        wanted = {**self._rings, **{name: tuple(slots) for name, slots in rings.items()}}
        ways = self._ways()
        chains = ring_chains((one for one in self._default if one.name in rings), wanted, ways)
        if rings.keys() - {one.name for one in self._default}:
            chains |= policy_chains(self._program, wanted, ways)
        self._running.exchange(chains)
        self._rings = wanted

    def refill(self, chains: Mapping[int, Sequence[str]]) -> None:
        """Write the rules of policies."""
        chains = {number: widened_rules(rules, self._wide) for number, rules in chains.items()}
        policies = tuple(refilled(one, chains) for one in self._program.policies)
        program = replace(self._program, policies=policies)
        self._running.exchange(policy_chains(program, self._rings, self._ways()))
        self._program = program

    def add(self, set_name: str, elements: Sequence[str], timeout_s: int | None = None) -> None:
        """Add to a set; what is there already gets the whole time again."""
        ours = self._ours
        if not elements or ours is None or not ours.has_set(set_name):
            return
        ours.refresh(set_name, elements, timeout_s)
        if set_name == "lan":
            ours.refresh("awake", ("ipv4", "ipv6"), timeout_s)
            if self._tables is not None:
                self._tables.restore()

    def counters(self) -> Mapping[str, tuple[int, int]]:
        """What the named counters stand at."""
        return {} if self._ours is None else self._ours.counters()

    @property
    def remade(self) -> int:
        """How often the table was made anew."""
        return 0 if self._ours is None else self._ours.remade

    def flows(self) -> Iterator[Flow]:
        """All flows that links carry, each as it is read."""
        assert self._conntrack is not None and self._tables is not None
        self._refresh()
        self._poke_again()
        if self._own is None:
            self._own = self._tables.own_addresses()
        remade = self.remade
        is_remade = remade != self._remade_known
        there: list[Flow] = []
        for flow in self._conntrack.read(self._own):
            if is_remade:
                there.append(flow)
            yield flow
        if self._deaths is not None:
            self._deaths.listen()  # after the list: what is in neither is told of yet
        if is_remade:
            self._remade_known = remade
            self._begin_again(there)

    def ending(self, link: int) -> list[Flow]:
        """A link's flows, with those that have just been deleted."""
        there = list(self.flows())
        return list({one.key: one for one in (*self._dead(link), *there) if one.link == link}.values())

    def cut(self, link: int, flows: Sequence[Flow], *, only: str | None = None) -> Cut:
        """Forget the flows of a link, and have TCP clients of the LAN begin again."""
        assert self._conntrack is not None
        begin = time.perf_counter()
        there = list(self.flows())
        known = (*flows, *self._dead(link), *there)  # the later the truer: what began as it was seen is under way now
        live = {one.key: one for one in known if one.link == link and only in (None, one.protocol)}
        told = self._to_be_told(live.values())
        problem = self._forget(link, None if only is None else live.values())
        self._tell(told)  # also where flows cannot be forgotten: the reset comes before they matter
        if problem is not None:
            raise PlaneError(f"the kernel did not forget the flows of a link: {problem}")
        return Cut(len(live), len(told), round((time.perf_counter() - begin) * 1000, 3))

    @property
    def _running(self) -> InForce:
        if self._ours is None:
            raise PlaneRefused("links do not carry traffic", hint="Turn them on.")
        return self._ours

    def _to_be_told(self, flows: Iterable[Flow]) -> list[Flow]:
        """Those of them whose clients are told; what they say from now on is answered with a reset."""
        told = to_reset(flows)
        for name, values in cut_elements(told).items():
            self._running.refresh(name, values, None)
        return told

    def _tell(self, told: list[Flow]) -> None:
        """Have clients say something: now and, for those that may not hear it, soon."""
        poke(told)
        at = self._clock.monotonic()
        self._to_poke += [(at + after_s, told) for after_s in POKES_AFTER_S if told]

    def _let_go(self, moving: Sequence[Flow]) -> None:
        """New flows are main's, and so are these: the kernel drops what is masqueraded as it leaves by another
        device, and clients that only wait would not hear of it."""
        if self._tables is None or not moving:
            return
        four, six = (self._tables.main_device(family) for family in (socket.AF_INET, socket.AF_INET6))
        devices = {index: one.device for index, one in self._links.items()}
        elsewhere = [one for one in moving if devices.get(one.link) != (six if ":" in one.source else four)]
        self.swap(dict.fromkeys(self._rings, ()))
        if told := self._to_be_told(elsewhere):
            poke(told)
            time.sleep(ANSWERS_S)

    def _begin_again(self, there: Sequence[Flow]) -> None:
        """While there was no table, flows left by main's default route: the kernel drops those that are masqueraded as
        they leave by another device, and their clients would wait for what does not come."""
        kept = {(one.key, one.link) for one in there}
        lost = [one for link in self._links for one in self._dead(link) if (one.key, one.link) not in kept]
        self._tell(self._to_be_told(lost))

    def _dead(self, link: int) -> list[Flow]:
        return self._deaths.on(link, self._own or ()) if self._deaths is not None else []

    def _forget(self, link: int, flows: Iterable[Flow] | None) -> OSError | None:
        """Delete a link's flows, or just these."""
        assert self._conntrack is not None
        try:
            if flows is None:
                self._conntrack.forget(link)
            for one in flows or ():
                self._conntrack.forget_flow(one)
        except OSError as error:
            return error
        return None

    def _poke_again(self) -> None:
        at = self._clock.monotonic()
        due = [told for when, told in self._to_poke if when <= at]
        self._to_poke = [one for one in self._to_poke if one[0] > at]
        for told in due:
            poke(told)

    def _changed(self, device: str, on_device: Callable[[str], None]) -> None:
        """In the thread of events: routes at once, the rest is the control thread's."""
        tables = self._tables
        if tables is not None:
            tables.restore(None if device == EVERYTHING else device)
        self._own = None
        if device == EVERYTHING or device in self._lan or any(one.device == device for one in self._links.values()):
            self._is_stale = True
        on_device(device)

    def _refresh(self) -> None:
        """Have the table as devices are now, where something may have changed. What fails is tried again when routes
        are looked at next: nobody who moves flows may be kept from it."""
        if not self._is_stale or self._tables is None:
            return
        self._is_stale, before = False, self._outs
        try:
            self._outs = {index: self._tables.lead(link) for index, link in self._links.items()}
            depends = any(one.ipv6 == "nptv6" for one in self._links.values())
            if self._ours is not None and self._ours.table is not None and (depends or self._outs != before):
                self._ours.put()
        except (OSError, PlaneError) as error:
            self._outs = before
            log.warning("links: the table is not as devices are now: %s", error)

    def _ways(self) -> list[Way]:
        return [self._way(link, self._outs.get(index, Out())) for index, link in self._links.items()]

    def _way(self, link: LinkRoute, out: Out) -> Way:
        assert self._tables is not None
        cap = self._quotas.get(link.index)
        return replace(
            way_of(link),
            carries4=out.carries4,
            carries6=out.carries6 and link.ipv6 != "off",
            prefix6=out.prefix6,
            lan6=self._tables.networks6(self._lan) if link.ipv6 == "nptv6" else (),
            is_alone6=not out.has_neighbours,
            cap_bytes=None if cap is None else cap[0],
        )

    def _layout(self) -> Table:
        return layout(
            self._program,
            self._default,
            self._rings,
            self._ways(),
            self._lan,
            self._options,
            nat=self._nat,
            foreign=self._foreign,
        )

    def _keep_quotas(self) -> None:
        """Hard caps as they should be: made anew only where the kernel's has something else left."""
        counters = self.counters()
        kept: dict[int, tuple[int, int]] = {}
        for index, link in self._links.items():
            if link.hard_cap_bytes is None:
                continue
            carried = sum(counters.get(f"link_{index}_{side}", (0, 0))[1] for side in ("rx", "tx"))
            before = self._quotas.get(index)
            left = None if before is None else before[0] - (carried - before[1])
            slack = max(QUOTA_SLACK_BYTES, QUOTA_SLACK * link.hard_cap_bytes)
            is_right = left is not None and abs(left - link.hard_cap_bytes) <= slack
            kept[index] = before if before is not None and is_right else (link.hard_cap_bytes, carried)
        self._quotas = kept


def check_names(devices: Iterable[str]) -> None:
    """``PlaneError`` for what no device can be called, or what nft would take for several."""
    for name in devices:
        if not DEVICE.fullmatch(name):
            raise PlaneError(f"{name[:40]!r} is no name of a device", hint="It has 1 to 15 characters and no blanks.")


def check_rights(status: Path = Path("/proc/self/status")) -> None:
    """``PlaneRefused`` where this process may not change the network."""
    found = re.search(r"^CapEff:\s*([0-9a-f]+)$", status.read_text(), re.MULTILINE)
    if found is not None and not int(found[1], 16) & NET_ADMIN:
        raise PlaneRefused(
            "the service may not change the network here, so links do not carry traffic",
            code="rights_missing",
            hint="Run it as root, or with the capability CAP_NET_ADMIN.",
        )


def clear_leftovers(run_dir: Path = RUN_DIR) -> bool:
    """Leave the machine as a run found it that did not end well; False when there was none. For routers whose links
    are off now: those that have some clear up by themselves."""
    sysctls = Sysctls(note_path(run_dir))
    if not sysctls.recall():
        return False
    nft, tables = Nft(), LinkTables()
    try:
        with contextlib.suppress(RemsimError):
            nft.run(DELETED)
        tables.clear()
    finally:
        nft.close()
        tables.close()
    sysctls.stop()
    return True


def not_alone(link: LinkRoute) -> dict[str, str | None]:
    """NPTv6 makes addresses that nobody on a network with neighbours answers for."""
    return {
        "code": "nptv6_with_neighbours",
        "message": f"{link.name}: NPTv6 needs a link without neighbours; its traffic is masqueraded instead.",
        "hint": "Set ipv6 to auto or masquerade.",
    }


def refilled(policy: PolicyCode, chains: Mapping[int, Sequence[str]]) -> PolicyCode:
    """A policy with the rules that it should have now."""
    if policy.number not in chains:
        return policy
    rules = tuple(chains[policy.number])
    return replace(policy, rules=rules or policy.rules, is_open=bool(rules))


def lacking(missing: Sequence[Capability]) -> PlaneRefused:
    """The kernel cannot do what links need."""
    packages = sorted({one.package for one in missing})
    names = ", ".join(one.name for one in missing)
    return PlaneRefused(
        f"this kernel lacks what links need: {names}",
        code="kernel_feature_missing",
        hint=f"Install {' '.join(packages)}, and run as root.",
    )
