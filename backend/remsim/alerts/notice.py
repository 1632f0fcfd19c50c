"""What a channel tells: one or several alerts at once, in words and as data."""

from __future__ import annotations

from typing import Any

from remsim.alerts.alert import SEVERITY_RANK
from remsim.core.clock import iso_utc
from remsim.core.small_dataclass import dataclass
from remsim.outbound.way import one_line

TRIAL_ID = "0"


@dataclass(frozen=True, slots=True)
class Notice:
    """Alerts as JSON has them, the router that tells of them, and when (epoch seconds)."""

    alerts: tuple[dict[str, Any], ...]
    router: str
    at: float

    @property
    def status(self) -> str:
        """``firing`` while any is."""
        return "firing" if any(one["state"] == "firing" for one in self.alerts) else "resolved"

    @property
    def severity(self) -> str:
        """The worst of those that fire, or of all when none does."""
        firing = [one for one in self.alerts if one["state"] == "firing"] or list(self.alerts)
        return max((str(one["severity"]) for one in firing), key=SEVERITY_RANK.__getitem__)

    @property
    def title(self) -> str:
        """One line."""
        if len(self.alerts) == 1:
            only = self.alerts[0]
            return one_line(f"[{self.router}] {'' if only['state'] == 'firing' else 'Over: '}{only['label']}")
        firing = sum(one["state"] == "firing" for one in self.alerts)
        over = len(self.alerts) - firing
        parts = [f"{firing} alerts" if firing != 1 else "1 alert"] if firing else []
        parts += [f"{over} over"] if over else []
        return f"[{self.router}] {', '.join(parts)}"

    @property
    def lines(self) -> list[str]:
        """One sentence an alert, with its times."""
        return [line_of(one) for one in self.alerts]

    def as_dict(self) -> dict[str, Any]:
        """All of it as JSON."""
        return {"status": self.status, "router": self.router, "at": iso_utc(self.at), "alerts": list(self.alerts)}


def line_of(alert: dict[str, Any]) -> str:
    """An alert in a sentence."""
    return one_line(sentence_of(alert))


def sentence_of(alert: dict[str, Any]) -> str:
    """The same, as its parts are."""
    if alert["state"] == "firing":
        return f"{alert['severity'].upper()} {alert['label']}: {alert['summary']} (since {alert['since']})"
    reason = f", {alert['reason']}" if alert.get("reason") else ""
    begun, over = alert["fired_at"] or alert["since"], alert["resolved_at"]
    return f"OVER {alert['label']}: {alert['summary']} (from {begun} to {over}{reason})"


def trial_notice(router: str, at: float) -> Notice:
    """What the test button sends."""
    when = iso_utc(at)
    alert = {
        "id": TRIAL_ID,
        "rule": "test",
        "label": "Test",
        "modem": None,
        "severity": "info",
        "state": "firing",
        "since": when,
        "fired_at": when,
        "resolved_at": None,
        "value": None,
        "peak": None,
        "threshold": None,
        "unit": "",
        "source": "",
        "measure": "",
        "summary": f"this is a test of remsim on {router}; nothing is wrong",
        "reason": None,
    }
    return Notice((alert,), router, at)
