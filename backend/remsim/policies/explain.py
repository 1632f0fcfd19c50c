"""Why a flow goes where: each policy's answer to what is known of it, the links it gets, what to bear in mind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from remsim.core.routes import Choice, RingSpec
from remsim.core.small_dataclass import dataclass
from remsim.policies import gates
from remsim.policies.compile import in_order, ring_of
from remsim.policies.facts import Facts, FlowFacts, Share
from remsim.policies.judging import asks_router, judge
from remsim.policies.language.model import Policy, Value, tests_in
from remsim.policies.language.printer import choices_text
from remsim.policies.language.terms import spelled
from remsim.policies.language.values import ip_of
from remsim.policies.language.words import NEXT_FLOW
from remsim.policies.learning.globs import is_glob

INTERACTIVE = {("tcp", 80), ("tcp", 443), ("tcp", 853), ("udp", 53), ("udp", 123), ("udp", 443), ("udp", 3478)}
DNS_PORTS = (53, 853)
INTERACTIVE_DSCP = (32, 40, 34, 46)
"""Flows that no policy takes and that are interactive all the same, as in the kernel's table (links/kernel)."""


@dataclass(frozen=True, slots=True)
class Step:
    """A policy's answer: ``matches``, ``no``, ``unknown``, or ``closed`` when only the hour, a link or the country
    keeps it from matching; and why."""

    policy: str
    line: int
    result: str
    why: str

    def as_dict(self) -> dict[str, object]:
        """As JSON."""
        return {"policy": self.policy, "line": self.line, "result": self.result, "why": self.why}


@dataclass(frozen=True, slots=True)
class Explanation:
    """Which policy takes a flow (None: none does), by which links new flows like it go, and what to bear in mind."""

    policy: str | None
    line: int | None
    klass: str
    route: str
    shares: tuple[Share, ...]
    steps: tuple[Step, ...]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, object]:
        """The object of ``POST /api/v1/policies/explain``."""
        best = max(self.shares, key=lambda one: one.percent, default=None)
        return {
            "policy": self.policy,
            "line": self.line,
            "link": None if best is None else best.link,
            "links": [{"link": one.link, "percent": one.percent} for one in self.shares],
            "class": self.klass,
            "route": self.route,
            "steps": [one.as_dict() for one in self.steps],
            "notes": list(self.notes),
        }


def explain(
    policies: Iterable[Policy],
    sets: Mapping[str, tuple[Value, ...]],
    facts: Facts,
    flow: FlowFacts,
    shares: Callable[[RingSpec, int | None], Sequence[Share] | None] | None = None,
    numbers: Mapping[str, int] | None = None,
    resolver_of: Callable[[str], str | None] = lambda address: None,
) -> Explanation:
    """Ask the policies in their order. ``shares`` tells what a ring gives each link now (see ``facts.Traffic``);
    without it all are taken to have one."""
    if flow.at is not None:
        facts = replace(facts, now=flow.at)
    resolved_by = resolver_of(flow.destination) if flow.destination is not None and _is_dns(flow) else None
    if resolved_by is not None:
        note = f"{flow.destination} is the resolver of {resolved_by}: it is asked by that link, whatever policies say"
        return Explanation(None, None, default_class(flow), "any", (Share(resolved_by, 100.0),), (), (note,))
    steps: list[Step] = []
    notes: list[str] = []
    family = _family_of(flow)
    for place, policy in enumerate(in_order(policies), 1):
        plain = spelled(policy.match, sets, facts.applications)
        if flow.is_router and not asks_router(plain):
            why = "it is not asked about the router's own traffic: that is led by policies that say “source router”"
            steps.append(Step(policy.name, policy.at.line, "no", why))
            continue
        result, why = judge(plain, facts, flow)
        if result == "unknown":
            notes.append(f"policy {policy.name} may take it: {why}")
        if result != "matches":
            steps.append(Step(policy.name, policy.at.line, result, why))
            continue
        ring = ring_of(policy, (numbers or {}).get(policy.name, place), facts)
        found = shares(ring, family) if shares is not None else ()
        is_left = found is None
        if is_left:
            why += "; none of its links can be used now, so the next policy decides"
        steps.append(Step(policy.name, policy.at.line, "matches", why))
        if found is not None and policy.choices[0].kind != "next":
            notes += [*_fails(policy, facts), *_notes(policy, sets, facts)]
            route = choices_text(policy.choices)
            return Explanation(policy.name, policy.at.line, ring.klass, route, tuple(found), tuple(steps), tuple(notes))
    klass = default_class(flow)
    found = shares(RingSpec(klass, (Choice("any"),), klass), family) if shares is not None else ()
    notes.append("flows that have begun keep their link")
    return Explanation(None, None, klass, "any", tuple(found or ()), tuple(steps), tuple(notes))


def _is_dns(flow: FlowFacts) -> bool:
    return flow.port in DNS_PORTS and flow.protocol in (None, "tcp", "udp")


def _family_of(flow: FlowFacts) -> int | None:
    address = flow.destination or flow.source
    return None if address is None else ip_of(address)[0]


def default_class(flow: FlowFacts) -> str:
    """The class of a flow that no policy takes."""
    if flow.is_router:
        return "interactive"
    is_known = (flow.protocol, flow.port) in INTERACTIVE or flow.protocol in ("icmp", "icmpv6")
    return "interactive" if is_known or flow.dscp in INTERACTIVE_DSCP else "bulk"


def _fails(policy: Policy, facts: Facts) -> list[str]:
    """What a strict link that is down does to its flows."""
    first = gates.link_of(policy.choices[0].value, facts.links) if policy.choices[0].is_strict else None
    if first is None or first.is_usable:
        return []
    return [f"{first.name} is {first.state}, and the policy is strict: its flows fail until it is back"]


def _notes(policy: Policy, sets: Mapping[str, tuple[Value, ...]], facts: Facts) -> list[str]:
    tests = list(tests_in(spelled(policy.match, sets, None)))
    kinds = {one.kind for one in tests}
    names = {str(value) for one in tests if one.kind in ("domain", "application") for value in one.values}
    globs = sorted(filter(is_glob, names))
    notes = []
    measured = sorted(kinds & set(NEXT_FLOW))
    if measured:
        which = " and ".join(measured)
        notes.append(f"{which} holds from the next flow on: the flow that is measured stays on its link")
    ways = facts.names_learned or ()
    if globs:
        holds = "holds" if len(globs) == 1 else "hold"
        notes.append(f"{' and '.join(globs)} {holds} from the next flow on: the flow that names it stays on its link")
    if len(names) > len(globs):
        if "dnsmasq" in ways:
            notes.append("names are known for devices that ask this router for them; others hold from the next flow on")
        else:
            notes.append("a name is learned from a flow to it, so it holds from the next flow on")
    if names:
        notes.append("a name hidden by Encrypted Client Hello or asked of a foreign resolver is not seen")
    if "time" in kinds or "link" in kinds:
        notes.append("a flow that has begun stays on its link when the policy opens or closes")
    else:
        notes.append("flows that have begun keep their link")
    return notes
