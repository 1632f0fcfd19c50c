"""Where rooms meet: publishers never wait, a slow subscriber loses its oldest and is told."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from remsim.core.reading import ModemReading
from remsim.core.small_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Numbered:
    """A reading with its place in the one sequence of stream messages."""

    id: int
    reading: ModemReading


@dataclass(frozen=True, slots=True)
class Lagged:
    """Told to a subscriber in place of the ``lost`` messages it was too slow for."""

    lost: int


class Subscription:
    """A bounded queue of one subscriber. Get from one thread; close from any."""

    def __init__(self, bus: Bus, name: str, accepts: tuple[type, ...], limit: int) -> None:
        self.name = name
        self.accepts = accepts
        self._bus = bus
        self._limit = limit
        self._queue: deque[Any] = deque()
        self._lost = 0
        self._ready = threading.Condition(threading.Lock())
        self._closed = False

    def put(self, message: object) -> None:
        """Called by the bus."""
        with self._ready:
            if self._closed:
                return
            if len(self._queue) >= self._limit:
                self._queue.popleft()
                self._lost += 1
            self._queue.append(message)
            self._ready.notify()

    def get_all(self, timeout_s: float | None = None) -> list[Any]:
        """All that waits, oldest first; an empty list after ``timeout_s`` or when closed.

        When messages were lost the first element is ``Lagged``.
        """
        with self._ready:
            if not self._queue and not self._closed:
                self._ready.wait(timeout_s)
            messages: list[Any] = [Lagged(self._lost)] if self._lost else []
            messages.extend(self._queue)
            self._queue.clear()
            self._lost = 0
            return messages

    @property
    def closed(self) -> bool:
        """Whether no more messages will come."""
        return self._closed

    def close(self) -> None:
        """Take no more messages and wake the subscriber."""
        self._bus.forget(self)
        with self._ready:
            self._closed = True
            self._ready.notify_all()


class Bus:
    """Hands every message to the subscribers that accept its type, in the order of publishing."""

    def __init__(self) -> None:
        self._subscriptions: tuple[Subscription, ...] = ()
        self._listeners: tuple[tuple[type, Callable[[Any], None]], ...] = ()
        self._lock = threading.Lock()

    def subscribe(self, name: str, *accepts: type, limit: int = 1000) -> Subscription:
        """A queue for messages of these types."""
        subscription = Subscription(self, name, accepts, limit)
        with self._lock:
            self._subscriptions = (*self._subscriptions, subscription)
        return subscription

    def listen(self, accepts: type, listener: Callable[[Any], None]) -> None:
        """Call ``listener`` in the publisher's thread; it must be quick and must not raise."""
        with self._lock:
            self._listeners = (*self._listeners, (accepts, listener))

    def forget(self, subscription: Subscription) -> None:
        """Drop a subscription."""
        with self._lock:
            self._subscriptions = tuple(s for s in self._subscriptions if s is not subscription)

    def publish(self, message: object) -> None:
        """Give ``message`` to all who accept it; never blocks on a slow one."""
        for accepts, listener in self._listeners:
            if isinstance(message, accepts):
                listener(message)
        for subscription in self._subscriptions:
            if isinstance(message, subscription.accepts):
                subscription.put(message)
