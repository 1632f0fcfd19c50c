"""No packet leaves by a link with an address that is not of it, nor by another link than the one it belongs to."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from netlab.here import DEFAULT, Here, ring
from netlab.lab import FOUR, LAN, Lab, why_not
from netlab.segments import ACK, RST, SYN_ACK, send_segment
from remsim.core.routes import Program
from remsim.links.plane import PlaneOptions

pytestmark = pytest.mark.skipif(bool(why_not()), reason=f"{why_not()}; see README, Test it")

SERVER, SERVER6 = "198.51.100.1", "2001:db8:ffff::1"
AT_ONCE_S = 0.3
"""In which a packet has come out of the router, or will not."""


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(FOUR) as lab:
        lab.router("nft", "delete", "chain", "inet", "fw4", "leakage")  # what the table of links does by itself
        yield lab


@pytest.fixture(params=["on", "auto"])
def plane(lab: Lab, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Here]:
    """With ``auto`` the firewall of the lab masquerades."""
    plane = Here(lab, tmp_path, PlaneOptions(nat=request.param))
    plane.set_links(plane.links())
    plane.load(Program(), DEFAULT, ring(1, 2, 3))
    yield plane
    plane.stop()


def strangers(lab: Lab) -> list[str]:
    """All packets so far that came to a link with an address not of it."""
    time.sleep(AT_ONCE_S)
    return [one for link in lab.links for one in link.strangers()]


def wait_until(holds: Callable[[], bool], timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def carried(lab: Lab, index: int) -> int:
    """Packets of the router's that a link was given."""
    return sum(lab.links[index - 1].tally()["up"][one] for one in ("packets", "foreign"))


@pytest.mark.parametrize("six", [False, True], ids=["IPv4", "IPv6"])
def test_who_answers_a_link_that_was_away_is_told_by_that_link(lab: Lab, plane: Here, six: bool) -> None:
    server = SERVER6 if six else SERVER
    link, before = lab.links[1], strangers(lab)
    link.unplug()
    plane.add("lan", [LAN], 30)  # rules are seen to again, as each ten seconds
    link.plug()
    wait_until(lambda: f"dev {link.device}" in lab.router("ip", f"-{6 if six else 4}", "route", "show", "table", "202"))
    given = carried(lab, 2)
    address = link.address6 if six else link.address
    send_segment(lab.internet, (server, 443), (address, 45678), SYN_ACK, device=link.far_device)
    wait_until(lambda: carried(lab, 2) > given)
    assert strangers(lab) == before


def test_what_a_program_of_the_routers_says_with_a_dead_links_address_goes_nowhere(lab: Lab, plane: Here) -> None:
    """Of IPv6: with an IPv4 address that is not its own the kernel sends nothing."""
    plane.swap(ring(2))
    link, before = lab.links[1], strangers(lab)
    with lab.router.entered(), socket.create_connection((SERVER6, 80), source_address=(link.address6, 0)) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        link.unplug()
        try:
            plane.swap(ring(1, 3))
            plane.cut(2, ())
            plane.add("lan", [LAN], 30)
            one.close()
            assert strangers(lab) == before
        finally:
            link.plug()


def test_a_links_address_that_another_device_has_taken_is_its_own_no_more(lab: Lab, plane: Here) -> None:
    link = lab.links[1]
    link.unplug()
    try:
        plane.add("lan", [LAN], 30)
        assert f"from {link.address} lookup 202" in lab.router("ip", "rule")
        lab.router("ip", "address", "add", f"{link.address}/32", "dev", LAN)
        plane.add("lan", [LAN], 30)
        assert f"from {link.address} " not in lab.router("ip", "rule")
    finally:
        lab.router("ip", "address", "delete", f"{link.address}/32", "dev", LAN, check=False)
        link.plug()


@pytest.mark.parametrize("plane", ["auto"], indirect=True)
def test_of_two_modems_with_one_address_each_answers_for_itself(lab: Lab, plane: Here) -> None:
    try:
        for link in lab.links[:2]:
            lab.router("ip", "address", "flush", "dev", link.device)
            lab.router("ip", "address", "add", "192.168.0.100/24", "dev", link.device)
            way = f"default via 192.168.0.1 dev {link.device} metric {100 + link.index}"
            lab.router("ip", "route", "replace", *way.split())
        plane.set_links(plane.links())
        for port, link in enumerate(lab.links[:2], 40001):
            send_segment(lab.internet, (SERVER, 443), ("192.168.0.100", port), SYN_ACK, device=link.far_device)
        wait_until(lambda: sum("192.168.0.100" in one for one in strangers(lab)) == 2)
        answers = [[one for one in link.strangers() if "192.168.0.100" in one] for link in lab.links[:2]]
        assert answers == [[f"TCP flags 0x4 192.168.0.100:{port} > {SERVER}:443"] for port in (40001, 40002)]
    finally:
        for link in lab.links[:2]:
            lab.router("ip", "address", "flush", "dev", link.device)
            link.up()


@pytest.mark.parametrize("plane", ["on"], indirect=True)
@pytest.mark.parametrize("flags", [RST, SYN_ACK, ACK], ids=["RST", "SYN/ACK", "ACK"])
@pytest.mark.parametrize("six", [False, True], ids=["IPv4", "IPv6"])
def test_what_belongs_to_no_flow_does_not_leave_with_the_address_of_a_client(
    lab: Lab, plane: Here, flags: int, six: bool
) -> None:
    before = strangers(lab)
    client, server = (lab.clients6[0], SERVER6) if six else (lab.clients[0], SERVER)
    send_segment(lab.lan, (client, 45679 + flags), (server, 443), flags)
    assert strangers(lab) == before


def test_a_flow_of_a_link_that_is_no_more_does_not_leave_by_another(lab: Lab, plane: Here) -> None:
    plane.set_links(plane.links(ipv6="nptv6"))
    plane.swap(ring(2))
    before = strangers(lab)
    with lab.lan.entered(), socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one:
        one.bind((lab.clients6[0], 0))
        one.settimeout(4)
        one.sendto(b"who", (SERVER6, 5004))
        assert one.recv(200).startswith(b"2001:db8:2:")
        plane.swap(ring(1, 3))
        plane.set_links([link for link in plane.links(ipv6="nptv6") if link.index != 2])
        one.sendto(b"who", (SERVER6, 5004))
        assert strangers(lab) == before
