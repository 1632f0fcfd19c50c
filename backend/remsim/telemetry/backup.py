"""The series' copy on flash: what changed, compressed, replaced whole, restored at start."""

from __future__ import annotations

import contextlib
import logging
import os
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from remsim.core.errors import StorageError

log = logging.getLogger(__name__)

SUFFIX = ".z"
LEVEL = 6


class Backup:
    """Copies ``SOURCE/MODEM/STORE.rrd`` to ``TARGET/MODEM/STORE.rrd.z``."""

    def __init__(self, source: Path, target: Path) -> None:
        self._source = source
        self._target = target
        self._saved: dict[Path, int] = {}
        self.bytes_written = 0

    def save(self, lock: AbstractContextManager[Any]) -> None:
        """Copy the files that changed since the last time; ``StorageError`` when the target takes nothing.

        ``lock`` keeps the files still and is held while one is read, not while it is packed and written.
        A checksum tells what changed: librrd writes through a mapping, which on a tmpfs leaves the file's time alone.
        """
        for path in sorted(self._source.glob("*/*.rrd")):
            try:
                with lock:
                    content, written = path.read_bytes(), path.stat().st_mtime_ns
            except FileNotFoundError:
                continue
            except OSError as error:
                raise StorageError(f"{path} cannot be read for the backup: {error.strerror}") from error
            checksum = zlib.crc32(content)
            if self._saved.get(path) == checksum:
                continue
            packed = zlib.compress(content, LEVEL)
            self._write(self._target_of(path), packed, written)
            self._saved[path] = checksum
            self.bytes_written += len(packed)

    def restore(self) -> Iterator[Path]:
        """Put back the files that are not there or are older than their copy; their paths."""
        for packed in sorted(self._target.glob(f"*/*.rrd{SUFFIX}")):
            path = self._source / packed.parent.name / packed.name.removesuffix(SUFFIX)
            if is_older(path, packed) and self.restore_one(path):
                yield path

    def restore_one(self, path: Path) -> bool:
        """Put one file back from its copy; whether there was a good one."""
        temporary = path.with_suffix(".restored")
        try:
            packed = self._target_of(path)
            content = zlib.decompress(packed.read_bytes())
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_bytes(content)
            copy_time = packed.stat().st_mtime_ns
            os.utime(temporary, ns=(copy_time, copy_time))
            temporary.replace(path)
        except FileNotFoundError:
            return False
        except (OSError, zlib.error) as error:
            log.warning("the backup of %s cannot be used: %s", path.name, error)
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            return False
        return True

    def _target_of(self, path: Path) -> Path:
        return self._target / path.parent.name / f"{path.name}{SUFFIX}"

    def _write(self, path: Path, content: bytes, written: int) -> None:
        """Replace a copy; a half-written one never takes the place of a good one. It gets its source's time."""
        temporary = path.with_name(f"{path.name}.new")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.utime(temporary, ns=(written, written))
            temporary.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink()
            raise StorageError(f"the backup in {self._target} cannot be written: {error.strerror}") from error


def is_older(path: Path, copy: Path) -> bool:
    """Whether a file is missing, or was last written more than a second before what was copied of it."""
    try:
        return path.stat().st_mtime < copy.stat().st_mtime - 1
    except OSError:
        return True
