"""CPU of polling alone: eight virtual modems asked once a second, probes on, nobody listening to the readings.

Bar: at most 3 % of a core. Also the AT exchanges a modem gets in a second, and how late readings come. Then, for each
model there is, what a steady round asks and how long a round trip takes. The virtual modem takes its own time for an
answer (``simulator/tty.py``), and most of it is that. ``bench_polling.py SECONDS``; 0 skips the first part.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import measuring  # which makes tests/ importable
import poll_rounds
from remsim.config.settings import load_settings
from remsim.core.clock import SystemClock
from remsim.core.reading import ModemReading
from remsim.modems.channel import Channel
from remsim.modems.detect import Found, scan
from remsim.modems.drivers import driver_for
from remsim.modems.drivers.base import Driver
from remsim.modems.manager import ModemManager
from remsim.simulator.models import ROWS, Model

MODEMS = 8
WARM_UP_S = 15.0
SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
BAR_PERCENT = 3.0
MOST_EXCHANGES = 6.0
ROUND_TRIPS = 5
TIMEOUT_S = 5.0


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
        measuring.rest_until(time.monotonic() + WARM_UP_S)
        for moments in arrived.values():
            moments.clear()
        sent = sum(view["at_commands_total"] for view in manager.views())
        begun, cpu = time.monotonic(), time.process_time()
        measuring.rest_until(begun + SECONDS)
        elapsed_s, cpu = time.monotonic() - begun, time.process_time() - cpu
        sent = sum(view["at_commands_total"] for view in manager.views()) - sent
    finally:
        manager.stop()
    gaps = [b - a for moments in arrived.values() for a, b in zip(moments, moments[1:], strict=False)]
    table = measuring.Table(f"polling {MODEMS} modems at 1 reading/s for {SECONDS:g} s")
    table.row("CPU of a core", 100 * cpu / elapsed_s, "%", at_most=BAR_PERCENT)
    table.row("CPU per AT exchange", 1000 * cpu / sent, "ms")
    table.row("exchanges a modem and second", sent / elapsed_s / MODEMS, "", at_most=MOST_EXCHANGES)
    table.row("readings a second", sum(map(len, arrived.values())) / elapsed_s, "")
    table.row("median distance of a modem's readings", statistics.median(gaps), "s")
    table.row("longest distance of a modem's readings", max(gaps), "s")
    return table.status()


def round_trips(model: Model, found: Found) -> None:
    """Ask one modem everything a steady round may ask, and print what a round costs."""
    driver = driver_for(model.vendor, model.name, found.row.platform)
    channel = Channel(found.at_ports[0], clock=SystemClock(), on_urc=lambda line: None)
    channel.open()
    try:
        for command in driver.setup_commands:
            channel.query(command, timeout_s=TIMEOUT_S)
        took_ms = {command: median_ms(channel, command) for command in steady_commands(driver)}
    finally:
        channel.dispose()
    round_ms = sum(took_ms[command] for command in driver.fast_commands)
    slowest = max(took_ms, key=lambda command: took_ms[command])
    print(
        f"  {model.name:13} {poll_rounds.a_minute(driver):5.0f} a minute, {statistics.mean(took_ms.values()):5.1f} ms "
        f"each, {round_ms:5.1f} ms the fast ones of a round; slowest {slowest}: {took_ms[slowest]:.1f} ms"
    )
    print(f"  {'':13} {' '.join(driver.fast_commands)} + one of {' '.join(driver.slow_commands)}", flush=True)


def steady_commands(driver: Driver) -> tuple[str, ...]:
    """What is asked again and again while nothing is wrong."""
    return (*driver.fast_commands, *driver.slow_commands)


def median_ms(channel: Channel, command: str) -> float:
    """How long a round trip takes."""
    took = []
    for _ in range(ROUND_TRIPS):
        begun = time.monotonic()
        channel.query(command, timeout_s=TIMEOUT_S)
        took.append(time.monotonic() - begun)
    return 1000 * statistics.median(took)


@contextmanager
def simulation(modems: str) -> Iterator[Path]:
    """Virtual modems in a directory of their own; ``modems`` is how many or which."""
    with tempfile.TemporaryDirectory(prefix="remsim-polling-") as name:
        command = [sys.executable, "-m", "remsim", "simulate", "--dir", name, "--modems", modems]
        simulator = subprocess.Popen(command, stdout=subprocess.PIPE)
        try:
            assert simulator.stdout is not None and b"ready" in simulator.stdout.readline()
            yield Path(name)
        finally:
            simulator.terminate()
            simulator.wait(10)


def main() -> int:
    status = 0
    if SECONDS:
        with simulation(str(MODEMS)) as directory:
            status = measure(directory)
    print(f"\nround trips of a steady round, the median of {ROUND_TRIPS}")
    for start in range(0, len(ROWS), MODEMS):
        models = ROWS[start : start + MODEMS]
        with simulation(",".join(model.name for model in models)) as directory:
            for model, found in zip(models, scan(directory / "sys", directory / "dev"), strict=True):
                if found.at_ports:
                    round_trips(model, found)
    return status


if __name__ == "__main__":
    sys.exit(main())
