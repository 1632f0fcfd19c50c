"""What happens to a flow that a policy takes: its marks, its count, and the ring that gives it a link.

The kernel and libnftables take time for each rule, chain and expression, so there are few of them: the rules of all
policies stand in one chain, and policies whose rings are alike share one, ``mix_NUMBER`` (of the first of them).
A ring that changes is its mix alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from remsim.core.routes import BULK, CLASS_MASK, INTERACTIVE, POLICY_MASK, POLICY_SHIFT, Choice, PolicyCode
from remsim.core.small_dataclass import dataclass
from remsim.links.kernel.rings import ring_rules
from remsim.links.kernel.way import Way

PICKING = ("mix_", "pick_", "p_")
"""How the names of its chains begin, which are there as long as policies need them."""
CLASS_BITS = {"interactive": INTERACTIVE, "bulk": BULK}
FAMILIES = ("meta nfproto ipv4 ", "meta nfproto ipv6 ")
MOST_INLINE = 2
"""Rules of a policy that each do themselves what happens to a flow; of more it is a chain of its own."""
MOST_BESIDE = 16
"""Rules of a policy that stand among those of others; more are a chain ``p_NUMBER``, not written when others change."""
Rules = tuple[str, ...]


@dataclass(slots=True)
class Picks:
    """Chains ``mix_…``, ``pick_…`` and ``p_…``, and by number the rules of policies that have a link to give."""

    chains: dict[str, Rules] = field(default_factory=dict)
    rules: dict[int, Rules] = field(default_factory=dict)


def picks_of(policies: Sequence[PolicyCode], rings: Mapping[str, Sequence[int]], ways: Sequence[Way]) -> Picks:
    """All of it. A policy that is closed, or whose ring gives no link, has no rules, so that the next one decides."""
    picks = Picks()
    mixes: dict[tuple[str, tuple[Choice, ...], str, tuple[int, ...]], tuple[str, str]] = {}
    for policy in policies:
        if not policy.is_open:
            continue
        spec, slots = policy.ring, tuple(rings.get(policy.ring.name, ()))
        alike = (spec.klass, spec.choices, spec.persistence, slots)
        if alike not in mixes:
            ring = ring_rules(spec, slots, ways)
            mixes[alike] = _mix(picks, policy, ring) if ring else ("", "")
        mix, only = mixes[alike]
        if mix:
            taken = f'{_flow_marked(policy.number, spec.klass)} counter name "p_{policy.number}" goto {mix}'
            picks.rules[policy.number] = _rules(picks, policy, taken, only)
    return picks


def marked(number: int, klass: str) -> str:
    """Set class and policy, the latter only in the flow's mark."""
    return f"{_packet_marked(klass)} {_flow_marked(number, klass)}"


def _mix(picks: Picks, policy: PolicyCode, ring: Rules) -> tuple[str, str]:
    """Its chain, and what a flow has to be to find a link there."""
    name = f"mix_{policy.number}"
    picks.chains[name] = (_packet_marked(policy.ring.klass), *ring)
    return name, next((family for family in FAMILIES if all(rule.startswith(family) for rule in ring)), "")


def _rules(picks: Picks, policy: PolicyCode, taken: str, only: str) -> Rules:
    end = f"goto pick_{policy.number}"
    instead = taken
    if only or len(policy.rules) > MOST_INLINE:
        picks.chains[f"pick_{policy.number}"] = (only + taken,)
        instead = f"jump pick_{policy.number}"
    rules = tuple(rule.removesuffix(end) + instead for rule in policy.rules)
    if len(rules) <= MOST_BESIDE:
        return rules
    picks.chains[f"p_{policy.number}"] = rules
    return (f"jump p_{policy.number}",)


def _packet_marked(klass: str) -> str:
    return f"meta mark set meta mark & {0xFFFFFFFF & ~CLASS_MASK:#010x} | {CLASS_BITS[klass]:#010x}"


def _flow_marked(number: int, klass: str) -> str:
    kept = 0xFFFFFFFF & ~(CLASS_MASK | POLICY_MASK)
    return f"ct mark set ct mark & {kept:#010x} | {number << POLICY_SHIFT | CLASS_BITS[klass]:#010x}"
