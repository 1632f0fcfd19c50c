"""Which links a choice may take: the best tier that there is, and what criteria and prices say. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from remsim.core.routes import USABLE, LinkView

FAR = float("inf")


def best_tier(links: Sequence[LinkView]) -> list[LinkView]:
    """Links for new flows: those that are up, else the degraded ones; none else."""
    usable = [one for one in links if one.is_usable]
    return [one for one in usable if one.state == "up"] or usable


def last_tier(links: Sequence[LinkView], last_resort: str) -> tuple[list[LinkView], str]:
    """When none may take new flows: those whose cap is used up, by price; those that are not known yet; then what the
    last resort says; none when there is nothing to be kept. With the reason in words."""
    capped = [one for one in links if one.state in USABLE and one.cap_state != "hard"]
    if capped:
        return cheapest_of(capped, overage_price), "all data caps are used up: the cheapest rate above the cap"
    starting = [one for one in links if one.state == "starting" and one.device is not None]
    if starting:
        return starting, "no link is up yet"
    if last_resort == "keep":
        kept = [one for one in links if one.state != "off" and one.device is not None]
        return kept, "no link is up: flows are kept on all of them" if kept else "no link is there: the router decides"
    return [], "no link is up: flows are refused"


def price_of(link: LinkView) -> float:
    """Of the next gigabyte; unknown is nothing where nobody meters, and more than anything where somebody does."""
    if link.cost_per_gb_minor is not None:
        return link.cost_per_gb_minor
    return FAR if link.is_metered else 0.0


def overage_price(link: LinkView) -> float:
    """Of a gigabyte from now on, whatever the cap says."""
    if link.cap_state in ("soft", "hard", "slow") and link.overage_per_gb_minor is not None:
        return link.overage_per_gb_minor
    return price_of(link)


def by_price(links: Sequence[LinkView], price: Callable[[LinkView], float]) -> list[list[LinkView]]:
    """Groups of one price, the cheapest first. Another currency than most links have is not compared: it comes last."""
    currencies = Counter(one.currency for one in links if one.currency)
    usual = currencies.most_common(1)[0][0] if currencies else ""
    groups: dict[tuple[bool, float], list[LinkView]] = {}
    for one in links:
        amount = price(one)
        is_other = bool(one.currency) and one.currency != usual and amount not in (0.0, FAR)
        groups.setdefault((is_other, amount), []).append(one)
    return [groups[key] for key in sorted(groups)]


def cheapest_of(links: Sequence[LinkView], price: Callable[[LinkView], float]) -> list[LinkView]:
    """The first of those groups."""
    groups = by_price(links, price)
    return groups[0] if groups else []


def of_carrier(links: Sequence[LinkView], wanted: str, router_country: str) -> list[LinkView]:
    """Links of a network by name or number; ``local``: at home, in the router's country where that is known."""
    if wanted == "local":
        return [one for one in links if is_local(one, router_country)]
    text = wanted.casefold()
    return [one for one in links if text in ((one.carrier or "").casefold(), one.plmn, one.home_plmn)]


def is_local(link: LinkView, router_country: str) -> bool:
    """Whether a link's SIM is at home; one without a SIM is where the router is."""
    if link.is_roaming or (link.plmn and link.home_plmn and link.plmn[:3] != link.home_plmn[:3]):
        return False
    return not (router_country and link.country) or link.country.upper() == router_country.upper()


def latency(link: LinkView) -> float:
    """Milliseconds; far where unknown, as all of the following: larger is worse."""
    return FAR if link.latency_ms is None else link.latency_ms


def missed_percent(link: LinkView) -> float:
    """Probes of seven days that were not answered."""
    return FAR if link.uptime_percent is None else 100.0 - link.uptime_percent


def loss(link: LinkView) -> float:
    """Percent of the last probes."""
    return FAR if link.loss_percent is None else link.loss_percent


def not_free(link: LinkView) -> float:
    """Negative of what is free."""
    return FAR if link.down_bps is None else -max(0.0, link.down_bps - (link.rx_bps or 0.0))


def not_left(link: LinkView) -> float:
    """Negative of what is left of the cap; a link without one has most."""
    return -FAR if link.remaining_bytes is None else -float(max(0, link.remaining_bytes))
