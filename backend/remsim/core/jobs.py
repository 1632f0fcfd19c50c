"""Long work with a name, progress and an end that everybody can look up."""

from __future__ import annotations

import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any

from remsim.core.bus import Bus
from remsim.core.clock import Clock, iso_utc
from remsim.core.errors import Aborted, Conflict, NotFound, RemsimError
from remsim.core.small_dataclass import dataclass

log = logging.getLogger(__name__)

KEPT = 50
STATES = {
    "running": "under way",
    "confirming": "done, and undone again unless somebody confirms it in time",
    "asking": "waits for an answer to its question, and ends without one in time",
    "done": "ended as wanted",
    "failed": "ended otherwise; error and hint say why",
    "aborted": "ended because somebody asked for it",
}
"""Every state a job can be in."""


@dataclass(slots=True)
class Job:
    """One piece of long work. ``progress`` runs from 0 to 1, or is None while it cannot be told.

    ``source`` is the modem it works on, ``title`` what it does in words, ``actor`` who asked for it. ``question`` is
    what it asks while it is ``asking``.
    """

    id: str
    kind: str
    started_at: float
    source: str | None = None
    title: str | None = None
    actor: str | None = None
    state: str = "running"
    progress: float | None = None
    step: str | None = None
    result: Any = None
    error: str | None = None
    code: str | None = None
    hint: str | None = None
    at_field: str | None = None
    ended_at: float | None = None
    confirm_by: float | None = None
    question: dict[str, Any] | None = None
    can_abort: bool = False
    _publish: Callable[[Job], None] = field(default=lambda job: None, repr=False)
    _aborted: threading.Event = field(default_factory=threading.Event, repr=False)
    _confirmed: threading.Event = field(default_factory=threading.Event, repr=False)
    _over: threading.Event = field(default_factory=threading.Event, repr=False)
    _deciding: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _answered: threading.Event = field(default_factory=threading.Event, repr=False)
    _answer: dict[str, Any] | None = field(default=None, repr=False)
    _stopping: threading.Event = field(default_factory=threading.Event, repr=False)

    def report(self, progress: float | None = None, step: str | None = None, *, can_abort: bool | None = None) -> None:
        """Say how far it is, and whether it can be aborted from now on."""
        self.progress = progress
        if step is not None:
            self.step = step
        if can_abort is not None:
            self.can_abort = can_abort
        self._publish(self)

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.ended_at is not None

    @property
    def is_abort_wanted(self) -> bool:
        """Whether somebody wants it to end."""
        return self._aborted.is_set()

    def abort(self) -> None:
        """Ask it to end; ``Conflict`` when it has ended, or is at a point where stopping would leave a mess."""
        if self.is_over or not self.can_abort:
            raise Conflict("this job cannot be aborted " + ("any more" if self.is_over else "now"), field="job")
        self._aborted.set()
        self._confirmed.set()  # who waits for one of them wakes up
        self._answered.set()

    def stop(self) -> None:
        """The service ends: whatever it waits for is not waited for any longer."""
        self._stopping.set()
        self._aborted.set()
        self._confirmed.set()
        self._answered.set()

    @property
    def is_stopping(self) -> bool:
        """Whether it is to end because the service does."""
        return self._stopping.is_set()

    def sleep(self, seconds: float) -> None:
        """Wait where an abort would leave a mess; only the end of the service cuts it short."""
        self._stopping.wait(seconds)

    def aborted(self) -> Aborted:
        """The error with which it ends early."""
        if self.is_stopping:
            return Aborted(f"{self.title or self.kind} was ended, for the service stops", code="stopping")
        return Aborted(f"{self.title or self.kind} was aborted")

    def heed_abort(self) -> None:
        """What was asked to end has ended; what follows to clear up is not asked to."""
        self._aborted.clear()
        self.report(None, can_abort=False)

    def confirm(self) -> None:
        """Keep what the job changed; ``Conflict`` when it does not wait for that."""
        with self._deciding:  # who is told that it was confirmed must find it so
            if self.state != "confirming":
                raise Conflict("this job does not wait for a confirmation", field="job")
            self._confirmed.set()

    def answer(self, values: Mapping[str, Any]) -> None:
        """Answer its question; ``Conflict`` when it asks none, or was answered already."""
        with self._deciding:
            if self.state != "asking" or self._answered.is_set():
                raise Conflict("this job does not wait for an answer", field="job")
            self._answer = dict(values)
            self._answered.set()

    def ask(self, question: Mapping[str, Any], now: float, within_s: float) -> dict[str, Any] | None:
        """Somebody's answer to a question; None when nobody answers in time, or the job is aborted meanwhile."""
        with self._deciding:
            self._answer = None
            self._answered.clear()
            if self._aborted.is_set():
                return None
            self.state, self.question = "asking", dict(question)
            self.confirm_by, self.can_abort = now + within_s, True
        self._publish(self)
        self._answered.wait(within_s)
        with self._deciding:
            answer, self._answer = self._answer, None
            self.state, self.question, self.confirm_by = "running", None, None
        self.report(None, can_abort=False)
        return None if self._aborted.is_set() else answer

    def wait_for_confirmation(self, now: float, within_s: float) -> bool:
        """Whether somebody confirmed within the time; an abort is no confirmation."""
        self._confirmed.clear()
        if self._aborted.is_set():
            return False
        self.state, self.confirm_by, self.can_abort = "confirming", now + within_s, True
        self.report(None, "waiting for a confirmation")
        self._confirmed.wait(within_s)
        with self._deciding:
            is_confirmed = self._confirmed.is_set() and not self._aborted.is_set()
            self.state, self.confirm_by = "running", None
        self.report(None, "confirmed" if is_confirmed else "not confirmed", can_abort=False)
        return is_confirmed

    def end(self, now: float) -> None:
        """It is over."""
        self.ended_at = now
        self._publish(self)
        self._over.set()

    def wait(self, timeout_s: float) -> bool:
        """Whether it is over, after that time at the latest."""
        return self._over.wait(max(timeout_s, 0.0))

    def as_dict(self) -> dict[str, Any]:
        """The object of ``/api/v1/jobs/ID`` and of the stream."""
        ended_at = self.ended_at  # before the rest: what has ended is told with the state in which it did
        return {
            "id": self.id,
            "kind": self.kind,
            "modem": self.source,
            "title": self.title,
            "state": self.state,
            "progress": self.progress,
            "step": self.step,
            "can_abort": self.can_abort and ended_at is None,
            "confirm_by": None if self.confirm_by is None else iso_utc(self.confirm_by),
            "question": self.question,
            "result": self.result,
            "error": self.error,
            "code": self.code,
            "hint": self.hint,
            "field": self.at_field,
            "started_at": iso_utc(self.started_at),
            "ended_at": None if ended_at is None else iso_utc(ended_at),
        }


@dataclass(frozen=True, slots=True)
class JobUpdate:
    """A job moved on; ``job`` is its object at that moment."""

    job: dict[str, Any]


class Jobs:
    """Runs jobs in threads of their own and remembers the last ones."""

    def __init__(self, bus: Bus, clock: Clock) -> None:
        self._bus = bus
        self._clock = clock
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._lock = threading.Lock()
        self._stopping = False
        self._life = secrets.token_hex(3)
        """Part of every id, so that a page left open cannot confirm another job after a restart of the service."""
        self._next = 1

    def start(
        self,
        kind: str,
        work: Callable[[Job], Any],
        *,
        source: str | None = None,
        title: str | None = None,
        actor: str | None = None,
    ) -> Job:
        """Begin ``work(job)``; what it returns is the result, a ``RemsimError`` is a failure told to the user."""
        with self._lock:
            name = f"{self._life}-{self._next}"
            job = Job(name, kind, self._clock.now(), source, title, actor, _publish=self._publish)
            self._next += 1
            self._jobs[job.id] = job
            self._forget_old()
            if self._stopping:
                job.stop()
        self._publish(job)
        threading.Thread(target=self._run, args=(job, work), name=f"job-{kind}", daemon=True).start()
        return job

    def get(self, job_id: str) -> Job:
        """The job, or ``NotFound``."""
        try:
            return self._jobs[job_id]
        except KeyError:
            raise NotFound(f"there is no job {job_id[:40]!r}", field="job") from None

    def recent(self) -> list[Job]:
        """The remembered jobs, oldest first."""
        with self._lock:
            return list(self._jobs.values())

    def stop(self, within_s: float) -> None:
        """Have all jobs end, and wait for that as long; called again, only wait for those that have not."""
        with self._lock:
            is_first, self._stopping = not self._stopping, True
            under_way = [job for job in self._jobs.values() if not job.is_over]
        for job in under_way:
            if is_first:
                job.stop()
        deadline = self._clock.monotonic() + within_s
        for job in under_way:
            job.wait(deadline - self._clock.monotonic())

    def _forget_old(self) -> None:
        """Keep the last ones, and all that are under way."""
        for job_id in [job.id for job in self._jobs.values() if job.is_over][: max(0, len(self._jobs) - KEPT)]:
            del self._jobs[job_id]

    def _publish(self, job: Job) -> None:
        self._bus.publish(JobUpdate(job.as_dict()))

    def _run(self, job: Job, work: Callable[[Job], Any]) -> None:
        try:
            job.result = work(job)
            job.progress, job.state = 1.0, "done"
        except Aborted as error:
            job.state, job.error, job.code, job.hint = "aborted", error.message, error.code, error.hint
        except RemsimError as error:
            job.state, job.error, job.code, job.hint = "failed", error.message, error.code, error.hint
            job.at_field = error.field
        except Exception:  # a job's thread is where an unforeseen error ends: told, logged, not lost
            log.exception("job %s failed", job.kind)
            job.state, job.code = "failed", "internal_error"
            job.error = "an unexpected error; the log has the details"
        job.end(self._clock.now())
