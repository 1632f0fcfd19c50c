"""``/api/v1/usage``: bytes a day, SIM, modem and interface, and each SIM's billing cycle."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response
from marshmallow import ValidationError
from marshmallow import fields as ma

from remsim.config.sims import SimSettings
from remsim.core.errors import InvalidInput
from remsim.telemetry.usage_report import cycle_in, cycle_of, day_at, plan_of, section_of, sim_report
from remsim.telemetry.usage_text import csv_of_reports
from remsim.web.auth import requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import Day, Name, Query, load_query

bp = Blueprint("usage", __name__)

DEFAULT_DAYS = 30


class Month(ma.Field[tuple[int, int]]):
    """A month, ``YYYY-MM``."""

    json = {"type": "string", "pattern": "^[0-9]{4}-(0[1-9]|1[0-2])$"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[int, int]:
        match = re.fullmatch(r"(\d{4})-(0[1-9]|1[0-2])", value, re.ASCII) if isinstance(value, str) else None
        if match is None or not 1970 <= int(match[1]) <= 2100:
            raise ValidationError("is not a month like 2026-01")
        return int(match[1]), int(match[2])


class UsageQuery(Query):
    """The first and the last day, both counted; the last 30 days by default."""

    first = Day(data_key="from")
    last = Day(data_key="to")
    modem = Name()
    sim = Name()


class ReportQuery(Query):
    """The cycle that begins in a month, that which runs now by default; of one SIM, or of all."""

    month = Month()
    sim = Name()


@bp.get("/usage")
@requires_scope("read", "wall")
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
        "usage": router.usage.query(
            first.isoformat(), last.isoformat(), modem=asked.get("modem"), sim=asked.get("sim")
        ),
    }


@bp.get("/usage/report")
@requires_scope("read")
@describes("Each SIM's billing cycle: used, of its cap, projected; by day and by modem", query=ReportQuery)
def usage_report() -> dict[str, Any]:
    """``months`` are those that there is usage of, newest first."""
    asked = load_query(ReportQuery())
    month = asked.get("month")
    return {
        "month": "{:04d}-{:02d}".format(*month) if month else None,
        "months": _months(),
        "sims": _reports(asked),
    }


@bp.get("/usage/report.csv")
@requires_scope("read")
@describes("The same as CSV: a row a day, modem and interface", query=ReportQuery, answer="text/csv")
def usage_report_csv() -> Response:
    """Small: a month of rows."""
    asked = load_query(ReportQuery())
    reports = _reports(asked)
    label = "{:04d}-{:02d}".format(*asked["month"]) if "month" in asked else "now"
    return Response(
        "".join(csv_of_reports(services().router.usage, reports)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="remsim-usage-{label}.csv"'},
    )


@bp.get("/usage/sims")
@requires_scope("read")
@describes("The SIMs that were ever used here or have a plan: name, last modem, whether it is in one now")
def usage_sims() -> dict[str, Any]:
    """A plan is set as section ``section`` of type ``sim``."""
    seen = services().router.usage.seen()
    places = _places()
    found = []
    for sim in _known_sims(seen):
        rows = sorted((day, modem) for of_sim, day, modem in seen if of_sim == sim)
        plan = plan_of(sim, _plans())
        found.append(
            {
                "sim": sim,
                "section": section_of(sim),
                "name": plan.name,
                "has_plan": plan in _plans(),
                "modem": places.get(sim),
                "last_modem": places.get(sim) or (rows[-1][1] if rows else None),
                "first_day": rows[0][0] if rows else None,
                "last_day": rows[-1][0] if rows else None,
            }
        )
    return {"sims": found}


def _reports(asked: dict[str, Any]) -> list[dict[str, Any]]:
    """The cycles that are asked for: of SIMs with usage in it or with a plan, and of those in a modem now."""
    router = services().router
    now = router.clock.now()
    seen = router.usage.seen()
    known = _known_sims(seen)
    if "sim" in asked and asked["sim"] not in known:
        hint = "GET /api/v1/usage/sims lists them"
        raise InvalidInput(f"there is no SIM {asked['sim'][:40]!r}", field="sim", hint=hint)
    reports = []
    for sim in [asked["sim"]] if "sim" in asked else known:
        plan = plan_of(sim, _plans())
        running = cycle_of(day_at(now), plan.billing_day)
        year, month = asked.get("month", (0, 0))
        cycle = cycle_in(year, month, plan.billing_day) if month else running
        report = sim_report(router.usage, sim, plan, cycle, now)
        is_there = plan in _plans() or (cycle == running and sim in _places())
        if report["per_day"] or is_there or "sim" in asked:
            reports.append(report)
    return sorted(reports, key=lambda one: (not one["name"], one["name"] or one["sim"]))


def _months() -> list[str]:
    """The cycles that there is usage of, by the month each begins in, newest first."""
    billing_days = {plan.sim: plan.billing_day for plan in _plans()}
    days = {(day, billing_days.get(sim, 1)) for sim, day, _ in services().router.usage.seen()}
    return sorted({cycle_of(date.fromisoformat(day), billing).month for day, billing in days}, reverse=True)


def _plans() -> tuple[SimSettings, ...]:
    return services().router.config.settings.sims


def _places() -> dict[str, str]:
    """SIMs that are in a modem now, and in which."""
    readings = [(view["id"], view.get("reading") or {}) for view in services().router.modems.views()]
    return {reading["sim"]: modem for modem, reading in readings if reading.get("sim")}


def _known_sims(seen: list[tuple[str, str, str]]) -> list[str]:
    return sorted({sim for sim, _, _ in seen} | {plan.sim for plan in _plans()} | _places().keys())


def _days_before(last: date) -> date:
    days = timedelta(days=DEFAULT_DAYS - 1)
    return last - days if last - date.min > days else date.min
