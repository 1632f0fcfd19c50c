"""From the command to the first reading on the stream: ``remsim serve --simulate --backfill 0``, at most 3 s."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import Table
from running import RunningService

RUNS = 5
BAR_S = 3.0


def first_reading_s(directory: Path) -> float:
    """Seconds to the first reading."""
    running = RunningService(directory, "--simulate", "--backfill", "0")
    begin = time.monotonic()
    running.start()
    try:
        next(message for message in running.stream() if message["event"] == "reading")
        return time.monotonic() - begin
    finally:
        running.stop()


def main() -> int:
    table = Table(f"Cold start to the first reading, {RUNS} runs")
    times = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory(prefix="remsim-bench-") as name:
            times.append(first_reading_s(Path(name)))
    begin = time.monotonic()
    subprocess.run([sys.executable, "-m", "remsim", "version"], check=True, stdout=subprocess.DEVNULL)
    table.row("remsim version, for comparison", time.monotonic() - begin, "s")
    table.row("median", statistics.median(times), "s")
    table.row("slowest", max(times), "s", at_most=BAR_S)
    return table.status()


if __name__ == "__main__":
    sys.exit(main())
