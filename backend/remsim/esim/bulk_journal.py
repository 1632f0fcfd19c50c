"""The journal of bulk downloads: what becomes of a row is on the disk before it is done.

A code is written down as used before it is; which profile it brings, before the server gives it away. So a service that
was killed knows of each row: the code was not touched, the profile is on the card, or somebody has to look.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import field
from typing import Any

from remsim.core.clock import Clock, iso_utc
from remsim.core.errors import NotFound
from remsim.core.masking import mask
from remsim.core.small_dataclass import dataclass
from remsim.esim.bulk_rows import Row, shown_target
from remsim.esim.private_file import Statement
from remsim.esim.records import Records

WAITING, ORDERING, LOADING, DONE, FAILED, UNKNOWN, DROPPED = (
    "waiting", "ordering", "loading", "done", "failed", "unknown", "dropped",
)  # fmt: skip
ENDED = (DONE, FAILED, UNKNOWN, DROPPED)
RUNNING, INTERRUPTED, STOPPED, OVER = "running", "interrupted", "stopped", "done"
TAKEN = (ORDERING, LOADING, DONE, UNKNOWN)
"""States of rows whose code is used, or may be."""
KEPT = (
    "found_iccid", "profile", "name", "enabled", "order_id", "tries", "started_at", "ended_at", "problem",
)  # fmt: skip
"""What of a row's fate is kept with it."""
SELECT = "SELECT id, name, made_at, actor, per_minute, state, problem FROM batches"
RESULT_COLUMNS = (
    "row", "target", "holder", "state", "profile", "iccid", "name", "nickname", "enable", "enabled", "code",
    "smdp_address", "order", "problem_code", "problem", "hint", "started_at", "ended_at",
)  # fmt: skip


@dataclass(slots=True)
class Item:
    """A row, and what became of it. ``found_iccid`` is what its code brings, known before it is used up."""

    batch: str
    row: Row
    state: str = WAITING
    found_iccid: str | None = None
    profile: str | None = None
    name: str | None = None
    enabled: str | None = None
    order_id: str | None = None
    tries: int = 0
    started_at: float | None = None
    ended_at: float | None = None
    problem: dict[str, Any] | None = None

    def as_json(self) -> str:
        """For the disk."""
        kept = {name: getattr(self, name) for name in KEPT}
        return json.dumps({"row": self.row.as_dict(), **kept})

    def view(self, *, identifiers: bool = False) -> dict[str, Any]:
        """The object of the API."""
        row = self.row
        return {
            "row": row.number,
            "target": row.target if identifiers else shown_target(row.target),
            "holder": row.holder,
            "code": row.hint,
            "smdp_address": row.server,
            "order": row.order or None,
            "nickname": row.nickname or None,
            "enable": row.enable,
            "state": self.state,
            "iccid": self.found_iccid if identifiers else mask(self.found_iccid),
            "profile": self.profile,
            "name": self.name,
            "enabled": self.enabled,
            "tries": self.tries,
            "problem": self.problem,
            "started_at": None if self.started_at is None else iso_utc(self.started_at),
            "ended_at": None if self.ended_at is None else iso_utc(self.ended_at),
        }




@dataclass(slots=True)
class Batch:
    """Rows that belong together."""

    id: str
    name: str
    made_at: float
    actor: str
    per_minute: float
    state: str = RUNNING
    problem: str | None = None
    items: list[Item] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        """How many rows are in which state."""
        found = Counter(one.state for one in self.items)
        return {state: found[state] for state in (WAITING, ORDERING, LOADING, *ENDED)}

    def view(self) -> dict[str, Any]:
        """The object of the API, without its rows."""
        return {
            "id": self.id,
            "name": self.name or None,
            "made_at": iso_utc(self.made_at),
            "by": self.actor,
            "state": self.state,
            "problem": self.problem,
            "per_minute": self.per_minute,
            "counts": self.counts(),
        }


class Journal:
    """Batches on the disk."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records, self._clock = records, clock
        records.write(("UPDATE batches SET state = ? WHERE state = ?", (INTERRUPTED, RUNNING)))

    def add(self, batch: Batch) -> None:
        """Keep a new one whole, or ``StorageError``."""
        head = (batch.id, batch.name, batch.made_at, batch.actor, batch.per_minute, batch.state, None)
        rows = [row_statement(one) for one in batch.items]
        statements = [("INSERT INTO batches VALUES (?, ?, ?, ?, ?, ?, ?)", head), *rows]
        self._records.must_write(statements, "nothing was begun, for it could not be written down")

    def batches(self) -> list[Batch]:
        """All, the last first."""
        return [self._batch(row) for row in self._records.rows(f"{SELECT} ORDER BY made_at DESC, rowid DESC")]

    def batch(self, batch_id: str) -> Batch:
        """One, or ``NotFound``."""
        for row in self._records.rows(f"{SELECT} WHERE id = ?", (batch_id,)):
            return self._batch(row)
        raise NotFound(f"there is no bulk download {batch_id[:40]!r}", field="batch")

    def keep(self, item: Item, *, digest: str | None = None) -> None:
        """Write a row down, with its code as used where ``digest`` is given; ``StorageError`` when it cannot be."""
        used: list[Statement] = []
        if digest is not None:
            used.append(("INSERT OR REPLACE INTO used_codes VALUES (?, ?, ?)", (digest, item.batch, item.row.number)))
        text = "the journal cannot be written, so no code is used"
        self._records.must_write([row_statement(item), *used], text)

    def keep_state(self, batch: Batch) -> None:
        """Write down how a batch does."""
        self._records.write(
            ("UPDATE batches SET state = ?, problem = ? WHERE id = ?", (batch.state, batch.problem, batch.id))
        )

    def drop(self, batch_id: str) -> None:
        """Forget a batch, but not which of its codes were used."""
        kept = ",".join(f"'{state}'" for state in TAKEN)
        free = f"SELECT number FROM bulk_rows WHERE batch = ? AND state NOT IN ({kept})"
        numbers = [number for (number,) in self._records.rows(free, (batch_id,))]
        marks = ",".join("?" * len(numbers))
        self._records.write(
            (f"DELETE FROM used_codes WHERE batch = ? AND number IN ({marks})", (batch_id, *numbers)),
            ("DELETE FROM bulk_rows WHERE batch = ?", (batch_id,)),
            ("DELETE FROM batches WHERE id = ?", (batch_id,)),
        )

    def used_by(self, digest: str) -> str | None:
        """Where a code was used, or may have been; None when it was not, or nothing came of it."""
        select = (
            "SELECT u.batch, u.number, r.state FROM used_codes u LEFT JOIN bulk_rows r "
            "ON r.batch = u.batch AND r.number = u.number WHERE u.digest = ?"
        )
        for batch, number, state in self._records.rows(select, (digest,)):
            if state is None or state in TAKEN:
                return f"in the bulk download {batch}, row {number}"
        return None

    def _batch(self, row: tuple[Any, ...]) -> Batch:
        found = Batch(*row)
        found.items = self._items(found.id)
        return found

    def _items(self, batch_id: str) -> list[Item]:
        select = "SELECT number, state, data FROM bulk_rows WHERE batch = ? ORDER BY number"
        return list(items_of(batch_id, self._records.rows(select, (batch_id,))))


def items_of(batch_id: str, rows: Iterable[tuple[Any, ...]]) -> Iterable[Item]:
    """Rows from the disk."""
    for number, state, text in rows:
        data = json.loads(text)
        row = Row(**{**data["row"], "number": number})
        yield Item(batch_id, row, state, **{name: data.get(name) for name in KEPT})


def row_statement(item: Item) -> Statement:
    """A row as it goes to the disk."""
    return (
        "INSERT OR REPLACE INTO bulk_rows VALUES (?, ?, ?, ?)",
        (item.batch, item.row.number, item.state, item.as_json()),
    )


def cells_of(view: dict[str, Any]) -> list[str]:
    """A row as a line of CSV, in the order of ``RESULT_COLUMNS``."""
    problem = view["problem"] or {}
    flat = view | {
        "problem_code": problem.get("code"),
        "problem": problem.get("message"),
        "hint": problem.get("hint"),
        "enable": "yes" if view["enable"] else "no",
    }
    return ["" if flat[name] is None else str(flat[name]) for name in RESULT_COLUMNS]

