"""Sets of ports and protocols that several rules ask: named, as each of braces is one more that nft makes anew."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from zlib import crc32

from remsim.core.routes import Program, SetCode

TYPES = {"meta l4proto": "inet_proto", "th dport": "inet_service", "th sport": "inet_service"}
COMMON = tuple(f"{kind}_" for kind in dict.fromkeys(TYPES.values()))
"""How the names of such sets begin."""
_BRACES = re.compile(r"\b(meta l4proto|th [ds]port)( != | )\{ ([0-9, ]+) \}")
"""No ranges: those that overlap are no named set."""


def with_common_sets(program: Program) -> Program:
    """The same program; what two of its rules have in braces is a set of its own. Policies filled later may still
    have braces."""
    found = Counter(
        (TYPES[key], values)
        for policy in program.policies
        for rule in policy.rules
        if "{" in rule
        for key, _, values in _BRACES.findall(rule)
    )
    names = {one: f"{one[0]}_{crc32(one[1].encode()):08x}" for one, count in found.items() if count > 1}
    if not names:
        return program

    def asked(braces: re.Match[str]) -> str:
        name = names.get((TYPES[braces[1]], braces[3]))
        return braces[0] if name is None else f"{braces[1]}{braces[2]}@{name}"

    policies = tuple(
        replace(one, rules=tuple(_BRACES.sub(asked, rule) if "{" in rule else rule for rule in one.rules))
        for one in program.policies
    )
    sets = (SetCode(name, f"type {kind};", tuple(values.split(", "))) for (kind, values), name in names.items())
    return replace(program, policies=policies, sets=(*program.sets, *sets))
