"""When profiles are switched by themselves: sections of type ``esim_rule`` of ``/etc/config/remsim_console``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from marshmallow import ValidationError, validates_schema

from remsim.config.alerting import DAYS, Seconds, TimeOfDay, told
from remsim.config.fields import Lines, Options, SectionType
from remsim.core.forms import Choice, Flag, Several, StrictNumber, Text, Whole
from remsim.core.small_dataclass import dataclass

MOST_RULES, MOST_COUNTRIES = 32, 64
PROFILE = r"(sim|aid)-[0-9a-f]{1,32}"
TOLD_PROFILE = "is not the id of a profile, like sim-1a2b3c4d"
WHENS = {
    "no_service": "There is no service",
    "signal": "A value of the connection is bad",
    "usage": "The profile in use has used so much of its cap",
    "cost": "The profile in use has cost so much",
    "country": "The network is of a country",
    "time": "It is within the hours",
    "unused": "The wanted profile has used less of its cap than",
}
MEASURES = {
    "rsrp_dbm": "RSRP below (dBm)",
    "rsrq_db": "RSRQ below (dB)",
    "sinr_db": "SINR below (dB)",
    "quality_percent": "Quality below (%)",
    "latency_ms": "Latency above (ms)",
    "loss_percent": "Loss above (%)",
}
GROWING = ("latency_ms", "loss_percent")
"""Measures that are bad when they are high."""
LIMITED = ("signal", "usage", "cost", "unused")
FIELDS_OF: Mapping[str, tuple[str, ...]] = {
    "no_service": ("for_s",),
    "signal": ("measure", "threshold", "hysteresis", "for_s"),
    "usage": ("threshold", "for_s"),
    "cost": ("threshold", "for_s"),
    "country": ("countries", "abroad", "for_s"),
    "time": (),
    "unused": ("threshold", "for_s"),
}
"""Which fields count for which reason, besides those of every rule."""


@dataclass(frozen=True, slots=True)
class EsimRuleSettings:
    """One rule: when a modem is switched to which profile. Times in seconds; the lowest ``priority`` comes first.

    ``only_from`` is the profile that must be in use, empty: any other; ``minutes`` what the network has to take the new
    one before the way back, None: as after every switch.
    """

    name: str
    label: str = ""
    enabled: bool = True
    priority: int = 50
    modem: str = ""
    profile: str = ""
    only_from: str = ""
    when: str = "no_service"
    measure: str = "rsrp_dbm"
    threshold: float | None = None
    hysteresis: float = 3.0
    for_s: float = 300.0
    countries: tuple[str, ...] = ()
    abroad: bool = False
    days: tuple[str, ...] = ()
    from_time: str | None = None
    to_time: str | None = None
    cooldown_s: float = 3600.0
    most_per_day: int = 4
    minutes: int | None = None
    only_tell: bool = False

    def as_dict(self) -> dict[str, Any]:
        """The object of the API."""
        made: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        listed = {"days": list(self.days), "countries": list(self.countries)}
        return made | listed | {"label": self.label or self.name}


def check_country(text: str) -> None:
    """A mobile country code."""
    if not re.fullmatch(r"[2-7][0-9]{2}|001|901|999", text, re.ASCII):
        raise ValidationError("is not a mobile country code like 262")


class EsimRuleOptions(Options):
    """Sections of type ``esim_rule``."""

    label = Text(0, 80, metadata=told("Name", "How you and the log call this rule."))
    enabled = Flag(metadata=told("In use"))
    priority = Whole(1, 100, metadata=told("Priority", "The lowest number is looked at first."))
    modem = Text(
        1, 64, pattern=r"[A-Za-z0-9_.-]+", told="is not a modem's id", required=True, metadata=told("Modem")
    )
    profile = Text(1, 40, pattern=PROFILE, told=TOLD_PROFILE, required=True, metadata=told("Switch to"))
    only_from = Text(
        0,
        40,
        pattern=PROFILE,
        told=TOLD_PROFILE,
        metadata=told("Only from the profile", "Empty: whichever profile is in use."),
    )
    when = Choice(WHENS, metadata=told("When"))
    measure = Choice(MEASURES, metadata=told("Which"))
    threshold = StrictNumber(
        -200, 1e9, allow_none=True, metadata=told("Limit", "Usage in percent of the cap, cost in the plan's currency.")
    )
    hysteresis = StrictNumber(
        0, 1000, metadata=told("Hysteresis", "It is well again only this much beyond the limit.", advanced=True)
    )
    for_s = Seconds(metadata=told("For", "It must be so for this long.", unit="s"))
    countries = Lines(
        check_country, MOST_COUNTRIES, metadata=told("Countries", "Mobile country codes, one a line: 262 is Germany.")
    )
    abroad = Flag(metadata=told("Of any other country than these"))
    days = Several(DAYS, metadata=told("Days", "None chosen: every day."))
    from_time = TimeOfDay(metadata=told("From", "The router's time; the rule sleeps otherwise."))
    to_time = TimeOfDay(metadata=told("Until", "May be after midnight."))
    cooldown_s = StrictNumber(
        60, 7 * 86400, metadata=told("Rest", "After any switch of the modem, also one by hand.", unit="s")
    )
    most_per_day = Whole(1, 48, metadata=told("At most a day", "Switches of this rule in 24 hours, failed ones too."))
    minutes = Whole(
        1,
        60,
        allow_none=True,
        metadata=told("Wait for the network", "Then back to the profile from before.", unit="min", advanced=True),
    )
    only_tell = Flag(metadata=told("Only write down what it would do"))

    @validates_schema
    def fits_together(self, data: Mapping[str, Any], **kwargs: Any) -> None:
        """What the reason needs."""
        check_rule(EsimRuleSettings(**{"name": "rule", **data}))


def check_rule(rule: EsimRuleSettings) -> None:
    """``ValidationError`` with the field's name when the parts of a rule do not fit together."""
    if rule.when in LIMITED and rule.threshold is None:
        raise ValidationError("is needed", "threshold")
    if rule.when in ("usage", "cost", "unused") and rule.threshold is not None and rule.threshold < 0:
        raise ValidationError("is below zero", "threshold")
    if rule.when == "country" and not rule.countries:
        raise ValidationError("is needed", "countries")
    if rule.when == "time" and not rule.days and (rule.from_time or "") == (rule.to_time or ""):
        raise ValidationError("hours or days are needed", "from_time")
    if bool(rule.from_time) != bool(rule.to_time):
        raise ValidationError("both ends are needed, or none", "to_time" if rule.from_time else "from_time")
    if rule.only_from and rule.only_from == rule.profile:
        raise ValidationError("is the profile to switch to", "only_from")


def wrong_with(rule: EsimRuleSettings) -> str | None:
    """Why a rule of a file that somebody edited cannot be heeded; None when it can."""
    try:
        check_rule(rule)
    except ValidationError as error:
        return f"{error.field_name} {error.messages[0]}"
    return None


def rule_of(**values: Any) -> EsimRuleSettings:
    """A rule of a section's values; empty texts are none."""
    listed: dict[str, Any] = {name: tuple(values[name]) for name in ("days", "countries") if name in values}
    empty: dict[str, Any] = {name: values[name] or None for name in ("from_time", "to_time") if name in values}
    return EsimRuleSettings(**{**values, **listed, **empty})


ESIM_RULE = SectionType(
    "esim_rule", EsimRuleOptions, rule_of, "esim_rules", "Rules that switch eSIM profiles", many=True,
    named_by="name", most=MOST_RULES, page="esim", live=True,
)  # fmt: skip
