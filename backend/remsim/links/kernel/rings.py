"""A ring as nft rules: each new flow takes the next of its slots, or the one that its addresses point to."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import groupby

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
        return (_choice(able["ip"], persistence, "ip"),) if able["ip"] else ()
    protocols = {"ip": "ipv4", "ip6": "ipv6"}
    return tuple(
        f"meta nfproto {protocols[family]} {_choice(ours, persistence, family)}"
        for family, ours in able.items()
        if ours
    )


def _choice(slots: Sequence[int], persistence: str, family: str) -> str:
    if len(set(slots)) == 1:
        return _verdict(slots[0])
    if persistence in KEYS:
        key = " . ".join(f"{family} {word}" for word in KEYS[persistence])
        number = f"jhash {key} mod {len(slots)} seed {SEED}"
    else:
        number = f"numgen inc mod {len(slots)}"
    return f"{number} vmap {{ {', '.join(_places(slots))} }}"


def _places(slots: Sequence[int]) -> list[str]:
    places, at = [], 0
    for slot, same in groupby(slots):
        last = at + len(list(same)) - 1
        places.append(f"{at if at == last else f'{at}-{last}'} : {_verdict(slot)}")
        at = last + 1
    return places


def _verdict(slot: int) -> str:
    return "goto refuse" if slot == 0 else f"goto use_{slot}"
