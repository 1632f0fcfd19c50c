"""The share of probes that a link answered in seven days, kept over restarts."""

from __future__ import annotations

from pathlib import Path

from remsim.core.clock import Clock


class Uptime:
    """Counts for each link by name. A probe counts for the time since the one before, so that many in a second of
    trouble are no more than one in a quiet second."""

    def __init__(self, clock: Clock, path: Path | None) -> None:
        self._clock = clock
        self._path = path

    def note(self, name: str, is_answered: bool) -> None:
        """A probe was answered or missed. Writes to disk once an hour at most."""

    def percent(self, name: str) -> float | None:
        """The share answered in the last seven days; None before the first minute."""

    def keep_only(self, names: frozenset[str]) -> None:
        """Forget links that are no more."""

    def save(self) -> None:
        """Write what was counted; at the end, and by itself each hour."""
