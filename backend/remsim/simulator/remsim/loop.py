"""Sockets and timers of one thread, alone or below another loop."""

from __future__ import annotations

import heapq
import itertools
import selectors
import socket
import time
from collections.abc import Callable
from typing import Any

Action = Callable[[], None]
After = Callable[[float, Action], None]


class Timer:
    """Something that will be done, unless it is called off."""

    def __init__(self, action: Action) -> None:
        self._action: Action | None = action

    def cancel(self) -> None:
        """Do not do it."""
        self._action = None

    def fire(self) -> None:
        """Do it, once."""
        action, self._action = self._action, None
        if action is not None:
            action()


class Loop:
    """Waits for sockets and time.

    ``after``: the timers of another loop, which also has to watch ``fileno()`` and call ``step()`` when it can be read.
    ``pace``: how long pauses are beside the real programs': 1 is as long, 0.02 is for tests.
    """

    def __init__(self, after: After | None = None, pace: float = 1.0) -> None:
        self.pace = pace
        self._selector = selectors.EpollSelector()
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._after = after
        self._stopping = False

    def fileno(self) -> int:
        """What another loop watches."""
        return self._selector.fileno()

    def watch(self, what: Any, readable: Action | None, writable: Action | None = None) -> None:
        """Call these from now on instead of the ones before."""
        events = (selectors.EVENT_READ if readable else 0) | (selectors.EVENT_WRITE if writable else 0)
        try:
            self._selector.modify(what, events, (readable, writable))
        except KeyError:
            self._selector.register(what, events, (readable, writable))

    def forget(self, what: Any) -> None:
        """Watch it no more; it may not be watched."""
        try:
            self._selector.unregister(what)
        except (KeyError, ValueError):
            pass

    def after(self, delay_s: float, action: Action) -> Timer:
        """Do something later."""
        timer = Timer(action)
        if self._after is not None:
            self._after(delay_s, timer.fire)
        else:
            heapq.heappush(self._timers, (time.monotonic() + delay_s, next(self._order), timer))
        return timer

    def pause(self, delay_s: float, action: Action) -> Timer:
        """Do something after a pause of the real programs."""
        return self.after(delay_s * self.pace, action)

    def step(self, wait_s: float = 0.0) -> None:
        """What can be done now, or within a time."""
        while self._timers and self._timers[0][0] <= time.monotonic():
            heapq.heappop(self._timers)[2].fire()
        if self._timers:
            wait_s = min(wait_s, max(self._timers[0][0] - time.monotonic(), 0.0))
        for key, events in self._selector.select(wait_s):
            readable, writable = key.data
            if readable is not None and events & selectors.EVENT_READ and self._is_current(key):
                readable()
            if writable is not None and events & selectors.EVENT_WRITE and self._is_current(key):
                writable()

    def _is_current(self, key: selectors.SelectorKey) -> bool:
        """What was called before it may have closed it, and its number may be another's by now."""
        now = self._selector.get_map().get(key.fd)
        return now is not None and now.fileobj is key.fileobj

    def stop(self, *_: object) -> None:
        """End ``run`` (also a signal handler)."""
        self._stopping = True

    def run(self) -> None:
        """Go on until stopped."""
        while not self._stopping:
            self.step(1.0)

    def close(self) -> None:
        """Give the descriptor back."""
        self._selector.close()


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one."""
    server = socket.create_server((host, port), backlog=128)
    server.setblocking(False)
    return server
