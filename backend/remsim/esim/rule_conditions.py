"""What rules of eSIM look at, in the terms of the evaluation that alerts use, and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.config.alerting import DAYS
from remsim.config.esim_rules import GROWING, MEASURES, EsimRuleSettings
from remsim.core.clock import FIRST_TRUSTED
from remsim.core.reading import ModemReading
from remsim.telemetry.quality import quality_of
from remsim.telemetry.rules.hours import ALWAYS, Hours
from remsim.telemetry.rules.rule import Rule, Value

SOURCE = "esim"
LEAVING = ("no_service", "signal", "usage", "cost")
"""Reasons to leave the profile in use; the others are reasons to be on the wanted one, and keep it there."""
WITHOUT_SERVICE = ("searching", "denied", "limited")
"""States of a modem that has a card and asks the networks in vain. Of others (off, gone, no card) nothing is known."""
WITH_SERVICE = "online"
UNITS = {
    "rsrp_dbm": "dBm",
    "rsrq_db": "dB",
    "sinr_db": "dB",
    "quality_percent": "%",
    "latency_ms": "ms",
    "loss_percent": "%",
    "used_percent": "%",
    "unused": "%",
}
JUST = 1e-6
"""A limit that is reached counts, and the evaluation knows only beyond."""


def condition_of(rule: EsimRuleSettings) -> Rule:
    """A rule as the evaluation takes it."""
    comparison, threshold, words, hysteresis = "is", 0.0, frozenset[str](), 0.0
    limit = rule.threshold or 0.0
    if rule.when == "no_service":
        words = frozenset({"no"})
    elif rule.when == "signal":
        comparison = "above" if rule.measure in GROWING else "below"
        threshold, hysteresis = limit, rule.hysteresis
    elif rule.when in ("usage", "cost"):
        comparison, threshold = "above", limit - JUST
    elif rule.when == "unused":
        comparison, threshold = "below", limit
    elif rule.when == "country":
        comparison, words = "is_not" if rule.abroad else "is", frozenset(rule.countries)
    else:
        words = frozenset({"set"})
    return Rule(
        rule.name,
        SOURCE,
        measure_of(rule),
        comparison,
        threshold=threshold,
        words=words,
        hysteresis=hysteresis,
        for_s=0.0 if rule.when == "time" else rule.for_s,
        subject=rule.modem,
        hours=hours_of(rule),
    )


def measure_of(rule: EsimRuleSettings) -> str:
    """The name of the value a rule looks at."""
    of_profile = f"unused {rule.profile}"
    names = {"no_service": "service", "usage": "used_percent", "country": "mcc", "time": "clock", "unused": of_profile}
    return rule.measure if rule.when == "signal" else names.get(rule.when, rule.when)


def hours_of(rule: EsimRuleSettings) -> Hours:
    """When a rule is awake."""
    days = frozenset(number for number, name in enumerate(DAYS) if name in rule.days)
    if not days and not rule.from_time:
        return ALWAYS
    return Hours(days, minute_of(rule.from_time), minute_of(rule.to_time))


def minute_of(text: str | None) -> int:
    """The minute of the day of ``07:30``."""
    hours, _, minutes = (text or "0:0").partition(":")
    return int(hours) * 60 + int(minutes)


def values_of(reading: ModemReading) -> dict[str, Value]:
    """What a reading says to rules; what it does not say is None."""
    found: dict[str, Value] = {name: getattr(reading, name, None) for name in MEASURES}
    found["quality_percent"] = quality_of(reading)
    found["mcc"] = reading.plmn[:3] if reading.plmn else None
    if reading.state is not None:
        found["service"] = service_of(reading.state)
    return found


def service_of(state: str) -> str | None:
    """Whether a modem in that state has service."""
    return "yes" if state == WITH_SERVICE else "no" if state in WITHOUT_SERVICE else None


def clock_value(wall: float) -> str | None:
    """Whether hours can be told by the clock."""
    return "set" if wall >= FIRST_TRUSTED else None


def plan_values(view: Mapping[str, Any] | None) -> dict[str, Value]:
    """What is known of the profile in use; ``view`` is its usage as the page has it."""
    return {"used_percent": percent_of(view), "cost": None if view is None else view["cost"]}


def percent_of(view: Mapping[str, Any] | None) -> float | None:
    """What a profile has used of its cap; None without one."""
    if view is None or not view["cap_bytes"]:
        return None
    return round(100 * float(view["counted_bytes"]) / float(view["cap_bytes"]), 2)


def told(rule: EsimRuleSettings, value: Value, currency: str | None = None) -> str:
    """What is so, in words: ``no service``, ``rsrp_dbm -121 dBm``."""
    if value is None:
        return "nothing is known of it"
    if rule.when == "no_service":
        return "there is no service" if value == "no" else "there is service"
    if rule.when == "signal":
        return f"{MEASURES[rule.measure].partition(' ')[0]} is {shown(value, UNITS[rule.measure])}"
    if rule.when == "usage":
        return f"{shown(value, '%')} of the cap are used"
    if rule.when == "cost":
        return f"it has cost {shown(value, currency or '')}".rstrip()
    if rule.when == "unused":
        return f"the wanted profile has used {shown(value, '%')} of its cap"
    if rule.when == "country":
        return f"the network is of country {value}"
    return "these are its hours"


def shown(value: Value, unit: str) -> str:
    """A value with its unit."""
    number = f"{value:g}" if isinstance(value, int | float) else str(value)
    return f"{number} %" if unit == "%" else f"{number} {unit}"


def duration(seconds: float) -> str:
    """A time in words: ``90 s``, ``5 min``, ``2 h``."""
    whole = round(seconds)
    if whole >= 7200 or (whole >= 3600 and whole % 3600 == 0):
        return f"{whole / 3600:.1f} h".replace(".0 ", " ")
    return f"{round(whole / 60)} min" if whole >= 120 else f"{whole} s"
