"""The journal of events: SQLite with a write-ahead log, whole after kill -9, repaired after worse.

An event is committed before anybody is told of it. While the disk takes nothing, events wait in memory in their order,
are shown from there, and are written as soon as it does again.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections import deque
from collections.abc import Iterable
from collections.abc import Sequence as SequenceOf
from dataclasses import replace
from pathlib import Path
from typing import Any

from remsim.core.clock import FIRST_TRUSTED, Clock
from remsim.core.events import Event
from remsim.telemetry.database import Database
from remsim.telemetry.sequence import Sequence

log = logging.getLogger(__name__)

SCHEMA = """
CREATE TABLE IF NOT EXISTS events (
    id INTEGER PRIMARY KEY, at REAL NOT NULL, kind TEXT NOT NULL, source TEXT NOT NULL,
    severity TEXT NOT NULL, message TEXT NOT NULL, data TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS events_source ON events (source, id);
CREATE INDEX IF NOT EXISTS events_at ON events (at);
"""
INSERT = "INSERT OR REPLACE INTO events VALUES (?, ?, ?, ?, ?, ?, ?)"
WAITING_LIMIT = 2000
TRIM_EVERY = 200
SHOWN_FROM_MEMORY = 2000
MOST_EVENTS = 500


class Journal:
    """Append and query from any thread."""

    def __init__(self, path: Path, *, clock: Clock, sequence: Sequence, days: int = 400, max_mb: int = 16) -> None:
        self._clock = clock
        self._sequence = sequence
        self._days = days
        self._max_bytes = max_mb * 1_000_000
        self._lock = threading.RLock()
        self._waiting: deque[Event] = deque(maxlen=WAITING_LIMIT)
        self._unset: tuple[int, float] | None = None
        self._appended = 0
        self._lost = 0
        self._file = Database(
            path,
            clock=clock,
            what="events",
            schema=SCHEMA,
            tables={"events": "id"},
            shown=SHOWN_FROM_MEMORY,
            on_recovered=self._tell_recovery,
        )
        sequence.raise_to(self.latest_id())
        self.trim()

    @property
    def problem(self) -> str | None:
        """What keeps events from being stored, in a sentence."""
        return self._file.problem

    def append(self, event: Event) -> Event:
        """Write an event and give it its number."""
        with self._lock:
            numbered = event if event.id is not None else event.with_id(self._sequence.next())
            self._keep_time(numbered)
            if len(self._waiting) == WAITING_LIMIT:
                self._lost += 1
            self._waiting.append(numbered)
            self._flush()
            self._appended += 1
            if self._appended % TRIM_EVERY == 0:
                self.trim()
            return numbered

    def append_history(self, events: Iterable[Event]) -> int:
        """Write numbered events of the past in one transaction; how many were."""
        rows = [row_of(event) for event in events]
        with self._lock:
            return len(rows) if self._file.tried(lambda: self._insert(rows)) else 0

    def query(
        self,
        *,
        limit: int = 100,
        cursor: int | None = None,
        since: int | None = None,
        kinds: SequenceOf[str] | None = None,
        modem: str | None = None,
        severities: SequenceOf[str] | None = None,
        text: str | None = None,
        start: float | None = None,
        end: float | None = None,
    ) -> tuple[list[Event], int | None]:
        """Events, newest first, and the cursor of the next page (None at the end).

        ``cursor`` gives older ones, ``since`` newer ones than an id; the rest filters: ``text`` stands somewhere in
        the message, in capitals or not.
        """
        conditions: list[tuple[str, Any]] = [
            ("id < ?", cursor),
            ("id > ?", since),
            ("source = ?", modem),
            ("at >= ?", start),
            ("at <= ?", end),
            ("instr(lower(message), ?) > 0", text and text.lower()),
        ]
        wanted = [(condition, value) for condition, value in conditions if value is not None]
        values = [value for _, value in wanted]
        texts = [condition for condition, _ in wanted]
        for column, among in (("kind", kinds), ("severity", severities)):
            if among:
                texts.append(f"{column} IN ({','.join('?' * len(among))})")
                values += among
        where = f"WHERE {' AND '.join(texts)}" if texts else ""
        limit = min(max(limit, 1), MOST_EVENTS)
        with self._lock:
            if self._waiting:
                self._flush()
            select = f"SELECT * FROM events {where} ORDER BY id DESC LIMIT ?"
            rows = self._file.tried(lambda: self._db.execute(select, (*values, limit + 1)).fetchall())
            if rows is not None and not self._waiting and not self._file.in_memory:
                self._file.well()
            found = {row[0]: event_of(row) for row in rows or ()}
            for event in self._waiting:
                if (
                    (cursor is None or (event.id or 0) < cursor)
                    and (since is None or (event.id or 0) > since)
                    and (modem is None or event.source == modem)
                    and (start is None or event.at >= start)
                    and (end is None or event.at <= end)
                    and (not kinds or event.kind in kinds)
                    and (not severities or event.severity in severities)
                    and (not text or text.lower() in event.message.lower())
                ):
                    found[event.id] = event
        events = sorted(found.values(), key=lambda event: -(event.id or 0))
        return events[:limit], (events[limit - 1].id if len(events) > limit else None)

    def outline(
        self, kinds: SequenceOf[str], source: str, names: SequenceOf[str], start: float, end: float, limit: int
    ) -> tuple[list[Event], bool]:
        """The newest events of a source, oldest first, and whether they are all; of their data only what is named and
        known, and no messages. Many times quicker than ``query``.
        """
        told = ", ".join(f"json_extract(data, '$.{name}')" for name in names)
        among = ",".join("?" * len(kinds))
        select = (
            f"SELECT kind, source, at, id, {told} FROM events WHERE source = ? AND kind IN ({among}) "
            "AND at >= ? AND at <= ? AND json_valid(data) ORDER BY id DESC LIMIT ?"
        )
        with self._lock:
            if self._waiting:
                self._flush()
            values = (source, *kinds, start, end, limit + 1)
            rows = self._file.tried(lambda: self._db.execute(select, values).fetchall()) or []
            found = [outlined(row[:4], zip(names, row[4:], strict=True)) for row in rows]
            found += [
                outlined((one.kind, one.source, one.at, one.id), ((name, one.data.get(name)) for name in names))
                for one in self._waiting
                if one.source == source and one.kind in kinds and start <= one.at <= end
            ]
        newest = sorted({one.id: one for one in found}.values(), key=lambda one: one.id or 0)[-limit:]
        return sorted(newest, key=lambda one: (one.at, one.id or 0)), len(found) <= limit

    def changes_told(
        self, kinds: SequenceOf[str], sources: SequenceOf[str], start: float, end: float, bucket_s: float
    ) -> list[tuple[str, str, Any, Any, int, int]]:
        """How often events told what: source, kind, ``from``, ``to``, number of the bucket from ``start``, count.

        Only of registrations ``from`` and ``to`` are told; of other kinds they are None.
        """
        places = [",".join("?" * len(names)) for names in (kinds, sources)]
        told = ", ".join(
            f"CASE WHEN kind = 'registration' AND json_valid(data) THEN json_extract(data, '$.{name}') END"
            for name in ("from", "to")
        )
        select = (
            f"SELECT source, kind, {told}, CAST((at - ?) / ? AS INTEGER) AS bucket, COUNT(*) FROM events WHERE "
            f"at >= ? AND at <= ? AND kind IN ({places[0]}) AND source IN ({places[1]}) GROUP BY 1, 2, 3, 4, 5"
        )
        with self._lock:
            if self._waiting:
                self._flush()
            values = (start, bucket_s, start, end, *kinds, *sources)
            rows: list[tuple[str, str, Any, Any, int, int]] = (
                self._file.tried(lambda: self._db.execute(select, values).fetchall()) or []
            )
            for event in self._waiting:
                if event.kind in kinds and event.source in sources and start <= event.at <= end:
                    before, now = event.data.get("from"), event.data.get("to")
                    rows.append((event.source, event.kind, before, now, int((event.at - start) / bucket_s), 1))
        return rows

    def latest_id(self) -> int:
        """The highest id in the journal; 0 when it is empty."""
        with self._lock:
            return self._file.tried(lambda: highest_id(self._db)) or 0

    def trim(self) -> None:
        """Drop events that are too old, and the oldest while the file is too large."""
        with self._lock:
            self._file.tried(self._drop_old)

    def close(self) -> None:
        """Write what waits and close."""
        with self._lock:
            self._file.leave_memory(at_once=True)
            self._flush()
            self._file.close()

    @property
    def _db(self) -> sqlite3.Connection:
        return self._file.connection

    def _keep_time(self, event: Event) -> None:
        """Events of a clock that is not set since boot get their true time with the first of one that is."""
        now = self._clock.now()
        offset = now - self._clock.monotonic()
        if now < FIRST_TRUSTED:
            self._unset = self._unset or (event.id or 0, offset)
        elif self._unset is not None:
            first, unset_offset = self._unset
            shift = offset - unset_offset
            self._waiting = deque(
                (replace(one, at=one.at + shift) if one.at < FIRST_TRUSTED else one for one in self._waiting),
                WAITING_LIMIT,
            )
            if self._file.tried(lambda: self._shift(first, shift)):
                self._unset = None

    def _shift(self, first: int, seconds: float) -> bool:
        with self._db:
            text = "UPDATE events SET at = at + ? WHERE id >= ? AND at < ?"
            self._db.execute(text, (seconds, first, FIRST_TRUSTED))
        return True

    def _drop_old(self) -> None:
        with self._db:
            # Events of an unset clock have no age that is known: they go by size.
            ages = (FIRST_TRUSTED, self._clock.now() - self._days * 86400)
            self._db.execute("DELETE FROM events WHERE at >= ? AND at < ?", ages)
        while self._used_bytes() > self._max_bytes:
            with self._db:
                dropped = self._db.execute(
                    "DELETE FROM events WHERE id IN (SELECT id FROM events ORDER BY id LIMIT "
                    "(SELECT COUNT(*) / 10 + 1 FROM events))"
                ).rowcount
            if not dropped:
                break

    def _insert(self, rows: Iterable[tuple[Any, ...]]) -> bool:
        with self._db:
            self._db.executemany(INSERT, rows)
        return True

    def _used_bytes(self) -> int:
        pages, size, free = (
            self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size", "freelist_count")
        )
        return int((pages - free) * size)

    def _flush(self) -> None:
        """Commit what waits; to memory and not off the list while there is no file."""
        self._file.leave_memory()
        rows = [row_of(event) for event in self._waiting]
        if not self._file.tried(lambda: self._insert(rows)) or self._file.in_memory:
            return
        self._waiting.clear()
        self._file.well()
        if self._lost:
            text = f"{self._lost} events were lost while the disk took nothing"
            self._lost = 0
            self.append(Event("error", "remsim", self._clock.now(), text, "error"))

    def _tell_recovery(self, db: sqlite3.Connection, kept: int) -> None:
        """The new file begins with what befell the old one."""
        self._sequence.raise_to(highest_id(db))
        text = f"the journal was damaged; {kept} events could be kept"
        event = Event("journal_recovered", "remsim", self._clock.now(), text, "error", {"kept": kept})
        with db:
            db.execute(INSERT, row_of(event.with_id(self._sequence.next())))


def highest_id(db: sqlite3.Connection) -> int:
    """0 when there is none."""
    return int(db.execute("SELECT COALESCE(MAX(id), 0) FROM events").fetchone()[0])


def row_of(event: Event) -> tuple[Any, ...]:
    """An event as a row; what a modem said may hold anything, and nothing of it may keep others from being written."""
    data = json.dumps(event.data, default=str)
    texts = (plain(text) for text in (event.kind, event.source, event.severity, event.message))
    kind, source, severity, message = texts
    return event.id, event.at, kind, source, severity, message, data


def outlined(head: tuple[Any, ...], data: Iterable[tuple[str, Any]]) -> Event:
    """An event of kind, source, time and id, with what is known of some data."""
    kind, source, at, number = head
    return Event(kind, source, at, "", "info", {name: value for name, value in data if value is not None}, number)


def plain(text: str) -> str:
    """Text that UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode()


def event_of(row: tuple[Any, ...]) -> Event:
    """A row as an event."""
    try:
        data = json.loads(row[6])
    except ValueError:
        data = {}
    return Event(row[2], row[3], row[1], row[5], row[4], data if isinstance(data, dict) else {}, row[0])
