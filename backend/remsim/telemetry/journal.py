"""The journal of events: SQLite with a write-ahead log, whole after kill -9, repaired after worse.

An event is committed before anybody is told of it. While the disk takes nothing, events wait in memory in their order
and are written as soon as it does again.
"""

from __future__ import annotations

import contextlib
import json
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Iterable
from collections.abc import Sequence as SequenceOf
from pathlib import Path
from typing import Any

from remsim.core.clock import Clock
from remsim.core.events import Event
from remsim.telemetry.sequence import Sequence

log = logging.getLogger(__name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL,
    severity TEXT NOT NULL, message TEXT NOT NULL, data TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_source ON events (source, id);
CREATE INDEX IF NOT EXISTS events_at ON events (at);
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""
INSERT = "INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?, ?, ?)"
WAITING_LIMIT = 2000
TRIM_EVERY = 200
MOST_EVENTS = 500


class Journal:
    """Append and query from any thread."""

    def __init__(self, path: Path, *, clock: Clock, sequence: Sequence, days: int = 400, max_mb: int = 16) -> None:
        self._path = path
        self._clock = clock
        self._sequence = sequence
        self._days = days
        self._max_bytes = max_mb * 1_000_000
        self._lock = threading.RLock()
        self._waiting: deque[Event] = deque(maxlen=WAITING_LIMIT)
        self._appended = 0
        self.problem: str | None = None
        self._db = self._open()
        sequence.raise_to(self.latest_id())

    def append(self, event: Event) -> Event:
        """Write an event and give it its number."""
        with self._lock:
            numbered = event if event.id is not None else event.with_id(self._sequence.next())
            self._waiting.append(numbered)
            self._flush()
            self._appended += 1
            if self._appended % TRIM_EVERY == 0:
                self.trim()
            return numbered

    def append_history(self, events: Iterable[Event]) -> None:
        """Write numbered events of the past in one transaction."""
        with self._lock:
            try:
                with self._db:
                    self._db.executemany(INSERT, map(row_of, events))
            except sqlite3.Error as error:
                self._trouble(error)

    def query(
        self,
        *,
        limit: int = 100,
        cursor: int | None = None,
        since: int | None = None,
        kinds: SequenceOf[str] | None = None,
        modem: str | None = None,
        start: float | None = None,
        end: float | None = None,
    ) -> tuple[list[Event], int | None]:
        """Events, newest first, and the cursor of the next page (None at the end).

        ``cursor`` gives older ones, ``since`` newer ones than an id; the rest filters.
        """
        conditions: list[tuple[str, Any]] = [
            ("id < ?", cursor),
            ("id > ?", since),
            ("source = ?", modem),
            ("at >= ?", start),
            ("at <= ?", end),
        ]
        wanted = [(text, value) for text, value in conditions if value is not None]
        values = [value for _, value in wanted]
        texts = [text for text, _ in wanted]
        if kinds:
            texts.append(f"kind IN ({','.join('?' * len(kinds))})")
            values += kinds
        where = f"WHERE {' AND '.join(texts)}" if texts else ""
        limit = min(max(limit, 1), MOST_EVENTS)
        with self._lock:
            try:
                rows = self._db.execute(
                    f"SELECT * FROM events {where} ORDER BY id DESC LIMIT ?", (*values, limit + 1)
                ).fetchall()
            except sqlite3.Error as error:
                self._trouble(error)
                rows = []
        events = [event_of(row) for row in rows[:limit]]
        return events, (events[-1].id if len(rows) > limit else None)

    def latest_id(self) -> int:
        """The highest id in the journal; 0 when it is empty."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            return int(self._db.execute("SELECT COALESCE(MAX(id), 0) FROM events").fetchone()[0])
        return 0

    def trim(self) -> None:
        """Drop events that are too old, and the oldest while the file is too large."""
        with self._lock:
            try:
                with self._db:
                    self._db.execute("DELETE FROM events WHERE at < ?", (self._clock.now() - self._days * 86400,))
                pages, size, free = (
                    self._db.execute(f"PRAGMA {name}").fetchone()[0]
                    for name in ("page_count", "page_size", "freelist_count")
                )
                if (pages - free) * size > self._max_bytes:
                    with self._db:
                        self._db.execute(
                            "DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT "
                            "(SELECT COUNT(*) / 10 + 1 FROM events))"
                        )
            except sqlite3.Error as error:
                self._trouble(error)

    def close(self) -> None:
        """Mark a clean end and close."""
        with self._lock:
            self._flush()
            with contextlib.suppress(sqlite3.Error):
                with self._db:
                    self._db.execute("INSERT OR REPLACE INTO meta VALUES ('clean', '1')")
                self._db.close()

    def _flush(self) -> None:
        """Commit what waits."""
        try:
            with self._db:
                self._db.executemany(INSERT, map(row_of, self._waiting))
        except sqlite3.Error as error:
            self._trouble(error)
        else:
            self._waiting.clear()
            if self.problem is not None:
                self.problem = None
                log.info("events are stored again")

    def _trouble(self, error: sqlite3.Error) -> None:
        text = f"events cannot be written to {self._path}: {error}"
        if self.problem != text:
            log.error("%s", text)
        self.problem = text

    def _open(self) -> sqlite3.Connection:
        """The database; a damaged one is replaced by what can be read of it."""
        recovered: int | None = None
        try:
            db = connect(self._path)
            clean = db.execute("SELECT value FROM meta WHERE name = 'clean'").fetchone()
            if clean is None and db.execute("PRAGMA quick_check").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("the integrity check failed")
            with db:
                db.execute("DELETE FROM meta WHERE name = 'clean'")
        except sqlite3.OperationalError as error:
            self.problem = f"events cannot be written to {self._path}: {error}"
            log.error("%s", self.problem)
            return connect(None)
        except sqlite3.DatabaseError as error:
            log.error("%s is damaged (%s); keeping what can be read", self._path, error)
            recovered = self._recover()
            db = connect(self._path)
        if recovered is not None:
            text = f"the journal was damaged; {recovered} events could be kept"
            event = Event("journal_recovered", "remsim", self._clock.now(), text, "error", {"kept": recovered})
            self._sequence.raise_to(int(db.execute("SELECT COALESCE(MAX(id), 0) FROM events").fetchone()[0]))
            with db:
                db.execute(INSERT, row_of(event.with_id(self._sequence.next())))
        return db

    def _recover(self) -> int:
        """Move the damaged file aside and copy its readable rows into a new one; how many they are."""
        aside = self._path.with_name(f"{self._path.name}.damaged-{int(self._clock.now())}")
        for suffix in ("", "-wal", "-shm"):
            with contextlib.suppress(OSError):
                self._path.with_name(self._path.name + suffix).rename(f"{aside}{suffix}")
        kept = 0
        new = connect(self._path)
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(aside)) as old:
            old.text_factory = lambda raw: raw.decode("utf-8", "replace")
            for order in ("ASC", "DESC"):  # from both ends, up to the damage
                with contextlib.suppress(sqlite3.Error):
                    for row in old.execute(f"SELECT * FROM events ORDER BY id {order}"):
                        with new:
                            kept += new.execute(INSERT.replace("REPLACE", "IGNORE"), row).rowcount
        new.close()
        return kept


def connect(path: Path | None) -> sqlite3.Connection:
    """A connection with our settings; in memory without a path."""
    db = sqlite3.connect(path or ":memory:", check_same_thread=False, timeout=5.0)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA cache_size = -512")
    db.executescript(SCHEMA)
    return db


def row_of(event: Event) -> tuple[Any, ...]:
    """An event as a row."""
    data = json.dumps(event.data, ensure_ascii=False)
    return event.id, event.at, event.kind, event.source, event.severity, event.message, data


def event_of(row: tuple[Any, ...]) -> Event:
    """A row as an event."""
    try:
        data = json.loads(row[6])
    except ValueError:
        data = {}
    return Event(row[2], row[3], row[1], row[5], row[4], data if isinstance(data, dict) else {}, row[0])
