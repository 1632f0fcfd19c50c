"""Policies as JSON: rows of the list, the words for completion."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from remsim.core.clock import iso_utc
from remsim.core.routes import ALGORITHMS, CRITERIA, PERSISTENCES
from remsim.policies import gates
from remsim.policies.compile import CompiledPolicy, in_order
from remsim.policies.engine import Engine
from remsim.policies.facts import Facts
from remsim.policies.language import words
from remsim.policies.language.model import Policy, PolicySet
from remsim.policies.language.printer import choices_text, condition_text, limit_text
from remsim.policies.language.terms import Literal

MOST_EDGES = 32
INSERTS = {
    "all": "all",
    "port": "port 443",
    "SNI": "SNI *.example.com",
    "destination_country": "destination_country == router_country",
    "router_country": "router_country == DE",
    "time": "time 00:00-06:00",
    "day": "day mon-fri",
    "download_rate": "download_rate > 1MB/s",
    "upload_rate": "upload_rate > 1MB/s",
    "flow_size": "flow_size > 10MB",
    "packet_size": "packet_size < 200",
    "link": 'link "" is usable',
    "not": "not ",
}
NOT_CALLED = ("any", "next", "block")


def row(policy: Policy) -> dict[str, Any]:
    """What a policy says, without what it does."""
    return {
        "name": policy.name,
        "line": None if policy.origin == "uci" else policy.at.line,
        "first_line": None if policy.origin == "uci" else policy.first_line,
        "end_line": None if policy.origin == "uci" else policy.end.line,
        "priority": policy.priority,
        "priority_word": policy.priority_word or None,
        "from": policy.origin,
        "match": condition_text(policy.match),
        "route": choices_text(policy.choices),
        "class": policy.klass_of,
        "limit": ", ".join(map(limit_text, policy.limits)) or None,
        "is_enabled": policy.is_enabled,
    }


def rows(policy_set: PolicySet) -> list[dict[str, Any]]:
    """Policies in the order in which they are asked, those that are switched off last."""
    policies = [*in_order(policy_set.policies), *(one for one in policy_set.policies if not one.is_enabled)]
    return [row(one) for one in policies]


def rows_in_force(
    policy_set: PolicySet, engine: Engine, facts: Facts, flows: Mapping[int, tuple[int, int, int]]
) -> list[dict[str, Any]]:
    """With what they do now."""
    compiled = {one.policy.name: one for one in engine.compiled.policies}
    hits = engine.hits()
    total = sum(hits.get(name, 0) for name in compiled)
    found = []
    for one in rows(policy_set):
        name = one["name"]
        policy = compiled.get(name)
        if policy is None:
            nothing = dict.fromkeys(("number", "opens_at", "closes_at", "hits_percent", "ring", "closed_why"))
            found.append({**one, **nothing, "is_open": False, "hits": 0, "flows": 0, "rx_bytes": 0, "tx_bytes": 0})
            continue
        is_open = bool(engine.rules(policy.number))
        edge = next_edge(policy, facts)
        under_way = flows.get(policy.number, (0, 0, 0))
        found.append(
            {
                **one,
                "number": policy.number,
                "is_open": is_open,
                "closed_why": None if is_open else closed_why(policy, facts),
                "opens_at": iso_utc(edge) if edge is not None and not is_open else None,
                "closes_at": iso_utc(edge) if edge is not None and is_open else None,
                "hits": hits.get(name, 0),
                "hits_percent": round(100 * hits.get(name, 0) / total, 1) if total else None,
                "flows": under_way[0],
                "rx_bytes": under_way[1],
                "tx_bytes": under_way[2],
                "ring": f"p_{policy.number}",
            }
        )
    return found


def closed_why(policy: CompiledPolicy, facts: Facts) -> str:
    """Why a policy takes nothing now."""
    from remsim.policies.language.printer import test_text

    if not policy.terms:
        return "its conditions contradict each other"
    reasons = []
    for term in policy.terms:
        if term.unknown is not None:
            reasons.append(term.unknown)
        for gate in term.gates:
            found = gates.holds(gate, facts)
            if found is not True:
                text = f"not {test_text(gate.test)}" if gate.is_negated else test_text(gate.test)
                reasons.append(f"{text} does not hold now" if found is False else f"{text} is not known now")
    return "; ".join(dict.fromkeys(reasons)) or "no rule is left of it"


def next_edge(policy: CompiledPolicy, facts: Facts) -> float | None:
    """When hours open or close a policy next, links staying as they are."""
    times = list(dict.fromkeys(gate.test for term in policy.terms for gate in term.gates if gate.test.kind == "time"))
    if not times or facts.now is None:
        return None
    now = _is_open(policy, facts)
    at = facts.now
    for _ in range(MOST_EDGES):
        edges = [edge for test in times if (edge := gates.next_change(test, at, facts.zone)) is not None]
        if not edges:
            return None
        at = min(edges)
        if _is_open(policy, _at(facts, at)) is not now:
            return at
    return None


def _at(facts: Facts, at: float) -> Facts:
    from dataclasses import replace

    return replace(facts, now=at)


def _is_open(policy: CompiledPolicy, facts: Facts) -> bool:
    def holds(literal: Literal) -> bool | None:
        return gates.holds(literal, facts)

    return bool(policy.rules(holds))


def vocabulary(facts: Facts, sets: Mapping[str, object], files: Sequence[str] = ()) -> dict[str, Any]:
    """The words that a text may use here."""
    tests = [word for word in words.OFFERED if word != "not"]
    kinds = {word: words.TEST_WORDS[word.lower()] for word in tests}
    applications = facts.applications
    named = applications.names() if applications is not None else ()
    known = [one for name in sorted(named) if (one := applications.get(name) if applications else None) is not None]
    links, countries = facts.links, facts.countries
    return {
        "match": [
            {"word": word, "help": words.TESTS[kinds[word]], "insert": INSERTS.get(word, f"{word} ")} for word in tests
        ],
        "route": [{"word": word, "help": text, "insert": _insert(word)} for word, text in words.ROUTES.items()],
        "fields": [{"word": word, "help": text, "insert": f"{word}: "} for word, text in words.STATEMENTS.items()],
        "criteria": [{"name": name, "help": text} for name, text in CRITERIA.items()],
        "algorithms": [{"name": name, "help": text} for name, text in ALGORITHMS.items()],
        "persistences": [{"name": name, "help": text} for name, text in PERSISTENCES.items()],
        "priorities": list(words.PRIORITIES),
        "protocols": ["tcp", "udp", "icmp", "RTP", "QUIC", *sorted(set(words.PROTOCOLS) - {"tcp", "udp", "icmp"})],
        "days": [*words.DAYS, *words.DAY_GROUPS],
        "link_states": list(words.LINK_STATES),
        "links": [{"name": link.name, "title": link.title} for link in links],
        "carriers": sorted({link.carrier for link in links if link.carrier}),
        "tags": sorted({tag for link in links for tag in link.tags}),
        "devices": list(facts.devices),
        "sets": sorted(sets),
        "files": list(files),
        "countries": [{"code": code, "name": None} for code in sorted(countries.codes() if countries else ())],
        "applications": [{"name": one.name, "help": one.title} for one in known],
    }


def _insert(word: str) -> str:
    if word == "connection":
        return 'connection "'
    if word in NOT_CALLED:
        return word
    return f"{word}(" if word in words.CALLS else f"{word}()"
