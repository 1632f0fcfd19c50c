"""Points of a series: the silences between readings told apart from slowness, and many rows made few."""

from __future__ import annotations

import math
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


def rows_of_samples(samples: list[tuple[float, float]]) -> list[Point]:
    """Samples of the ring as rows, with a row without value in the middle of each silence."""
    rows: list[Point] = []
    before, spacing_s = (samples[0][0] if samples else 0.0), float(LONGEST_PERIOD_S)
    for when, value in samples:
        elapsed_s = when - before
        if elapsed_s > SHORTEST_SILENCE_S and is_silence(elapsed_s, spacing_s):
            rows.append((before + elapsed_s / 2, None, None, None))
        rows.append((when, value, value, value) if value == value else (when, None, None, None))
        if elapsed_s:
            spacing_s = min(elapsed_s, LONGEST_PERIOD_S)
        before = when
    return rows


def consolidate(rows: list[Point], start: float, end: float, step_s: float, points: int) -> tuple[list[Point], float]:
    """Rows gathered into spans of at least ``step_s``: the least, the mean, the greatest of each, at the span's end.

    A row without a value is a gap when it is alone in its span; a span without rows is none: a modem may be slow.
    """
    step_s = math.ceil(step_s) * math.ceil((end - start) / points / math.ceil(step_s))
    gathered: dict[int, list[Point]] = {}
    for row in rows:
        gathered.setdefault(math.ceil(row[0] / step_s), []).append(row)
    merged: list[Point] = []
    for slot in sorted(gathered):
        known = [row for row in gathered[slot] if row[2] is not None]
        when = min(float(slot * step_s), max(end, gathered[slot][-1][0]))  # the last span has not ended yet
        if not known:
            if merged and merged[-1][2] is not None:
                merged.append((when, None, None, None))
            continue
        low = min(row[1] for row in known if row[1] is not None)
        high = max(row[3] for row in known if row[3] is not None)
        mean = sum(row[2] for row in known if row[2] is not None) / len(known)
        merged.append((when, round(low, 3), round(mean, 3), round(high, 3)))
    while len(merged) > points and merged[-1][2] is None:
        merged.pop()
    return merged[-points:], step_s
