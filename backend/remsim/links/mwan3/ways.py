"""Policies of mwan3: which links in which order, and how that is said here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from remsim.config.uci import UciFile
from remsim.core.small_dataclass import dataclass
from remsim.links.mwan3.section import EVERYBODY, Notes, is_on, number

WAYS_OUT = {"default": "any", "unreachable": "block", "blackhole": "block"}
"""What mwan3 has instead of a policy, and for one whose links are all down."""
LOWEST_METRIC = 256


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
