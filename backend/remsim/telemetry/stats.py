"""Statistics of a series."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from remsim.telemetry.points import Point


def stats(points: Sequence[Point]) -> dict[str, Any]:
    """Least, mean, greatest, median and 95th percentile; None without values.

    ``min`` and ``max`` are over the spans' extremes, the others over their means (nearest rank).
    """
    known = [point for point in points if point[2] is not None]
    means = sorted(point[2] for point in known if point[2] is not None)
    if not means:
        return {"min": None, "avg": None, "max": None, "median": None, "p95": None, "count": 0}
    return {
        "min": min(point[1] for point in known if point[1] is not None),
        "avg": round(sum(means) / len(means), 3),
        "max": max(point[3] for point in known if point[3] is not None),
        "median": percentile(means, 50),
        "p95": percentile(means, 95),
        "count": len(means),
    }


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile of ordered values."""
    return ordered[max(math.ceil(percent / 100 * len(ordered)) - 1, 0)]
