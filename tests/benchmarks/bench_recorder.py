"""Readings a second through the series store against bare rrdtool updates of the same data in the same batches.

Bars: at least 0.8 of the bare binding; a 30-day series in at most 50 ms, and so are those of a page (3 modems with 4
measures of 600 points, as JSON); the backup's megabytes a day are reported.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

import rrdtool
from remsim.core.clock import FakeClock
from remsim.core.reading import ModemReading
from remsim.telemetry.batch import compact, grid_of
from remsim.telemetry.measures import DEFINITIONS
from remsim.telemetry.rrd import RoundRobinFile
from remsim.telemetry.series import SeriesStore

MODEMS = 8
BATCH_S = 10
SECONDS = 1800
ROUNDS = 3
START = 1_767_225_600.0
BAR = 0.8
SERIES_BAR_MS = 50.0


def readings() -> list[list[ModemReading]]:
    """Batches of ten seconds of eight modems."""
    batches = []
    for first in range(0, SECONDS, BATCH_S):
        batches.append(
            [
                ModemReading(
                    f"modem{number}", START + first + second + 0.25, rsrp_dbm=-80 - second % 20, rsrq_db=-10,
                    sinr_db=12.5, rssi_dbm=-60, temperature_c=40, rx_bits_per_s=1e6 + second, tx_bits_per_s=2e5,
                    latency_ms=31.5, jitter_ms=2.5, loss_percent=0,
                )
                for second in range(BATCH_S)
                for number in range(MODEMS)
            ]
        )  # fmt: skip
    return batches


def through_the_store(batches: list[list[ModemReading]]) -> float:
    """Readings a second with rings and files."""
    with tempfile.TemporaryDirectory() as directory:
        store = SeriesStore(Path(directory), clock=FakeClock(START), emit=lambda event: None)
        begun = 0.0
        for batch in batches:
            for reading in batch:
                store.record(reading)
            store.flush()
            begun = begun or time.perf_counter()  # the first batch makes the files, as is done beforehand below
        return sum(map(len, batches[1:])) / (time.perf_counter() - begun)


def bare(batches: list[list[ModemReading]]) -> float:
    """Readings a second by the binding alone: text made beforehand is not counted in its favour."""
    with tempfile.TemporaryDirectory() as directory:
        files = {}
        for number in range(MODEMS):
            for store, measures in DEFINITIONS.stores.items():
                file = RoundRobinFile(Path(directory) / f"modem{number}" / f"{store}.rrd", measures)
                file.create(int(START) - 1)
                files[f"modem{number}", store] = (str(file.path), [measure.name for measure in measures])
        begun = 0.0
        for batch in batches:
            for (modem, _), (path, names) in files.items():
                rows = []
                for reading in batch:
                    if reading.modem == modem:
                        values = (getattr(reading, name) for name in names)
                        rows.append(f"{int(reading.at)}:" + ":".join("U" if v is None else str(v) for v in values))
                rrdtool.update(path, *rows)
            begun = begun or time.perf_counter()
        return sum(map(len, batches[1:])) / (time.perf_counter() - begun)


def month_ms() -> tuple[float, float]:
    """Milliseconds of a 30-day series, and megabytes a day of the backup, with a month of history."""
    with tempfile.TemporaryDirectory() as directory:
        clock = FakeClock(START)
        store = SeriesStore(Path(directory) / "data", clock=clock, emit=print, backup_dir=Path(directory) / "backup")
        minutes = range(30 * 1440)
        store.record_history(
            ModemReading(
                "modem1", START - 30 * 86400 + minute * 60, rsrp_dbm=-80 - minute % 23, latency_ms=30 + minute % 7
            )
            for minute in minutes
        )
        times = []
        for _ in range(20):
            begun = time.perf_counter()
            series = store.query("modem1", "rsrp_dbm", range_s=30 * 86400, points=2000)
            times.append((time.perf_counter() - begun) * 1000)
        assert len(series.points) > 1000
        assert store.backup is not None
        store.save_backup()
        before = store.backup.bytes_written
        clock.advance(900)
        store.record(ModemReading("modem1", clock.now(), rsrp_dbm=-91, latency_ms=30, rx_bits_per_s=1.0))
        store.flush()
        store.save_backup()
        return sorted(times)[len(times) // 2], (store.backup.bytes_written - before) * 96 / 1e6


def page_ms() -> tuple[float, int]:
    """Milliseconds and bytes of a page's answer about 30 days, with the last hour in memory."""
    names = ("rsrp_dbm", "sinr_db", "latency_ms", "rx_bits_per_s")
    modems = ("modem1", "modem2", "modem3")
    with tempfile.TemporaryDirectory() as directory:
        store = SeriesStore(Path(directory), clock=FakeClock(START), emit=print)
        for number, modem in enumerate(modems):
            store.record_history(
                ModemReading(
                    modem, START - 30 * 86400 + at * 150, rsrp_dbm=-80 - at % 23, sinr_db=at % 31 - number,
                    latency_ms=30 + at % 7 / 3, rx_bits_per_s=1e5 * (at % 97),
                )
                for at in range(30 * 576)
            )  # fmt: skip
            for second in range(3600):
                store.record(ModemReading(modem, START - 3600 + second, rsrp_dbm=-81, sinr_db=3, latency_ms=31.5))
        times = []
        for _ in range(10):
            begun = time.perf_counter()
            found = [one for modem in modems for one in store.query_many(modem, names, START - 30 * 86400, START)]
            rows = [compact(one, grid, band=True) for one in found if (grid := grid_of(one)) is not None]
            text = json.dumps(rows, separators=(",", ":"))
            times.append((time.perf_counter() - begun) * 1000)
        assert len(rows) == len(modems) * len(names)
        return sorted(times)[len(times) // 2], len(text)


def main() -> int:
    """Print the figures; 1 when a bar is missed."""
    batches = readings()
    ratios = []
    for _ in range(ROUNDS):
        ours, theirs = through_the_store(batches), bare(batches)
        ratios.append(ours / theirs)
        print(f"store {ours:8.0f} readings/s   bare rrdtool {theirs:8.0f} readings/s   ratio {ours / theirs:.2f}")
    ratio = sorted(ratios)[len(ratios) // 2]
    month, megabytes = month_ms()
    print(f"median ratio {ratio:.2f} (bar {BAR})")
    print(f"series of 30 d: {month:.1f} ms (bar {SERIES_BAR_MS:.0f})")
    page, size = page_ms()
    print(f"a page's 12 series of 30 d: {page:.1f} ms (bar {SERIES_BAR_MS:.0f}), {size / 1000:.0f} kB")
    print(f"backup of one modem with a month behind it: {megabytes:.1f} MB a day, {megabytes * 8:.0f} MB for 8")
    return 0 if ratio >= BAR and max(month, page) <= SERIES_BAR_MS else 1


if __name__ == "__main__":
    sys.exit(main())
