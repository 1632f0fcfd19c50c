"""Conditions as alternatives of tests that all hold, and what one of them says about another.

Heuristics (RTP, QUIC) and applications with ports of their own are spelled out first, so that the compiler and explain
speak of the same tests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from remsim.core.intervals import merge
from remsim.core.small_dataclass import dataclass
from remsim.policies.facts import Applications
from remsim.policies.language.model import (
    And,
    Condition,
    FromFile,
    Mac,
    Named,
    Not,
    Or,
    Range,
    Span,
    Test,
    Value,
    Window,
)
from remsim.policies.language.words import HEURISTICS, NEXT_FLOW, PROTOCOLS, RTP_DSCP, RTP_PORTS
from remsim.policies.learning.globs import is_glob
from remsim.policies.learning.globs import is_within as is_pattern_within

MOST_TERMS = 64
WEEK = 7 * 1440
FILE = "file "
"""What begins the keys of extents that are those of a file."""
MERGED = {"source", "destination", "interface", "port", "source_port", "protocol", "dscp", "domain", "country"}
MERGED |= {"packet_size", "time", "router_country"}
Extent = Mapping[str, list[tuple[int, int]]]
"""Intervals by what they are of; names are intervals of nothing."""


class TooManyTerms(ValueError):
    """A condition has more alternatives than the kernel should try."""


@dataclass(frozen=True, slots=True)
class Literal:
    """A test, or that it does not hold. Its operator is in ``is_negated`` already."""

    test: Test
    is_negated: bool = False


Term = tuple[Literal, ...]


def terms_of(
    condition: Condition, sets: Mapping[str, tuple[Value, ...]], applications: Applications | None = None
) -> tuple[Term, ...]:
    """Alternatives, each of tests that all have to hold; ``TooManyTerms``."""
    return tuple(_alternatives(spelled(condition, sets, applications), is_negated=False))


def spelled(
    condition: Condition, sets: Mapping[str, tuple[Value, ...]], applications: Applications | None = None
) -> Condition:
    """A condition without heuristics, names of sets, and applications that have ports."""
    return _spelled(_without_names(condition, sets), applications, has_port=False)


def _alternatives(condition: Condition, *, is_negated: bool) -> list[Term]:
    if isinstance(condition, Test):
        return [()] if condition.kind == "all" and not is_negated else _literal(condition, is_negated)
    if isinstance(condition, Not):
        return _alternatives(condition.part, is_negated=not is_negated)
    parts = _merged(condition.parts, isinstance(condition, Or))
    if isinstance(condition, Or) is not is_negated:
        found = [term for part in parts for term in _alternatives(part, is_negated=is_negated)]
    else:
        found = [()]
        for part in parts:
            found = [one + other for one in found for other in _alternatives(part, is_negated=is_negated)]
            if len(found) > MOST_TERMS:
                raise TooManyTerms(f"these conditions have more than {MOST_TERMS} combinations; part the policy in two")
    if len(found) > MOST_TERMS:
        raise TooManyTerms(f"these conditions have more than {MOST_TERMS} combinations; part the policy in two")
    return found


def _literal(test: Test, is_negated: bool) -> list[Term]:
    if test.kind == "all":
        return []
    turned = test.operator == "!=" or (test.operator in ("<", "<=") and test.kind in NEXT_FLOW)
    if turned:
        test = replace(test, operator=">" if test.kind in NEXT_FLOW else "==")
    return [(Literal(test, is_negated is not turned),)]


def _merged(parts: Iterable[Condition], is_or: bool) -> list[Condition]:
    """Tests of one kind among alternatives are one test of all their values."""
    if not is_or:
        return list(parts)
    found: list[Condition] = []
    at: dict[str, tuple[int, Test | None]] = {}
    for part in parts:
        if isinstance(part, Test) and part.kind in MERGED and part.operator == "==":
            place, first = at.get(part.kind, (len(found), None))
            one = part if first is None else replace(first, values=first.values + part.values)
            at[part.kind] = (place, one)
            found[place:] = [one, *found[place + 1 :]]
        else:
            found.append(part)
    return found


def _without_names(condition: Condition, sets: Mapping[str, tuple[Value, ...]]) -> Condition:
    """Sets of addresses by what is in them."""
    if isinstance(condition, Test):
        if not any(isinstance(one, Named) and one.name for one in condition.values):
            return condition
        return replace(condition, values=_resolved(condition.values, sets, 0))
    if isinstance(condition, Not):
        return Not(_without_names(condition.part, sets))
    return type(condition)(tuple(_without_names(part, sets) for part in condition.parts))


def _resolved(values: tuple[Value, ...], sets: Mapping[str, tuple[Value, ...]], depth: int) -> tuple[Value, ...]:
    found: list[Value] = []
    for value in values:
        if isinstance(value, Named) and value.name:
            if depth < 8:  # a set that holds itself ends here
                found += _resolved(sets.get(value.name, ()), sets, depth + 1)
        else:
            found.append(value)
    return tuple(found)


def _spelled(condition: Condition, applications: Applications | None, *, has_port: bool) -> Condition:
    """Without heuristics and without applications that have ports."""
    if isinstance(condition, Not):
        return Not(_spelled(condition.part, applications, has_port=False))
    if isinstance(condition, And):
        with_port = has_port or any(isinstance(one, Test) and one.kind == "port" for one in condition.parts)
        return And(tuple(_spelled(one, applications, has_port=with_port) for one in condition.parts))
    if isinstance(condition, Or):
        return Or(tuple(_spelled(one, applications, has_port=has_port) for one in condition.parts))
    if condition.kind == "protocol" and any(one in HEURISTICS for one in condition.values):
        return _heuristic(condition, has_port)
    if condition.kind == "application" and applications is not None:
        return _application(condition, applications)
    return condition


def _heuristic(test: Test, has_port: bool) -> Condition:
    udp = Test("protocol", ("udp",), at=test.at)
    parts: list[Condition] = []
    plain = tuple(one for one in test.values if one not in HEURISTICS)
    if plain:
        parts.append(replace(test, values=plain, operator="=="))
    if "quic" in test.values:
        parts.append(And((udp, Test("port", (Range(443, 443),), at=test.at))))
    if "rtp" in test.values and has_port:
        parts.append(udp)
    elif "rtp" in test.values:
        ports = Test("port", tuple(Range(low, high) for low, high in RTP_PORTS), at=test.at)
        marks = Test("dscp", tuple(Range(one, one) for one in RTP_DSCP), at=test.at)
        parts.append(And((udp, Or((ports, marks)))))
    found = parts[0] if len(parts) == 1 else Or(tuple(parts))
    return Not(found) if test.operator == "!=" else found


def _application(test: Test, applications: Applications) -> Condition:
    parts: list[Condition] = [replace(test, operator="==")]
    for name in test.values:
        known = applications.get(str(name))
        for protocol, low, high in known.ports if known else ():
            ports = Test("port", (Range(low, high),), at=test.at)
            parts.append(And((Test("protocol", (protocol,), at=test.at), ports)))
    found = parts[0] if len(parts) == 1 else Or(tuple(parts))
    return Not(found) if test.operator == "!=" else found


def extent_of(test: Test) -> Extent:
    """What a test takes, as intervals."""
    found: dict[str, list[tuple[int, int]]] = {}
    for value in test.values:
        for key, low, high in _intervals(test.kind, value):
            found.setdefault(key, []).append((low, high))
    return {key: merge(intervals) for key, intervals in found.items()}


def _intervals(kind: str, value: Value) -> Iterable[tuple[str, int, int]]:
    if isinstance(value, Range):
        yield "", value.low, value.high
    elif isinstance(value, Span):
        yield str(value.family), value.first, value.last
    elif isinstance(value, Mac):
        yield value.address, 0, 0
    elif isinstance(value, Named):
        yield "@" + value.name, 0, 0
    elif isinstance(value, FromFile):
        yield FILE + value.name, 0, 0
    elif isinstance(value, Window):
        for day in value.days or range(7):
            length = (value.end - value.begin) % 1440 or 1440
            begin = day * 1440 + value.begin
            yield "", begin, min(begin + length, WEEK) - 1
            if begin + length > WEEK:
                yield "", 0, begin + length - WEEK - 1
    elif kind == "protocol":
        for number in protocol_numbers(str(value)):
            yield "", number, number
    elif kind == "domain" and not is_glob(str(value)):
        yield str(value).removeprefix("*."), 0, 0
    else:
        yield str(value), 0, 0


def protocol_numbers(name: str) -> tuple[int, ...]:
    """Numbers of a protocol that is no heuristic."""
    if name == "icmp":
        return (PROTOCOLS["icmp"], PROTOCOLS["icmpv6"])
    return (PROTOCOLS[name] if name in PROTOCOLS else int(name),)


def is_within(kind: str, inner: Extent, outer: Extent) -> bool:
    """Whether all of ``inner`` is in ``outer``."""
    for key, intervals in inner.items():
        if kind == "domain":
            if not any(is_pattern_within(key, one) for one in outer):
                return False
            continue
        others = outer.get(key, [])
        if not all(any(low >= first and high <= last for first, last in others) for low, high in intervals):
            return False
    return True


def is_apart(kind: str, one: Extent, other: Extent) -> bool:
    """Whether nothing is in both, for certain."""
    if kind in ("domain", "application"):
        return False  # a server has several names
    if kind == "country" and "router_country" in {*one, *other}:
        return False  # it may be any of them
    if kind == "source" and not (set(one) | set(other)) <= {"4", "6"}:
        return False  # who sends has an address and a hardware address
    if any(key.startswith(FILE) for key in (*one, *other)):
        return False  # it may have any address
    for key, intervals in one.items():
        for low, high in intervals:
            if any(low <= last and first <= high for first, last in other.get(key, [])):
                return False
    return True


def is_impossible(term: Term) -> bool:
    """Whether no flow can ever meet all of it."""
    for at, literal in enumerate(term):
        kind = literal.test.kind
        if kind in ("link", *NEXT_FLOW):
            if any(one.test == literal.test and one.is_negated is not literal.is_negated for one in term):
                return True
            continue
        if literal.is_negated:
            continue
        extent = extent_of(literal.test)
        for other in term[:at]:
            if other.test.kind == kind and not other.is_negated and is_apart(kind, extent, extent_of(other.test)):
                return True
        for other in term:
            if other.test.kind == kind and other.is_negated and is_within(kind, extent, extent_of(other.test)):
                return True
    return _has_no_protocol(term)


def _has_no_protocol(term: Term) -> bool:
    """A port of something that has none."""
    has_ports = any(one.test.kind in ("port", "source_port") and not one.is_negated for one in term)
    protocols = [one for one in term if one.test.kind == "protocol" and not one.is_negated]
    if not has_ports or not protocols:
        return False
    transport = {"": [(6, 6), (17, 17)]}
    return any(is_apart("protocol", extent_of(one.test), transport) for one in protocols)


class Covers:
    """Answers whether one alternative covers another; remembers what tests take, as it is asked again and again."""

    def __init__(self) -> None:
        self._extents: dict[int, tuple[Test, Extent]] = {}

    def __call__(self, wide: Term, narrow: Term) -> bool:
        """Whether every flow that meets ``narrow`` meets ``wide`` too, for certain."""
        return all(any(self._implies(given, wanted) for given in _with_protocols(narrow)) for wanted in wide)

    def _extent(self, test: Test) -> Extent:
        found = self._extents.get(id(test))
        if found is None:
            found = self._extents[id(test)] = (test, extent_of(test))  # the test is kept, or its id would be another's
        return found[1]

    def _implies(self, given: Literal, wanted: Literal) -> bool:
        kind = wanted.test.kind
        if given.test.kind != kind:
            return False
        if kind == "link":
            return given == wanted
        if kind in NEXT_FLOW:
            ours, theirs = wanted.test.values[0], given.test.values[0]
            if not isinstance(ours, int) or not isinstance(theirs, int) or given.is_negated is not wanted.is_negated:
                return False
            return theirs <= ours if wanted.is_negated else theirs >= ours
        have, want = self._extent(given.test), self._extent(wanted.test)
        if not wanted.is_negated:
            return not given.is_negated and is_within(kind, have, want)
        if given.is_negated:
            return is_within(kind, want, have)
        return is_apart(kind, have, want)


_TRANSPORT = Literal(Test("protocol", ("tcp", "udp")))


def _with_protocols(term: Term) -> Term:
    has_ports = any(one.test.kind in ("port", "source_port") and not one.is_negated for one in term)
    return (*term, _TRANSPORT) if has_ports else term
