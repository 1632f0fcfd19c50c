"""Samples of one moment, gathered before they become text or go to an output."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from remsim.telemetry.metrics.families import FAMILIES
from remsim.telemetry.metrics.family import Family

Labels = tuple[tuple[str, str], ...]
Rows = dict[tuple[str, Labels], float]
"""Values by the sample's name and labels, in the order they came."""
LONGEST_VALUE = 200
"""Characters of a label's value."""


class Draft:
    """Takes samples of the families of the table. What is None is not there: neither a value nor a label."""

    def __init__(self) -> None:
        self._rows: dict[str, Rows] = {}

    def add(self, name: str, value: float | None, /, *, since: float | None = None, **labels: object) -> None:
        """One sample; ``since`` is when a counter began at zero, seconds since the epoch (UTC)."""
        if value is None:
            return
        rows = self._rows.setdefault(name, {})
        made = labels_of(labels)
        rows[name, made] = value
        if since is not None:
            rows[f"{FAMILIES[name].base}_created", made] = since

    def add_summary(self, name: str, total: float, count: int, /, *, since: float, **labels: object) -> None:
        """Sum and count of what was observed."""
        self._add_sum(name, labels_of(labels), total, count, since)

    def add_histogram(
        self, name: str, buckets: Iterable[tuple[float, int]], total: float, /, *, since: float | None, **labels: object
    ) -> None:
        """Cumulative counts by rising upper bound, the last of them infinite, and the sum of what was observed."""
        rows, made, count = self._rows.setdefault(name, {}), labels_of(labels), 0
        for bound, count in buckets:
            rows[f"{name}_bucket", (*made, ("le", "+Inf" if bound == float("inf") else str(float(bound))))] = count
        self._add_sum(name, made, total, count, since)

    def families(self) -> Iterator[tuple[Family, Rows]]:
        """What has samples, in the order of the table."""
        return ((family, self._rows[name]) for name, family in FAMILIES.items() if name in self._rows)

    def _add_sum(self, name: str, made: Labels, total: float, count: int, since: float | None) -> None:
        rows = self._rows.setdefault(name, {})
        rows[f"{name}_count", made] = count
        rows[f"{name}_sum", made] = total
        if since is not None:
            rows[f"{name}_created", made] = since


def labels_of(labels: dict[str, object]) -> Labels:
    """Labels that are known, as text that may be shown."""
    return tuple((name, clean(str(value))) for name, value in labels.items() if value is not None and value != "")


def clean(text: str) -> str:
    """Text of others as a label's value: not too long, without what a terminal would obey or UTF-8 cannot hold."""
    if len(text) > LONGEST_VALUE:
        text = text[: LONGEST_VALUE - 1] + "…"
    if text.isprintable():
        return text
    return "".join(
        letter if letter == "\n" or unicodedata.category(letter) not in ("Cc", "Cs") else "�" for letter in text
    )
