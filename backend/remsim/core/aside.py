"""Work that must not be waited for, in a thread that ends with it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

log = logging.getLogger(__name__)


class Aside:
    """One piece of work at a time. Any thread may ask."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_stopping = False

    @property
    def is_busy(self) -> bool:
        """Whether something is under way."""
        return self._thread is not None and self._thread.is_alive()

    def begin(self, work: Callable[[], object]) -> bool:
        """Begin it; False while something else is done, and once it is stopped: whoever looks again asks again."""
        with self._lock:
            if self._is_stopping or self.is_busy:
                return False
            self._thread = threading.Thread(target=self._run, args=(work,), name=self._name, daemon=True)
            self._thread.start()
            return True

    def stop(self, wait_s: float) -> None:
        """Begin nothing more, and wait so long for what is under way."""
        with self._lock:
            self._is_stopping, thread = True, self._thread
        if thread is not None:
            thread.join(wait_s)

    def _run(self, work: Callable[[], object]) -> None:
        try:
            work()
        except Exception:  # who asked is not there any more
            log.exception("%s failed", self._name)
