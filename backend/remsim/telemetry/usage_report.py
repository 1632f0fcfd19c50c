"""What a SIM has used in a billing cycle, of its cap, and what it will have used in the end.

A cycle begins on the SIM's billing day (the last day of a shorter month) and is named after the month it begins in.
Days are days of UTC, as usage is kept; a provider who counts in its own zone may be some hours off at the ends.

Projection: used so far + mean of the last full days (seven at most, since the SIM was first seen) × the days left,
today's rest included. Before the first full day there is none.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

from remsim.config.sims import SimSettings
from remsim.core.small_dataclass import dataclass
from remsim.telemetry.usage import UNKNOWN_SIM, Usage

MEAN_DAYS = 7
DAY = timedelta(days=1)
DAY_S = 86400
PROJECTION = "used so far + mean of the last %d full days × %.1f days left"


@dataclass(frozen=True, slots=True)
class Cycle:
    """A billing cycle: its first and its last day, both in it."""

    first: date
    last: date

    @property
    def month(self) -> str:
        """Its name: the month it begins in, ``YYYY-MM``."""
        return f"{self.first:%Y-%m}"

    @property
    def days(self) -> int:
        """How many it has."""
        return (self.last - self.first).days + 1

    def days_left(self, now: float) -> float | None:
        """Days until its end, with parts of them; None when it is over or has not begun."""
        left = (midnight(self.last + DAY) - now) / DAY_S
        return left if 0 < left <= self.days else None


def cycle_in(year: int, month: int, billing_day: int) -> Cycle:
    """The cycle that begins in a month."""
    following = (year, month + 1) if month < 12 else (year + 1, 1)
    return Cycle(billing_date(year, month, billing_day), billing_date(*following, billing_day) - DAY)


def cycle_of(day: date, billing_day: int) -> Cycle:
    """The cycle that a day is in."""
    if day >= billing_date(day.year, day.month, billing_day):
        return cycle_in(day.year, day.month, billing_day)
    before = (day.year, day.month - 1) if day.month > 1 else (day.year - 1, 12)
    return cycle_in(*before, billing_day)


def billing_date(year: int, month: int, billing_day: int) -> date:
    """The billing day in a month: its last day where the month is shorter."""
    return date(year, month, min(billing_day, monthrange(year, month)[1]))


def midnight(day: date) -> float:
    """The beginning of a day of UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


def day_at(now: float) -> date:
    """The day (UTC) of a time."""
    return datetime.fromtimestamp(now, UTC).date()


def plan_of(sim: str, plans: Iterable[SimSettings]) -> SimSettings:
    """A SIM's plan; one without a section has no cap and is counted by months."""
    return next((plan for plan in plans if plan.sim == sim), SimSettings(section_of(sim) or ""))


def section_of(sim: str) -> str | None:
    """The name of a SIM's section; None of usage whose SIM is not known."""
    return None if sim == UNKNOWN_SIM else sim.replace("-", "_")


def counted(plan: SimSettings, rx_bytes: int, tx_bytes: int) -> int:
    """The bytes that count against the cap."""
    return rx_bytes if plan.counts == "rx" else rx_bytes + tx_bytes


def sim_report(usage: Usage, sim: str, plan: SimSettings, cycle: Cycle, now: float) -> dict[str, Any]:
    """One SIM's cycle as the API has it; bytes are None when it was not seen before the cycle's end."""
    today = day_at(now)
    rows = usage.query(cycle.first.isoformat(), cycle.last.isoformat(), sim=sim)
    seen = usage.first_day(sim)
    is_known = seen is not None and seen <= cycle.last.isoformat() and cycle.first <= today
    rx_bytes, tx_bytes = (sum(row[name] for row in rows) if is_known else None for name in ("rx_bytes", "tx_bytes"))
    used = None if rx_bytes is None or tx_bytes is None else counted(plan, rx_bytes, tx_bytes)
    days_left = cycle.days_left(now)
    rate = mean_of_full_days(usage, sim, plan, today, seen) if days_left is not None and is_known else None
    projected = round(used + rate[0] * days_left) if used is not None and rate and days_left is not None else None
    cap = plan.cap_bytes
    per_day = grouped(rows, ("day",))
    return {
        "sim": sim,
        "section": section_of(sim),
        "name": plan.name,
        "note": plan.note,
        "billing_day": plan.billing_day,
        "counts": plan.counts,
        "month": cycle.month,
        "from": cycle.first.isoformat(),
        "to": cycle.last.isoformat(),
        "days": cycle.days,
        "days_left": None if days_left is None else round(days_left, 2),
        "rx_bytes": rx_bytes,
        "tx_bytes": tx_bytes,
        "used_bytes": used,
        "cap_bytes": cap,
        "used_percent": None if used is None or cap is None else round(100 * used / cap, 1),
        "projected_bytes": projected,
        "projection": PROJECTION % (rate[1], days_left) if rate and projected is not None else None,
        "cost": plan.cost_of(used),
        "projected_cost": None if projected is None else plan.cost_of(projected),
        "currency": plan.currency,
        "today": today_of(per_day, today) if days_left is not None else None,
        "per_day": per_day,
        "per_place": grouped(rows, ("modem", "interface")),
    }


def mean_of_full_days(
    usage: Usage, sim: str, plan: SimSettings, today: date, seen: str | None
) -> tuple[float, int] | None:
    """Counted bytes a day of the last full days, and how many these are; None before the first.

    The day a SIM was first seen is no full one.
    """
    if seen is None:
        return None
    first = max(today - MEAN_DAYS * DAY, date.fromisoformat(seen) + DAY)
    days = (today - first).days
    if days < 1:
        return None
    rows = usage.query(first.isoformat(), (today - DAY).isoformat(), sim=sim)
    return sum(counted(plan, row["rx_bytes"], row["tx_bytes"]) for row in rows) / days, days


def today_of(per_day: Iterable[Mapping[str, Any]], today: date) -> dict[str, int]:
    """What today has so far."""
    for row in per_day:
        if row["day"] == today.isoformat():
            return {"rx_bytes": row["rx_bytes"], "tx_bytes": row["tx_bytes"]}
    return {"rx_bytes": 0, "tx_bytes": 0}


def grouped(rows: Iterable[Mapping[str, Any]], names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Rows summed over all but some of their names."""
    sums: dict[tuple[str, ...], list[int]] = {}
    for row in rows:
        total = sums.setdefault(tuple(row[name] for name in names), [0, 0])
        total[0] += row["rx_bytes"]
        total[1] += row["tx_bytes"]
    return [dict(zip((*names, "rx_bytes", "tx_bytes"), (*key, *sums[key]), strict=True)) for key in sorted(sums)]


def cap_percents(usage: Usage, plans: Iterable[SimSettings], now: float) -> dict[str, float]:
    """What each SIM that has a cap has used of it in the cycle that runs now, in percent."""
    today = day_at(now)
    found = {}
    for plan in plans:
        cap = plan.cap_bytes
        if cap is None:
            continue
        cycle = cycle_of(today, plan.billing_day)
        rows = usage.query(cycle.first.isoformat(), today.isoformat(), sim=plan.sim, group=("sim",))
        used = sum(counted(plan, row["rx_bytes"], row["tx_bytes"]) for row in rows)
        found[plan.sim] = round(100 * used / cap, 2)
    return found
