"""One thread that feeds all viewers: sockets taken over from the server, written without ever waiting.

A thread for each stream costs 10 to 13 % of a core at 128 viewers on the test machine, this one about 2 %.
"""

from __future__ import annotations

import contextlib
import logging
import os
import select
import socket
import threading
import time
from collections import deque

from remsim.core.small_dataclass import dataclass
from remsim.web.streams import HEARTBEAT, HEARTBEAT_S, Streams, Viewer

log = logging.getLogger(__name__)

GATHER_S = 0.01
"""How long messages of one moment are gathered before they are sent, so that they share a system call."""

STALLED_S = 60.0
"""A viewer that takes nothing for so long is gone without having said so."""

SEND_BUFFER = 64 * 1024
"""What the kernel may hold for one viewer; more would only hide that it is slow."""

Place = tuple[int, frozenset[str] | None, frozenset[str]]
"""Viewers that stand at the same one get the same next."""


@dataclass(slots=True)
class Client:
    """A viewer with its socket, what waits to be written, and when it last took something."""

    sock: socket.socket
    viewer: Viewer
    waiting: bytes | memoryview
    sent_at: float
    watched: bool = False


class Sender:
    """Owns the sockets of all streams from ``add`` on."""

    def __init__(self, streams: Streams) -> None:
        self._streams = streams
        self._clients: dict[int, Client] = {}
        self._new: deque[Client] = deque()
        self._epoll = select.epoll()
        self._wake_fd = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._epoll.register(self._wake_fd, select.EPOLLIN)
        self._stopping = False
        self._stopped = False
        self._lock = threading.RLock()  # one signal's handler may interrupt another's in ``wake``
        self._thread = threading.Thread(target=self._run, name="sse-sender", daemon=True)

    def start(self) -> None:
        """Begin to serve."""
        self._thread.start()

    def add(self, sock: socket.socket, head: bytes, viewer: Viewer) -> None:
        """Take over a socket: write ``head``, then the viewer's messages. From any thread."""
        sock.setblocking(False)
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client = Client(sock, viewer, head + viewer.first, time.monotonic())
        with self._lock:
            if not self._stopped:
                self._new.append(client)
                os.eventfd_write(self._wake_fd, 1)
                return
        self._streams.end()
        sock.close()

    def wake(self) -> None:
        """There is something to send. From any thread."""
        with self._lock:
            if not self._stopped:
                os.eventfd_write(self._wake_fd, 1)

    def request_stop(self) -> None:
        """Close all streams soon. Takes no lock, so a signal handler may call it."""
        self._stopping = True
        with contextlib.suppress(OSError, ValueError):  # ValueError: it has ended and its descriptor is -1
            os.eventfd_write(self._wake_fd, 1)

    def stop(self) -> None:
        """Close all streams and end."""
        self._stopping = True
        self.wake()
        if self._thread.is_alive():
            self._thread.join(1.0)

    def _run(self) -> None:
        heartbeat_at = time.monotonic() + HEARTBEAT_S
        try:
            while not self._stopping:
                if self._wait(max(heartbeat_at - time.monotonic(), 0.0)):
                    time.sleep(GATHER_S)  # one thread's short rest, not a poll: it follows a message
                    os.eventfd_read(self._wake_fd)
                    self._adopt()
                    self._serve_all()
                if time.monotonic() >= heartbeat_at:
                    heartbeat_at = time.monotonic() + HEARTBEAT_S
                    self._beat()
        except Exception:  # the end of a thread that must not end in silence
            log.exception("the live streams stopped")
        finally:
            self._close_all()

    def _wait(self, timeout_s: float) -> bool:
        """Handle what the sockets say; True when messages or new viewers wait."""
        woken = False
        for fd, what in self._epoll.poll(timeout_s):
            if fd == self._wake_fd:
                woken = True
                continue
            client = self._clients.get(fd)
            if client is None:
                continue
            ended = bool(what & (select.EPOLLHUP | select.EPOLLERR | select.EPOLLRDHUP))
            if ended or (what & select.EPOLLIN and not self._still_there(client)):
                self._drop(client)
            elif what & select.EPOLLOUT:
                self._serve(client, {})
        return woken

    @staticmethod
    def _still_there(client: Client) -> bool:
        """Whether the viewer is connected; what it sends on an open stream is thrown away."""
        try:
            return bool(client.sock.recv(4096))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def _adopt(self) -> None:
        while self._new:
            client = self._new.popleft()
            fd = client.sock.fileno()
            self._clients[fd] = client
            self._epoll.register(fd, select.EPOLLIN | select.EPOLLRDHUP)

    def _serve_all(self) -> None:
        pieces: dict[Place, tuple[bytes, int]] = {}
        for client in list(self._clients.values()):
            if not client.viewer.is_allowed():
                self._drop(client)
            elif not client.waiting or not client.watched:
                self._serve(client, pieces)

    def _serve(self, client: Client, pieces: dict[Place, tuple[bytes, int]]) -> None:
        """Write until the viewer has all or takes no more. Viewers at the same place share one piece."""
        while True:
            if client.waiting and not self._write(client):
                return
            viewer = client.viewer
            place = (viewer.position, viewer.modems, viewer.hidden)
            shared = pieces.get(place)
            if shared is None:
                before = viewer.position
                piece = self._streams.next_piece(viewer)
                if viewer.position == before:
                    return
                pieces[place] = piece, viewer.position
            else:
                piece, viewer.position = shared
            client.waiting = piece

    def _write(self, client: Client) -> bool:
        """Send what waits; True when nothing is left. A viewer that has gone is dropped."""
        try:
            sent = client.sock.send(client.waiting)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._drop(client)
            return False
        if sent:
            client.sent_at = time.monotonic()
        client.waiting = b"" if sent == len(client.waiting) else memoryview(client.waiting)[sent:]
        full = bool(client.waiting)
        if full != client.watched:
            client.watched = full
            more = select.EPOLLOUT if full else 0
            self._epoll.modify(client.sock.fileno(), select.EPOLLIN | select.EPOLLRDHUP | more)
        return not full

    def _beat(self) -> None:
        """Show every quiet viewer that the stream lives, and find those that are gone."""
        now = time.monotonic()
        for client in list(self._clients.values()):
            if not client.viewer.is_allowed():
                self._drop(client)
            elif client.waiting:
                if now - client.sent_at > STALLED_S:
                    self._drop(client)
            elif now - client.sent_at > HEARTBEAT_S / 2:
                client.waiting = HEARTBEAT
                self._write(client)

    def _drop(self, client: Client) -> None:
        fd = client.sock.fileno()
        if self._clients.pop(fd, None) is None:
            return
        with contextlib.suppress(OSError):
            self._epoll.unregister(fd)
        client.sock.close()
        self._streams.end()

    def _close_all(self) -> None:
        with self._lock:
            self._stopped = True
        for client in self._new:
            client.sock.close()
            self._streams.end()
        for client in list(self._clients.values()):
            self._drop(client)
        self._epoll.close()
        wake_fd, self._wake_fd = self._wake_fd, -1
        os.close(wake_fd)
