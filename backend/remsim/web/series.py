"""``/api/v1/series``, ``stats``, ``timeline`` and ``export``: the past, in the resolution that suits the range."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, request

from remsim.core.clock import iso_utc
from remsim.core.errors import NotFound, RemsimError
from remsim.core.forms import Flag, Whole
from remsim.telemetry.export import csv_chunks, json_chunks
from remsim.telemetry.measures import MEASURES, SHOWN, measure_named
from remsim.telemetry.series import MOST_POINTS, Series
from remsim.telemetry.stats import stats
from remsim.telemetry.timeline import TRACKS, timeline
from remsim.web.auth import requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import Name, Names, PeriodQuery, asked_period, load_query
from remsim.web.modems import known_modem

bp = Blueprint("series", __name__)

MOST_EXPORTS = 4
"""An export holds a thread and some megabytes for as long as its reader takes."""

running = threading.BoundedSemaphore(MOST_EXPORTS)


class SeriesQuery(PeriodQuery):
    """One measure of one modem over a part of the past."""

    modem = Name(required=True)
    measure = Name(required=True)
    points = Whole(1, MOST_POINTS, load_default=600)


class TimelineQuery(PeriodQuery):
    """One track of one modem over a part of the past."""

    modem = Name(required=True)
    track = Name(load_default="state")


class ExportQuery(PeriodQuery):
    """Modems and measures (all, when none are named) over a part of the past; ``points`` as they are shown."""

    modem = Names()
    measure = Names()
    points = Whole(1, MOST_POINTS, load_default=MOST_POINTS)
    band = Flag()


class TooManyExports(RemsimError):
    """As many exports as there may be are being read."""

    code = "too_many_exports"
    http_status = 503


class Export:
    """The pieces of one export, counted until they are read or the server closes it, which it does in any case."""

    def __init__(self, chunks: Iterator[str]) -> None:
        if not running.acquire(blocking=False):
            raise TooManyExports(f"{MOST_EXPORTS} exports are running", hint="wait until one of them has ended")
        self._chunks = chunks
        self._ended = False

    def __iter__(self) -> Iterator[str]:
        try:
            yield from self._chunks
        finally:
            self.close()

    def close(self) -> None:
        """Make room for another one."""
        if not self._ended:
            self._ended = True
            running.release()


def asked_series() -> Series:
    """The series a query asks for."""
    asked = load_query(SeriesQuery())
    router = services().router
    modem, measure = known_modem(asked["modem"]), measure_named(asked["measure"]).name
    start, end = asked_period(asked, router.clock.now())
    try:
        return router.series.query(modem, measure, start=start, end=end, points=asked["points"])
    except NotFound:  # plugged in, but never yet measured
        return Series(modem, measure, SHOWN[measure].unit, 1.0, "live", [], "nothing has been recorded yet")


@bp.get("/series")
@requires_scope("read", "wall")
@describes("A measure over time: [epoch, min, avg, max] in at most `points` points", query=SeriesQuery)
def series() -> dict[str, Any]:
    """The server chooses the resolution and says it."""
    return asked_series().as_dict()


@bp.get("/stats")
@requires_scope("read", "wall")
@describes("Minimum, average, maximum, median and 95th percentile of a measure", query=SeriesQuery)
def statistics() -> dict[str, Any]:
    """Of the same points that ``series`` gives."""
    found = asked_series()
    head = {"modem": found.modem, "measure": found.measure, "unit": found.unit, "step_s": found.step_s}
    return head | stats(found.points)


@bp.get("/timeline")
@requires_scope("read", "wall")
@describes(f"Bands of a state over time; tracks: {', '.join(TRACKS)}", query=TimelineQuery)
def bands() -> dict[str, Any]:
    """Rebuilt from the events."""
    asked = load_query(TimelineQuery())
    router = services().router
    modem = known_modem(asked["modem"])
    start, end = asked_period(asked, router.clock.now())
    return {
        "modem": modem,
        "track": asked["track"],
        "segments": timeline(router.journal, modem, asked["track"], start, end),
    }


@bp.get("/export.csv")
@requires_scope("read")
@describes(
    "Series as CSV, units in the headers, times in ISO 8601 UTC",
    query=ExportQuery,
    answer="text/csv",
    fails=(503,),
)
def export_csv() -> Response:
    """Streamed; a byte order mark is not sent."""
    return _export("csv")


@bp.get("/export.json")
@requires_scope("read")
@describes("Series as JSON, times in ISO 8601 UTC", query=ExportQuery, fails=(503,))
def export_json() -> Response:
    """Streamed."""
    return _export("json")


def _export(kind: str) -> Response:
    asked = load_query(ExportQuery())
    router = services().router
    start, end = asked_period(asked, router.clock.now())
    modems = [known_modem(name) for name in asked.get("modem", ())] or [one["id"] for one in router.modems.views()]
    modems = [name for name in modems if is_recorded(name)]
    measures = [measure_named(name).name for name in asked.get("measure", ())] or list(SHOWN)
    # What may be wrong with the question was found by now; an error in the middle would be half a file.
    make = csv_chunks if kind == "csv" else json_chunks
    band = asked.get("band", kind == "json")
    chunks = make(router.series, modems, measures, start, end, points=asked["points"], band=band)
    label = re.sub(r"[^0-9A-Za-z_-]+", "-", f"{'_'.join(modems[:3])}-{iso_utc(end)[:16]}")
    return Response(
        Export(chunks) if request.method != "HEAD" else None,
        mimetype="text/csv" if kind == "csv" else "application/json",
        headers={"Content-Disposition": f'attachment; filename="remsim-{label}.{kind}"'},
    )


def is_recorded(modem: str) -> bool:
    """Whether there is any series of a modem; a known one may never have been measured."""
    try:
        services().router.series.query(modem, next(iter(MEASURES)), range_s=1.0, points=1)
    except NotFound:
        return False
    return True
