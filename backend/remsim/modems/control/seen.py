"""The bands that each modem has shown: firmware that tells only what is set forgets the others once some are chosen."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from remsim.core.files import read_table, write_atomically

log = logging.getLogger(__name__)

NAME = "bands.json"


class SeenBands:
    """By modem and firmware, one small file. Another firmware may have others, so it begins anew."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / NAME
        self._lock = threading.Lock()
        self._seen: dict[str, dict[str, Any]] = self._load()

    def widened(self, modem_id: str, firmware: str | None, bands: Mapping[str, list[int]]) -> dict[str, list[int]]:
        """The lists with what this modem had in them before."""
        with self._lock:
            entry = self._seen.get(modem_id, {})
            before = entry.get("bands", {}) if entry.get("firmware") == firmware else {}
            wide = {name: sorted({*numbers, *before.get(name, ())}) for name, numbers in bands.items()}
            if any(wide[name] != before.get(name) for name in wide):
                self._seen[modem_id] = {"firmware": firmware, "bands": before | wide}
                self._save()
            return wide

    def _load(self) -> dict[str, dict[str, Any]]:
        try:
            return read_table(self._path)
        except (OSError, ValueError) as error:
            log.warning("%s cannot be used (%s); modems show their bands anew", self._path, error)
            return {}

    def _save(self) -> None:
        try:
            write_atomically(self._path, json.dumps(self._seen).encode())
        except OSError as error:
            log.warning("%s cannot be written: %s", self._path, error.strerror)
