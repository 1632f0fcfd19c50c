"""A series as few bytes: values on a regular grid instead of points with times of their own.

Value ``i`` is of the span that ends at ``start + i * step_s``. What fell into one span was put together by
``consolidate`` (least, mean, greatest); a span without a value is null. Not each such span is a gap: a modem that is
slower than the grid, or late, leaves spans empty without having been silent. Those are in ``skipped``, so that whoever
draws can tell them from an outage.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

from remsim.core.small_dataclass import dataclass
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
    rows = [*zip(*series.points, strict=True)][1:]
    columns: list[Values] = [[None if one is None else shortest(one, digits) for one in row] for row in rows]
    skipped: list[int] = []
    length = slots[-1] - slots[0] + 1
    if length > len(slots):
        skipped = skipped_slots(series, slots)
        columns = [spread(column, slots, length) for column in columns]
    low, mean, high = columns
    is_band = low != mean or high != mean
    return Grid(slots[0] * step, mean, low if is_band else None, high if is_band else None, skipped)


def skipped_slots(series: Series, slots: Sequence[int]) -> list[int]:
    """The spans between two with values that have no point at all."""
    known = [point[2] is not None for point in series.points]
    return [
        slot - slots[0]
        for at in range(1, len(slots))
        if known[at] and known[at - 1]
        for slot in range(slots[at - 1] + 1, slots[at])
    ]


def spread(values: Values, slots: Sequence[int], length: int) -> Values:
    """Values at their places, null between."""
    row: Values = [None] * length
    for slot, value in zip(slots, values, strict=True):
        row[slot - slots[0]] = value
    return row


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
