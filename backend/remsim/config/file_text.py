"""One file of ``/etc/config`` as text: read, parsed, locked and written whole.

Written is the file itself, not through ``uci``: comments and order stay, and a crash leaves the old file or the new
one. While LuCI or ``uci`` has changes of it that are not applied, nothing is written beside them (``Conflict``).
"""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from pathlib import Path

from remsim.config.uci import UciError, UciFile, locked
from remsim.core.errors import FREE_SPACE, Conflict, StorageError
from remsim.core.files import write_atomically

SYSTEM_DIR = Path("/etc/config")
STAGED = ("/tmp/.uci", "/var/run/rpcd/uci-*")
"""Where ``uci`` and each session of LuCI keep changes until they are applied."""

State = tuple[int, int, int]


class FileText:
    """``path`` None: there is no folder of configuration, and the file is empty. ``staged_root``: what waits in LuCI is
    below it; None looks for nothing."""

    def __init__(self, config_dir: Path | None, name: str, staged_root: Path | None = None) -> None:
        self.path = None if config_dir is None else config_dir / name
        self._name = name
        self._staged_root = Path("/") if staged_root is None and config_dir == SYSTEM_DIR else staged_root

    @contextlib.contextmanager
    def locked(self) -> Iterator[Path]:
        """Nobody else writes meanwhile."""
        if self.path is None:
            raise Conflict("this service runs without a configuration folder", hint="start it with --config DIR")
        with locked(self.path):
            yield self.path

    def read(self) -> str:
        """What it says; nothing where there is none."""
        if self.path is None:
            return ""
        try:
            return self.path.read_bytes().decode("utf-8", "surrogateescape")
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise StorageError(f"{self.path} cannot be read: {error.strerror}") from error

    def write(self, text: str) -> None:
        """Replace it, with the rights it has. Under the lock."""
        path = self.path
        assert path is not None
        try:
            mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
            write_atomically(path, text.encode("utf-8", "surrogateescape"), mode)
        except OSError as error:
            raise StorageError(f"{path} cannot be written: {error.strerror}", hint=FREE_SPACE) from error

    def parsed(self, text: str) -> UciFile:
        """The file of a text, or ``Conflict`` that says what is wrong with it."""
        try:
            return UciFile.of_bytes(text.encode("utf-8", "surrogateescape"), self._name)
        except UciError as error:
            hint = "correct it, or roll back to an earlier version"
            raise Conflict(f"the file cannot be read: {error.message}", code="config_broken", hint=hint) from error

    def state(self) -> State | None:
        """What differs when it was written again."""
        try:
            found = None if self.path is None else self.path.stat()
        except OSError:
            return None
        return None if found is None else (found.st_ino, found.st_mtime_ns, found.st_size)

    def check_nothing_staged(self) -> None:
        """``Conflict`` while changes of it wait in LuCI."""
        if self._staged_root is None:
            return
        for pattern in STAGED:
            for found in self._staged_root.glob(f"{pattern.lstrip('/')}/{self._name}"):
                with contextlib.suppress(OSError):
                    if found.stat().st_size > 0:
                        hint = "apply or revert them first (LuCI: Unsaved changes)"
                        raise Conflict("there are unsaved changes of these settings in LuCI", code="staged", hint=hint)


def etag_of(text: str) -> str:
    """What tells two states of a file apart."""
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:24]
