"""``/api/v1/alerts`` and ``/api/v1/silences``: what fires, who takes care of it, and what nobody is told of."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from remsim.core.errors import InvalidInput, NotFound
from remsim.core.forms import Form, Text, Whole
from remsim.web.auth import actor, requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import Moment, Query, Range, load_body, load_query
from remsim.web.modems import known_modem

bp = Blueprint("alerts", __name__)

MOST_ENDED = 500


class AlertsQuery(Query):
    """How many of those that are over are wanted."""

    ended = Whole(0, MOST_ENDED, load_default=100)


class Acknowledgement(Form):
    """Nothing needs to be said."""


class SilenceForm(Form):
    """What to be silent of, and how long: ``until``, or ``range`` from now on."""

    rule = Text(1, 32, pattern="[A-Za-z0-9_]+", allow_none=True)
    modem = Text(1, 64, pattern="[A-Za-z0-9_.-]+", allow_none=True)
    until = Moment()
    range = Range()
    comment = Text(0, 200, load_default="")


@bp.get("/alerts")
@requires_scope("read", "wall")
@describes("Alerts that fire or wait, the worst first, then the last that are over; silences", query=AlertsQuery)
def list_alerts() -> dict[str, Any]:
    """What the page shows, in one answer."""
    alerts = services().router.alerts
    return {"alerts": alerts.views(load_query(AlertsQuery())["ended"]), "silences": alerts.silences()}


@bp.post("/alerts/<alert_id>/acknowledge")
@requires_scope("write")
@describes("Say that somebody takes care of an alert: it is not told again before it ends", body=Acknowledgement)
def acknowledge_alert(alert_id: str) -> dict[str, Any]:
    """409 when it is over or does not fire yet."""
    return services().router.alerts.acknowledge(alert_id, actor())


@bp.get("/silences")
@requires_scope("read")
@describes("The silences in force")
def list_silences() -> dict[str, Any]:
    """Those that are over are forgotten."""
    return {"silences": services().router.alerts.silences()}


@bp.post("/silences")
@requires_scope("write")
@describes("Have nobody told of a rule, a modem or both for a while", body=SilenceForm, status=201)
def make_silence() -> tuple[dict[str, Any], int]:
    """Without ``rule`` and ``modem`` it covers everything."""
    asked = load_body(SilenceForm())
    router = services().router
    if ("until" in asked) == ("range" in asked):
        raise InvalidInput("give either until or range", field="until")
    if asked.get("modem") is not None:
        known_modem(asked["modem"])
    until = asked["until"] if "until" in asked else router.clock.now() + asked["range"]
    made = router.alerts.silence(asked.get("rule"), asked.get("modem"), until, asked["comment"], actor())
    return made, 201


@bp.delete("/silences/<silence_id>")
@requires_scope("write")
@describes("End a silence; what it covered and still fires is told now")
def drop_silence(silence_id: str) -> dict[str, Any]:
    """Its id."""
    if not (silence_id.isascii() and silence_id.isdigit() and len(silence_id) <= 12):
        raise NotFound(f"there is no silence {silence_id[:40]!r}", field="id")
    services().router.alerts.unsilence(int(silence_id))
    return {"id": int(silence_id)}
