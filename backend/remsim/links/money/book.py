"""What links have carried: bytes a day (UTC), link, SIM and policy."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from remsim.core.clock import FIRST_TRUSTED, Clock
from remsim.links.money.journal import Journal
from remsim.telemetry.database import Database
from remsim.telemetry.usage import FIRST_DAY, day_of

COLUMNS = ("day", "link", "sim", "policy")
CORRECTION = "correction"
"""Stands for a policy where the user has put the count right."""
SCHEMA = """
CREATE TABLE IF NOT EXISTS carried (
    day TEXT NOT NULL, link TEXT NOT NULL, sim TEXT NOT NULL, policy TEXT NOT NULL,
    rx_bytes INTEGER NOT NULL, tx_bytes INTEGER NOT NULL, PRIMARY KEY (day, link, sim, policy)
);
"""
ADD = """
INSERT INTO carried VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (day, link, sim, policy)
DO UPDATE SET rx_bytes = rx_bytes + excluded.rx_bytes, tx_bytes = tx_bytes + excluded.tx_bytes
"""
DATE = """
INSERT INTO carried SELECT ?, link, sim, policy, SUM(rx_bytes), SUM(tx_bytes) FROM carried WHERE day < ?
GROUP BY link, sim, policy ON CONFLICT (day, link, sim, policy)
DO UPDATE SET rx_bytes = rx_bytes + excluded.rx_bytes, tx_bytes = tx_bytes + excluded.tx_bytes
"""
SHOWN_FROM_MEMORY = 5000
KEPT_DAYS = 400
DAY_S = 86400
Counts = dict[tuple[str, str, str, str], list[int]]


class Book:
    """Counts in memory, written every minute, and noted in ``journal`` between. ``sim`` is empty where there is none,
    ``policy`` where none took it.

    Who adds does not wait for the disk; who asks waits while it is written.
    """

    def __init__(self, path: Path, *, clock: Clock, journal: Journal | None = None) -> None:
        self._clock, self._journal = clock, journal
        self._writing = threading.RLock()
        self._lock = threading.Lock()
        self._counted: Counts = journal.read() if journal is not None else {}
        tables = {"carried": "day"}
        self._file = Database(
            path, clock=clock, what="usage of links", schema=SCHEMA, tables=tables, shown=SHOWN_FROM_MEMORY
        )

    @property
    def problem(self) -> str | None:
        """What keeps it from being stored, in a sentence."""
        return self._file.problem

    def add(self, link: str, sim: str, policy: str, rx_bytes: int, tx_bytes: int) -> None:
        """Put bytes to an account of today."""
        with self._lock:
            put(self._counted, (day_of(self._clock.now()), link, sim, policy), rx_bytes, tx_bytes)

    def note(self) -> None:
        """Have a service that is killed find again what is not written yet."""
        if self._journal is None:
            return
        with self._writing:
            with self._lock:
                counted = {key: list(count) for key, count in self._counted.items()}
            if counted:
                self._journal.keep(counted)

    def flush(self) -> None:
        """Write what was counted; while there is no file it is shown from memory and kept to be written."""
        with self._writing:
            self._file.leave_memory()
            if self._file.in_memory or not (self._counted or self.problem is not None):
                return
            with self._lock:
                taken, self._counted = self._counted, {}
            if self._journal is not None:
                self._journal.clear()  # before it is written: a minute may be lost, but nothing is counted twice
            if self._file.tried(lambda: self._write(taken)):
                self._file.well()
                return
            with self._lock:
                for key, count in taken.items():
                    put(self._counted, key, *count)

    def query(self, start_day: str, end_day: str, group: Iterable[str] = COLUMNS, **where: str) -> list[dict[str, Any]]:
        """Bytes of the days from ``start_day`` to ``end_day`` (``YYYY-MM-DD``, both in), grouped; ``where`` names
        columns and what they have to be."""
        names = [name for name in COLUMNS if name in group]
        with self._writing:
            with self._lock:
                counted = [(*key, *count) for key, count in self._counted.items()]
            select = "SELECT * FROM carried WHERE day >= ? AND day <= ?"
            stored = self._file.tried(lambda: self._file.connection.execute(select, (start_day, end_day)).fetchall())
        sums: dict[tuple[str, ...], list[int]] = {}
        for *key, rx_bytes, tx_bytes in (*(stored or ()), *counted):
            row = dict(zip(COLUMNS, key, strict=True))
            if start_day <= row["day"] <= end_day and all(row[name] == value for name, value in where.items()):
                total = sums.setdefault(tuple(row[name] for name in names), [0, 0])
                total[0] += rx_bytes
                total[1] += tx_bytes
        return [dict(zip((*names, "rx_bytes", "tx_bytes"), (*key, *sums[key]), strict=True)) for key in sorted(sums)]

    def first_day(self, **where: str) -> str | None:
        """The first day something was counted."""
        rows = self.query(FIRST_DAY, "9999", ("day",), **where)
        return rows[0]["day"] if rows else None

    def close(self) -> None:
        """Write and close."""
        with self._writing:
            self._file.leave_memory(at_once=True)
            self.flush()
            self._file.close()

    def _write(self, counted: Counts) -> bool:
        now, db = self._clock.now(), self._file.connection
        with db:
            db.executemany(ADD, [(*key, *count) for key, count in counted.items()])
            if now >= FIRST_TRUSTED:  # the day of what was counted before the clock was set is told now
                db.execute(DATE, (day_of(now), FIRST_DAY))
                old = day_of(now - KEPT_DAYS * DAY_S)
                db.execute("DELETE FROM carried WHERE day < ? OR day < ?", (FIRST_DAY, old))
        return True


def put(counts: Counts, key: tuple[str, str, str, str], rx_bytes: int, tx_bytes: int) -> None:
    """Add bytes to an account."""
    count = counts.setdefault(key, [0, 0])
    count[0] += rx_bytes
    count[1] += tx_bytes
