"""Rules of mwan3 as policies."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_network

from remsim.config.uci import UciFile, UciSection
from remsim.core.small_dataclass import dataclass
from remsim.links.mwan3.section import EVERYBODY, Notes, is_on
from remsim.links.mwan3.ways import WAYS_OUT, Way, group_text

KNOWN = (
    *("enabled", "family", "proto", "src_ip", "src_port", "dest_ip", "dest_port", "sticky", "timeout"),
    *("use_policy", "logging"),
)
PROTOCOLS = {
    **{name: name for name in ("tcp", "udp", "icmp", "icmpv6", "igmp", "gre", "esp", "ah", "sctp", "udplite")},
    "ipv6-icmp": "icmpv6",
    "ipencap": "ipip",
    "ipv6": "6in4",
}
"""Names that /etc/protocols has, and what they are here."""


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


def rules_of(file: UciFile, ways: Mapping[str, Way], main: Way | None, count: int, notes: Notes) -> list[Rule]:
    """The rules that can be said here, where there are ``count`` links."""
    found: list[Rule] = []
    for at, section in enumerate(file.sections("rule")):
        name = section.name or f"rule_{at + 1}"
        if any(one.name == name for one in found):
            name = f"{name}_{at + 1}"
        unknown = [one for one in section.options() if one not in KNOWN]
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


def policy_text(rule: Rule) -> str:
    """A rule as a policy."""
    name = rule.name if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", rule.name, re.ASCII) else f'"{rule.name}"'
    lines = [f"policy {name} {{", f"  match: {', '.join(rule.tests) or 'all'}", f"  route: {rule.route}"]
    if rule.fallback and rule.route != "block":
        lines.append(f"  fallback: {rule.fallback}")
    if rule.is_sticky:
        lines.append("  persistence: source")
    return "\n".join([*lines, "}", ""])
