"""Open streams: who is counted, what a viewer wants, and the bytes it gets first."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from remsim.core.small_dataclass import dataclass
from remsim.web.broker import Broker, encode, lagged_wire, wire_of
from remsim.web.errors import TooManyStreams

if TYPE_CHECKING:
    from remsim.telemetry.journal import Journal

HEARTBEAT = b": still here\n\n"
HEARTBEAT_S = 15.0
HELLO = b"retry: 2000\n: remsim\n\n"
REPLAYED_EVENTS = 500


@dataclass(slots=True)
class Viewer:
    """One open stream: where it stands, which modems it wants (None: all), and what kinds are ``hidden`` from it.

    ``is_allowed`` says whether who opened it may still see it: a revoked login ends its streams too.
    """

    position: int
    modems: frozenset[str] | None
    first: bytes
    hidden: frozenset[str] = frozenset()
    is_allowed: Callable[[], bool] = lambda: True


class Streams:
    """Counts the open streams and keeps them below the cap."""

    def __init__(self, broker: Broker, journal: Journal, cap: int) -> None:
        self.broker = broker
        self._journal = journal
        self.cap = cap
        self._open = 0
        self._lock = threading.Lock()

    @property
    def open(self) -> int:
        """How many are open now."""
        return self._open

    def begin(self, last_id: int | None, modems: frozenset[str] | None) -> Viewer:
        """Count a new viewer in, or raise ``TooManyStreams``. Whoever gets one must call ``end`` once."""
        with self._lock:
            if self._open >= self.cap:
                raise TooManyStreams(
                    f"all {self.cap} live streams are in use",
                    hint="poll /api/v1/state?since=ID instead, or raise remsim_console.web.max_streams",
                )
            self._open += 1
        try:
            position, gone = self.broker.position(last_id)
            first = HELLO
            if gone and last_id is not None:
                first += lagged_wire(None) + self._replayed_events(last_id, position, modems)
            return Viewer(position, modems, first)
        except BaseException:
            self.end()
            raise

    def end(self) -> None:
        """A viewer is gone."""
        with self._lock:
            self._open -= 1

    def _replayed_events(self, last_id: int, position: int, modems: frozenset[str] | None) -> bytes:
        """The journal's events after ``last_id`` that the ring will not bring."""
        events, _next = self._journal.query(since=last_id, limit=REPLAYED_EVENTS)
        held = {message.id for message in self.broker.since(0)[0] if message.kind == "event"}
        wanted = (
            event
            for event in reversed(events)
            if event.id not in held and (modems is None or event.source == "remsim" or event.source in modems)
        )
        return b"".join(wire_of("event", encode(event.as_dict()), event.id) for event in wanted)

    def next_piece(self, viewer: Viewer) -> bytes:
        """What the viewer gets next; empty when nothing waits. Moves the viewer on."""
        batch = self.broker.read(viewer.position, viewer.modems, viewer.hidden)
        viewer.position = batch.position
        return lagged_wire(batch.lost) + batch.wire if batch.lost else batch.wire


class Generated:
    """A stream that holds its thread: for servers that cannot give the socket away. An iterable of WSGI."""

    def __init__(self, streams: Streams, viewer: Viewer) -> None:
        self._streams = streams
        self._viewer = viewer
        self._begun = False
        self._ended = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        broker = self._streams.broker
        if not self._begun:
            self._begun = True
            return self._viewer.first
        while not broker.closed:
            has_more = broker.wait(self._viewer.position, HEARTBEAT_S)
            if not self._viewer.is_allowed():
                break
            piece = self._streams.next_piece(self._viewer) if has_more else HEARTBEAT
            if piece:
                return piece
        raise StopIteration

    def close(self) -> None:
        """Called by the server in the end, however it comes."""
        if not self._ended:
            self._ended = True
            self._streams.end()
