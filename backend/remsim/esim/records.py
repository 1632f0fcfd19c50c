"""``esim-records.db``: what was loaded in bulk, what rules decided, what was ordered, and every profile ever seen.

Codes of rows that wait and numbers of cards are in it: the file is for its owner only.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from remsim.core.clock import Clock
from remsim.core.errors import StorageError
from remsim.telemetry.database import Database

FILE = "esim-records.db"
SCHEMA = """
CREATE TABLE IF NOT EXISTS profiles (
    eid TEXT NOT NULL, iccid TEXT NOT NULL, id TEXT NOT NULL, holder TEXT NOT NULL, name TEXT NOT NULL, nickname TEXT,
    provider TEXT, state TEXT NOT NULL, first_seen REAL NOT NULL, last_seen REAL NOT NULL, PRIMARY KEY (eid, iccid)
);
CREATE TABLE IF NOT EXISTS origins (
    iccid TEXT PRIMARY KEY, kind TEXT NOT NULL, server TEXT NOT NULL, hint TEXT NOT NULL, source TEXT, at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS batches (
    id TEXT PRIMARY KEY, name TEXT NOT NULL, made_at REAL NOT NULL, actor TEXT NOT NULL, per_minute REAL NOT NULL,
    state TEXT NOT NULL, problem TEXT
);
CREATE TABLE IF NOT EXISTS bulk_rows (
    batch TEXT NOT NULL, number INTEGER NOT NULL, state TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (batch, number)
);
CREATE TABLE IF NOT EXISTS used_codes (digest TEXT PRIMARY KEY, batch TEXT NOT NULL, number INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS decisions (
    number INTEGER PRIMARY KEY, at REAL NOT NULL, rule TEXT NOT NULL, modem TEXT NOT NULL, data TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS orders (id TEXT PRIMARY KEY, made_at REAL NOT NULL, data TEXT NOT NULL);
"""
TABLES = {
    "profiles": "last_seen",
    "origins": "at",
    "batches": "made_at",
    "bulk_rows": "number",
    "used_codes": "digest",
    "decisions": "number",
    "orders": "made_at",
}
SHOWN_FROM_MEMORY = 1000
Statement = tuple[str, Sequence[Any]]


class Records:
    """The file. Any thread may use it; what ``write`` has returned from is on the disk."""

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self._lock = threading.RLock()
        self._is_closed = False
        with contextlib.suppress(OSError):  # SQLite's other files get the mode of this one
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
            path.chmod(0o600)
        self._file = Database(
            path, clock=clock, what="eSIM records", schema=SCHEMA, tables=TABLES, shown=SHOWN_FROM_MEMORY
        )

    @property
    def problem(self) -> str | None:
        """What keeps it from being written, in a sentence."""
        return self._file.problem

    def rows(self, select: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query finds; nothing of a file that cannot be read."""

        def work() -> list[tuple[Any, ...]]:
            return list(self._db.execute(select, values).fetchall())

        with self._lock:
            return self._file.tried(work) or [] if not self._is_closed else []

    def write(self, *statements: Statement) -> bool:
        """Do all of these or none; whether they are on the disk."""

        def work() -> bool:
            with self._db as db:
                for statement, values in statements:
                    db.execute(statement, values)
            return True

        with self._lock:
            if self._is_closed:
                return False
            self._file.leave_memory()
            is_done = bool(self._file.tried(work)) and not self._file.in_memory
            if is_done:
                self._file.well()
            return is_done

    def must_write(self, statements: Iterable[Statement], what: str) -> None:
        """As ``write``, or ``StorageError``: for what may not be done unless it is written down."""
        if not self.write(*statements):
            raise StorageError(f"{what}: {self.problem or 'the service ends'}", hint="free space, then go on")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._file.close()

    @property
    def _db(self) -> sqlite3.Connection:
        return self._file.connection
