"""Long work with a name, progress and an end that everybody can look up."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from remsim.core.bus import Bus
from remsim.core.clock import Clock, iso_utc
from remsim.core.errors import NotFound, RemsimError

log = logging.getLogger(__name__)

KEPT = 50


@dataclass(slots=True)
class Job:
    """One piece of long work. ``progress`` runs from 0 to 1, or is None while it cannot be told."""

    id: str
    kind: str
    started_at: float
    state: str = "running"  # running, done, failed
    progress: float | None = None
    step: str | None = None
    result: Any = None
    error: str | None = None
    ended_at: float | None = None
    _publish: Callable[[Job], None] = field(default=lambda job: None, repr=False)

    def report(self, progress: float | None = None, step: str | None = None) -> None:
        """Say how far it is."""
        self.progress = progress
        if step is not None:
            self.step = step
        self._publish(self)

    def as_dict(self) -> dict[str, Any]:
        """The object of ``/api/v1/jobs/ID`` and of the stream."""
        return {
            "id": self.id,
            "kind": self.kind,
            "state": self.state,
            "progress": self.progress,
            "step": self.step,
            "result": self.result,
            "error": self.error,
            "started_at": iso_utc(self.started_at),
            "ended_at": None if self.ended_at is None else iso_utc(self.ended_at),
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
        self._next = 1

    def start(self, kind: str, work: Callable[[Job], Any]) -> Job:
        """Begin ``work(job)``; what it returns is the result, a ``RemsimError`` is a failure told to the user."""
        with self._lock:
            job = Job(str(self._next), kind, self._clock.now(), _publish=self._publish)
            self._next += 1
            self._jobs[job.id] = job
            while len(self._jobs) > KEPT:
                self._jobs.popitem(last=False)
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

    def _publish(self, job: Job) -> None:
        self._bus.publish(JobUpdate(job.as_dict()))

    def _run(self, job: Job, work: Callable[[Job], Any]) -> None:
        try:
            job.result = work(job)
            job.progress, job.state = 1.0, "done"
        except RemsimError as error:
            job.state, job.error = "failed", error.message
        except Exception:  # a job's thread is where an unforeseen error ends: told, logged, not lost
            log.exception("job %s failed", job.kind)
            job.state, job.error = "failed", "an unexpected error; the log has the details"
        job.ended_at = self._clock.now()
        self._publish(job)
