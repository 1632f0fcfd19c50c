"""What is known of a profile's plan: access point, end, usage and cost. It is the SIM plan of the page Usage."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from remsim.config.desk import ConfigDesk
from remsim.config.settings import Settings
from remsim.config.sims import SimSettings
from remsim.core.card import AccessPoint
from remsim.core.clock import Clock
from remsim.core.errors import NotFound
from remsim.telemetry.usage import Usage
from remsim.telemetry.usage_report import counted, cycle_of, day_at, plan_of, section_of

WARN_DAYS = 7


def has_plan(sim: str, settings: Settings) -> SimSettings | None:
    """The plan that somebody wrote down for a profile."""
    return next((plan for plan in settings.sims if plan.sim == sim), None)


def access_point_of(sim: str, settings: Settings) -> AccessPoint | None:
    """The access point of a profile's operator; None where nobody wrote it down."""
    plan = has_plan(sim, settings)
    if plan is None or not plan.apn:
        return None
    return AccessPoint(plan.apn, plan.pdp_type, plan.apn_auth, plan.apn_username, plan.apn_password or "")


def plan_view(sim: str, settings: Settings) -> dict[str, Any] | None:
    """A plan as the page has it, without its password."""
    plan = has_plan(sim, settings)
    if plan is None:
        return None
    return {
        "section": plan.section,
        "name": plan.name or None,
        "apn": plan.apn or None,
        "pdp_type": plan.pdp_type,
        "expires": plan.expires or None,
        "note": plan.note or None,
        "billing_day": plan.billing_day,
        "price_cycle": plan.price_cycle,
        "price_gb": plan.price_gb,
        "currency": plan.currency or None,
    }


def ending(card: Mapping[str, Any], settings: Settings, now: float) -> list[str]:
    """The plans of a card's enabled profiles that have ended, or do within days, in sentences."""
    found, today = [], day_at(now)
    for profile in card["profiles"]:
        plan = has_plan(profile["id"], settings)
        if profile["state"] != "enabled" or plan is None or not plan.expires:
            continue
        last = date.fromisoformat(plan.expires)
        if last < today:
            found.append(f"the plan of {profile['name']} ended on {plan.expires}")
        elif (last - today).days <= WARN_DAYS:
            found.append(f"the plan of {profile['name']} ends on {plan.expires}")
    return found


def usage_view(sim: str, settings: Settings, usage: Usage, clock: Clock) -> dict[str, Any] | None:
    """What a profile used in the cycle that runs, and what that costs; None of one that was never used here."""
    if usage.first_day(sim) is None:
        return None
    plan = plan_of(sim, settings.sims)
    today = day_at(clock.now())
    cycle = cycle_of(today, plan.billing_day)
    rows = usage.query(cycle.first.isoformat(), today.isoformat(), sim=sim, group=("sim",))
    used = sum(counted(plan, row["rx_bytes"], row["tx_bytes"]) for row in rows)
    return {
        "counted_bytes": used,
        "cap_bytes": plan.cap_bytes,
        "cost": plan.cost_of(used),
        "currency": plan.currency or None,
        "since": cycle.first.isoformat(),
    }


def keep_access_point(sim: str, apn: str, name: str, config: ConfigDesk, actor: str) -> None:
    """Write a profile's access point down in its plan, which is made where there is none."""
    section = section_of(sim)
    if section is None or not sim.startswith("sim-"):
        return
    try:
        values = dict(config.section("sim", section)["values"])
    except NotFound:
        values = {"name": name[:64]}
    config.put_section("sim", section, values | {"apn": apn}, actor)
