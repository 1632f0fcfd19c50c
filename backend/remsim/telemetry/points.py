"""Points of a series: the silences between readings told apart from slowness, and many rows made few."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

SILENT_PERIODS = 3
SHORTEST_SILENCE_S = 10
LONGEST_PERIOD_S = 60
Point = tuple[float, float | None, float | None, float | None]
"""Time, minimum, average, maximum; None is a gap."""


def is_silence(elapsed_s: float, spacing_s: float) -> bool:
    """Whether a modem that reported every ``spacing_s`` was away rather than slow."""
    return elapsed_s > max(SILENT_PERIODS * spacing_s, SHORTEST_SILENCE_S)


def usual_spacing_s(times: Sequence[float]) -> float:
    """The median distance of readings in whole seconds, at least one: finer points would be mostly empty."""
    distances = sorted(later - earlier for earlier, later in zip(times, times[1:], strict=False))
    return float(max(1, round(distances[len(distances) // 2]))) if distances else 1.0


def gathered(times: Sequence[float], values: Sequence[float], step_s: float) -> list[Point]:
    """Samples (NaN is unknown) put together by spans of ``step_s``, with a row without value in each silence."""
    rows: list[Point] = []
    first = 0
    while first < len(times):
        if first and (elapsed_s := times[first] - times[first - 1]) > SHORTEST_SILENCE_S:
            spacing_s = times[first - 1] - times[first - 2] if first > 1 else LONGEST_PERIOD_S
            if is_silence(elapsed_s, min(spacing_s, LONGEST_PERIOD_S)):
                rows.append((times[first] - elapsed_s / 2, None, None, None))
        following = bisect_right(times, math.ceil(times[first] / step_s) * step_s, first + 1)
        known = [value for value in values[first:following] if value == value]
        when = times[following - 1]
        if known:
            rows.append((when, min(known), sum(known) / len(known), max(known)))
        else:
            rows.append((when, None, None, None))
        first = following
    return rows


def step_for(resolution_s: float, period_s: float, points: int) -> float:
    """The step of at most so many points of a period: whole seconds, a multiple of the resolution."""
    return math.ceil(resolution_s) * math.ceil(period_s / points / math.ceil(resolution_s))


def consolidate(rows: list[Point], end: float, step_s: float, points: int) -> list[Point]:
    """Rows, in the order of time, gathered into spans, each told at its end: the least, the mean, the greatest.

    A row without a value is a gap when it is alone in its span; a span without rows is none: a modem may be slow.
    """
    merged: list[Point] = []
    low = high = total = 0.0
    count = 0
    until, last = -math.inf, 0.0

    def close_span() -> None:
        when = min(until, max(end, last))  # the last span has not ended yet
        if count and low == high:
            merged.append((when, value := round(low, 3), value, value))
        elif count:
            merged.append((when, round(low, 3), round(total / count, 3), round(high, 3)))
        elif merged and merged[-1][2] is not None:
            merged.append((when, None, None, None))

    for when, least, mean, most in rows:
        if when > until:
            if until != -math.inf:
                close_span()
            until, count, total = float(math.ceil(when / step_s) * step_s), 0, 0.0
        last = when
        if mean is None:
            continue
        if not count or least < low:  # type: ignore[operator]  # known when the mean is
            low = least  # type: ignore[assignment]
        if not count or most > high:  # type: ignore[operator]
            high = most  # type: ignore[assignment]
        total += mean
        count += 1
    if rows:
        close_span()
    while len(merged) > points and merged[-1][2] is None:
        merged.pop()
    return merged[-points:]
