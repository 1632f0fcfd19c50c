"""One modem's store as a round-robin file: create, update in batches, fetch.

The binding is imported late: it brings librrd, which on a desktop links against graph libraries.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from remsim.core.errors import StorageError
from remsim.telemetry.measures import DEFINITIONS, Definitions, Measure

log = logging.getLogger(__name__)

FUNCTIONS = ("MIN", "AVERAGE", "MAX")
BATCH = 500
VALUE_BYTES = 8
Row = tuple[int, tuple[float | None, ...]]
Column = list[float | None]


class DamagedFile(Exception):
    """The file is no RRD of our definition."""


def binding() -> Any:
    """The rrdtool module."""
    import rrdtool

    return rrdtool


def text_of(error: Exception) -> str:
    """librrd's message without the path it repeats."""
    return re.sub(r"\s+", " ", str(error))[:200]


class RoundRobinFile:
    """One file; ``last`` is the time of its newest update, None while it does not exist.

    Rows hold the values of all measures; the file takes those of its own, from ``first`` on.
    """

    def __init__(
        self, path: Path, measures: tuple[Measure, ...], first: int = 0, definitions: Definitions = DEFINITIONS
    ) -> None:
        self._own = slice(first, first + len(measures))
        self.path = path
        self._name = str(path)
        self.measures = measures
        self._definitions = definitions
        self.last: int | None = None

    def exists(self) -> bool:
        """Whether the file is there. Asked before each batch, so it asks the kernel and nobody else."""
        return os.path.exists(self._name)

    def open(self) -> None:
        """Look at an existing file: ``DamagedFile`` when it is none of ours, ``StorageError`` when nobody can tell."""
        if not self.exists():
            self.last = None
            return
        rrdtool = binding()
        try:
            info = rrdtool.info(str(self.path))
            sources = [name for name in info if name.startswith("ds[") and name.endswith(".index")]
            names = [name[3:].split("]")[0] for name in sorted(sources, key=lambda name: int(info[name]))]
            self.last = int(info["last_update"])
        except (rrdtool.OperationalError, KeyError) as error:
            self._must_be_readable()
            raise DamagedFile(text_of(error)) from error
        if names != [source_name(measure) for measure in self.measures] or info["step"] != self._definitions.step_s:
            raise DamagedFile("it has other data sources than this version writes")

    def create(self, before: int) -> None:
        """Make an empty file whose first update may come after ``before``."""
        definitions = self._definitions
        sources = [
            f"DS:{source_name(measure)}:GAUGE:{definitions.heartbeat_s}:{measure.minimum:.10g}:{measure.maximum:.10g}"
            for measure in self.measures
        ]
        archives = [
            f"RRA:{function}:0.5:{archive.resolution_s // definitions.step_s}:{archive.keep_s // archive.resolution_s}"
            for archive in definitions.archives
            for function in FUNCTIONS
        ]
        rrdtool = binding()
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            temporary = self.path.with_suffix(".new")
            rrdtool.create(
                str(temporary), "--start", str(before), "--step", str(definitions.step_s), *sources, *archives
            )
            # A file that is allocated now cannot run out of space later: every update is in place.
            allocate(temporary)
            temporary.replace(self.path)
        except (OSError, rrdtool.OperationalError) as error:
            with contextlib.suppress(OSError):
                self.path.with_suffix(".new").unlink()
            raise StorageError(f"{self.path} cannot be created: {text_of(error) or self._silent_reason()}") from error
        self.last = before

    def is_wanted(self, rows: list[Row]) -> bool:
        """Whether rows are a reason to make the file; of most stores any are."""
        if self.measures[0].store not in self._definitions.only_if_used:
            return True
        return any(value is not None for _, values in rows for value in values[self._own])

    def update(self, rows: list[Row]) -> None:
        """Write rows in the order of time; what is not newer than the file is left out.

        ``StorageError`` when the disk takes nothing, ``DamagedFile`` when the file is no RRD any more.
        """
        rrdtool = binding()
        last = self.last or 0
        own = self._own
        fresh = []
        for when, values in rows:
            if when > last:
                texts = ["U" if value is None else repr(value) for value in values[own]]
                fresh.append(f"{when}:{':'.join(texts)}")
                last = when
        try:
            for at in range(0, len(fresh), BATCH):
                rrdtool.update(self._name, *fresh[at : at + BATCH])
        except rrdtool.OperationalError as error:
            self.open()  # raises DamagedFile when the file is the trouble, not the disk
            raise StorageError(f"{self.path} cannot be written: {text_of(error)}") from error
        self.last = last

    def fetch(
        self, names: Sequence[str], start: int, end: int, resolution_s: int
    ) -> tuple[int, list[int], dict[str, list[Column]]]:
        """The resolution, times, and of each name the columns of its least, mean and greatest values from an archive.

        The resolution is a coarser one than asked for when that archive does not reach back to ``start``.
        """
        rrdtool = binding()
        columns = [measure.name for measure in self.measures]
        found: dict[str, list[Column]] = {name: [] for name in names}
        times: list[int] = []
        step = resolution_s
        for function in FUNCTIONS:
            arguments = [function, "--resolution", str(resolution_s), "--start", str(start), "--end", str(end)]
            try:
                (first, _, step), _, rows = rrdtool.fetch(str(self.path), *arguments)
            except rrdtool.OperationalError as error:
                self.open()  # raises DamagedFile when the file is the trouble
                raise StorageError(f"{self.path} cannot be read: {text_of(error)}") from error
            times = list(range(first + step, first + step * (len(rows) + 1), step))
            for name in names:
                at = columns.index(name)
                found[name].append([row[at] for row in rows])
        return step, times, found

    def _silent_reason(self) -> str:
        """Why a file cannot be created when librrd does not say it: as a rule it has no room."""
        rows = sum(archive.keep_s // archive.resolution_s for archive in self._definitions.archives)
        try:
            disk = os.statvfs(self.path.parent)
        except OSError as error:
            return str(error.strerror)
        has_room = disk.f_bavail * disk.f_frsize > rows * len(FUNCTIONS) * len(self.measures) * VALUE_BYTES
        return "librrd gives no reason" if has_room else os.strerror(errno.ENOSPC)

    def _must_be_readable(self) -> None:
        """Tell a file that is damaged from one that cannot be read just now (no descriptor left, a failing disk)."""
        try:
            self.path.read_bytes()
        except OSError as error:
            raise StorageError(f"{self.path} cannot be read: {error.strerror}") from error


def allocate(path: Path) -> None:
    """Take a file's space on the disk now."""
    with path.open("r+b") as file:
        try:
            os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        except OSError as error:
            if error.errno not in (errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL):  # not every file system can
                raise


def source_name(measure: Measure) -> str:
    """The data source's name in the file; librrd allows 19 characters."""
    return measure.name[:19]
