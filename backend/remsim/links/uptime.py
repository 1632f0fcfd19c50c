"""The share of probes that a link answered in seven days, kept over restarts.

Counted in hours of wall time. A probe counts for the time since the one before, so that the many of a second of trouble
are no more than the one of a quiet second.
"""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

from remsim.core.clock import FIRST_TRUSTED, Clock
from remsim.core.files import read_table, write_atomically

log = logging.getLogger(__name__)

HOUR_S = 3600
HOURS = 7 * 24
MOST_KEPT = 2 * HOURS
"""Hours of a clock that was wrong for a while are among them, and are not counted until they come, or fall out."""
LONGEST_S = 10.0
FIRST_TOLD_S = 60.0


class Uptime:
    """Counts for each link by name. ``path`` None: nothing is kept. Any thread may use it; ``keep`` and ``save`` take
    their time, and nobody else waits for them."""

    def __init__(self, clock: Clock, path: Path | None) -> None:
        self._clock = clock
        self._path = path
        self._hours: dict[str, dict[int, tuple[float, float]]] = {}
        self._last: dict[str, float] = {}
        self._saved_hour: int | None = None
        self._is_new = False
        self._lock = threading.Lock()
        self._load()

    def note(self, name: str, is_answered: bool) -> None:
        """A probe was answered or missed."""
        at, wall = self._clock.monotonic(), self._clock.now()
        with self._lock:
            last = self._last.get(name)
            self._last[name] = at
            if last is None or wall < FIRST_TRUSTED:
                return
            counts_s = min(at - last, LONGEST_S)
            hour = int(wall // HOUR_S)
            answered_s, all_s = self._hours.setdefault(name, {}).get(hour, (0.0, 0.0))
            if all_s >= HOUR_S:
                return  # the clock was set, and this hour has been before
            self._hours[name][hour] = (answered_s + (counts_s if is_answered else 0.0), all_s + counts_s)
            self._is_new = True

    def keep(self) -> None:
        """Write what was counted, once an hour at most."""
        hour = int(self._clock.now() // HOUR_S)
        if self._saved_hour is None:
            self._saved_hour = hour
        elif hour != self._saved_hour:
            self.save()

    def percent(self, name: str) -> float | None:
        """The share answered in the last seven days; None before the first minute."""
        now = int(self._clock.now() // HOUR_S)
        with self._lock:
            counted = [one for hour, one in self._hours.get(name, {}).items() if now - HOURS < hour <= now]
        answered_s, all_s = sum(one[0] for one in counted), sum(one[1] for one in counted)
        return round(100 * min(answered_s / all_s, 1.0), 2) if all_s >= FIRST_TOLD_S else None

    def keep_only(self, names: frozenset[str]) -> None:
        """Forget links that are no more."""
        with self._lock:
            for name in self._hours.keys() - names:
                del self._hours[name]
                self._last.pop(name, None)
                self._is_new = True

    def save(self) -> None:
        """Write what was counted."""
        self._saved_hour = int(self._clock.now() // HOUR_S)
        with self._lock:
            if self._path is None or not self._is_new:
                return
            self._is_new = False
            for name, hours in self._hours.items():
                self._hours[name] = dict(sorted(hours.items())[-MOST_KEPT:])
            table = {
                name: {str(hour): [round(one, 1) for one in counted] for hour, counted in hours.items()}
                for name, hours in self._hours.items()
            }
        try:
            write_atomically(self._path, json.dumps(table, separators=(",", ":")).encode())
        except OSError as error:
            self._is_new = True
            log.warning("the uptime of links is not kept: %s", error)

    def _load(self) -> None:
        if self._path is None:
            return
        try:
            for name, hours in read_table(self._path).items():
                self._hours[name] = {int(hour): read_hour(counted) for hour, counted in hours.items()}
        except (OSError, ValueError, TypeError) as error:
            self._hours = {}
            log.warning("%s cannot be read, the uptime of links begins anew: %s", self._path, error)


def read_hour(found: object) -> tuple[float, float]:
    """Seconds answered and all seconds of an hour; ``ValueError``."""
    if not isinstance(found, list) or len(found) != 2:
        raise ValueError("an hour has two numbers")
    answered_s, all_s = (float(one) for one in found)
    if not 0 <= answered_s <= all_s + 1 or all_s > 2 * HOUR_S:
        raise ValueError("an hour's numbers are impossible")
    return answered_s, all_s
