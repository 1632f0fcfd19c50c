"""What can be measured of the router itself, as rules see it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from remsim.core.clock import FIRST_TRUSTED, Clock
from remsim.telemetry.rules.rule import Value

MEMORY = Path("/proc/meminfo")


def router_values(state_dir: Path, data_dir: Path, clock: Clock) -> Mapping[str, Value]:
    """Each value that rules of source ``router`` can look at; None is unknown."""
    return {
        "flash_free_percent": free_percent(state_dir),
        "data_free_percent": free_percent(data_dir),
        "memory_free_percent": memory_free_percent(),
        "load_percent": load_percent(),
        "clock_set": "yes" if clock.now() >= FIRST_TRUSTED else "no",
    }


def free_percent(directory: Path) -> float | None:
    """Room for us on a directory's file system; what is kept for root does not count."""
    try:
        found = os.statvfs(directory)
    except OSError:
        return None
    return round(100 * found.f_bavail / found.f_blocks, 1) if found.f_blocks else None


def memory_free_percent(path: Path = MEMORY) -> float | None:
    """What programs may still have, of all memory."""
    try:
        lines = dict(line.split(":", 1) for line in path.read_text().splitlines() if ":" in line)
        available, total = (int(lines[name].split()[0]) for name in ("MemAvailable", "MemTotal"))
    except (OSError, KeyError, ValueError, IndexError):
        return None
    return round(100 * available / total, 1) if total else None


def load_percent() -> float | None:
    """Processes that run or want to, in the mean of a minute, of the cores there are."""
    try:
        return round(100 * os.getloadavg()[0] / (os.cpu_count() or 1), 1)
    except OSError:
        return None
