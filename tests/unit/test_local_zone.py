"""The router's zone as ``datetime`` has it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.core.local_zone import LOCAL

BERLIN = "CET-1CEST,M3.5.0,M10.5.0/3"


@pytest.fixture(autouse=True, scope="module")
def berlin() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setenv("TZ", BERLIN)
    time.tzset()
    yield
    patch.undo()
    time.tzset()


@given(st.integers(1_700_000_000, 1_900_000_000))
def test_it_is_what_the_zone_of_that_name_says(stamp: int) -> None:
    here, there = datetime.fromtimestamp(stamp, LOCAL), datetime.fromtimestamp(stamp, ZoneInfo("Europe/Berlin"))
    assert here.replace(tzinfo=None) == there.replace(tzinfo=None)
    assert (here.utcoffset(), here.fold) == (there.utcoffset(), there.fold)
    assert here.timestamp() == stamp


@pytest.mark.parametrize(("hour", "minute", "fold"), [(0, 30, 0), (1, 30, 1), (2, 30, 0)])
def test_the_hour_that_comes_twice_is_told_apart(hour: int, minute: int, fold: int) -> None:
    moment = datetime(2026, 10, 25, hour, minute, tzinfo=UTC)
    local = moment.astimezone(LOCAL)
    assert local.fold == fold
    assert local.astimezone(UTC) == moment


def test_it_has_a_name() -> None:
    assert datetime(2026, 7, 1, tzinfo=LOCAL).tzname() == "CEST"
    assert datetime(2026, 1, 1, tzinfo=LOCAL).tzname() == "CET"
