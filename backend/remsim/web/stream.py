"""``/api/v1/stream``: readings, events and jobs as they happen, as server-sent events."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request

from remsim.core.errors import InvalidInput
from remsim.web.auth import Identity, identity, requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import MessageId, Name, Names, Query, load_query
from remsim.web.modems import known_modem
from remsim.web.streams import Generated, Viewer
from remsim.web.takeover import TAKES_SOCKETS, TakenOver

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

bp = Blueprint("stream", __name__)


class StreamQuery(Query):
    """Which modems, and where to go on."""

    modem = Names()
    last_event_id = MessageId()
    ticket = Name()


class StreamResponse(Response):
    """A stream: given away with its socket where the server can, else generated in the request's thread."""

    def __init__(self, viewer: Viewer) -> None:
        super().__init__(Generated(services().streams, viewer), mimetype="text/event-stream")
        self.viewer = viewer

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get(TAKES_SOCKETS):
            lines = [f"HTTP/1.1 {self.status}", *(f"{name}: {value}" for name, value in self.headers)]
            raise TakenOver("\r\n".join([*lines, "Connection: close", "", ""]).encode("latin-1"), self.viewer)
        return super().__call__(environ, start_response)


@bp.get("/stream")
@requires_scope("read", "wall")
@describes(
    "Server-sent events: reading, event, job, lagged; goes on after Last-Event-ID",
    query=StreamQuery,
    answer="text/event-stream",
    fails=(503,),
)
def stream() -> Any:
    """Above the cap: 503 with Retry-After, and the page polls ``state``."""
    asked = load_query(StreamQuery())
    modems = frozenset(map(known_modem, asked["modem"])) if "modem" in asked else None
    last_id = last_event_id(asked)
    if request.method == "HEAD":
        return Response(mimetype="text/event-stream")
    viewer = services().streams.begin(last_id, modems)
    viewer.hidden = hidden_kinds(identity())
    viewer.is_allowed = partial(services().accounts.is_good, identity().credential)
    response = StreamResponse(viewer)
    response.headers["X-Accel-Buffering"] = "no"  # nginx in front would hold messages back
    return response


def hidden_kinds(who: Identity) -> frozenset[str]:
    """What of the stream somebody may not see: a wall no jobs, whose results may be private."""
    return frozenset() if who.may("read") else frozenset(("job",))


def last_event_id(asked: dict[str, Any]) -> int | None:
    """The header a browser sends when it reconnects by itself; else the parameter of a page that does it."""
    text = request.headers.get("Last-Event-ID", "").strip()
    if not text:
        found: int | None = asked.get("last_event_id")
        return found
    if not (text.isascii() and text.isdigit() and len(text) <= 16):
        raise InvalidInput("Last-Event-ID is not a number this service gave", field="Last-Event-ID")
    return int(text)
