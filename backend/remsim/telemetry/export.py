"""Series and events as CSV and JSON, piece by piece: memory stays small whatever is asked for."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from remsim.core.clock import iso_utc
from remsim.core.events import Event
from remsim.telemetry.journal import MOST_EVENTS, Journal
from remsim.telemetry.measures import measure_named
from remsim.telemetry.series import MOST_POINTS, SeriesStore

LINES = 200
"""Lines of CSV in one piece."""

EVENT_COLUMNS = ("time", "source", "kind", "severity", "message", "data", "id")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe_text(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def csv_chunks(
    store: SeriesStore, modems: Sequence[str], measures: Sequence[str], start: float, end: float
) -> Iterator[str]:
    """CSV: time (ISO 8601 UTC), modem, and a column a measure with its unit; empty is unknown."""
    header = ["time", "modem", *(f"{name} [{measure_named(name).unit}]" for name in measures)]
    yield csv_line(header)
    for modem in modems:
        columns = [known_means(store, modem, measure, start, end) for measure in measures]
        lines = []
        for when in sorted({when for column in columns for when in column}):
            values = [column.get(when) for column in columns]
            shown = ["" if value is None else f"{value:.10g}" for value in values]
            lines.append(csv_line([iso_utc(when), safe_text(modem), *shown]))
            if len(lines) == LINES:
                yield "".join(lines)
                lines.clear()
        yield "".join(lines)


def known_means(store: SeriesStore, modem: str, measure: str, start: float, end: float) -> dict[float, float]:
    """A column of CSV by time, without what is unknown."""
    points = store.query(modem, measure, start=start, end=end, points=MOST_POINTS).points
    return {point[0]: point[2] for point in points if point[2] is not None}


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
    for modem in modems:
        for measure in measures:
            series = store.query(modem, measure, start=start, end=end, points=MOST_POINTS)
            points = [[iso_utc(point[0]), *point[1:]] for point in series.points]
            one = {"modem": series.modem, "measure": series.measure, "unit": series.unit, "step_s": series.step_s}
            yield separator + json.dumps(one | {"points": points})
            separator = ",\n"
    yield "]}\n"


def event_pages(journal: Journal, filters: Mapping[str, Any]) -> Iterator[list[Event]]:
    """The events of a filter (as ``Journal.query`` takes it), newest first, some hundred at a time."""
    cursor: int | None = None
    while True:
        page, cursor = journal.query(**filters, limit=MOST_EVENTS, cursor=cursor)
        yield page
        if cursor is None:
            return


def event_csv_chunks(pages: Iterator[list[Event]]) -> Iterator[str]:
    """CSV: a line an event, what it knows beside its message as JSON in the last column."""
    yield csv_line(EVENT_COLUMNS)
    for page in pages:
        yield "".join(csv_line(_event_cells(event)) for event in page)


def _event_cells(event: Event) -> list[str]:
    data = json.dumps(event.data, ensure_ascii=False) if event.data else ""
    texts = (event.source, event.kind, event.severity, event.message)
    return [iso_utc(event.at), *(safe_text(text) for text in texts), data, str(event.id)]


def event_json_chunks(pages: Iterator[list[Event]]) -> Iterator[str]:
    """JSON: ``{"events": […]}``, each as ``GET events`` gives it."""
    yield '{"events": ['
    separator = ""
    for page in pages:
        if page:
            yield separator + ",\n".join(json.dumps(event.as_dict()) for event in page)
            separator = ",\n"
    yield "]}\n"
