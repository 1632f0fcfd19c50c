"""Many downloads over all cards of this router: checked, begun, taken up again, decided on and forgotten."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from remsim.core.errors import Conflict, InvalidInput, NotFound
from remsim.core.jobs import Job
from remsim.esim.bulk_journal import (
    DONE,
    DROPPED,
    FAILED,
    INTERRUPTED,
    LOADING,
    ORDERING,
    OVER,
    RUNNING,
    STOPPED,
    UNKNOWN,
    WAITING,
    Batch,
    Item,
    Journal,
)
from remsim.esim.bulk_rows import Row, check_rows
from remsim.esim.bulk_run import Run, forget_code
from remsim.esim.room import Room

if TYPE_CHECKING:
    from remsim.esim.ordering import Ordering
    from remsim.esim.records import Records
    from remsim.esim.work import Work

KIND = "esim-bulk"


class Bulk:
    """The batches of this router, one at a time. ``wait(job, seconds)`` waits for the rate and for busy modems."""

    def __init__(
        self,
        room: Room,
        work: Work,
        records: Records,
        orders: Callable[[], Ordering],
        wait: Callable[[Job, float], None] = Job.sleep,
    ) -> None:
        self._room, self._work, self._orders, self._wait = room, work, orders, wait
        self._journal = Journal(records, room.clock)
        self._beginning = threading.Lock()
        self._job: Job | None = None
        self._running: Batch | None = None

    # --- what people ask for ---

    def check(self, rows: list[Row], min_free: int) -> dict[str, Any]:
        """A dry run: what each row would do, and what is wrong. Nothing is asked, ordered or used."""
        check_rows(rows, self._room, self._orders, self._journal.used_by, min_free)
        wrong = sum(row.problem is not None for row in rows)
        return {"check": True, "ready": len(rows) - wrong, "problems": wrong, "rows": [row.view() for row in rows]}

    def begin(self, rows: list[Row], *, name: str, per_minute: float, min_free: int, actor: str) -> Job:
        """Begin, when nothing is wrong with any row; ``InvalidInput`` names the first that is."""
        self.check(rows, min_free)
        wrong = [row for row in rows if row.problem is not None]
        if wrong:
            more = f", and {len(wrong) - 1} more rows are wrong" if len(wrong) > 1 else ""
            problem = wrong[0].problem or {}
            text = f"row {wrong[0].number}: {problem['message']}{more}"
            hint = "nothing was begun; a check shows all that is wrong"
            raise InvalidInput(text, field="rows", code=str(problem["code"]), hint=hint)
        batch = Batch(secrets.token_hex(4), name, self._room.clock.now(), actor, per_minute)
        batch.items = [Item(batch.id, row, enabled="wanted" if row.enable else None) for row in rows]
        with self._beginning:
            self._check_free()
            self._journal.add(batch)
            return self._start(batch, actor)

    def resume(self, batch_id: str, actor: str) -> Job:
        """Go on with what waits; what was under way is settled first."""
        with self._beginning:
            self._check_free()
            return self._start(self._journal.batch(batch_id), actor)

    def decide(self, batch_id: str, number: int, decision: str) -> dict[str, Any]:
        """What somebody who has looked says of a row: try it ``again``, it is ``done``, or ``drop`` it."""
        with self._beginning:
            self._check_free()
            batch = self._journal.batch(batch_id)
            item = next((one for one in batch.items if one.row.number == number), None)
            if item is None:
                raise NotFound(f"there is no row {number}", field="row")
            if item.state not in (FAILED, UNKNOWN, WAITING) or (item.state == WAITING and decision != "drop"):
                raise Conflict(f"row {number} is {item.state}: there is nothing to decide", field="row")
            item.state = {"again": WAITING, "done": DONE, "drop": DROPPED}[decision]
            if decision == "again":
                item.problem = None
            else:
                forget_code(item)
            self._journal.keep(item)
            batch.state = STOPPED if any(one.state == WAITING for one in batch.items) else OVER
            self._journal.keep_state(batch)
            return item.view()

    def drop(self, batch_id: str) -> None:
        """Forget a batch; which codes were used stays known."""
        with self._beginning:
            if self.is_running(batch_id):
                raise Conflict("it is under way", code="busy", hint="abort its job first")
            self._journal.batch(batch_id)
            self._journal.drop(batch_id)

    def views(self) -> list[dict[str, Any]]:
        """All batches, the last first."""
        return [self._view(one) for one in self._journal.batches()]

    def view(self, batch_id: str, *, identifiers: bool = False) -> dict[str, Any]:
        """One, with its rows."""
        batch = self._journal.batch(batch_id)
        return self._view(batch) | {"rows": [one.view(identifiers=identifiers) for one in batch.items]}

    def is_running(self, batch_id: str) -> bool:
        """Whether it is under way."""
        return self._is_running() and self._running is not None and self._running.id == batch_id

    def _view(self, batch: Batch) -> dict[str, Any]:
        is_running = self.is_running(batch.id)
        job = self._job.id if self._job is not None and is_running else None
        state = INTERRUPTED if batch.state == RUNNING and not is_running else batch.state
        return batch.view() | {"state": state, "job": job}

    def _is_running(self) -> bool:
        return self._job is not None and not self._job.is_over

    def _check_free(self) -> None:
        if self._is_running():
            raise Conflict("another bulk download is under way", code="busy", hint="wait for its end, or abort its job")

    def _start(self, batch: Batch, actor: str) -> Job:
        batch.state, batch.problem, self._running = RUNNING, None, batch
        self._journal.keep_state(batch)
        count = sum(one.state in (WAITING, ORDERING, LOADING) for one in batch.items)
        run = Run(self._room, self._work, self._journal, self._orders, batch, self._wait)
        self._job = self._room.jobs.start(KIND, run.run, title=f"loading {count} profiles", actor=actor)
        return self._job
