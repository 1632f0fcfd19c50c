"""Large sets of ranges with a second field in their key.

A set of ranges alone is read back from the kernel by libnftables whenever anything adds an element to any set: with
the addresses of one country (40,000 ranges) that is 0.8 s for each name that dnsmasq notes. Sets with several fields
are not, and fill faster (0.3 s). So an address goes together with its protocol, which may be any.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace

from remsim.core.routes import PolicyCode, Program, SetCode

MOST = 64
"""Ranges that a set may have to stay as it is."""
SUFFIX = "w"
"""Of their names: the same set may be small another time, and a set cannot change its type."""
_ADDRESSES = re.compile(r"\btype (ipv[46]_addr)\s*;(.*\bflags [a-z, ]*\binterval\b)", re.S)
_NAMED = re.compile(r"\b(ip6? [sd]addr)( != | )@(\w+)")


def widened(program: Program) -> Program:
    """The same program with its large sets of ranges widened, and the rules that name them."""
    names = wide_names(program)
    if not names:
        return program
    return replace(
        program,
        policies=tuple(widened_policy(one, names) for one in program.policies),
        sets=tuple(_widened_set(one) if one.name in names else one for one in program.sets),
        taps=widened_rules(program.taps, names),
        post_taps=widened_rules(program.post_taps, names),
    )


def wide_names(program: Program) -> frozenset[str]:
    """The sets of a program that are to be widened."""
    sets = (one for one in program.sets if len(one.elements) > MOST)
    return frozenset(one.name for one in sets if _ADDRESSES.search(one.declaration))


def widened_policy(policy: PolicyCode, names: Collection[str]) -> PolicyCode:
    """A policy whose rules ask widened sets."""
    rules, post, forward = (widened_rules(one, names) for one in (policy.rules, policy.post, policy.forward))
    return replace(policy, rules=rules, post=post, forward=forward)


def widened_rules(rules: Collection[str], names: Collection[str]) -> tuple[str, ...]:
    """Rules that ask widened sets."""

    def asked(found: re.Match[str]) -> str:
        return f"{found[1]} . meta l4proto{found[2]}@{found[3]}{SUFFIX}" if found[3] in names else found[0]

    return tuple(_NAMED.sub(asked, rule) if "@" in rule else rule for rule in rules)


def _widened_set(one: SetCode) -> SetCode:
    declaration = _ADDRESSES.sub(r"type \1 . inet_proto;\2", one.declaration)
    return replace(one, name=one.name + SUFFIX, declaration=declaration, is_large=True)
