"""``esim-records.db``: what was loaded in bulk, what rules decided, what was ordered, and every profile ever seen.

Codes of rows that wait and numbers of cards are in it: the file is for its owner only.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from remsim.core.clock import Clock
from remsim.core.errors import StorageError
from remsim.esim.private_file import PrivateFile, Statement

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


class Records(PrivateFile):
    """The file."""

    def __init__(self, path: Path, *, clock: Clock) -> None:
        super().__init__(path, clock=clock, what="eSIM records", schema=SCHEMA, tables=TABLES)

    def must_write(self, statements: Iterable[Statement], what: str) -> None:
        """As ``write``, or ``StorageError``: for what may not be done unless it is written down."""
        if not self.write(*statements):
            raise StorageError(f"{what}: {self.problem or 'the service ends'}", hint="free space, then go on")
