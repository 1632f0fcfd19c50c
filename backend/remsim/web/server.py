"""Runs the application under gunicorn: one arbiter, one worker with threads, started from our own process."""

from __future__ import annotations

import gc
import logging
import os
import resource
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from remsim.core.errors import InvalidInput, RemsimError
from remsim.web.late_openssl import import_without_tls
from remsim.web.takeover import KEY

if TYPE_CHECKING:
    from flask import Flask

    from remsim.config.settings import WebSettings
    from remsim.router import Router

log = logging.getLogger(__name__)

LONGEST_REQUEST_LINE = 32 * 1024
TESTED_GUNICORN = "27.0"
"""The releases whose internals ``remsim.web.worker`` was tested with."""

FLUSH_WITHIN_S = 10
"""How long the arbiter lets a stopping worker write out what is in memory."""

MOST_CONNECTIONS = 512
"""How many may be open at once, streams not counted: browsers keep some without asking anything."""

OTHER_FILES = 128
"""Ports, databases, series and the like."""


def serve_http(
    router_factory: Callable[[], Router],
    listen: str,
    web: WebSettings,
    *,
    first_ticket: str | None = None,
    on_ready: Callable[[], None] | None = None,
    worker_class: str = "remsim.web.worker.StreamWorker",
) -> int:
    """Serve until SIGTERM or SIGINT; the exit status. An address that cannot be used is ``InvalidInput``."""
    listener = bind(listen)
    others = web.max_streams + OTHER_FILES
    connections = max(min(MOST_CONNECTIONS, allow_files(MOST_CONNECTIONS + others) - others), web.threads + 16)
    import_without_tls("gunicorn.app.base", "gunicorn.workers.gthread")
    from gunicorn import __version__ as gunicorn_version  # type: ignore[import-untyped]
    from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]
    from gunicorn.http import message  # type: ignore[import-untyped]

    warn_of_untested(gunicorn_version)
    # 8190 in gunicorn; a longer line must reach us, to be refused with the name of the field.
    message.MAX_REQUEST_LINE = LONGEST_REQUEST_LINE

    class Service(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
        """What gunicorn asks for its configuration and for the application."""

        router: Router | None = None
        flask: Flask | None = None

        def load_config(self) -> None:
            options: dict[str, Any] = {
                "bind": f"fd://{listener.detach()}",
                "worker_class": worker_class,
                "workers": 1,
                "threads": web.threads,
                "worker_connections": connections,
                "keepalive": 15,
                "graceful_timeout": FLUSH_WITHIN_S,
                "limit_request_line": LONGEST_REQUEST_LINE,
                "loglevel": "warning",
                "proc_name": "remsim",
                "control_socket_disable": True,
                "post_worker_init": self.ready,
                "pre_fork": freeze,
            }
            for name, value in options.items():
                if name in self.cfg.settings:
                    self.cfg.set(name, value)

        def load(self) -> Flask:
            """In the worker, after the fork: threads and databases do not survive one."""
            import http.server  # noqa: F401  # with the true ``ssl`` for whoever will open an HTTPS connection

            from remsim.core.paths import shared_dir

            import_without_tls("werkzeug.serving")
            from remsim.web.app import create_app
            from remsim.web.restart import offer_restart

            try:
                router = router_factory()
                flask = create_app(router, static_dir=shared_dir("htdocs"), first_ticket=first_ticket)
                offer_restart(flask)
                router.start()
            except RemsimError as error:
                print(f"remsim: {error.message}", file=sys.stderr, flush=True)
                sys.exit(4)  # gunicorn's APP_LOAD_ERROR: the arbiter ends instead of trying for ever
            self.router, self.flask = router, flask
            return flask

        def ready(self, worker: Any) -> None:
            from remsim.web.metrics_listener import open_listener

            if self.flask is not None and self.router is not None:
                listener = open_listener(self.flask, self.router, bind)
                if listener is not None:
                    worker.sockets.append(listener)  # of this worker alone: its successor makes its own
            gc.collect()
            gc.freeze()  # what is loaded now stays; later collections need not look at it
            if on_ready is not None and worker.age == 1:
                on_ready()

        def close_streams(self) -> None:
            """Wake the streams that hold threads, so that they end."""
            if self.flask is not None:
                self.flask.extensions[KEY].broker.close()

        def end(self) -> None:
            """The worker's last deed."""
            router, self.router = self.router, None
            if router is not None:
                router.stop()
            if self.flask is not None:
                self.flask.extensions[KEY].accounts.close()

    arbiter = os.getpid()
    try:
        Service().run()
    except SystemExit as ended:
        if os.getpid() != arbiter:  # a worker that ended: what this process's callers clean up is the arbiter's
            logging.shutdown()
            os._exit(ended.code if isinstance(ended.code, int) else 0)
        return 0 if ended.code in (None, 0) else 1
    return 0


def allow_files(wanted: int) -> int:
    """How many open files this process may have: 1024 on a router, where ``web.max_streams`` may need more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if 0 <= soft < wanted:
        soft = wanted if hard < 0 else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return soft if soft >= 0 else wanted


def warn_of_untested(gunicorn_version: str) -> None:
    """Its releases change what our worker builds on; the tests of streams tell which do."""
    if not gunicorn_version.startswith(f"{TESTED_GUNICORN}."):
        log.warning("gunicorn %s is not the tested %s; streams may fail", gunicorn_version, TESTED_GUNICORN)


def freeze(_arbiter: Any, _worker: Any) -> None:
    """Before a fork: what no collection touches, both processes go on sharing.

    Measured with 8 modems: 45 MB so; 48 MB without it; 48 MB when the application is loaded before the fork, since
    counting references unshares most pages sooner or later.
    """
    gc.collect()
    gc.freeze()


def bind(listen: str) -> socket.socket:
    """A listening socket on ``HOST:PORT`` (IPv6 in brackets), or one clear sentence."""
    host, _, port = listen.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isascii() or not port.isdigit() or not 0 < int(port) < 65536:
        raise InvalidInput(f"{listen[:80]!r} is not HOST:PORT", field="--listen", hint="for example 127.0.0.1:8090")
    try:
        family, kind, protocol, _name, address = socket.getaddrinfo(
            host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise InvalidInput(f"cannot listen on {listen[:80]}: {error}", field="--listen") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(512)
    except OSError as error:
        listener.close()
        reason = error.strerror or os.strerror(error.errno or 0)
        raise InvalidInput(
            f"cannot listen on {listen[:80]}: {reason}", field="--listen", hint="another program may use the port"
        ) from error
    return listener
