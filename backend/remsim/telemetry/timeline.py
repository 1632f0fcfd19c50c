"""States over time as bands, rebuilt from the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from remsim.core.clock import iso_utc
from remsim.core.errors import InvalidInput
from remsim.core.events import Event
from remsim.core.small_dataclass import dataclass
from remsim.telemetry.journal import MOST_EVENTS, Journal

STATE_KINDS = ("connect", "disconnect", "state", "error", "recovered", "vanished")
SERVICE_KINDS = ("service_start", "service_stop")
LOST = ("disconnect", "vanished")
FIELDS = ("from", "to", "what", "registration", "mode", "sim", "sim_slot", "band", "cell")
"""What tracks are made of."""
MOST_READ = 10_000
MOST_SEGMENTS = 2000


class Segment(NamedTuple):
    """A value and when it was so; None is unknown."""

    start: float
    end: float
    value: Any


@dataclass(frozen=True, slots=True)
class Track:
    """The events that a band is made of: those of its changes, which tell ``from`` and ``to``, and others."""

    changes: tuple[str, ...]
    others: tuple[str, ...] = ()
    value_of: Callable[[Event], Any] | None = None
    what: tuple[str, ...] = ()

    @property
    def kinds(self) -> tuple[str, ...]:
        """All of them, in an order that equals another track's of the same kinds."""
        return tuple(sorted((*self.changes, *self.others)))


class Nothing:
    """What an event says of a track that it does not concern."""


NOTHING = Nothing()


def told_by(field: str) -> Callable[[Event], Any]:
    """The value of a field of coming online."""
    return lambda event: event.data.get(field, NOTHING)


def cell_of(event: Event) -> Any:
    """The serving cell: told on coming online, lost with the service."""
    return None if event.kind in LOST else event.data.get("cell", NOTHING)


def band_of(event: Event) -> Any:
    """The serving cell's band, ``B3`` or ``n78``: what tells the signal tells it."""
    if event.kind in LOST:
        return None
    band = event.data.get("band")
    return NOTHING if band is None else f"{'n' if event.data.get('mode') == 'SA' else 'B'}{band}"


TRACKS: dict[str, Track] = {
    "state": Track(STATE_KINDS),
    "registration": Track(("registration",), ("connect",), told_by("registration")),
    "technology": Track(("technology_change",), ("connect",), told_by("mode")),
    "sim": Track(("sim_state",), ("connect",), told_by("sim"), what=("sim_state", "sim")),
    "sim_slot": Track(("sim_state",), ("connect",), told_by("sim_slot"), what=("sim_slot",)),
    "band": Track((), ("cell_change", "technology_change", "connect", *LOST), band_of),
    "cell": Track(("cell_change",), ("technology_change", "connect", *LOST), cell_of),
}


def timeline(journal: Journal, modem: str, track: str, start: float, end: float) -> list[dict[str, Any]]:
    """Segments ``{"from", "to", "value"}`` of a track; value None where nothing is known (the service was off)."""
    found = newest(timelines(journal, modem, (check_track(track),), start, end)[track])
    return [{"from": iso_utc(one.start), "to": iso_utc(one.end), "value": one.value} for one in found]


def check_track(name: str) -> str:
    """The track's name, or ``InvalidInput`` that lists them."""
    if name not in TRACKS:
        raise InvalidInput(f"{name[:40]!r} is not a track", field="track", hint=f"one of {', '.join(TRACKS)}")
    return name


def timelines(
    journal: Journal, modem: str, tracks: Sequence[str], start: float, end: float
) -> dict[str, list[Segment]]:
    """The segments of several tracks of a modem; events that they share are read once."""
    service, _ = journal.outline(SERVICE_KINDS, "remsim", ("to",), start, end, MOST_READ)
    last_service = next(iter(journal.query(limit=1, kinds=SERVICE_KINDS, modem="remsim", end=start)[0]), None)
    read: dict[tuple[str, ...], tuple[list[Event], bool]] = {}
    made = {}
    for name in tracks:
        track = TRACKS[name]
        if track.kinds not in read:
            read[track.kinds] = journal.outline(track.kinds, modem, FIELDS, start, end, MOST_READ)
        events, is_whole = read[track.kinds]
        before = last_of(journal, track, modem, start)
        value = value_told(track, before) if before else value_before(track, events)
        was_off = before and last_service and last_service.at > before.at and last_service.kind == "service_stop"
        # Of too many events the oldest are not there: what was then is not known.
        made[name] = segments_of(track, [*events, *service], None if was_off or not is_whole else value, start, end)
    return made


def segments_of(track: Track, events: Iterable[Event], value: Any, start: float, end: float) -> list[Segment]:
    """Bands of a track from what it was at the start and the events since."""
    segments: list[Segment] = []
    since, resumed = start, value
    for event in sorted(events, key=lambda one: (one.at, one.id or 0)):
        if event.kind == "service_start":
            new = resumed if value is None and track.others else value
        elif event.kind == "service_stop":
            resumed, new = value, None
        else:
            new = value_told(track, event)
        if new is not NOTHING and new != value:
            if event.at > since:
                segments.append(Segment(since, event.at, value))
            since, value = event.at, new
    segments.append(Segment(since, end, value))
    return segments


def condensed(segments: Sequence[Segment], shortest_s: float) -> list[Segment]:
    """Segments without those too short to be seen: neighbours are put together until they are long enough, and the
    value that was longest stands for them. Their ends stay true.
    """
    made: list[Segment] = []
    group: list[Segment] = []
    for one in [*segments, None]:
        is_long = one is None or one.end - one.start >= shortest_s
        if group and (is_long or group[-1].end - group[0].start >= shortest_s):
            lengths: dict[Any, float] = {}
            for part in group:
                lengths[part.value] = lengths.get(part.value, 0.0) + part.end - part.start
            made.append(Segment(group[0].start, group[-1].end, max(lengths, key=lengths.__getitem__)))
            group = []
        if one is not None and is_long:
            made.append(one)
        elif one is not None:
            group.append(one)
    return merged(made)


def newest(segments: list[Segment]) -> list[Segment]:
    """No more than there may be in an answer; what was before the newest of them is told as unknown."""
    if len(segments) <= MOST_SEGMENTS:
        return segments
    last = segments[1 - MOST_SEGMENTS :]
    return [Segment(segments[0].start, last[0].start, None), *last]


def merged(segments: Iterable[Segment]) -> list[Segment]:
    """Neighbours of one value as one."""
    made: list[Segment] = []
    for one in segments:
        if made and made[-1].value == one.value:
            made[-1] = Segment(made[-1].start, one.end, one.value)
        else:
            made.append(one)
    return made


def value_told(track: Track, event: Event) -> Any:
    """What the track is from this event on; ``NOTHING`` when it says nothing of it."""
    if event.kind in track.changes:
        is_other = track.what and event.data.get("what", track.what[0]) not in track.what
        return NOTHING if is_other else event.data.get("to", NOTHING)
    return track.value_of(event) if track.value_of else NOTHING


def value_before(track: Track, events: Iterable[Event]) -> Any:
    """What it was before the first event of the period that says something of it."""
    first = next((event for event in events if value_told(track, event) is not NOTHING), None)
    before = first.data.get("from") if first and first.kind in track.changes else None
    return None if before == "starting" else before  # nobody had looked at this modem before


def last_of(journal: Journal, track: Track, source: str, before: float) -> Event | None:
    """The last event before a time that says something of a track, if any."""
    cursor: int | None = None
    limit = 1
    while True:
        page, cursor = journal.query(limit=limit, cursor=cursor, kinds=track.kinds, modem=source, end=before)
        for event in page:
            if value_told(track, event) is not NOTHING:
                return event
        if cursor is None:
            return None
        limit = MOST_EVENTS
