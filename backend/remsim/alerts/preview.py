"""How often a rule would have fired: the same evaluation, fed with the past."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from remsim.alerts.alert import ROUTER, iso_or_none
from remsim.alerts.definitions import duration, rule_of
from remsim.alerts.watch import PASSING
from remsim.config.alerting import AlertSettings
from remsim.core.clock import iso_utc
from remsim.core.errors import NotFound
from remsim.core.events import Event
from remsim.core.small_dataclass import dataclass
from remsim.telemetry.journal import MOST_EVENTS, Journal
from remsim.telemetry.measures import SHOWN
from remsim.telemetry.rules.evaluation import Evaluation
from remsim.telemetry.rules.rule import Rule, Transition, Value
from remsim.telemetry.series import MOST_POINTS, SeriesStore
from remsim.telemetry.timeline import timelines

MOST_COUNTED = 20_000
MOST_SPANS = 500
EXACT_S = 2.0
"""What is kept at least so finely is as good as what a rule sees live."""
TRACKS = {"state": "state", "registration": "registration", "mode": "technology"}
"""Words of a reading of which the journal knows each change."""
NOTHING_KEPT = "There is no history of this, so nothing can be said of the past."
Change = tuple[float, Callable[[Evaluation], list[Transition]]]


@dataclass(frozen=True, slots=True)
class Past:
    """Where the past is read from, and the modems it has."""

    series: SeriesStore
    journal: Journal
    modems: Sequence[str]


def preview(settings: AlertSettings, past: Past, start: float, end: float) -> dict[str, Any]:
    """When the rule would have fired from ``start`` to ``end``: each time with its modem and worst value."""
    rule = replace(rule_of(settings), name="preview")
    subjects = [modem for modem in past.modems if rule.subject in (None, modem)]
    step_s = 0.0
    note = None
    if settings.source in ("usage", "router"):
        note = NOTHING_KEPT
        changes: Iterable[Change] = ()
    elif settings.source == "event":
        sources = [rule.subject] if rule.subject else [*past.modems, ROUTER]
        changes = counted(rule, past.journal, sources, start, end)
    elif settings.measure in TRACKS:
        changes = heapq.merge(*(worded(rule, past.journal, one, start, end) for one in subjects), key=when_of)
    elif settings.measure in SHOWN and settings.source == "measure":
        found = [measured(rule, past.series, one, start, end) for one in subjects]
        step_s = max((step for step, _ in found), default=0.0)
        changes = heapq.merge(*(rows for _, rows in found), key=when_of)
    else:
        note = NOTHING_KEPT
        changes = ()
    is_approximate = step_s > EXACT_S
    if is_approximate:
        note = f"The past is kept in steps of {duration(round(step_s))}, so this is about right."
    spans = spans_of(rule, changes, start, end)
    return {
        "fired": len(spans),
        "spans": spans[-MOST_SPANS:],
        "from": iso_utc(start),
        "to": iso_utc(end),
        "step_s": step_s,
        "approximate": is_approximate,
        "note": note,
    }


def when_of(change: Change) -> float:
    """The time of a change."""
    return change[0]


def spans_of(rule: Rule, changes: Iterable[Change], start: float, end: float) -> list[dict[str, Any]]:
    """Feed the past to the rule and gather when it fired."""
    evaluation = Evaluation([rule])
    moved: list[Transition] = evaluation.hours_at(start, start)
    spans: list[dict[str, Any]] = []
    begun: dict[str, dict[str, Any]] = {}

    def gather(transitions: list[Transition]) -> None:
        for one in transitions:
            if one.to == "firing":
                modem = None if one.track.subject == ROUTER else one.track.subject
                begun[one.track.subject] = {"modem": modem, "from": iso_utc(one.at), "to": None, "peak": None}
                spans.append(begun[one.track.subject])
            elif one.to == "resolved" and one.track.subject in begun:
                begun.pop(one.track.subject).update(to=iso_or_none(one.at), peak=peak_of(one.track.peak, one.track))

    gather(moved)
    minute = start
    for at, feed in changes:
        while evaluation.has_hours and minute + 60 <= at:
            minute += 60
            gather(evaluation.advance(minute))
            gather(evaluation.hours_at(minute, minute))
        gather(evaluation.advance(at))
        gather(feed(evaluation))
    gather(evaluation.advance(end))
    for subject, span in begun.items():
        track = evaluation.track(rule.name, subject)
        span["peak"] = None if track is None else peak_of(track.peak, track)
    return spans


def peak_of(peak: Value, track: Any) -> Value:
    """The worst value; of words the last."""
    return track.value if peak is None else peak


def measured(rule: Rule, series: SeriesStore, modem: str, start: float, end: float) -> tuple[float, Iterator[Change]]:
    """A modem's series. What need not last as long as a step is judged by the worst within it, else by the mean."""
    try:
        found = series.query(modem, rule.measure, start=start, end=end, points=MOST_POINTS)
    except NotFound:
        return 0.0, iter(())
    column = 2
    if rule.for_s < found.step_s:
        column = {"above": 3, "below": 1}.get(rule.comparison, 2)

    def rows() -> Iterator[Change]:
        for point in found.points:
            at, value = point[0], point[column]
            yield at, lambda one, at=at, value=value: one.feed_one(modem, "measure", rule.measure, value, at)  # type: ignore[misc]

    return (found.step_s if found.source != "live" else 1.0), rows()


def worded(rule: Rule, journal: Journal, modem: str, start: float, end: float) -> Iterator[Change]:
    """A modem's states, from the journal."""
    track = TRACKS[rule.measure]
    for segment in timelines(journal, modem, (track,), start, end)[track]:
        at = segment.start
        value = None if segment.value == PASSING and PASSING not in rule.words else segment.value
        yield at, lambda one, at=at, value=value: one.feed_one(modem, rule.source, rule.measure, value, at)  # type: ignore[misc]


def counted(rule: Rule, journal: Journal, sources: Sequence[str], start: float, end: float) -> Iterator[Change]:
    """The events a rule counts, oldest first; the newest when there are very many."""
    events: list[Event] = []
    cursor: int | None = None
    first = start - rule.window_s
    while len(events) < MOST_COUNTED:
        page, cursor = journal.query(limit=MOST_EVENTS, cursor=cursor, kinds=[rule.measure], start=first, end=end)
        events += [event for event in page if event.source in sources]
        if cursor is None:
            break
    for event in sorted(events, key=lambda one: one.at):
        yield event.at, lambda one, event=event: one.count(event.source, "event", event.kind, event.at)  # type: ignore[misc]
