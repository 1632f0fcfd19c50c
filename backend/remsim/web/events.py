"""``/api/v1/events``: what happened, newest first, a page at a time; and as a file."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, request
from marshmallow import fields as ma
from marshmallow import validate

from remsim.core.clock import iso_utc
from remsim.core.errors import InvalidInput
from remsim.core.events import KINDS, SEVERITIES
from remsim.core.forms import Flag, Whole
from remsim.telemetry.export import event_csv_chunks, event_json_chunks, event_pages
from remsim.web.auth import requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import MessageId, Name, Names, PeriodQuery, load_query
from remsim.web.series import Export

bp = Blueprint("events", __name__)

MOST = 500
LONGEST_TEXT = 100


class EventFilter(PeriodQuery):
    """Which events: of a period, some kinds, a modem, some severities, with a text in the message."""

    kind = Names()
    modem = Name()
    severity = Names()
    text = ma.String(validate=validate.Length(1, LONGEST_TEXT, error="is longer than {max} characters or empty"))


class EventsQuery(EventFilter):
    """Filters, and where to go on: ``cursor`` is the ``next`` of the page before. Lists need no ``data``."""

    limit = Whole(1, MOST, load_default=100)
    cursor = MessageId()
    since = MessageId()
    data = Flag(load_default=True)


@bp.get("/events")
@requires_scope("read", "wall")
@describes("Events, newest first; `next` is the cursor of the older ones", query=EventsQuery)
def events() -> dict[str, Any]:
    """``modem`` may be one that is gone for good: its events remain."""
    asked = load_query(EventsQuery())
    found, following = services().router.journal.query(
        **filters_of(asked), limit=asked["limit"], cursor=asked.get("cursor"), since=asked.get("since")
    )
    rows = [event.as_dict() for event in found]
    if not asked["data"]:
        for row in rows:
            del row["data"]
    return {"events": rows, "next": following}


@bp.get("/events/export.csv")
@requires_scope("read")
@describes("The events of a filter as CSV, times in ISO 8601 UTC", query=EventFilter, answer="text/csv", fails=(503,))
def export_csv() -> Response:
    """Streamed, newest first."""
    return _export("csv")


@bp.get("/events/export.json")
@requires_scope("read")
@describes("The events of a filter as JSON", query=EventFilter, fails=(503,))
def export_json() -> Response:
    """Streamed, newest first."""
    return _export("json")


def _export(kind: str) -> Response:
    router = services().router
    filters = filters_of(load_query(EventFilter()))
    make = event_csv_chunks if kind == "csv" else event_json_chunks
    chunks = make(event_pages(router.journal, filters))
    name = f"remsim-events-{iso_utc(router.clock.now())[:16].replace(':', '-')}.{kind}"
    return Response(
        Export(chunks) if request.method != "HEAD" else None,
        mimetype="text/csv" if kind == "csv" else "application/json",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def filters_of(asked: dict[str, Any]) -> dict[str, Any]:
    """What the journal is asked for, from a checked query."""
    for name, known in (("kind", tuple(KINDS)), ("severity", SEVERITIES)):
        for value in asked.get(name) or ():
            if value not in known:
                what = "kind of event" if name == "kind" else name
                raise InvalidInput(f"{value!r} is not a {what}", field=name, hint=f"one of {', '.join(known)}")
    start, end = asked.get("start"), asked.get("end")
    if "range" in asked:
        if start is not None or end is not None:
            raise InvalidInput("give either range or from and to", field="range")
        start = services().router.clock.now() - asked["range"]
    if start is not None and end is not None and start >= end:
        raise InvalidInput("from is not before to", field="from")
    return {
        "kinds": asked.get("kind"),
        "modem": asked.get("modem"),
        "severities": asked.get("severity"),
        "text": asked.get("text"),
        "start": start,
        "end": end,
    }
