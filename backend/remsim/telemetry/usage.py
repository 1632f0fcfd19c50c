"""Bytes a SIM, modem, interface and day (UTC), from counters that restart whenever they like."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from remsim.core.clock import FIRST_TRUSTED, Clock
from remsim.core.reading import ModemReading
from remsim.telemetry.database import Database

log = logging.getLogger(__name__)

UNKNOWN_SIM = "unknown SIM"
GROUPS = ("day", "sim", "modem", "interface")
SCHEMA = """
CREATE TABLE IF NOT EXISTS usage (
    day TEXT NOT NULL, sim TEXT NOT NULL, modem TEXT NOT NULL, interface TEXT NOT NULL,
    rx_bytes INTEGER NOT NULL, tx_bytes INTEGER NOT NULL, PRIMARY KEY (day, sim, modem, interface)
);
CREATE TABLE IF NOT EXISTS counters (
    modem TEXT NOT NULL, interface TEXT NOT NULL, boot TEXT NOT NULL,
    rx_bytes INTEGER NOT NULL, tx_bytes INTEGER NOT NULL, PRIMARY KEY (modem, interface)
);
"""
ADD = """
INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (day, sim, modem, interface)
DO UPDATE SET rx_bytes = rx_bytes + excluded.rx_bytes, tx_bytes = tx_bytes + excluded.tx_bytes
"""
DATE = """
INSERT INTO usage SELECT ?, sim, modem, interface, SUM(rx_bytes), SUM(tx_bytes) FROM usage WHERE day < ?
GROUP BY sim, modem, interface ON CONFLICT (day, sim, modem, interface)
DO UPDATE SET rx_bytes = rx_bytes + excluded.rx_bytes, tx_bytes = tx_bytes + excluded.tx_bytes
"""
SHOWN_FROM_MEMORY = 5000
Key = tuple[str, str, str, str]


class Usage:
    """Counts in memory, written every minute with the counters they were counted from: nothing counts twice."""

    def __init__(self, path: Path, *, clock: Clock, boot_id: str | None = None) -> None:
        self._clock = clock
        self._boot_id = boot_id or read_boot_id()
        self._lock = threading.Lock()
        self._counted: dict[Key, list[int]] = {}
        self._past: dict[Key, list[int]] = {}
        self._counters: dict[tuple[str, str], tuple[int, int]] = {}
        self._changed = False
        self._file = Database(
            path,
            clock=clock,
            what="usage",
            schema=SCHEMA,
            tables={"usage": "day", "counters": "modem"},
            shown=SHOWN_FROM_MEMORY,
        )
        self._load_counters()

    @property
    def problem(self) -> str | None:
        """What keeps usage from being stored, in a sentence."""
        return self._file.problem

    @property
    def _db(self) -> sqlite3.Connection:
        return self._file.connection

    def _load_counters(self) -> None:
        """What each interface stood at; since another boot it has begun at zero."""
        rows = self._file.tried(lambda: self._db.execute("SELECT * FROM counters").fetchall())
        for modem, interface, boot, rx_bytes, tx_bytes in rows or ():
            stood_at = (rx_bytes, tx_bytes) if boot == self._boot_id else (0, 0)
            self._counters.setdefault((modem, interface), stood_at)

    def record(self, reading: ModemReading) -> None:
        """Count what came since the last reading of the interface; counters below the last ones have restarted."""
        if reading.interface is None or reading.rx_bytes is None or reading.tx_bytes is None:
            return
        place = (reading.modem, reading.interface)
        now = (reading.rx_bytes, reading.tx_bytes)
        with self._lock:
            before = self._counters.get(place)
            self._counters[place] = now
            self._changed |= now != before
            if before is None:
                return  # what came before we looked belongs to nobody we know
            if now[0] < before[0] or now[1] < before[1]:
                before = (0, 0)
            add(self._counted, reading, now[0] - before[0], now[1] - before[1])

    def record_past(self, reading: ModemReading, seconds: float) -> None:
        """Count a reading of the past by its rates: its counters are not the interface's of today."""
        if reading.interface is None or reading.rx_bits_per_s is None or reading.tx_bits_per_s is None:
            return
        with self._lock:
            rx, tx = (round(rate * seconds / 8) for rate in (reading.rx_bits_per_s, reading.tx_bits_per_s))
            add(self._past, reading, rx, tx)

    def keep_past(self) -> None:
        """What was counted of the past is whole: let it count."""
        with self._lock:
            for key, (rx_bytes, tx_bytes) in self._past.items():
                count = self._counted.setdefault(key, [0, 0])
                count[0] += rx_bytes
                count[1] += tx_bytes
                self._changed = True
            self._past.clear()

    def flush(self) -> None:
        """Write what was counted; while there is no file it is shown from memory and kept to be written."""
        with self._lock:
            self._file.leave_memory()
            wanted = self._changed or self.problem is not None
            if wanted and not self._file.in_memory and self._file.tried(self._write):
                self._counted.clear()
                self._changed = False
                self._file.well()

    def query(
        self,
        start_day: str,
        end_day: str,
        modem: str | None = None,
        group: Sequence[str] = GROUPS,
        sim: str | None = None,
    ) -> list[dict[str, Any]]:
        """Bytes of the days from ``start_day`` to ``end_day`` (``YYYY-MM-DD``, both in), grouped."""
        names = [name for name in GROUPS if name in group]
        with self._lock:
            # What is not written yet counts too, and a look writes nothing.
            counted = [(*key, *count) for key, count in self._counted.items()]
            select = "SELECT * FROM usage WHERE day >= ? AND day <= ? AND sim = COALESCE(?, sim)"
            stored = self._file.tried(lambda: self._db.execute(select, (start_day, end_day, sim)).fetchall())
        sums: dict[tuple[str, ...], list[int]] = {}
        for *key, rx_bytes, tx_bytes in (*(stored or ()), *counted):
            row = dict(zip(GROUPS, key, strict=True))
            if start_day <= row["day"] <= end_day and modem in (None, row["modem"]) and sim in (None, row["sim"]):
                total = sums.setdefault(tuple(row[name] for name in names), [0, 0])
                total[0] += rx_bytes
                total[1] += tx_bytes
        return [dict(zip((*names, "rx_bytes", "tx_bytes"), (*key, *sums[key]), strict=True)) for key in sorted(sums)]

    def seen(self) -> list[tuple[str, str, str]]:
        """Each SIM, day and modem that has usage, once."""
        with self._lock:
            select = "SELECT DISTINCT sim, day, modem FROM usage WHERE day >= ?"
            stored = self._file.tried(lambda: self._db.execute(select, (FIRST_DAY,)).fetchall()) or []
            counted = [(sim, day, modem) for day, sim, modem, _ in self._counted if day >= FIRST_DAY]
        return sorted({*stored, *counted})

    def first_day(self, sim: str) -> str | None:
        """The first day a SIM has usage of."""
        with self._lock:
            select = "SELECT MIN(day) FROM usage WHERE sim = ? AND day >= ?"
            stored = self._file.tried(lambda: self._db.execute(select, (sim, FIRST_DAY)).fetchone())
            days = [day for day, of_sim, _, _ in self._counted if of_sim == sim and day >= FIRST_DAY]
        return min([*days, *(day for day in stored or () if day is not None)], default=None)

    def close(self) -> None:
        """Write and close."""
        with self._lock:
            self._file.leave_memory(at_once=True)
        self.flush()
        self._file.close()

    def _write(self) -> bool:
        now = self._clock.now()
        with self._db:
            self._db.executemany(ADD, [(*key, *count) for key, count in self._counted.items()])
            self._db.executemany(
                "INSERT OR REPLACE INTO counters VALUES (?, ?, ?, ?, ?)",
                [(*place, self._boot_id, *counters) for place, counters in self._counters.items()],
            )
            if now >= FIRST_TRUSTED:  # the day of what was counted before the clock was set is told now
                self._db.execute(DATE, (day_of(now), FIRST_DAY))
                self._db.execute("DELETE FROM usage WHERE day < ?", (FIRST_DAY,))
        return True


def add(counted: dict[Key, list[int]], reading: ModemReading, rx_bytes: int, tx_bytes: int) -> None:
    """Put bytes to the account of a reading's day, SIM, modem and interface."""
    if rx_bytes or tx_bytes:
        key = (day_of(reading.at), reading.sim or UNKNOWN_SIM, reading.modem, reading.interface or "")
        count = counted.setdefault(key, [0, 0])
        count[0] += rx_bytes
        count[1] += tx_bytes


def day_of(epoch_s: float) -> str:
    """The day (UTC) of a time."""
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%d")


FIRST_DAY = day_of(FIRST_TRUSTED)
"""Earlier days are those of a clock that was not set."""


def read_boot_id() -> str:
    """Changes with every boot of the kernel: counters of another boot are no base."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"
