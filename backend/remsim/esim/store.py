"""``esim.db``: what was last read of each card, codes that wait, switches under way, how telling operators went.

Codes are bearer credentials and numbers of cards identify people: the file is for its owner only.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from remsim.core.clock import Clock
from remsim.telemetry.database import SUFFIXES, Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS kept (kind TEXT NOT NULL, name TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (kind, name));
"""
SHOWN_FROM_MEMORY = 1000
CARD, SWITCH, TRY, CODE = "card", "switch", "try", "code"
"""Kinds: a card by its holder's id, a switch under way by that, tries by EID and number, a code by its id."""


class Store:
    """Objects by kind and name. One thread at a time; while the disk refuses, what is in memory goes on."""

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self._lock = threading.RLock()
        self._is_closed = False
        self._path = path
        with contextlib.suppress(OSError):  # SQLite's other files get the mode of this one
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
            self._keep_private()
        self._file = Database(
            path,
            clock=clock,
            what="eSIM",
            schema=SCHEMA,
            tables={"kept": "name"},
            shown=SHOWN_FROM_MEMORY,
            on_recovered=lambda db, kept: self._keep_private(),
        )

    @property
    def problem(self) -> str | None:
        """What keeps it from being written, in a sentence."""
        return self._file.problem

    def all(self, kind: str) -> dict[str, dict[str, Any]]:
        """What is kept of a kind, by name."""
        found = {}
        with self._lock:
            select = "SELECT name, data FROM kept WHERE kind = ?"
            rows = self._file.tried(lambda: self._db.execute(select, (kind,)).fetchall())
        for name, data in rows or ():
            with contextlib.suppress(ValueError):  # of a damaged file
                one = json.loads(data)
                if isinstance(one, dict):
                    found[name] = one
        return found

    def get(self, kind: str, name: str) -> dict[str, Any] | None:
        """One of them."""
        return self.all(kind).get(name)

    def put(self, kind: str, name: str, data: Mapping[str, Any]) -> bool:
        """Keep it, on the disk when this returns True."""
        text = json.dumps(data)
        return self._write("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", (kind, name, text))

    def drop(self, kind: str, name: str) -> bool:
        """Keep it no longer."""
        return self._write("DELETE FROM kept WHERE kind = ? AND name = ?", (kind, name))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._file.close()

    @property
    def _db(self) -> sqlite3.Connection:
        return self._file.connection

    def _keep_private(self) -> None:
        """Nobody else reads it, also when it was made anew instead of a damaged one."""
        for suffix in SUFFIXES:
            with contextlib.suppress(OSError):
                self._path.with_name(self._path.name + suffix).chmod(0o600)

    def _write(self, statement: str, values: tuple[str, ...]) -> bool:
        def work() -> bool:
            with self._db as db:
                db.execute(statement, values)
            return True

        with self._lock:
            if self._is_closed:
                return False
            self._file.leave_memory()
            done = bool(self._file.tried(work)) and not self._file.in_memory
            if done:
                self._file.well()
            return done
