"""The metrics' own listener: a second socket of the worker, at which only ``/metrics`` is answered."""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING

from remsim.core.errors import InvalidInput
from remsim.core.events import Event
from remsim.web.metrics import LISTENER

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from remsim.router import Router

log = logging.getLogger(__name__)

ASK_S = 0.5
PROMETHEUS = b"Prometheus Server is Healthy"


def open_listener(app: Flask, router: Router, bind: Callable[[str], socket.socket]) -> socket.socket | None:
    """The listening socket; None when it is not wanted, or cannot be had, which is a problem the pages show."""
    wanted = router.settings.metrics
    if not wanted.enabled:
        return None
    try:
        listener = bind(wanted.listen)
    except InvalidInput as error:
        tell(router, error)
        return None
    listener.setblocking(False)
    name = listener.getsockname()
    app.extensions[LISTENER] = (name[0], str(name[1]))
    return listener


def tell(router: Router, error: InvalidInput) -> None:
    """Say that there is no listener, why, and what to do."""
    listen, web = router.settings.metrics.listen, router.settings.web.listen
    who = "; a Prometheus server answers there" if is_prometheus(listen) else ""
    text = f"metrics have no listener of their own: {error.message}{who}"
    hint = f"set metrics.listen to another port, or metrics.enabled to 0: {web}/metrics has them too"
    log.warning("%s; %s", text, hint)
    router.web_problems.append({"code": "metrics_listener", "message": text, "hint": hint})
    router.emit(Event("error", "remsim", router.clock.now(), text, "warning"))


def is_prometheus(listen: str) -> bool:
    """Whether the one who has the address is a Prometheus server: it listens at 9090 by default, as we do."""
    host, _, port = listen.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]") or "127.0.0.1", int(port)), ASK_S) as asked:
            asked.settimeout(ASK_S)
            asked.sendall(b"GET /-/healthy HTTP/1.0\r\n\r\n")
            answer = b""
            while len(answer) < 2048 and (piece := asked.recv(2048)):
                answer += piece
            return PROMETHEUS in answer
    except (OSError, ValueError):
        return False
