"""How good a connection is, as one number: signal, delay and loss put together.

Each known input gives a score of 0 to 100 by straight lines between the points of ``CURVES`` (25, 50 and 75 are where
the pages say fair, good and excellent). The scores' mean, weighted by ``WEIGHTS`` over what is known, times the share
of probes that came back, is the quality: with half of the packets lost, half of it is left. A better input never makes
it worse. Without any signal value there is none: a quick answer of an unknown radio says nothing about the link.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from remsim.core.reading import ModemReading

INPUTS = ("rsrp_dbm", "rsrq_db", "sinr_db", "latency_ms", "loss_percent")
SIGNAL = 3
"""So many of the inputs, the first ones, tell of the signal."""
WEIGHTS = (25.0, 15.0, 30.0, 15.0, 15.0)
SCORES = (0.0, 25.0, 50.0, 75.0, 100.0)
CURVES: tuple[tuple[float, ...], ...] = (
    (-120, -100, -90, -80, -70),
    (-25, -20, -15, -10, -5),
    (-10, 0, 13, 20, 30),
    (500, 200, 100, 50, 20),
    (50, 10, 3, 1, 0),
)
"""Where each input has the scores 0, 25, 50, 75 and 100; beyond the ends it has the end's."""
Line = tuple[float, float]


def lines_of(curve: Sequence[float]) -> tuple[list[float], list[Line]]:
    """A curve as rising places and, before, between and after them, the lines (offset, slope) of its score."""
    corners = sorted(zip(curve, SCORES, strict=True))
    lines: list[Line] = [(corners[0][1], 0.0)]
    for (x, score), (next_x, next_score) in zip(corners, corners[1:], strict=False):
        slope = (next_score - score) / (next_x - x)
        lines.append((score - slope * x, slope))
    lines.append((corners[-1][1], 0.0))
    return [x for x, _ in corners], lines


TABLE = tuple((weight, *lines_of(curve)) for weight, curve in zip(WEIGHTS, CURVES, strict=True))


def quality_percent(values: Sequence[float | None]) -> float | None:
    """The quality, 0 to 100, of values in the order of ``INPUTS``; None when no signal value is known."""
    if values[0] is None and values[1] is None and values[2] is None:
        return None
    total = weights = 0.0
    for value, (weight, places, lines) in zip(values, TABLE, strict=True):
        if value is not None:
            offset, slope = lines[bisect_right(places, value)]
            total += weight * (offset + slope * value)
            weights += weight
    loss = values[-1] or 0.0
    mean = min(max(total / weights, 0.0), 100.0)
    return round(mean * (1.0 - min(max(loss, 0.0), 100.0) / 100.0), 3)


def quality_of(reading: ModemReading) -> float | None:
    """The quality of a reading."""
    return quality_percent([getattr(reading, name) for name in INPUTS])
