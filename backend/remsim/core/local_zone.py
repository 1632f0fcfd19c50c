"""The router's own time zone, with its summer time, as ``datetime`` wants it."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta, tzinfo


class LocalZone(tzinfo):
    """What ``time.localtime`` says, so that a zone the system knows only by its rule (``CET-1CEST``) is right too."""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        """The offset at a local time; of one that comes twice, that of its ``fold``."""
        return timedelta(seconds=self._at(moment).tm_gmtoff)

    def dst(self, moment: datetime | None) -> timedelta | None:
        """Not told apart from the offset."""
        return None

    def tzname(self, moment: datetime | None) -> str:
        """Its abbreviation."""
        return self._at(moment).tm_zone

    def fromutc(self, moment: datetime) -> datetime:
        """The local time of a moment of UTC."""
        stamp = moment.replace(tzinfo=UTC).timestamp()
        local = time.localtime(stamp)
        wall = (moment + timedelta(seconds=local.tm_gmtoff)).replace(tzinfo=self)
        first = time.localtime(stamp - 3 * 3600).tm_gmtoff
        is_second = first > local.tm_gmtoff and wall.replace(fold=0).utcoffset() != timedelta(seconds=local.tm_gmtoff)
        return wall.replace(fold=1) if is_second else wall

    @staticmethod
    def _at(moment: datetime | None) -> time.struct_time:
        if moment is None:
            return time.localtime()
        return time.localtime(moment.replace(tzinfo=None).timestamp())


LOCAL = LocalZone()
