"""Where many rules of policies name ports, a new flow to another port is not asked them.

A rule that does not take a flow costs the kernel some 20 ns, which with hundreds of them is felt in every connection
that begins. So it is asked first whether its port is one that any rule names. If so it is asked all rules, in a chain
of their own; else those that name no port. Both are in the order of the policies: the first rule that takes a flow is
the same one as without all this.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from typing import NamedTuple

from remsim.core.intervals import merge
from remsim.core.routes import SetCode
from remsim.links.kernel.common import COMMON

LEAST = 32
"""Rules; of fewer a flow may be asked all."""
NARROW, MOST_SINGLE, MOST_WIDE = 64, 1024, 8
"""Ports of a range that stand alone in a set, at most how many stand there, and at most how many ranges are wider."""
BY_PORT = "by_port"
"""The chain of flows to ports that rules name."""
TRANSPORT = {"6", "17"}
"""TCP and UDP."""
_NAMED = re.compile(
    r"(meta nfproto ipv[46] |)meta l4proto (6|17|\{ 6, 17 \}|@\w+) th dport (\d+(?:-\d+)?|\{ [^}]*\}|@\w+) "
)
Ports = tuple[tuple[int, int], ...]
"""First and last port of each range."""
Rules = tuple[str, ...]
Values = tuple[tuple[str, Rules], ...]
"""Names of sets and what they hold."""


class Asked(NamedTuple):
    """A rule; which ports it takes (none: it names none that can be seen here); and how it is asked flows of TCP and
    UDP: ports come first, as of all that a rule asks they fail soonest."""

    text: str
    ports: Ports
    at_some_port: str


def by_port(rules: Iterable[str], sets: Iterable[SetCode], end: str) -> tuple[Rules, Rules]:
    """The rules of chain ``by_port``, none where there shall be none, and those that are asked instead of these.

    ``sets`` are those that rules may name; ``end`` is the rule that the chain ends with when none took the flow.
    """
    values = tuple((one.name, tuple(one.elements)) for one in sets if one.name.startswith(COMMON))
    return _by_port(tuple(rules), values, end)


@lru_cache(1)
def _by_port(rules: Rules, values: Values, end: str) -> tuple[Rules, Rules]:
    """The same, once for rules that stay as they are while their rings change."""
    asked = _all_asked(rules, values)
    without = tuple(one.text for one in asked if not one.ports)
    if not is_worth_it(len(asked) - len(without), len(without)):
        return (), rules
    ports = merge(span for spans in {one.ports for one in asked} for span in spans)
    entries = (f"th dport {text} meta l4proto {{ 6, 17 }} goto {BY_PORT}" for text in _as_nft(ports))
    return (*(one.at_some_port for one in asked), end), (*entries, *without)


def is_worth_it(naming: int, without: int) -> bool:
    """Whether so many rules that name ports get the chain, in which those without ports are once more."""
    return naming >= max(LEAST, without)


def _as_nft(spans: Sequence[tuple[int, int]]) -> Iterable[str]:
    """Ports for rules: narrow ranges as single ports of one set. One of ranges, or a map, is empty to flows that meet
    it in the microseconds in which another takes its place."""
    single = [port for low, high in spans if high - low < NARROW for port in range(low, high + 1)]
    wide = [f"{low}-{high}" for low, high in spans if high - low >= NARROW]
    if len(single) > MOST_SINGLE or len(wide) > MOST_WIDE:
        return [f"{spans[0][0]}-{spans[-1][1]}"]  # a port between them meets more rules than it need
    return [f"{{ {', '.join(map(str, single))} }}", *wide] if single else wide


def _all_asked(rules: Rules, values: Values) -> list[Asked]:
    sets = dict(values)

    def of(text: str) -> Rules:
        return sets.get(text[1:], ()) if text.startswith("@") else tuple(text.strip("{ }").split(", "))

    @cache
    def protocols_of(text: str) -> frozenset[str]:
        return frozenset(of(text))

    @cache
    def ports_of(text: str) -> Ports:
        spans = [tuple(map(int, one.split("-"))) for one in of(text)]
        return tuple(merge((one[0], one[-1]) for one in spans))

    asked = []
    for rule in rules:
        found = _NAMED.match(rule)
        if found is None:
            asked.append(Asked(rule, (), rule))
            continue
        family, protocol, named = found.groups()
        protocols, ports = protocols_of(protocol), ports_of(named)
        if not ports or not protocols or not protocols <= TRANSPORT:
            asked.append(Asked(rule, (), rule))
            continue
        of_one = "" if protocols == TRANSPORT else f"meta l4proto {protocol} "
        asked.append(Asked(rule, ports, f"{family}th dport {named} {of_one}{rule[found.end() :]}"))
    return asked
