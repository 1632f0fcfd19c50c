"""The flows that links carry, as the API lists them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from remsim.links.now import LiveFlow

Names = Mapping[str, Callable[[Any], str | None]]


def flows_view(
    live: Sequence[LiveFlow],
    links: Mapping[int, str],
    names: Names,
    *,
    limit: int,
    link: str | None,
    policy: str | None,
    host: str | None,
) -> dict[str, Any]:
    """Those that are asked for, the fastest first, and the sums of all of them by link, policy and host.

    ``links`` are names by index; ``names`` has ``policy_name``, ``domain_of`` and ``host_name``.
    """
    policy_name = names["policy_name"]
    policies = {number: policy_name(number) for number in {one.flow.policy for one in live} if number}

    def is_asked_for(one: LiveFlow) -> bool:
        flow = one.flow
        return (
            link in (None, links.get(flow.link))
            and policy in (None, policies.get(flow.policy) or "")
            and host in (None, flow.source, flow.destination)
        )

    found = [one for one in live if is_asked_for(one)]
    found.sort(key=lambda one: ((one.rx_bps or 0) + (one.tx_bps or 0), one.flow.rx_bytes or 0), reverse=True)
    return {
        "total": len(found),
        "shown": min(limit, len(found)),
        "flows": [flow_view(one, links, policies, names) for one in found[:limit]],
        "by_link": sums("link", found, lambda one: links.get(one.flow.link)),
        "by_policy": sums("policy", found, lambda one: policies.get(one.flow.policy)),
        "by_host": [
            {**row, "name": names["host_name"](row["host"])}
            for row in sums("host", found, lambda one: one.flow.source if one.flow.is_forwarded else None)
        ],
    }


def flow_view(
    one: LiveFlow, links: Mapping[int, str], policies: Mapping[int, str | None], names: Names
) -> dict[str, Any]:
    """One flow."""
    flow = one.flow
    return {
        "protocol": flow.protocol,
        "source": flow.source,
        "source_name": names["host_name"](flow.source),
        "source_port": flow.source_port,
        "destination": flow.destination,
        "destination_port": flow.destination_port,
        "domain": names["domain_of"](flow.destination),
        "link": links.get(flow.link),
        "policy": policies.get(flow.policy),
        "class": flow.klass,
        "rx_bytes": flow.rx_bytes,
        "tx_bytes": flow.tx_bytes,
        "rx_bps": one.rx_bps,
        "tx_bps": one.tx_bps,
        "age_s": None if one.age_s is None else round(one.age_s, 1),
        "state": flow.state,
        "is_forwarded": flow.is_forwarded,
    }


def sums(label: str, flows: Iterable[LiveFlow], key_of: Callable[[LiveFlow], str | None]) -> list[dict[str, Any]]:
    """Flows and rates by something, most flows first. A rate is of those that were measured, None where none was."""
    rows: dict[str | None, dict[str, Any]] = {}
    for one in flows:
        key = key_of(one)
        row = rows.setdefault(key, {label: key, "flows": 0, "rx_bps": None, "tx_bps": None})
        row["flows"] += 1
        for name, rate in (("rx_bps", one.rx_bps), ("tx_bps", one.tx_bps)):
            if rate is not None:
                row[name] = (row[name] or 0.0) + rate
    return sorted(rows.values(), key=lambda row: row["flows"], reverse=True)
