"""Samples of links and policies, from their views."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from remsim.core.routes import CLASSES, USABLE
from remsim.metric_sources.modems import MEASURED
from remsim.telemetry.metrics.draft import Draft, Labels, labels

BITS = 8
CAPACITIES = {"receive": "down_bps", "transmit": "up_bps"}
RATES = {"receive": "rx_bps", "transmit": "tx_bps"}


def add_links(draft: Draft, view: Mapping[str, Any], since: float) -> None:
    """All links that are configured (the object of ``GET /api/v1/links``); nothing where none is."""
    for link in view.get("links") or ():
        own = labels(link=link["name"])
        draft.add("remsim_link_info", 1, own + labels(connection=link["device"], modem=link["modem"]))
        draft.add("remsim_link_state", 1, own + labels(state=link["state"]))
        draft.add("remsim_link_up", link["state"] in USABLE, own)
        draft.add("remsim_link_failures_total", link["failures"], own, since=since)
        for direction, field in CAPACITIES.items():
            if link[field] is not None:
                directed = own + labels(direction=direction)
                draft.add("remsim_link_capacity_bytes_per_second", link[field] / BITS, directed)
        for klass in CLASSES:
            percent = (link["share_percent"] or {}).get(klass)
            ratio = None if percent is None else percent / 100
            draft.add("remsim_link_share_ratio", ratio, own + labels(**{"class": klass}))
        if link["device"] is not None:
            add_connection(draft, labels(connection=link["device"]), link)
    if view.get("links"):
        draft.add("remsim_failovers_total", view["failovers"], since=since)


def add_connection(draft: Draft, connection: Labels, link: Mapping[str, Any]) -> None:
    """What passes over a link's device. A modem's own probes and rates are told of by its reading."""
    draft.add("remsim_connection_active_sessions", link["flows"], connection)
    if link["modem"] is not None:
        return
    for name, (field, parts) in MEASURED.items():
        value = link[field]
        draft.add(name, None if value is None else round(value / parts, 7), connection)
    for direction, field in RATES.items():
        if link[field] is not None:
            rated = connection + labels(direction=direction)
            draft.add("remsim_connection_throughput_bytes_per_second", link[field] / BITS, rated)


def add_policies(draft: Draft, counts: Iterable[Mapping[str, Any]], since: float) -> None:
    """Each policy in force: flows it took, and whether it takes any now."""
    for policy in counts:
        own = labels(policy=policy["name"])
        draft.add("remsim_policy_hits_total", policy["hits"], own, since=since)
        draft.add("remsim_policy_open", policy["is_open"], own)
