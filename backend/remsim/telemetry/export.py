"""Series, events and notes as CSV and JSON, piece by piece: memory stays small whatever is asked for."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from remsim.core.clock import iso_utc
from remsim.core.events import Event
from remsim.telemetry.annotations import Annotation
from remsim.telemetry.journal import MOST_EVENTS, Journal
from remsim.telemetry.measures import measure_named
from remsim.telemetry.points import Point
from remsim.telemetry.series import MOST_POINTS, SeriesStore

LINES = 200
"""Lines of CSV in one piece."""

EVENT_COLUMNS = ("time", "source", "kind", "severity", "message", "data", "id")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def safe_text(text: str) -> str:
    """Text that a spreadsheet does not take for a formula."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def csv_chunks(
    store: SeriesStore,
    modems: Sequence[str],
    measures: Sequence[str],
    start: float,
    end: float,
    *,
    points: int = MOST_POINTS,
    band: bool = False,
) -> Iterator[str]:
    """CSV: time (ISO 8601 UTC), modem, and a column a measure with its unit; empty is unknown.

    With a ``band`` each measure has its least and its greatest value behind the mean.
    """
    parts = {"": 2, " min": 1, " max": 3} if band else {"": 2}
    yield csv_line(
        ["time", "modem", *(f"{name}{word} [{measure_named(name).unit}]" for name in measures for word in parts)]
    )
    for modem in modems:
        columns = [known_points(store, modem, measure, start, end, points) for measure in measures]
        lines = []
        for when in sorted({when for column in columns for when in column}):
            found = [column.get(when) for column in columns]
            shown = ["" if point is None else f"{point[at]:.10g}" for point in found for at in parts.values()]
            lines.append(csv_line([iso_utc(when), safe_text(modem), *shown]))
            if len(lines) == LINES:
                yield "".join(lines)
                lines.clear()
        yield "".join(lines)


def known_points(
    store: SeriesStore, modem: str, measure: str, start: float, end: float, points: int
) -> dict[float, Point]:
    """A column of CSV by time, without what is unknown."""
    found = store.query(modem, measure, start=start, end=end, points=points).points
    return {point[0]: point for point in found if point[2] is not None}


def csv_line(cells: Sequence[str]) -> str:
    """One line of CSV (RFC 4180)."""
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()


def json_chunks(
    store: SeriesStore,
    modems: Sequence[str],
    measures: Sequence[str],
    start: float,
    end: float,
    *,
    points: int = MOST_POINTS,
    band: bool = True,
) -> Iterator[str]:
    """JSON: ``{"from", "to", "series": […]}``, points of time, min, avg, max; without a ``band`` of time and mean."""
    parts = (1, 2, 3) if band else (2,)
    yield f'{{"from": {json.dumps(iso_utc(start))}, "to": {json.dumps(iso_utc(end))}, "series": ['
    separator = ""
    for modem in modems:
        for measure in measures:
            series = store.query(modem, measure, start=start, end=end, points=points)
            rows = [[iso_utc(point[0]), *(point[at] for at in parts)] for point in series.points]
            one = {"modem": series.modem, "measure": series.measure, "unit": series.unit, "step_s": series.step_s}
            yield separator + json.dumps(one | {"points": rows})
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


NOTE_COLUMNS = ("from", "to", "modem", "text", "author", "id")


def note_csv(notes: Iterable[Annotation]) -> Iterator[str]:
    """CSV: a line a note; a moment has no end, and a note of all modems no modem."""
    yield csv_line(NOTE_COLUMNS)
    for note in notes:
        until = "" if note.until is None else iso_utc(note.until)
        texts = (safe_text(text or "") for text in (note.modem, note.text, note.author))
        yield csv_line([iso_utc(note.at), until, *texts, str(note.id)])
