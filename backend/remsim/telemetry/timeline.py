"""States over time as bands, rebuilt from the journal."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from remsim.core.clock import iso_utc
from remsim.core.errors import InvalidInput
from remsim.core.events import Event
from remsim.telemetry.journal import MOST_EVENTS, Journal

STATE_KINDS = ("connect", "disconnect", "state", "vanished")
TRACKS: dict[str, tuple[str, ...]] = {
    "state": STATE_KINDS,
    "registration": ("registration", "connect"),
    "technology": ("technology_change", "connect"),
    "sim": ("sim_state", "connect"),
}
CONNECT_FIELDS = {"registration": "registration", "technology": "mode", "sim": "sim"}
"""What the event of coming online says of each track."""
MOST_SEGMENTS = 2000


def timeline(journal: Journal, modem: str, track: str, start: float, end: float) -> list[dict[str, Any]]:
    """Segments ``{"from", "to", "value"}`` of a track; value None where nothing is known (the service was off)."""
    if track not in TRACKS:
        raise InvalidInput(f"{track[:40]!r} is not a track", field="track", hint=f"one of {', '.join(TRACKS)}")
    kinds = TRACKS[track]
    before = last_of(journal, kinds, modem, start)
    stops = last_of(journal, ("service_start", "service_stop"), "remsim", start)
    events = within(journal, kinds, modem, start, end)
    value = value_of(before[0], track) if before else value_before(events)
    if stops and before and stops[0].at > before[0].at and stops[0].kind == "service_stop":
        value = None
    service = within(journal, ("service_start", "service_stop"), "remsim", start, end)
    segments: list[dict[str, Any]] = []
    since, resumed = start, value
    for event in sorted([*events, *service], key=lambda one: (one.at, one.id or 0)):
        if event.kind == "service_start":
            new = resumed if value is None and track != "state" else value
        elif event.kind == "service_stop":
            resumed, new = value, None
        elif event.data.get("what") == "sim_slot":
            continue
        else:
            new = value_of(event, track)
        if new != value:
            if event.at > since:
                segments.append(segment(since, event.at, value))
            since, value = event.at, new
    segments.append(segment(since, end, value))
    return segments[-MOST_SEGMENTS:]


def segment(start: float, end: float, value: Any) -> dict[str, Any]:
    """One band."""
    return {"from": iso_utc(start), "to": iso_utc(end), "value": value}


def value_of(event: Event, track: str) -> Any:
    """What the track is from this event on."""
    if event.kind == "connect" and track in CONNECT_FIELDS:
        return event.data.get(CONNECT_FIELDS[track])
    return event.data.get("to")


def value_before(events: Iterable[Event]) -> Any:
    """What it was before the first event of the period."""
    first = next(iter(events), None)
    return first.data.get("from") if first and first.kind != "connect" else None


def last_of(journal: Journal, kinds: tuple[str, ...], source: str, before: float) -> list[Event]:
    """The last event before a time, if any."""
    return journal.query(limit=1, kinds=kinds, modem=source, end=before)[0]


def within(journal: Journal, kinds: tuple[str, ...], source: str, start: float, end: float) -> list[Event]:
    """The events of a period, oldest first; the newest of them when there are too many."""
    found: list[Event] = []
    cursor: int | None = None
    while len(found) < MOST_SEGMENTS:
        page, cursor = journal.query(limit=MOST_EVENTS, cursor=cursor, kinds=kinds, modem=source, start=start, end=end)
        found += page
        if cursor is None:
            break
    return sorted(found, key=lambda event: (event.at, event.id or 0))
