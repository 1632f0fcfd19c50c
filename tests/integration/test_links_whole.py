"""The whole service in the router of a lab: the roadmap's policies, caps, failover and fail-back."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from netlab.asking import link_of_connection, link_of_datagram, links_of_datagrams, resolve
from netlab.clients import Clients, Download
from netlab.lab import Lab, Link, Shape, why_not
from netlab.service import RouterService, routing_text
from policy_support import ROADMAP

pytestmark = pytest.mark.skipif(bool(why_not()), reason=f"{why_not()}; see README, Test it")

UNLIMITED, FAST, CHEAP, LOCAL, STEADY = 1, 2, 3, 4, 5
SHAPES = [Shape(24_000, 12_000, 20 if index == FAST else 70) for index in range(1, 6)]
COST = {UNLIMITED: 300, FAST: 500, CHEAP: 50, LOCAL: 400, STEADY: 350}
CAP_MBYTES = {UNLIMITED: None, FAST: 1_000, CHEAP: 1_000, LOCAL: 1_000, STEADY: 1_000}
VIDEO, HERE, BULKY, ELSEWHERE = "198.51.100.9", "198.51.100.8", "198.51.100.10", "198.51.100.1"

def at_three() -> str:
    """A time zone in which it is about three in the night."""
    behind = time.gmtime().tm_hour - 3
    return f"LAB{behind}"


def by_day(text: str) -> str:
    """The policies with hours in which it is not now."""
    return text.replace("00:00-06:00", "12:00-13:00")


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    with Lab(SHAPES, names={"youtube.com": VIDEO}) as lab:
        yield lab


@pytest.fixture(scope="module")
def service(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RouterService]:
    service = RouterService(lab, tmp_path_factory.mktemp("router"))
    (service.config / "remsim_routing").write_text(routing(lab))
    service.state.mkdir()
    hour = str(int(time.time() // 3600) - 1)
    uptime = {f"sim{n}": {hour: [3600.0 if n == STEADY else 3500.0, 3600.0]} for n in range(2, 6)}
    (service.state / "link-uptime.json").write_text(json.dumps(uptime))
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("TZ", at_three())
        service.start()
    try:
        service.wait_states("up")
        csv = f"{HERE},{HERE},DE\n{ELSEWHERE},{ELSEWHERE},FR\n"
        status, answer = service.request("policies/countries", method="POST", body={"csv": csv, "source": "the lab"})
        assert status < 300, answer
        yield service
    finally:
        if service.process is not None and service.process.poll() is None:
            service.stop(20)


def routing(lab: Lab) -> str:
    def each(index: int) -> dict[str, Any]:
        country = "DE" if index == LOCAL else "FR"
        return {"cost_per_gb_minor": COST[index], "cap_mbytes": CAP_MBYTES[index], "country": country}

    text = routing_text(lab, common={"router_country": "DE", "learn_names": 1, "portal_url": ["none"]}, each=each)
    return text.replace("config link 'sim1'", "config link 'carrier_a_unlimited'")


def put_in_force(service: RouterService, text: str) -> None:
    status, answer = service.request("policies", method="PUT", body={"text": text})
    assert status == 200, answer


def bulk_slots(told: Any) -> list[str]:
    return next(ring["slots"] for ring in told["rings"] if ring["name"] == "bulk")  # type: ignore[no-any-return]


def downloads_in(told: Any) -> set[str]:
    return {flow["destination"] for flow in told["flows"] if flow["destination_port"] == 5001}


def wait_until(holds: Callable[[], bool], what: str, timeout_s: float = 40.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what}"
        time.sleep(0.1)


@pytest.fixture()
def night(service: RouterService) -> None:
    put_in_force(service, ROADMAP)


@pytest.fixture()
def day(service: RouterService) -> None:
    put_in_force(service, by_day(ROADMAP))


class TestPolicies:
    def test_at_night_what_no_earlier_policy_takes_goes_by_the_unlimited_plan(self, lab: Lab, night: None) -> None:
        assert links_of_datagrams(lab, ELSEWHERE) == {UNLIMITED: 32}
        assert link_of_connection(lab, ELSEWHERE, 8080) == UNLIMITED

    def test_by_day_flows_are_spread_by_the_data_that_is_left(
        self, lab: Lab, service: RouterService, day: None
    ) -> None:
        used = links_of_datagrams(lab, ELSEWHERE)
        assert used[0] == 0 and len(used) > 1
        assert used[UNLIMITED] == max(used.values())

    def test_video_goes_by_the_shortest_round_trip_once_its_name_was_asked_for(self, lab: Lab, night: None) -> None:
        assert resolve(lab, "www.youtube.com") == VIDEO
        wait_until(lambda: link_of_connection(lab, VIDEO, 443) == FAST, "the address is known by its name")
        assert [link_of_connection(lab, VIDEO, 443) for _ in range(4)] == [FAST] * 4
        assert link_of_connection(lab, VIDEO, 8080) == UNLIMITED

    def test_after_a_fast_download_the_next_one_takes_the_cheapest_link(self, lab: Lab, day: None) -> None:
        client = lab.clients[3]
        with Clients(lab.lan) as clients:
            Download(clients, BULKY, 80, client=client)
            four = [lambda: link_of_connection(lab, BULKY, 80, client=client)] * 4
            wait_until(lambda: [ask() for ask in four] == [CHEAP] * 4, "it was seen to be fast")
        assert link_of_connection(lab, BULKY, 80, client=client) == CHEAP

    def test_what_is_in_the_country_goes_by_the_carrier_that_is_at_home_there(self, lab: Lab, night: None) -> None:
        assert links_of_datagrams(lab, HERE, count=16) == {LOCAL: 16}

    def test_calls_go_by_the_most_reliable_link_before_any_other_policy(self, lab: Lab, night: None) -> None:
        assert link_of_datagram(lab, ELSEWHERE, 5060) == STEADY
        assert link_of_datagram(lab, HERE, 5060) == STEADY

    def test_what_was_told_is_what_the_flow_does(self, service: RouterService, night: None) -> None:
        flow = {"source": "192.168.77.10", "destination": ELSEWHERE, "port": 5060, "protocol": "udp"}
        status, told = service.request("policies/explain", method="POST", body=flow)
        assert status == 200, told
        assert (told["policy"], told["link"]) == ("voip", f"sim{STEADY}")

    def test_each_policy_counts_what_it_took(self, lab: Lab, service: RouterService, night: None) -> None:
        links_of_datagrams(lab, ELSEWHERE, 5060, count=7)

        def hits(answer: Any) -> int:
            return sum(one["hits"] or 0 for one in answer["policies"] if one["name"] == "voip")

        service.wait_for("policies", lambda answer: hits(answer) >= 7)


class TestCaps:
    def test_a_link_at_its_cap_gets_no_new_flows_until_it_has_data_again(
        self, lab: Lab, service: RouterService, day: None
    ) -> None:
        self.used(service, FAST, 2_000_000_000)
        wait_until(lambda: links_of_datagrams(lab, ELSEWHERE)[FAST] == 0, "the cap is kept")
        self.used(service, FAST, 0)
        wait_until(lambda: links_of_datagrams(lab, ELSEWHERE)[FAST] > 0, "there is data again")

    @staticmethod
    def used(service: RouterService, link: int, size: int) -> None:
        body = {"action": "correct", "used_bytes": size}
        status, answer = service.request(f"links/sim{link}/actions", method="POST", body=body)
        assert status < 300, answer


class TestFailover:
    @pytest.mark.parametrize(("go", "come"), [(Link.cut, Link.heal), (Link.down, Link.up)], ids=["silent", "device"])
    def test_downloads_of_a_link_that_ends_go_on_by_another_and_no_other_is_disturbed(
        self, lab: Lab, service: RouterService, go: Callable[[Link], None], come: Callable[[Link], None]
    ) -> None:
        put_in_force(service, "")
        # Flows of the tests before count as busy until they are seen not to be.
        service.wait_for("links/rings", lambda told: len(set(bulk_slots(told)[:6])) >= 3)
        with Clients(lab.lan) as clients:
            downloads = [Download(clients, server, client=lab.clients[0]) for server in lab.servers[:10]]
            wait_until(lambda: all(one.link for one in downloads), "all downloads run")
            link = lab.links[(downloads[0].link or 1) - 1]
            name = "carrier_a_unlimited" if link.index == UNLIMITED else link.device
            moved = [one for one in downloads if one.link == link.index]
            kept = [one for one in downloads if one.link != link.index]
            assert moved and kept, [one.link for one in downloads]
            wanted = {one.transfers[-1].server for one in moved}
            service.wait_for(f"links/flows?limit=500&link={name}", lambda told: wanted <= downloads_in(told))
            go(link)
            at = time.monotonic()
            try:
                wait_until(lambda: all(one.link != link.index for one in moved), "they run by another link")
                assert max((one.first_byte_after(at) or 99) - at for one in kept) < 10
                wait_until(lambda: link.index not in links_of_datagrams(lab, ELSEWHERE), "no new flow takes it")
            finally:
                come(link)
            service.wait_states("up")
            wait_until(lambda: link.index in links_of_datagrams(lab, ELSEWHERE), "new flows take it again")
            assert [len(one.transfers) for one in kept] == [1] * len(kept)
            assert [len(one.transfers) for one in moved] == [2] * len(moved)
        wanted = {"failover", "link_up"}
        service.wait_for("events?limit=50", lambda told: wanted <= {event["kind"] for event in told["events"]})

    def test_downloads_go_on_when_one_device_after_the_other_vanishes_and_when_one_is_back_after_the_last(
        self, lab: Lab, service: RouterService
    ) -> None:
        put_in_force(service, "")
        *most, last = lab.links
        with Clients(lab.lan) as clients:
            downloads = [Download(clients, server, client=lab.clients[0]) for server in lab.servers[:10]]
            wait_until(lambda: all(one.link for one in downloads), "all downloads run")
            wanted = {one.transfers[-1].server for one in downloads}
            service.wait_for("links/flows?limit=500", lambda told: wanted <= downloads_in(told))
            try:
                for link in most:
                    link.unplug()
                    wait_until(lambda link=link: link.index not in {one.link for one in downloads}, "none is on it")
                    service.wait_for("links/flows?limit=500", lambda told: wanted <= downloads_in(told))
                wait_until(lambda: {one.link for one in downloads} == {last.index}, "all run by the one that is left")
                last.unplug()
                service.wait_for("events?limit=10", lambda told: "link_down" in [one["kind"] for one in told["events"]])
                most[1].plug()
                wait_until(lambda: {one.link for one in downloads} == {most[1].index}, "all run by it again")
            finally:
                for link in lab.links:
                    if link is not most[1]:
                        link.plug()
            service.wait_states("up")

    def test_a_link_behind_a_portal_is_not_used(self, lab: Lab, service: RouterService) -> None:
        status, answer = service.request("links/globals", method="PATCH", body={"portal_url": []})
        assert status < 300, answer
        link = lab.links[CHEAP - 1]
        link.portal(True)
        try:
            service.request(f"links/{link.device}/actions", method="POST", body={"action": "test"})
            service.wait_states({link.device: "portal"}, 20)
            assert link.index not in links_of_datagrams(lab, ELSEWHERE)
        finally:
            link.portal(False)


def test_after_it_ended_the_router_is_as_it_was(lab: Lab, tmp_path: Path, service: RouterService) -> None:
    service.stop(20)
    assert "remsim" not in lab.router("nft", "list", "tables")
    assert len(lab.router("ip", "rule").splitlines()) == 3
    assert link_of_datagram(lab, ELSEWHERE) == 1
