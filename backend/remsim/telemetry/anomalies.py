"""What is out of the ordinary in a series: robust statistics of the very points that are shown.

The ordinary value at a point is the median of the known points around it (a quarter of all, half before, half after),
so a slow rise, day and night are ordinary. What is left after taking it away has a usual size: 1.4826 times its median
absolute deviation (which is the standard deviation, were it noise), but not less than ``FLOORS``, or a flat line's last
decimal would count. A point is an anomaly when it is further off than ``THRESHOLD`` times that size, and its neighbour
is so too, to the same side; a point that stands for five minutes or more needs no neighbour. Gaps are no values and end
an anomaly. Rates are compared by their logarithm. The idea is Hampel's filter (F. R. Hampel, 1974).
"""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Callable, Sequence
from typing import Any

from remsim.core.small_dataclass import dataclass
from remsim.telemetry.points import Point

METHOD = "distance from the median of a quarter of the points around, in units of 1.4826 MAD"
THRESHOLD = 4.0
NORMAL = 1.4826
FEWEST_POINTS = 30
NARROWEST, WIDEST = 15, 301
ALONE_FROM_S = 300
"""A point that covers so much time is no single reading gone wrong."""
LOGARITHMIC = ("bit/s",)
FLOORS = {"dBm": 1.5, "dB": 1.0, "ms": 2.0, "%": 1.5, "°C": 0.5, "bit/s": 0.15}
"""The smallest usual deviation by unit; of rates in decades."""
MOST_SPANS = 50
HEAD = {"method": METHOD, "threshold": THRESHOLD}


@dataclass(frozen=True, slots=True)
class Anomaly:
    """A time that was out of the ordinary: its most extreme mean, and by how many usual deviations (sign: above)."""

    start: float
    end: float
    value: float
    score: float

    def as_dict(self) -> dict[str, float]:
        """The object of the API, times as seconds since the epoch."""
        return {
            "from": round(self.start, 3),
            "to": round(self.end, 3),
            "value": round(self.value, 3),
            "score": round(self.score, 1),
        }


def anomalies(points: Sequence[Point], unit: str, step_s: float) -> dict[str, Any]:
    """``median`` of the values, ``mad`` of what is left (of rates in decades), ``spans`` in the order of time.

    Of fewer than ``FEWEST_POINTS`` values nobody can tell what is ordinary: then ``mad`` is None.
    """
    known = [(at, when, mean) for at, (when, _, mean, _) in enumerate(points) if mean is not None]
    means = [mean for _, _, mean in known]
    if len(known) < FEWEST_POINTS:
        return {"median": round(middle(sorted(means)), 3) if means else None, "mad": None, "spans": []}
    scaled: Callable[[float], float] = decades if unit in LOGARITHMIC else float
    levels = [scaled(mean) for mean in means]
    rest = [level - usual for level, usual in zip(levels, rolling_median(levels), strict=True)]
    centre = middle(sorted(rest))
    mad = middle(sorted(abs(value - centre) for value in rest))
    size = max(NORMAL * mad, FLOORS.get(unit, 0.0)) or math.inf
    scores = [(value - centre) / size for value in rest]
    found = []
    for first, last in runs(known, scores):
        if last == first and step_s < ALONE_FROM_S:
            continue
        worst = max(range(first, last + 1), key=lambda at: abs(scores[at]))
        found.append(Anomaly(known[first][1] - step_s, known[last][1], means[worst], scores[worst]))
    told = sorted(sorted(found, key=lambda one: -abs(one.score))[:MOST_SPANS], key=lambda one: one.start)
    return {
        "median": round(middle(sorted(means)), 3),
        "mad": round(mad, 3),
        "spans": [one.as_dict() for one in told],
    }


def runs(known: Sequence[tuple[int, float, float]], scores: Sequence[float]) -> list[tuple[int, int]]:
    """First and last of neighbours beyond the threshold to the same side, without a gap between."""
    found: list[tuple[int, int]] = []
    for at, score in enumerate(scores):
        if abs(score) <= THRESHOLD:
            continue
        is_next = found and found[-1][1] == at - 1 and known[at][0] == known[at - 1][0] + 1
        if is_next and scores[at - 1] * score > 0:
            found[-1] = found[-1][0], at
        else:
            found.append((at, at))
    return found


def rolling_median(values: Sequence[float]) -> list[float]:
    """The median around each value; at the ends of as many as there are."""
    half = min(max(len(values) // 4, NARROWEST), WIDEST) // 2
    window = sorted(values[:half])
    medians = []
    for at in range(len(values)):
        if at + half < len(values):
            insort(window, values[at + half])
        if at > half:
            del window[bisect_left(window, values[at - half - 1])]
        medians.append(middle(window))
    return medians


def middle(ordered: Sequence[float]) -> float:
    """The median of ordered values."""
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def decades(rate: float) -> float:
    """A rate by its logarithm; none at all is as one."""
    return math.log10(max(rate, 1.0))
