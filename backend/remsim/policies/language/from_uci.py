"""Sections of type ``policy`` in ``remsim_routing`` as policies of the language."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from remsim.config.routing import PolicySettings
from remsim.policies.language.model import Condition, Not, Place, Policy, Problem, Test
from remsim.policies.language.parser import parse
from remsim.policies.language.printer import quoted

CRITERIA = {
    "latency": "lowest_latency",
    "cost": "lowest_cost",
    "uptime": "highest_uptime",
    "loss": "lowest_loss",
    "throughput": "highest_throughput",
}
NO_LINE = Place(0, 0)
FALLBACKS = {"any": "any", "next_rule": "next", "drop": "block"}


def policies_of(sections: Iterable[PolicySettings]) -> tuple[tuple[Policy, ...], tuple[Problem, ...]]:
    """What sections say, and what of them cannot be used: the line of a problem is 0, its text names the section."""
    found: list[Policy] = []
    problems: list[Problem] = []
    for section in sections:
        parsed = parse(text_of(section))
        if parsed.problems or len(parsed.set.policies) != 1:
            why = parsed.problems[0].message if parsed.problems else "it says more than one policy"
            problems.append(Problem(0, 0, f"{section.name}: {why}"))
            continue
        policy = parsed.set.policies[0]
        match = _placeless(policy.match)
        found.append(replace(policy, match=match, origin="uci", at=NO_LINE, end=NO_LINE, places=(), first_line=0))
    return tuple(found), tuple(problems)


def _placeless(condition: Condition) -> Condition:
    """A condition that stands in no line of the text."""
    if isinstance(condition, Test):
        return replace(condition, at=NO_LINE)
    if isinstance(condition, Not):
        return Not(_placeless(condition.part))
    return type(condition)(tuple(_placeless(part) for part in condition.parts))


def text_of(section: PolicySettings) -> str:
    """A section as text of the language, to be copied into a file."""
    route = _route(section)
    lines = [f"policy {_word(section.name)} {{", f"  match: {_match(section)}", f"  route: {route}"]
    if section.fallback in FALLBACKS and section.route != "enforce" and route not in ("any", "block"):
        lines.append(f"  fallback: {FALLBACKS[section.fallback]}")
    lines.append(f"  priority: {section.priority}")
    if section.klass:
        lines.append(f"  class: {_word(section.klass)}")
    if not section.enabled:
        lines.append("  enabled: no")
    return "\n".join([*lines, "}", ""])


def _match(section: PolicySettings) -> str:
    tests = []
    for word, values in (
        ("source", section.source),
        ("destination", section.destination),
        ("source_port", section.src_port),
        ("port", section.dest_port),
        ("domain", section.domain),
    ):
        if values:
            tests.append(f"{word} {{ {', '.join(_word(one) for one in values)} }}")
    if section.proto and section.proto.lower() not in ("all", "any"):
        tests.append(f"protocol {{ {', '.join(_word(one) for one in section.proto.split())} }}")
    if section.dscp:
        tests.append(f"dscp {_word(section.dscp)}")
    if section.time:
        tests.append("time " + " ".join(_word(one) for one in section.time.split()))
    return ", ".join(tests) or "all"


def _route(section: PolicySettings) -> str:
    by = section.by
    if section.route == "block":
        return "block"
    if section.route == "enforce":
        return f"connection {quoted(section.link)} strict"
    if section.route == "balance":
        return f"balance({_word(by)})" if by and by != "remaining_data" else _balance(by)
    if by in CRITERIA:
        return f"prefer_connection({CRITERIA[by]})"
    if by == "remaining_data":
        return _balance(by)
    if by == "carrier" or (section.carrier and not section.link):
        return "prefer_carrier(local)" if section.carrier == "local" else f"prefer_carrier({quoted(section.carrier)})"
    return f"connection {quoted(section.link)}" if section.link or section.route == "connection" else "any"


def _balance(by: str) -> str:
    return "balance_by_remaining_data()" if by else "any"


def _word(text: str) -> str:
    """A value as one word; what would be more than that is put into quotes, where it is no word of the language."""
    is_plain = text and all(one.isalnum() or one in "_.-:/*@%" for one in text)
    return text if is_plain else quoted(text.replace("\n", " "))
