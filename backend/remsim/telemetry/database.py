"""SQLite files of ours: opened, checked, repaired as far as they can be read, held in memory while the disk refuses."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

from remsim.core.clock import Clock

log = logging.getLogger(__name__)

RETRY_S = 30.0
REPAIR_EVERY_S = 600.0
"""A file is not repaired again and again: each time keeps the damaged one, and what breaks it is the disk."""
SUFFIXES = ("", "-wal", "-shm")


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


def open_checked(
    path: Path, schema: str, needs_check: Callable[[sqlite3.Connection], bool]
) -> sqlite3.Connection | None:
    """The database, or None when it is damaged; ``sqlite3.OperationalError`` when the disk refuses."""
    db: sqlite3.Connection | None = None
    try:
        db = connect(path, schema)
        if not needs_check(db) or is_sound(db):
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
