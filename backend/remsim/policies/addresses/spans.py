"""Very many ranges of addresses as octets: a million have 8 MB (IPv6: 32 MB), as objects they would have 150."""

from __future__ import annotations

import heapq
import socket
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import overload
from zlib import crc32

from remsim.core.small_dataclass import dataclass

WIDTH = {4: 4, 6: 16}
"""Octets of an address by family."""
PIECE = 65_536
"""Ranges that are sorted at once."""


@dataclass(frozen=True, slots=True)
class Spans:
    """Ranges of a family in order, neighbours as one. ``data``: first and last address of each, in network order."""

    family: int
    data: bytes = b""

    def __len__(self) -> int:
        return len(self.data) // (2 * WIDTH[self.family])

    def __iter__(self) -> Iterator[tuple[int, int]]:
        width, data = WIDTH[self.family], self.data
        number = int.from_bytes
        for at in range(0, len(data), 2 * width):
            yield number(data[at : at + width], "big"), number(data[at + width : at + 2 * width], "big")

    def has(self, address: int) -> bool:
        """Whether an address, as a number, is in one of them."""
        width, data = WIDTH[self.family], self.data
        wanted = address.to_bytes(width, "big")
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            at = middle * 2 * width
            if wanted < data[at : at + width]:
                high = middle
            elif wanted > data[at + width : at + 2 * width]:
                low = middle + 1
            else:
                return True
        return False

    @property
    def key(self) -> str:
        """What tells them from others."""
        return f"{len(self)}:{crc32(self.data):08x}"


class Texts(Sequence[str]):
    """Ranges as nft reads them, made when they are looked at: ``192.0.2.1``, ``192.0.2.1-192.0.2.9``."""

    def __init__(self, spans: Spans) -> None:
        self.spans = spans

    def __len__(self) -> int:
        return len(self.spans)

    def __iter__(self) -> Iterator[str]:
        width, data = WIDTH[self.spans.family], self.spans.data
        kind, text = socket.AF_INET if width == 4 else socket.AF_INET6, socket.inet_ntop
        for at in range(0, len(data), 2 * width):
            first, last = data[at : at + width], data[at + width : at + 2 * width]
            yield text(kind, first) if first == last else f"{text(kind, first)}-{text(kind, last)}"

    @overload
    def __getitem__(self, at: int) -> str: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[str]: ...
    def __getitem__(self, at: int | slice) -> str | Sequence[str]:
        size = 2 * WIDTH[self.spans.family]
        if isinstance(at, slice):
            return [self[one] for one in range(*at.indices(len(self)))]
        place = range(len(self))[at] * size
        return next(iter(Texts(Spans(self.spans.family, self.spans.data[place : place + size]))))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Texts):
            return self.spans == other.spans
        return isinstance(other, Sequence) and len(self) == len(other) and all(map(str.__eq__, self, other))

    def __hash__(self) -> int:
        return hash(self.spans)


class Sorter:
    """Takes ranges of a family in any order: first and last address as octets, one behind the other."""

    def __init__(self, family: int) -> None:
        self._family = family
        self._piece: list[bytes] = []
        self._runs: list[bytes] = []

    def add(self, span: bytes) -> None:
        """One more."""
        self._piece.append(span)
        if len(self._piece) >= PIECE:
            self._put_away()

    def spans(self) -> Spans:
        """All of them, overlapping and neighbouring ones as one."""
        self._put_away()
        size = 2 * WIDTH[self._family]
        runs, self._runs = self._runs, []
        is_sorted = all(before[-size:] <= after[:size] for before, after in zip(runs, runs[1:], strict=False))
        parts = [_cut(run, size) for run in runs]
        return Spans(self._family, _joined(chain.from_iterable(parts) if is_sorted else heapq.merge(*parts)))

    def _put_away(self) -> None:
        if self._piece:
            self._piece.sort()
            self._runs.append(b"".join(self._piece))
            self._piece.clear()


def union(family: int, parts: Sequence[Spans]) -> Spans:
    """What is in any of them."""
    if len(parts) == 1:
        return parts[0]
    size = 2 * WIDTH[family]
    return Spans(family, _joined(heapq.merge(*(_cut(one.data, size) for one in parts))))


def spans_of(family: int, ranges: Iterable[tuple[int, int]]) -> Spans:
    """Ranges given as numbers."""
    width = WIDTH[family]
    sorter = Sorter(family)
    for first, last in ranges:
        sorter.add(first.to_bytes(width, "big") + last.to_bytes(width, "big"))
    return sorter.spans()


def _cut(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def _joined(spans: Iterable[bytes]) -> bytes:
    """Ranges in order as few as can be."""
    found = bytearray()
    first = last = following = b""
    for one in spans:
        half = len(one) // 2
        begin, end = one[:half], one[half:]
        if not last:
            first, last = begin, end
        elif begin <= last or begin == following:
            last = max(last, end)
        else:
            found += first + last
            first, last = begin, end
        following = _after(last)
    return bytes(found + first + last)


def _after(address: bytes) -> bytes:
    """The next address; none after the last there is."""
    if address[-1] != 0xFF:
        return address[:-1] + bytes((address[-1] + 1,))
    number = int.from_bytes(address, "big") + 1
    return b"" if number >> (8 * len(address)) else number.to_bytes(len(address), "big")
