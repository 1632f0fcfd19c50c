"""A ring as nft rules: each new flow takes the next of its slots, or the one that its addresses point to."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from remsim.core.routes import RingSpec
from remsim.links.kernel.way import Way

SEED = "0x5eed"
KEYS = {"source": ("saddr",), "destination": ("daddr",), "source_destination": ("saddr", "daddr")}


def ring_rules(
    spec: RingSpec, slots: Sequence[int], ways: Sequence[Way], counter: str | None = None
) -> tuple[str, ...]:
    """The rules of a ring's chain; none while no link may be chosen, so that the next policy decides.

    ``slots`` are links' indices, 0 refuses the flow. A link without a way in a family is left out for that family; a
    ring that would have none left is passed by, but for a strict one: its flows must not leave by another link.
    ``counter`` counts the flows that it takes.
    """
    known = {way.index for way in ways} | {0}
    slots = [slot for slot in slots if slot in known]
    if not slots:
        return ()
    is_strict = any(choice.is_strict for choice in spec.choices)
    able = {
        "ip": [slot for slot in slots if slot in {0, *(way.index for way in ways if way.carries4)}],
        "ip6": [slot for slot in slots if slot in {0, *(way.index for way in ways if way.carries6)}],
    }
    if is_strict:
        able = {family: ours or slots for family, ours in able.items()}
    count = f'counter name "{counter}" ' if counter else ""
    if able["ip"] == able["ip6"] and spec.persistence not in KEYS:
        return (f"{count}{_choice(able['ip'], spec.persistence, 'ip')}",) if able["ip"] else ()
    protocols = {"ip": "ipv4", "ip6": "ipv6"}
    return tuple(
        f"meta nfproto {protocols[family]} {count}{_choice(ours, spec.persistence, family)}"
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
