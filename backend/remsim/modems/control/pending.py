"""Changes that nobody has confirmed yet, on flash before they are made: a service that is killed undoes them later."""

from __future__ import annotations

import contextlib
import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from remsim.core.files import write_atomically
from remsim.core.small_dataclass import dataclass

log = logging.getLogger(__name__)

NAME = "pending.json"
MOST_TRIES = 5
"""How often undoing is tried, each time the modem says anew who it is."""


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """What was being changed, and what was in force before. ``was_online``: so its radio was on."""

    title: str
    before: Mapping[str, Any]
    was_online: bool = False
    tries: int = 0


class Pending:
    """By modem and action. ``begin`` and then ``drop`` or ``leave``; what was left is to be undone.

    A file that cannot be written keeps no change from being made: it is only not undone after a power cut. The file
    may hold passwords (an access point's), and is for its owner only.
    """

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / NAME
        self._lock = threading.Lock()
        self._known: dict[str, dict[str, Unconfirmed]] = self._load()
        self._under_way: set[tuple[str, str]] = set()

    def begin(self, modem_id: str, action: str, change: Unconfirmed) -> None:
        """Write down a change that is about to be made."""
        with self._lock:
            self._under_way.add((modem_id, action))
            self._known.setdefault(modem_id, {})[action] = change
            self._save()

    def drop(self, modem_id: str, action: str) -> None:
        """It may stay, or is undone."""
        with self._lock:
            self._under_way.discard((modem_id, action))
            known = self._known.get(modem_id, {})
            if known.pop(action, None) is None:
                return
            if not known:
                del self._known[modem_id]
            self._save()

    def leave(self, modem_id: str, action: str) -> None:
        """It could not be undone now, which is tried again later."""
        with self._lock:
            self._under_way.discard((modem_id, action))

    def left(self, modem_id: str) -> dict[str, Unconfirmed]:
        """What is to be undone of a modem, by action."""
        with self._lock:
            known = self._known.get(modem_id, {})
            return {name: one for name, one in known.items() if (modem_id, name) not in self._under_way}

    def tried(self, modem_id: str, action: str) -> None:
        """Count an attempt to undo it; the last one is the end of it."""
        with self._lock:
            one = self._known[modem_id][action]
            self._known[modem_id][action] = replace(one, tries=one.tries + 1)
            self._save()

    def _load(self) -> dict[str, dict[str, Unconfirmed]]:
        try:
            found = json.loads(self._path.read_text())
            return {
                modem_id: {name: Unconfirmed(**one) for name, one in changes.items()}
                for modem_id, changes in found.items()
            }
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, TypeError, AttributeError) as error:
            log.warning("%s cannot be used (%s); a change that was interrupted stays as it is", self._path, error)
            return {}

    def _save(self) -> None:
        told = {
            modem_id: {name: asdict(one) for name, one in changes.items()} for modem_id, changes in self._known.items()
        }
        try:
            if told:
                write_atomically(self._path, json.dumps(told, indent=1).encode())
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            log.warning("%s cannot be written: %s", self._path, error.strerror)
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)  # an old one would undo what was confirmed meanwhile
