"""``alerts.db``: what is firing or waits, what has ended, silences, and the messages that are still to be sent."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from remsim.alerts.alert import Alert, Silence
from remsim.core.clock import Clock
from remsim.core.small_dataclass import dataclass
from remsim.telemetry.database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS alerts (id INTEGER PRIMARY KEY, is_active INTEGER NOT NULL, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS silences (
    id INTEGER PRIMARY KEY, rule TEXT, modem TEXT, until REAL NOT NULL, comment TEXT NOT NULL, by TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS outbox (
    id INTEGER PRIMARY KEY, channel TEXT NOT NULL, at REAL NOT NULL, alert TEXT NOT NULL
);
"""
KEPT_ENDED = 500
SHOWN_FROM_MEMORY = 1000


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message for one channel: the alert as it was. ``at`` is when it came about, epoch seconds."""

    id: int
    channel: str
    at: float
    alert: dict[str, Any]


class AlertStore:
    """The file. One thread at a time; while the disk refuses, what is in memory goes on."""

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self._lock = threading.RLock()
        self._is_closed = False
        self._file = Database(
            path,
            clock=clock,
            what="alerts",
            schema=SCHEMA,
            tables={"alerts": "id", "silences": "id", "outbox": "id"},
            shown=SHOWN_FROM_MEMORY,
        )

    @property
    def problem(self) -> str | None:
        """What keeps alerts from being stored, in a sentence."""
        return self._file.problem

    @property
    def _db(self) -> sqlite3.Connection:
        return self._file.connection

    def load(self) -> tuple[list[Alert], list[Silence], list[Waiting]]:
        """Everything, in its order."""
        alerts = alerts_of(self._rows("SELECT data FROM alerts ORDER BY id"))
        silences = [Silence(*row) for row in self._rows("SELECT * FROM silences ORDER BY id")]
        waiting = []
        for number, channel, at, alert in self._rows("SELECT * FROM outbox ORDER BY id"):
            with contextlib.suppress(ValueError):  # of a damaged file
                waiting.append(Waiting(number, channel, at, json.loads(alert)))
        return alerts, silences, waiting

    def ended(self, most: int = KEPT_ENDED) -> list[Alert]:
        """The last alerts that are over, newest first."""
        return alerts_of(self._rows("SELECT data FROM alerts WHERE is_active = 0 ORDER BY id DESC LIMIT ?", most))

    def note(self, numbers: Iterable[int], note: dict[str, Any]) -> None:
        """What became of the last message about alerts that are over; the same as before is not worth a write."""
        with self._lock:
            found = [row for number in numbers for row in self._rows("SELECT data FROM alerts WHERE id = ?", number)]
            changed = [alert for alert in alerts_of(found) if is_news(note, alert.last_notification)]
            for alert in changed:
                alert.last_notification = note
            self.save(changed)

    def save(self, alerts: Iterable[Alert] = (), waiting: Iterable[Waiting] = ()) -> None:
        """Alerts as they are now, and what is to be sent of it, in one transaction: told once, and not forgotten."""
        rows = [(one.id, one.is_active, json.dumps(one.as_row())) for one in alerts]
        messages = [(one.id, one.channel, one.at, json.dumps(one.alert)) for one in waiting]
        self._write(
            ("INSERT OR REPLACE INTO alerts VALUES (?, ?, ?)", rows),
            ("INSERT OR REPLACE INTO outbox VALUES (?, ?, ?, ?)", messages),
        )

    def drop(self, alerts: Iterable[int]) -> None:
        """Waits that came to nothing."""
        self._write(("DELETE FROM alerts WHERE id = ?", [(number,) for number in alerts]))

    def trim(self) -> None:
        """Forget the oldest ended alerts."""
        text = (
            "DELETE FROM alerts WHERE is_active = 0 AND id <= (SELECT id FROM alerts WHERE is_active = 0 "
            f"ORDER BY id DESC LIMIT 1 OFFSET {KEPT_ENDED})"
        )
        self._write((text, [()]))

    def sent(self, numbers: Iterable[int]) -> None:
        """Messages that need no more sending."""
        self._write(("DELETE FROM outbox WHERE id = ?", [(number,) for number in numbers]))

    def put_silence(self, silence: Silence) -> None:
        """Keep a silence."""
        row = (silence.id, silence.rule, silence.modem, silence.until, silence.comment, silence.by)
        self._write(("INSERT OR REPLACE INTO silences VALUES (?, ?, ?, ?, ?, ?)", [row]))

    def drop_silences(self, numbers: Iterable[int]) -> None:
        """Silences that are over."""
        self._write(("DELETE FROM silences WHERE id = ?", [(number,) for number in numbers]))

    def close(self) -> None:
        """Close the file; what a lane tells later comes too late."""
        with self._lock:
            self._is_closed = True
            self._file.close()

    def _rows(self, text: str, *values: Any) -> list[Any]:
        with self._lock:
            if self._is_closed:
                return []
            return self._file.tried(lambda: self._db.execute(text, values).fetchall()) or []

    def _write(self, *statements: tuple[str, list[tuple[Any, ...]]]) -> None:
        def write() -> bool:
            with self._db:
                for text, rows in statements:
                    self._db.executemany(text, rows)
            return True

        with self._lock:
            if self._is_closed or not any(rows for _, rows in statements):
                return
            self._file.leave_memory()
            if self._file.tried(write) and not self._file.in_memory:
                self._file.well()


def is_news(note: dict[str, Any], before: dict[str, Any] | None) -> bool:
    """Whether a message came to another end than the last one, by another channel or only later."""
    return before is None or any(note[name] != before.get(name) for name in ("channel", "result"))


def alerts_of(rows: Iterable[tuple[str]]) -> list[Alert]:
    """Rows as alerts; one of another version, or damaged, is left out."""
    found = []
    for (data,) in rows:
        with contextlib.suppress(ValueError, TypeError):
            found.append(Alert.of_row(json.loads(data)))
    return found
