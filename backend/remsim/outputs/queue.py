"""What waits to be sent: a folder with a file for each moment, so that a restart loses nothing and a fault costs one.

It lies with the series, in RAM on a router: written each half minute, it would wear flash. The oldest go first.
"""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

from remsim.core.files import write_atomically
from remsim.core.small_dataclass import dataclass

Labels = tuple[tuple[str, str], ...]
Sample = tuple[str, Labels, float]
"""Name, labels, value."""
LARGEST_ROW = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """All samples of one moment, milliseconds since the epoch (UTC)."""

    at_ms: int
    samples: tuple[Sample, ...]


class Queue:
    """One output's rows, the oldest first. For one thread."""

    def __init__(self, directory: Path, *, most_bytes: int) -> None:
        self._directory = directory
        self._most_bytes = most_bytes
        self._sizes: dict[int, int] = {}
        self.dropped = 0
        for path in directory.iterdir() if directory.is_dir() else ():
            with contextlib.suppress(OSError, ValueError):
                self._sizes[int(path.stem)] = path.stat().st_size
        self._sizes = dict(sorted(self._sizes.items()))

    def __len__(self) -> int:
        return len(self._sizes)

    @property
    def size(self) -> int:
        """Bytes on disk."""
        return sum(self._sizes.values())

    @property
    def oldest_ms(self) -> int | None:
        """The time of the first row."""
        return next(iter(self._sizes), None)

    def put(self, row: Row) -> None:
        """Add a row; the oldest go when it becomes too large. ``OSError`` when the disk takes nothing."""
        body = zlib.compress(json.dumps([[name, labels, value] for name, labels, value in row.samples]).encode(), 6)
        self._directory.mkdir(parents=True, exist_ok=True)  # here, so that a full disk costs rows and no start
        write_atomically(self._path(row.at_ms), body)
        self._sizes.pop(row.at_ms, None)
        was_set_back = row.at_ms < max(self._sizes, default=0)
        self._sizes[row.at_ms] = len(body)
        if was_set_back:
            self._sizes = dict(sorted(self._sizes.items()))
        while self.size > self._most_bytes and len(self._sizes) > 1:
            self.drop(next(iter(self._sizes)))

    def first(self, most: int) -> list[Row]:
        """Up to so many rows; what cannot be read is dropped."""
        return list(self._read(most))

    def done(self, at_ms: int) -> None:
        """A row was taken by the receiver."""
        self._sizes.pop(at_ms, None)
        self._path(at_ms).unlink(missing_ok=True)

    def drop(self, at_ms: int) -> None:
        """Give a row up."""
        self.done(at_ms)
        self.dropped += 1

    def drop_before(self, at_ms: int) -> None:
        """Give up what is older."""
        for old in [one for one in self._sizes if one < at_ms]:
            self.drop(old)

    def drop_after(self, at_ms: int) -> None:
        """Give up what is newer."""
        for early in [one for one in self._sizes if one > at_ms]:
            self.drop(early)

    def _read(self, most: int) -> Iterator[Row]:
        for at_ms in list(self._sizes)[:most]:
            row = read_row(self._path(at_ms), at_ms)
            if row is None:
                self.drop(at_ms)
            else:
                yield row

    def _path(self, at_ms: int) -> Path:
        return self._directory / f"{at_ms}.z"


def read_row(path: Path, at_ms: int) -> Row | None:
    """A row's file; None when it is damaged or gone."""
    try:
        text = zlib.decompressobj().decompress(path.read_bytes(), LARGEST_ROW)
        samples = tuple(
            (str(name), tuple((str(label), str(text)) for label, text in labels), float(value))
            for name, labels, value in json.loads(text)
        )
    except (OSError, ValueError, TypeError, zlib.error):
        return None
    return Row(at_ms, samples)
