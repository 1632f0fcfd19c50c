"""The kernel's data plane in a router of a lab: what it does to packets, and what it leaves behind."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from netlab.asking import link_of_datagram, links_of_datagrams
from netlab.clients import Clients, Download
from netlab.lab import FOUR, Lab, why_not
from netlab.plane import PlaneInRouter
from remsim.links.kernel.nft import Nft

pytestmark = pytest.mark.skipif(bool(why_not()), reason=f"{why_not()}; see README, Test it")

SERVER = "198.51.100.1"
THIRD = 'policy calls {\n match: protocol udp, port 5060-5090\n route: connection "sim3"\n}\n'
DROPPED = "policy none {\n match: protocol udp, port 5060\n route: block\n}\n"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(FOUR) as lab:
        yield lab


@pytest.fixture
def plane(lab: Lab) -> Iterator[PlaneInRouter]:
    with PlaneInRouter(lab) as plane:
        plane.tell("load", text="")
        yield plane


def rules(lab: Lab) -> list[str]:
    return [line for line in lab.router("ip", "rule").splitlines() if "proto 98" in line]


def leftovers(lab: Lab) -> list[str]:
    tables = [line for line in lab.router("nft", "list", "tables").splitlines() if "remsim" in line]
    routes = [line for line in lab.router("ip", "route", "show", "table", "all").splitlines() if "proto 98" in line]
    return [*tables, *rules(lab), *routes]


def test_flows_are_shared_by_the_ring_and_policies_go_their_own_way(lab: Lab, plane: PlaneInRouter) -> None:
    assert links_of_datagrams(lab, SERVER, 5004, count=32) == Counter({1: 8, 2: 8, 3: 8, 4: 8})
    plane.tell("load", text=THIRD)
    assert links_of_datagrams(lab, SERVER, 5060, count=8) == Counter({3: 8})
    assert len(links_of_datagrams(lab, SERVER, 5004, count=8)) == 4


def test_a_set_that_the_kernel_refuses_changes_nothing(lab: Lab, plane: PlaneInRouter) -> None:
    plane.tell("load", text=THIRD)
    before = lab.router("nft", "list", "table", "inet", "remsim")
    assert plane.tell("spoil")["refused"]
    after = lab.router("nft", "list", "table", "inet", "remsim")
    assert without_numbers(after) == without_numbers(before)
    assert link_of_datagram(lab, SERVER, 5060) == 3


def test_what_nftables_has_read_of_tables_is_not_kept(lab: Lab) -> None:
    rule = "add rule inet large c{0} tcp dport {0} accept"
    large = "\n".join(f"add chain inet large c{n}\n{rule.format(n)}" for n in range(1, 500))
    with lab.router.entered():
        nft = Nft()
        before = taken_bytes()
        nft.run(f"add table inet large\n{large}")
        assert taken_bytes() - before < 100_000
        nft.run("delete table inet large")
        nft.close()


def taken_bytes() -> int:
    """What the C library has given to this process and not got back."""
    try:
        info = ctypes.CDLL(None).mallinfo2
    except AttributeError:
        pytest.skip("the C library does not tell")
    info.restype = Mallinfo
    return int(info().sizes[7])


class Mallinfo(ctypes.Structure):
    """Of mallinfo2(3); the eighth is ``uordblks``."""

    _fields_ = (("sizes", ctypes.c_size_t * 10),)


def test_a_stop_leaves_the_router_as_it_was(lab: Lab) -> None:
    before = state_of(lab)
    with PlaneInRouter(lab) as plane:
        plane.tell("load", text=THIRD)
        assert leftovers(lab)
        plane.tell("stop")
    assert state_of(lab) == before
    assert not leftovers(lab)


def test_a_run_that_was_killed_is_cleared_by_the_next_and_flows_keep_their_links(lab: Lab) -> None:
    with PlaneInRouter(lab) as killed:
        killed.tell("load", text=THIRD)
        os.kill(killed.pid, signal.SIGKILL)
        assert link_of_datagram(lab, SERVER, 5060) == 3
    assert leftovers(lab)
    with PlaneInRouter(lab) as plane:
        plane.tell("load", text="")
        assert len(rules(lab)) == 2 + 1 + 3 * len(lab.links)
        plane.tell("stop")
    assert not leftovers(lab)


def test_a_routers_lan_goes_by_its_own_default_when_the_service_died(lab: Lab) -> None:
    with PlaneInRouter(lab) as plane:
        plane.tell("load", text=THIRD)
        os.kill(plane.pid, signal.SIGKILL)
        lab.router("nft", "flush", "set", "inet", "remsim", "lan")  # as its 30 seconds do
        assert link_of_datagram(lab, SERVER, 5060) == 1
    with PlaneInRouter(lab) as plane:
        plane.tell("stop")


def test_a_device_that_comes_again_has_its_route_again(lab: Lab, plane: PlaneInRouter) -> None:
    lab.links[2].down()
    try:
        wait_until(lambda: "via" not in route_of(lab, 3))
        assert "unreachable" in route_of(lab, 3)
    finally:
        lab.links[2].up()
    wait_until(lambda: "dev sim3" in route_of(lab, 3))


def test_downloads_that_nobody_has_seen_yet_begin_again_when_their_device_goes_down(
    lab: Lab, plane: PlaneInRouter
) -> None:
    with Clients(lab.lan) as clients:
        downloads = [Download(clients, SERVER, 5001) for _ in range(4)]
        wait_until(lambda: all(one.link for one in downloads))
        dead = downloads[0].link
        lab.links[dead - 1].down()
        try:
            # The kernel forgets what was masqueraded by a device that goes down.
            wait_until(lambda: f"dst={lab.links[dead - 1].address} " not in lab.router("conntrack", "-L", "-p", "tcp"))
            plane.tell("leave", link=dead)
            wait_until(lambda: downloads[0].link not in (None, dead))
        finally:
            lab.links[dead - 1].up()
            wait_until(lambda: f"dev sim{dead}" in route_of(lab, dead))


def test_downloads_of_a_link_that_is_cut_begin_again_at_once(lab: Lab, plane: PlaneInRouter) -> None:
    with Clients(lab.lan) as clients:
        downloads = [Download(clients, SERVER, 5001) for _ in range(4)]
        wait_until(lambda: all(one.link for one in downloads))
        dead = downloads[0].link
        others = {one: one.link for one in downloads if one.link != dead}
        lab.links[dead - 1].cut()
        try:
            plane.tell("leave", link=dead)
            wait_until(lambda: downloads[0].link not in (None, dead))
            assert {one: one.link for one in others} == others
        finally:
            lab.links[dead - 1].heal()


def state_of(lab: Lab) -> list[str]:
    names = ("conf/all/src_valid_mark", "fwmark_reflect", "conf/sim1/rp_filter")
    settings = (*(f"ipv4/{name}" for name in names), "ipv6/fwmark_reflect", "netfilter/nf_conntrack_acct")
    read = [lab.router("cat", f"/proc/sys/net/{name}") for name in settings]
    return [lab.router("nft", "list", "ruleset"), lab.router("ip", "rule"), *read]


def route_of(lab: Lab, index: int) -> str:
    return lab.router("ip", "route", "show", "table", str(200 + index))


def without_numbers(text: str) -> str:
    return "\n".join(line for line in text.splitlines() if "packets" not in line and "expires" not in line)


def wait_until(holds: Callable[[], bool], timeout_s: float = 40.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
