"""When a rule is looked at: days of the week and hours, by the clock on the wall."""

from __future__ import annotations

import time
from collections.abc import Callable

from remsim.core.small_dataclass import dataclass

Zone = Callable[[float], time.struct_time]
"""Epoch seconds to the local time: ``time.localtime`` on a router."""


@dataclass(frozen=True, slots=True)
class Hours:
    """``days`` (0 is Monday; none: all) from ``start_minute`` up to, not including, ``end_minute`` of the day.

    Hours that end before they begin run over midnight and belong to the day they begin on. Equal ones are all day.
    What counts is what the clock on the wall shows: an hour that summer time leaves out is not there, one that comes
    twice counts twice.
    """

    days: frozenset[int] = frozenset()
    start_minute: int = 0
    end_minute: int = 0

    @property
    def is_always(self) -> bool:
        """Whether there is no moment outside."""
        return len(self.days) in (0, 7) and self.start_minute == self.end_minute

    def contain(self, at: float, zone: Zone = time.localtime) -> bool:
        """Whether a moment (epoch seconds) lies within."""
        if self.is_always:
            return True
        local = zone(at)
        minute, day = local.tm_hour * 60 + local.tm_min, local.tm_wday
        start, end = self.start_minute, self.end_minute
        if start < end:
            return start <= minute < end and self._has(day)
        if minute >= start and self._has(day):
            return True
        return minute < end and self._has((day - 1) % 7)

    def _has(self, day: int) -> bool:
        return not self.days or day in self.days


ALWAYS = Hours()
