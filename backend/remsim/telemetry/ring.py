"""The last hour of one modem in memory, a value a reading: what live charts show."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

from remsim.core.reading import ModemReading

CAPACITY = 3600
NAN = math.nan


class Ring:
    """Columns of floats (NaN is unknown) behind a column of times; 60 bytes a reading with 13 measures."""

    def __init__(self, names: Sequence[str], capacity: int = CAPACITY) -> None:
        self._names = tuple(names)
        self._capacity = capacity
        self._times = array("d")
        self._columns = {name: array("f") for name in self._names}
        self._next = 0

    def add(self, reading: ModemReading) -> None:
        """Take a reading; a clock set back starts the ring anew, for times must rise."""
        if len(self) and reading.at <= self.newest:
            self.clear()
        if len(self._times) < self._capacity:
            self._times.append(reading.at)
            for name, column in self._columns.items():
                value = getattr(reading, name)
                column.append(NAN if value is None else value)
            return
        at = self._next
        self._times[at] = reading.at
        for name, column in self._columns.items():
            value = getattr(reading, name)
            column[at] = NAN if value is None else value
        self._next = (at + 1) % self._capacity

    def clear(self) -> None:
        """Forget everything."""
        self.__init__(self._names, self._capacity)  # type: ignore[misc]

    def __len__(self) -> int:
        return len(self._times)

    @property
    def oldest(self) -> float:
        """Time of the oldest reading; the ring must not be empty."""
        return self._times[self._next if len(self._times) == self._capacity else 0]

    @property
    def newest(self) -> float:
        """Time of the newest reading; the ring must not be empty."""
        return self._times[self._next - 1 if len(self._times) == self._capacity else -1]

    def samples(self, name: str, start: float, end: float) -> list[tuple[float, float]]:
        """Times and values within a period, oldest first, unknown ones as NaN."""
        order = range(len(self._times))
        if len(self._times) == self._capacity:
            order = [*range(self._next, self._capacity), *range(self._next)]  # type: ignore[assignment]
        times, column = self._times, self._columns[name]
        return [(times[at], column[at]) for at in order if start <= times[at] <= end]
