"""Traffic of one network interface from the kernel's own counters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Traffic:
    """Counters since the interface came up, and the rates since the last look. None is unknown."""

    rx_bytes: int | None = None
    tx_bytes: int | None = None
    rx_bits_per_s: float | None = None
    tx_bits_per_s: float | None = None


class TrafficMeter:
    """Reads one interface's counters; a counter that went back gives no rate, never a negative one."""

    def __init__(self, sysfs_root: Path, interface: str) -> None:
        self._statistics = sysfs_root / "class" / "net" / interface / "statistics"
        self._last: tuple[float, int, int] | None = None

    def read(self, monotonic_s: float) -> Traffic:
        """Counters now and rates since the last call."""
        try:
            rx_bytes = int((self._statistics / "rx_bytes").read_text())
            tx_bytes = int((self._statistics / "tx_bytes").read_text())
        except (OSError, ValueError):
            self._last = None
            return Traffic()
        last, self._last = self._last, (monotonic_s, rx_bytes, tx_bytes)
        if last is None or monotonic_s <= last[0] or rx_bytes < last[1] or tx_bytes < last[2]:
            return Traffic(rx_bytes, tx_bytes)
        elapsed_s = monotonic_s - last[0]
        return Traffic(
            rx_bytes,
            tx_bytes,
            round((rx_bytes - last[1]) * 8 / elapsed_s),
            round((tx_bytes - last[2]) * 8 / elapsed_s),
        )
