"""The last versions of a configuration file: what it said, since when, through whom."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from remsim.core.clock import iso_utc
from remsim.core.errors import FREE_SPACE, NotFound, StorageError
from remsim.core.files import write_atomically
from remsim.core.small_dataclass import dataclass

KEPT = 10
MOST_WORDS = 20


@dataclass(frozen=True, slots=True)
class Version:
    """One state of the file. ``what`` changed to come to it, in words."""

    number: int
    at: float
    actor: str
    what: tuple[str, ...]
    text: str

    def as_dict(self) -> dict[str, Any]:
        """As JSON; its text may hold secrets and is not there."""
        return {"n": self.number, "at": iso_utc(self.at), "actor": self.actor, "what": list(self.what)}


class Versions:
    """Files ``N.json`` in a folder; readable by their owner only."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def all(self) -> list[Version]:
        """Newest first; one that cannot be read is left out."""
        found = [version for number in self._numbers() if (version := self._read(number)) is not None]
        return sorted(found, key=lambda one: -one.number)

    def newest(self) -> Version | None:
        """The last one that can be read."""
        found = (self._read(number) for number in sorted(self._numbers(), reverse=True))
        return next((version for version in found if version is not None), None)

    def get(self, number: int) -> Version:
        """One of them, or ``NotFound``."""
        version = self._read(number)
        if version is None:
            raise NotFound(f"there is no version {number}", field="version")
        return version

    def keep(self, text: str, at: float, actor: str, what: list[str]) -> Version:
        """Add the newest; the oldest goes. ``StorageError`` when it cannot be written."""
        told = what if len(what) <= MOST_WORDS else [*what[:MOST_WORDS], f"and {len(what) - MOST_WORDS} more"]
        numbers = self._numbers()
        version = Version(max(numbers, default=0) + 1, at, actor, tuple(told), text)
        content = {"at": at, "actor": actor, "what": told, "text": text}
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_atomically(self._path(version.number), json.dumps(content).encode())
        except OSError as error:
            problem = f"the version before a change cannot be kept: {error.strerror}"
            raise StorageError(problem, hint=FREE_SPACE) from error
        for number in sorted(numbers)[: max(0, len(numbers) + 1 - KEPT)]:
            with contextlib.suppress(OSError):
                self._path(number).unlink()
        return version

    def _path(self, number: int) -> Path:
        return self._folder / f"{number}.json"

    def _numbers(self) -> list[int]:
        try:
            names = [path.stem for path in self._folder.glob("*.json")]
        except OSError:
            return []
        return [int(name) for name in names if name.isascii() and name.isdigit() and len(name) < 10]

    def _read(self, number: int) -> Version | None:
        try:
            found = json.loads(self._path(number).read_text("utf-8"))
            what = tuple(str(one) for one in found["what"])
            return Version(number, float(found["at"]), str(found["actor"]), what, str(found["text"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
