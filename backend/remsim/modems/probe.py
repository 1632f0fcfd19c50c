"""Latency, jitter and loss of each modem's link: one thread, one probe at a time a link, bound to its interface.

Targets are ``icmp:HOST``, ``tcp:HOST:PORT`` (time of the handshake) or ``dns:HOST[:PORT]`` (a query and its answer);
hosts are IP addresses. Where ICMP is not permitted, the host's TCP port 443 is asked instead: a refusal is an answer
too. A probe that cannot be bound to the link's interface is not sent, for it would measure another way.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import selectors
import socket
import threading
from collections import deque
from dataclasses import field

from remsim.core.clock import Clock
from remsim.core.small_dataclass import dataclass
from remsim.outbound.target import Target, bind_to, is_answer, open_socket, transmit

log = logging.getLogger(__name__)

WINDOW = 10
TIMEOUT_S = 3.0
TCP_INSTEAD = 443
ERROR_PAUSE_S = 1.0
LOST = frozenset(
    (
        *(errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN, errno.ETIMEDOUT, errno.ENODEV),
        *(errno.ECONNREFUSED, errno.ECONNRESET, errno.ENOBUFS, errno.EADDRNOTAVAIL),
    )
)
"""What the kernel says when the link takes no packet; other errors are ours and say nothing about the link."""
FORBIDDEN = frozenset((errno.EPERM, errno.EACCES, errno.EPROTONOSUPPORT))


@dataclass(frozen=True, slots=True)
class LinkQuality:
    """Of the last ten probes: the latest round trip (None when that one was lost), the mean difference between
    neighbouring answers, and the share lost."""

    latency_ms: float | None = None
    jitter_ms: float | None = None
    loss_percent: float | None = None


UNKNOWN = LinkQuality()


@dataclass(slots=True)
class Link:
    """One modem's probes."""

    interface: str | None
    targets: tuple[Target, ...]
    period_s: float
    next_at: float = 0.0
    turn: int = 0
    sequence: int = 0
    results: deque[float | None] = field(default_factory=lambda: deque(maxlen=WINDOW))
    asked: Target | None = None
    socket: socket.socket | None = None
    sent_at: float = 0.0
    deadline: float = 0.0
    quality: LinkQuality = UNKNOWN
    problem: str | None = None


class Prober:
    """Sends the probes of all links and keeps their quality."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._links: dict[str, Link] = {}
        self._retired: list[Link] = []
        self._icmp_permitted = True
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        self._selector.register(self._wake_read, selectors.EVENT_READ, None)
        self._thread: threading.Thread | None = None
        self._stopping = False

    def watch(self, key: str, interface: str | None, targets: tuple[Target, ...], period_s: float) -> None:
        """Probe a link from now on."""
        with self._lock:
            self._retire(key)
            self._links[key] = Link(interface, targets, period_s, next_at=self._clock.monotonic())
        self._wake()

    def unwatch(self, key: str) -> None:
        """Stop probing a link and forget its quality."""
        with self._lock:
            self._retire(key)
        self._wake()

    def problem(self, key: str) -> str | None:
        """Why a link is not measured, if it is not."""
        link = self._links.get(key)
        return link.problem if link else None

    def quality(self, key: str) -> LinkQuality:
        """What the last probes say; unknown before the first answer or loss."""
        link = self._links.get(key)
        return link.quality if link else UNKNOWN

    def start(self) -> None:
        """Begin probing."""
        self._thread = threading.Thread(target=self._run, name="prober", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close what is open."""
        self._stopping = True
        self._wake()
        if self._thread is not None:
            self._thread.join(1.0)

    def _retire(self, key: str) -> None:
        """Leave a link's open socket to the thread, which owns the selector."""
        link = self._links.pop(key, None)
        if link is not None:
            self._retired.append(link)

    def _wake(self) -> None:
        with contextlib.suppress(OSError):
            self._wake_write.send(b"!")

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._turn()
            except Exception:  # the latency of every link hangs on this thread
                log.exception("probing failed")
                self._clock.sleep(ERROR_PAUSE_S)
        with self._lock:
            for link in (*self._links.values(), *self._retired):
                self._drop_socket(link)
        self._selector.close()
        self._wake_read.close()
        self._wake_write.close()

    def _turn(self) -> None:
        """Send what is due, then wait for an answer or the next time."""
        now = self._clock.monotonic()
        with self._lock:
            links = list(self._links.values())
            retired, self._retired = self._retired, []
        for link in retired:
            self._drop_socket(link)
        for link in links:
            if link.socket is not None and now >= link.deadline:
                self._finish(link, None)
            if link.socket is None and now >= link.next_at:
                link.next_at = max(link.next_at + link.period_s, now + link.period_s / 2)
                self._send(link, now)
        upcoming = [link.deadline if link.socket else link.next_at for link in links]
        timeout_s = min(upcoming, default=now + 5.0) - self._clock.monotonic()
        for key, _ in self._selector.select(max(0.0, min(timeout_s, 5.0))):
            if key.data is None:
                with contextlib.suppress(OSError):
                    self._wake_read.recv(64)
            else:
                self._answer(key.data)

    def _send(self, link: Link, now: float) -> None:
        target = self._permitted(link.targets[link.turn % len(link.targets)])
        link.sequence = (link.sequence + 1) % 65536
        try:
            sock = open_socket(target)
        except OSError as error:
            link.turn += 1
            if target.method == "icmp" and error.errno in FORBIDDEN:
                self._icmp_permitted = False
                log.warning("ICMP is not permitted; TCP port %s of the same hosts is asked instead", TCP_INSTEAD)
            else:
                self._unmeasured(link, error)
            return
        try:
            bind_to(sock, link.interface, target)
            link.sent_at = self._clock.monotonic()
            events = transmit(sock, target, link.sequence)
        except OSError as error:
            sock.close()
            link.turn += 1
            if error.errno in LOST:
                self._record(link, None)
            else:
                self._unmeasured(link, error)
            return
        link.asked, link.socket = target, sock
        link.deadline = now + min(TIMEOUT_S, max(link.period_s * 2, 1.0))
        link.problem = None
        self._selector.register(sock, events, link)

    def _permitted(self, target: Target) -> Target:
        if target.method != "icmp" or self._icmp_permitted:
            return target
        return Target("tcp", target.host, TCP_INSTEAD)

    def _answer(self, link: Link) -> None:
        sock, target = link.socket, link.asked
        if sock is None or target is None:
            return
        elapsed_ms = (self._clock.monotonic() - link.sent_at) * 1000
        try:
            if target.method == "tcp":
                refused = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                self._finish(link, elapsed_ms if refused in (0, errno.ECONNREFUSED) else None)
            elif is_answer(target, sock.recv(2048), link.sequence):
                self._finish(link, elapsed_ms)
        except BlockingIOError:
            return
        except OSError:
            self._finish(link, None)

    def _finish(self, link: Link, elapsed_ms: float | None) -> None:
        self._drop_socket(link)
        if elapsed_ms is None:
            link.turn += 1  # ask another host next: a lost probe may be the host's fault
        self._record(link, elapsed_ms)

    def _record(self, link: Link, elapsed_ms: float | None) -> None:
        link.results.append(elapsed_ms)
        answered = [value for value in link.results if value is not None]
        differences = [abs(b - a) for a, b in zip(answered, answered[1:], strict=False)]
        link.quality = LinkQuality(
            None if elapsed_ms is None else round(elapsed_ms, 1),
            round(sum(differences) / len(differences), 1) if differences else None,
            round(100 * (len(link.results) - len(answered)) / len(link.results), 1),
        )

    def _drop_socket(self, link: Link) -> None:
        if link.socket is not None:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(link.socket)
            link.socket.close()
            link.socket = None

    def _unmeasured(self, link: Link, error: OSError) -> None:
        """The probe could not be sent for a reason of ours: the link's quality is unknown."""
        link.results.clear()
        link.quality = UNKNOWN
        problem = f"Latency over {link.interface or 'this modem'} is not measured: {error.strerror or error}."
        if link.problem != problem:
            link.problem = problem
            log.warning("%s", problem)
