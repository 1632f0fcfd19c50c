"""``/api/v1/state``: all that a page needs, in one request a tick; and ``healthz``."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response

from remsim.core.clock import iso_utc
from remsim.web.auth import PUBLIC, requires_scope
from remsim.web.context import Services, services
from remsim.web.describe import describes
from remsim.web.fields import MessageId, Query, load_query

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
@requires_scope("read")
@describes("The whole state, and what is new since the last answer's id", query=StateQuery)
def state() -> Response:
    """Without ``since``: the last reading of each modem and the last events."""
    since = load_query(StateQuery()).get("since")
    parts = services()
    router = parts.router
    # The id first: what comes by while the rest is gathered is told again rather than never.
    newest = max(parts.broker.highest, router.journal.latest_id())
    modems = router.modems.views()
    readings, lagged = _first_readings(modems) if since is None else _readings_since(parts, since)
    body: dict[str, Any] = {
        "id": newest,
        "at": iso_utc(router.clock.now()),
        "version": router.version,
        "simulated": router.simulated,
        "started_at": iso_utc(router.started_at),
        "period_s": router.settings.service.period_s,
        "modems": modems,
        "events": _events(parts, since),
        "jobs": [job.as_dict() for job in router.jobs.recent()],
        "lagged": lagged,
        "problems": router.problems(),
        "stream": {"max": parts.streams.cap, "open": parts.streams.open},
    }
    # The readings are encoded already, for the stream; they are spliced in as they are.
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    return Response(f'{text[:-1]},"readings":[{",".join(readings)}]}}', mimetype="application/json")


def _first_readings(modems: list[dict[str, Any]]) -> tuple[list[str], bool]:
    readings = [modem["reading"] for modem in modems if modem["reading"] is not None]
    return [json.dumps({"id": None, **reading}, ensure_ascii=False) for reading in readings], False


def _readings_since(parts: Services, since: int) -> tuple[list[str], bool]:
    messages, lagged = parts.broker.since(since)
    return [message.data for message in messages if message.kind == "reading" and (message.id or 0) > since], lagged


def _events(parts: Services, since: int | None) -> list[dict[str, Any]]:
    limit = FIRST_EVENTS if since is None else MOST_EVENTS
    events, _next = parts.router.journal.query(since=since, limit=limit)
    return [event.as_dict() for event in events]
