"""Anomalies: an outage stands out, a flat line's noise, a slow rise and a single reading do not."""

from __future__ import annotations

import math
import random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.telemetry.anomalies import FEWEST_POINTS, anomalies, rolling_median

STEP = 60.0


def points(values: list[float | None]) -> list[tuple[float, float | None, float | None, float | None]]:
    return [((at + 1) * STEP, value, value, value) for at, value in enumerate(values)]


def noise(count: int, level: float = -90.0, size: float = 2.0, seed: int = 1) -> list[float | None]:
    source = random.Random(seed)
    return [level + source.gauss(0, size) for _ in range(count)]


def spans(values: list[float | None], unit: str = "dBm", step_s: float = STEP) -> list[dict[str, float]]:
    found: list[dict[str, float]] = anomalies(points(values), unit, step_s)["spans"]
    return found


def test_a_drop_of_some_minutes_is_found_where_it_is() -> None:
    values = noise(600)
    values[300:306] = [-115.0] * 6
    (one,) = spans(values)
    assert (one["from"], one["to"], one["value"]) == (300 * STEP, 306 * STEP, -115.0)
    assert one["score"] < -4


@pytest.mark.parametrize("seed", range(5))
def test_noise_has_none(seed: int) -> None:
    assert spans(noise(600, seed=seed)) == []


def test_a_flat_line_with_a_wavering_decimal_has_none() -> None:
    assert spans([-90.0 + (at % 50 == 0 or at % 50 == 1) * 0.5 for at in range(600)]) == []
    assert spans([0.0] * 600, "%") == []


def test_day_and_night_and_a_slow_rise_are_ordinary() -> None:
    assert spans([-90 + 10 * math.sin(at / 100) + value for at, value in enumerate(noise(600, 0.0, 1.0))]) == []
    assert spans([30 + at / 20 for at in range(600)], "ms") == []


def test_one_reading_gone_wrong_is_none_but_half_an_hour_is() -> None:
    values = noise(600)
    values[300] = -115.0
    assert spans(values) == []
    assert len(spans(values, step_s=1800)) == 1


def test_gaps_are_no_values_and_end_an_anomaly() -> None:
    values = noise(600)
    values[100:250] = [None] * 150
    assert spans(values) == []
    values[298:304] = [-115.0, -115.0, -115.0, None, -115.0, -115.0]
    assert [(one["from"], one["to"]) for one in spans(values)] == [(298 * STEP, 301 * STEP), (302 * STEP, 304 * STEP)]


def test_of_few_points_nobody_can_tell() -> None:
    found = anomalies(points([-90.0] * (FEWEST_POINTS - 2) + [-20.0]), "dBm", STEP)
    assert found == {"median": -90.0, "mad": None, "spans": []}
    assert anomalies([], "dBm", STEP) == {"median": None, "mad": None, "spans": []}


def test_a_burst_of_traffic_is_ordinary_where_traffic_comes_in_bursts() -> None:
    source = random.Random(3)
    values: list[float | None] = [10 ** source.uniform(3, 7) for _ in range(600)]
    values[100:102] = [5e7, 5e7]
    assert spans(values, "bit/s") == []


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=120))
def test_the_rolling_median_is_the_median_of_the_window(values: list[float]) -> None:
    half = max(len(values) // 4, 15) // 2
    expected = [median(values[max(at - half, 0) : at + half + 1]) for at in range(len(values))]
    assert rolling_median(values) == pytest.approx(expected)


@given(st.lists(st.none() | st.floats(-1e9, 1e9), max_size=200), st.sampled_from(["dBm", "bit/s", "ms", "other"]))
def test_whatever_comes_spans_are_ordered_and_inside(values: list[float | None], unit: str) -> None:
    found = spans(values, unit)
    assert all(one["from"] < one["to"] for one in found)
    assert all(one["to"] <= other["from"] for one, other in zip(found, found[1:], strict=False))
