"""Probes all links from one thread."""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import threading
from collections.abc import Callable, Mapping
from functools import partial

from remsim.core.clock import Clock
from remsim.links.probes.counters import read_counters
from remsim.links.probes.line import Line
from remsim.links.probes.pace import Counters
from remsim.links.probes.plan import UNKNOWN, ProbePlan, ProbeResult, Quality

log = logging.getLogger(__name__)

SAMPLE_ODD_S, SAMPLE_HOT_S, SAMPLE_IDLE_S = 0.05, 0.1, 0.5
MOST_WAIT_S = 5.0
ERROR_PAUSE_S = 1.0


class Prober:
    """Sends the probes of all links and says what comes of them.

    ``on_result`` hears of each answer and miss, ``on_portal`` whether something stands between a link and the Internet
    (None: it could not be told), both by the link's index and in the prober's thread: they have to be quick.
    """

    def __init__(
        self,
        clock: Clock,
        on_result: Callable[[int, ProbeResult], None] = lambda index, result: None,
        on_portal: Callable[[int, bool | None], None] = lambda index, is_portal: None,
    ) -> None:
        self._clock = clock
        self.on_result = on_result
        self.on_portal = on_portal
        self._lines: dict[int, Line] = {}
        self._retired: list[Line] = []
        self._restarted: set[int] = set()
        self._told: dict[int, Counters] = {}
        self._sampled_at = 0.0
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._wake_write.setblocking(False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, self._woken)
        self._thread: threading.Thread | None = None
        self._stopping = False

    def watch(self, index: int, plan: ProbePlan, kind: str | None = None) -> None:
        """Probe a link from now on; the same plan again changes nothing. ``kind`` served it the last time."""
        with self._lock:
            old = self._lines.get(index)
            if old is not None and old.plan == plan:
                return
            if old is not None:
                self._retired.append(old)
                if kind is None and old.plan.device == plan.device:
                    kind = old.choice.kind
            report, report_portal = partial(self._report, index), partial(self._report_portal, index)
            self._lines[index] = Line(plan, self._clock, self._selector, report, report_portal, kind)
        self._wake()

    def unwatch(self, index: int) -> None:
        """Stop probing a link and forget it."""
        with self._lock:
            old = self._lines.pop(index, None)
            self._told.pop(index, None)
            if old is not None:
                self._retired.append(old)
        self._wake()

    def restart(self, index: int) -> None:
        """The link's device came, went or changed its address: bind anew and ask at once."""
        with self._lock:
            self._restarted.add(index)
        self._wake()

    def quality(self, index: int) -> Quality:
        """What the last probes say."""
        line = self._lines.get(index)
        return line.quality(self._clock.monotonic()) if line else UNKNOWN

    def traffic(self, index: int, rx_bytes: int, tx_bytes: int, rx_packets: int, tx_packets: int) -> None:
        """The counters of a link that has no device here (virtual ones); others are read by the prober itself."""
        self._told[index] = Counters(rx_bytes, tx_bytes, rx_packets, tx_packets)

    def kinds(self) -> dict[int, str]:
        """The kind that was chosen for each link."""
        with self._lock:
            return {index: line.choice.kind for index, line in self._lines.items() if line.choice.kind is not None}

    def start(self) -> None:
        """Begin probing."""
        self._thread = threading.Thread(target=self._run, name="links-prober", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close what is open."""
        self._stopping = True
        self._wake()
        if self._thread is not None:
            self._thread.join(2.0)

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._turn()
            except Exception:  # what is known of all links hangs on this thread
                log.exception("probing links failed")
                self._clock.sleep(ERROR_PAUSE_S)
        with self._lock:
            for line in (*self._lines.values(), *self._retired):
                line.close()
        self._selector.close()
        self._wake_read.close()
        self._wake_write.close()

    def _turn(self) -> None:
        """One round: counters, then what is due, then wait for an answer or the next time."""
        with self._lock:
            lines = dict(self._lines)
            retired, self._retired = self._retired, []
            restarted, self._restarted = self._restarted, set()
        for line in retired:
            line.close()
        now = self._clock.monotonic()
        for index in restarted & lines.keys():
            lines[index].restart(now)
        sample_at = self._sample(lines, now)
        for line in lines.values():
            line.turn(now)
        now = self._clock.monotonic()
        wanted = min((line.deadline(now) for line in lines.values()), default=now + MOST_WAIT_S)
        for key, _ in self._selector.select(max(0.0, min(wanted - now, sample_at - now, MOST_WAIT_S))):
            key.data(key.fileobj)

    def _sample(self, lines: Mapping[int, Line], now: float) -> float:
        """Read counters if it is time; when it is time again."""
        if not lines:
            return now + MOST_WAIT_S
        is_odd = any(line.pace.is_odd(now) and not line.pace.is_away for line in lines.values())
        is_hot = is_odd or any(line.pace.is_hot(now) for line in lines.values())
        period_s = SAMPLE_ODD_S if is_odd else SAMPLE_HOT_S if is_hot else SAMPLE_IDLE_S
        if now < self._sampled_at + period_s:
            return self._sampled_at + period_s
        self._sampled_at = now
        devices = {line.plan.device for line in lines.values() if line.plan.device}
        found: dict[str, Counters] = {}
        if devices:
            with contextlib.suppress(OSError):  # no /proc: probes alone have to do
                found = read_counters(devices)
        for index, line in lines.items():
            seen = found.get(line.plan.device) if line.plan.device else self._told.get(index)
            if seen is not None:
                line.sample(now, seen)
        return now + period_s

    def _report(self, index: int, result: ProbeResult) -> None:
        if index in self._lines:
            self.on_result(index, result)

    def _report_portal(self, index: int, is_portal: bool) -> None:
        if index in self._lines:
            self.on_portal(index, is_portal)

    def _woken(self, sock: socket.socket) -> None:
        with contextlib.suppress(OSError):
            sock.recv(64)

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._wake_write.send(b"!")
