"""The order of things when links fail and come back, without a thread or a kernel."""

from __future__ import annotations

from dataclasses import replace

import pytest
from links_fake import FakePlane, FakeProber, addresses, around, flow, grown, routing
from remsim.config.routing import Routing
from remsim.core.clock import FakeClock
from remsim.core.events import KINDS, Event
from remsim.core.routes import Choice, PolicyCode, Program, RingSpec
from remsim.links.facts import ModemFacts
from remsim.links.finding import Found
from remsim.links.ledger import Money, NoLedger
from remsim.links.plane import Addresses, PlaneError
from remsim.links.probes.plan import ProbeResult, Quality
from remsim.links.sharing import Sharing


class Desk:
    """Sharing with a clock, a plane and probes of a test's own."""

    def __init__(self, wanted: Routing, **more) -> None:
        self.clock = FakeClock()
        self.plane = FakePlane(devices={f"sim{index}": addresses(index) for index in range(1, 9)})
        self.prober = FakeProber()
        self.events: list[Event] = []
        self.ledger = more.pop("ledger", NoLedger())
        surroundings = more.pop("around", around())
        self.sharing = Sharing(
            self.plane,
            self.prober,
            surroundings,
            self.clock,
            self.events.append,
            uptime=None,
            ledger=self.ledger,
            simulated=False,
        )
        self.configure(wanted)

    def configure(self, wanted: Routing, found: Found | None = None) -> None:
        self.sharing.configure(wanted, found or Found({}, {}, ("br-lan",)))

    def probe(self, index: int, is_answered: bool, silent_s: float = 0.0) -> None:
        link = self.sharing.links[index]
        rtt = 40.0 if is_answered else None
        change = link.probed(ProbeResult(self.clock.monotonic(), is_answered, rtt, "icmp", silent_s=silent_s))
        if change is not None:
            self.sharing.changed(link, change)

    def bring_up(self, *indices: int) -> None:
        for _ in range(40):
            for index in indices:
                self.probe(index, True)
            self.clock.advance(0.2)
        assert all(self.sharing.links[index].state == "up" for index in indices), self.sharing.views

    def silence(self, index: int) -> None:
        for misses in range(1, 5):
            self.clock.advance(0.2)
            self.probe(index, False, 0.2 * misses)

    def cuts(self) -> list:
        return [call for call in self.plane.calls if call[0] == "cut"]

    def ring(self, name: str = "bulk") -> tuple[int, ...]:
        return self.plane.rings[name]

    def told(self, kind: str) -> list[Event]:
        return [one for one in self.events if one.kind == kind]


@pytest.fixture
def desk() -> Desk:
    made = Desk(routing(3))
    made.bring_up(1, 2, 3)
    made.plane.calls.clear()
    made.events.clear()
    return made


def test_flows_have_a_link_before_any_was_probed() -> None:
    desk = Desk(routing(2))
    assert set(desk.ring()) == {1, 2}
    assert [one.name for one in desk.plane.links] == ["one", "two"]
    assert desk.plane.names()[:3] == ["start", "set_links", "load"]


def test_a_link_that_fails_leaves_the_rings_before_its_flows_are_moved(desk: Desk) -> None:
    desk.plane.open_flows = [flow(1), flow(1), flow(2)]
    desk.sharing.turn()
    desk.plane.calls.clear()
    desk.silence(1)
    names = [name for name in desk.plane.names() if name in ("swap", "cut")]
    assert names == ["swap", "cut"]
    assert 1 not in desk.ring() and 1 not in desk.ring("interactive")
    index, moved = next(what for name, what in desk.plane.calls if name == "cut")
    assert index == 1 and len(moved) == 2
    (event,) = desk.told("failover")
    assert event.kind in KINDS and event.severity == "warning"
    assert event.data["link"] == "one" and event.data["flows"] == 2 and event.data["to"] == ["two", "three"]
    assert 500 <= event.data["ms"] <= 1000
    assert desk.sharing.failover.count == 1 and desk.sharing.failover.last["link"] == "one"


def test_flows_that_the_kernel_deleted_with_the_device_are_reset_too(desk: Desk) -> None:
    desk.plane.open_flows = [flow(1), flow(2)]
    desk.sharing.turn()
    desk.clock.advance(0.3)
    desk.plane.open_flows = desk.plane.open_flows[1:]  # a look between the kernel's deletion and our notice
    desk.sharing.turn()
    desk.plane.devices["sim1"] = Addresses(False)
    desk.sharing.device("sim1")
    index, moved = next(what for name, what in desk.plane.calls if name == "cut")
    assert index == 1 and [one.link for one in moved] == [1]


def test_the_last_link_keeps_its_flows_until_another_is_up(desk: Desk) -> None:
    desk.silence(1)
    desk.silence(2)
    desk.plane.calls.clear()
    desk.plane.open_flows = [flow(3)]
    desk.sharing.turn()
    desk.silence(3)
    assert "cut" not in desk.plane.names()
    assert desk.told("link_down")[0].severity == "error"
    assert set(desk.ring()) == {1, 2, 3}  # kept
    desk.bring_up(1)
    assert [what[0] for name, what in desk.plane.calls if name == "cut"] == [2, 3]


def test_links_that_go_together_are_all_left_before_any_flow_moves(desk: Desk) -> None:
    desk.plane.devices["sim1"] = desk.plane.devices["sim2"] = Addresses(False)
    desk.sharing.device("sim2")
    first = next(number for number, name in enumerate(desk.plane.names()) if name == "cut")
    rings = next(what for name, what in desk.plane.calls[:first] if name == "swap")
    assert set(rings["bulk"]) == {3}
    assert {index for _, (index, _) in desk.cuts()} == {1, 2}


def test_after_lost_events_every_device_is_looked_at(desk: Desk) -> None:
    desk.plane.devices["sim2"] = Addresses(False)
    desk.sharing.device("")
    assert {index for _, (index, _) in desk.cuts()} == {2} and 2 not in desk.ring()


def test_flows_of_the_last_link_that_nobody_has_looked_at_yet_begin_again_too() -> None:
    desk = Desk(routing(2))
    desk.bring_up(1, 2)
    desk.silence(1)
    young = flow(2)
    desk.plane.devices["sim2"], desk.plane.deleted = Addresses(False), [young]
    desk.sharing.device("sim2")
    desk.plane.deleted = []
    desk.bring_up(1)
    assert [(index, [one.key for one in flows]) for _, (index, flows) in desk.cuts()][-1] == (2, [young.key])


def test_flows_that_were_tried_while_no_link_was_up_begin_again_with_the_first(desk: Desk) -> None:
    for index in (1, 2, 3):
        desk.silence(index)
    desk.plane.open_flows = [flow(1), flow(2), flow(3)]
    desk.plane.calls.clear()
    desk.bring_up(3)
    assert [index for _, (index, _) in desk.cuts()] == [1, 2]
    assert [one.link for one in desk.plane.open_flows] == [3]
    desk.plane.calls.clear()
    desk.bring_up(2)
    assert desk.cuts() == []


def test_a_device_that_comes_and_goes_is_told_of_once(desk: Desk) -> None:
    for _ in range(20):
        for state in (Addresses(False), addresses(1)):
            desk.plane.devices["sim1"] = state
            desk.sharing.device("sim1")
            desk.clock.advance(0.2)
    assert [one.kind for one in desk.events] == ["failover"]
    desk.bring_up(1)
    assert [one.kind for one in desk.events] == ["failover", "link_up"]


def test_flows_of_a_link_that_comes_back_by_itself_are_left_alone() -> None:
    desk = Desk(routing(1))
    desk.bring_up(1)
    desk.plane.open_flows = [flow(1)]
    desk.sharing.turn()
    desk.silence(1)
    desk.bring_up(1)
    assert "cut" not in desk.plane.names()


@pytest.mark.parametrize("is_silent_first", [False, True])
def test_flows_that_the_kernel_forgot_with_the_last_device_begin_again_when_it_is_back(is_silent_first: bool) -> None:
    desk = Desk(routing(1))
    desk.bring_up(1)
    desk.plane.open_flows = [flow(1)]
    flow_key = desk.plane.open_flows[0].key
    desk.sharing.turn()
    if is_silent_first:
        desk.silence(1)
    desk.plane.devices["sim1"], desk.plane.open_flows = Addresses(False), []
    desk.sharing.device("sim1")
    desk.clock.advance(60)
    desk.sharing.turn()
    assert "cut" not in desk.plane.names()
    desk.plane.devices["sim1"] = addresses(1)
    desk.sharing.device("sim1")
    desk.bring_up(1)
    assert [(index, {one.key for one in flows}) for name, (index, flows) in desk.cuts()] == [(1, {flow_key})]


def test_new_flows_are_refused_without_any_link_where_that_is_wanted() -> None:
    desk = Desk(routing(2, last_resort="unreachable"))
    desk.bring_up(1, 2)
    desk.silence(1)
    desk.silence(2)
    assert set(desk.ring()) == {0}


def test_a_link_that_is_back_has_half_its_share_for_ten_seconds(desk: Desk) -> None:
    desk.configure(routing(3, algorithm="equal"))
    desk.silence(1)
    desk.bring_up(1)
    at = desk.sharing.links[1].back_at
    desk.clock.advance(at + 5 - desk.clock.monotonic())
    desk.sharing.turn()
    half = desk.ring().count(1)
    desk.clock.advance(6)
    desk.sharing.turn()
    assert 2 <= half <= 4 and desk.ring().count(1) >= 5


def test_a_link_is_not_used_before_its_route_is_there(desk: Desk) -> None:
    desk.silence(2)
    desk.plane.without_route.add(2)
    for _ in range(60):
        desk.probe(2, True)
        desk.clock.advance(0.2)
    assert desk.sharing.links[2].health.state == "up" and desk.sharing.links[2].state == "down"
    assert 2 not in desk.ring()
    desk.plane.without_route.clear()
    for _ in range(6):
        desk.clock.advance(1)
        desk.sharing.turn()
    assert 2 in desk.ring()
    assert desk.told("link_up")


def test_a_route_that_is_lost_while_the_link_answers_takes_it_out(desk: Desk) -> None:
    desk.plane.without_route.add(2)
    desk.sharing.device("sim2")
    assert 2 not in desk.ring()
    assert "no route" in desk.sharing.links[2].reason


def test_a_modem_that_is_not_registered_takes_its_link_down_at_once() -> None:
    facts = {"1-1": ModemFacts("1-1", "modem1", "Modem 1", device="sim1", is_online=True, carrier="A", plmn="26201")}
    links = routing(2).links
    wanted = replace(routing(2), links=(replace(links[0], device="", modem="1-1"), links[1]))
    desk = Desk(wanted, around=around(facts))
    desk.bring_up(1, 2)
    desk.sharing.turn()
    assert desk.sharing.views[0].carrier == "A"
    facts["1-1"] = replace(facts["1-1"], is_online=False)
    desk.clock.advance(1.1)
    desk.sharing.turn()
    assert desk.sharing.links[1].state == "down" and 1 not in desk.ring()
    assert desk.told("failover")[0].source == "modem1"


def test_a_device_with_another_name_is_followed() -> None:
    links = routing(2).links
    wanted = replace(routing(2), links=(replace(links[0], device="", interface="wan"), links[1]))
    desk = Desk(wanted)
    assert [one.device for one in desk.plane.links] == ["sim2"]
    assert desk.sharing.links[1].state == "no_device"
    desk.sharing.found(Found({"wan": "sim1"}, {}, ("br-lan",)))
    desk.sharing.turn()
    assert [one.device for one in desk.plane.links] == ["sim1", "sim2"]
    desk.bring_up(1)
    desk.sharing.found(Found({"wan": "sim5"}, {}, ("br-lan",)))
    desk.clock.advance(1)
    desk.sharing.turn()
    assert [one.device for one in desk.plane.links] == ["sim5", "sim2"]
    assert desk.prober.plans[1].device == "sim5" and 1 in desk.prober.restarted


def test_two_links_cannot_have_one_device() -> None:
    links = routing(2).links
    desk = Desk(replace(routing(2), links=(links[0], replace(links[1], device="sim1"))))
    assert [one.name for one in desk.plane.links] == ["one"]
    assert desk.sharing.links[2].reason == "sim1 is the device of one already"


def test_another_address_ends_flows_that_came_from_the_old_one(desk: Desk) -> None:
    desk.plane.open_flows = [flow(1)]
    desk.sharing.turn()
    desk.plane.devices["sim1"] = replace(addresses(1), address4="10.99.0.2")
    desk.sharing.device("sim1")
    assert [what[0] for name, what in desk.plane.calls if name == "cut"] == [1]
    assert 1 in desk.ring()


def test_an_address_that_goes_ends_flows_also_when_it_comes_again(desk: Desk) -> None:
    desk.plane.open_flows = [flow(1)]
    desk.sharing.turn()
    desk.plane.devices["sim1"] = replace(addresses(1), address4=None)
    desk.sharing.device("sim1")
    assert [what[0] for name, what in desk.plane.calls if name == "cut"] == [1]
    desk.plane.devices["sim1"] = addresses(1)
    desk.sharing.device("sim1")
    assert [what[0] for name, what in desk.plane.calls if name == "cut"] == [1]


def test_a_device_of_the_lan_is_no_link(desk: Desk) -> None:
    desk.configure(routing(3), Found({}, {}, ("br-lan", "sim2")))
    assert [one.index for one in desk.plane.links] == [1, 3]
    assert desk.sharing.links[2].reason == "sim2 is a device of the LAN"


def test_links_that_the_plane_did_not_take_are_given_to_it_again(desk: Desk) -> None:
    desk.plane.failing["set_links"] = PlaneError("no")
    with pytest.raises(PlaneError):
        desk.configure(routing(2))
    del desk.plane.failing["set_links"]
    desk.clock.advance(10)
    desk.sharing.turn()
    assert [one.index for one in desk.plane.links] == [1, 2]


def test_a_hard_cap_is_told_as_it_is_after_what_was_just_counted() -> None:
    class Counting(NoLedger):
        left = 50_000_000

        def seen(self, index, rx_bytes, tx_bytes, policies) -> None:
            self.left -= rx_bytes

        def money(self, index):
            return Money(remaining_bytes=self.left, cap_state="ok")

    links = tuple(replace(one, cap_hard=True) for one in routing(1).links)
    desk = Desk(replace(routing(1), links=links), ledger=Counting())
    desk.plane.counted = {"link_1_rx": (0, 0)}
    desk.sharing.turn()
    desk.clock.advance(10)
    desk.plane.counted = {"link_1_rx": (9, 10_000_000)}
    desk.sharing.turn()
    assert desk.plane.links[0].hard_cap_bytes == 40_000_000


def test_the_gateway_that_is_told_is_the_one_that_is_written() -> None:
    wanted = routing(2)
    desk = Desk(replace(wanted, links=(replace(wanted.links[0], gateway="10.64.1.99"), wanted.links[1])))
    told = [desk.sharing.links[view.index].now(view, 0.0).addresses for view in desk.sharing.views]
    assert [one.gateway4 for one in told if one] == ["10.64.1.99", "10.64.2.1"]


def test_a_links_resolver_is_asked_by_it_while_it_works() -> None:
    wanted = routing(2)
    desk = Desk(replace(wanted, links=(replace(wanted.links[0], dns=("1.1.1.1",)), wanted.links[1])))
    desk.bring_up(1, 2)
    desk.sharing.turn()
    assert desk.plane.links[0].dns == ("1.1.1.1",)
    desk.silence(1)
    desk.clock.advance(1)
    desk.sharing.turn()
    assert desk.plane.links[0].dns == ()  # a public one answers over others too
    desk.bring_up(1)
    desk.clock.advance(1)
    desk.sharing.turn()
    assert desk.plane.links[0].dns == ("1.1.1.1",)


class Capped(NoLedger):
    left = 5_000_000
    state = "soft"

    def money(self, index):
        return Money(remaining_bytes=self.left, cap_state=self.state) if index == 1 else Money()


@pytest.fixture
def capped() -> Desk:
    wanted = routing(2)
    wanted = replace(wanted, links=(replace(wanted.links[0], cap_hard=True), wanted.links[1]))
    desk = Desk(wanted, ledger=Capped())
    desk.sharing.turn()
    desk.bring_up(1, 2)
    desk.clock.advance(1)
    desk.sharing.turn()
    return desk


@pytest.mark.parametrize("left", [0, 400_000])
def test_a_link_at_its_hard_cap_is_told_as_that_and_not_as_dead(capped: Desk, left: int) -> None:
    desk = capped
    desk.plane.open_flows = [flow(1)]
    desk.ledger.left, desk.ledger.state = left, "soft" if left else "hard"
    desk.clock.advance(1)
    desk.sharing.turn()
    desk.silence(1)
    link = desk.sharing.links[1]
    assert (link.state, link.reason) == ("down", "its data cap is used up")
    assert [index for _, (index, _) in desk.cuts()] == [1] and set(desk.ring()) == {2}
    assert not desk.told("failover")
    assert desk.told("link_state")[-1].message == "one carries nothing more: its data cap is used up"
    desk.sharing.turn()
    assert len(desk.told("link_state")) == 1
    desk.ledger.left, desk.ledger.state = 9_000_000, "ok"
    desk.clock.advance(1)
    desk.sharing.turn()
    assert desk.prober.restarted[-1] == 1
    desk.bring_up(1)
    assert 1 in desk.ring()


def test_a_link_far_from_its_hard_cap_that_falls_silent_has_failed(capped: Desk) -> None:
    capped.silence(1)
    assert capped.sharing.links[1].reason == "it does not answer"
    assert capped.told("failover")


def test_a_link_that_is_switched_off_gives_its_flows_away(desk: Desk) -> None:
    desk.plane.open_flows = [flow(2)]
    desk.sharing.turn()
    links = routing(3).links
    desk.configure(routing(links=[links[0], replace(links[1], enabled=False), links[2]]))
    assert 2 not in desk.ring() and [one.index for one in desk.plane.links] == [1, 3]
    assert [what[0] for name, what in desk.plane.calls if name == "cut"] == [2]
    assert not desk.told("failover") and desk.told("link_state")[0].data["state"] == "off"
    desk.configure(routing(3))
    desk.bring_up(2)
    assert 2 in desk.ring()


def test_settings_that_stay_keep_states_and_flows(desk: Desk) -> None:
    desk.configure(routing(2))
    assert [one.state for one in desk.sharing.views] == ["up", "up"]
    assert [what[0] for name, what in desk.plane.calls if name == "cut"] == [3]
    assert "start" not in desk.plane.names()
    assert 3 not in desk.ring() and 3 not in desk.prober.plans


def test_a_link_that_gets_another_name_is_probed_at_once(desk: Desk) -> None:
    links = routing(3).links
    desk.configure(routing(links=[replace(links[0], name="other"), *links[1:]]))
    assert 1 in desk.prober.plans


def test_flows_of_a_link_that_is_gone_move_also_when_the_kernel_takes_the_change_later(desk: Desk) -> None:
    desk.plane.failing["set_links"] = PlaneError("not now")
    with pytest.raises(PlaneError):
        desk.configure(routing(2))
    assert 3 not in desk.prober.plans and "cut" not in desk.plane.names()
    desk.plane.failing.clear()
    desk.configure(routing(2))
    assert [what[0] for name, what in desk.plane.calls if name == "cut"] == [3]


def test_degraded_links_take_flows_only_when_no_better_one_is_there(desk: Desk) -> None:
    desk.prober.qualities[1] = Quality(latency_ms=40, loss_percent=60)
    for _ in range(5):
        desk.clock.advance(1.0)
        desk.sharing.turn()
    assert desk.sharing.links[1].state == "degraded" and 1 not in desk.ring()
    desk.silence(2)
    desk.silence(3)
    assert set(desk.ring()) == {1}


def test_policies_that_the_kernel_refuses_leave_those_before(desk: Desk) -> None:
    policy = PolicyCode(1, "a", ("x goto pick_1",), RingSpec("p_1", (Choice("connection", "two"),), policy="a"))
    desk.sharing.load(Program((policy,)))
    assert desk.ring("p_1") == (2,) * 16
    desk.plane.failing["load"] = PlaneError("no")
    with pytest.raises(PlaneError):
        desk.sharing.load(Program())
    desk.plane.failing.clear()
    desk.silence(2)
    assert desk.ring("p_1") == ()  # left to the next policy
    assert [one.name for one in desk.sharing.rings.now(0.0)] == ["interactive", "bulk", "p_1"]


def test_a_kernel_that_refuses_to_forget_flows_does_not_keep_the_news_back(desk: Desk) -> None:
    desk.plane.failing["cut"] = PlaneError("no")
    desk.silence(1)
    assert 1 not in desk.ring() and desk.told("failover")


def test_rings_that_could_not_be_written_are_written_with_the_next_look(desk: Desk) -> None:
    desk.plane.failing["swap"] = PlaneError("no")
    desk.silence(1)
    assert 1 in desk.ring()
    desk.plane.failing.clear()
    desk.clock.advance(1)
    desk.sharing.turn()
    assert 1 not in desk.ring()


def test_a_full_link_is_given_fewer_flows(desk: Desk) -> None:
    links = [replace(one, down_kbit=10_000) for one in routing(2).links]
    desk.configure(routing(links=links))
    flows = [flow(1) for _ in range(4)]
    for _ in range(12):
        desk.plane.open_flows = flows
        desk.sharing.turn()
        desk.clock.advance(0.25)
        flows = [grown(one, 75_000) for one in flows]
    assert desk.ring().count(2) > desk.ring().count(1)
    assert desk.ring()[0] == 2
    busy = {one.name: one.busy_flows for one in desk.sharing.views}
    assert busy == {"one": 4, "two": 0}


def test_the_ledger_is_told_what_links_carried_and_for_which_policies() -> None:
    told = []

    class Ledger(NoLedger):
        def seen(self, index, rx_bytes, tx_bytes, policies):
            told.append((index, rx_bytes, tx_bytes, dict(policies)))

        def money(self, index):
            return Money(cap_state="soft" if index == 2 else "ok", cost_per_gb_minor=150.0)

    desk = Desk(routing(2), ledger=Ledger())
    desk.bring_up(1, 2)
    desk.sharing.turn()
    one = flow(1, policy=7)
    desk.plane.open_flows = [one]
    desk.plane.counted = {"link_1_rx": (1, 100), "link_1_tx": (1, 10)}
    desk.clock.advance(1)
    desk.sharing.turn()
    desk.plane.open_flows = [grown(one, 4000)]
    desk.clock.advance(0.5)
    desk.sharing.turn()
    desk.plane.counted = {"link_1_rx": (9, 5100), "link_1_tx": (9, 210)}
    desk.clock.advance(0.5)
    desk.sharing.turn()
    assert told[-1] == (1, 5000, 200, {7: 4000})
    assert desk.sharing.views[0].rx_bps == 5000 * 8
    assert set(desk.ring()) == {1}  # the other one's cap is used up
    desk.plane.counted = {"link_1_rx": (1, 50), "link_1_tx": (9, 210)}
    desk.clock.advance(1)
    desk.sharing.turn()
    assert told[-1][:3] == (1, 50, 0)  # a counter that began again
    for counted in ({}, {"link_1_rx": (2, 60), "link_1_tx": (9, 210)}):
        desk.plane.counted = counted
        desk.clock.advance(1)
        desk.sharing.turn()
    assert told[-1][:3] == (1, 10, 0)  # one that was away for a moment, as of a link that is switched off


def test_the_lan_is_told_again_and_again(desk: Desk) -> None:
    for _ in range(25):
        desk.sharing.turn()
        desk.clock.advance(1)
    added = [what for name, what in desk.plane.calls if name == "add"]
    assert added == [("lan", ("br-lan",), 30)] * 3


def test_looks_become_rarer_without_traffic_and_with_very_many_flows(desk: Desk) -> None:
    desk.sharing.turn()
    assert desk.sharing.period_s == 0.5
    desk.plane.open_flows = [flow(1)]
    desk.clock.advance(1)
    desk.sharing.turn()
    assert desk.sharing.period_s == pytest.approx(0.25, abs=0.2)
    desk.sharing._poll_cost_s = 0.03
    assert desk.sharing.period_s > 0.7


@pytest.mark.parametrize("days", [1, -1, 400, -400])
def test_a_clock_that_is_set_moves_no_flow_and_no_link(desk: Desk, days: int) -> None:
    desk.plane.open_flows = [flow(1), flow(2)]
    desk.sharing.turn()
    desk.silence(3)
    rings, cuts, events = dict(desk.plane.rings), desk.cuts(), list(desk.events)
    ages = {index: desk.clock.monotonic() - link.health.since for index, link in desk.sharing.links.items()}
    desk.clock.set_wall(desk.clock.now() + days * 86_400)
    desk.sharing.turn()
    assert (desk.plane.rings, desk.cuts(), desk.events) == (rings, cuts, events)
    assert {index: desk.clock.monotonic() - link.health.since for index, link in desk.sharing.links.items()} == ages
    offset = desk.clock.now() - desk.clock.monotonic()
    view = desk.sharing.views[0]
    assert desk.clock.now() - desk.sharing.links[1].now(view, offset).since == pytest.approx(ages[1])
    desk.bring_up(3)
    assert 3 in desk.ring()


def test_what_presses_is_told_once_while_it_lasts(desk: Desk) -> None:
    desk.plane.troubles = [{"code": "conntrack_full", "message": "It is 93 % full.", "hint": "Have more room."}]
    for _ in range(3):
        desk.clock.advance(6)
        desk.sharing.turn()
    (event,) = desk.told("conntrack")
    assert event.kind in KINDS and event.severity == "warning" and event.message == "It is 93 % full. Have more room."
    assert [one["code"] for one in desk.sharing.pressing] == ["conntrack_full"]
    desk.plane.troubles = []
    desk.clock.advance(6)
    desk.sharing.turn()
    assert desk.sharing.pressing == ()


def test_a_follower_that_fails_stops_nobody(desk: Desk) -> None:
    seen = []
    desk.sharing.ticks += [lambda views: 1 / 0, seen.append]
    desk.sharing.turn()
    assert len(seen[0]) == 3


def test_what_a_ring_gives_is_what_the_kernel_was_given(desk: Desk) -> None:
    prefer = RingSpec("p_1", (Choice("prefer", "lowest_latency"),), "interactive", policy="calls")
    desk.prober.qualities = {1: Quality(latency_ms=40.0), 2: Quality(latency_ms=90.0), 3: Quality(latency_ms=90.0)}
    desk.clock.advance(2.0)
    desk.sharing.turn()
    desk.sharing.load(Program((PolicyCode(1, "calls", ("udp dport 5060 goto pick_1",), prefer),)))
    desk.prober.qualities[3] = Quality(latency_ms=5.0)  # better, and not for long enough yet
    desk.clock.advance(2.0)
    desk.sharing.turn()
    assert set(desk.plane.rings["p_1"]) == {1}
    assert desk.sharing.slots(replace(prefer, name="p_9"), None) == desk.plane.rings["p_1"]
    for name in ("interactive", "bulk"):
        assert desk.sharing.slots(RingSpec(name, (Choice("any"),), name), None) == desk.ring(name)


def test_a_ring_gives_flows_of_a_family_to_links_that_carry_it(desk: Desk) -> None:
    desk.plane.unable = {(1, 6)}
    only = RingSpec("p_1", (Choice("connection", "one"),), policy="a")
    assert set(desk.sharing.slots(only, 4)) == {1}
    assert desk.sharing.slots(only, 6) == ()
    strict = replace(only, choices=(Choice("connection", "one", is_strict=True),))
    assert set(desk.sharing.slots(strict, 6)) == {0}
    assert set(desk.sharing.slots(RingSpec("bulk", (Choice("any"),)), 6)) == {2, 3}


def test_an_address_is_the_resolver_of_a_link_where_it_is_of_one_alone(desk: Desk) -> None:
    links = routing(3)
    own = [replace(link, dns=("192.0.2.53",) if link.name == "one" else ("9.9.9.9",)) for link in links.links]
    desk.configure(replace(links, links=tuple(own)))
    assert desk.sharing.resolver_of("192.0.2.53") == "one"
    assert desk.sharing.resolver_of("9.9.9.9") is None
    assert desk.sharing.resolver_of("1.1.1.1") is None
