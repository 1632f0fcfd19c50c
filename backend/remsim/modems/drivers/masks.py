"""Lists of bands as bit masks, whose lowest bit is band 1."""

from __future__ import annotations

from collections.abc import Iterable


def mask_of(bands: Iterable[int]) -> int:
    """The mask of some bands."""
    return sum(1 << (band - 1) for band in set(bands))


def words(mask: int, count: int) -> list[str]:
    """The mask as ``count`` words of 64 bits in hex, the lowest bands first."""
    return [f"{mask >> 64 * at & (1 << 64) - 1:016X}" for at in range(count)]
