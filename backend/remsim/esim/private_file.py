"""A file of SQLite for its owner only: codes are bearer credentials, and numbers of cards identify people."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from remsim.core.clock import Clock
from remsim.telemetry.database import SUFFIXES, Database

SHOWN_FROM_MEMORY = 1000
Statement = tuple[str, Sequence[Any]]


class PrivateFile:
    """Any thread may use it; what ``write`` said yes to is on the disk. While that refuses, what is in memory goes on.

    ``what``, ``schema`` and ``tables`` as ``Database`` has them.
    """

    def __init__(self, path: Path, *, clock: Clock, what: str, schema: str, tables: Mapping[str, str]) -> None:
        self._lock = threading.RLock()
        self._is_closed = False
        self._path = path
        with contextlib.suppress(OSError):  # SQLite's other files get the mode of this one
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600))
            self._keep_private()
        self._file = Database(
            path,
            clock=clock,
            what=what,
            schema=schema,
            tables=tables,
            shown=SHOWN_FROM_MEMORY,
            on_recovered=lambda db, kept: self._keep_private(),
        )

    @property
    def problem(self) -> str | None:
        """What keeps it from being written, in a sentence."""
        return self._file.problem

    def rows(self, select: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What a query finds; nothing of a file that cannot be read."""

        def work() -> list[tuple[Any, ...]]:
            return list(self._file.connection.execute(select, values).fetchall())

        with self._lock:
            return self._file.tried(work) or [] if not self._is_closed else []

    def write(self, *statements: Statement) -> bool:
        """Do all of these or none; whether they are on the disk."""

        def work() -> bool:
            with self._file.connection as db:
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

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if not self._is_closed:
                self._is_closed = True
                self._file.close()

    def _keep_private(self) -> None:
        """Nobody else reads it, also when it was made anew instead of a damaged one."""
        for suffix in SUFFIXES:
            with contextlib.suppress(OSError):
                self._path.with_name(self._path.name + suffix).chmod(0o600)
