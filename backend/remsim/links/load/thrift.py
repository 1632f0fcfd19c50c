"""The cheapest mix of links that is hardly slower than all of them alike. Pure: numbers in, slots out.

Flat prices are paid anyhow, so only the next gigabyte counts. A bundle is free as long as it lasts until its cycle
ends: a link that is ahead of its plan counts as what a gigabyte above the cap costs, so that the bundle is spread over
the cycle and never bought beyond while others are cheaper.
"""

from __future__ import annotations

from collections.abc import Sequence

from remsim.core.routes import SLOTS, LinkView
from remsim.links.load.groups import FAR, price_of
from remsim.links.load.scores import Candidate

SLOWER = 0.1
"""Transfers may take this much more time than with each link alike."""
MONTH_S = 30 * 86400.0


def lasting_price(link: LinkView) -> float:
    """Of the next gigabyte, with a bundle that would not last counted as used up."""
    if link.remaining_bytes is None or not link.cap_bytes or link.reset_s is None:
        return price_of(link)
    left, time_left = link.remaining_bytes / link.cap_bytes, link.reset_s / (link.cycle_s or MONTH_S)
    if left > 0 and left >= time_left:
        return price_of(link)
    return FAR if link.overage_per_gb_minor is None else link.overage_per_gb_minor


def thrifty(links: Sequence[Candidate], slower: float = SLOWER) -> list[int]:
    """Sixteen slots. Begins with all of them on the cheapest links and moves one after the other to where time is
    bought at the least price, until the mean is near enough to that of links used alike."""
    if not links:
        return []
    prices = {one.index: min(lasting_price(one.view), 1e9) for one in links}
    busy = sum(one.busy for one in links) / len(links)
    bound = (1 + slower) * sum((busy + 1) / one.capacity_bps for one in links) / len(links)
    given = dict.fromkeys((one.index for one in links), 0)
    least = min(prices.values())
    cheap = [one for one in links if prices[one.index] == least]
    for _ in range(SLOTS):
        given[min(cheap, key=lambda one: given[one.index] * _time(one)).index] += 1
    while _mean(links, given) > bound:
        move = _best_move(links, given, prices)
        if move is None:
            break
        given[move[0]] -= 1
        given[move[1]] += 1
    return in_turn(links, given)


def _time(link: Candidate) -> float:
    """Of a transfer, for each bit: what a flow more would get of the link."""
    return 1 / link.share_bps()


def _mean(links: Sequence[Candidate], given: dict[int, int]) -> float:
    return sum(given[one.index] * _time(one) for one in links) / SLOTS


def _best_move(links: Sequence[Candidate], given: dict[int, int], prices: dict[int, float]) -> tuple[int, int] | None:
    """The slot to move that saves most time for its price."""
    best, found = 0.0, None
    for source in links:
        for target in links:
            if not given[source.index] or source is target:
                continue
            saved = _time(source) - _time(target)
            if saved <= 0:
                continue
            worth = saved / max(prices[target.index] - prices[source.index], 1e-9)
            if worth > best:
                best, found = worth, (source.index, target.index)
    return found


def in_turn(links: Sequence[Candidate], given: dict[int, int]) -> list[int]:
    """So many slots each, spread as evenly as they can be."""
    places = [
        ((number + 0.5) / given[one.index], one.index) for one in links for number in range(given[one.index])
    ]
    return [index for _, index in sorted(places)]

