"""What explain says of a flow is where the kernel leads it: random policies and flows, the whole service in a router.

One link carries no IPv6, one no IPv4; flows are of both families, of the LAN and of the router itself.
"""

from __future__ import annotations

import json
import random
import re
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from netlab.lab import LAN, Lab, Shape, why_not
from netlab.service import RouterService, routing_text

pytestmark = pytest.mark.skipif(bool(why_not()), reason=f"{why_not()}; see README, Test it")

ROUNDS, POLICIES, FLOWS = 8, 5, 12
ONLY4, ONLY6 = 2, 3
TESTS = (
    *("all", "all", "port 443", "port 80/443", "not port 443", "protocol udp", "protocol RTP", "not protocol tcp"),
    *("source 192.168.77.0/28", "source fd77::/64", "source router", "not source router", "source @many"),
    *("destination 198.51.100.0/24", "country DE", "country != router_country", "country FR", "interface br-lan"),
    *("link sim1 is up", "link sim1 is down", "time 00:00-24:00", "packet_size > 60"),
)
ROUTES = (
    *("connection sim1", "connection sim2", "connection sim3", "connection sim3 strict", "connection nobody"),
    *("prefer_connection(lowest_latency)", "balance(equal)", "balance(failover)", "any", "next", "block"),
    *("prefer_tag(slow)", "balance_by_remaining_data()"),
)
MANY = "set many { " + ", ".join(f"10.{number}.0.0/16" for number in range(100, 190)) + ", 192.168.77.11, fd77::11 }\n"
COUNTRIES = "198.51.100.1,198.51.100.8,DE\n2001:db8::,2001:db8:ffff::ffff,DE\n203.0.113.1,203.0.113.4,AT\n"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab([Shape(24_000, 12_000, rtt) for rtt in (20, 40, 60)]) as lab:
        lab.router("ip", "addr", "del", f"{lab.links[ONLY6 - 1].address}/24", "dev", f"sim{ONLY6}")
        yield lab


@pytest.fixture(scope="module")
def service(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RouterService]:
    def each(index: int) -> dict[str, Any]:
        return {"ipv6": "off" if index == ONLY4 else "masquerade", "tags": ["slow"] if index > 1 else []}

    service = RouterService(lab, tmp_path_factory.mktemp("router"))
    common = {"router_country": "DE", "portal_url": ["none"], "algorithm": "equal"}
    (service.config / "remsim_routing").write_text(routing_text(lab, common=common, each=each))
    service.start()
    try:
        service.wait_states("up")
        status, answer = service.request("policies/countries", method="POST", body={"csv": COUNTRIES, "source": "lab"})
        assert status < 300, answer
        yield service
    finally:
        service.stop(20)


def _condition(chance: random.Random, depth: int = 0) -> str:
    if depth == 2 or chance.random() < 0.5:
        return chance.choice(TESTS)
    joined = chance.choice((" and ", " or ")).join(_condition(chance, depth + 1) for _ in range(2))
    return f"not ({joined})" if chance.random() < 0.2 else f"({joined})"


def _policy(chance: random.Random, number: int) -> str:
    route = " then ".join(chance.choice(ROUTES) for _ in range(chance.choice((1, 1, 2))))
    priority = chance.choice(("normal", "normal", "high", "low"))
    return f"policy p{number} {{\n  match: {_condition(chance)}\n  route: {route}\n  priority: {priority}\n}}\n"


def _flow(chance: random.Random, lab: Lab, number: int) -> dict[str, Any]:
    """A flow of UDP as explain is told of it."""
    is_six, size = chance.random() < 0.4, chance.choice((0, 10, 120))
    flow: dict[str, Any] = {
        "destination": chance.choice(lab.servers6[:2] if is_six else lab.servers[:20]),
        "port": chance.choice((80, 443, 3478, 12000)),
        "source_port": 30_000 + number,
        "protocol": "udp",
        "domain": "nothing.example",
        "dscp": "0",
        "packet_size": (48 if is_six else 28) + size,
    }
    if chance.random() < 0.2:
        return flow | {"is_router": True}
    return flow | {"source": chance.choice(lab.clients6 if is_six else lab.clients), "interface": LAN}


def _send(lab: Lab, flow: dict[str, Any]) -> None:
    is_six = ":" in flow["destination"]
    with (lab.router if flow.get("is_router") else lab.lan).entered():
        sender = socket.socket(socket.AF_INET6 if is_six else socket.AF_INET, socket.SOCK_DGRAM)
    with sender:
        sender.bind((flow.get("source", ""), flow["source_port"]))
        try:
            sender.sendto(b"x" * (flow["packet_size"] - (48 if is_six else 28)), (flow["destination"], flow["port"]))
        except OSError:
            pass  # refused at once


def _marks(lab: Lab) -> dict[int, int]:
    """Marks of the flows that have left, by their source port."""
    lines = "".join(
        lab.router("conntrack", "-L", "-p", "udp", "-f", family, check=False) for family in ("ipv4", "ipv6")
    )
    return {int(port): int(mark) for port, mark in re.findall(r"\bsport=(3\d{4}) .*\bmark=(\d+)", lines)}


def test_flows_go_where_explain_says(lab: Lab, service: RouterService) -> None:
    chance, number, taken = random.Random(8), 0, 0
    for _ in range(ROUNDS):
        text = MANY + "\n".join(_policy(chance, at) for at in range(POLICIES))
        status, answer = service.request("policies", method="PUT", body={"text": text})
        assert status == 200, (text, answer)
        numbers = json.loads((service.state / "policies" / "numbers.json").read_text())
        names = {one: name for name, one in numbers.items()}
        told = []
        for _ in range(FLOWS):
            number += 1
            flow = _flow(chance, lab, number)
            status, why = service.request("policies/explain", method="POST", body=flow)
            assert status == 200, why
            _send(lab, flow)
            told.append((flow, why))
        time.sleep(0.2)
        marks = _marks(lab)
        for flow, why in told:
            mark, links = marks.get(flow["source_port"]), {one["link"] for one in why["links"]}
            if mark is None:
                assert not links or "strict" in why["route"], (text, flow, why)
                continue
            found = (names.get(mark >> 24), f"sim{mark >> 8 & 15}")
            assert found[0] == why["policy"] and found[1] in links, (text, flow, why, found)
            taken += why["policy"] is not None
    assert taken > ROUNDS * FLOWS // 4
