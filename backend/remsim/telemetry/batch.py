"""A series as few bytes: values on a regular grid instead of points with times of their own.

Value ``i`` is of the span that ends at ``start + i * step_s``. What fell into one span was put together by
``consolidate`` (least, mean, greatest); a span without a value is null. Not each such span is a gap: a modem that is
slower than the grid, or late, leaves spans empty without having been silent. Those are in ``skipped``, so that whoever
draws can tell them from an outage.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from remsim.telemetry.series import Series

DIGITS = {"bit/s": 0}
"""Decimals by unit: more than the radio or the probe can tell are only bytes."""
USUAL_DIGITS = 1
Values = list[float | None]


@dataclass(frozen=True, slots=True)
class Grid:
    """Values at regular times; ``low`` and ``high`` are None where they are nowhere different from the mean."""

    start: float
    mean: Values
    low: Values | None
    high: Values | None
    skipped: list[int]


def grid_of(series: Series) -> Grid | None:
    """A series on its grid; None without any value."""
    step = series.step_s
    slots = [math.ceil(point[0] / step) for point in series.points]
    if all(point[2] is None for point in series.points):
        return None
    digits = DIGITS.get(series.unit, USUAL_DIGITS)
    length = slots[-1] - slots[0] + 1
    columns: list[Values] = [[None] * length for _ in range(3)]
    skipped: list[int] = []
    before = slots[0]
    was_known = False
    for slot, point in zip(slots, series.points, strict=True):
        is_known = point[2] is not None
        if is_known and was_known and slot - before > 1:
            skipped.extend(range(before + 1 - slots[0], slot - slots[0]))
        for column, value in zip(columns, point[1:], strict=True):
            column[slot - slots[0]] = None if value is None else shortest(value, digits)
        before, was_known = slot, is_known
    low, mean, high = columns
    is_band = low != mean or high != mean
    return Grid(slots[0] * step, mean, low if is_band else None, high if is_band else None, skipped)


def shortest(value: float, digits: int) -> float:
    """A value that JSON writes in few letters: rounded, and whole numbers without a point."""
    rounded = round(value, digits)
    whole = int(rounded)
    return whole if whole == rounded else rounded


def compact(series: Series, grid: Grid, *, band: bool) -> dict[str, Any]:
    """The object of the API."""
    return {
        "modem": series.modem,
        "measure": series.measure,
        "unit": series.unit,
        "source": series.source,
        "start": shortest(grid.start, 3),
        "step_s": shortest(series.step_s, 3),
        "avg": grid.mean,
        "min": grid.low if band else None,
        "max": grid.high if band else None,
    } | ({"skipped": grid.skipped} if grid.skipped else {})


def rounded(values: dict[str, Any], unit: str) -> dict[str, Any]:
    """Statistics with the decimals of their unit."""
    digits = DIGITS.get(unit, USUAL_DIGITS)
    return {name: shortest(value, digits) if isinstance(value, float) else value for name, value in values.items()}


def absent(modem: str, measures: Iterable[str], reason: str) -> list[dict[str, str]]:
    """Series that are left out, and why."""
    return [{"modem": modem, "measure": measure, "reason": reason} for measure in measures]
