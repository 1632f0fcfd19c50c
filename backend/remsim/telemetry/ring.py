"""The last hour of one modem in memory, a value a reading: what live charts show."""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

CAPACITY = 3600
SLACK = 300
"""Readings over the capacity before the oldest are dropped: dropping moves the columns in memory."""
GATHERED = 64
NAN = math.nan


class Ring:
    """Columns of floats (NaN is unknown) behind a column of times; 60 bytes a reading with 13 measures.

    Readings are gathered and put into the columns many at a time, which costs a third of doing it one by one.
    """

    def __init__(self, names: Sequence[str], capacity: int = CAPACITY) -> None:
        self._names = tuple(names)
        self._capacity = capacity
        self._gathered: list[tuple[float, Sequence[float | None]]] = []
        self._times = array("d")
        self._columns = [array("f") for _ in self._names]
        self._newest = -math.inf

    def add(self, when: float, values: Sequence[float | None]) -> None:
        """Take a reading's values in the names' order; times must rise, so a clock set back drops what is later."""
        if when <= self._newest:
            self._drop_from(when)
        self._newest = when
        self._gathered.append((when, values))
        if len(self._gathered) >= GATHERED:
            self._settle()

    def shift(self, seconds: float) -> None:
        """Move all times: the clock they were taken from was wrong by so much."""
        self._settle()
        self._times = array("d", [when + seconds for when in self._times])
        self._newest += seconds

    def __len__(self) -> int:
        return min(len(self._times) + len(self._gathered), self._capacity)

    @property
    def oldest(self) -> float:
        """Time of the oldest reading; the ring must not be empty."""
        self._settle()
        return self._times[-len(self)]

    @property
    def newest(self) -> float:
        """Time of the newest reading; the ring must not be empty."""
        return self._newest

    def columns(self, names: Iterable[str], start: float, end: float) -> tuple[array[float], dict[str, array[float]]]:
        """Times within a period, oldest first, and the values of each name, unknown ones as NaN."""
        self._settle()
        times = self._times
        first = max(bisect_left(times, start), len(times) - self._capacity)
        part = slice(first, bisect_right(times, end))
        return times[part], {name: self._columns[self._names.index(name)][part] for name in names}

    def _drop_from(self, when: float) -> None:
        self._settle()
        first = bisect_left(self._times, when)
        for column in (self._times, *self._columns):
            del column[first:]

    def _settle(self) -> None:
        """Put what was gathered into the columns and drop what is too old."""
        if not self._gathered:
            return
        self._times.extend([when for when, _ in self._gathered])
        for column, values in zip(self._columns, zip(*(row for _, row in self._gathered), strict=True), strict=True):
            column.extend([NAN if value is None else value for value in values])
        self._gathered = []
        surplus = len(self._times) - self._capacity
        if surplus > SLACK:
            for full in (self._times, *self._columns):
                del full[:surplus]
