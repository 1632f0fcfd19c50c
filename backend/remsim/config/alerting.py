"""Alert rules: sections of type ``alert`` of ``/etc/config/remsim_console``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from marshmallow import ValidationError, validates_schema
from marshmallow import fields as ma

from remsim.config.fields import Lines, Options, SectionType
from remsim.core.events import KINDS
from remsim.core.forms import Choice, Flag, Several, StrictNumber, Text
from remsim.core.reading import STATES, ModemReading
from remsim.core.small_dataclass import dataclass

NAME = r"[A-Za-z0-9_]{1,32}"
MOST_RULES, MOST_CHANNELS = 500, 16
LONGEST_WAIT_S = 7 * 86400
DAYS = {
    "mon": "Monday",
    "tue": "Tuesday",
    "wed": "Wednesday",
    "thu": "Thursday",
    "fri": "Friday",
    "sat": "Saturday",
    "sun": "Sunday",
}
SEVERITIES = {"info": "Info", "warning": "Warning", "critical": "Critical"}
"""From the least to the worst."""
SOURCES = {
    "measure": "A value of a modem",
    "state": "A state of a modem",
    "event": "Events, counted",
    "usage": "Data used of a SIM's cap",
    "router": "The router itself",
}
COMPARISONS = {
    "above": "is above",
    "below": "is below",
    "is": "is",
    "is_not": "is not",
    "count_at_least": "happens at least so often",
    "absent": "is not known",
}
COMPARISONS_OF = {
    "measure": ("above", "below", "is", "is_not", "absent"),
    "state": ("is", "is_not", "absent"),
    "event": ("count_at_least",),
    "usage": ("above", "below"),
    "router": ("above", "below", "is", "is_not", "absent"),
}
NUMBERS: dict[str, str] = {
    one.name: one.name for one in fields(ModemReading) if "float" in str(one.type) or "int" in str(one.type)
} | {"quality_percent": "quality_percent"}
"""Numeric fields of a reading, and what is derived of them."""
del NUMBERS["at"]
TEXTS = ("state", "registration", "rat", "mode", "operator", "plmn", "sim_state", "interface")
"""Fields of a reading that are words."""
ROUTER_VALUES = {
    "flash_free_percent": "Free space where the state is kept (flash)",
    "data_free_percent": "Free space where the series are kept",
    "memory_free_percent": "Free memory",
    "load_percent": "Load of the last minute, of all cores",
    "clock_set": "Whether the clock is set (yes or no)",
}
USAGE_VALUES = {"cap_percent": "Data used, in percent of the SIM's cap"}
UNCOUNTED = ("alert",)
"""Kinds of events that no rule counts: they come of rules."""
EVENTS = {kind: told for kind, told in KINDS.items() if kind not in UNCOUNTED}


@dataclass(frozen=True, slots=True)
class AlertSettings:
    """One rule: when something is an alert, and who hears of it. Times in seconds; ``channels`` empty: all.

    ``threshold`` is a number or, of words, those that count, parted by commas.
    """

    name: str
    label: str = ""
    enabled: bool = True
    source: str = "measure"
    measure: str = "rsrp_dbm"
    modem: str | None = None
    comparison: str = "below"
    threshold: float | str | None = None
    hysteresis: float = 0.0
    for_s: float = 0.0
    clear_for_s: float = 0.0
    window_s: float = 600.0
    severity: str = "warning"
    days: tuple[str, ...] = ()
    from_time: str | None = None
    to_time: str | None = None
    channels: tuple[str, ...] = ()
    repeat_s: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """The object of the API."""
        made: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        return made | {"label": self.label or self.name, "days": list(self.days), "channels": list(self.channels)}


class Threshold(ma.Field[float | str]):
    """A number of either sign, or words parted by commas."""

    json = {"type": ["number", "string", "null"], "maxLength": 200}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float | str:
        if isinstance(value, str) and re.fullmatch(r"[-−]?\d{1,15}(\.\d{1,6})?", value.strip(), re.ASCII):
            value = float(value.strip().replace("−", "-"))
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e16:
            return float(value)
        if isinstance(value, str) and 0 < len(value) <= 200 and value.isprintable():
            words = [word.strip() for word in value.split(",")]
            if all(words):
                return ",".join(dict.fromkeys(words))
        raise ValidationError("is neither a number nor words parted by commas")


def check_name(text: str) -> None:
    """A section's name."""
    if not re.fullmatch(NAME, text, re.ASCII):
        raise ValidationError("is not a name of up to 32 letters, digits and _")


def told(label: str, help: str = "", **more: Any) -> dict[str, Any]:
    """What a form says of a field."""
    return {"label": label, **({"help": help} if help else {}), **more}


def TimeOfDay(**kwargs: Any) -> Text:
    """``HH:MM`` of the router's clock on the wall; empty is none."""
    return Text(0, 5, pattern="([01][0-9]|2[0-3]):[0-5][0-9]", told="is not a time like 07:30", **kwargs)


def Seconds(**kwargs: Any) -> StrictNumber:
    """A time of up to a week."""
    return StrictNumber(0, LONGEST_WAIT_S, **kwargs)


class AlertOptions(Options):
    """Sections of type ``alert``."""

    label = Text(0, 80, metadata=told("Name", "How you and the messages call this rule."))
    enabled = Flag(metadata=told("In use"))
    source = Choice(SOURCES, metadata=told("Looks at"))
    measure = Text(1, 64, pattern="[a-z0-9_]+", metadata=told("Which", "A value, a state, a kind of event."))
    modem = Text(0, 64, pattern=r"[A-Za-z0-9_.-]*", metadata=told("Modem", "Empty: each of them on its own."))
    comparison = Choice(COMPARISONS, metadata=told("Alert when it"))
    threshold = Threshold(allow_none=True, metadata=told("Limit", "A number; of a state, words parted by commas."))
    hysteresis = StrictNumber(
        0, 1e6, metadata=told("Hysteresis", "It ends only this much beyond the limit, so that it does not flutter.")
    )
    for_s = Seconds(metadata=told("For", "It must be so for this long.", unit="s"))
    clear_for_s = Seconds(metadata=told("Over after", "It must be well for this long to end.", unit="s", advanced=True))
    window_s = StrictNumber(1, LONGEST_WAIT_S, metadata=told("Count within", "Of events only.", unit="s"))
    severity = Choice(SEVERITIES, metadata=told("Severity"))
    days = Several(DAYS, metadata=told("Days", "None chosen: every day.", advanced=True))
    from_time = TimeOfDay(metadata=told("From", "The router's time; the rule sleeps otherwise.", advanced=True))
    to_time = TimeOfDay(metadata=told("Until", "May be after midnight.", advanced=True))
    channels = Lines(check_name, MOST_CHANNELS, metadata=told("Tell by", "No channel chosen: all of them."))
    repeat_s = Seconds(
        metadata=told("Tell again every", "Until it ends or somebody has acknowledged it; 0: never.", unit="s")
    )

    @validates_schema
    def fits_together(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        """What the source has, and what can be asked of it."""
        check_rule(AlertSettings(**{"name": "rule", **data}))


def check_rule(rule: AlertSettings) -> None:
    """``ValidationError`` with the field's name when the parts of a rule do not fit together."""
    if rule.measure not in measures_of(rule.source):
        raise ValidationError(f"{rule.measure[:40]!r} is nothing this source has", "measure")
    if rule.comparison not in COMPARISONS_OF[rule.source]:
        words = ", ".join(COMPARISONS_OF[rule.source])
        raise ValidationError(f"{rule.comparison} cannot be asked of this source; one of: {words}", "comparison")
    if rule.comparison == "absent":
        return
    if rule.threshold is None:
        raise ValidationError("is needed", "threshold")
    if rule.source == "state" or rule.measure == "clock_set":
        if rule.comparison not in ("is", "is_not"):
            raise ValidationError("of words: is, is_not or absent", "comparison")
        check_words(rule.measure, str(rule.threshold))
    elif not isinstance(rule.threshold, float):
        raise ValidationError("is not a number", "threshold")
    elif rule.source == "event" and (not 1 <= rule.threshold <= 1000 or rule.threshold % 1):
        raise ValidationError("is not a whole number from 1 to 1000", "threshold")


def check_words(measure: str, threshold: str) -> None:
    """States are of a known set, so a typo is told."""
    known = {"state": tuple(STATES), "clock_set": ("yes", "no")}.get(measure)
    for word in threshold.split(","):
        if known is not None and word not in known:
            raise ValidationError(f"{word[:40]!r} is not one of: {', '.join(known)}", "threshold")


def measures_of(source: str) -> Mapping[str, str]:
    """What a source has, with words for it."""
    return {
        "measure": NUMBERS,
        "state": {name: name for name in TEXTS},
        "event": EVENTS,
        "usage": USAGE_VALUES,
        "router": ROUTER_VALUES,
    }[source]


def alert_of(**values: Any) -> AlertSettings:
    """A rule of a section's values; empty texts are none."""
    listed: dict[str, Any] = {name: tuple(values[name]) for name in ("days", "channels") if name in values}
    empty: dict[str, Any] = {name: values[name] or None for name in ("modem", "from_time", "to_time") if name in values}
    return AlertSettings(**{**values, **listed, **empty})


ALERT = SectionType(
    "alert", AlertOptions, alert_of, "alerts", "Alert rules", many=True, named_by="name", most=MOST_RULES,
    page="alerts", live=True,
)  # fmt: skip
