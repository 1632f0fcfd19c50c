"""The ip rules and the routing table of each link: what a mark or a bound socket leads to.

Rules do not depend on a link's health: probes reach a dead link. A link that has no way out answers "unreachable";
without that route its flows would leave by the main table's default, with a mark that says otherwise.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from dataclasses import replace

from remsim.core.routes import LINK_MASK, LINK_SHIFT, POKE
from remsim.core.small_dataclass import dataclass
from remsim.links.kernel.rtnetlink import (
    FAMILIES,
    LAST_METRIC,
    MAIN,
    OURS,
    PROHIBIT,
    UNREACHABLE,
    Address,
    Device,
    Route,
    RtNetlink,
    Rule,
)
from remsim.links.kernel.way import REFUSED
from remsim.links.plane import Addresses, LinkRoute

CLOSER_FIRST = 800
"""Routes of LAN, VPNs and neighbours win; only main's default does not count."""
BY_DEVICE, BY_MARK, BY_SOURCE = 900, 1000, 1100
FIRST_TABLE = 200
OUT_METRIC = 1


@dataclass(frozen=True, slots=True)
class Out:
    """How a link's table leads out now. ``prefix6``: the addresses that are the link's own.

    ``has_neighbours``: others are on its network, as on Ethernet.
    """

    is_up: bool = False
    carries4: bool = False
    carries6: bool = False
    prefix6: str | None = None
    has_neighbours: bool = False


@dataclass(frozen=True, slots=True)
class _Facts:
    device: Device | None
    addresses: tuple[Address, ...]
    gateways: dict[int, str | None]
    """By family, None where a default route names none."""


class LinkTables:
    """Rules and tables of links. Any thread may call it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kernel = RtNetlink()
        self._links: dict[int, LinkRoute] = {}
        self._known: dict[tuple[str, int], str] = {}
        """The last gateway of each device and family: its route may be gone from main when the device comes again."""
        self._last: dict[tuple[str, int], tuple[str, ...]] = {}
        """The networks that each device's addresses were of when it last had some, by device and family."""
        self._sources: dict[str, list[int]] = {}
        """The links that rules lead packets to by their source."""

    def close(self) -> None:
        """Let the kernel's socket go; rules stay."""
        with self._lock:
            self._kernel.close()

    def set_links(self, links: Sequence[LinkRoute]) -> dict[int, Out]:
        """Have rules and tables of these links and no others."""
        with self._lock:
            gone = self._links.keys() - {link.index for link in links}
            self._links = {link.index: link for link in links}
            found = {link.index: self._lead(link) for link in links}
            self._set_rules()
            for index in gone:
                self._clear(index)
            return found

    def restore(self, device: str | None = None) -> dict[int, Out]:
        """See to a device's routes again (None: to all, and to the rules)."""
        with self._lock:
            if device is None or (self._has(device) and self._find_sources() != self._sources):
                self._set_rules()
            return {i: self._lead(one) for i, one in self._links.items() if device in (None, one.device)}

    def lead(self, link: LinkRoute) -> Out:
        """See to one link's routes again."""
        with self._lock:
            return self._lead(link)

    def addresses(self, name: str) -> Addresses:
        """What a device has now."""
        with self._lock:
            facts = self._facts(name)
        if facts.device is None:
            return Addresses(False)
        four, six = (next((a.address for a in facts.addresses if a.family == one), None) for one in FAMILIES)
        return Addresses(facts.device.is_up, four, six, *(facts.gateways.get(one) for one in FAMILIES))

    def main_device(self, family: int) -> str | None:
        """By which device the router itself leads out."""
        with self._lock:
            found = [one for one in self._kernel.defaults(family) if one.table == MAIN]
            index = min(found, key=lambda one: one.metric).device if found else None
            return next((one.name for one in self._kernel.devices().values() if one.index == index), None)

    def own_addresses(self) -> frozenset[str]:
        """All addresses of this machine."""
        with self._lock:
            return frozenset(one.address for one in self._kernel.addresses())

    def networks6(self, names: Sequence[str]) -> tuple[str, ...]:
        """The /64 networks of devices."""
        with self._lock:
            indices = {one.index for one in self._kernel.devices().values() if one.name in names}
            found = [one for one in self._kernel.addresses() if one.device in indices and _is_useful6(one)]
        return tuple(dict.fromkeys(network_of(one.address, 64) for one in found if one.length == 64))

    def clear_others(self) -> None:
        """Take routes away from tables of ours that no link has now, as a run that died may have left them."""
        with self._lock:
            for index in set(range(1, REFUSED)) - self._links.keys():
                self._clear(index)

    def clear(self) -> None:
        """Take all our rules and routes away, also those of a run that died."""
        with self._lock:
            self._links = {}
            for family in FAMILIES:
                for rule in self._kernel.rules(family):
                    self._kernel.delete_rule(rule)
                for route in [one for one in self._kernel.defaults(family) if _is_ours(one)]:
                    self._kernel.delete_default(route)

    def _set_rules(self) -> None:
        self._sources = self._find_sources()
        wanted = [rule for family in FAMILIES for rule in self._wanted(family)]
        for family in FAMILIES:
            there = self._kernel.rules(family)
            for rule in wanted:
                if rule.family == family and rule not in there:
                    self._kernel.add_rule(rule)
            for rule in there:
                if rule not in wanted:
                    self._kernel.delete_rule(rule)

    def _wanted(self, family: int) -> list[Rule]:
        if not self._links:
            return []
        rules = [
            Rule(family, CLOSER_FIRST, MAIN, suppressed=0),
            Rule(family, CLOSER_FIRST + 1, mark=POKE, mask=POKE, action=UNREACHABLE),
            Rule(family, BY_MARK + REFUSED, mark=REFUSED << LINK_SHIFT, mask=LINK_MASK, action=PROHIBIT),
        ]
        for index, link in self._links.items():
            rules.append(Rule(family, BY_DEVICE + index, FIRST_TABLE + index, device=link.device))
            rules.append(Rule(family, BY_MARK + index, FIRST_TABLE + index, index << LINK_SHIFT, LINK_MASK))
        for source, indices in self._sources.items():
            if len(indices) == 1 and (":" in source) == (family == socket.AF_INET6):
                rules.append(Rule(family, BY_SOURCE + indices[0], FIRST_TABLE + indices[0], source=source))
        return rules

    def _has(self, device: str) -> bool:
        return any(link.device == device for link in self._links.values())

    def _find_sources(self) -> dict[str, list[int]]:
        """Networks of links' addresses, with the links. A link that is away keeps those it had: what the router still
        says with them would go by main's default, which is another link."""
        addresses, devices = self._kernel.addresses(), self._kernel.devices()
        taken = {_source_of(one) for one in addresses}
        found: dict[str, list[int]] = {}
        for index, link in self._links.items():
            device = devices.get(link.device)
            for family in FAMILIES:
                place = (link.device, family)
                there = [one for one in addresses if one.family == family and _is_of(one, device)]
                if there:
                    sources = self._last[place] = tuple(_source_of(one) for one in there)
                else:
                    sources = tuple(one for one in self._last.get(place, ()) if one not in taken)
                for source in dict.fromkeys(sources):
                    found.setdefault(source, []).append(index)
        return found

    def _facts(self, name: str) -> _Facts:
        device = self._kernel.device(name)
        if device is None:
            return _Facts(None, (), {})
        addresses = tuple(one for one in self._kernel.addresses() if _is_of(one, device))
        gateways: dict[int, str | None] = {}
        for family in FAMILIES:
            found = [one for one in self._kernel.defaults(family) if one.device == device.index and not _is_ours(one)]
            for route in sorted(found, key=lambda one: (one.table != MAIN, one.metric)):
                gateways.setdefault(family, route.gateway)
        return _Facts(device, addresses, gateways)

    def _lead(self, link: LinkRoute) -> Out:
        facts = self._facts(link.device)
        carries = {}
        for family in FAMILIES:
            table = FIRST_TABLE + link.index
            self._have(Route(family, table, None, None, LAST_METRIC, UNREACHABLE), on_link=False)
            route = self._way_out(link, facts, family)
            carries[family] = route is not None and self._have(route, on_link=True)
            if not carries[family]:
                self._kernel.delete_default(Route(family, table, None, None, OUT_METRIC))
        six = next((one for one in facts.addresses if one.family == socket.AF_INET6), None)
        return Out(
            facts.device is not None and facts.device.is_up,
            carries[socket.AF_INET],
            carries[socket.AF_INET6],
            None if six is None else network_of(six.address, six.length),
            facts.device is not None and facts.device.needs_gateway,
        )

    def _way_out(self, link: LinkRoute, facts: _Facts, family: int) -> Route | None:
        """The default route of a link's table; None when it has no way out in a family."""
        device = facts.device
        if device is None or not device.is_up or (family == socket.AF_INET6 and link.ipv6 == "off"):
            return None
        if not any(one.family == family for one in facts.addresses):
            return None
        named = link.gateway4 if family == socket.AF_INET else link.gateway6
        place = (link.device, family)
        gateway = named or facts.gateways.get(family)
        if gateway is not None:
            self._known[place] = gateway
        elif device.needs_gateway and family not in facts.gateways:
            gateway = self._known.get(place)
            if gateway is None:
                return None
        return Route(family, FIRST_TABLE + link.index, device.index, gateway, OUT_METRIC)

    def _have(self, route: Route, *, on_link: bool) -> bool:
        there = [one for one in self._kernel.defaults(route.family) if one.table == route.table]
        if any(_is_same(one, route) for one in there):
            return True
        try:
            self._kernel.set_default(route, on_link=on_link)
        except OSError:
            return False
        return True

    def _clear(self, index: int) -> None:
        for family in FAMILIES:
            for route in [one for one in self._kernel.defaults(family) if one.table == FIRST_TABLE + index]:
                if _is_ours(route):
                    self._kernel.delete_default(route)


def network_of(address: str, length: int) -> str:
    """The network of an IPv6 address."""
    number = int.from_bytes(socket.inet_pton(socket.AF_INET6, address), "big")
    kept = number >> (128 - length) << (128 - length) if length else 0
    return f"{socket.inet_ntop(socket.AF_INET6, kept.to_bytes(16, 'big'))}/{length}"


def _is_of(one: Address, device: Device | None) -> bool:
    """Whether an address is one that a device sends with."""
    if device is None or one.device != device.index or not one.is_fit:
        return False
    return one.family == socket.AF_INET or _is_useful6(one)


def _source_of(one: Address) -> str:
    """The network that only this address's link may use."""
    return f"{one.address}/32" if one.family == socket.AF_INET else network_of(one.address, one.length)


def _is_useful6(one: Address) -> bool:
    return one.family == socket.AF_INET6 and one.is_global and one.is_fit


def _is_ours(route: Route) -> bool:
    return route.protocol == OURS and FIRST_TABLE < route.table <= FIRST_TABLE + REFUSED


def _is_same(one: Route, other: Route) -> bool:
    if other.kind == UNREACHABLE:
        return one.kind == UNREACHABLE and one.metric == other.metric
    return replace(one, protocol=OURS) == other
