"""What a user has done to a modem: one operation at a time, in a thread of its own, beside the modem's."""

from __future__ import annotations

import contextlib
import itertools
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from remsim.core.clock import Clock
from remsim.core.errors import Conflict

WAIT_SLICE_S = 0.5
HEARD_KEPT = 16
OWN_S = 10.0
ENDING_S = 1.0


class Operations:
    """What a modem's operations use of it: to reserve it, to hold its polling, to wait for what happens to it."""

    id: str

    def __init__(self, clock: Clock) -> None:
        self.operation: str | None = None
        self.is_held = False
        """Whether something is under way on the port that must not be cut off: the session goes on till its end."""
        self._is_own = False
        self.heard: deque[tuple[int, dict[str, Any]]] = deque(maxlen=HEARD_KEPT)
        """The network's answers to codes lately, numbered."""
        self._heard_count = itertools.count(1)
        self._operating = threading.Lock()
        self._rounds = threading.Lock()
        self._moved = threading.Condition()
        self._clock = clock
        self._stopping = False

    def begin_operation(self, title: str, *, wait_s: float = 0.0, is_own: bool = False) -> None:
        """Reserve the modem; ``Conflict`` names what goes on already, after ``wait_s``.

        What the service does by itself (``is_own``) is waited for a little, for nobody has asked for it.
        """
        if not self._operating.acquire(timeout=wait_s or (OWN_S if self._is_own else 0.0)):
            text = f"{self.id} is busy: {self.operation or 'another operation'}"
            raise Conflict(text, code="busy", hint="wait for its end or abort it")
        self.operation, self._is_own = title, is_own

    def going_on(self) -> str | None:
        """The operation that it is reserved for. One that is just ending is waited for: its event comes before."""
        end = self._clock.monotonic() + ENDING_S
        while self.operation is not None and self._clock.monotonic() < end:
            self._clock.sleep(0.05)
        return self.operation

    def end_operation(self) -> None:
        """Let the modem go for the next operation."""
        self.operation, self._is_own = None, False
        self._operating.release()

    @contextlib.contextmanager
    def polling_held(self) -> Iterator[None]:
        """No round is begun meanwhile, and the port stays open: for commands that take minutes."""
        with self._rounds:
            self.is_held = True
            try:
                yield
            finally:
                self.is_held = False

    def wait_until(self, is_so: Callable[[], bool], within_s: float, is_over: Callable[[], bool]) -> bool:
        """Wait till readings, states or sessions make ``is_so`` true; False after the time or once ``is_over``."""
        deadline = self._clock.monotonic() + within_s
        while not is_so():
            left_s = deadline - self._clock.monotonic()
            if left_s <= 0 or is_over() or self._stopping:
                return is_so()
            with self._moved:
                self._moved.wait(min(left_s, WAIT_SLICE_S))
        return True

    def _notify(self) -> None:
        """Something has happened that an operation may wait for."""
        with self._moved:
            self._moved.notify_all()

    def _keep_heard(self, told: dict[str, Any]) -> None:
        """Keep an answer of the network for the operation that waits for it."""
        self.heard.append((next(self._heard_count), told))
