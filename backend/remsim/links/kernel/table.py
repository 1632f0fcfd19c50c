"""What the table ``inet remsim`` should be, as nft text; nothing here asks the kernel.

The mark of a packet says by which link it leaves (the ip rules look at it), the mark of its conntrack entry keeps that
for the flow. Only chains ``use_I``, ``keep_I`` and ``left_I`` write the bits of the link, with constants: kernels
before 6.13 cannot combine two registers. Foreign bits of both marks stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from remsim.core.routes import (
    BULK,
    CLASS_MASK,
    CLASSES,
    INTERACTIVE,
    LINK_MASK,
    LINK_SHIFT,
    POKE,
    POLICY_MASK,
    Program,
    RingSpec,
    SetCode,
)
from remsim.core.small_dataclass import dataclass
from remsim.links.kernel.by_port import BY_PORT, by_port
from remsim.links.kernel.common import with_common_sets
from remsim.links.kernel.picks import PICKING, marked, picks_of
from remsim.links.kernel.rings import ring_rules
from remsim.links.kernel.way import REFUSED, Way, way_of
from remsim.links.kernel.wide import widened
from remsim.links.plane import USUAL, LinkRoute, PlaneOptions

TABLE = "inet remsim"
LAN_TIMEOUT_S = 30
"""A daemon that is dead for so long leads no new flows: they take main's default route."""
CUT_TIMEOUT_S = 15
INTERACTIVE_RULES = (
    "meta l4proto tcp th dport { 80, 443, 853 } goto class_interactive",
    "meta l4proto udp th dport { 53, 123, 443, 3478 } goto class_interactive",
    "ip dscp { cs4, cs5, af41, ef } goto class_interactive",
    "ip6 dscp { cs4, cs5, af41, ef } goto class_interactive",
    "meta l4proto { 1, 58 } goto class_interactive",
)
"""ICMP by its numbers: libnftables looks the name of IPv6's up in a file."""
TRANSIENT = (*PICKING, BY_PORT)
"""How the names of chains begin that are there as long as policies need them."""
UNTAKEN = "untaken"
"""The chain of flows that no policy takes."""
HOOKS = {
    "prerouting": "filter hook prerouting priority mangle + 1",
    "refused": "filter hook prerouting priority mangle + 2",
    "output": "route hook output priority mangle + 1",
    "forward": "filter hook forward priority filter - 1",
    "postrouting": "filter hook postrouting priority mangle",
    "nat": "nat hook postrouting priority srcnat",
    "rawout": "filter hook output priority raw",
}
OWN_REFUSED = "fib saddr type local reject with icmpx admin-prohibited"
"""A connection of the router's own would not be told by its route, and try for minutes."""
NOWHERE = f"meta mark & {LINK_MASK:#010x} == {REFUSED << LINK_SHIFT:#010x} fib daddr . mark oif missing"
"""What is refused and has no closer route."""
TOLD = "meta l4proto tcp reject with tcp reset", "reject with icmpx admin-prohibited"
"""A host is sent one ICMP error a second, and hardly one where its route says no: so TCP is reset."""
NOT_LED = "fib daddr type { local, broadcast, multicast, anycast } return"


@dataclass(frozen=True, slots=True)
class Chain:
    """A chain: its rules, and the line that hooks it in (none: others jump to it)."""

    rules: tuple[str, ...] = ()
    hook: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """All of a table. ``objects`` by kind and name (``counter p_1``), chains after those they jump to."""

    sets: Mapping[str, SetCode] = field(default_factory=dict)
    objects: Mapping[str, str] = field(default_factory=dict)
    chains: Mapping[str, Chain] = field(default_factory=dict)


def text_of(
    program: Program,
    default: Sequence[RingSpec],
    rings: Mapping[str, Sequence[int]],
    links: Sequence[LinkRoute],
    lan: Sequence[str] = (),
) -> str:
    """The whole table for a person to read or for ``nft -f``: what ``load`` would put in force."""
    program = with_common_sets(widened(program))
    return print_table(layout(program, default, rings, [way_of(link) for link in links], lan))


def layout(
    program: Program,
    default: Sequence[RingSpec],
    rings: Mapping[str, Sequence[int]],
    ways: Sequence[Way],
    lan: Sequence[str],
    options: PlaneOptions = USUAL,
    *,
    nat: bool = True,
    foreign: int = 0,
) -> Table:
    """The table that has a program, rings and links in it. ``nat``: it masquerades IPv4, as nobody else does.

    ``foreign``: bits of a packet's mark by which pbr has chosen its way; those are left to it.
    """
    ways = sorted(ways, key=lambda way: way.index)
    chains: dict[str, Chain] = {}
    chains.update(_link_chains(ways, nat))
    chains.update(_class_chains())
    chains.update(ring_chains(default, rings, ways))
    chains.update(policy_chains(program, rings, ways))
    chains.update(_base_chains(program, ways, options, nat, foreign))
    return Table(_sets(program, lan), _objects(program, ways), chains)


def print_table(table: Table) -> str:
    """A table as ``nft list`` would lay it out."""
    lines = [f"table {TABLE} {{"]
    for one in table.sets.values():
        lines += [f"\tset {one.name} {{", f"\t\t{one.declaration}"]
        if one.elements:
            any_protocol = " . 0-255" if " . inet_proto" in one.declaration else ""
            lines.append(f"\t\telements = {{ {', '.join(value + any_protocol for value in one.elements)} }}")
        lines.append("\t}")
    for name, body in table.objects.items():
        lines.append(f"\t{name} {{ {body} }}" if body else f"\t{name} {{ }}")
    for name, chain in table.chains.items():
        lines.append(f"\tchain {name} {{")
        lines += [f"\t\t{line}" for line in ([chain.hook] if chain.hook else []) + list(chain.rules)]
        lines.append("\t}")
    return "\n".join([*lines, "}", ""])


def quoted(names: Iterable[str]) -> str:
    """Names of devices as nft wants them, so that none is taken for a word of its language."""
    return ", ".join(f'"{name}"' for name in names)


def _marks(cleared: int, bits: int, *, packet: bool = True, flow: bool = True) -> str:
    kept = 0xFFFFFFFF & ~cleared
    both = (("meta mark", packet), ("ct mark", flow))
    return " ".join(f"{mark} set {mark} & {kept:#010x} | {bits:#010x}" for mark, is_set in both if is_set)


def _link_chains(ways: Sequence[Way], nat: bool) -> dict[str, Chain]:
    refused = _marks(LINK_MASK, REFUSED << LINK_SHIFT, flow=False)
    chains: dict[str, Chain] = {"refuse": Chain((OWN_REFUSED, f"{refused} accept"))}
    for way in ways:
        bits = way.index << LINK_SHIFT
        chains[f"use_{way.index}"] = Chain((f"{_marks(LINK_MASK, bits)} accept",))
        for suffix, klass in _kept():
            kept = _marks(LINK_MASK | CLASS_MASK, bits | klass, flow=False)
            chains[f"keep_{way.index}{suffix}"] = Chain((f"{kept} accept",))
        chains[f"left_{way.index}"] = Chain((_marks(LINK_MASK, bits, packet=False),))
        chains[f"in_{way.index}"] = Chain(way.limits())
        chains[f"out_{way.index}"] = Chain(way.leaks(nat=nat) + way.limits())
    chains["pinned"] = Chain(_pinned(ways))
    return chains


def _kept() -> tuple[tuple[str, int], ...]:
    return ("", 0), ("_interactive", INTERACTIVE), ("_bulk", BULK)


def ring_chains(
    default: Iterable[RingSpec], rings: Mapping[str, Sequence[int]], ways: Sequence[Way]
) -> dict[str, Chain]:
    """The rings of what no policy takes."""
    return {f"ring_{spec.name}": Chain(ring_rules(spec, rings.get(spec.name, ()), ways)) for spec in default}


def _class_chains() -> dict[str, Chain]:
    chains = {f"ring_{name}": Chain() for name in CLASSES}
    chains |= {f"class_{name}": Chain((f"{marked(0, name)} goto ring_{name}",)) for name in CLASSES}
    return chains | {UNTAKEN: Chain((*INTERACTIVE_RULES, "goto class_bulk"))}


def policy_chains(program: Program, rings: Mapping[str, Sequence[int]], ways: Sequence[Way]) -> dict[str, Chain]:
    """All that depends on policies' rules and rings; those of TRANSIENT are there or not as they are needed."""
    picks = picks_of(program.policies, rings, ways)
    chains = {name: Chain(rules) for name, rules in picks.chains.items()}
    asked = [(one, picks.rules.get(one.number, ())) for one in program.policies]
    chains["own"] = Chain(_own_ways(ways))
    chains["router"] = Chain(tuple(rule for one, rules in asked if one.is_for_router for rule in rules))
    all_rules = (rule for _, rules in asked for rule in rules)
    at_ports, rules = by_port(all_rules, program.sets, f"goto {UNTAKEN}")
    if at_ports:
        chains[BY_PORT] = Chain(at_ports)
    chains["policies"] = Chain(("jump own", *rules, f"goto {UNTAKEN}"))
    return chains


def _own_ways(ways: Sequence[Way]) -> tuple[str, ...]:
    """Flows whose link is no matter of choice: to a link's own resolver, from an address that only it may use."""
    rules: list[str] = []
    found: dict[str, list[int]] = {}
    for way in ways:
        for address in way.resolvers:
            found.setdefault(address, []).append(way.index)
    alone = {address: links[0] for address, links in sorted(found.items()) if len(links) == 1}
    for family in ("ip", "ip6"):
        ours = [(address, one) for address, one in alone.items() if (":" in address) == (family == "ip6")]
        pairs = [f"{address} : goto use_{one}" for address, one in ours]
        if pairs:
            asked = "meta l4proto { tcp, udp } th dport { 53, 853 }"
            rules.append(f"{asked} {family} daddr vmap {{ {', '.join(pairs)} }}")
    rules += [f"ip6 saddr {way.prefix6} goto use_{way.index}" for way in ways if way.ipv6 == "source" and way.prefix6]
    return tuple(rules)


def _base_chains(
    program: Program, ways: Sequence[Way], options: PlaneOptions, nat: bool, foreign: int
) -> dict[str, Chain]:
    rules = {
        "prerouting": _prerouting(ways, foreign),
        "refused": tuple(f"{NOWHERE} {how}" for how in TOLD) if ways else (),
        "output": _output(ways, options, foreign),
        "forward": _forward(program, ways),
        "postrouting": _postrouting(program, ways),
        "nat": _nat(ways, nat),
        "rawout": (f"meta mark & {POKE:#010x} != 0 notrack",),
    }
    return {name: Chain(rules[name], f"type {hook}; policy accept;") for name, hook in HOOKS.items()}


def _pinned(ways: Sequence[Way]) -> tuple[str, ...]:
    """Flows keep their links. A chain of its own, as others are written when a link gets another address, and a map is
    empty to packets that meet it just then: they would leave by main's default, which ends a flow that has NAT."""
    pairs = [
        f"{way.index << LINK_SHIFT | bits:#06x} : goto keep_{way.index}{suffix}"
        for way in ways
        for suffix, bits in _kept()
    ]
    return (f"ct mark & {LINK_MASK | CLASS_MASK:#010x} vmap {{ {', '.join(pairs)} }}",) if pairs else ()


def _by_device(ways: Sequence[Way], word: str) -> str:
    return ", ".join(f'"{way.device}" : {word}_{way.index}' for way in ways)


def _by_family(ways: Sequence[Way], key: str, word: str) -> list[str]:
    """Rules by device, each for the families that the link carries: its table would refuse later packets of others."""
    four, six = [way for way in ways if way.carries4], [way for way in ways if way.carries6]
    if four == six:
        return [f"{key} {{ {_by_device(four, word)} }}"] if four else []
    families = (("ipv4", four), ("ipv6", six))
    return [f"meta nfproto {family} {key} {{ {_by_device(ours, word)} }}" for family, ours in families if ours]


def _counted(ways: Sequence[Way], key: str, side: str) -> str:
    pairs = ", ".join(f'"{way.device}" : "link_{way.index}_{side}"' for way in ways)
    return f"counter name {key} map {{ {pairs} }}"


def _led_by_others(foreign: int) -> tuple[str, ...]:
    return (f"meta mark & {foreign:#010x} != 0 return",) if foreign else ()


def _prerouting(ways: Sequence[Way], foreign: int) -> tuple[str, ...]:
    if not ways:
        return ()
    return (
        _counted(ways, "iifname", "rx"),
        f"iifname vmap {{ {_by_device(ways, 'jump in')} }}",
        "jump pinned",
        *_by_family(ways, "iifname vmap", "goto use"),
        "iifname != @lan return",
        NOT_LED,
        *_led_by_others(foreign),
        "ct state new goto policies",
    )


def _output(ways: Sequence[Way], options: PlaneOptions, foreign: int) -> tuple[str, ...]:
    if not ways:
        return ()
    pinned = (f"meta mark & {LINK_MASK | POKE:#010x} != 0 return", NOT_LED, "jump pinned")
    if not options.router_traffic:
        return pinned
    return (
        *pinned,
        "ct state != new return",
        "oifname @lan return",
        "meta nfproto != @awake return",
        *_led_by_others(foreign),
        "jump own",
        "jump router",
        "goto class_interactive",
    )


def _forward(program: Program, ways: Sequence[Way]) -> tuple[str, ...]:
    cut = (
        "ip saddr . tcp sport . ip daddr . tcp dport @cut4 reject with tcp reset",
        "ip6 saddr . tcp sport . ip6 daddr . tcp dport @cut6 reject with tcp reset",
    )
    rules: list[str] = list(cut)
    if ways:
        devices = quoted(way.device for way in ways)
        elsewhere = f"ct state new iifname @lan oifname != {{ {devices} }} ct mark & {LINK_MASK:#010x} != 0"
        rules += [
            f"{elsewhere} {_flow_cleared()}",
            f"oifname {{ {devices} }} tcp flags & (syn | rst) == syn tcp option maxseg size set rt mtu",
        ]
    rules += program.taps
    rules += [rule for policy in program.policies for rule in policy.forward]
    return tuple(rules)


def _flow_cleared() -> str:
    return f"ct mark set ct mark & {0xFFFFFFFF & ~(LINK_MASK | CLASS_MASK | POLICY_MASK):#010x}"


def _postrouting(program: Program, ways: Sequence[Way]) -> tuple[str, ...]:
    """What a flow's mark says is where it left, also when main had a closer route: counts and cuts rely on it."""
    if not ways:
        return ()
    devices = quoted(way.device for way in ways)
    own = f"ct state new fib saddr type local oifname != {{ {devices} }} ct mark & {LINK_MASK:#010x} != 0"
    return (
        _counted(ways, "oifname", "tx"),
        f"oifname vmap {{ {_by_device(ways, 'jump out')} }}",
        *_by_family(ways, "ct state new oifname vmap", "jump left"),
        f"{own} {_flow_cleared()}",
        *(rule for policy in program.policies for rule in policy.post),
        *program.post_taps,
    )


def _nat(ways: Sequence[Way], nat: bool) -> tuple[str, ...]:
    rules = [f"oifname {{ {quoted(way.device for way in ways)} }} meta nfproto ipv4 masquerade"] if nat and ways else []
    return (*rules, *(rule for way in ways for rule in way.nat6()))


def _sets(program: Program, lan: Sequence[str]) -> dict[str, SetCode]:
    tuple4 = "ipv4_addr . inet_service . ipv4_addr . inet_service"
    own = (
        SetCode("awake", f"type nf_proto; flags timeout; timeout {LAN_TIMEOUT_S}s;", ("ipv4", "ipv6"), is_learned=True),
        SetCode(
            "lan",
            f"type ifname; flags timeout; timeout {LAN_TIMEOUT_S}s;",
            tuple(f'"{name}"' for name in lan),
            is_learned=True,
        ),
        SetCode("cut4", f"type {tuple4}; flags timeout; timeout {CUT_TIMEOUT_S}s;", is_learned=True),
        SetCode("cut6", f"type {tuple4.replace('4', '6')}; flags timeout; timeout {CUT_TIMEOUT_S}s;", is_learned=True),
    )
    return {one.name: one for one in (*own, *program.sets)}


def _objects(program: Program, ways: Sequence[Way]) -> dict[str, str]:
    objects: dict[str, str] = {}
    for way in ways:
        objects[f"counter link_{way.index}_rx"] = objects[f"counter link_{way.index}_tx"] = ""
        if way.cap_bytes is not None:
            objects[f"quota link_{way.index}_cap"] = f"over {way.cap_bytes} bytes"
    for policy in program.policies:
        objects[f"counter p_{policy.number}"] = ""
    for text in program.objects:
        head, _, body = text.partition("{")
        objects[" ".join(head.split())] = " ".join(body.rpartition("}")[0].split())
    return objects
