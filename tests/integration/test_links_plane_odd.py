"""The kernel's data plane where things are odd: IPv6, links that are alike, others who take its table away."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from netlab.asking import links_of_datagrams, resolve
from netlab.clients import Clients, Download
from netlab.here import DEFAULT, Here, ring
from netlab.lab import FIREWALL, FOUR, LAN, Lab, why_not
from netlab.plane import PlaneInRouter
from netlab.service import quiet
from remsim.core.routes import Choice, PolicyCode, Program, RingSpec, SetCode
from remsim.links.kernel.nft import Nft, NftError
from remsim.links.plane import LinkRoute, PlaneError

pytestmark = pytest.mark.skipif(bool(why_not()), reason=f"{why_not()}; see README, Test it")

SERVER, SERVER6 = "198.51.100.1", "2001:db8:ffff::1"
CLEAR = "from remsim.links.kernel.plane import clear_leftovers; print(clear_leftovers())"


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(FOUR) as lab:
        yield lab


@pytest.fixture(autouse=True)
def nothing_flows(lab: Lab) -> None:
    """A port may be taken once more, and a flow there keeps its link."""
    quiet(lab, 0)


@pytest.fixture
def plane(lab: Lab, tmp_path: Path) -> Iterator[Here]:
    plane = Here(lab, tmp_path)
    plane.set_links(plane.links())
    plane.load(Program(), DEFAULT, ring(1, 2, 3))
    yield plane
    plane.stop()


def sources6(lab: Lab, count: int = 3) -> list[str]:
    """The addresses that a server sees of so many flows of IPv6."""
    found = []
    with lab.lan.entered():
        for _ in range(count):
            with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one:
                one.bind((lab.clients6[0], 0))
                one.settimeout(4)  # the first one waits for its neighbour
                one.sendto(b"who", (SERVER6, 5004))
                found.append(one.recv(200).split()[0].decode())
    return found


def wait_until(holds: Callable[[], bool], timeout_s: float = 40.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.03)


def test_ipv6_is_shared_too_and_leaves_each_link_with_an_address_of_it(lab: Lab, plane: Here) -> None:
    assert sources6(lab) == ["2001:db8:1::2", "2001:db8:2::2", "2001:db8:3::2"]


def test_nptv6_keeps_who_it_was(lab: Lab, plane: Here) -> None:
    plane.set_links(plane.links(ipv6="nptv6"))
    assert sources6(lab) == ["2001:db8:1::10", "2001:db8:2::10", "2001:db8:3::10"]


def test_ipv6_that_no_link_carries_goes_by_mains_default_with_all_its_packets(lab: Lab, plane: Here) -> None:
    plane.set_links(plane.links(ipv6="off"))
    with Clients(lab.lan) as clients:
        download = Download(clients, SERVER6, 5001)
        wait_until(lambda: download.link == 1)


def test_ipv6_downloads_of_a_dead_link_begin_again(lab: Lab, plane: Here) -> None:
    with Clients(lab.lan) as clients:
        downloads = [Download(clients, SERVER6, 5001) for _ in range(3)]
        wait_until(lambda: all(one.link for one in downloads))
        dead = downloads[0].link or 0
        seen = [flow for flow in plane.flows() if flow.link == dead]
        assert seen[0].source.startswith("fd77::")
        lab.links[dead - 1].down()
        try:
            others = [index for index in (1, 2, 3) if index != dead]
            plane.swap(ring(*others))
            plane.cut(dead, seen)
            wait_until(lambda: plane.flows() and downloads[0].link in others)
        finally:
            lab.links[dead - 1].up()


def test_downloads_that_were_seen_only_as_they_began_begin_again_when_their_device_vanishes(
    lab: Lab, plane: Here
) -> None:
    plane.swap(ring(2))
    with Clients(lab.lan) as clients:
        downloads = [Download(clients, SERVER, 5001) for _ in range(3)]
        seen: list[Any] = []
        wait_until(lambda: len(seen.extend(plane.flows()) or [one for one in seen if one.destination == SERVER]) >= 3)
        wait_until(lambda: all(one.link == 2 for one in downloads))
        as_they_began = [replace(one, state="SYN_SENT", is_established=False) for one in seen]
        lab.links[1].unplug()
        try:
            wait_until(lambda: f"dst={lab.links[1].address} " not in lab.router("conntrack", "-L", "-p", "tcp"))
            plane.swap(ring(1, 3))
            assert plane.cut(2, as_they_began).reset == 3
            wait_until(lambda: plane.flows() and all(one.link in (1, 3) for one in downloads))
        finally:
            lab.links[1].plug()


def test_a_link_without_ipv4_gets_flows_of_ipv6_only(lab: Lab, plane: Here) -> None:
    lab.router("ip", "-4", "address", "flush", "dev", "sim2")
    try:
        wait_until(lambda: bool(plane.flows()) and set(links_of_datagrams(lab, SERVER, count=4)) == {1, 3})
        assert "2001:db8:2::2" in sources6(lab)
    finally:
        lab.links[1].up()


def test_a_link_whose_ipv4_is_back_has_all_of_its_rules_again(lab: Lab, plane: Here) -> None:
    before = lab.router("nft", "list", "chain", "inet", "remsim", "prerouting")
    lab.router("ip", "-4", "address", "flush", "dev", "sim2")
    try:
        assert plane.ensure_route(plane.links()[1])  # it has IPv6
        assert set(links_of_datagrams(lab, SERVER, count=4)) == {1, 3}
    finally:
        lab.links[1].up()
    plane.ensure_route(plane.links()[1])
    assert lab.router("nft", "list", "chain", "inet", "remsim", "prerouting") == before
    assert set(links_of_datagrams(lab, SERVER, count=6)) == {1, 2, 3}


def test_a_change_of_devices_that_is_refused_keeps_nobody_from_moving_flows(
    lab: Lab, plane: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, refused = Nft.run, []

    def refuse(nft: Nft, commands: str, **more: bool) -> str:
        if "chain inet remsim prerouting" in commands:
            refused.append(commands)
            raise NftError("Error: no")
        return run(nft, commands, **more)

    monkeypatch.setattr(Nft, "run", refuse)
    lab.router("ip", "-4", "address", "flush", "dev", "sim2")
    try:
        wait_until(lambda: bool(plane.flows() is not None and refused))
        plane.swap(ring(3))
        assert links_of_datagrams(lab, SERVER, count=2) == Counter({3: 2})
        monkeypatch.undo()
        plane.ensure_route(plane.links()[1])
        plane.swap(ring(2, 3))
        assert links_of_datagrams(lab, SERVER, count=2) == Counter({3: 2})
    finally:
        lab.links[1].up()


def test_a_gateway_that_moves_is_followed(lab: Lab, plane: Here) -> None:
    lab.router("ip", "route", "replace", "default", "via", "10.64.2.9", "dev", "sim2", "metric", "102")
    wait_until(lambda: "via 10.64.2.9" in lab.router("ip", "route", "show", "table", "202"))
    lab.links[1].up()
    wait_until(lambda: "via 10.64.2.1 " in lab.router("ip", "route", "show", "table", "202"))


def test_two_modems_with_one_address_and_gateway_both_carry(lab: Lab, plane: Here) -> None:
    try:
        for link in lab.links[:2]:
            lab.router("ip", "address", "flush", "dev", link.device)
            lab.router("ip", "address", "add", "192.168.0.100/24", "dev", link.device)
            way = f"default via 192.168.0.1 dev {link.device} metric {100 + link.index}"
            lab.router("ip", "route", "replace", *way.split())
        plane.set_links(plane.links())
        plane.swap(ring(1, 2))
        before = plane.counters()
        links_of_datagrams(lab, SERVER, count=8, wait_s=0.3)
        after = plane.counters()
        assert all(after[f"link_{index}_tx"][0] - before[f"link_{index}_tx"][0] >= 4 for index in (1, 2))
        assert not [line for line in lab.router("ip", "rule").splitlines() if "from 192.168.0.100" in line]
    finally:
        for link in lab.links[:2]:
            lab.router("ip", "address", "flush", "dev", link.device)
            link.up()


def test_two_modems_with_one_mac_address_and_gateway_both_carry(tmp_path: Path) -> None:
    with Lab([None, None]) as lab:  # these have MAC addresses
        for link in lab.links:
            lab.internet("ip", "address", "add", "192.168.0.1/24", "dev", link.far_device)
            for change in (
                f"link set {link.device} address 02:00:00:00:00:01",
                f"address flush dev {link.device}",
                f"address add 192.168.0.100/24 dev {link.device}",
                f"route replace default via 192.168.0.1 dev {link.device} metric {100 + link.index}",
            ):
                lab.router("ip", *change.split())
        plane = Here(lab, tmp_path)
        try:
            plane.set_links(plane.links())
            plane.load(Program(), DEFAULT, ring(1, 2))
            links_of_datagrams(lab, SERVER, count=8, wait_s=0.3)
            carried = plane.counters()
            assert all(carried[f"link_{index}_tx"][0] >= 4 for index in (1, 2))
        finally:
            plane.stop()


def test_a_link_that_vanishes_while_rules_load_costs_that_link_only(lab: Lab, plane: Here) -> None:
    policy = PolicyCode(1, "all", ("meta l4proto udp goto pick_1",), RingSpec("p_1", (Choice("any"),)))
    is_over = threading.Event()

    def come_and_go() -> None:
        while not is_over.is_set():
            lab.links[1].unplug()
            lab.links[1].plug()

    device = threading.Thread(target=come_and_go)
    device.start()
    try:
        for number in range(8):
            plane.load(Program((policy,)), DEFAULT, {**ring(1, 3), "p_1": (1, 2, 3)})
            plane.set_links(plane.links(is_metered=bool(number % 2)))
            plane.load(Program(), DEFAULT, ring(1, 3))
            plane.swap(ring(3, 1))
            assert set(links_of_datagrams(lab, SERVER, count=2, wait_s=5)) == {1, 3}
    finally:
        is_over.set()
        device.join()
    plane.set_links(plane.links())
    plane.swap(ring(2))
    assert links_of_datagrams(lab, SERVER, count=2) == Counter({2: 2})


def test_a_table_that_somebody_removes_is_there_again(lab: Lab, plane: Here) -> None:
    lab.router("nft", "delete", "table", "inet", "remsim")
    lab.router("ip", "rule", "delete", "preference", "1002")
    plane.counters()
    plane.add("lan", [LAN], 30)
    assert links_of_datagrams(lab, SERVER, count=6) == Counter({1: 2, 2: 2, 3: 2})


GONE = "delete table inet remsim"
ANOTHER = f"{GONE}; add table inet remsim; add chain inet remsim prerouting; add rule inet remsim prerouting accept"


@pytest.mark.parametrize("removed", [GONE, ANOTHER], ids=["none", "another"])
def test_a_change_finds_no_table_of_ours_and_loads_it_again(lab: Lab, plane: Here, removed: str) -> None:
    policy = PolicyCode(1, "all", ("meta l4proto udp goto pick_1",), RingSpec("p_1", (Choice("any"),)))
    near = replace(policy, rules=("ip daddr @a_1 goto pick_1",))
    small = SetCode("a_1", "type ipv4_addr; flags interval;", ("198.51.100.0/24", "10.0.0.0/8"), is_apart=True)
    large = replace(small, elements=(*small.elements, *(f"11.{n}.0.0/24" for n in range(100))))
    changes: list[tuple[Callable[[], object], int]] = [
        (lambda: plane.swap(ring(3)), 3),
        (lambda: plane.set_links(plane.links(is_metered=True)), 3),
        (lambda: plane.load(Program((policy,)), DEFAULT, {**ring(1), "p_1": (2,)}), 2),
        (lambda: plane.refill({1: ("meta l4proto udp ip daddr 192.0.2.1 goto pick_1",)}), 1),
        (lambda: plane.add("lan", [LAN], 30), 1),
        (lambda: plane.load(Program((near,), (small,)), DEFAULT, {**ring(1), "p_1": (2,)}), 2),
        (lambda: plane.load(Program((near,), (large,)), DEFAULT, {**ring(1), "p_1": (3,)}), 3),
    ]
    for number, (change, link) in enumerate(changes, 1):
        lab.router("nft", removed)
        change()
        assert plane.made_anew() == number
        wait_until(lambda to=link: links_of_datagrams(lab, SERVER, count=2) == Counter({to: 2}), 5)  # sets are filled


def test_downloads_whose_flows_the_kernel_dropped_while_there_was_no_table_begin_again(lab: Lab, plane: Here) -> None:
    with Clients(lab.lan) as clients:
        downloads = [Download(clients, SERVER, 5001) for _ in range(6)]
        wait_until(lambda: all(one.link for one in downloads))
        assert {one.link for one in downloads} == {1, 2, 3}
        plane.flows()
        removed = time.monotonic()
        lab.router.nft(f"flush ruleset\n{FIREWALL}")  # as "systemctl reload nftables" has it
        time.sleep(0.5)
        plane.counters()
        wait_until(lambda: plane.flows() and all(one.bytes_between(removed + 0.6, 1e9) for one in downloads), 10)


def test_a_table_that_somebody_empties_is_filled_again_with_its_large_sets(lab: Lab, plane: Here) -> None:
    ranges = (*(f"10.{n >> 8}.{n & 255}.0/28" for n in range(3000)), "198.51.100.0/24")
    near = SetCode("c_XX4", "type ipv4_addr; flags interval;", ranges, is_apart=True)
    policy = PolicyCode(1, "near", ("ip daddr @c_XX4 goto pick_1",), RingSpec("p_1", (Choice("any"),)))
    plane.load(Program((policy,), (near,)), DEFAULT, {**ring(1), "p_1": (3,)})
    for number, removed in enumerate(("flush table", "delete table"), 1):
        lab.router("nft", *removed.split(), "inet", "remsim")
        plane.counters()
        assert plane.made_anew() == number
        wait_until(lambda: "link-sets" not in [one.name for one in threading.enumerate()])
        assert links_of_datagrams(lab, SERVER, count=2) == Counter({3: 2})
    plane.load(Program(), DEFAULT, ring(2))
    assert "c_XX4" not in lab.router("nft", "list", "table", "inet", "remsim")


def test_a_large_set_may_be_in_what_is_loaded_first(lab: Lab, tmp_path: Path) -> None:
    near = SetCode("c_XX4", "type ipv4_addr; flags interval;", ("198.51.100.0/24",), is_apart=True)
    policy = PolicyCode(1, "near", ("ip daddr @c_XX4 goto pick_1",), RingSpec("p_1", (Choice("any"),)))
    plane = Here(lab, tmp_path)
    try:
        plane.set_links(plane.links())
        plane.load(Program((policy,), (near,)), DEFAULT, {**ring(1), "p_1": (3,)})
        assert links_of_datagrams(lab, SERVER, count=2) == Counter({3: 2})
    finally:
        plane.stop()


def test_a_small_set_of_ranges_has_only_what_it_should_have_after_a_change(lab: Lab, plane: Here) -> None:
    policy = PolicyCode(1, "near", ("ip daddr @c_XX4 goto pick_1",), RingSpec("p_1", (Choice("any"),)))
    for ranges, link in (
        (("198.51.100.0/28", "10.0.0.0/8"), 3),
        (("198.51.100.0/24", "192.0.2.0/24"), 3),
        (("192.0.2.0/25", "10.0.0.0/9"), 1),
    ):
        near = SetCode("c_XX4", "type ipv4_addr; flags interval;", ranges, is_apart=True)
        loaded = plane.load(Program((policy,), (near,)), DEFAULT, {**ring(1), "p_1": (3,)})
        assert len(loaded.sets_ms) == 1
        assert links_of_datagrams(lab, SERVER, count=2) == Counter({link: 2})


def test_a_large_set_that_is_refused_stays_as_it_was(lab: Lab, plane: Here) -> None:
    near = SetCode("c_XX4", "type ipv4_addr; flags interval;", ("198.51.100.0/24",), is_apart=True)
    policy = PolicyCode(1, "near", ("ip daddr @c_XX4 goto pick_1",), RingSpec("p_1", (Choice("any"),)))
    plane.load(Program((policy,), (near,)), DEFAULT, {**ring(1), "p_1": (3,)})
    wrong = SetCode(near.name, near.declaration, ("192.0.2.0/24", "no address"), is_apart=True)
    with pytest.raises(PlaneError, match="could not be filled"):
        plane.load(Program((policy,), (wrong,)), DEFAULT, {**ring(1), "p_1": (3,)})
    assert links_of_datagrams(lab, SERVER, count=2) == Counter({3: 2})


ALSO = tuple(f"10.{n}.0.0/28" for n in range(100))
"""With these a set is a large one."""


def by_addresses(*elements: str, name: str = "c_XX4", more: tuple[str, ...] = ()) -> Program:
    """Flows to these addresses are the policy's."""
    near = SetCode(name, "type ipv4_addr; flags interval;", elements, is_apart=True)
    rules = (f"ip daddr @{name} goto pick_1", *more)
    return Program((PolicyCode(1, "near", rules, RingSpec("p_1", (Choice("any"),))),), (near,))


def sets_of_ranges(lab: Lab) -> set[str]:
    """Their names in the kernel."""
    listed = lab.router("nft", "-t", "list", "sets", "inet").split("\tset ")
    return {one.split()[0] for one in listed if "flags interval" in one}


@pytest.mark.parametrize("also", [(), ALSO], ids=["small", "large"])
def test_sets_are_as_they_were_after_a_load_that_is_refused(lab: Lab, plane: Here, also: tuple[str, ...]) -> None:
    other, slots = ("203.0.113.0/24", "192.0.2.0/24", *also), {**ring(1), "p_1": (3,)}
    plane.load(by_addresses(*other), DEFAULT, slots)
    there = sets_of_ranges(lab)
    for name in ("c_XX4", "a_1_4"):
        with pytest.raises(PlaneError):
            plane.load(by_addresses("198.51.100.0/24", *also, name=name, more=("no rule",)), DEFAULT, slots)
        assert links_of_datagrams(lab, SERVER, count=2) == Counter({1: 2})
        assert sets_of_ranges(lab) == there
    plane.load(by_addresses("198.51.100.0/24", *also), DEFAULT, slots)
    assert links_of_datagrams(lab, SERVER, count=2) == Counter({3: 2})


@pytest.mark.parametrize("also", [(), ALSO], ids=["small", "large"])
def test_sets_that_were_prepared_stay_until_others_are(lab: Lab, plane: Here, also: tuple[str, ...]) -> None:
    plane.prepare(by_addresses("198.51.100.0/24", *also))
    there = sets_of_ranges(lab)
    plane.set_links(plane.links(is_metered=True))
    plane.load(Program(), DEFAULT, ring(2))  # as settings are put in force meanwhile
    assert sets_of_ranges(lab) == there != set()
    plane.prepare(Program())
    plane.load(Program(), DEFAULT, ring(1))
    assert sets_of_ranges(lab) == set()


def test_sets_that_were_prepared_before_one_that_fails_go(lab: Lab, plane: Here) -> None:
    near, wrong = by_addresses("198.51.100.0/24"), by_addresses("no address", *ALSO, name="a_1_4")
    with pytest.raises(PlaneError, match="could not be filled"):
        plane.prepare(replace(near, sets=(*near.sets, *wrong.sets)))
    plane.load(Program(), DEFAULT, ring(1))
    assert sets_of_ranges(lab) == set()


def test_nobody_waits_for_a_large_set_that_others_prepare(lab: Lab, plane: Here) -> None:
    ranges = [f"10.{n >> 8}.{n & 255}.{m}" for n in range(20_000) for m in (1, 3)]
    small, slots = by_addresses("198.51.100.0/24", "192.0.2.0/24", name="a_1_4"), {**ring(1), "p_1": (3,)}
    plane.load(small, DEFAULT, slots)
    took = []
    preparing = threading.Thread(target=lambda: plane.prepare(by_addresses(*ranges)))
    preparing.start()
    while preparing.is_alive():
        begin = time.monotonic()
        plane.load(small, DEFAULT, slots)
        plane.set_links(plane.links(is_metered=bool(len(took) % 2)))
        took.append(time.monotonic() - begin)
    assert max(took) < sum(took) / 2
    begin = time.monotonic()
    plane.load(by_addresses(*ranges), DEFAULT, slots)  # it is there as it was prepared
    assert time.monotonic() - begin < sum(took) / 2


def test_sets_are_prepared_though_somebody_has_removed_the_table(lab: Lab, plane: Here) -> None:
    for also in ((), ALSO):
        lab.router("nft", GONE)
        near = by_addresses("198.51.100.0/24", *also)
        plane.prepare(near)
        plane.load(near, DEFAULT, {**ring(1), "p_1": (3,)})
        wait_until(lambda: links_of_datagrams(lab, SERVER, count=2) == Counter({3: 2}), 5)


def test_rules_that_somebody_deletes_are_there_again_at_once(lab: Lab, plane: Here) -> None:
    before = lab.router("ip", "rule"), lab.router("ip", "-6", "rule")
    for family in ("-4", "-6"):
        lab.router("ip", family, "rule", "delete", "preference", "1002")
    wait_until(lambda: (lab.router("ip", "rule"), lab.router("ip", "-6", "rule")) == before)


def test_a_large_set_leads_and_costs_others_nothing(lab: Lab, plane: Here) -> None:
    ranges = (*(f"10.{n >> 8}.{n & 255}.0-10.{n >> 8}.{n & 255}.99" for n in range(20_000)), "198.51.100.0/24")
    many = SetCode("c_XX4", "type ipv4_addr; flags interval;", ranges, is_apart=True)
    policy = PolicyCode(1, "near", ("ip daddr @c_XX4 goto pick_1",), RingSpec("p_1", (Choice("any"),)))
    learned = SetCode("d_14", "type ipv4_addr; flags timeout; timeout 1h;", is_learned=True)
    program = Program((policy,), (many, learned))
    plane.prepare(program)
    assert set(links_of_datagrams(lab, SERVER, count=6)) == {1, 2, 3}
    loaded = plane.load(program, DEFAULT, {**ring(1, 2), "p_1": (3,)})
    assert list(loaded.sets_ms) == ["c_XX4w"]
    assert links_of_datagrams(lab, SERVER, count=6) == Counter({3: 6})
    assert plane.counters()["p_1"][0] == 6
    begin = time.thread_time()
    plane.add("d_14", ["192.0.2.7"], 60)
    assert time.thread_time() - begin < 0.2  # libnftables takes 0.4 s to read the ranges back
    plane.load(Program((policy,), (SetCode("c_XX4", many.declaration, ranges[:-1], is_apart=True),)), DEFAULT, ring(1))
    assert links_of_datagrams(lab, SERVER, count=2) == Counter({1: 2})


def test_a_set_in_pieces_leads_by_each_of_them(lab: Lab, plane: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remsim.links.kernel.wide.PREFIXES", 50)
    ranges = [f"10.{n}.0.0/16" for n in range(120)]
    for at in (0, 60, 120):
        near = SetCode("c_XX4", "type ipv4_addr; flags interval;", (*ranges[:at], "198.51.100.0/24", *ranges[at:]))
        policy = PolicyCode(1, "near", ("ip daddr @c_XX4 goto pick_1",), RingSpec("p_1", (Choice("any"),)))
        loaded = plane.load(Program((policy,), (near,)), DEFAULT, {**ring(1), "p_1": (3,)})
        assert list(loaded.sets_ms) == ["c_XX4w"]
        assert lab.router("nft", "list", "sets", "inet").count("set c_XX4w_") == 3
        assert links_of_datagrams(lab, SERVER, count=2) == Counter({3: 2})


def test_a_policys_ring_is_changed_and_what_no_ring_needs_goes(lab: Lab, plane: Here) -> None:
    policy = PolicyCode(1, "all", ("meta l4proto udp goto pick_1",), RingSpec("p_1", (Choice("any"),)))
    plane.load(Program((policy,)), DEFAULT, {**ring(1), "p_1": (1, 2)})
    for slots in ((2, 3), (3, 1), (), (1, 3)):
        plane.swap({"p_1": slots})
        assert set(links_of_datagrams(lab, SERVER, count=4)) == set(slots or (1,))
        mixes = lab.router("nft", "list", "chains", "inet").count("chain mix_")
        assert mixes == bool(slots)


@contextlib.contextmanager
def flows_beginning(lab: Lab) -> Iterator[None]:
    """Meanwhile one flow after the other begins."""
    begun, is_over = 0, threading.Event()

    def begin() -> None:
        nonlocal begun
        with lab.lan.entered():
            while not is_over.is_set():
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
                    one.sendto(b"who", (SERVER, 5004))
                begun += 1

    beginning = threading.Thread(target=begin)
    beginning.start()
    try:
        yield
    finally:
        is_over.set()
        beginning.join()
    assert begun > 1000


def test_flows_that_begin_while_a_ring_is_written_take_a_link_of_it(lab: Lab, plane: Here) -> None:
    policy = PolicyCode(1, "all", ("meta l4proto udp goto pick_1",), RingSpec("p_1", (Choice("any"),)))
    for name, program in (("bulk", Program()), ("p_1", Program((policy,)))):
        plane.load(program, DEFAULT, {**ring(2, 3), "p_1": (2, 3)})
        with flows_beginning(lab):
            for turn in range(300):
                plane.swap({name: (2, 2, 3, 3) if turn % 2 else (3, 2, 3, 2)})
    assert [flow for flow in plane.flows() if flow.link == 1] == []


def test_flows_that_begin_while_a_policy_gets_other_addresses_take_its_link(lab: Lab, plane: Here) -> None:
    def program(turn: int) -> Program:
        near = tuple(f"10.{turn}.{n}.0/25" for n in range(20))
        addresses = SetCode(f"a_{turn}_4", "type ipv4_addr; flags interval;", (*near, f"{SERVER}/32"), is_apart=True)
        rule = f"ip daddr @{addresses.name} goto pick_1"
        return Program((PolicyCode(1, "near", (rule,), RingSpec("p_1", (Choice("any"),))),), (addresses,))

    plane.load(program(0), DEFAULT, {**ring(1), "p_1": (3,)})
    with flows_beginning(lab):
        for turn in range(300):
            plane.load(program(turn % 2), DEFAULT, {**ring(1), "p_1": (3,)})
    assert [flow for flow in plane.flows() if flow.link != 3] == []


def test_who_is_refused_is_told_at_once_the_router_too(lab: Lab, plane: Here) -> None:
    plane.swap(ring(0))
    for space in (lab.lan, lab.router):
        with space.entered(), socket.socket() as one, pytest.raises(OSError, match="No route to host|refused"):
            one.settimeout(3)
            one.connect((SERVER, 443))


def test_a_client_is_told_of_each_of_many_connections_that_are_refused(lab: Lab, plane: Here) -> None:
    plane.swap(ring(0))
    ways = ((socket.AF_INET, SERVER, lab.clients[3]), (socket.AF_INET6, SERVER6, lab.clients6[3]))
    for family, server, client in ways:
        for _ in range(20):  # the kernel sends a host one ICMP error a second
            with lab.lan.entered(), socket.socket(family) as one, pytest.raises(ConnectionRefusedError):
                one.bind((client, 0))
                one.settimeout(3)
                one.connect((server, 443))
    with lab.lan.entered(), socket.create_connection((lab.links[1].gateway, 80), 5):
        pass  # what is nearer than the Internet is reached as ever


def test_ipv4_that_no_link_in_use_carries_is_refused_at_once_and_ipv6_goes_on(lab: Lab, plane: Here) -> None:
    lab.router("ip", "-4", "address", "flush", "dev", "sim2")
    try:
        plane.ensure_route(plane.links()[1])
        plane.swap(ring(*(2,) * 16, *(0,) * 16))
        for space in (lab.lan, lab.router):
            with space.entered(), socket.socket() as one, pytest.raises(OSError, match="No route to host|refused"):
                one.settimeout(3)
                one.connect((SERVER, 443))
        assert set(sources6(lab, 20)) == {"2001:db8:2::2"}
        plane.swap(ring(*(2,) * 16, *(3,) * 16))
        assert links_of_datagrams(lab, SERVER, count=4) == Counter({3: 4})
        assert set(sources6(lab, 20)) == {"2001:db8:2::2"}
    finally:
        lab.links[1].up()


def test_a_links_own_resolver_is_asked_by_it(lab: Lab, plane: Here) -> None:
    given = {1: "1.1.1.1", 2: "8.8.8.8", 3: "9.9.9.9", 4: "9.9.9.9"}
    plane.set_links([LinkRoute(one.index, one.device, one.device, dns=(given[one.index],)) for one in lab.links])
    plane.swap(ring(1))
    before = plane.counters()["link_2_tx"][0]
    resolve(lab, "www.example.org", given[2])
    assert plane.counters()["link_2_tx"][0] > before
    plane.set_links(plane.links(dns=("8.8.8.8",)))
    assert "8.8.8.8" not in lab.router("nft", "list", "chain", "inet", "remsim", "own")


def test_nothing_passes_above_a_hard_cap_and_a_new_one_lets_pass_again(lab: Lab, plane: Here) -> None:
    plane.set_links(plane.links(hard_cap_bytes=50_000))
    plane.swap(ring(1))
    with Clients(lab.lan) as clients:
        Download(clients, SERVER, 5001)
        wait_until(lambda: "used 50000 bytes" in lab.router("nft", "list", "quotas"))
        assert links_of_datagrams(lab, SERVER, count=2, wait_s=0.2) == Counter({0: 2})
    for left, carried in ((0, {0: 2}), (90_000_000, {1: 2})):  # none left: as after a start at the cap
        plane.set_links(plane.links(hard_cap_bytes=left))
        assert links_of_datagrams(lab, SERVER, count=2, wait_s=0.2) == Counter(carried)
    assert links_of_datagrams(lab, SERVER, count=2) == Counter({1: 2})


def test_a_name_that_no_device_can_have_never_reaches_nft(lab: Lab, plane: Here) -> None:
    for name in ('";flush ruleset', "sim*", "two words", "0123456789abcdef", ""):
        with pytest.raises(PlaneError, match="no name of a device"):
            plane.set_links([LinkRoute(1, "odd", name)])
    assert set(links_of_datagrams(lab, SERVER, count=6)) == {1, 2, 3}


def test_downloads_that_main_leads_elsewhere_begin_again_at_a_stop(lab: Lab, tmp_path: Path) -> None:
    plane = Here(lab, tmp_path)
    with Clients(lab.lan) as clients:
        try:
            plane.set_links(plane.links())
            plane.load(Program(), DEFAULT, ring(1, 2, 3))
            downloads = [Download(clients, SERVER, 5001) for _ in range(6)]
            wait_until(lambda: {one.link for one in downloads} == {1, 2, 3})
        finally:
            plane.stop(plane.flows())
        stopped = time.monotonic()
        wait_until(lambda: all(one.bytes_between(stopped + 0.2, 1e9) and one.link == 1 for one in downloads), 5)
        assert sum(len(one.transfers) for one in downloads) == 6 + 4  # those of the first link go on


def test_what_a_killed_run_left_goes_when_links_are_off(lab: Lab) -> None:
    before = lab.router("nft", "list", "ruleset"), lab.router("ip", "rule")
    with PlaneInRouter(lab) as killed:
        killed.tell("load", text="")
        os.kill(killed.pid, signal.SIGKILL)
        assert links_of_datagrams(lab, SERVER, count=2) == Counter({1: 1, 2: 1})
    assert lab.router(sys.executable, "-c", CLEAR).strip() == "True"
    assert (lab.router("nft", "list", "ruleset"), lab.router("ip", "rule")) == before
    assert lab.router(sys.executable, "-c", CLEAR).strip() == "False"
