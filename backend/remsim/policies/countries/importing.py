"""A list of countries made into the file that is looked into, with little memory whatever its size and order.

Ranges are sorted in pieces that go to a temporary file, merged, and laid over each other: where ranges overlap, the
one that lies within the other counts, as lists give exceptions that way. Neighbours of one country become one.
"""

from __future__ import annotations

import gzip
import heapq
import json
import os
import tempfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any, BinaryIO, NamedTuple

from remsim.core.clock import iso_utc
from remsim.core.errors import StorageError
from remsim.policies.countries.form import LENGTH, MAGIC, RANGE
from remsim.policies.countries.reading import LONGEST, CountryFileError, Heading, Range, parse_line

MOST_LINES = 3_000_000
MOST_OCTETS = 256 * 1024 * 1024
"""Of the list, unpacked."""
PIECE = 20_000
"""Ranges that are sorted at once: some 2 MB."""
DEEPEST = 64
"""Ranges within ranges; real lists have two or three."""
READ = 512

WIDTH = {4: 4, 6: 8}
OF_SORTED = {4: 10, 6: 18}


class Imported(NamedTuple):
    """What came in: lines read, ranges kept, countries; ``left_out``: lines of no country, or finer than a /64."""

    lines: int
    ranges4: int
    ranges6: int
    countries: int
    left_out: int
    date: str | None


def import_file(
    file: BinaryIO, path: Path, *, now: float, source: str = "", attribution: str = "", date: str | None = None
) -> Imported:
    """Read a list (also one packed by gzip) and replace the file at ``path``; it stays as it was when this raises.

    ``now`` is wall time. ``source`` and ``attribution`` are shown with what comes of it; ``date`` is the list's own,
    by default what it says itself. Raises ``CountryFileError`` and ``StorageError``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    try:
        with ExitStack() as stack:
            sorters = {family: _Sorter(family, path.parent, stack) for family in (4, 6)}
            lines, left_out, headings = _read(file, sorters)
            with temporary.open("wb") as made:
                made.write(MAGIC)
                counts: dict[int, Counter[bytes]] = {}
                for family in (4, 6):
                    counts[family] = _write(made, family, joined(laid_over(sorters[family].ranges())))
                if not counts[4] and not counts[6]:
                    raise CountryFileError("it has no range of a country")
                date = date or max((one.date for one in headings), default="") or None
                about = _about(counts, now, source, attribution, date, left_out, headings)
                end = json.dumps(about, ensure_ascii=False).encode()
                made.write(end + LENGTH.pack(len(end)))
                made.flush()
                os.fsync(made.fileno())
        temporary.replace(path)
    except OSError as error:
        raise StorageError(f"the list of countries cannot be kept: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
    codes = counts[4].keys() | counts[6].keys()
    return Imported(lines, counts[4].total(), counts[6].total(), len(codes), left_out, date)


def laid_over(ranges: Iterable[tuple[int, int, bytes]]) -> Iterator[tuple[int, int, bytes]]:
    """Ranges that do not overlap any more, of ranges by first address, of those with one first address longer before
    shorter: the one that began last counts."""
    above: list[tuple[int, bytes]] = []  # those that are open, each ending before the one below it
    at = 0
    for first, last, country in ranges:
        while above and above[-1][0] < first:
            ends, was = above.pop()
            if at <= ends:
                yield at, ends, was
                at = ends + 1
        if above and at < first:
            yield at, first - 1, above[-1][1]
        at = first
        while above and above[-1][0] <= last:
            above.pop()
        if len(above) >= DEEPEST:
            raise CountryFileError(f"more than {DEEPEST} of its ranges lie within each other")
        above.append((last, country))
    while above:
        ends, was = above.pop()
        if at <= ends:
            yield at, ends, was
            at = ends + 1


def joined(ranges: Iterable[tuple[int, int, bytes]]) -> Iterator[tuple[int, int, bytes]]:
    """Neighbours of one country as one range."""
    before: tuple[int, int, bytes] | None = None
    for first, last, country in ranges:
        if before is not None and before[2] == country and before[1] + 1 == first:
            before = (before[0], last, country)
            continue
        if before is not None:
            yield before
        before = (first, last, country)
    if before is not None:
        yield before


class _Sorter:
    """Ranges of one family, put into order through a file when there are many."""

    def __init__(self, family: int, folder: Path, stack: ExitStack) -> None:
        self._family = family
        self._folder = folder
        self._stack = stack
        self._piece: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._runs: list[tuple[int, int]] = []

    def add(self, first: int, last: int, country: bytes) -> None:
        """Kept so that octets are in the order that is wanted: longer ranges before shorter ones."""
        width = WIDTH[self._family]
        inverted = (1 << (8 * width)) - 1 - last
        self._piece.append(first.to_bytes(width, "big") + inverted.to_bytes(width, "big") + country)
        if len(self._piece) >= PIECE:
            self._put_away()

    def ranges(self) -> Iterator[tuple[int, int, bytes]]:
        width = WIDTH[self._family]
        top = (1 << (8 * width)) - 1
        self._piece.sort()
        for one in heapq.merge(self._piece, *(self._run(begin, count) for begin, count in self._runs)):
            first = int.from_bytes(one[:width], "big")
            yield first, top - int.from_bytes(one[width : 2 * width], "big"), one[2 * width :]

    def _put_away(self) -> None:
        if self._file is None:
            self._file = self._stack.enter_context(tempfile.TemporaryFile(dir=self._folder))
        self._piece.sort()
        self._runs.append((self._file.tell(), len(self._piece)))
        self._file.write(b"".join(self._piece))
        self._piece.clear()

    def _run(self, begin: int, count: int) -> Iterator[bytes]:
        assert self._file is not None
        self._file.flush()
        size = OF_SORTED[self._family]
        for done in range(0, count, READ):
            some = os.pread(self._file.fileno(), min(READ, count - done) * size, begin + done * size)
            yield from (some[at : at + size] for at in range(0, len(some), size))


def _read(file: BinaryIO, sorters: dict[int, _Sorter]) -> tuple[int, int, list[Heading]]:
    """How many lines there were, how many of them were left out, and headings of registries."""
    number = left_out = octets = 0
    headings: list[Heading] = []
    try:
        for number, line in enumerate(_lines(file), 1):
            octets += len(line)
            if number > MOST_LINES or octets > MOST_OCTETS:
                raise CountryFileError("the list is longer than any there is", number)
            found = parse_line(line, number)
            if isinstance(found, Heading):
                if len(headings) < 8:
                    headings.append(found)
            elif found is None or not _take(found, sorters):
                left_out += 1
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise CountryFileError("the packed list is damaged", number + 1) from error
    return number, left_out, headings


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Lines, none much longer than one may be."""
    start = file.read(2)
    opened: Any = _Rest(start, file)
    if start == b"\x1f\x8b":
        opened = gzip.GzipFile(fileobj=opened)
    rest = b""
    while True:
        some = opened.read(65536)
        if not some:
            break
        lines = (rest + some).split(b"\n")
        rest = lines.pop()
        yield from lines
        if len(rest) > LONGEST:
            yield rest  # too long: it is refused
            return
    if rest:
        yield rest


class _Rest:
    """A file of which the first octets were read already."""

    def __init__(self, start: bytes, file: BinaryIO) -> None:
        self._start = start
        self._file = file

    def read(self, size: int = -1) -> bytes:
        start, self._start = self._start, b""
        if len(start) == size:
            return start  # a request's body takes a read of nothing for its end
        return start + self._file.read(size - len(start) if size > 0 else size)


def _take(found: Range, sorters: dict[int, _Sorter]) -> bool:
    """Whether anything of the range is left to be kept."""
    if found.family == 4:
        sorters[4].add(found.first, found.last, found.country)
        return True
    first, last = (found.first + (1 << 64) - 1) >> 64, ((found.last + 1) >> 64) - 1
    if first <= last:
        sorters[6].add(first, last, found.country)
    return first <= last


def _write(made: IO[bytes], family: int, ranges: Iterable[tuple[int, int, bytes]]) -> Counter[bytes]:
    counts: Counter[bytes] = Counter()
    pack = RANGE[family].pack
    for first, last, country in ranges:
        made.write(pack(first, last, country))
        counts[country] += 1
    return counts


def _about(
    counts: dict[int, Counter[bytes]],
    now: float,
    source: str,
    attribution: str,
    date: str | None,
    left_out: int,
    headings: list[Heading],
) -> dict[str, Any]:
    registries = ", ".join(dict.fromkeys(one.registry for one in headings))
    codes = sorted(counts[4].keys() | counts[6].keys())
    return {
        "imported_at": iso_utc(now),
        "date": date,
        "source": source[:200] or (f"delegated files of {registries}" if registries else ""),
        "attribution": attribution[:500],
        "left_out": left_out,
        "ranges": [counts[4].total(), counts[6].total()],
        "countries": {code.decode(): [counts[4][code], counts[6][code]] for code in codes},
    }
