"""The object of a link in the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from remsim.config.routing import LinkSettings
from remsim.core.clock import iso_utc
from remsim.core.routes import CLASSES, SLOTS, LinkView
from remsim.links.facts import ModemFacts
from remsim.links.now import LinkNow, RingNow, Status

MEASURED = (
    *("carrier", "plmn", "country", "is_roaming", "latency_ms", "jitter_ms", "loss_percent", "uptime_percent"),
    *("down_bps", "up_bps", "rx_bps", "tx_bps", "flows"),
)
"""Fields of LinkView that the API gives under the same names."""
ADDRESSES = ("address4", "address6", "gateway4", "gateway6")


def link_view(
    link: LinkNow,
    facts: ModemFacts | None,
    shares: Mapping[str, float | None],
    cost: Mapping[str, Any] | None,
    cap_switch: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """One link with all that is known of it."""
    view, addresses, quality = link.view, link.addresses, link.quality
    probe = {
        "kind": quality.kind,
        "target": quality.target,
        "period_s": quality.period_s,
        "targets": list(link.targets),
        "mb_per_month": quality.mb_per_month,
        "bytes": quality.bytes,
        "problem": quality.problem,
    }
    return {
        **written(view.index, link.settings),
        **of_modem(facts),
        **{name: getattr(view, name) for name in MEASURED},
        "device": view.device,
        "state": view.state,
        "since": iso_utc(link.since),
        "reason": link.reason,
        "capacity_source": link.capacity_source,
        "share_percent": dict(shares),
        "probe": probe,
        "cost": None if cost is None else dict(cost),
        "cap_switch": None if cap_switch is None else dict(cap_switch),
        **{name: getattr(addresses, name) if addresses else None for name in ADDRESSES},
        "failures": link.failures,
    }


def unknown_link(index: int, settings: LinkSettings) -> dict[str, Any]:
    """A link that does not carry anything: what is written of it."""
    return {
        **written(index, settings),
        **of_modem(None),
        **dict.fromkeys((*MEASURED, *ADDRESSES)),
        "carrier": settings.carrier or None,
        "country": settings.country or None,
        "device": settings.device or None,
        "state": "off",
        "since": None,
        "reason": None,
        "capacity_source": None,
        "share_percent": dict.fromkeys(CLASSES),
        "probe": None,
        "cost": None,
        "cap_switch": None,
        "failures": 0,
    }


def written(index: int, settings: LinkSettings) -> dict[str, Any]:
    """What is written of a link."""
    return {
        "index": index,
        "name": settings.name,
        "title": settings.title or settings.name,
        "kind": "modem" if settings.modem else "device",
        "place": settings.modem or None,
        "interface": settings.interface or None,
        "enabled": settings.enabled,
        "tags": list(settings.tags),
        "priority": settings.priority,
        "weight": settings.weight,
    }


def of_modem(facts: ModemFacts | None) -> dict[str, Any]:
    """The modem of a link, and its SIM."""
    return {
        "modem": facts.modem if facts else None,
        "modem_name": facts.name if facts else None,
        "sim": facts.sim if facts else None,
    }


def ring_view(ring: RingNow, names: Mapping[int, str]) -> dict[str, Any]:
    """A ring with its reasons; a slot without a link refuses flows."""
    return {
        "name": ring.name,
        "policy": ring.policy,
        "klass": ring.klass,
        "persistence": ring.persistence,
        "choice": ring.choice,
        "slots": [names.get(slot) for slot in ring.slots],
        "weights": [
            {
                "link": one.link,
                "slots": one.slots,
                "percent": round(100 * one.slots / SLOTS, 1),
                "score": one.score,
                "why": one.why,
            }
            for one in ring.weights
        ],
        "changed_at": iso_utc(ring.changed_at),
    }


def shares_of(rings: Sequence[RingNow], view: LinkView) -> dict[str, float | None]:
    """What share of new flows a link is given by default, by class."""
    by_name = {ring.name: ring for ring in rings}
    return {
        klass: None if (ring := by_name.get(klass)) is None else round(100 * ring.slots.count(view.index) / SLOTS, 1)
        for klass in CLASSES
    }


def status_view(status: Status) -> dict[str, Any]:
    """Whether links carry traffic, and what an admin should know."""
    return {
        "state": status.state,
        "problem": None if status.problem is None else dict(status.problem),
        "warnings": [dict(one) for one in status.warnings],
        "capabilities": [
            {
                "name": one.name,
                "is_there": one.is_there,
                "is_needed": one.is_needed,
                "package": one.package,
                "without": one.without,
            }
            for one in status.capabilities
        ],
        "failovers": status.failovers,
        "last_failover": None if status.last_failover is None else dict(status.last_failover),
        "loop": dict(status.loop),
    }
