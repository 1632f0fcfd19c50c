"""What happens to a flow that a policy takes: its marks, its count, and the ring that gives it a link.

Rings that are alike are one chain ``mix_…``: policies mostly want the same few mixtures of links, and a map of sixteen
slots for each of 200 policies would take half of the time of a load.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

from remsim.core.routes import BULK, CLASS_MASK, INTERACTIVE, POLICY_MASK, POLICY_SHIFT, PolicyCode
from remsim.links.kernel.rings import ring_rules
from remsim.links.kernel.way import Way

MIX = "mix_"
CLASS_BITS = {"interactive": INTERACTIVE, "bulk": BULK}
FAMILY = "meta nfproto "


@dataclass(frozen=True, slots=True)
class Pick:
    """Chain ``pick_NUMBER``; ``mix`` is the name and the rules of the chain that it leads to, where it needs one."""

    rules: tuple[str, ...]
    mix: tuple[str, tuple[str, ...]] | None = None


def pick_of(policy: PolicyCode, slots: Sequence[int], ways: Sequence[Way]) -> Pick:
    """What a policy does with its flows; nothing while its ring gives no link, so that the next one decides."""
    ring = ring_rules(policy.ring, slots, ways)
    if not ring:
        return Pick(())
    taken = f'{marked(policy.number, policy.ring.klass)} counter name "p_{policy.number}"'
    if len(ring) == 1 and ring[0].startswith("goto "):
        return Pick((f"{taken} {ring[0]}",))
    name = f"{MIX}{crc32(chr(10).join(ring).encode()):08x}"
    only = "".join(f"{FAMILY}{word} " for word in ("ipv4", "ipv6") if len(ring) == 1 and f"{FAMILY}{word}" in ring[0])
    return Pick((f"{only}{taken} goto {name}",), (name, ring))


def picks_of(
    policies: Sequence[PolicyCode], rings: Mapping[str, Sequence[int]], ways: Sequence[Way]
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """The rules of chains ``mix_…`` and ``pick_…`` of policies."""
    picks, mixes = {}, {}
    for policy in policies:
        pick = pick_of(policy, rings.get(policy.ring.name, ()), ways)
        picks[f"pick_{policy.number}"] = pick.rules
        if pick.mix is not None:
            mixes[pick.mix[0]] = pick.mix[1]
    return mixes, picks


def marked(number: int, klass: str) -> str:
    """Set class and policy, the latter only in the flow's mark."""
    bits = CLASS_BITS[klass]
    packet = f"meta mark set meta mark & {0xFFFFFFFF & ~CLASS_MASK:#010x} | {bits:#010x}"
    kept = 0xFFFFFFFF & ~(CLASS_MASK | POLICY_MASK)
    return f"{packet} ct mark set ct mark & {kept:#010x} | {number << POLICY_SHIFT | bits:#010x}"


def mixes_in(rules: Iterable[str]) -> set[str]:
    """The mixes that rules lead to."""
    return {end for _, _, end in (rule.rpartition(" ") for rule in rules) if end.startswith(MIX)}
