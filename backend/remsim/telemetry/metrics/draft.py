"""Samples of one moment, gathered before they become text or go to an output."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from math import inf

from remsim.telemetry.metrics.families import FAMILIES
from remsim.telemetry.metrics.family import Family

Labels = tuple[tuple[str, str], ...]
Rows = dict[tuple[str, Labels], float]
"""Values by the sample's name and labels, in the order they came."""
LONGEST_VALUE = 200
"""Characters of a label's value."""


class Draft:
    """Takes samples of the families of the table. A value of None is not there."""

    def __init__(self) -> None:
        self._rows: dict[str, Rows] = {}

    def add(self, name: str, value: float | None, labels: Labels = (), *, since: float | None = None) -> None:
        """One sample; ``since`` is when a counter began at zero, seconds since the epoch (UTC)."""
        if value is None:
            return
        rows = self._rows.get(name)
        if rows is None:
            rows = self._rows[name] = {}
        rows[name, labels] = value
        if since is not None:
            rows[f"{name.removesuffix('_total')}_created", labels] = since

    def add_summary(self, name: str, total: float, count: int, labels: Labels = (), *, since: float | None) -> None:
        """Sum and count of what was observed."""
        rows = self._rows.setdefault(name, {})
        rows[f"{name}_count", labels] = count
        rows[f"{name}_sum", labels] = total
        if since is not None:
            rows[f"{name}_created", labels] = since

    def add_histogram(
        self, name: str, buckets: Iterable[tuple[float, int]], total: float, labels: Labels = (), *, since: float | None
    ) -> None:
        """Cumulative counts by rising upper bound, the last of them infinite, and the sum of what was observed."""
        rows, count = self._rows.setdefault(name, {}), 0
        for bound, count in buckets:
            rows[f"{name}_bucket", (*labels, ("le", "+Inf" if bound == inf else str(float(bound))))] = count
        self.add_summary(name, total, count, labels, since=since)

    def families(self) -> Iterator[tuple[Family, Rows]]:
        """What has samples, in the order of the table."""
        return ((family, self._rows[name]) for name, family in FAMILIES.items() if name in self._rows)


def labels(**values: str | int | None) -> Labels:
    """Labels whose values are known, as text that may be shown."""
    return tuple([(name, clean(str(value))) for name, value in values.items() if value is not None and value != ""])


def clean(text: str) -> str:
    """Text of others as a label's value: not too long, without what a terminal would obey or UTF-8 cannot hold."""
    if len(text) > LONGEST_VALUE:
        text = text[: LONGEST_VALUE - 1] + "…"
    return text if text.isprintable() else "".join(letter if is_shown(letter) else "�" for letter in text)


def is_shown(letter: str) -> bool:
    """Whether a character may stand in a label's value."""
    return letter == "\n" or unicodedata.category(letter) not in ("Cc", "Cs")
