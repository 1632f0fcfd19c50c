"""The connection quality: one number that never punishes what is better."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.core.clock import FakeClock
from remsim.core.reading import ModemReading
from remsim.telemetry.quality import CURVES, INPUTS, SIGNAL, quality_of, quality_percent
from remsim.telemetry.series import SeriesStore

VECTORS = json.loads((Path(__file__).parents[1] / "fixtures" / "quality.json").read_text())
RANGES = ((-160, -20), (-50, 20), (-40, 60), (0, 60000), (0, 100))
BEST = tuple(curve[-1] for curve in CURVES)
values = st.tuples(*(st.none() | st.floats(low, high) for low, high in RANGES))


@given(values)
def test_it_is_a_percentage_and_known_with_any_signal_value(inputs: tuple[float | None, ...]) -> None:
    quality = quality_percent(inputs)
    if all(value is None for value in inputs[:SIGNAL]):
        assert quality is None
    else:
        assert quality is not None and 0 <= quality <= 100


@given(values, st.integers(0, 4), st.floats(0, 1), st.floats(0, 1))
def test_a_better_input_never_makes_it_worse(
    inputs: tuple[float | None, ...], at: int, one: float, other: float
) -> None:
    low, high = RANGES[at]
    better_is_more = CURVES[at][-1] > CURVES[at][0]
    worse, better = sorted((one, other), reverse=not better_is_more)
    results = [
        quality_percent((*inputs[:at], low + (high - low) * share, *inputs[at + 1 :])) for share in (worse, better)
    ]
    if None not in results:
        assert results[0] <= results[1] + 1e-3  # type: ignore[operator]


def test_the_best_link_has_all_and_one_that_loses_everything_nothing() -> None:
    assert quality_percent(BEST) == 100
    assert quality_percent((*BEST[:-1], 100.0)) == 0
    assert quality_percent((*BEST[:-1], 50.0)) == pytest.approx(85 / 2)


def test_what_is_unknown_weighs_nothing() -> None:
    assert quality_percent((-90, None, None, None, None)) == 50
    assert quality_percent((-90, None, 20, None, None)) == pytest.approx((25 * 50 + 30 * 75) / 55, abs=1e-3)


@pytest.mark.parametrize(("reading", "quality"), VECTORS)
def test_shared_vectors(reading: dict[str, float], quality: float | None) -> None:
    found = quality_of(ModemReading("modem1", 0.0, **reading))
    assert found == (None if quality is None else pytest.approx(quality, abs=1e-3))


def test_its_series_is_worked_out_from_the_means_of_its_inputs(tmp_path: Path) -> None:
    clock = FakeClock()
    store = SeriesStore(tmp_path, clock=clock, emit=lambda event: None)
    for second in range(1200):
        clock.advance(1)
        level = {"rsrp_dbm": -80.0 - second % 9, "sinr_db": 11.0} if second < 900 else {}
        store.record(ModemReading("modem1", clock.now(), latency_ms=40.0 + second % 5, loss_percent=0.0, **level))
    store.flush()
    for series_of in (store, SeriesStore(tmp_path, clock=clock, emit=lambda event: None)):  # memory, then the files
        start, end = clock.now() - 1200, clock.now()
        names = ("quality_percent", *INPUTS)
        quality, *inputs = series_of.query_many("modem1", names, start, end, 100)
        means = [{point[0]: point[2] for point in series.points} for series in inputs]
        assert len([point for point in quality.points if point[2] is not None]) > 40
        for when, low, mean, high in quality.points:
            assert low == mean == high == quality_percent([column.get(when) for column in means])
        assert quality.points[-1][2] is None, "without any signal there is none"
        assert quality.unit == "%"
