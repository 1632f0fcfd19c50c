"""The way out: each channel has a lane in which messages wait their turn, survive a restart, and are tried again.

A lane has a thread only while it sends; a slow one holds up nobody but itself. What has gathered meanwhile goes as one
message, and of an alert only how it stands at last.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import field
from typing import Any, Protocol

from remsim.alerts.notice import Notice
from remsim.alerts.store import AlertStore, Waiting
from remsim.config.channels import ChannelSettings
from remsim.core.clock import FIRST_TRUSTED, Clock, iso_utc
from remsim.core.errors import RemsimError
from remsim.core.small_dataclass import dataclass

log = logging.getLogger(__name__)

GATHER_S = 0.3
"""What fires at once goes as one message."""
FIRST_RETRY_S, LAST_RETRY_S = 5.0, 300.0
EXPIRY_S = 86400.0
RATE, RATE_S = 10, 60.0
"""So many messages a minute; more alerts wait for the next message."""
MOST_WAITING = 1000
MOST_IN_ONE = 100


class Send(Protocol):
    """Sends a notice by a channel, or raises ``RemsimError`` with the reason."""

    def __call__(self, channel: ChannelSettings, notice: Notice, /) -> None: ...


@dataclass(slots=True)
class Lane:
    """One channel's queue. Times are monotonic, but those of ``last_*``."""

    settings: ChannelSettings
    queue: deque[tuple[Waiting, float]] = field(default_factory=deque)
    next_at: float = 0.0
    failures: int = 0
    is_busy: bool = False
    lost: int = 0
    sent_at: deque[float] = field(default_factory=lambda: deque(maxlen=RATE))
    last_success: float | None = None
    last_error: float | None = None
    error: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """How it does, for the API."""
        return {
            "queue": len(self.queue),
            "lost": self.lost,
            "last_success": None if self.last_success is None else iso_utc(self.last_success),
            "last_error": None if self.last_error is None else {"at": iso_utc(self.last_error), "message": self.error},
            "is_failing": self.failures > 0,
        }


class Outbox:
    """All lanes. ``put`` from any thread; ``run_due`` starts what is due, ``due`` says when to call it."""

    def __init__(
        self,
        store: AlertStore,
        *,
        clock: Clock,
        send: Send,
        router_name: str,
        on_result: Callable[[list[int], str, str], None],
        on_change: Callable[[], None],
        start: Callable[[Callable[[], None]], None] | None = None,
        gather_s: float = GATHER_S,
    ) -> None:
        self._store = store
        self._clock = clock
        self._send = send
        self._router_name = router_name
        self._on_result = on_result
        self._on_change = on_change
        self._start = start or start_thread
        self._gather_s = gather_s
        self._lanes: dict[str, Lane] = {}
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)
        self._stopping = threading.Event()

    def configure(self, channels: Iterable[ChannelSettings]) -> None:
        """Have these channels; what waits for one that is gone is forgotten."""
        dropped: list[int] = []
        with self._lock:
            lanes = {}
            for settings in channels:
                lane = self._lanes.get(settings.name) or Lane(settings)
                if lane.settings != settings:
                    lane.settings, lane.next_at, lane.failures = settings, 0.0, 0
                lanes[settings.name] = lane
            for name, lane in self._lanes.items():
                if name not in lanes:
                    dropped += [waiting.id for waiting, _ in lane.queue]
                    lane.queue.clear()
            self._lanes = lanes
        self._store.sent(dropped)

    def restore(self, waiting: Iterable[Waiting]) -> None:
        """What was not sent before the restart, in its order."""
        now, wall = self._clock.monotonic(), self._clock.now()
        orphans = []
        with self._lock:
            for one in waiting:
                lane = self._lanes.get(one.channel)
                if lane is None:
                    orphans.append(one.id)
                    continue
                is_dated = FIRST_TRUSTED <= one.at <= wall
                lane.queue.append((one, now - (wall - one.at) if is_dated else now))
        self._store.sent(orphans)

    def put(self, waiting: Iterable[Waiting]) -> None:
        """Take messages that the store has already."""
        now = self._clock.monotonic()
        dropped: list[int] = []
        with self._lock:
            for one in waiting:
                lane = self._lanes.get(one.channel)
                if lane is None:
                    dropped.append(one.id)
                    continue
                lane.queue.append((one, now))
                if len(lane.queue) > MOST_WAITING:
                    dropped.append(lane.queue.popleft()[0].id)
                    lane.lost += 1
        self._store.sent(dropped)

    def due(self) -> float | None:
        """When some lane wants to send."""
        with self._lock:
            times = [lane.next_at for lane in self._lanes.values() if is_wanted(lane)]
        return min(times, default=None)

    def run_due(self) -> None:
        """Start the lanes whose time has come."""
        now = self._clock.monotonic()
        with self._lock:
            ready = [lane for lane in self._lanes.values() if is_wanted(lane) and lane.next_at <= now]
            for lane in ready:
                lane.is_busy = True
        for lane in ready:
            self._start(lambda lane=lane: self._work(lane))  # type: ignore[misc]

    def channel(self, name: str) -> ChannelSettings | None:
        """A channel's settings."""
        with self._lock:
            lane = self._lanes.get(name)
        return None if lane is None else lane.settings

    def states(self) -> dict[str, dict[str, Any]]:
        """How each channel does."""
        with self._lock:
            return {name: lane.as_dict() for name, lane in self._lanes.items()}

    def stop(self, within_s: float) -> None:
        """Begin nothing new, and wait that long for what is under way."""
        self._stopping.set()
        deadline = self._clock.monotonic() + within_s
        with self._ended:
            while any(lane.is_busy for lane in self._lanes.values()):
                if not self._ended.wait(deadline - self._clock.monotonic()):
                    return

    # --- in a lane's own thread ---

    def _work(self, lane: Lane) -> None:
        try:
            while not self._stopping.wait(self._gather_s) and self._send_once(lane):
                pass
        except Exception as error:  # a lane's thread is where an unforeseen error ends: told, logged, tried again
            log.exception("%s", lane.settings.name)
            self._failed(lane, [], f"something unforeseen: {type(error).__name__}; the log has the details")
        finally:
            with self._ended:
                lane.is_busy = False
                self._ended.notify_all()
            self._on_change()

    def _send_once(self, lane: Lane) -> bool:
        """Send what waits; whether to look for more at once."""
        now = self._clock.monotonic()
        with self._lock:
            expired = take_expired(lane, now)
            batch = [waiting for waiting, _ in list(lane.queue)[:MOST_IN_ONE]]
            wait_s = rate_wait(lane, now)
            if batch and wait_s > 0:
                lane.next_at = now + wait_s
            settings = lane.settings
        if expired:
            self._store.sent(expired)
            log.warning("%s: %d messages could not be sent in a day and are given up", settings.name, len(expired))
        if not batch or wait_s > 0:
            return False
        latest = {one.alert["id"]: one.alert for one in batch}
        notice = Notice(tuple(latest.values()), self._router_name, self._clock.now())
        numbers = [int(number) for number in latest]
        try:
            self._send(settings, notice)
        except RemsimError as error:
            self._failed(lane, numbers, error.message)
            return False
        self._succeeded(lane, batch, numbers)
        return True

    def _succeeded(self, lane: Lane, batch: list[Waiting], numbers: list[int]) -> None:
        done = {one.id for one in batch}
        with self._lock:
            lane.queue = deque(one for one in lane.queue if one[0].id not in done)
            lane.sent_at.append(self._clock.monotonic())
            was_failing, lane.failures, lane.next_at = lane.failures > 0, 0, 0.0
            lane.last_success = self._clock.now()
        self._store.sent(done)
        if was_failing:
            log.info("%s: messages go out again", lane.settings.name)
        self._on_result(numbers, lane.settings.name, "sent")

    def _failed(self, lane: Lane, numbers: list[int], why: str) -> None:
        with self._lock:
            lane.failures += 1
            delay = min(FIRST_RETRY_S * 2 ** min(lane.failures - 1, 10), LAST_RETRY_S)
            lane.next_at = self._clock.monotonic() + delay
            lane.last_error, is_new = self._clock.now(), lane.error != why or lane.failures == 1
            lane.error = why
        if is_new:
            log.warning("%s: %s; it is tried again", lane.settings.name, why)
        self._on_result(numbers, lane.settings.name, why)


def is_wanted(lane: Lane) -> bool:
    """Whether there is something to send and nobody at it."""
    return bool(lane.queue) and not lane.is_busy and lane.settings.enabled


def take_expired(lane: Lane, now: float) -> list[int]:
    """Take what is too old off the lane."""
    expired = []
    while lane.queue and lane.queue[0][1] + EXPIRY_S <= now:
        expired.append(lane.queue.popleft()[0].id)
        lane.lost += 1
    return expired


def rate_wait(lane: Lane, now: float) -> float:
    """How long the next message has to wait, because there were many."""
    if len(lane.sent_at) < RATE:
        return 0.0
    return max(lane.sent_at[0] + RATE_S - now, 0.0)


def start_thread(work: Callable[[], None]) -> None:
    """Run in a thread of its own."""
    threading.Thread(target=work, name="alert-lane", daemon=True).start()
