"""What the user wants a modem to be set to, for the day it forgets: one small file."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from remsim.core.errors import StorageError
from remsim.core.files import read_table, write_atomically

log = logging.getLogger(__name__)

NAME = "desired.json"


class Desired:
    """Values by modem and action. A modem's id follows its IMEI, so they follow it to another port."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / NAME
        self._lock = threading.Lock()
        self._wanted: dict[str, dict[str, dict[str, Any]]] = self._load()

    def of(self, modem_id: str) -> dict[str, dict[str, Any]]:
        """The values wanted of a modem, by action."""
        with self._lock:
            return {name: dict(values) for name, values in self._wanted.get(modem_id, {}).items()}

    def keep(self, modem_id: str, action: str, values: Mapping[str, Any]) -> None:
        """Want this from now on; ``StorageError`` when it cannot be kept."""
        with self._lock:
            self._wanted.setdefault(modem_id, {})[action] = dict(values)
            self._save()

    def drop(self, modem_id: str, action: str | None = None) -> None:
        """Want it no more: one action's values, or all of a modem's."""
        with self._lock:
            known = self._wanted.get(modem_id, {})
            for name in [action] if action is not None else list(known):
                known.pop(name, None)
            if not known:
                self._wanted.pop(modem_id, None)
            self._save()

    def _load(self) -> dict[str, dict[str, dict[str, Any]]]:
        try:
            found = read_table(self._path)
            if not all(isinstance(values, dict) for wanted in found.values() for values in wanted.values()):
                raise ValueError("it holds no values of actions")
            return found
        except (OSError, ValueError) as error:
            log.warning("%s cannot be used (%s); no preset is applied", self._path, error)
            return {}

    def _save(self) -> None:
        try:
            write_atomically(self._path, json.dumps(self._wanted, indent=1).encode())
        except OSError as error:
            text = f"the change is in force, but cannot be kept in {self._path}: {error.strerror}"
            raise StorageError(text) from error
