"""``/metrics``: all that is measured, for Prometheus, in the format it asks for."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, current_app, request
from werkzeug.exceptions import NotFound

from remsim.telemetry.metrics import CLASSIC, OPENMETRICS
from remsim.web.auth import requires_scope
from remsim.web.context import services

bp = Blueprint("metrics", __name__)

PATH = "/metrics"
LISTENER = "remsim_metrics_listener"
OURS = ("", "1.0.0")
"""Versions of OpenMetrics that an answer of ours is one of; who asks for none takes any."""


@bp.get(PATH)
@requires_scope("metrics", "read")
def metrics() -> Response:
    """What is in memory now; no modem is asked for it."""
    is_open = wants_openmetrics(request.headers.get("Accept", ""))
    text = services().router.metrics.text(openmetrics=is_open)
    answer = Response(text, content_type=OPENMETRICS if is_open else CLASSIC)
    answer.headers["Vary"] = "Accept"
    return answer


def wants_openmetrics(accept: str) -> bool:
    """Whether OpenMetrics 1.0 is named, and no less wanted than the classic format."""
    ours = classic = 0.0
    for one in accept.lower().split(","):
        kind, *rest = (part.strip() for part in one.split(";"))
        parameters = dict(part.split("=", 1) for part in rest if "=" in part)
        weight = weight_of(parameters.get("q", "1"))
        if kind == "application/openmetrics-text" and parameters.get("version", "").strip('"') in OURS:
            ours = max(ours, weight)
        elif kind == "text/plain":
            classic = max(classic, weight)
    return ours > 0 and ours >= classic


def weight_of(text: str) -> float:
    """A ``q`` of RFC 9110; what is none counts nothing."""
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0


def install(app: Flask) -> None:
    """Let the metrics' own listener, once there is one, answer nothing else. Before anybody is asked who he is."""
    app.before_request(refuse_all_else)


def refuse_all_else() -> None:
    """For requests that came to the metrics' own listener."""
    here = (request.environ.get("SERVER_NAME"), request.environ.get("SERVER_PORT"))
    if here == current_app.extensions.get(LISTENER) and request.path != PATH:
        raise NotFound
