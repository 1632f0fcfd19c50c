"""Devices, addresses, routes and rules as the kernel's routing has them (rtnetlink(7), linux/fib_rules.h)."""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
from collections.abc import Iterator

from remsim.core.small_dataclass import dataclass
from remsim.links.kernel.netlink import (
    NETLINK_ROUTE,
    NLM_F_CREATE,
    NLM_F_EXCL,
    NLM_F_REPLACE,
    Netlink,
    attribute,
    attributes,
)

OURS = 98
"""The protocol number of our rules and routes (rtproto): what bears it and we do not know is of a run that died."""
MAIN = 254
LAST_METRIC = 0xFFFFFFFF
FAMILIES = (socket.AF_INET, socket.AF_INET6)
UP, POINT_TO_POINT, RUNNING, NO_ARP = 0x1, 0x10, 0x40, 0x80
NEWLINK, DELLINK, GETLINK = 16, 17, 18
NEWADDR, DELADDR, GETADDR = 20, 21, 22
NEWROUTE, DELROUTE, GETROUTE = 24, 25, 26
NEWRULE, DELRULE, GETRULE = 32, 33, 34
UNICAST, UNREACHABLE, PROHIBIT = 1, 7, 8
TO_TABLE = 1
ONLINK = 4
SCOPE_UNIVERSE, SCOPE_LINK = 0, 253
UNFIT = 0x08 | 0x20 | 0x40
"""Flags of an address that is a duplicate, deprecated or tentative."""
LINK = struct.Struct("=BxHiII")
ADDRESS = struct.Struct("=BBBBI")
ROUTE = struct.Struct("=BBBBBBBBI")
RULE = struct.Struct("=BBBBBxxBI")


@dataclass(frozen=True, slots=True)
class Device:
    """A network device."""

    index: int
    name: str
    flags: int

    @property
    def is_up(self) -> bool:
        """Switched on and connected."""
        return bool(self.flags & UP and self.flags & RUNNING)

    @property
    def needs_gateway(self) -> bool:
        """Whether there is somebody to choose on its link: not on raw-ip and tunnels."""
        return not self.flags & (POINT_TO_POINT | NO_ARP)


@dataclass(frozen=True, slots=True)
class Address:
    """An address of a device, with the length of its network's prefix."""

    device: int
    family: int
    address: str
    length: int
    is_global: bool
    is_fit: bool


@dataclass(frozen=True, slots=True)
class Route:
    """A default route. ``kind`` is UNICAST or UNREACHABLE."""

    family: int
    table: int
    device: int | None
    gateway: str | None
    metric: int = 0
    kind: int = UNICAST
    protocol: int = OURS


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of ours. ``source`` is a network's text, ``action`` TO_TABLE, UNREACHABLE or PROHIBIT."""

    family: int
    priority: int
    table: int = 0
    mark: int = 0
    mask: int = 0
    device: str | None = None
    source: str | None = None
    suppressed: int | None = None
    action: int = TO_TABLE


class RtNetlink:
    """Asks and tells the kernel's routing. For one thread at a time."""

    def __init__(self) -> None:
        self._netlink = Netlink(NETLINK_ROUTE)

    def close(self) -> None:
        """Let the socket go."""
        self._netlink.close()

    def devices(self) -> dict[str, Device]:
        """All devices by name."""
        found = (device_of(body) for body in self._netlink.dump(GETLINK, LINK.pack(0, 0, 0, 0, 0)))
        return {device.name: device for device in found}

    def device(self, name: str) -> Device | None:
        """A device; None while it is not there."""
        body = LINK.pack(0, 0, 0, 0, 0) + attribute(3, name.encode() + b"\0")
        try:
            for answer in self._netlink.ask_one(GETLINK, body):
                return device_of(answer)
        except OSError as error:
            if error.errno != errno.ENODEV:
                raise
        return None

    def addresses(self) -> list[Address]:
        """All addresses."""
        return [address_of(body) for body in self._netlink.dump(GETADDR, ADDRESS.pack(0, 0, 0, 0, 0))]

    def defaults(self, family: int) -> Iterator[Route]:
        """The default routes of all tables."""
        for body in self._netlink.dump(GETROUTE, ROUTE.pack(family, 0, 0, 0, 0, 0, 0, 0, 0)):
            route = default_of(body)
            if route is not None:
                yield route

    def set_default(self, route: Route, *, on_link: bool) -> None:
        """Put a default route in its table in place of one with its metric."""
        self._netlink.ask(NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, _route_body(route, on_link))

    def delete_default(self, route: Route) -> None:
        """Take a default route away; no matter when it is gone."""
        with contextlib.suppress(OSError):
            self._netlink.ask(DELROUTE, 0, _route_body(route, False))

    def rules(self, family: int) -> dict[Rule, bytes]:
        """Our rules, also those of a run that died, each as the kernel told it."""
        found = {}
        for body in self._netlink.dump(GETRULE, RULE.pack(family, 0, 0, 0, 0, 0, 0)):
            rule = rule_of(body)
            if rule is not None:
                found[rule] = body
        return found

    def add_rule(self, rule: Rule) -> None:
        """Add a rule; no matter when it is there."""
        try:
            self._netlink.ask(NEWRULE, NLM_F_CREATE | NLM_F_EXCL, _rule_body(rule))
        except FileExistsError:
            pass

    def delete_rule(self, rule: Rule) -> None:
        """Take a rule away; no matter when it is gone."""
        with contextlib.suppress(OSError):
            self._netlink.ask(DELRULE, 0, _rule_body(rule))


def device_of(body: bytes) -> Device:
    """What a message of a link says."""
    _, _, index, flags, _ = LINK.unpack_from(body)
    name = attributes(body[LINK.size :]).get(3, b"").rstrip(b"\0").decode("utf-8", "replace")
    return Device(index, name, flags)


def address_of(body: bytes) -> Address:
    """What a message of an address says."""
    family, length, flags, scope, index = ADDRESS.unpack_from(body)
    found = attributes(body[ADDRESS.size :])
    raw = found.get(2) or found.get(1) or b""
    if 8 in found:
        flags = int.from_bytes(found[8], "little" if struct.pack("=H", 1)[0] else "big")
    is_known = len(raw) == (4 if family == socket.AF_INET else 16)
    text = socket.inet_ntop(family, raw) if is_known else ""
    return Address(index, family, text, length, scope == SCOPE_UNIVERSE, is_known and not flags & UNFIT)


def default_of(body: bytes) -> Route | None:
    """What a message of a route says; None when it is no default route."""
    family, length, _, _, table, protocol, _, kind, _ = ROUTE.unpack_from(body)
    if length or family not in FAMILIES or kind not in (UNICAST, UNREACHABLE):
        return None
    found = attributes(body[ROUTE.size :])
    raw, device = found.get(5), found.get(4)
    return Route(
        family,
        _number(found.get(15)) or table,
        _number(device) if device else None,
        socket.inet_ntop(family, raw) if raw else None,
        _number(found.get(6)),
        kind,
        protocol,
    )


def _number(raw: bytes | None) -> int:
    return struct.unpack("=I", raw)[0] if raw and len(raw) == 4 else 0


def _route_body(route: Route, on_link: bool) -> bytes:
    is_out = route.kind == UNICAST
    scope = SCOPE_LINK if is_out and route.gateway is None and route.family == socket.AF_INET else SCOPE_UNIVERSE
    flags = ONLINK if on_link and route.gateway is not None else 0
    body = ROUTE.pack(route.family, 0, 0, 0, 0, OURS, scope, route.kind, flags)
    body += attribute(15, struct.pack("=I", route.table)) + attribute(6, struct.pack("=I", route.metric))
    if route.gateway is not None:
        body += attribute(5, socket.inet_pton(route.family, route.gateway))
    if is_out and route.device is not None:
        body += attribute(4, struct.pack("=i", route.device))
    return body


def _rule_body(rule: Rule) -> bytes:
    network, _, length = (rule.source or "").partition("/")
    body = RULE.pack(rule.family, 0, int(length or 0), 0, 0, rule.action, 0)
    body += attribute(6, struct.pack("=I", rule.priority)) + attribute(21, bytes([OURS]))
    if rule.action == TO_TABLE:
        body += attribute(15, struct.pack("=I", rule.table))
    if rule.mask:
        body += attribute(10, struct.pack("=I", rule.mark)) + attribute(16, struct.pack("=I", rule.mask))
    if rule.device is not None:
        body += attribute(17, rule.device.encode() + b"\0")
    if rule.source is not None:
        body += attribute(2, socket.inet_pton(rule.family, network))
    if rule.suppressed is not None:
        body += attribute(14, struct.pack("=I", rule.suppressed))
    return body


def rule_of(body: bytes) -> Rule | None:
    """What a message of a rule says; None when it is none of ours."""
    family, _, source_length, _, _, action, _ = RULE.unpack_from(body)
    found = attributes(body[RULE.size :])
    if found.get(21) != bytes([OURS]):
        return None
    source = f"{socket.inet_ntop(family, found[2])}/{source_length}" if 2 in found else None
    suppressed = _number(found.get(14)) if 14 in found else LAST_METRIC
    return Rule(
        family,
        _number(found.get(6)),
        _number(found.get(15)) if action == TO_TABLE else 0,
        _number(found.get(10)),
        _number(found.get(16)) if 10 in found else 0,
        found[17].rstrip(b"\0").decode("utf-8", "replace") if 17 in found else None,
        source,
        None if suppressed == LAST_METRIC else suppressed,
        action,
    )
