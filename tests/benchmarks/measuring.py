"""What the benchmarks share: memory and CPU of processes, a service with its own settings, tables with bars."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from running import RunningService, descendants

TICKS_PER_S = os.sysconf("SC_CLK_TCK")


def pss_mb(pids: Iterable[int]) -> float:
    """Proportional memory of processes; what they share counts once."""
    total_kb = 0
    for pid in pids:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        total_kb += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total_kb / 1024


def alone_mb(pids: Iterable[int]) -> float:
    """What the processes would have as PSS if no other program mapped the same files (Python's, the C library's).

    On a machine full of Python programs PSS is small; a router has one. Files count in full, once for all processes.
    """
    anonymous_kb = 0.0
    files_kb: dict[tuple[str, str], int] = {}
    for pid in pids:
        key = ("", "")
        rss = 0
        for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
            name, _, rest = line.partition(" ")
            if not name.endswith(":"):
                parts = line.split(maxsplit=5)
                key = (parts[5] if len(parts) > 5 else "", parts[2])
            elif name == "Rss:":
                rss = int(rest.split()[0])
            elif name == "Anonymous:":
                own = int(rest.split()[0])
                files_kb[key] = max(files_kb.get(key, 0), rss - own)
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        anonymous_kb += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss_Anon:"))
    return (anonymous_kb + sum(files_kb.values())) / 1024


def cpu_s(pids: Iterable[int]) -> float:
    """Seconds of CPU the processes have used."""
    ticks = 0
    for pid in pids:
        values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(values[11]) + int(values[12])
    return ticks / TICKS_PER_S


def family(pid: int) -> list[int]:
    """A process and its children."""
    return [pid, *descendants(pid)]


def service_pids(pid: int) -> list[int]:
    """The service's processes without the simulator, which no router runs."""
    return [one for one in family(pid) if b"simulate\0--dir" not in Path(f"/proc/{one}/cmdline").read_bytes()]


@contextmanager
def service(*arguments: str, max_streams: int = 24, threads: int = 32) -> Iterator[RunningService]:
    """``remsim serve`` with these limits, in a directory of its own."""
    with tempfile.TemporaryDirectory(prefix="remsim-bench-") as name:
        directory = Path(name)
        text = f"config web 'web'\n\toption max_streams '{max_streams}'\n\toption threads '{threads}'\n"
        (directory / "remsim_console").write_text(text)
        running = RunningService(directory, *arguments, "--config", str(directory)).start()
        try:
            yield running
        finally:
            if running.process is not None and running.process.poll() is None:
                running.stop(20)


@dataclass
class Table:
    """Rows of figures, some with a bar they must keep."""

    title: str
    missed: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        print(f"\n{self.title}")

    def row(
        self, name: str, value: float, unit: str, *, at_most: float | None = None, at_least: float | None = None
    ) -> None:
        """Print one figure; one beyond its bar is remembered."""
        mark = ""
        for sign, bar, is_kept in (
            ("≤", at_most, at_most is None or value <= at_most),
            ("≥", at_least, at_least is None or value >= at_least),
        ):
            if bar is not None:
                mark += f"   {sign} {bar:g}{'' if is_kept else '  MISSED'}"
            if not is_kept:
                self.missed.append(f"{name}: {value:.2f} {unit}, not {sign} {bar:g}")
        print(f"  {name:58} {value:9.2f} {unit:4}{mark}", flush=True)

    def status(self) -> int:
        """The exit status; tells what was missed."""
        for line in self.missed:
            print(f"MISSED {line}", file=sys.stderr)
        return 1 if self.missed else 0


def rest_until(deadline: float) -> None:
    """Sleep until a moment of the monotonic clock."""
    time.sleep(max(deadline - time.monotonic(), 0.0))
