"""A ring as nft rules: each new flow takes the next of its slots, or the one that its addresses point to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from remsim.core.routes import SLOTS, RingSpec
from remsim.links.kernel.way import Way
from remsim.links.plane import able_of

SEED = "0x5eed"
KEYS = {"source": ("saddr",), "destination": ("daddr",), "source_destination": ("saddr", "daddr")}


def ring_rules(spec: RingSpec, slots: Sequence[int], ways: Sequence[Way]) -> tuple[str, ...]:
    """The rules of a ring's chain; none while no link may be chosen, so that the next policy decides.

    ``slots`` are links' indices, 0 refuses the flow. A link without a way in a family is left out for that family; a
    ring that would have none left takes those after the sixteenth. Where there are none either it is passed by, but
    for a strict one: its flows must not leave by another link.
    """
    is_strict = any(choice.is_strict for choice in spec.choices)
    families = tuple((way.index, way.carries4, way.carries6) for way in ways)
    return _rules(tuple(slots), families, spec.persistence, is_strict)


@lru_cache(64)
def _rules(
    slots: tuple[int, ...], ways: tuple[tuple[int, bool, bool], ...], persistence: str, is_strict: bool
) -> tuple[str, ...]:
    """The same, of what it depends on: many policies have the same ring."""
    four = {0, *(index for index, carries, _ in ways if carries)}
    six = {0, *(index for index, _, carries in ways if carries)}
    known = {0, *(index for index, _, _ in ways)}
    first, spare = ([slot for slot in some if slot in known] for some in (slots[:SLOTS], slots[SLOTS:]))
    able = {family: able_of(first, spare, carriers) for family, carriers in (("ip", four), ("ip6", six))}
    if is_strict:
        able = {family: ours or list(slots) for family, ours in able.items()}
    if able["ip"] == able["ip6"] and persistence not in KEYS:
        return _choices(able["ip"], persistence, "ip") if able["ip"] else ()
    protocols = {"ip": "ipv4", "ip6": "ipv6"}
    return tuple(
        f"meta nfproto {protocols[family]} {choice}"
        for family, ours in able.items()
        if ours
        for choice in _choices(ours, persistence, family)
    )


def _choices(slots: Sequence[int], persistence: str, family: str) -> tuple[str, ...]:
    """What chooses one. A map is empty to flows that meet it in the microseconds in which another takes its place, so
    there is a link after it, the one that most would get."""
    (most, times), *_ = Counter(slots).most_common(1)
    if times == len(slots):
        return (_verdict(most),)
    if persistence in KEYS:
        key = " . ".join(f"{family} {word}" for word in KEYS[persistence])
        number = f"jhash {key} mod {len(slots)} seed {SEED}"
    else:
        number = f"numgen inc mod {len(slots)}"
    places = (f"{place} : {_verdict(slot)}" for place, slot in enumerate(slots))
    return f"{number} vmap {{ {', '.join(places)} }}", _verdict(most)


def _verdict(slot: int) -> str:
    return "goto refuse" if slot == 0 else f"goto use_{slot}"
