"""SQLite files of ours: opened, checked, repaired as far as they can be read, held in memory while the disk refuses."""

from __future__ import annotations

import contextlib
import logging
import math
import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from remsim.core.clock import Clock

log = logging.getLogger(__name__)

RETRY_S = 30.0
REPAIR_EVERY_S = 600.0
"""A file is not repaired again and again: each time keeps the damaged one, and what breaks it is the disk."""
SUFFIXES = ("", "-wal", "-shm")
META = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);"
Result = TypeVar("Result")


class Database:
    """One file and its connection, which changes with a repair and is to memory while the disk refuses.

    ``what`` is in it, for the sentences; ``tables`` are those to save from a damaged file, with the column to order
    by, and ``shown`` rows of each are shown from a file that cannot be written. Its owner sees to it that one thread
    at a time uses it.
    """

    def __init__(
        self,
        path: Path,
        *,
        clock: Clock,
        what: str,
        schema: str,
        tables: Mapping[str, str],
        shown: int,
        on_recovered: Callable[[sqlite3.Connection, int], None] | None = None,
    ) -> None:
        self._path = path
        self._clock = clock
        self._what = what
        self._schema = META + schema
        self._tables = tables
        self._shown = shown
        self._on_recovered = on_recovered
        self._retry_at = 0.0
        self._repaired_at = -math.inf
        self.in_memory = False
        self.problem: str | None = None
        self.connection = self._open()

    def tried(self, work: Callable[[], Result]) -> Result | None:
        """What ``work`` gives; done again when the file turned out damaged and was repaired, None in other trouble."""
        for _ in range(2):
            try:
                return work()
            except sqlite3.Error as error:
                if not self._repair(error):
                    self._trouble(error)
                    return None
        return None

    def leave_memory(self, *, at_once: bool = False) -> None:
        """Take the file again, now and then, until the disk lets us."""
        if self.in_memory and (at_once or self._clock.monotonic() >= self._retry_at):
            memory, self.in_memory = self.connection, False
            self.connection = self._open()
            memory.close()

    def well(self) -> None:
        """Everything is in the file."""
        if self.problem is not None:
            self.problem = None
            log.info("%s: written to %s again", self._what, self._path)

    def close(self) -> None:
        """Mark a clean end and close."""
        with contextlib.suppress(sqlite3.Error):
            with self.connection as db:
                db.execute("INSERT OR REPLACE INTO meta VALUES ('clean', '1')")
            self.connection.close()

    def _open(self) -> sqlite3.Connection:
        """The file; a damaged one is replaced by what can be read of it, one on a refusing disk is shown only."""
        try:
            db = open_checked(self._path, self._schema) or self._recover()
            with db:
                db.execute("DELETE FROM meta WHERE name = 'clean'")
        except (sqlite3.Error, OSError) as error:
            self.in_memory = True
            self._retry_at = self._clock.monotonic() + RETRY_S
            self._trouble(error)
            db = connect(None, self._schema)
            for table, order in self._tables.items():
                copy_of_unwritable(self._path, db, table, order, self._shown)
        return db

    def _repair(self, error: sqlite3.Error) -> bool:
        """Whether a file that was damaged while we run has been opened anew."""
        now = self._clock.monotonic()
        if not is_damage(error) or self.in_memory or now - self._repaired_at < REPAIR_EVERY_S:
            return False
        self._repaired_at = now
        with contextlib.suppress(sqlite3.Error):
            self.connection.close()
        self.connection = self._open()
        return not self.in_memory

    def _recover(self) -> sqlite3.Connection:
        """Move the damaged file aside and copy its readable rows into a new one."""
        aside = move_aside(self._path, self._clock)
        db = connect(self._path, self._schema)
        kept = sum(copy_readable(aside, db, table, order) for table, order in self._tables.items())
        log.error("%s was damaged and is kept as %s; %d rows could be read", self._path, aside.name, kept)
        if self._on_recovered is not None:
            self._on_recovered(db, kept)
        return db

    def _trouble(self, error: Exception) -> None:
        text = f"{self._what} cannot be written to {self._path}: {error}"
        if self.problem != text:
            log.error("%s", text)
        self.problem = text


def connect(path: Path | None, schema: str) -> sqlite3.Connection:
    """A connection with our settings; in memory without a path."""
    db = sqlite3.connect(path or ":memory:", check_same_thread=False, timeout=5.0)
    try:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA cache_size = -512")
        db.execute("PRAGMA wal_autocheckpoint = 256")
        db.executescript(schema)
    except sqlite3.Error:
        db.close()
        raise
    return db


def is_sound(db: sqlite3.Connection) -> bool:
    """Whether the file's structure is whole."""
    return bool(db.execute("PRAGMA quick_check").fetchone()[0] == "ok")


def is_damage(error: sqlite3.Error) -> bool:
    """Whether the file's content is the trouble; a refusing disk and our own mistakes have errors of their own."""
    return type(error) is sqlite3.DatabaseError


def move_aside(path: Path, clock: Clock) -> Path:
    """Rename a damaged file with what belongs to it: a log left behind would be played into the next file."""
    name = f"{path.name}.damaged-{int(clock.now())}"
    number = 1
    while path.with_name(name).exists():
        number += 1
        name = f"{path.name}.damaged-{int(clock.now())}-{number}"
    for suffix in SUFFIXES:
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(path.with_name(name + suffix))
    return path.with_name(name)


def copy_readable(damaged: Path, new: sqlite3.Connection, table: str, order: str) -> int:
    """Copy a table's rows from both ends up to the damage; how many they are."""
    kept = 0
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(damaged)) as old:
        old.text_factory = lambda raw: raw.decode("utf-8", "replace")
        old.execute("PRAGMA writable_schema = ON")  # else SQLite reads nothing of a file that lost its end
        for direction in ("ASC", "DESC"):
            with contextlib.suppress(sqlite3.Error):  # where the damage begins
                for row in old.execute(f"SELECT * FROM {table} ORDER BY {order} {direction}"):
                    places = ",".join("?" * len(row))
                    with contextlib.suppress(sqlite3.IntegrityError):
                        kept += new.execute(f"INSERT OR IGNORE INTO {table} VALUES ({places})", row).rowcount
            new.commit()
    return kept


def copy_of_unwritable(path: Path, new: sqlite3.Connection, table: str, order: str, most: int) -> None:
    """Bring the newest rows of a file on a disk that takes nothing into memory, so that they can still be seen."""
    with contextlib.suppress(sqlite3.Error):
        old = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
        with contextlib.closing(old), new:
            for row in old.execute(f"SELECT * FROM {table} ORDER BY {order} DESC LIMIT {most}"):
                new.execute(f"INSERT OR IGNORE INTO {table} VALUES ({','.join('?' * len(row))})", row)


def open_checked(path: Path, schema: str) -> sqlite3.Connection | None:
    """The database, or None when it is damaged; ``sqlite3.OperationalError`` when the disk refuses.

    Only a file that was not closed is looked through: it takes time on flash.
    """
    db: sqlite3.Connection | None = None
    try:
        db = connect(path, schema)
        was_closed = db.execute("SELECT value FROM meta WHERE name = 'clean'").fetchone()
        if was_closed or is_sound(db):
            return db
    except sqlite3.OperationalError:
        if db is not None:
            db.close()
        raise
    except sqlite3.DatabaseError as error:
        log.error("%s: %s", path, error)
    if db is not None:
        db.close()
    return None
