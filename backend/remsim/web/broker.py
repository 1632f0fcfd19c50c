"""Live messages on their way to the viewers: encoded once, kept for a while, never waiting for anybody.

A viewer is nothing but a position in one bounded ring: a slow one costs no memory, and when the ring has
overtaken it, it is told how many messages it lost. Events older than the ring are the journal's.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Collection
from itertools import islice
from typing import Any, Protocol

from remsim.alerts.alert import AlertUpdate
from remsim.core.bus import Bus, Numbered
from remsim.core.events import Event
from remsim.core.jobs import JobUpdate
from remsim.core.small_dataclass import dataclass

RING = 1024
"""Messages kept: two minutes of eight modems at a reading a second."""

DATA, END = b"\ndata: ", b"\n\n"
BATCH = 128
"""Messages handed to one viewer at once, which bounds what waits for a slow one."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it goes over the wire. ``modem`` is None for what concerns every viewer."""

    id: int | None
    kind: str
    modem: str | None
    wire: bytes

    @property
    def data(self) -> str:
        """Its line of JSON: cut out when asked for, since two copies of a thousand messages would be most of a ring."""
        return self.wire[self.wire.index(DATA) + len(DATA) : -len(END)].decode()


@dataclass(frozen=True, slots=True)
class Batch:
    """What a viewer gets next, where it stands then, and how many messages it lost before these."""

    wire: bytes
    position: int
    lost: int


class Broker(Protocol):
    """Takes messages in and serves viewers at their own pace."""

    def publish(self, kind: str, data: str, id: int | None = None, modem: str | None = None) -> None:
        """Hand a message (one line of JSON) to all viewers; never waits for them."""

    def position(self, last_id: int | None = None) -> tuple[int, bool]:
        """Where a viewer starts: after ``last_id``, or with what comes next. True: some before it is gone."""

    def read(
        self, position: int, modems: Collection[str] | None = None, hidden: Collection[str] = frozenset()
    ) -> Batch:
        """The messages from a position on, of some modems (None: all) and without ``hidden`` kinds."""

    def wait(self, position: int, timeout_s: float) -> bool:
        """Wait until there is something to read at ``position``."""

    def since(self, last_id: int) -> tuple[list[Message], bool]:
        """The messages after ``last_id``; True: some of them are gone."""

    def on_publish(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` after each message, in the publisher's thread."""

    @property
    def highest(self) -> int:
        """The highest id that came by; 0 before the first."""

    @property
    def closed(self) -> bool:
        """Whether nothing will come any more."""

    def close(self) -> None:
        """Wake everybody and end."""


def wire_of(kind: str, data: str, id: int | None) -> bytes:
    """The bytes of one server-sent event; ``data`` holds no line end."""
    head = "" if id is None else f"id: {id}\n"
    return f"{head}event: {kind}\ndata: {data}\n\n".encode()


def lagged_wire(lost: int | None) -> bytes:
    """Says that messages were lost (None: nobody knows how many), so the page must fetch the state anew."""
    return wire_of("lagged", json.dumps({"lost": lost}), None)


class InProcessBroker:
    """The broker of one process: a ring in memory."""

    def __init__(self, ring: int = RING) -> None:
        self._ring: deque[Message] = deque(maxlen=ring)
        self._first = 0  # position of the oldest message in the ring
        self._highest = 0
        self._gone_id: int | None = None  # the highest id that left the ring, or was before it
        self._changed = threading.Condition()
        self._wakers: list[Callable[[], None]] = []
        self._closed = False

    def publish(self, kind: str, data: str, id: int | None = None, modem: str | None = None) -> None:
        with self._changed:
            # An event is numbered before its commit, so a reading may overtake it. It goes without an SSE id:
            # the browser's last id must only rise, or a reconnection would repeat or lose messages.
            late = id is not None and id <= self._highest
            message = Message(id, kind, modem, wire_of(kind, data, None if late else id))
            if id is not None and not late:
                if self._gone_id is None:
                    self._gone_id = id - 1
                self._highest = id
            if len(self._ring) == self._ring.maxlen:
                gone = self._ring[0].id
                if gone is not None:
                    self._gone_id = max(gone, self._gone_id or 0)
                self._first += 1
            self._ring.append(message)
            self._changed.notify_all()
        for wake in self._wakers:
            wake()

    def lose(self) -> None:
        """Forget what is kept: messages were missed, so every viewer and every resumption is told."""
        with self._changed:
            self._first += len(self._ring) + 1
            self._ring.clear()
            self._gone_id = None
            self._changed.notify_all()
        for wake in self._wakers:
            wake()

    def position(self, last_id: int | None = None) -> tuple[int, bool]:
        with self._changed:
            end = self._first + len(self._ring)
            if last_id is None:
                return end, False
            if self._gone_id is None or last_id > self._highest:
                return end, True
            return self._after(last_id), last_id < self._gone_id

    def _after(self, last_id: int) -> int:
        """The position behind the message with the id; what came late with a lower id lies behind it."""
        position, highest = self._first, self._gone_id or 0
        for index, message in enumerate(self._ring):
            if message.id is not None and message.id > highest:
                if message.id > last_id:
                    break
                highest, position = message.id, self._first + index + 1
        return position

    def read(
        self, position: int, modems: Collection[str] | None = None, hidden: Collection[str] = frozenset()
    ) -> Batch:
        with self._changed:
            lost = max(self._first - position, 0)
            start = max(position, self._first)
            taken = list(islice(self._ring, start - self._first, start - self._first + BATCH))
        wire = b"".join(
            message.wire
            for message in taken
            if (modems is None or message.modem is None or message.modem in modems) and message.kind not in hidden
        )
        return Batch(wire, start + len(taken), lost)

    def wait(self, position: int, timeout_s: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._closed or position < self._first + len(self._ring), timeout_s)

    def since(self, last_id: int) -> tuple[list[Message], bool]:
        position, gone = self.position(last_id)
        with self._changed:
            return list(islice(self._ring, max(position - self._first, 0), None)), gone

    @property
    def highest(self) -> int:
        """The highest id that came by; 0 before the first."""
        return self._highest

    @property
    def closed(self) -> bool:
        """Whether nothing will come any more."""
        return self._closed

    def on_publish(self, wake: Callable[[], None]) -> None:
        self._wakers.append(wake)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for wake in self._wakers:
            wake()


def feed(bus: Bus, broker: Broker) -> None:
    """Encode what the router publishes and hand it to the broker, each message once."""

    def on_reading(message: Numbered) -> None:
        data = {"id": message.id, **message.reading.as_dict()}
        broker.publish("reading", encode(data), message.id, message.reading.modem)

    def on_event(event: Event) -> None:
        modem = None if event.source == "remsim" else event.source
        broker.publish("event", encode(event.as_dict()), event.id, modem)

    def on_job(update: JobUpdate) -> None:
        broker.publish("job", encode(update.job))

    def on_alert(update: AlertUpdate) -> None:
        broker.publish("alert", encode(update.alert))

    bus.listen(Numbered, on_reading)
    bus.listen(Event, on_event)
    bus.listen(JobUpdate, on_job)
    bus.listen(AlertUpdate, on_alert)


def encode(value: dict[str, Any]) -> str:
    """One line of JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
