"""One alert: a rule that is a matter for somebody (a modem, or the router itself), from its beginning to its end."""

from __future__ import annotations

from dataclasses import field, fields
from typing import Any

from remsim.core.clock import iso_utc
from remsim.core.small_dataclass import dataclass
from remsim.telemetry.rules.rule import Value

ROUTER = "remsim"
"""The subject of what concerns the router itself; as JSON the modem is null."""
SEVERITY_RANK = {"info": 0, "warning": 1, "critical": 2}


@dataclass(slots=True)
class Alert:
    """What is told of it. Times are epoch seconds; ``told`` are the channels that heard of its firing; ``condition``
    tells whether its rule is still the one it began with.

    ``silenced_by`` is the silence in force, ``reason`` what ended it when not the value did.
    """

    id: int
    rule: str
    subject: str
    label: str
    severity: str
    state: str
    since: float
    condition: str = ""
    fired_at: float | None = None
    resolved_at: float | None = None
    value: Value = None
    peak: Value = None
    threshold: Value = None
    unit: str = ""
    source: str = ""
    measure: str = ""
    summary: str = ""
    reason: str | None = None
    acknowledged_by: str | None = None
    acknowledged_at: float | None = None
    silenced_by: int | None = None
    told: list[str] = field(default_factory=list)
    last_notification: dict[str, Any] | None = None

    @property
    def modem(self) -> str | None:
        """The modem it is about, if any."""
        return None if self.subject == ROUTER else self.subject

    @property
    def is_active(self) -> bool:
        """Whether it is not over."""
        return self.state != "resolved"

    def as_dict(self) -> dict[str, Any]:
        """The object of the API and of the stream."""
        return {
            "id": str(self.id),
            "rule": self.rule,
            "label": self.label,
            "modem": self.modem,
            "severity": self.severity,
            "state": self.state,
            "since": iso_utc(self.since),
            "fired_at": iso_or_none(self.fired_at),
            "resolved_at": iso_or_none(self.resolved_at),
            "value": self.value,
            "peak": self.peak,
            "threshold": self.threshold,
            "unit": self.unit,
            "source": self.source,
            "measure": self.measure,
            "summary": self.summary,
            "reason": self.reason,
            "acknowledged_by": self.acknowledged_by,
            "acknowledged_at": iso_or_none(self.acknowledged_at),
            "silenced_by": self.silenced_by,
            "last_notification": self.last_notification,
        }

    def as_row(self) -> dict[str, Any]:
        """All of it, for the file."""
        return {name: getattr(self, name) for name in STORED}

    @classmethod
    def of_row(cls, row: dict[str, Any]) -> Alert:
        """An alert of the file; ``TypeError`` when it is none."""
        return cls(**{name: row[name] for name in STORED if name in row})


STORED = tuple(one.name for one in fields(Alert))


@dataclass(frozen=True, slots=True)
class AlertUpdate:
    """An alert moved on; ``alert`` is its object at that moment."""

    alert: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody is told of what it covers until then. ``rule`` or ``modem`` None: any; the router itself is no modem."""

    id: int
    rule: str | None
    modem: str | None
    until: float
    comment: str
    by: str

    def covers(self, alert: Alert) -> bool:
        """Whether an alert is one of those."""
        return self.rule in (None, alert.rule) and self.modem in (None, alert.subject)

    def as_dict(self) -> dict[str, Any]:
        """The object of the API."""
        return {
            "id": self.id,
            "rule": self.rule,
            "modem": self.modem,
            "until": iso_utc(self.until),
            "comment": self.comment,
            "by": self.by,
        }


def iso_or_none(at: float | None) -> str | None:
    """A time as JSON has it."""
    return None if at is None else iso_utc(at)
