"""What several links save against one: the month's bytes at their tariffs, and at that of the first link alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from remsim.config.routing import LinkSettings
from remsim.links.money.tariff import Tariff

FORMULA = (
    "saving = what {default} alone would cost for the bytes of all links − what the links cost for what each carried; "
    "the price of a link is its flat price + bytes below its cap × price of a GB + bytes above it × price of a GB there"
)


def saving_of(links: Sequence[tuple[LinkSettings, Tariff | None]], carried: Mapping[str, int]) -> dict[str, Any]:
    """``links`` in the order of priority with what they cost, ``carried`` counted bytes of a month by link.

    ``saving_minor`` is None, with a ``reason``, where a price is not known or currencies differ.
    """
    found: dict[str, Any] = {
        "default": links[0][0].name if links else None,
        "saving_minor": None,
        "alone_minor": None,
        "paid_minor": None,
        "currency": None,
        "reason": None,
        "formula": FORMULA.format(default=links[0][0].title or links[0][0].name) if links else None,
        "carried": dict(carried),
    }
    priced = [(link, tariff) for link, tariff in links if tariff is not None]
    unpriced = [link.title or link.name for link, tariff in links if tariff is None]
    if len(links) < 2:
        return found | {"reason": "there is one link only" if links else "there is no link"}
    if unpriced:
        return found | {"reason": f"the price of {unpriced[0]} is not known"}
    if len({tariff.currency for _, tariff in priced}) > 1:
        return found | {"reason": "the links are paid in different currencies"}
    paid = sum(tariff.cost_minor(carried.get(link.name, 0)) for link, tariff in priced)
    default = priced[0][1]
    total = sum(carried.get(link.name, 0) for link, _ in priced)
    if default.cap_bytes is not None and total > default.cap_bytes and default.overage_per_gb_minor is None:
        return found | {"reason": "the first link alone could not carry it: it has a cap, and nothing is sold above it"}
    alone = default.cost_minor(total)
    return found | {
        "saving_minor": round(alone - paid, 1),
        "alone_minor": round(alone, 1),
        "paid_minor": round(paid, 1),
        "currency": default.currency,
    }
