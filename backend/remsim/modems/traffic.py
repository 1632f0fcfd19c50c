"""Traffic of one network interface from the kernel's own counters."""

from __future__ import annotations

from pathlib import Path

from remsim.core.small_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Traffic:
    """Counters since the interface came up, and the rates since the last look. None is unknown."""

    rx_bytes: int | None = None
    tx_bytes: int | None = None
    rx_bits_per_s: float | None = None
    tx_bits_per_s: float | None = None


class TrafficMeter:
    """Reads one interface's counters.

    Counters that went back, or an interface made anew (its index differs), give no rate rather than a wrong one.
    """

    def __init__(self, sysfs_root: Path, interface: str) -> None:
        self._interface = sysfs_root / "class" / "net" / interface
        self._last: tuple[float, int, int] | None = None
        self._index: int | None = None

    def read(self, monotonic_s: float) -> Traffic:
        """Counters now and rates since the last call."""
        try:
            rx_bytes = read_number(self._interface / "statistics" / "rx_bytes")
            tx_bytes = read_number(self._interface / "statistics" / "tx_bytes")
        except (OSError, ValueError):
            self._last = None
            return Traffic()
        last, self._last = self._last, (monotonic_s, rx_bytes, tx_bytes)
        index, self._index = self._index, read_index(self._interface)
        if last is None or index != self._index or monotonic_s <= last[0] or rx_bytes < last[1] or tx_bytes < last[2]:
            return Traffic(rx_bytes, tx_bytes)
        elapsed_s = monotonic_s - last[0]
        return Traffic(
            rx_bytes,
            tx_bytes,
            round((rx_bytes - last[1]) * 8 / elapsed_s),
            round((tx_bytes - last[2]) * 8 / elapsed_s),
        )


def read_number(path: Path) -> int:
    """The number in a file of sysfs; OSError or ValueError when there is none."""
    return int(path.read_bytes())


def read_index(interface: Path) -> int | None:
    """The kernel's number of an interface: a new one for each that is made."""
    try:
        return read_number(interface / "ifindex")
    except (OSError, ValueError):
        return None
