"""The data plane of the kernel: one nftables table of ours, ip rules, a routing table a link, conntrack."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from remsim.core.clock import Clock
from remsim.core.routes import Flow, Loaded, PolicyCode, Program, RingSpec
from remsim.links.kernel import difference
from remsim.links.kernel.capabilities import probed
from remsim.links.kernel.conntrack import Conntrack
from remsim.links.kernel.cutting import cut_commands, poke, to_reset
from remsim.links.kernel.device_events import EVERYTHING, DeviceEvents
from remsim.links.kernel.iproute import LinkTables, Out
from remsim.links.kernel.neighbours import check_alone, offloading, others_masquerade
from remsim.links.kernel.nft import Nft
from remsim.links.kernel.rings import ring_rules
from remsim.links.kernel.sysctls import Sysctls
from remsim.links.kernel.table import TABLE, Chain, Table, layout, quoted, rules_of
from remsim.links.kernel.way import Way, way_of
from remsim.links.plane import USUAL, Addresses, Capability, Cut, LinkRoute, PlaneError, PlaneOptions, PlaneRefused

COUNTER = re.compile(r"counter (\S+) \{\s*packets (\d+) bytes (\d+)")
QUOTA_SLACK_BYTES, QUOTA_SLACK = 1_000_000, 0.01
"""A quota that has about what it should have left is left alone: making it anew touches the table."""


class KernelPlane:
    """A ``links.plane.Plane``. Its methods are for one thread, but ``on_device`` is called from another."""

    def __init__(self, clock: Clock, *, run_dir: Path = Path("/var/run/remsim"), root: Path = Path("/")) -> None:
        self._clock = clock
        self._root = root
        self._sysctls = Sysctls(run_dir / "links-sysctls.json")
        self._nft: Nft | None = None
        self._conntrack: Conntrack | None = None
        self._tables: LinkTables | None = None
        self._events: DeviceEvents | None = None
        self._options = USUAL
        self._nat = True
        self._lan: tuple[str, ...] = ()
        self._own: frozenset[str] | None = None
        self._capabilities: tuple[Capability, ...] = ()
        self._links: dict[int, LinkRoute] = {}
        self._outs: dict[int, Out] = {}
        self._quotas: dict[int, tuple[int, int]] = {}
        """What each hard cap had left when it was made, and what its link had carried then."""
        self._program = Program()
        self._default: tuple[RingSpec, ...] = ()
        self._rings: dict[str, tuple[int, ...]] = {}
        self._in_force: Table | None = None
        self._is_stale = False
        """Whether a device's way out may have changed since the table was made."""

    def start(
        self, lan: Sequence[str], *, on_device: Callable[[str], None], options: PlaneOptions = USUAL
    ) -> None:
        """Look at the kernel and at who else leads packets; ``PlaneRefused``."""
        check_alone(self._root)
        self._lan, self._options = tuple(lan), options
        if self._nft is None:
            nft = Nft()
            self._capabilities = probed(nft)
            missing = [one for one in self._capabilities if one.is_needed and not one.is_there]
            if missing:
                nft.close()
                raise lacking(missing)
            self._nft, self._conntrack, self._tables = nft, Conntrack(), LinkTables()
            self._sysctls.start()
            self._events = DeviceEvents(lambda device: self._changed(device, on_device))
        self._nat = options.nat == "on" or (options.nat == "auto" and not others_masquerade(self._nft))
        self._is_stale = True

    def stop(self) -> None:
        """Take the table, the rules, the routes and the settings away."""
        events, self._events = self._events, None
        if events is not None:
            events.stop()
        if self._nft is not None:
            self._nft.run(f"add table {TABLE}\ndelete table {TABLE}")
            self._nft.close()
            self._nft = None
        if self._tables is not None:
            self._tables.clear()
            self._tables.close()
            self._tables = None
        if self._conntrack is not None:
            self._conntrack.close()
            self._conntrack = None
        self._sysctls.stop()
        self._in_force, self._links, self._outs, self._quotas = None, {}, {}, {}
        self._program, self._default, self._rings = Program(), (), {}

    def capabilities(self) -> tuple[Capability, ...]:
        """What the kernel has told."""
        return self._capabilities

    def warnings(self) -> list[dict[str, str | None]]:
        """What an admin should see."""
        found = offloading(self._running, self._root)
        return [] if found is None else [found]

    def set_links(self, links: Sequence[LinkRoute]) -> None:
        """Rules and tables of these links, and the table's rules for them where it is loaded."""
        assert self._tables is not None
        self._links = {link.index: link for link in links}
        self._sysctls.devices(link.device for link in links)
        self._outs = self._tables.set_links(links)
        self._tables.clear_others()
        self._own = None
        self._keep_quotas()
        if self._in_force is not None:
            self._put(self._layout())

    def addresses(self, device: str) -> Addresses:
        """What a device has."""
        assert self._tables is not None
        return self._tables.addresses(device)

    def ensure_route(self, link: LinkRoute) -> bool:
        """Have a link's table lead out by it."""
        assert self._tables is not None
        out = self._tables.lead(link)
        if self._outs.get(link.index) != out:
            self._outs[link.index] = out
            self._is_stale = True
        self._refresh()
        return out.is_up and (out.carries4 or out.carries6)

    def load(self, program: Program, default: Sequence[RingSpec], rings: Mapping[str, Sequence[int]]) -> Loaded:
        """Put a program in force; large sets come before it, in transactions of their own."""
        before = self._program, self._default, self._rings
        self._program, self._default = program, tuple(default)
        self._rings = {name: tuple(slots) for name, slots in rings.items()}
        try:
            wanted = self._layout()
            sets_ms = self._load_sets(wanted)
            begin = time.perf_counter()
            self._put(wanted)
        except PlaneError:
            self._program, self._default, self._rings = before
            raise
        return Loaded(round((time.perf_counter() - begin) * 1000, 3), sets_ms)

    def swap(self, rings: Mapping[str, Sequence[int]]) -> None:
        """Write the slots of rings."""
        self._refresh()
        specs = {spec.name: (spec, None) for spec in self._default} | {
            one.ring.name: (one.ring, f"p_{one.number}") for one in self._program.policies
        }
        ways, chains = self._ways(), {}
        for name, slots in rings.items():
            if name in specs:
                spec, counter = specs[name]
                chains[f"ring_{name}"] = ring_rules(spec, slots, ways, counter)
        self._rewrite(chains)
        self._rings.update({name: tuple(slots) for name, slots in rings.items()})

    def refill(self, chains: Mapping[int, Sequence[str]]) -> None:
        """Write the rules of policies."""
        policies = tuple(refilled(one, chains) for one in self._program.policies)
        self._rewrite({f"p_{one.number}": rules_of(one) for one in policies if one.number in chains})
        self._program = replace(self._program, policies=policies)

    def add(self, set_name: str, elements: Sequence[str], timeout_s: int | None = None) -> None:
        """Add to a set; what is there already gets the whole time again."""
        if not elements or self._in_force is None:
            return
        if set_name == "lan":
            names = quoted(elements).split(", ")
            lines = difference.refreshed("lan", names, timeout_s)
            lines += difference.refreshed("awake", ("ipv4", "ipv6"), timeout_s)
        else:
            lines = difference.refreshed(set_name, elements, timeout_s)
        self._running.run("\n".join(lines))

    def counters(self) -> Mapping[str, tuple[int, int]]:
        """What the named counters stand at."""
        if self._in_force is None:
            return {}
        text = self._running.run(f"list counters table {TABLE}")
        return {name: (int(packets), int(octets)) for name, packets, octets in COUNTER.findall(text)}

    def flows(self) -> list[Flow]:
        """All flows that links carry."""
        assert self._conntrack is not None and self._tables is not None
        self._refresh()
        if self._own is None:
            self._own = self._tables.own_addresses()
        return self._conntrack.read(self._own)

    def cut(self, link: int, flows: Sequence[Flow], *, only: str | None = None) -> Cut:
        """Forget the flows of a link, and have TCP clients of the LAN begin again."""
        assert self._conntrack is not None
        begin = time.perf_counter()
        live = {one.key: one for one in (*flows, *self.flows()) if one.link == link and only in (None, one.protocol)}
        told = to_reset(live.values())
        commands = cut_commands(TABLE, told)
        if commands and self._in_force is not None:
            self._running.run("\n".join(commands))
        if only is None:
            self._conntrack.forget(link)
        else:
            for one in live.values():
                self._conntrack.forget_flow(one)
        poke(told)
        return Cut(len(live), len(told), round((time.perf_counter() - begin) * 1000, 3))

    @property
    def _running(self) -> Nft:
        if self._nft is None:
            raise PlaneRefused("links do not carry traffic", hint="Turn them on.")
        return self._nft

    def _changed(self, device: str, on_device: Callable[[str], None]) -> None:
        """In the thread of events: routes at once, the rest is the control thread's."""
        tables = self._tables
        if tables is not None:
            tables.restore(None if device == EVERYTHING else device)
        self._is_stale = True
        self._own = None
        on_device(device)

    def _refresh(self) -> None:
        """Have the table as devices are now, where something may have changed."""
        if self._is_stale and self._tables is not None:
            self._is_stale = False
            self._outs = {index: self._tables.lead(link) for index, link in self._links.items()}
            if self._in_force is not None:
                self._put(self._layout())

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
            cap_bytes=None if cap is None else cap[0],
        )

    def _layout(self) -> Table:
        return layout(
            self._program, self._default, self._rings, self._ways(), self._lan, self._options, nat=self._nat
        )

    def _load_sets(self, wanted: Table) -> dict[str, float]:
        there = self._in_force.sets if self._in_force is not None else {}
        took = {}
        for name, commands in difference.large_sets(there, wanted.sets):
            if self._in_force is None:
                self._put(replace(wanted, chains={}, objects={}, sets={}))
            begin = time.perf_counter()
            self._running.run("\n".join(commands))
            took[name] = round((time.perf_counter() - begin) * 1000, 3)
            assert self._in_force is not None
            self._in_force = replace(self._in_force, sets={**self._in_force.sets, name: wanted.sets[name]})
        return took

    def _put(self, wanted: Table) -> None:
        """One transaction from what is in force to what is wanted."""
        if self._in_force is None:
            self._running.run(difference.first_load(wanted) or f"add table {TABLE}")
        else:
            commands = difference.change(self._in_force, wanted)
            if commands:
                self._running.run(commands)
        self._in_force = wanted

    def _rewrite(self, chains: Mapping[str, tuple[str, ...]]) -> None:
        """One transaction that writes the rules of chains that are there."""
        there = self._in_force
        if there is None:
            return
        found = {name: rules for name, rules in chains.items() if name in there.chains}
        lines = []
        for name, rules in found.items():
            lines += [f"flush chain {TABLE} {name}", *(f"add rule {TABLE} {name} {rule}" for rule in rules)]
        if lines:
            self._running.run("\n".join(lines))
            self._in_force = replace(there, chains={**there.chains, **{name: Chain(r) for name, r in found.items()}})

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
