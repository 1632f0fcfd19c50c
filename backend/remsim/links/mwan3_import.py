"""The configuration of mwan3 as links and policies of ours. Pure: text in, values and texts out.

Names and defaults are those of mwan3 2.12 (openwrt/packages, net/mwan3). What has no place here is told, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from typing import Any

from remsim.config.uci import UciFile, UciSection
from remsim.core.routes import MOST_LINKS

METHODS = {"ping": "icmp", "httping": "http", "nslookup": "dns", "nping-icmp": "icmp", "nping-tcp": "tcp"}
EVERYBODY = {"0.0.0.0/0": "ipv4", "::/0": "ipv6"}
WAYS_OUT = {"default": "any", "unreachable": "block", "blackhole": "block"}
"""What mwan3 has instead of a policy, and for one whose links are all down."""
PROBE_OPTIONS = (
    *("count", "size", "max_ttl", "timeout", "interval", "failure_interval", "recovery_interval", "down", "up"),
    *("keep_failure_interval", "reliability", "check_quality", "failure_latency", "recovery_latency", "failure_loss"),
    *("recovery_loss", "initial_state", "flush_conntrack", "httping_ssl"),
)
KNOWN = {
    "interface": ("enabled", "family", "track_ip", "track_method", *PROBE_OPTIONS),
    "rule": (
        *("enabled", "family", "proto", "src_ip", "src_port", "dest_ip", "dest_port", "sticky", "timeout"),
        *("use_policy", "logging"),
    ),
}
PROTOCOLS = {
    **{name: name for name in ("tcp", "udp", "icmp", "icmpv6", "igmp", "gre", "esp", "ah", "sctp", "udplite")},
    "ipv6-icmp": "icmpv6",
    "ipencap": "ipip",
    "ipv6": "6in4",
}
"""Names that /etc/protocols has, and what they are here."""
LOWEST_METRIC = 256


@dataclass(frozen=True, slots=True)
class Imported:
    """What comes of it: ``links`` as values of their sections with ``name``, ``globals`` of ours, a text of policies,
    and what could not be carried over, in sentences."""

    links: tuple[dict[str, Any], ...]
    globals: Mapping[str, Any]
    policies: str
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "links": [dict(one) for one in self.links],
            "globals": dict(self.globals),
            "policies": self.policies,
            "warnings": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Member:
    """An interface in a policy; the lowest metric is asked first, weights share among equals."""

    link: str
    metric: int
    weight: int


@dataclass(frozen=True, slots=True)
class Way:
    """A policy of mwan3: its members by metric, and what is when all are down."""

    name: str
    members: tuple[Member, ...]
    last_resort: str

    def groups(self) -> list[tuple[Member, ...]]:
        """Members of the same metric together, the lowest first."""
        metrics = sorted({one.metric for one in self.members})
        return [tuple(one for one in self.members if one.metric == metric) for metric in metrics]


@dataclass(slots=True)
class Rule:
    """A rule of mwan3 in words of ours."""

    name: str
    tests: list[str]
    route: str
    fallback: str
    is_sticky: bool
    family: str | None = None
    """ipv4 or ipv6, where it is for all destinations of one only."""


@dataclass(slots=True)
class Notes:
    """Sentences, each once."""

    found: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Keep a sentence."""
        if text not in self.found:
            self.found.append(text)


def import_mwan3(text: str) -> Imported:
    """Links and policies from the text of ``/etc/config/mwan3``; raises ``UciError`` where that cannot be read."""
    file = UciFile.parse(text, "mwan3")
    notes = Notes()
    merged = families_merged(file)
    interfaces = usable_interfaces(file, merged, notes)
    ways = {way.name: way for way in ways_of(file, merged, [str(one.name) for one in interfaces], notes)}
    main = main_way(file, ways)
    rules = rules_of(file, ways, main, len(interfaces), notes)
    tags = {way.name: way for way in ways.values() if needs_tag(way, len(interfaces))}
    links = tuple(link_of(one, file, merged, main, tags.values(), notes) for one in interfaces)
    last_resort = "unreachable" if main is not None and WAYS_OUT.get(main.last_resort) == "block" else "keep"
    return Imported(
        links=links,
        globals={"algorithm": "weighted", "last_resort": last_resort} if links else {},
        policies="\n".join(policy_text(one) for one in with_families_joined(rules)),
        notes=tuple(notes.found),
    )


def families_merged(file: UciFile) -> dict[str, str]:
    """Interfaces that are the IPv6 of another, which they are named after, with that one: a link carries both."""
    names = {one.name for one in file.sections("interface")}
    return {
        str(one.name): str(one.name).removesuffix("6")
        for one in file.sections("interface")
        if one.name and one.get("family") == "ipv6" and one.name.endswith("6") and one.name.removesuffix("6") in names
    }


def usable_interfaces(file: UciFile, merged: Mapping[str, str], notes: Notes) -> list[UciSection]:
    """The interfaces that become links, those that are in use first where there are too many."""
    found: list[UciSection] = []
    for section in file.sections("interface"):
        if section.name is None or section.name in merged or any(one.name == section.name for one in found):
            continue
        if not re.fullmatch(r"[A-Za-z0-9_]{1,15}", section.name, re.ASCII):
            notes.add(f"interface {section.name[:40]} is left out: its name is longer than 15 letters, digits and _")
        else:
            found.append(section)
    if len(found) > MOST_LINKS:
        in_use = sorted(found, key=lambda one: not is_on(one))[:MOST_LINKS]
        for section in found:
            if section not in in_use:
                notes.add(f"interface {section.name} is left out: there are {MOST_LINKS} links at most")
        found = [one for one in found if one in in_use]
    for one, other in merged.items():
        if any(section.name == one and is_on(section) for section in file.sections("interface")):
            notes.add(f"interface {one} has become part of the link {other}, which carries IPv4 and IPv6")
        else:
            notes.add(f"interface {one} is off there; the link {other} carries IPv6 too, see its option ipv6")
    return found


def ways_of(file: UciFile, merged: Mapping[str, str], links: Sequence[str], notes: Notes) -> Iterable[Way]:
    """The policies of mwan3 with their members."""
    members = {one.name: one for one in file.sections("member") if one.name}
    for section in file.sections("policy"):
        found: dict[str, Member] = {}
        for name in section.get_list("use_member"):
            member = members.get(name)
            interface = (member.get("interface") or "") if member is not None else ""
            link = merged.get(interface, interface)
            if member is None or link not in links:
                notes.add(f"policy {section.name}: its member {name[:40]} is left out: there is no such link")
                continue
            found.setdefault(link, Member(link, number(member, "metric", 1), number(member, "weight", 1)))
        used = tuple(one for one in found.values() if one.metric <= LOWEST_METRIC)
        if section.name is not None:
            yield Way(section.name, used, section.get("last_resort") or "unreachable")


def main_way(file: UciFile, ways: Mapping[str, Way]) -> Way | None:
    """The policy that decides for most: that of the last rule for all destinations, else the one with most members."""
    for rule in reversed(file.sections("rule")):
        way = ways.get(rule.get("use_policy") or "")
        if way is not None and is_on(rule) and rule.get("dest_ip") in (None, *EVERYBODY):
            return way
    return max(ways.values(), key=lambda way: len(way.members), default=None)


def link_of(
    section: UciSection,
    file: UciFile,
    merged: Mapping[str, str],
    main: Way | None,
    tags: Iterable[Way],
    notes: Notes,
) -> dict[str, Any]:
    """An interface as a link."""
    name = str(section.name)
    of_ipv6 = [one for one in file.sections("interface") if merged.get(one.name or "") == name and is_on(one)]
    values: dict[str, Any] = {"name": name, "interface": name}
    if not is_on(section):
        values["enabled"] = False
    own = None if main is None else next((one for one in main.members if one.link == name), None)
    values["priority"] = own.metric if own else LOWEST_METRIC
    if own is not None and own.weight != 1:
        values["weight"] = own.weight
    if main is not None and own is None:
        notes.add(f"interface {name} is in no member of the policy {main.name}: it is the last choice")
    targets = probes([target for one in (section, *of_ipv6) for target in one.get_list("track_ip")], name, notes)
    if targets:
        values["probe"] = targets
    method = section.get("track_method") or "ping"
    if method in METHODS:
        values["probe_type"] = METHODS[method]
    else:
        notes.add(f"interface {name}: track_method {method[:40]} is not known here; whatever is answered is used")
    if named := [f"mwan3_{way.name}" for way in tags if any(one.link == name for one in way.groups()[0])]:
        values["tags"] = [tag[:32] for tag in named]
    for option in section.options():
        if option in PROBE_OPTIONS:
            notes.add(
                "how often and how patiently mwan3 asks (interval, timeout, down, up, reliability …) is not taken "
                "over: links are asked several times a second here, see globals"
            )
        elif option not in KNOWN["interface"]:
            notes.add(f"interface {name}: {option} is not taken over")
    return values


def probes(targets: Sequence[str], name: str, notes: Notes) -> list[str]:
    """The addresses that are asked; names are not, for a link is asked before names can be looked up."""
    found: list[str] = []
    for target in dict.fromkeys(targets):
        try:
            ip_address(target)
        except ValueError:
            notes.add(f"interface {name}: {target[:60]} is not asked: probes go to IP addresses")
            continue
        found.append(target)
    if len(found) > 8:
        notes.add(f"interface {name}: the first 8 of {len(found)} addresses are asked")
    return found[:8]


def rules_of(file: UciFile, ways: Mapping[str, Way], main: Way | None, count: int, notes: Notes) -> list[Rule]:
    """The rules that can be said here, where there are ``count`` links."""
    found: list[Rule] = []
    for at, section in enumerate(file.sections("rule")):
        name = section.name or f"rule_{at + 1}"
        if any(one.name == name for one in found):
            name = f"{name}_{at + 1}"
        unknown = [one for one in section.options() if one not in KNOWN["rule"]]
        wanted = section.get("use_policy") or ""
        if not is_on(section):
            notes.add(f"rule {name} is left out: it is switched off")
        elif unknown:
            notes.add(f"rule {name} is left out: {', '.join(unknown)} cannot be said here")
        elif wanted not in ways and wanted not in WAYS_OUT:
            notes.add(f"rule {name} is left out: there is no policy {wanted[:40] or 'named in it'}")
        elif (tests := tests_of(section, name, notes)) is not None:
            found.append(rule_of(section, name, tests, ways.get(wanted), main, count, notes))
    return found


def rule_of(
    section: UciSection, name: str, tests: list[str], way: Way | None, main: Way | None, count: int, notes: Notes
) -> Rule:
    """A rule that can be said."""
    if way is None:
        route, fallback = WAYS_OUT[section.get("use_policy") or "default"], ""
        if route == "any":
            notes.add(f"rule {name}: mwan3 leads it by the main routing table; here it goes as what no policy takes")
    else:
        route = ", ".join(group_text(way, group, count) for group in way.groups()) or "any"
        fallback = WAYS_OUT.get(way.last_resort, "block")
        weights = {one.link: one.weight for group in way.groups() if len(group) > 1 for one in group}
        if main is not None and weights.items() - {(one.link, one.weight) for one in main.members}:
            notes.add(f"policy {way.name}: its own weights are not taken over; its links share as all links do")
    if section.get("timeout") and section.get("sticky") == "1":
        notes.add(f"rule {name}: its timeout is not taken over; a device keeps its link for as long as that is up")
    return Rule(name, tests, route, fallback, section.get("sticky") == "1", family_of(section))


def tests_of(section: UciSection, name: str, notes: Notes) -> list[str] | None:
    """What a rule asks for in words of the language; None where it cannot be said."""
    tests = []
    for option, word in (("src_ip", "source"), ("dest_ip", "destination")):
        value = section.get(option) or ""
        if value and not is_network(value):
            notes.add(f"rule {name} is left out: {option} {value[:60]!r} is no address or network")
            return None
        if value and value not in EVERYBODY:
            tests.append(f"{word} {value}")
    for option, word in (("src_port", "source_port"), ("dest_port", "port")):
        if value := (section.get(option) or "").replace(" ", ""):
            parts = value.split(",")
            if not all(map(are_ports, parts)):
                notes.add(f"rule {name} is left out: {option} {value[:60]!r} is no list of ports")
                return None
            tests.append(f"{word} {'/'.join(one.replace(':', '-') for one in parts)}")
    protocol = (section.get("proto") or "all").lower()
    if protocol != "all":
        if protocol not in PROTOCOLS and not (re.fullmatch("[0-9]{1,3}", protocol, re.ASCII) and int(protocol) < 256):
            notes.add(f"rule {name} is left out: proto {protocol[:40]!r} cannot be said here")
            return None
        tests.append(f"protocol {PROTOCOLS.get(protocol, protocol)}")
    return tests


def is_network(text: str) -> bool:
    """An address, or a network."""
    try:
        ip_network(text, strict=False)
    except ValueError:
        return False
    return bool(re.fullmatch(r"[0-9A-Fa-f.:]+(/[0-9]{1,3})?", text, re.ASCII))


def are_ports(text: str) -> bool:
    """A port, or the first and the last of several."""
    match = re.fullmatch(r"([0-9]{1,5})(?:[:-]([0-9]{1,5}))?", text, re.ASCII)
    return match is not None and 1 <= int(match[1]) <= int(match[2] or match[1]) <= 65535


def family_of(section: UciSection) -> str | None:
    """The one family that a rule without any address is for; None: both, or its addresses tell."""
    destination = section.get("dest_ip") or ""
    if destination in EVERYBODY or not destination:
        family = EVERYBODY.get(destination) or section.get("family")
        return family if family in EVERYBODY.values() and not section.get("src_ip") else None
    return None


def with_families_joined(rules: Sequence[Rule]) -> list[Rule]:
    """Two rules that differ only in the family of all destinations are one; that of one family says so."""
    found: list[Rule] = []
    for rule in rules:
        twin = next((one for one in found if are_twins(one, rule)), None)
        if twin is None:
            found.append(rule)
            continue
        twin.family = None
        if {twin.name[-3:], rule.name[-3:]} == {"_v4", "_v6"} and twin.name[:-3] == rule.name[:-3]:
            twin.name = twin.name[:-3]
    networks = {family: network for network, family in EVERYBODY.items()}
    for rule in found:
        if rule.family:
            rule.tests.append(f"destination {networks[rule.family]}")
    return found


def are_twins(one: Rule, other: Rule) -> bool:
    """Whether they say the same of both families."""
    same = (one.tests, one.route, one.fallback, one.is_sticky) == (
        other.tests, other.route, other.fallback, other.is_sticky,
    )  # fmt: skip
    return same and {one.family, other.family} == set(EVERYBODY.values())


def needs_tag(way: Way, count: int) -> bool:
    """Whether its first choice is several links, but not all."""
    groups = way.groups()
    return bool(groups) and 1 < len(groups[0]) < count


def group_text(way: Way, group: Sequence[Member], count: int) -> str:
    """Members of one metric as a choice of the language."""
    if len(group) == 1:
        return f'connection "{group[0].link}"'
    if len(group) == count:
        return "balance(weighted)"
    if group == way.groups()[0]:
        return f'prefer_tag("{f"mwan3_{way.name}"[:32]}")'
    return ", ".join(f'connection "{one.link}"' for one in sorted(group, key=lambda one: -one.weight))


def policy_text(rule: Rule) -> str:
    """A rule as a policy."""
    name = rule.name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", rule.name, re.ASCII) else f'"{rule.name}"'
    lines = [f"policy {name} {{", f"  match: {', '.join(rule.tests) or 'all'}", f"  route: {rule.route}"]
    if rule.fallback and rule.route != "block":
        lines.append(f"  fallback: {rule.fallback}")
    if rule.is_sticky:
        lines.append("  persistence: source")
    return "\n".join([*lines, "}", ""])


def is_on(section: UciSection) -> bool:
    """Rules are in use unless they say otherwise, interfaces only when they say so."""
    usual = "0" if section.type == "interface" else "1"
    return (section.get("enabled") or usual) == "1"


def number(section: UciSection, option: str, usual: int) -> int:
    """A number from 1 to 1000."""
    text = section.get(option) or ""
    return min(1000, max(1, int(text))) if re.fullmatch(r"[0-9]{1,6}", text, re.ASCII) else usual
