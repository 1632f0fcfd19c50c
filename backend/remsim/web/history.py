"""``/api/v1/series/batch``, ``timeline/batch``, ``anomalies``, ``counts``: what a page of the past shows, at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import Blueprint

from remsim.core.errors import InvalidInput, NotFound
from remsim.core.forms import Flag, Whole
from remsim.telemetry.anomalies import HEAD, anomalies
from remsim.telemetry.batch import absent, compact, grid_of, rounded, shortest
from remsim.telemetry.counts import check_kind, counts
from remsim.telemetry.measures import measure_named
from remsim.telemetry.series import MOST_POINTS, Series, SeriesStore
from remsim.telemetry.stats import stats
from remsim.telemetry.timeline import TRACKS, check_track, condensed, newest, timelines
from remsim.web.auth import requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import LONGEST_RANGE_S, Names, PeriodQuery, asked_period, load_query
from remsim.web.modems import known_modem

bp = Blueprint("history", __name__)

MOST_SERIES = 64
MOST_VALUES = MOST_SERIES * 600
"""Series times points: what an answer may hold, and memory with it."""


class BatchQuery(PeriodQuery):
    """Measures of modems over a part of the past; ``shift`` seconds earlier, to compare."""

    modem = Names()
    measure = Names(required=True)
    points = Whole(1, MOST_POINTS, load_default=600)
    shift = Whole(0, LONGEST_RANGE_S, load_default=0)
    band = Flag(load_default=True)
    stats = Flag(load_default=False)
    anomalies = Flag(load_default=False)


class AnomaliesQuery(PeriodQuery):
    """Measures of modems over a part of the past."""

    modem = Names()
    measure = Names(required=True)
    points = Whole(1, MOST_POINTS, load_default=600)


class CountsQuery(PeriodQuery):
    """Kinds of events of modems over a part of the past, in spans of ``bucket`` seconds."""

    modem = Names()
    kind = Names(required=True)
    bucket = Whole(1, LONGEST_RANGE_S)


class TimelinesQuery(PeriodQuery):
    """Tracks of modems over a part of the past."""

    modem = Names()
    track = Names(load_default=("state",))
    points = Whole(1, MOST_POINTS)


@bp.get("/series/batch")
@requires_scope("read", "wall")
@describes("Measures of modems over time on regular grids: value i stands at start + i * step_s", query=BatchQuery)
def series_batch() -> dict[str, Any]:
    """What has no value is in ``absent`` with its reason."""
    asked = load_query(BatchQuery())
    router = services().router
    start, end = shifted(asked_period(asked, router.clock.now()), asked["shift"])
    modems, measures = asked_modems(asked), [measure_named(name).name for name in asked["measure"]]
    check_size(len(modems) * len(measures), asked["points"])
    series: list[dict[str, Any]] = []
    missing: list[dict[str, str]] = []
    for modem in modems:
        found, lacking = compact_series(router.series, modem, measures, start, end, asked)
        series += found
        missing += lacking
    head = {"from": start, "to": end, "shift_s": asked["shift"]}
    told = {"anomalies": HEAD} if asked["anomalies"] else {}
    return head | told | {"series": series, "absent": missing}


@bp.get("/anomalies")
@requires_scope("read", "wall")
@describes("What is out of the ordinary in measures of modems, by robust statistics", query=AnomaliesQuery)
def list_anomalies() -> dict[str, Any]:
    """Of the same points that ``series`` gives; what has no value is left out."""
    asked = load_query(AnomaliesQuery())
    router = services().router
    start, end = asked_period(asked, router.clock.now())
    modems, measures = asked_modems(asked), [measure_named(name).name for name in asked["measure"]]
    check_size(len(modems) * len(measures), asked["points"])
    found = [
        {"modem": one.modem, "measure": one.measure, "unit": one.unit, "step_s": one.step_s}
        | anomalies(one.points, one.unit, one.step_s)
        for modem in modems
        for one in recorded(router.series, modem, measures, start, end, asked["points"])
        if any(point[2] is not None for point in one.points)
    ]
    return {"from": start, "to": end} | HEAD | {"anomalies": found}


@bp.get("/counts")
@requires_scope("read", "wall")
@describes("How often something happened: bar i of `values` begins at start + i * bucket_s", query=CountsQuery)
def list_counts() -> dict[str, Any]:
    asked = load_query(CountsQuery())
    router = services().router
    start, end = asked_period(asked, router.clock.now())
    kinds = [check_kind(name) for name in asked["kind"]]
    found = counts(router.journal, asked_modems(asked), kinds, start, end, asked.get("bucket"))
    return {"from": start, "to": end} | found.as_dict()


@bp.get("/timeline/batch")
@requires_scope("read", "wall")
@describes(f"Bands of states of modems over time; tracks: {', '.join(TRACKS)}", query=TimelinesQuery)
def timeline_batch() -> dict[str, Any]:
    """Each change as [epoch, the value from then on]; the first is at ``from``. What is shorter than a point is put
    together with its neighbours, and the value that was longest stands for it.
    """
    asked = load_query(TimelinesQuery())
    router = services().router
    start, end = asked_period(asked, router.clock.now())
    tracks = [check_track(name) for name in asked["track"]]
    shortest_s = (end - start) / asked["points"] if "points" in asked else 0.0
    made = [
        {
            "modem": modem,
            "track": track,
            "changes": [[shortest(one.start, 1), one.value] for one in newest(condensed(segments, shortest_s))],
        }
        for modem in asked_modems(asked)
        for track, segments in timelines(router.journal, modem, tracks, start, end).items()
    ]
    return {"from": start, "to": end, "timelines": made}


def compact_series(
    store: SeriesStore, modem: str, measures: Sequence[str], start: float, end: float, asked: dict[str, Any]
) -> tuple[list[dict[str, Any]], list[dict[str, str]]]:
    """A modem's series as JSON has them, and those without a value."""
    found = recorded(store, modem, measures, start, end, asked["points"])
    if not found:  # plugged in, but never yet measured
        return [], absent(modem, measures, "nothing has been recorded yet")
    made, missing = [], []
    for one in found:
        grid = grid_of(one)
        if grid is None:
            missing += absent(modem, (one.measure,), one.reason or "no value was recorded in this period")
            continue
        shown = compact(one, grid, band=asked["band"])
        if asked["stats"]:
            shown["stats"] = rounded(stats(one.points), one.unit)
        if asked["anomalies"]:
            shown["anomalies"] = anomalies(one.points, one.unit, one.step_s)
        made.append(shown)
    return made, missing


def recorded(
    store: SeriesStore, modem: str, measures: Sequence[str], start: float, end: float, points: int
) -> list[Series]:
    """A modem's series; none of one that was never measured."""
    try:
        return store.query_many(modem, measures, start, end, points)
    except NotFound:
        return []


def asked_modems(asked: dict[str, Any]) -> list[str]:
    """The modems that are asked for, all when none are named."""
    return [known_modem(name) for name in asked.get("modem", ())] or [
        view["id"] for view in services().router.modems.views()
    ]


def shifted(period: tuple[float, float], shift_s: float) -> tuple[float, float]:
    """A period so many seconds earlier."""
    if shift_s > period[0]:
        raise InvalidInput("that is before 1970", field="shift")
    return period[0] - shift_s, period[1] - shift_s


def check_size(count: int, points: int) -> None:
    """Refuse what would be too large an answer."""
    if count > MOST_SERIES:
        raise InvalidInput(f"{count} series are asked for, {MOST_SERIES} at most", field="measure")
    if count * points > MOST_VALUES:
        raise InvalidInput(f"of {count} series {MOST_VALUES // count} points each at most", field="points")
