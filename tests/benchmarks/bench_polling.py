"""CPU of polling alone: eight virtual modems asked once a second, probes on, nobody listening to the readings.

Bar: at most 3 % of a core. Also the AT exchanges a modem gets in a second, and how late readings come.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import Table, rest_until
from remsim.config.settings import load_settings
from remsim.core.clock import SystemClock
from remsim.core.reading import ModemReading
from remsim.modems.manager import ModemManager

MODEMS = 8
WARM_UP_S = 15.0
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
BAR_PERCENT = 3.0
MOST_EXCHANGES = 6.0


def measure(directory: Path) -> int:
    """Poll the simulator's modems for a while; the exit status."""
    (directory / "state").mkdir()
    arrived: dict[str, list[float]] = {}

    def publish(reading: ModemReading) -> None:
        arrived.setdefault(reading.modem, []).append(time.monotonic())

    manager = ModemManager(
        settings=load_settings(directory),
        clock=SystemClock(),
        publish_reading=publish,
        emit=lambda event: None,
        state_dir=directory / "state",
        sysfs_root=directory / "sys",
        dev_root=directory / "dev",
    )
    manager.start()
    try:
        rest_until(time.monotonic() + WARM_UP_S)
        for moments in arrived.values():
            moments.clear()
        sent = sum(view["at_commands_total"] for view in manager.views())
        begun, cpu = time.monotonic(), time.process_time()
        rest_until(begun + SECONDS)
        elapsed_s, cpu = time.monotonic() - begun, time.process_time() - cpu
        sent = sum(view["at_commands_total"] for view in manager.views()) - sent
    finally:
        manager.stop()
    gaps = [b - a for moments in arrived.values() for a, b in zip(moments, moments[1:], strict=False)]
    table = Table(f"polling {MODEMS} modems at 1 reading/s for {SECONDS:g} s")
    table.row("CPU of a core", 100 * cpu / elapsed_s, "%", at_most=BAR_PERCENT)
    table.row("CPU per AT exchange", 1000 * cpu / sent, "ms")
    table.row("exchanges a modem and second", sent / elapsed_s / MODEMS, "", at_most=MOST_EXCHANGES)
    table.row("readings a second", sum(map(len, arrived.values())) / elapsed_s, "")
    table.row("median distance of a modem's readings", statistics.median(gaps), "s")
    table.row("longest distance of a modem's readings", max(gaps), "s")
    return table.status()


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="remsim-polling-") as name:
        command = [sys.executable, "-m", "remsim", "simulate", "--dir", name, "--modems", str(MODEMS)]
        simulator = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            assert simulator.stdout is not None and b"ready" in simulator.stdout.readline()
            return measure(Path(name))
        finally:
            simulator.terminate()
            simulator.wait(10)


if __name__ == "__main__":
    sys.exit(main())
