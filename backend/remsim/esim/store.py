"""``esim.db``: what was last read of each card, codes that wait, switches under way, how telling operators went."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from remsim.core.clock import Clock
from remsim.esim.private_file import PrivateFile

SCHEMA = """
CREATE TABLE IF NOT EXISTS kept (kind TEXT NOT NULL, name TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY (kind, name));
"""
CARD, SWITCH, TRY, CODE = "card", "switch", "try", "code"
"""Kinds: a card by its holder's id, a switch under way by that, tries by EID and number, a code by its id."""


class Store:
    """Objects by kind and name."""

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self._file = PrivateFile(path, clock=clock, what="eSIM", schema=SCHEMA, tables={"kept": "name"})

    @property
    def problem(self) -> str | None:
        """What keeps it from being written, in a sentence."""
        return self._file.problem

    def all(self, kind: str) -> dict[str, dict[str, Any]]:
        """What is kept of a kind, by name."""
        found = {}
        for name, data in self._file.rows("SELECT name, data FROM kept WHERE kind = ?", (kind,)):
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
        return self._file.write(("INSERT OR REPLACE INTO kept VALUES (?, ?, ?)", (kind, name, json.dumps(data))))

    def drop(self, kind: str, name: str) -> bool:
        """Keep it no longer."""
        return self._file.write(("DELETE FROM kept WHERE kind = ? AND name = ?", (kind, name)))

    def close(self) -> None:
        """Close the file."""
        self._file.close()
