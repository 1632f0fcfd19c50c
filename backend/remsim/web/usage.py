"""``/api/v1/usage``: bytes a day, SIM, modem and interface."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import Blueprint

from remsim.core.errors import InvalidInput
from remsim.web.auth import requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import Day, Name, Query, load_query

bp = Blueprint("usage", __name__)

DEFAULT_DAYS = 30


class UsageQuery(Query):
    """The first and the last day, both counted; the last 30 days by default."""

    first = Day(data_key="from")
    last = Day(data_key="to")
    modem = Name()


@bp.get("/usage")
@requires_scope("read")
@describes("Bytes received and sent a day, SIM, modem and interface", query=UsageQuery)
def usage() -> dict[str, Any]:
    """Days of UTC. A modem that is gone for good keeps its past."""
    asked = load_query(UsageQuery())
    router = services().router
    last: date = asked.get("last") or datetime.fromtimestamp(router.clock.now(), UTC).date()
    first: date = asked.get("first") or _days_before(last)
    if first > last:
        raise InvalidInput("from is after to", field="from")
    return {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "usage": router.usage.query(first.isoformat(), last.isoformat(), modem=asked.get("modem")),
    }


def _days_before(last: date) -> date:
    days = timedelta(days=DEFAULT_DAYS - 1)
    return last - days if last - date.min > days else date.min
