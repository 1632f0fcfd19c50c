"""Probes over emulated links: what a prober in the router of the lab sees of silent cuts, loss, queues and portals."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator

import pytest
from netlab.lab import FOUR, Lab, why_not
from remsim.config.routing import LinkSettings, RoutingSettings
from remsim.core.clock import SystemClock
from remsim.links.health import Change, Health
from remsim.links.probes.prober import Prober
from remsim.links.probes.wanted import limits_of, plan_of

REASON = why_not()
pytestmark = pytest.mark.skipif(REASON is not None, reason=str(REASON))


class Watched:
    """All links of a lab under probes, each with its health."""

    def __init__(self, lab: Lab, metered: frozenset[int] = frozenset()) -> None:
        self.lab = lab
        self.changes: list[tuple[int, Change]] = []
        settings = RoutingSettings(probe_metered_ms=1000)
        self.health: dict[int, Health] = {}
        self.prober = Prober(SystemClock(), self._result, self._portal)
        for link in lab.links:
            asked = LinkSettings(link.device, device=link.device, metered=link.index in metered)
            plan = plan_of(settings, asked, link.index, link.device)
            self.health[link.index] = Health(limits_of(settings, plan), time.monotonic())
            self.prober.watch(link.index, plan)
        with lab.router.entered():  # its thread inherits the namespace
            self.prober.start()

    def _result(self, index: int, result: object) -> None:
        self._note(index, self.health[index].feed(result))  # type: ignore[arg-type]

    def _portal(self, index: int, is_portal: bool | None) -> None:
        self._note(index, self.health[index].portal(is_portal, time.monotonic()))

    def _note(self, index: int, change: Change | None) -> None:
        if change is not None:
            self.changes.append((index, change))

    def wait(self, index: int, state: str, timeout_s: float = 40.0) -> float:
        """When a link got into a state; it is waited for."""
        until(lambda: self.health[index].state == state, timeout_s, lambda: f"{index}: {self.changes}")
        return self.health[index].since

    def failures(self) -> list[tuple[int, Change]]:
        return [(index, change) for index, change in self.changes if change.is_failure]


def until(wanted: Callable[[], bool], timeout_s: float, why: Callable[[], str]) -> None:
    deadline = time.monotonic() + timeout_s
    while not wanted():
        assert time.monotonic() < deadline, why()
        time.sleep(0.01)


def download(lab: Lab, device: str, seconds: float) -> socket.socket:
    """A connection that has received as much as the link carries for a while."""
    with lab.router.entered():
        flow = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    flow.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
    flow.settimeout(10)
    flow.connect(("198.51.100.1", 80))
    flow.sendall(b"GET /bytes/endless HTTP/1.1\r\nHost: x\r\n\r\n")
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        flow.recv(65536)
    return flow


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(FOUR) as lab:
        yield lab


@pytest.fixture(scope="module")
def watched(lab: Lab) -> Iterator[Watched]:
    watched = Watched(lab, metered=frozenset((4,)))
    for link in lab.links:
        watched.wait(link.index, "up")
    yield watched
    watched.prober.stop()


def test_links_are_up_in_a_few_seconds_and_told_apart(watched: Watched) -> None:
    latencies = [watched.prober.quality(link.index).latency_ms for link in watched.lab.links]
    for link, latency in zip(watched.lab.links, latencies, strict=True):
        assert latency is not None and link.shape.rtt_ms * 0.8 <= latency <= link.shape.rtt_ms * 3
    assert {watched.prober.quality(link.index).kind for link in watched.lab.links} == {"icmp"}


@pytest.mark.parametrize("index", [1, 4], ids=["unmetered", "metered"])
def test_silent_cut_of_a_link_that_carries_a_download_is_noticed_in_time(watched: Watched, index: int) -> None:
    link = watched.lab.links[index - 1]
    flow = download(watched.lab, link.device, 1.2)
    cut_at = time.monotonic()
    link.cut()
    try:
        noticed_s = watched.wait(index, "down") - cut_at
        assert 0.2 < noticed_s <= 5  # 0.4 to 0.7 where nothing else runs: tests/benchmarks
    finally:
        link.heal()
        flow.close()
    watched.wait(index, "up")


def test_device_that_goes_down_is_noticed_by_what_the_kernel_says(watched: Watched) -> None:
    link = watched.lab.links[1]
    link.down()
    began = time.monotonic()
    try:
        assert watched.wait(2, "down") - began <= 5
    finally:
        link.up()
    watched.prober.restart(2)
    watched.wait(2, "up")


def test_loss_and_a_full_queue_are_no_failure(watched: Watched) -> None:
    lossy, full = watched.lab.links[1], watched.lab.links[2]
    before = len(watched.failures())
    lossy.reshape(loss_percent=30)
    try:
        download(watched.lab, full.device, 3.0).close()
    finally:
        lossy.reshape(loss_percent=0)
    assert watched.failures()[before:] == []


def test_portal_is_told_and_left(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remsim.links.probes.page.PORTAL_S", 0.3)
    link = watched.lab.links[2]
    link.portal(True)
    try:
        watched.prober.restart(3)
        watched.wait(3, "portal")
    finally:
        link.portal(False)
    watched.wait(3, "up")
