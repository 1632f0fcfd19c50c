"""One output at work: takes all values every so often, keeps them until the receiver has them, says what is wrong."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from remsim.config.outputs import OutputSettings
from remsim.core.clock import FIRST_TRUSTED, Clock, iso_utc
from remsim.core.errors import RemsimError
from remsim.core.events import Event
from remsim.outbound.way import Refused
from remsim.outputs.queue import Queue, Row, Sample

log = logging.getLogger(__name__)

FIRST_RETRY_S, LAST_RETRY_S = 5.0, 300.0
MOST_ROWS, MOST_SAMPLES = 60, 20_000
"""In one request."""
AHEAD_MS = 120_000
"""A row further in the future was taken before the clock was set back: it would keep newer ones out."""


class Send(Protocol):
    """Sends rows, or raises ``RemsimError``."""

    def __call__(self, output: OutputSettings, rows: Sequence[Row], /) -> None: ...


class Lane:
    """The thread of one output. ``is_final`` says which refusals will never be taken back."""

    def __init__(
        self,
        output: OutputSettings,
        queue: Queue,
        send: Send,
        is_final: Callable[[Refused], bool],
        *,
        snapshot: Callable[[], tuple[Sample, ...]],
        clock: Clock,
        emit: Callable[[Event], None],
    ) -> None:
        self.output = output
        self._queue = queue
        self._send = send
        self._is_final = is_final
        self._snapshot = snapshot
        self._clock = clock
        self._emit = emit
        self._stopping = threading.Event()
        self._sample_at = self._try_at = clock.monotonic()
        self._failures = 0
        self.sent = 0
        self.problem: str | None = None
        self.last_success: float | None = None
        self._thread = threading.Thread(target=self._run, name=f"output-{output.name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Have it end; what waits is sent after the next start."""
        self._stopping.set()

    def join(self, timeout_s: float) -> None:
        """Wait until it has ended, for so long at most."""
        self._thread.join(timeout_s)

    def state(self) -> dict[str, Any]:
        """How it does, for the API."""
        oldest = self._queue.oldest_ms
        return {
            "problem": self.problem,
            "last_success": None if self.last_success is None else iso_utc(self.last_success),
            "sent_samples": self.sent,
            "waiting": len(self._queue),
            "waiting_bytes": self._queue.size,
            "oldest_waiting": None if oldest is None else iso_utc(oldest / 1000),
            "dropped": self._queue.dropped,
        }

    def step(self) -> float:
        """Do what is due; seconds until there is more to do."""
        now = self._clock.monotonic()
        if now >= self._sample_at:
            self._sample_at = max(self._sample_at + self.output.interval_s, now)
            self._take()
        if len(self._queue) and now >= self._try_at:
            self._deliver()
        due = [self._sample_at] + ([self._try_at] if len(self._queue) else [])
        return max(0.0, min(due) - self._clock.monotonic())

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                wait_s = self.step()
            except Exception:  # an unforeseen fault of one moment must not end the output
                log.exception("output %s", self.output.name)
                wait_s = FIRST_RETRY_S
            self._stopping.wait(wait_s)

    def _take(self) -> None:
        """Put this moment's values into the queue. An unset clock would give them a time nobody finds."""
        at = self._clock.now()
        if at < FIRST_TRUSTED:
            self.problem = "the router's clock is not set yet"
            return
        now_ms = round(at * 1000)
        self._queue.drop_before(now_ms - self.output.keep_hours * 3_600_000)
        self._queue.drop_after(now_ms + AHEAD_MS)
        try:
            self._queue.put(Row(now_ms, self._snapshot()))
        except OSError as error:
            self._failed(f"what is to be sent cannot be kept: {error.strerror}")

    def _deliver(self) -> None:
        """Send the oldest rows; a request that will never be taken is halved until the row at fault is found."""
        rows = self._queue.first(MOST_ROWS)
        while len(rows) > 1 and sum(len(row.samples) for row in rows) > MOST_SAMPLES:
            rows = rows[: len(rows) // 2]
        while rows and not self._stopping.is_set():
            try:
                self._send(self.output, rows)
            except Refused as error:
                if not self._is_final(error):
                    self._later(error, error.retry_after_s)
                    return
                if len(rows) == 1:
                    log.warning("output %s: %s: %s", self.output.name, error.message, error.answer[:200])
                    self._queue.drop(rows[0].at_ms)
                    return
                rows = rows[: len(rows) // 2]
            except RemsimError as error:
                self._later(error, None)
                return
            else:
                self._worked(rows)
                return

    def _worked(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._queue.done(row.at_ms)
            self.sent += len(row.samples)
        self.last_success = self._clock.now()
        self._try_at = self._clock.monotonic()
        self.problem = None
        if self._failures:
            self._failures = 0
            self._tell("recovered", f"output {self.output.name}: values are taken again", "info")

    def _later(self, error: RemsimError, wait_s: float | None) -> None:
        """Try again after a pause that grows."""
        pause_s = min(FIRST_RETRY_S * 2**self._failures, LAST_RETRY_S) if wait_s is None else wait_s
        self._try_at = self._clock.monotonic() + pause_s
        self._failed(error.message)

    def _failed(self, text: str) -> None:
        self.problem = text
        if not self._failures:
            self._tell("error", f"output {self.output.name}: {text}", "warning")
        self._failures = min(self._failures + 1, 10)

    def _tell(self, kind: str, text: str, severity: str) -> None:
        self._emit(Event(kind, "remsim", self._clock.now(), text, severity))
