"""The series' copy on flash: what changed, compressed, replaced whole, restored at start."""

from __future__ import annotations

import contextlib
import logging
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from remsim.core.errors import StorageError

log = logging.getLogger(__name__)

SUFFIX = ".z"
LEVEL = 6


class Backup:
    """Copies ``SOURCE/MODEM/STORE.rrd`` to ``TARGET/MODEM/STORE.rrd.z``."""

    def __init__(self, source: Path, target: Path) -> None:
        self._source = source
        self._target = target
        self._saved: dict[Path, tuple[int, int]] = {}
        self.bytes_written = 0

    def save(self) -> None:
        """Copy the files that changed since the last time; ``StorageError`` when the target takes nothing."""
        for path in self._source.glob("*/*.rrd"):
            status = path.stat()
            mark = (status.st_mtime_ns, status.st_size)
            if self._saved.get(path) == mark:
                continue
            packed = zlib.compress(path.read_bytes(), LEVEL)
            self._write(self._target_of(path), packed)
            self._saved[path] = mark
            self.bytes_written += len(packed)

    def restore(self) -> Iterator[Path]:
        """Put back the files that are not there; their paths."""
        for packed in sorted(self._target.glob(f"*/*.rrd{SUFFIX}")):
            path = self._source / packed.parent.name / packed.name.removesuffix(SUFFIX)
            if not path.exists() and self.restore_one(path):
                yield path

    def restore_one(self, path: Path) -> bool:
        """Put one file back from its copy; whether there was a good one."""
        try:
            content = zlib.decompress(self._target_of(path).read_bytes())
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_suffix(".restored")
            temporary.write_bytes(content)
            temporary.replace(path)
        except FileNotFoundError:
            return False
        except (OSError, zlib.error) as error:
            log.warning("the backup of %s cannot be used: %s", path.name, error)
            return False
        return True

    def _target_of(self, path: Path) -> Path:
        return self._target / path.parent.name / f"{path.name}{SUFFIX}"

    def _write(self, path: Path, content: bytes) -> None:
        """Replace a copy; a half-written one never takes the place of a good one."""
        temporary = path.with_name(f"{path.name}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise StorageError(f"the backup in {self._target} cannot be written: {error.strerror}") from error
