"""Texts of policies on flash: the local one, the pushed one, versions, and a change that waits to be confirmed."""

from __future__ import annotations

import json
import logging
from dataclasses import field
from pathlib import Path
from typing import Any
from zlib import crc32

from remsim.config.versions import Version, Versions
from remsim.core.errors import FREE_SPACE, NotFound, StorageError
from remsim.core.files import write_atomically
from remsim.core.small_dataclass import dataclass

log = logging.getLogger(__name__)

SOURCES = ("local", "remote")
STATE = "state.json"


@dataclass(frozen=True, slots=True)
class Texts:
    """What is kept. ``remote`` None: nothing was pushed. ``is_overridden``: the local text is in force all the same."""

    local: str = ""
    remote: str | None = None
    is_overridden: bool = False

    @property
    def source(self) -> str:
        """Which of the two is in force."""
        return "local" if self.remote is None or self.is_overridden else "remote"

    @property
    def in_force(self) -> str:
        """The text that is."""
        return self.local if self.source == "local" else self.remote or ""

    @property
    def etag(self) -> str:
        """What tells this state from others."""
        return f"{crc32(repr((self.local, self.remote, self.is_overridden)).encode('utf-8', 'replace')):08x}"


@dataclass(frozen=True, slots=True)
class Pending:
    """A change that goes again unless it is confirmed: until when (epoch), its version, and what was before."""

    confirm_by: float
    version: int
    before: Texts


@dataclass(frozen=True, slots=True)
class Kept:
    """All that is on flash beside versions. ``numbers`` of policies in marks by name, those of gone ones too."""

    texts: Texts = field(default_factory=Texts)
    pending: Pending | None = None
    version: int = 0


class Store:
    """Files in a folder: ``local.policy``, ``remote.policy``, ``state.json``, ``versions/``, ``numbers.json``."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._versions = Versions(folder / "versions")

    def read(self) -> Kept:
        """What is there; a damaged file is told in the log and taken for none."""
        state = self._json(STATE)
        remote = self._text("remote")
        texts = Texts(self._text("local") or "", remote, bool(state.get("is_overridden")) and remote is not None)
        version = state.get("version")
        return Kept(texts, self._pending(state.get("pending")), version if isinstance(version, int) else 0)

    def write(self, kept: Kept) -> None:
        """Keep all of it; ``StorageError``. The state goes last, so that a power cut leaves the change pending."""
        pending = None
        if kept.pending is not None:
            before = kept.pending.before
            pending = {
                "confirm_by": kept.pending.confirm_by,
                "version": kept.pending.version,
                "local": before.local,
                "remote": before.remote,
                "is_overridden": before.is_overridden,
            }
            self._write_state(kept, pending)
        self._write("local.policy", kept.texts.local)
        if kept.texts.remote is None:
            self._remove("remote.policy")
        else:
            self._write("remote.policy", kept.texts.remote)
        self._write_state(kept, pending)

    def keep_version(self, text: str, at: float, actor: str, source: str, policies: int, note: str) -> int:
        """Add a version; its number."""
        return self._versions.keep(text, at, actor, [source, str(policies), note]).number

    def versions(self) -> list[Version]:
        """Newest first; ``what`` of each is its source, how many policies it has, and a note."""
        return self._versions.all()

    def version(self, number: int) -> Version:
        """One of them; ``NotFound``."""
        return self._versions.get(number)

    def before(self, number: int) -> Version:
        """The one before a version, of the same source; ``NotFound``."""
        versions = self._versions.all()
        current = next((one for one in versions if one.number == number), None)
        for one in versions:
            if one.number < number and (current is None or one.what[:1] == current.what[:1]):
                return one
        raise NotFound("there is no version before this one", field="version")

    def numbers(self) -> dict[str, int]:
        """Numbers that policies have in marks, by name; those used last come last."""
        found = self._json("numbers.json")
        return {str(name): one for name, one in found.items() if isinstance(one, int) and 0 < one < 255}

    def write_numbers(self, numbers: dict[str, int]) -> None:
        """Keep them; a disk that is full only costs their order after a restart."""
        try:
            self._write("numbers.json", json.dumps(numbers))
        except StorageError as error:
            log.warning("%s", error.message)

    def _pending(self, found: object) -> Pending | None:
        if not isinstance(found, dict):
            return None
        try:
            remote = found["remote"]
            before = Texts(str(found["local"]), None if remote is None else str(remote), bool(found["is_overridden"]))
            return Pending(float(found["confirm_by"]), int(found["version"]), before)
        except (KeyError, TypeError, ValueError):
            return None

    def _write_state(self, kept: Kept, pending: dict[str, Any] | None) -> None:
        state = {"version": kept.version, "is_overridden": kept.texts.is_overridden, "pending": pending}
        self._write(STATE, json.dumps(state))

    def _text(self, source: str) -> str | None:
        try:
            return (self._folder / f"{source}.policy").read_bytes().decode("utf-8", "replace")
        except FileNotFoundError:
            return None
        except OSError as error:
            log.warning("%s.policy cannot be read: %s", source, error.strerror)
            return None

    def _json(self, name: str) -> dict[str, Any]:
        try:
            found = json.loads((self._folder / name).read_text("utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, RecursionError) as error:
            log.warning("%s of the policies cannot be read: %s", name, error)
            return {}
        return found if isinstance(found, dict) else {}

    def _write(self, name: str, text: str) -> None:
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / name
            content = text.encode("utf-8", "replace")
            if not path.exists() or path.read_bytes() != content:
                write_atomically(path, content)
        except OSError as error:
            raise StorageError(f"the policies cannot be written: {error.strerror}", hint=FREE_SPACE) from error

    def _remove(self, name: str) -> None:
        try:
            (self._folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise StorageError(f"the policies cannot be written: {error.strerror}", hint=FREE_SPACE) from error
