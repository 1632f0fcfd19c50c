"""The cheapest mix of links that is hardly slower than all of them alike."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from remsim.core.routes import SLOTS, LinkView
from remsim.links.load.scores import Candidate
from remsim.links.load.thrift import lasting_price, thrifty

GB = 10**9


def link(index: int, mbit_s: float, price: float | None = 0.0, busy: int = 0, **view: object) -> Candidate:
    return Candidate(LinkView(index, f"l{index}", state="up", cost_per_gb_minor=price, **view), mbit_s * 1e6, busy=busy)  # type: ignore[arg-type]


def test_a_cheap_link_that_is_as_fast_takes_all() -> None:
    assert thrifty([link(1, 10, 200), link(2, 10, 0)]) == [2] * SLOTS


def test_a_cheap_link_that_is_far_too_slow_shares_with_a_dear_one() -> None:
    slots = thrifty([link(1, 50, 200), link(2, 2, 0)])
    assert 0 < slots.count(2) < SLOTS


def test_time_is_bought_where_it_costs_least() -> None:
    slots = thrifty([link(1, 20, 500), link(2, 20, 200), link(3, 1, 0)])
    assert slots.count(1) == 0 < slots.count(2)


def test_a_bundle_ahead_of_its_plan_counts_as_used_up() -> None:
    month = {"cap_bytes": 50 * GB, "cycle_s": 30 * 86400.0, "overage_per_gb_minor": 500}
    ahead = LinkView(1, "l1", cost_per_gb_minor=0, remaining_bytes=20 * GB, reset_s=15 * 86400.0, **month)  # type: ignore[arg-type]
    behind = LinkView(1, "l1", cost_per_gb_minor=0, remaining_bytes=30 * GB, reset_s=15 * 86400.0, **month)  # type: ignore[arg-type]
    assert (lasting_price(ahead), lasting_price(behind)) == (500, 0)


LINKS = st.lists(
    st.tuples(st.floats(0.01, 1000), st.one_of(st.none(), st.floats(0, 1e5)), st.integers(0, 500)),
    min_size=1,
    max_size=8,
)


@given(LINKS)
def test_there_are_always_sixteen_slots_of_links_that_are_there(rows: list[tuple[float, float | None, int]]) -> None:
    links = [link(number, *row) for number, row in enumerate(rows, start=1)]
    slots = thrifty(links)
    assert len(slots) == SLOTS
    assert set(slots) <= {one.index for one in links}


def test_no_links_no_slots() -> None:
    assert thrifty([]) == []
