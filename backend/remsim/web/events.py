"""``/api/v1/events``: what happened, newest first, a page at a time."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from remsim.core.errors import InvalidInput
from remsim.core.events import KINDS
from remsim.core.forms import Whole
from remsim.web.auth import requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import MessageId, Name, Names, PeriodQuery, load_query

bp = Blueprint("events", __name__)

MOST = 500


class EventsQuery(PeriodQuery):
    """Filters, and where to go on: ``cursor`` is the ``next`` of the page before."""

    limit = Whole(1, MOST, load_default=100)
    cursor = MessageId()
    since = MessageId()
    kind = Names()
    modem = Name()


@bp.get("/events")
@requires_scope("read")
@describes("Events, newest first; `next` is the cursor of the older ones", query=EventsQuery)
def events() -> dict[str, Any]:
    """``modem`` may be one that is gone for good: its events remain."""
    asked = load_query(EventsQuery())
    router = services().router
    kinds = asked.get("kind")
    for kind in kinds or ():
        if kind not in KINDS:
            raise InvalidInput(f"{kind!r} is not a kind of event", field="kind", hint=f"one of {', '.join(KINDS)}")
    if "range" in asked:
        if "start" in asked or "end" in asked:
            raise InvalidInput("give either range or from and to", field="range")
        asked["start"] = router.clock.now() - asked["range"]
    if "start" in asked and "end" in asked and asked["start"] >= asked["end"]:
        raise InvalidInput("from is not before to", field="from")
    found, following = router.journal.query(
        limit=asked["limit"],
        cursor=asked.get("cursor"),
        since=asked.get("since"),
        kinds=kinds,
        modem=asked.get("modem"),
        start=asked.get("start"),
        end=asked.get("end"),
    )
    return {"events": [event.as_dict() for event in found], "next": following}
