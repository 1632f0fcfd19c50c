"""The flows that links carry, as the API lists them."""

from __future__ import annotations

from typing import Any

from remsim.core.routes import Flow
from remsim.links.live_view import flows_view
from remsim.links.now import LiveFlow

NAMES: dict[str, Any] = {
    "policy_name": lambda number: {1: "video"}.get(number),
    "domain_of": lambda address: "www.example.com" if address == "198.51.100.1" else None,
    "host_name": lambda address: "laptop" if address == "192.168.1.5" else None,
}
LINKS = {1: "wan1", 2: "wan2"}


def live(port: int, link: int, policy: int = 0, rx_bps: float | None = None, **more: Any) -> LiveFlow:
    flow = Flow("tcp", "192.168.1.5", port, "198.51.100.1", 443, link, policy, **more)
    return LiveFlow(flow, rx_bps, None, None)


def view(*flows: LiveFlow, **asked: Any) -> dict[str, Any]:
    return flows_view(flows, LINKS, NAMES, **({"limit": 10, "link": None, "policy": None, "host": None} | asked))


def test_a_rate_that_nobody_measured_is_not_zero() -> None:
    told = view(live(1, 1), live(2, 1), live(3, 2, rx_bps=8.0), live(4, 2))
    assert {row["link"]: (row["flows"], row["rx_bps"], row["tx_bps"]) for row in told["by_link"]} == {
        "wan1": (2, None, None),
        "wan2": (2, 8.0, None),
    }
    assert {flow["age_s"] for flow in told["flows"]} == {None}


def test_the_fastest_come_first_with_names() -> None:
    told = view(live(1, 1), live(2, 2, 1, rx_bps=8.0))
    first = told["flows"][0]
    assert (first["link"], first["policy"], first["domain"], first["source_name"]) == (
        *("wan2", "video"),
        *("www.example.com", "laptop"),
    )
    assert [row["name"] for row in told["by_host"]] == ["laptop"]


def test_only_what_is_asked_for_is_listed_and_counted() -> None:
    flows = [live(1, 1), live(2, 2, 1), live(3, 2)]
    assert view(*flows, link="wan2")["total"] == 2
    assert view(*flows, policy="video")["total"] == 1
    assert view(*flows, policy="")["total"] == 2
    assert view(*flows, host="192.168.1.9")["total"] == 0
    assert (view(*flows, limit=1)["shown"], view(*flows, limit=1)["total"]) == (1, 3)


def test_the_routers_own_flows_belong_to_no_device() -> None:
    assert view(live(1, 1, is_forwarded=False))["by_host"][0]["host"] is None
