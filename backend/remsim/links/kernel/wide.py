"""Large sets of ranges: with a second field in their key, and very large ones in pieces.

A set of ranges alone is read back from the kernel by libnftables whenever anything adds an element to any set: with
the addresses of one country (40,000 ranges) that is 0.8 s for each name that dnsmasq notes. Sets with several fields
are not, and fill faster (0.3 s). So an address goes together with its protocol, which may be any.

The kernel keeps such a set as tables of bits, which it copies as they grow: up to some hundred thousand prefixes an
element takes it 5 to 20 µs, with a million minutes. So a very large set is several, with a rule each.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import overload

from remsim.core.routes import PolicyCode, Program, SetCode
from remsim.core.small_dataclass import dataclass
from remsim.links.kernel.elements import span_of

MOST = 64
"""Ranges that a set may have to stay as it is."""
SUFFIX = "w"
"""Of their names: the same set may be small another time, and a set cannot change its type."""
PREFIXES = 100_000
"""Of a piece, about: a range is as many elements to the kernel as it has prefixes."""
MOST_PIECES = 64
LOOKED_AT = 200
"""Ranges of a set by which the prefixes of all are estimated."""
BLOCK = 1000
_ADDRESSES = re.compile(r"\btype (ipv[46]_addr)\s*;(.*\bflags [a-z, ]*\binterval\b)", re.S)
_NAMED = re.compile(r"\b(ip6? [sd]addr)( != | )@(\w+)")
_PIECE = re.compile(rf"{SUFFIX}_\d+$")
Names = Mapping[str, tuple[str, ...]]
"""The sets that stand for one."""


@dataclass(frozen=True, slots=True)
class Piece(Sequence[str]):
    """Some of the elements of a set, which may be texts made when they are looked at."""

    of: Sequence[str]
    begin: int
    end: int

    def __len__(self) -> int:
        return self.end - self.begin

    def __iter__(self) -> Iterator[str]:
        for at in range(self.begin, self.end, BLOCK):
            yield from self.of[at : min(at + BLOCK, self.end)]

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        places = range(self.begin, self.end)[at]
        return self.of[places] if isinstance(places, int) else [self.of[one] for one in places]


def widened(program: Program) -> Program:
    """The same program with its large sets of ranges widened, and the rules that name them."""
    names = wide_names(program)
    if not names:
        return program
    return replace(
        program,
        policies=tuple(widened_policy(one, names) for one in program.policies),
        sets=tuple(piece for one in program.sets for piece in _pieces(one, names.get(one.name, ()))),
        taps=widened_rules(program.taps, names),
        post_taps=widened_rules(program.post_taps, names),
    )


def wide_names(program: Program) -> Names:
    """The sets of a program that are to be widened, and what each is then."""
    names: dict[str, tuple[str, ...]] = {}
    for one in program.sets:
        found = _ADDRESSES.search(one.declaration) if len(one.elements) > MOST else None
        if found is not None:
            count = pieces_of(one.elements, found[1])
            wide = one.name + SUFFIX
            names[one.name] = (wide,) if count == 1 else tuple(f"{wide}_{n}" for n in range(1, count + 1))
    return names


def pieces_of(elements: Sequence[str], kind: str) -> int:
    """How many sets elements should be."""
    step = max(1, len(elements) // LOOKED_AT)
    looked_at = [elements[at] for at in range(0, len(elements), step)]
    prefixes = sum(_prefixes(kind, one) for one in looked_at) / len(looked_at) * len(elements)
    return min(MOST_PIECES, 1 + int(prefixes) // PREFIXES)


def widened_policy(policy: PolicyCode, names: Names) -> PolicyCode:
    """A policy whose rules ask widened sets."""
    rules, post, forward = (widened_rules(one, names) for one in (policy.rules, policy.post, policy.forward))
    return replace(policy, rules=rules, post=post, forward=forward)


def widened_rules(rules: Collection[str], names: Names) -> tuple[str, ...]:
    """Rules that ask widened sets: what is in one of several is asked by a rule each."""
    return tuple(wide for rule in rules for wide in (_asking(rule, names) if "@" in rule else (rule,)))


def whole_name(name: str) -> str:
    """The name of a widened set, also of one in pieces."""
    return _PIECE.sub(SUFFIX, name)


def _asking(rule: str, names: Names) -> Iterable[str]:
    found = next((one for one in _NAMED.finditer(rule) if one[3] in names), None)
    if found is None:
        return (rule,)
    before, after = rule[: found.start()], rule[found.end() :]
    tests = [f"{found[1]} . meta l4proto{found[2]}@{name}" for name in names[found[3]]]
    if found[2] != " ":
        tests = [" ".join(tests)]
    return [f"{before}{test}{rest}" for test in tests for rest in _asking(after, names)]


def _pieces(one: SetCode, names: tuple[str, ...]) -> Iterable[SetCode]:
    if not names:
        return (one,)
    declaration = _ADDRESSES.sub(r"type \1 . inet_proto;\2", one.declaration)
    whole, count = len(one.elements), len(names)
    ends = [whole * n // count for n in range(count + 1)]
    parts = [Piece(one.elements, *ends[n : n + 2]) for n in range(count)] if count > 1 else [one.elements]
    return [
        replace(one, name=name, declaration=declaration, elements=part, is_apart=True)
        for name, part in zip(names, parts, strict=True)
    ]


def _prefixes(kind: str, value: str) -> int:
    """How many prefixes a range is; one where it cannot be read, which is said when it is loaded."""
    try:
        first, last = (int.from_bytes(one, "big") for one in span_of(kind, value))
    except ValueError:
        return 1
    count = 0
    while first <= last:
        first += min(first & -first or 1 << last.bit_length(), 1 << (last - first + 1).bit_length() - 1)
        count += 1
    return count
