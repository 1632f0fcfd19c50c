"""The router itself and this process, from /proc. What the kernel does not tell is absent."""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping
from pathlib import Path

from remsim.core.clock import FIRST_TRUSTED
from remsim.telemetry.metrics.draft import Draft, labels

PROC = Path("/proc")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
KIB = 1024
MEMORY = {
    "remsim_router_memory_bytes": "MemTotal:",
    "remsim_router_memory_available_bytes": "MemAvailable:",
}


def add_host(draft: Draft, now: float, storages: Mapping[str, Path], proc: Path = PROC) -> None:
    """Uptime, load, memory, room on the file systems of ``storages``."""
    draft.add("remsim_router_clock_set", now >= FIRST_TRUSTED)
    uptime = words(proc / "uptime")
    if uptime:
        draft.add("remsim_uptime_seconds", float(uptime[0]))
    load = words(proc / "loadavg")
    if load:
        draft.add("remsim_router_load_ratio", round(float(load[0]) / (os.cpu_count() or 1), 3))
    memory = words(proc / "meminfo")
    for name, row in MEMORY.items():
        if row in memory:
            draft.add(name, int(memory[memory.index(row) + 1]) * KIB)
    for storage, directory in storages.items():
        try:
            found = os.statvfs(directory)
        except OSError:
            continue
        draft.add("remsim_storage_size_bytes", found.f_blocks * found.f_frsize, labels(storage=storage))
        draft.add("remsim_storage_free_bytes", found.f_bavail * found.f_frsize, labels(storage=storage))


def add_process(draft: Draft, started_at: float, proc: Path = PROC) -> None:
    """This process, by Prometheus' standard names. ``proc/self/stat``: see proc(5)."""
    draft.add("process_start_time_seconds", round(started_at, 3))
    try:
        stat = (proc / "self/stat").read_text().rpartition(")")[2].split()
        draft.add("process_cpu_seconds_total", (int(stat[11]) + int(stat[12])) / TICKS_PER_S, since=started_at)
        draft.add("process_threads", int(stat[17]))
        draft.add("process_virtual_memory_bytes", int(stat[20]))
        draft.add("process_resident_memory_bytes", int(stat[21]) * PAGE)
        draft.add("process_open_fds", len(os.listdir(proc / "self/fd")))
    except (OSError, ValueError, IndexError):
        return
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    if most != resource.RLIM_INFINITY:
        draft.add("process_max_fds", most)


def words(path: Path) -> list[str]:
    """The words of a file; none when it cannot be read."""
    try:
        return path.read_text().split()
    except OSError:
        return []
