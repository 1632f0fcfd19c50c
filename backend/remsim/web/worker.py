"""gunicorn's threaded worker, with one thread that takes over the sockets of all streams.

It leans on four things of gunicorn's worker: ``handle_request``, ``finish_request``, ``nr_conns`` and the
connection's ``sock``; tests/integration/test_stream_server.py fails when one of them changes.
"""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from gunicorn.http import errors as http_errors  # type: ignore[import-untyped]
from gunicorn.workers import gthread  # type: ignore[import-untyped]

from remsim.web.patience import HeadTimeout, PatientWorker
from remsim.web.takeover import KEY, TAKES_SOCKETS, TakenOver

if TYPE_CHECKING:
    from flask import Flask, Response

    from remsim.web.sender import Sender

# The arbiter loads this module before it forks, so Flask and what needs it come later, in the worker.

log = logging.getLogger(__name__)

CLOSE_WITHIN_S = 1
"""What a stopping worker leaves to requests under way; the arbiter leaves more, for the last flush."""

REFUSED = (
    (http_errors.LimitRequestLine, 414, "the request's address is too long"),
    (http_errors.LimitRequestHeaders, 431, "the request's headers are too large"),
    (HeadTimeout, 408, "the rest of the request did not come in time"),
    (http_errors.ParseException, 400, "this is not a valid HTTP request"),
)


def refuse_body(_error: Exception) -> Response:
    """A body that turns out not to be HTTP while a view reads it."""
    from remsim.web.errors import problem

    return problem(400, "the request's body is not sent as HTTP says", field="body")


class StreamWorker(PatientWorker):
    """Runs the application; its ``app`` has ``begin()`` and ``end()`` for what needs threads of its own."""

    takes_sockets = True
    sender: Sender | None = None

    def init_process(self) -> None:
        # This process's copies: the arbiter keeps its longer patience.
        self.cfg.set("graceful_timeout", CLOSE_WITHIN_S)
        gthread.STOP_KEEPALIVE_LINGER = 0.1
        super().init_process()

    def load_wsgi(self) -> None:
        super().load_wsgi()
        from remsim.web.sender import Sender

        application: Flask = self.app.wsgi()
        application.register_error_handler(http_errors.ParseException, refuse_body)
        sender = Sender(application.extensions[KEY].streams)
        sender.start()
        application.extensions[KEY].broker.on_publish(sender.wake)
        self.sender = sender

        def with_takeover(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
            environ[TAKES_SOCKETS] = self.takes_sockets
            return application(environ, start_response)

        self.wsgi: Callable[..., Any] = with_takeover

    def handle_request(self, req: Any, conn: Any) -> Any:
        try:
            return super().handle_request(req, conn)
        except TakenOver as taken:
            assert self.sender is not None  # requests come after ``load_wsgi``
            conn.taken_over = True
            self.sender.add(conn.sock, taken.head, taken.viewer)
            return False
        except TimeoutError:
            log.debug("a client did not take its answer")
            return False

    def finish_request(self, conn: Any, fs: Any) -> None:
        if getattr(conn, "taken_over", False):
            self.nr_conns -= 1
            return
        super().finish_request(conn, fs)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """What gunicorn itself refuses gets the shape of our other errors."""
        from remsim.web.errors import CODES, problem_dict

        known = next((row[1:] for row in REFUSED if isinstance(exc, row[0])), None)
        if known is None:
            log.error("unforeseen error", exc_info=exc)
        status, text = known or (500, "something unforeseen went wrong; the log has the details")
        body = json.dumps(problem_dict(status, text, code=CODES[status])).encode()
        head = (
            f"HTTP/1.1 {status} {problem_dict(status, text)['title']}\r\nConnection: close\r\n"
            f"Content-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            client.sendall(head.encode() + body)
        except OSError:
            log.debug("the client was gone before its error")

    def run(self) -> None:
        try:
            super().run()
        finally:
            self._end()

    def _end(self) -> None:
        """Close the streams, stop the router. In that order: its last events need no viewers."""
        begin = time.monotonic()
        if self.sender is not None:
            self.sender.stop()
        self.app.end()
        log.debug("stopped in %.2f s", time.monotonic() - begin)
        if self.nr_conns > 0:
            # A client that does not take its answer holds a thread, which Python would wait for.
            logging.shutdown()
            os._exit(0)

    def handle_exit(self, sig: int, frame: Any) -> None:
        if self.alive:
            if self.sender is not None:  # else it is still being loaded, and ends as soon as it runs
                self.sender.request_stop()
            self.app.close_streams()
            super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: Any) -> None:
        # Ctrl-C arrives twice, from the terminal and from the arbiter: neither may cut the last flush short.
        self.handle_exit(sig, frame)
