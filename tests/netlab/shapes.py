"""How emulated links behave."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Shape:
    """Of one link. What waits longer than ``queue_ms`` is dropped, as is ``loss_percent`` of all packets, each way."""

    down_kbit: int = 20_000
    up_kbit: int = 10_000
    rtt_ms: float = 50.0
    queue_ms: float = 150.0
    loss_percent: float = 0.0


FOUR = (Shape(20_000, 10_000, 40), Shape(10_000, 5_000, 55), Shape(5_000, 2_500, 90), Shape(8_000, 4_000, 70))
"""The four links of the measured figures: 43 Mbit/s together."""
EIGHT = tuple(
    Shape(mbit * 1000, mbit * 500, rtt)
    for mbit, rtt in zip((8, 6, 5, 4, 6, 5, 4, 4), (40, 50, 60, 70, 80, 90, 45, 65), strict=True)
)
"""Eight of them: 42 Mbit/s together."""
