"""What a policy does to its packets beside their way: its limit, its DSCP, its queue; seen on the wire of a lab."""

from __future__ import annotations

import json
import re
import socket
import time
from collections.abc import Iterator

import pytest
from netlab.asking import link_of_datagram
from netlab.clients import Clients
from netlab.lab import FOUR, Lab, why_not
from netlab.plane import PlaneInRouter

pytestmark = pytest.mark.skipif(bool(why_not()), reason=f"{why_not()}; see README, Test it")

ON_THE_WIRE = """table inet seen {
  chain c {
    type filter hook prerouting priority raw
    iifname "net1" udp dport 5060 ip dscp af41 counter comment "af41"
    iifname "net1" udp dport 5060 counter comment "all"
    iifname "net1" udp dport 7 counter comment "sent"
    iifname "net1" udp dport 5004 ip dscp cs0 counter comment "others"
  }
}
"""
"""On the Internet's side of the first link."""
QUEUES = """qdisc add dev sim1 root handle 1: htb default 20
class add dev sim1 parent 1: classid 1:10 htb rate 100mbit
class add dev sim1 parent 1: classid 1:20 htb rate 100mbit
qdisc show dev sim1
"""
AT_THE_DOOR = """table inet doors {
  chain c {
    type filter hook postrouting priority 300
    oifname "sim1" udp dport 5060 meta priority 1:10 counter comment "queued"
    oifname "sim1" udp dport 5004 meta priority 1:10 counter comment "others"
  }
}
"""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(FOUR[:1]) as lab:
        lab.internet.nft(ON_THE_WIRE)
        lab.router.nft(AT_THE_DOOR)
        yield lab


@pytest.fixture
def plane(lab: Lab) -> Iterator[PlaneInRouter]:
    with PlaneInRouter(lab) as plane:
        yield plane


def policy(match: str, more: str) -> str:
    return f"policy one {{\n match: {match}\n route: any\n {more}\n}}\n"


def packets(lab: Lab, table: str) -> dict[str, int]:
    """What the counters of the lab have, by their comments."""
    space = lab.internet if table == "seen" else lab.router
    told = json.loads(space("nft", "-j", "list", "table", "inet", table))["nftables"]
    rules = [one["rule"] for one in told if "rule" in one]
    return {rule["comment"]: part["counter"]["packets"] for rule in rules for part in rule["expr"] if "counter" in part}


def added(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    return {name: after[name] - count for name, count in before.items()}


def rates(lab: Lab, *ways: tuple[str, int], seconds: float = 4) -> list[float]:
    """Octets a second of downloads, one from each of these clients and ports, once they are under way."""
    with Clients(lab.lan) as clients:
        running = [clients.fetch(lab.server, port, None, client=client) for client, port in ways]
        time.sleep(1 + seconds)
        end = time.monotonic() - 0.1
        found = [one.bytes_between(end - seconds, end) / seconds for one in running]
        clients.abandon_all()
    return found


def test_a_limit_holds_all_of_a_policys_downloads_to_its_rate_and_leaves_others_alone(
    lab: Lab, plane: PlaneInRouter
) -> None:
    plane.tell("load", text=policy("port 8080", "limit: download 4Mbit/s"))
    one, two, free = rates(lab, (lab.clients[0], 8080), (lab.clients[1], 8080), (lab.clients[2], 80))
    assert 250_000 < one + two < 525_000
    assert free > 800_000


def test_a_limit_of_each_device_holds_each_by_itself(lab: Lab, plane: PlaneInRouter) -> None:
    plane.tell("load", text=policy("port 8080", "limit: download 2Mbit/s each device"))
    one, two = rates(lab, (lab.clients[0], 8080), (lab.clients[1], 8080))
    assert 110_000 < one < 265_000
    assert 110_000 < two < 265_000


def test_a_limit_of_what_is_sent_drops_what_is_beyond(lab: Lab, plane: PlaneInRouter) -> None:
    plane.tell("load", text=policy("protocol udp, port 7", "limit: upload 1Mbit/s"))
    before, began, count = packets(lab, "seen")["sent"], time.monotonic(), 0
    with lab.lan.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        while (took := time.monotonic() - began) < 2:
            for _ in range(count, int(500 * took)):  # 4 Mbit/s, also where the machine is slow
                one.sendto(bytes(972), (lab.server, 7))  # a thousand with the headers
            count = int(500 * took)
            time.sleep(0.005)
    time.sleep(0.3)
    sent = packets(lab, "seen")["sent"] - before
    allowed = 125 * (took + 1) + 33  # a kernel lets what it gives in a second, and the burst, pass at once
    assert 0.6 * allowed < sent < 1.1 * allowed < count


def test_packets_leave_with_the_dscp_of_their_policy(lab: Lab, plane: PlaneInRouter) -> None:
    plane.tell("load", text=policy("protocol udp, port 5060", "dscp: af41"))
    before = packets(lab, "seen")
    assert link_of_datagram(lab, lab.server, 5060) == 1 == link_of_datagram(lab, lab.server, 5004)
    assert added(before, packets(lab, "seen")) == {"af41": 1, "all": 1, "others": 1, "sent": 0}


def test_packets_of_a_policy_have_the_class_of_its_queue(lab: Lab, plane: PlaneInRouter) -> None:
    plane.tell("load", text=policy("protocol udp, port 5060", "queue: 1:10"))
    before = packets(lab, "doors")
    assert link_of_datagram(lab, lab.server, 5060) == 1 == link_of_datagram(lab, lab.server, 5004)
    assert added(before, packets(lab, "doors")) == {"queued": 1, "others": 0}


def test_a_discipline_puts_them_into_that_class(lab: Lab, plane: PlaneInRouter) -> None:
    """As the documentation has it done."""
    if "htb" not in lab.router("tc", "-batch", "-", check=False, stdin=QUEUES):
        pytest.skip("this kernel has no htb")
    try:
        plane.tell("load", text=policy("protocol udp, port 5060", "queue: 1:10"))
        assert {link_of_datagram(lab, lab.server, 5060) for _ in range(3)} == {1}
        assert link_of_datagram(lab, lab.server, 5004) == 1
        told = lab.router("tc", "-s", "class", "show", "dev", "sim1")
        sent = dict(re.findall(r"class htb 1:(\d+) .*\n.* (\d+) pkt", told))
        assert (sent["10"], sent["20"]) == ("3", "1")
    finally:
        lab.router("tc", "qdisc", "del", "dev", "sim1", "root")
