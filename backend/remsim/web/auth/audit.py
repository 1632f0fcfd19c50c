"""Who changed what, from where, and what came of it: a table of ``accounts.db``."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

from remsim.core.clock import Clock, iso_utc
from remsim.core.small_dataclass import dataclass
from remsim.telemetry.database import Database

COLUMNS = ("id", "at", "user", "way", "address", "method", "path", "what", "status", "result")
SCHEMA = (
    "CREATE TABLE IF NOT EXISTS audit (id INTEGER PRIMARY KEY, at REAL, user TEXT, way TEXT, address TEXT, "
    "method TEXT, path TEXT, what TEXT, status INTEGER, result TEXT);"
)
MOST = 5000
DAYS = 90
PRUNE_EVERY = 100
MOST_REFUSED, WITHIN_S = 30, 60.0
"""Refused requests, and others of nobody we know, that are written down a minute; of more only the number is."""
MOST_WAITING = 200


@dataclass(frozen=True, slots=True)
class Entry:
    """One request that wanted to change something. ``what`` holds JSON values, secrets hidden; ``at`` is UTC."""

    at: float
    user: str
    way: str
    address: str
    method: str
    path: str
    what: Mapping[str, Any]
    status: int
    result: str
    id: int | None = None

    def row(self) -> tuple[Any, ...]:
        """Its row."""
        told = json.dumps(self.what, ensure_ascii=False, separators=(",", ":"))
        return (self.at, self.user, self.way, self.address, self.method, self.path, told, self.status, self.result)

    def as_dict(self) -> dict[str, Any]:
        """As the API shows it."""
        return {name: getattr(self, name) for name in COLUMNS} | {"at": iso_utc(self.at), "what": dict(self.what)}


def of_row(row: tuple[Any, ...]) -> Entry:
    """From its row."""
    values = dict(zip(COLUMNS, row, strict=True))
    try:
        values["what"] = json.loads(values["what"])
    except ValueError:
        values["what"] = {}
    return Entry(**values)


class Audit:
    """Appends and looks. While the disk takes nothing, entries wait in memory, bounded."""

    def __init__(self, file: Database, lock: threading.RLock, clock: Clock) -> None:
        self._file = file
        self._lock = lock
        self._clock = clock
        self._waiting: deque[Entry] = deque(maxlen=MOST_WAITING)
        self._appended = 0
        self._refused: deque[float] = deque(maxlen=MOST_REFUSED)
        self._left_out = 0

    def latest_at(self) -> float:
        """When the last entry was made; 0 without one."""
        found = self._tried("SELECT MAX(at) FROM audit", ())
        return float(found[0][0] or 0.0) if found else 0.0

    def append(self, entry: Entry) -> None:
        """Write one down. Of what anybody at all may cause not more than ``MOST_REFUSED`` a minute: flash wears, and
        the log would be pushed out.
        """
        now = self._clock.monotonic()
        with self._lock:
            if not entry.user or entry.status in (401, 403, 429):
                if len(self._refused) == MOST_REFUSED and now - self._refused[0] < WITHIN_S:
                    self._left_out += 1
                    return
                self._refused.append(now)
            if self._left_out:
                left_out, self._left_out = self._left_out, 0
                told = f"{left_out} more refused requests"
                self._waiting.append(Entry(entry.at, "", "", "", "", "", {}, 403, told))
            self._waiting.append(entry)
            self._write()

    def flush(self) -> None:
        """Write what waits."""
        with self._lock:
            self._write()

    def query(
        self,
        *,
        limit: int,
        cursor: int | None = None,
        user: str | None = None,
        text: str | None = None,
        refused: bool | None = None,
        start: float | None = None,
        end: float | None = None,
    ) -> tuple[list[Entry], int | None]:
        """Entries, the newest first, and the cursor of the older ones. ``text`` may stand in path, what or result."""
        like = f"%{(text or '').replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
        rules: list[tuple[str, tuple[Any, ...]]] = []
        if cursor is not None:
            rules.append(("id < ?", (cursor,)))
        if user is not None:
            rules.append(("user = ?", (user,)))
        if text:
            places = " OR ".join(f"{name} LIKE ? ESCAPE '!'" for name in ("path", "what", "result"))
            rules.append((f"({places})", (like,) * 3))
        if refused is not None:
            rules.append(("status >= 400" if refused else "status < 400", ()))
        if start is not None:
            rules.append(("at >= ?", (start,)))
        if end is not None:
            rules.append(("at < ?", (end,)))
        where = " AND ".join(rule for rule, _values in rules) or "1"
        values = [value for _rule, some in rules for value in some]
        select = f"SELECT {', '.join(COLUMNS)} FROM audit WHERE {where} ORDER BY id DESC LIMIT ?"
        self.flush()
        found = [of_row(row) for row in self._tried(select, (*values, limit + 1)) or ()]
        return found[:limit], found[limit - 1].id if len(found) > limit else None

    def pages(self, **filters: Any) -> Iterator[Entry]:
        """All entries of a filter, a few at a time."""
        cursor: int | None = None
        while True:
            found, cursor = self.query(limit=200, cursor=cursor, **filters)
            yield from found
            if cursor is None:
                return

    def _tried(self, select: str, values: tuple[Any, ...]) -> list[Any] | None:
        with self._lock:
            return self._file.tried(lambda: self._file.connection.execute(select, values).fetchall())

    def _write(self) -> None:
        """Write what waits; what the disk does not take is shown from memory and goes on waiting."""
        self._file.leave_memory()
        if not self._waiting:
            return
        rows = [entry.row() for entry in self._waiting]

        def work() -> bool:
            with self._file.connection as db:
                db.executemany(
                    "INSERT INTO audit (at, user, way, address, method, path, what, status, result) "
                    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    rows,
                )
                self._appended += len(rows)
                if self._appended >= PRUNE_EVERY:
                    self._appended = 0
                    self._prune(db)
            return True

        if not self._file.in_memory and self._file.tried(work):
            self._waiting.clear()
            self._file.well()

    def _prune(self, db: sqlite3.Connection) -> None:
        db.execute("DELETE FROM audit WHERE id <= (SELECT MAX(id) FROM audit) - ?", (MOST,))
        db.execute("DELETE FROM audit WHERE at < ?", (self._clock.now() - DAYS * 86400,))
