"""Configured rules as rules of the evaluation, and alerts in words."""

from __future__ import annotations

from collections.abc import Iterable

from marshmallow import ValidationError

from remsim.alerts.alert import ROUTER, Alert
from remsim.config.alerting import DAYS, ROUTER_VALUES, USAGE_VALUES, AlertSettings, check_rule
from remsim.core.events import KINDS
from remsim.outbound.way import one_line
from remsim.telemetry.measures import SHOWN
from remsim.telemetry.rules.hours import ALWAYS, Hours
from remsim.telemetry.rules.rule import Rule, Value

UNITS = {"percent": "%", "celsius": "°C", "bits_per_s": "bit/s", "db": "dB", "dbm": "dBm", "ms": "ms", "mhz": "MHz"}
WORDS = {
    "state": "State",
    "registration": "Registration",
    "rat": "Technology",
    "mode": "Mode",
    "operator": "Operator",
    "plmn": "Network code",
    "sim_state": "SIM",
    "interface": "Interface",
    **ROUTER_VALUES,
    **USAGE_VALUES,
    "clock_set": "Clock is set",
}


def usable(settings: Iterable[AlertSettings]) -> list[AlertSettings]:
    """The rules that are in use and whose parts fit together; what is wrong with others was told with the file."""
    return [one for one in settings if one.enabled and is_sound(one)]


def is_sound(settings: AlertSettings) -> bool:
    """Whether its parts fit together."""
    try:
        check_rule(settings)
    except ValidationError:
        return False
    return True


def rule_of(settings: AlertSettings) -> Rule:
    """The part of a rule that is evaluated. Words of a reading come with its numbers; the state comes with events."""
    threshold = settings.threshold
    is_number = isinstance(threshold, float) and settings.source != "state"
    is_of_reading = settings.source == "state" and settings.measure != "state"
    return Rule(
        settings.name,
        "measure" if is_of_reading else settings.source,
        settings.measure,
        settings.comparison,
        threshold=threshold if isinstance(threshold, float) and is_number else 0.0,
        words=frozenset() if is_number or threshold is None else frozenset(words_of(threshold)),
        hysteresis=settings.hysteresis,
        for_s=settings.for_s,
        clear_for_s=settings.clear_for_s,
        window_s=settings.window_s,
        subject=ROUTER if settings.source == "router" else settings.modem,
        hours=hours_of(settings),
    )


def words_of(threshold: float | str) -> list[str]:
    """The words of a threshold; a number that stands where words do is one."""
    return [f"{threshold:g}"] if isinstance(threshold, float) else threshold.split(",")


def hours_of(settings: AlertSettings) -> Hours:
    """When it is looked at."""
    days = frozenset(list(DAYS).index(day) for day in settings.days)
    start, end = (minute_of(text) for text in (settings.from_time, settings.to_time))
    hours = Hours(days, start, end)
    return ALWAYS if hours.is_always else hours


def minute_of(text: str | None) -> int:
    """The minute of the day of ``HH:MM``; none is midnight."""
    hour, _, minute = (text or "00:00").partition(":")
    return int(hour) * 60 + int(minute)


def name_of(measure: str, source: str) -> str:
    """What a measure is called."""
    if source == "event":
        return KINDS.get(measure, measure)
    return SHOWN[measure].label if measure in SHOWN else WORDS.get(measure, measure)


def unit_of(measure: str, source: str) -> str:
    """The unit of a measure; empty when it has none."""
    if source in ("state", "event") or measure == "clock_set":
        return ""
    if measure in SHOWN:
        return SHOWN[measure].unit
    return next((unit for ending, unit in UNITS.items() if measure.endswith(f"_{ending}")), "")


def shown(value: Value, unit: str = "") -> str:
    """A value in words."""
    if value is None:
        return "unknown"
    if isinstance(value, str):
        text = one_line(value).replace("_", " ").replace(",", ", ")
    else:
        text = (f"{value:.6g}" if abs(value) < 1e6 else f"{value:.0f}").replace("-", "\N{MINUS SIGN}")
    return f"{text} {unit}" if unit else text


def duration(seconds: float) -> str:
    """A time in words: ``90 s``, ``5 min``, ``2 h``."""
    if seconds % 3600 == 0 and seconds:
        return f"{seconds / 3600:.0f} h"
    if seconds % 60 == 0 and seconds >= 120:
        return f"{seconds / 60:.0f} min"
    return f"{seconds:g} s"


def summary_of(settings: AlertSettings, alert: Alert) -> str:
    """One sentence: who, what, since when, and what the limit is."""
    who = alert.modem or "router"
    what = name_of(settings.measure, settings.source)
    unit = alert.unit
    limit = shown(settings.threshold, unit)
    value = shown(alert.value, unit)
    if settings.source == "event":
        text = f"{what}: {value} times in {duration(settings.window_s)}"
    elif settings.comparison == "absent":
        text = f"{what} is unknown"
    elif settings.comparison in ("above", "below"):
        text = f"{what} is {value}, {settings.comparison} {limit}"
    elif settings.comparison == "is":
        text = f"{what} is {value}"
    else:
        text = f"{what} is {value}, not {limit}"
    lasting = f" for {duration(settings.for_s)}" if settings.for_s else ""
    return f"{who}: {text}{lasting}"
