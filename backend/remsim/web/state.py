"""``/api/v1/state``: all that a page needs, in one request a tick; and ``healthz``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Blueprint, Response

from remsim.core.clock import iso_utc
from remsim.web.auth import PUBLIC, identity, requires_scope
from remsim.web.broker import encode
from remsim.web.context import Services, services
from remsim.web.describe import describes
from remsim.web.fields import MessageId, Query, load_query
from remsim.web.stream import hidden_kinds

bp = Blueprint("state", __name__)

FIRST_EVENTS = 20
MOST_EVENTS = 200


class StateQuery(Query):
    """Where the page stands: the ``id`` of its last answer."""

    since = MessageId()


@bp.get("/healthz")
@requires_scope(PUBLIC)
@describes("Whether the service answers; needs no token")
def health() -> dict[str, str]:
    """Says nothing about the router."""
    return {"status": "ok"}


@bp.get("/state")
@requires_scope("read", "wall")
@describes("The whole state, and what is new since the last answer's id", query=StateQuery)
def state() -> Response:
    """Without ``since``: the last reading of each modem and the last events."""
    since = load_query(StateQuery()).get("since")
    parts = services()
    router = parts.router
    # The id first: what comes by while the rest is gathered is told again rather than never.
    newest = parts.broker.highest or router.journal.latest_id()
    modems = router.modems.views()
    readings, events, lagged = _first(parts, modems) if since is None else _since(parts, since)
    body: dict[str, Any] = {
        "id": newest,
        "at": iso_utc(router.clock.now()),
        "version": router.version,
        "simulated": router.simulated,
        "started_at": iso_utc(router.started_at),
        "period_s": router.settings.service.period_s,
        "modems": modems,
        "jobs": [] if "job" in hidden_kinds(identity()) else [job.as_dict() for job in router.jobs.recent()],
        "alerts": router.alerts.summary(),
        "quality": asdict(router.settings.quality),
        "lagged": lagged,
        "problems": problems(parts),
        "stream": {"max": parts.streams.cap, "open": parts.streams.open},
    }
    # Readings and events are encoded already, for the stream; they are spliced in as they are.
    text = encode(body)
    text = f'{text[:-1]},"readings":[{",".join(readings)}],"events":[{",".join(events)}]}}'
    return Response(text, mimetype="application/json")


def problems(parts: Services) -> list[dict[str, str | None]]:
    """What an admin should mend: the router's, and what keeps the web layer's own file from being written."""
    found = parts.router.problems()
    if (text := parts.accounts.problem) is not None:
        found.append({"code": "accounts_storage", "message": text, "hint": "free space or check the disk"})
    return found


def _first(parts: Services, modems: list[dict[str, Any]]) -> tuple[list[str], list[str], bool]:
    """The last reading of each modem and the last events."""
    readings = [encode({"id": None, **modem["reading"]}) for modem in modems if modem["reading"] is not None]
    return readings, _journalled(parts, None, FIRST_EVENTS), False


def _since(parts: Services, since: int) -> tuple[list[str], list[str], bool]:
    """What came after ``since``, in the order of coming; True: some of it is gone."""
    messages, lagged = parts.broker.since(since)
    readings = [message.data for message in messages if message.kind == "reading"]
    if lagged:
        return readings, _journalled(parts, since, MOST_EVENTS), True
    return readings, [message.data for message in reversed(messages) if message.kind == "event"], False


def _journalled(parts: Services, since: int | None, limit: int) -> list[str]:
    events, _next = parts.router.journal.query(since=since, limit=limit)
    return [encode(event.as_dict()) for event in events]
