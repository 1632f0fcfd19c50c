"""How often something happened: events by kind and span of time.

``authentication_failure`` is a registration that became ``denied``; ``authentication_success`` one that became
``home`` or ``roaming`` from anything else. A modem that stays registered while the service restarts tells neither.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from remsim.core.errors import InvalidInput
from remsim.core.events import KINDS
from remsim.core.small_dataclass import dataclass
from remsim.telemetry.journal import Journal

REGISTERED = ("home", "roaming")
SUCCESS, FAILURE = "authentication_success", "authentication_failure"
WORKED_OUT = {SUCCESS: "registration", FAILURE: "registration"}
"""Kinds that are read from what events of another kind tell."""
MOST_BUCKETS = 1000
USUAL_BUCKETS = 60
STEPS_S = (60, 300, 600, 1800, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400, 7 * 86400)


@dataclass(frozen=True, slots=True)
class Counts:
    """Bars: value ``i`` of each row is of the span that begins at ``start + i * bucket_s``."""

    start: float
    bucket_s: int
    rows: dict[tuple[str, str], list[int]]

    def as_dict(self) -> dict[str, Any]:
        """The object of the API."""
        rows = [
            {"modem": modem, "kind": kind, "total": sum(values), "values": values}
            for (modem, kind), values in self.rows.items()
        ]
        return {"start": self.start, "bucket_s": self.bucket_s, "counts": rows}


def check_kind(name: str) -> str:
    """The kind, or ``InvalidInput`` that lists them."""
    known = (*KINDS, *WORKED_OUT)
    if name not in known:
        raise InvalidInput(f"{name[:40]!r} is not a kind of event", field="kind", hint=f"one of {', '.join(known)}")
    return name


def counts(
    journal: Journal, modems: Sequence[str], kinds: Sequence[str], start: float, end: float, bucket_s: int | None
) -> Counts:
    """Events of each modem and kind in spans of ``bucket_s``, which begin at its multiples (of UTC)."""
    bucket_s = bucket_s or usual_bucket_s(end - start)
    first = math.floor(start / bucket_s) * bucket_s
    length = math.floor((end - first) / bucket_s) + 1
    if length > MOST_BUCKETS:
        raise InvalidInput(f"that is {length} spans, {MOST_BUCKETS} at most", field="bucket")
    rows = {(modem, kind): [0] * length for modem in modems for kind in kinds}
    asked = {WORKED_OUT.get(kind, kind) for kind in kinds}
    for modem, kind, before, now, bucket, count in journal.changes_told(sorted(asked), modems, first, end, bucket_s):
        for name in (kind, authentication(kind, before, now)):
            if name is not None and (modem, name) in rows:
                rows[modem, name][bucket] += count
    return Counts(first, bucket_s, rows)


def authentication(kind: str, before: Any, now: Any) -> str | None:
    """What a change of registration says of the network's yes or no."""
    if kind != "registration":
        return None
    if now == "denied":
        return FAILURE
    return SUCCESS if now in REGISTERED and before not in REGISTERED else None


def usual_bucket_s(period_s: float) -> int:
    """The least round span that gives no more than ``USUAL_BUCKETS`` bars."""
    return next((step for step in STEPS_S if period_s / step <= USUAL_BUCKETS), STEPS_S[-1])
