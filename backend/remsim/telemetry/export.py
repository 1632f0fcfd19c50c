"""Series as CSV and JSON, piece by piece: memory stays small whatever is asked for."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence

from remsim.core.clock import iso_utc
from remsim.telemetry.measures import measure_named
from remsim.telemetry.series import MOST_POINTS, Series, SeriesStore

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe_text(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def each_series(
    store: SeriesStore, modems: Sequence[str], measures: Sequence[str], start: float, end: float
) -> Iterator[list[Series]]:
    """The wanted series, modem by modem."""
    for modem in modems:
        yield [store.query(modem, measure, start=start, end=end, points=MOST_POINTS) for measure in measures]


def csv_chunks(
    store: SeriesStore, modems: Sequence[str], measures: Sequence[str], start: float, end: float
) -> Iterator[str]:
    """CSV: time (ISO 8601 UTC), modem, and a column a measure with its unit; empty is unknown."""
    header = ["time", "modem", *(f"{name} [{measure_named(name).unit}]" for name in measures)]
    yield csv_line(header)
    for group in each_series(store, modems, measures, start, end):
        columns = [{point[0]: point[2] for point in series.points} for series in group]
        lines = []
        for when in sorted({when for column in columns for when in column}):
            values = [column.get(when) for column in columns]
            if any(value is not None for value in values):
                shown = ["" if value is None else f"{value:.10g}" for value in values]
                lines.append(csv_line([iso_utc(when), safe_text(group[0].modem), *shown]))
        yield "".join(lines)


def csv_line(cells: Sequence[str]) -> str:
    """One line of CSV (RFC 4180)."""
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def json_chunks(
    store: SeriesStore, modems: Sequence[str], measures: Sequence[str], start: float, end: float
) -> Iterator[str]:
    """JSON: ``{"from", "to", "series": […]}`` with points of time, min, avg, max."""
    yield f'{{"from": {json.dumps(iso_utc(start))}, "to": {json.dumps(iso_utc(end))}, "series": ['
    separator = ""
    for group in each_series(store, modems, measures, start, end):
        for series in group:
            points = [[iso_utc(point[0]), *point[1:]] for point in series.points]
            one = {"modem": series.modem, "measure": series.measure, "unit": series.unit, "step_s": series.step_s}
            yield separator + json.dumps(one | {"points": points})
            separator = ",\n"
    yield "]}\n"
