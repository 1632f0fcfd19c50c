"""Takes readings off the bus into series and usage, in one thread."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable

from remsim.core.bus import Bus, Lagged, Numbered
from remsim.core.clock import Clock
from remsim.core.events import Event
from remsim.telemetry.series import SeriesStore
from remsim.telemetry.usage import Usage

log = logging.getLogger(__name__)

FLUSH_S = 10.0
USAGE_S = 60.0


class Recorder:
    """Rings are fed at once, files every ten seconds, usage every minute, the backup every quarter of an hour."""

    def __init__(
        self,
        bus: Bus,
        series: SeriesStore,
        usage: Usage,
        *,
        clock: Clock,
        emit: Callable[[Event], None],
        backup_s: float = 900.0,
        others: Iterable[tuple[str, float, Callable[[], None]]] = (),
    ) -> None:
        """``others`` are short tasks to do now and then: name, period in seconds, what to do."""
        self._bus = bus
        self._series = series
        self._usage = usage
        self._clock = clock
        self._emit = emit
        self._tasks: list[tuple[str, float, Callable[[], None]]] = [
            ("series", FLUSH_S, series.flush),
            ("usage", USAGE_S, usage.flush),
            ("backup", backup_s, series.save_backup),
            *others,
        ]
        self._due = {name: clock.monotonic() + period_s for name, period_s, _ in self._tasks}
        self._failed: set[str] = set()
        self._subscription = bus.subscribe("recorder", Numbered, limit=5000)
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Take what is left and end; the owner closes series and usage."""
        self._subscription.close()
        self._thread.join(2.0)

    def _run(self) -> None:
        while True:
            closed = self._subscription.closed
            for message in self._subscription.get_all(1.0):
                if isinstance(message, Numbered):
                    self._guarded("recording", lambda message=message: self._take(message))  # type: ignore[misc]
                elif isinstance(message, Lagged):
                    self._tell(f"{message.lost} readings were not recorded: the disk was too slow for them")
            now = self._clock.monotonic()
            for name, period_s, task in self._tasks:
                if now >= self._due[name]:
                    self._due[name] = now + period_s
                    self._guarded(name, task)
            if closed:
                return

    def _take(self, message: Numbered) -> None:
        self._series.record(message.reading)
        self._usage.record(message.reading)

    def _guarded(self, name: str, task: Callable[[], None]) -> None:
        """One part's unforeseen error must not end the others: logged each time, told once."""
        try:
            task()
            self._failed.discard(name)
        except Exception as error:
            log.exception("%s failed", name)
            if name not in self._failed:
                self._failed.add(name)
                self._tell(f"{name} failed: {type(error).__name__}; the log has the details")

    def _tell(self, text: str) -> None:
        self._emit(Event("error", "remsim", self._clock.now(), text, "error"))
