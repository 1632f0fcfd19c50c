"""What opens and closes policies: hours by the router's clock, how links are, where the router is."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_support import LINKS, NOON, facts
from remsim.policies import gates
from remsim.policies.language.model import Test as Ask
from remsim.policies.language.parser import parse
from remsim.policies.language.terms import Literal

BERLIN = ZoneInfo("Europe/Berlin")


def ask(text: str) -> Ask:
    """A test as it is written."""
    found = parse(f"policy a {{ match: {text}\n route: any }}")
    assert not found.problems, found.problems
    match = found.set.policies[0].match
    assert isinstance(match, Ask)
    return match


def at(text: str, zone: ZoneInfo = BERLIN, fold: int = 0) -> float:
    """A local time."""
    return datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold).timestamp()


@pytest.mark.parametrize(
    ("text", "moment", "expected"),
    [
        ("time 00:00-06:00", "2027-01-01 05:59", True),
        ("time 00:00-06:00", "2027-01-01 06:00", False),
        ("time 22:00-06:00", "2027-01-01 23:00", True),
        ("time 22:00-06:00", "2027-01-01 03:00", True),
        ("time 22:00-06:00", "2027-01-01 12:00", False),
        ("time fri 22:00-06:00", "2027-01-01 23:00", True),  # a Friday
        ("time fri 22:00-06:00", "2027-01-02 05:00", True),  # it began on Friday
        ("time fri 22:00-06:00", "2027-01-01 05:00", False),
        ("day mon-fri", "2027-01-01 12:00", True),
        ("day mon-fri", "2027-01-02 12:00", False),
        ("time 08:00-24:00", "2027-01-01 23:59", True),
        ("time { 08:00-09:00, 17:00-18:00 }", "2027-01-01 17:30", True),
        ("time 01:00-03:00", "2027-03-28 03:00", False),  # the clock goes from 02:00 to 03:00
        ("time 02:00-03:00", "2027-10-31 02:30", True),
    ],
)
def test_hours_are_those_of_the_router(text: str, moment: str, expected: bool) -> None:
    assert gates.in_hours(ask(text), at(moment), BERLIN) is expected


def test_an_hour_that_comes_twice_holds_twice() -> None:
    test = ask("time 02:00-03:00")
    assert gates.in_hours(test, at("2027-10-31 02:30", fold=0), BERLIN)
    assert gates.in_hours(test, at("2027-10-31 02:30", fold=1), BERLIN)
    assert gates.next_change(test, at("2027-10-31 02:30", fold=0), BERLIN) == at("2027-10-31 03:00")


def test_an_hour_that_is_left_out_opens_when_the_clock_is_past_it() -> None:
    test = ask("time 02:30-04:00")
    assert gates.next_change(test, at("2027-03-28 01:00"), BERLIN) == at("2027-03-28 03:00")


def test_the_next_change_is_told() -> None:
    assert gates.next_change(ask("time 22:00-06:00"), at("2027-01-01 12:00"), BERLIN) == at("2027-01-01 22:00")
    assert gates.next_change(ask("day sat/sun"), at("2027-01-01 12:00"), BERLIN) == at("2027-01-02 00:00")
    assert gates.next_change(ask("time sun 12:00-13:00"), at("2027-01-03 12:30"), BERLIN) == at("2027-01-03 13:00")
    assert gates.next_change(ask("day mon-sun"), NOON, BERLIN) is None


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 1439),
    st.integers(1, 1439),
    st.sets(st.integers(0, 6)),
    st.datetimes(datetime(2027, 1, 1), datetime(2027, 12, 31)),
)
def test_the_next_change_is_the_first_minute_that_differs(
    begin: int, length: int, days: set[int], now: datetime
) -> None:
    from remsim.policies.language.model import Window

    test = Ask("time", (Window(begin, (begin + length) % 1440, tuple(sorted(days))),))
    moment = now.replace(tzinfo=UTC, second=0, microsecond=0)
    found = gates.next_change(test, moment.timestamp(), BERLIN)
    is_in = gates.in_hours(test, moment.timestamp(), BERLIN)
    minute = moment
    for _ in range(3 * 1440):
        minute += timedelta(minutes=1)
        if gates.in_hours(test, minute.timestamp(), BERLIN) is not is_in:
            assert found == minute.timestamp()
            return
    assert found is None or found > minute.timestamp()


def test_before_the_clock_is_set_no_hour_holds_and_none_is_past() -> None:
    unset = facts(now=None)
    test = ask("time 00:00-24:00")
    assert gates.holds(Literal(test), unset) is None
    assert gates.holds(Literal(test, True), unset) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("link carrier_a is up", True),
        ('link "carrier a" is usable', True),
        ("link eth1 is down", False),
        ("link fiber is up/degraded", True),
        ("link fiber latency > 200ms", False),
        ("link fiber latency < 200ms", True),
        ("link carrier_a latency > 200ms", None),
        ("link carrier_a is roaming", None),
        ("link nothing is up", None),
        ("link fiber remaining > 1GB", True),
        ("router_country == DE", True),
        ("router_country == AT", False),
    ],
)
def test_how_links_are_and_where_the_router_is(text: str, expected: bool | None) -> None:
    assert gates.holds(Literal(ask(text)), facts()) is expected
    turned = None if expected is None else not expected
    assert gates.holds(Literal(ask(text), True), facts()) is turned


def test_a_figure_counts_when_it_has_lasted() -> None:
    steady = gates.Steady()
    literal = Literal(ask("link fiber latency > 100ms"))
    slow = facts(links=(replace(LINKS[1], latency_ms=150.0),))
    assert steady.holds(literal, facts(), 0) is False
    assert steady.holds(literal, slow, 1) is False
    assert steady.holds(literal, facts(), 2) is False
    assert steady.holds(literal, slow, 3) is False
    assert steady.holds(literal, slow, 12.9) is False
    assert steady.holds(literal, slow, 13) is True
    assert steady.holds(literal, facts(), 14) is True
