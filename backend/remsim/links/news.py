"""Events of links, told by a thread of its own: the journal is on a disk, and who shares traffic waits for none."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable

from remsim.core.events import Event

log = logging.getLogger(__name__)

STOP_S = 10.0


class News:
    """Tells events in their order; each has the time when it happened. Any thread may have one told."""

    def __init__(self, emit: Callable[[Event], None]) -> None:
        self._emit = emit
        self._waiting: deque[Event] = deque()
        self._wake = threading.Condition()
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="links-news", daemon=True)

    def start(self) -> None:
        """Begin; what came before is told too."""
        self._thread.start()

    def tell(self, event: Event) -> None:
        """Have it told soon."""
        with self._wake:
            self._waiting.append(event)
            self._wake.notify()

    def stop(self) -> None:
        """Tell what waits, and end."""
        with self._wake:
            self._is_stopping = True
            self._wake.notify()
        if self._thread.is_alive():
            self._thread.join(STOP_S)

    def _run(self) -> None:
        while True:
            with self._wake:
                while not self._waiting and not self._is_stopping:
                    self._wake.wait()
                if not self._waiting:
                    return
                event = self._waiting.popleft()
            try:
                self._emit(event)
            except Exception:  # the next may be told
                log.exception("an event was not told: %s", event.message)
