"""Where many rules of policies name ports, a new flow is asked only those that could take it.

A rule that does not take a flow costs the kernel some 20 ns, which with hundreds of them is felt in every connection
that begins. So the first thing asked is the port: a flow to a port that many rules name finds those in a chain of its
own, one to a port that some name finds them and no others, and any other flow only rules that name no port. Each chain
has its rules in the order of the policies, so that the first that takes a flow is the same one as without all this.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache

from remsim.core.routes import SetCode
from remsim.core.small_dataclass import dataclass
from remsim.links.kernel.common import COMMON

LEAST = 32
"""Rules; of fewer a flow may be asked all."""
MOST_OWN = 8
"""Ports that get a chain of their own."""
NARROW, MOST_WIDE = 64, 8
"""Ports of a range that stand alone in a set, and ranges of more."""
BY_PORT = "port_"
"""How the names of the chains begin."""
OTHERS = f"{BY_PORT}others"
TRANSPORT = {"6", "17"}
"""TCP and UDP."""
_NAMED = re.compile(
    r"(meta nfproto ipv[46] |)meta l4proto (6|17|\{ 6, 17 \}|@\w+) th dport (\d+(?:-\d+)?|\{ [^}]*\}|@\w+) "
)
Ports = tuple[tuple[int, int], ...]
"""First and last port of each range."""
Rules = tuple[str, ...]
Values = tuple[tuple[str, tuple[str, ...]], ...]
"""Names of sets and what they hold."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A rule, and which ports it takes (none: it names none that can be seen here)."""

    text: str
    ports: Ports
    at_its_port: str
    """The same where the port has been found to be one of its own."""
    at_some_port: str
    """The same where it is TCP or UDP to a port that some rule names. Its ports come first: they fail soonest."""


def by_port(rules: Iterable[str], sets: Iterable[SetCode], end: str) -> tuple[Mapping[str, Rules], Rules]:
    """The chains that it takes, and the rules that are asked instead of these: those without ports.

    ``sets`` are those that rules may name; ``end`` is the rule that a chain ends with when none took the flow.
    """
    values = tuple((one.name, tuple(one.elements)) for one in sets if one.name.startswith(COMMON))
    return _by_port(tuple(rules), values, end)


@lru_cache(1)
def _by_port(rules: Rules, values: Values, end: str) -> tuple[Mapping[str, Rules], Rules]:
    """The same, once for rules that stay as they are while their rings change."""
    asked = _all_asked(rules, values)
    naming = [one for one in asked if one.ports]
    without = tuple(one.text for one in asked if not one.ports)
    if not is_worth_it(len(naming), len(without)):
        return {}, rules
    some = {one.ports for one in naming}
    count = Counter(low for one in naming for low, high in one.ports if low == high)
    own = sorted(port for port, times in count.most_common(MOST_OWN) if is_worth_it(times, len(without)))
    others = _without(_merged(span for ports in some for span in ports), own)
    chains, first = {}, []
    for port in own:
        at_it = {(), *(ports for ports in some if any(low <= port <= high for low, high in ports))}
        chains[f"{BY_PORT}{port}"] = (*(one.at_its_port for one in asked if one.ports in at_it), end)
        first.append(_first(str(port), f"{BY_PORT}{port}"))
    if others:
        at_others = {(), *(ports for ports in some if _without(ports, own))}
        chains[OTHERS] = (*(one.at_some_port for one in asked if one.ports in at_others), end)
        first += [_first(ports, OTHERS) for ports in _as_nft(others)]
    return chains, (*first, *without)


def _first(ports: str, chain: str) -> str:
    return f"th dport {ports} meta l4proto {{ 6, 17 }} goto {chain}"


def _as_nft(spans: Ports) -> Iterable[str]:
    """Ports for rules: narrow ranges as single ports of one set. One of ranges, or a map, is empty to flows that meet
    it in the microseconds in which another takes its place."""
    single = [port for low, high in spans if high - low < NARROW for port in range(low, high + 1)]
    if single:
        yield f"{{ {', '.join(map(str, single))} }}"
    wide = [span for span in spans if span[1] - span[0] >= NARROW]
    if len(wide) > MOST_WIDE:
        wide = [(wide[0][0], wide[-1][1])]  # whose port is between them meets more rules than it need
    yield from (f"{low}-{high}" for low, high in wide)


def is_worth_it(naming: int, without: int) -> bool:
    """Whether so many rules that name ports, or one port, get a chain, in which those without ports are once more."""
    return naming >= max(LEAST, without)


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
        return _merged((one[0], one[-1]) for one in spans)

    asked = []
    for rule in rules:
        found = _NAMED.match(rule)
        if found is None:
            asked.append(Asked(rule, (), rule, rule))
            continue
        family, protocol, named = found.groups()
        protocols, ports, others = protocols_of(protocol), ports_of(named), rule[found.end() :]
        if not ports or not protocols or not protocols <= TRANSPORT:
            asked.append(Asked(rule, (), rule, rule))
            continue
        if protocols != TRANSPORT:
            others = f"meta l4proto {protocol} {others}"
        asked.append(Asked(rule, ports, f"{family}{others}", f"{family}th dport {named} {others}"))
    return asked


def _merged(spans: Iterable[tuple[int, int]]) -> Ports:
    """Ranges in order, none of which touches another."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted(spans):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(high, merged[-1][1])
        else:
            merged.append((low, high))
    return tuple(merged)


def _without(spans: Ports, ports: Iterable[int]) -> Ports:
    """Ranges without some ports."""
    for port in ports:
        spans = tuple(
            part
            for low, high in spans
            for part in ([(low, port - 1), (port + 1, high)] if low <= port <= high else [(low, high)])
            if part[0] <= part[1]
        )
    return spans
