"""Interfaces of mwan3 as links."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import Any

from remsim.config.uci import UciFile, UciSection
from remsim.core.routes import MOST_LINKS
from remsim.links.mwan3.section import Notes, is_on
from remsim.links.mwan3.ways import LOWEST_METRIC, Way

METHODS = {"ping": "icmp", "httping": "http", "nslookup": "dns", "nping-icmp": "icmp", "nping-tcp": "tcp"}
PROBE_OPTIONS = (
    *("count", "size", "max_ttl", "timeout", "interval", "failure_interval", "recovery_interval", "down", "up"),
    *("keep_failure_interval", "reliability", "check_quality", "failure_latency", "recovery_latency", "failure_loss"),
    *("recovery_loss", "initial_state", "flush_conntrack", "httping_ssl"),
)
KNOWN = ("enabled", "family", "track_ip", "track_method", *PROBE_OPTIONS)
MOST_TARGETS = 8


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
        elif option not in KNOWN:
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
    if len(found) > MOST_TARGETS:
        notes.add(f"interface {name}: the first {MOST_TARGETS} of {len(found)} addresses are asked")
    return found[:MOST_TARGETS]
