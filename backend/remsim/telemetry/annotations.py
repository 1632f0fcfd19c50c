"""Notes that people put on the time axis: "antenna moved", "carrier's works". They survive a power cut."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from remsim.core.clock import Clock, iso_utc
from remsim.core.errors import Conflict, InvalidInput, NotFound, StorageError
from remsim.core.small_dataclass import dataclass
from remsim.telemetry.database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS annotations (
    id INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, until REAL, text TEXT NOT NULL, modem TEXT,
    author TEXT NOT NULL, created_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS annotations_at ON annotations (at);
"""
MOST = 2000
LONGEST_TEXT = 500
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Annotation:
    """A note of a moment, or of a time from ``at`` to ``until``; of one modem, or of all (None)."""

    id: int
    at: float
    until: float | None
    text: str
    modem: str | None
    author: str
    created_at: float

    def as_dict(self) -> dict[str, Any]:
        """The object of the API."""
        return {
            "id": self.id,
            "at": iso_utc(self.at),
            "to": None if self.until is None else iso_utc(self.until),
            "text": self.text,
            "modem": self.modem,
            "author": self.author,
            "created_at": iso_utc(self.created_at),
        }


COLUMNS = ", ".join(field.name for field in fields(Annotation))


class Annotations:
    """All notes of a router; from any thread. What was answered is written: ``StorageError`` when it cannot be."""

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._file = Database(
            path, clock=clock, what="annotations", schema=SCHEMA, tables={"annotations": "id"}, shown=MOST
        )

    @property
    def problem(self) -> str | None:
        """What keeps annotations from being stored, in a sentence."""
        return self._file.problem

    def query(
        self, start: float | None = None, end: float | None = None, modems: Sequence[str] | None = None
    ) -> list[Annotation]:
        """The notes that touch a period, in the order of time; those of all modems are of each."""
        conditions: list[tuple[str, list[Any]]] = []
        if end is not None:
            conditions.append(("at <= ?", [end]))
        if start is not None:
            conditions.append(("COALESCE(until, at) >= ?", [start]))
        if modems is not None:
            conditions.append((f"(modem IS NULL OR modem IN ({','.join('?' * len(modems))}))", [*modems]))
        where = f"WHERE {' AND '.join(text for text, _ in conditions)}" if conditions else ""
        values = [value for _, given in conditions for value in given]
        select = f"SELECT {COLUMNS} FROM annotations {where} ORDER BY at, id LIMIT {MOST}"
        with self._lock:
            rows = self._file.tried(lambda: self._db.execute(select, values).fetchall())
        return [Annotation(*row) for row in rows or ()]

    def get(self, annotation_id: int) -> Annotation:
        """One note."""
        with self._lock:
            found = self._file.tried(lambda: self._find(annotation_id))
        if not found:
            raise NotFound(f"there is no annotation {annotation_id}", field="id")
        return found

    def add(self, *, at: float, until: float | None, text: str, modem: str | None, author: str) -> Annotation:
        """Write a note."""
        check_period(at, until)
        now = self._clock.now()

        def insert() -> int:
            with self._db as db:
                if db.execute("SELECT COUNT(*) FROM annotations").fetchone()[0] >= MOST:
                    raise Conflict(f"there are {MOST} annotations already", hint="delete old ones", code="too_many")
                values = (at, until, text, modem, author, now)
                made = db.execute("INSERT INTO annotations VALUES (NULL, ?, ?, ?, ?, ?, ?)", values)
                return made.lastrowid or 0

        return Annotation(self._written(insert), at, until, text, modem, author, now)

    def change(self, annotation_id: int, values: dict[str, Any]) -> Annotation:
        """Change ``at``, ``until``, ``text`` or ``modem``; what is not named stays."""

        def update() -> Annotation:
            with self._db as db:
                before = self._find(annotation_id)
                if before is None:
                    raise NotFound(f"there is no annotation {annotation_id}", field="id")
                new = Annotation(**{name: getattr(before, name) for name in Annotation.__slots__} | values)
                check_period(new.at, new.until)
                text = "UPDATE annotations SET at = ?, until = ?, text = ?, modem = ? WHERE id = ?"
                db.execute(text, (new.at, new.until, new.text, new.modem, annotation_id))
                return new

        return self._written(update)

    def delete(self, annotation_id: int) -> None:
        """Forget a note."""

        def remove() -> int:
            with self._db as db:
                return db.execute("DELETE FROM annotations WHERE id = ?", (annotation_id,)).rowcount

        if not self._written(remove):
            raise NotFound(f"there is no annotation {annotation_id}", field="id")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    @property
    def _db(self) -> sqlite3.Connection:
        return self._file.connection

    def _find(self, annotation_id: int) -> Annotation | None:
        row = self._db.execute(f"SELECT {COLUMNS} FROM annotations WHERE id = ?", (annotation_id,)).fetchone()
        return Annotation(*row) if row else None

    def _written(self, work: Callable[[], Result]) -> Result:
        """What ``work`` gives once it is in the file."""
        with self._lock:
            self._file.leave_memory()
            done = None if self._file.in_memory else self._file.tried(work)
            if done is None:
                raise StorageError(self._file.problem or "annotations cannot be written", hint="free space")
            self._file.well()
            return done


def check_period(at: float, until: float | None) -> None:
    """A note may not end before it begins."""
    if until is not None and until < at:
        raise InvalidInput("to is before at", field="to")
