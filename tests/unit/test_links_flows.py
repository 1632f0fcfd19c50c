"""What lists of flows say of rates and counts, and what rates say of capacities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from links_fake import flow, grown
from remsim.core.routes import Flow
from remsim.links.load.capacity import Capacity, Floor
from remsim.links.load.flows import FlowMeter
from remsim.links.load.timing import Pages, TimeFactor


def test_rates_are_of_what_came_between_two_looks() -> None:
    meter, one = FlowMeter(), flow(1, rx=1_000_000)
    meter.update([one], 0.0)
    assert meter.live()[0].rx_bps is None
    for step in range(1, 13):
        one = grown(one, 125_000, 1_250)
        meter.update([one], step * 0.25)
    (live,) = meter.live()
    assert live.rx_bps == pytest.approx(4e6, rel=0.02) and live.tx_bps == pytest.approx(40e3, rel=0.02)
    assert meter.carries(1).rx_bps == live.rx_bps and meter.carries(1).busy == 1
    assert meter.carries(2).flows == 0


def test_young_bulk_flows_count_before_they_have_a_rate() -> None:
    meter = FlowMeter()
    meter.update([], 0.0)
    young = [flow(1), flow(1, "interactive"), flow(1, state="TIME_WAIT"), flow(2)]
    told = meter.update(young, 0.25)
    assert (meter.carries(1).busy, meter.carries(1).young, meter.carries(2).busy) == (1, 1, 1)
    assert told.flows == {(0, "bulk"): 3, (0, "interactive"): 1}
    meter.update(young, 2.0)
    assert meter.carries(1).busy == 0


def test_questions_and_answers_over_udp_are_not_young_downloads() -> None:
    meter = FlowMeter()
    meter.update([], 0.0)
    asked = [replace(flow(1), protocol="udp", state=None, tx_bytes=60, rx_bytes=200) for _ in range(50)]
    stream = replace(flow(2), protocol="udp", state=None, rx_bytes=30_000)
    meter.update([*asked, stream], 0.25)
    assert (meter.carries(1).busy, meter.carries(2).young) == (0, 1)
    meter.update([*asked, grown(stream, 30_000)], 0.5)
    assert (meter.carries(1).busy, meter.carries(2).busy) == (0, 1)


def test_flows_of_before_the_start_are_not_young() -> None:
    meter = FlowMeter()
    assert meter.update([flow(1) for _ in range(100)], 5.0).flows == {}
    assert meter.carries(1).busy == 0


def test_who_looks_while_flows_are_read_sees_all_of_them() -> None:
    meter, flows, seen = FlowMeter(), [flow(1), flow(1), flow(2)], []
    meter.update(flows, 0.0)

    def reading() -> Iterator[Flow]:
        for one in flows[:2]:
            yield grown(one, 500)
            seen.append((len(meter.known()), len(meter.live())))

    meter.update(reading(), 0.5)
    assert seen == [(3, 3), (3, 3)]
    assert len(meter.known()) == 2 and meter.last_on(2, 0.5) == [flows[2]]


def test_a_tuple_that_is_used_again_is_another_flow() -> None:
    meter, one = FlowMeter(), flow(1, rx=5_000_000, port=4000)
    meter.update([one], 0.0)
    told = meter.update([replace(one, rx_bytes=100)], 0.5)
    assert told.flows == {(0, "bulk"): 1} and told.octets == {(1, 0): 100}
    assert meter.live()[0].age_s == 0


def test_flows_that_went_are_remembered_for_five_seconds() -> None:
    meter, one, other = FlowMeter(), flow(1), flow(2)
    meter.update([one, other], 0.0)
    meter.update([other], 0.3)
    meter.update([other], 0.6)
    assert meter.last_on(1, 5.0) == [one] and meter.last_on(2, 5.0) == [other]
    meter.update([other], 6.0)
    assert meter.last_on(1, 6.0) == []


def test_short_transfers_tell_how_long_they_took() -> None:
    meter, one = FlowMeter(), flow(3, "interactive")
    meter.update([], 0.0)
    transfers = []
    for step, octets in enumerate((1_000, 20_000, 20_000, 0, 0), 1):
        one = grown(one, octets)
        transfers += meter.update([one], step * 0.25).transfers
    (transfer,) = transfers
    assert (transfer.link, transfer.octets, transfer.seconds) == (3, 41_000, 0.5)


def test_octets_are_counted_by_link_and_policy() -> None:
    meter = FlowMeter()
    one, other = flow(1, policy=3, rx=10), flow(2)
    meter.update([one, other], 0.0)
    told = meter.update([grown(one, 100, 20), grown(other, 7), flow(2, rx=50)], 0.5)
    assert told.octets == {(1, 3): 120, (2, 0): 57}


def test_without_accounting_established_bulk_flows_count() -> None:
    meter = FlowMeter()
    silent = replace(flow(1), rx_bytes=None, tx_bytes=None)
    meter.update([silent], 0.0)
    meter.update([silent], 5.0)
    assert meter.carries(1).busy == 1 and meter.carries(1).rx_bps == 0


@given(
    looks=st.lists(
        st.dictionaries(st.integers(1, 5), st.tuples(st.integers(1, 3), st.integers(0, 10**9))), min_size=1, max_size=6
    )
)
def test_any_flows_give_counts_and_rates_that_can_be(looks) -> None:
    meter = FlowMeter()
    for step, look in enumerate(looks):
        flows = [flow(link, rx=rx, port=port) for port, (link, rx) in look.items()]
        meter.update(flows, step * 0.5)
        assert sum(one.flows for one in meter.links.values()) == len(flows) == len(meter.live())
        assert all(one.rx_bps >= 0 and 0 <= one.young <= one.busy <= one.flows for one in meter.links.values())


def fed(capacity: Capacity, rates, *, queue: bool | None, busy: int = 2, at: float = 0.0) -> float:
    for rate in rates:
        at += 1.0
        capacity.feed(at, rate, 1.0, queue, busy)
    return at


def test_what_is_configured_counts_whatever_is_seen() -> None:
    capacity = Capacity(20e6)
    fed(capacity, [30e6] * 5, queue=True)
    assert capacity.bps == 20e6 and capacity.source == "configured" and capacity.is_firm(1e9)


def test_a_capacity_is_learned_from_a_link_that_is_full_and_follows_it_down() -> None:
    capacity = Capacity()
    assert capacity.bps is None and capacity.source is None
    at = fed(capacity, [2e6, 8e6, 10e6], queue=True)
    assert capacity.bps == 10e6 and capacity.is_firm(at)
    at = fed(capacity, [4e6] * 30, queue=True, at=at)
    assert capacity.bps == pytest.approx(4e6, rel=0.1)
    fed(capacity, [1e6] * 30, queue=False, at=at)  # it has nothing to do
    assert capacity.bps == pytest.approx(4e6, rel=0.1)


def test_a_link_that_was_never_full_is_only_known_to_carry_as_much() -> None:
    capacity = Capacity()
    at = fed(capacity, [3e6] * 10, queue=False)
    assert capacity.bps == 3e6 and not capacity.is_firm(at)


def test_what_was_learned_long_ago_is_tried_again() -> None:
    capacity = Capacity()
    at = fed(capacity, [10e6] * 3, queue=True)
    assert not capacity.is_firm(at + 3600) and capacity.bps == 10e6


def test_without_round_trips_an_even_rate_of_several_flows_is_a_full_link() -> None:
    capacity = Capacity()
    at = fed(capacity, [5e6, 5.1e6, 4.9e6, 5e6, 5.1e6], queue=None, busy=3)
    assert capacity.is_firm(at)
    single = Capacity()
    at = fed(single, [5e6] * 5, queue=None, busy=1)  # one flow may be its server's
    assert not single.is_firm(at)


def test_the_shortest_round_trip_of_the_last_minutes_tells_a_queue() -> None:
    floor = Floor()
    assert floor.has_queue(50.0) is None
    for at in range(60):
        floor.feed(float(at), 40.0)
    assert floor.has_queue(60.0) is False and floor.has_queue(190.0) is True and floor.has_queue(None) is None
    for at in range(60, 1200):
        floor.feed(float(at), 90.0)  # the network is another now
    assert floor.ms == 90.0


def test_times_are_corrected_by_what_transfers_took() -> None:
    factor = TimeFactor()
    factor.feed(9.0, 0.3)
    assert factor.value == 1.0  # one says nothing
    for _ in range(60):
        factor.feed(0.45, 0.3)
    assert factor.value == pytest.approx(1.5, rel=0.1)
    for _ in range(200):
        factor.feed(0.01, 0.3)
    assert factor.value == 0.5


def test_pages_are_expected_until_bulk_flows_ran_without_them() -> None:
    pages = Pages()
    for _ in range(100):
        pages.feed(0, 0.25, is_bulk_busy=False)
    assert pages.are_expected
    for _ in range(30):
        pages.feed(0, 0.25, is_bulk_busy=True)
    assert not pages.are_expected
    pages.feed(200_000, 0.25, is_bulk_busy=True)
    assert pages.are_expected and pages.bps > 100_000
    for _ in range(100):
        pages.feed(0, 0.25, is_bulk_busy=True)
    assert pages.are_expected  # they do come here, and will again
    for _ in range(300):
        pages.feed(0, 0.25, is_bulk_busy=True)
    assert not pages.are_expected


def test_octets_of_pages_are_those_of_short_interactive_flows() -> None:
    meter, page, video, bulk = FlowMeter(), flow(1, "interactive"), flow(1, "interactive", rx=5_000_000), flow(1)
    meter.update([page, video, bulk], 0.0)
    told = meter.update([grown(page, 30_000), grown(video, 90_000), grown(bulk, 50_000)], 0.25)
    assert told.pages == 30_000
