"""gunicorn's threaded worker, made patient: slow clients wait in its event loop, never in a thread.

gunicorn gives a new connection a thread before it has said anything, reads heads in that thread without a deadline, and
waits in the event loop itself for clients to close: a few silent connections stop every answer, with no token needed.
Here a thread gets a request whose head is all there, and its body too when that is short: more is read for those only
who have proved who they are (``remsim.web.auth.guard``). It leans on ``accept``, ``enqueue_req``, ``finish_request``,
``keepalived_conns``, ``murder_pending``, ``poller`` and ``nr_conns`` of gunicorn's worker and on the parser's buffer;
tests/integration/test_stream_patience.py fails when one of them changes.
"""

from __future__ import annotations

import contextlib
import errno
import io
import itertools
import logging
import re
import selectors
import socket
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from gunicorn.http.errors import LimitRequestHeaders, ParseException  # type: ignore[import-untyped]
from gunicorn.workers import gthread  # type: ignore[import-untyped]

log = logging.getLogger(__name__)

HEAD_WITHIN_S = 5.0
"""What a client has for the head of its request."""

LONGEST_HEAD = 64 * 1024
HEAD_END = b"\r\n\r\n"
SHORT_BODY = 16 * 1024
LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*0*(\d{1,18})[ \t]*\r\n", re.I)
CONTINUE = re.compile(rb"\r\nexpect:", re.I)
"""Who expects to be asked for the body does not send it before a thread has done so."""

PAUSE_S = 30.0
"""How long a client may pause in the middle of a body it sends, or of an answer it takes."""

REST_WITHIN_S = 0.1
"""What a thread waits for the rest of a body that nobody wanted, before it closes the connection instead."""

LINGER_S = 2.0
"""How long a client has to take its last answer and close."""


class HeadTimeout(ParseException):  # type: ignore[misc]  # gunicorn has no types
    """Half a request came, and no more."""


def needs_more(held: bytes) -> bool:
    """Whether the beginning of a request is no whole head yet, or a short body is not all there."""
    head, end, body = held.partition(HEAD_END)
    if not end:
        if len(held) > LONGEST_HEAD:
            raise LimitRequestHeaders("no end")
        return True
    length = LENGTH.search(head + end)
    if length is None or CONTINUE.search(head + end):
        return False
    return len(body) < int(length[1]) <= SHORT_BODY


class PatientSocket(socket.socket):
    """A socket whose waits end: gunicorn asks for one that blocks for ever."""

    def setblocking(self, flag: bool) -> None:
        self.settimeout(PAUSE_S if flag else 0.0)


class PatientWorker(gthread.ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Keeps connections in the event loop until they have asked, and after they were answered for the last time."""

    def init_process(self) -> None:
        # Connections with their deadlines, the oldest first; only the event loop's thread touches them.
        self._asking: dict[Any, float] = {}
        self._sending: dict[Any, float] = {}
        self._leaving: dict[Any, float] = {}
        gthread.DEFAULT_WORKER_DATA_TIMEOUT = REST_WITHIN_S
        super().init_process()

    def accept(self, listener: Any) -> None:
        if self.nr_conns + 1 >= self.worker_connections:
            self._make_room()
        try:
            super().accept(listener)
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            log.warning("no connection can be taken: %s", error)
            self._make_room()
            time.sleep(REST_WITHIN_S)  # the listener stays readable

    def _make_room(self) -> None:
        """Close who has had the last answer for the longest time, else who asks nothing more, else nothing at all."""
        oldest = next(itertools.chain(self._leaving, self.keepalived_conns, self._asking, self._sending), None)
        if oldest is not None:
            with contextlib.suppress(ValueError):
                self.keepalived_conns.remove(oldest)
            self._close(oldest)

    def _keep_room(self) -> None:
        """With no room left nobody is accepted, so ``accept`` cannot make any."""
        if self.nr_conns >= self.worker_connections:
            self._make_room()

    def enqueue_req(self, conn: Any) -> None:
        if not conn.initialized:
            conn.sock = PatientSocket(fileno=conn.sock.detach())
            conn.init()
        conn.sock.setblocking(False)
        try:
            is_whole = self._take(conn)
        except ParseException as error:
            self._refuse(conn, error)
            return
        if is_whole:
            super().enqueue_req(conn)
        elif self._has_head(conn):
            self._watch(self._sending, conn, PAUSE_S, self._on_more)
        else:
            self._watch(self._asking, conn, HEAD_WITHIN_S, self._on_more)

    def _on_more(self, conn: Any, _sock: socket.socket) -> None:
        """More of a request came."""
        try:
            is_whole = self._take(conn)
        except ParseException as error:
            self._forget(conn)
            self._refuse(conn, error)
            return
        if is_whole:
            self._forget(conn)
            super().enqueue_req(conn)
        elif conn in self._asking and self._has_head(conn):
            del self._asking[conn]
            self._sending[conn] = time.monotonic() + PAUSE_S

    @staticmethod
    def _has_head(conn: Any) -> bool:
        return HEAD_END in conn.parser.unreader.buf.getvalue()

    @staticmethod
    def _take(conn: Any) -> bool:
        """Read what is there; True when a thread can go on: it need not wait for more, or the client is gone."""
        held = conn.parser.unreader.buf
        held.seek(0, io.SEEK_END)
        try:
            while needs_more(held.getvalue()):
                piece = conn.sock.recv(8192)
                if not piece:
                    break
                held.write(piece)
        except BlockingIOError:
            return False
        except OSError:
            log.debug("a client was gone before it had asked")
        return True

    def _refuse(self, conn: Any, error: Exception) -> None:
        self.handle_error(None, conn.sock, conn.client, error)
        self._leave(conn)

    def finish_request(self, conn: Any, fs: Any) -> None:
        ended = not fs.cancelled() and fs.exception() is None and fs.result() is False
        if ended:
            self._leave(conn)
        else:
            super().finish_request(conn, fs)
            self._keep_room()

    def _leave(self, conn: Any) -> None:
        """Say that nothing more comes, and wait until the client has taken it: a close at once could cut it off."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
            conn.sock.setblocking(False)
            self._watch(self._leaving, conn, LINGER_S, self._on_rest)
        except (OSError, ValueError):
            self._close(conn)
        self._keep_room()

    def _on_rest(self, conn: Any, sock: socket.socket) -> None:
        """What a client still sends is thrown away, until it closes."""
        try:
            if sock.recv(8192):
                return
        except BlockingIOError:
            return
        except OSError:
            log.debug("a client was reset")
        self._close(conn)

    def murder_pending(self) -> None:
        super().murder_pending()
        now = time.monotonic()
        for conn, deadline in [*self._asking.items(), *self._sending.items()]:
            is_silent = not conn.parser.unreader.buf.getvalue()
            if is_silent and (deadline <= now or not self.alive):
                self._close(conn)
            elif deadline <= now:
                self._forget(conn)
                self._refuse(conn, HeadTimeout())
        for conn in [conn for conn, deadline in self._leaving.items() if deadline <= now]:
            self._close(conn)

    def _watch(self, group: dict[Any, float], conn: Any, within_s: float, then: Callable[..., None]) -> None:
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(then, conn))
        group[conn] = time.monotonic() + within_s

    def _forget(self, conn: Any) -> None:
        self._asking.pop(conn, None)
        self._sending.pop(conn, None)
        self._leaving.pop(conn, None)
        with contextlib.suppress(KeyError, ValueError, OSError):
            self.poller.unregister(conn.sock)

    def _close(self, conn: Any) -> None:
        self._forget(conn)
        self.nr_conns -= 1
        conn.close()
