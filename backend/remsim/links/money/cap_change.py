"""What becomes of a link at its data cap that changes its eSIM profile: what is known, and what is done next. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from remsim.core.small_dataclass import dataclass

SETTLE_S = 60.0
"""A modem that says another card than expected for so long has been given it."""
GOING, AWAY, RETURNING, REFUSED, LEFT = "going", "away", "returning", "refused", "left"
STATES = (GOING, AWAY, RETURNING, REFUSED, LEFT)


@dataclass(frozen=True, slots=True)
class Change:
    """What has become of a link at its cap. ``home`` is the SIM that reached it at ``since``, ``home_name`` what it is
    called where that is known, ``to`` the profile for the rest of the cycle. Nothing is begun before ``not_before``.
    Times are the wall's."""

    home: str
    since: float
    state: str = GOING
    home_name: str = ""
    to: str = ""
    name: str = ""
    why: str = ""
    not_before: float = 0.0


@dataclass(frozen=True, slots=True)
class Seen:
    """How a link stands now. ``sim`` is the one that its modem has used for ``steady_s`` without a pause.

    ``is_used_up`` of that SIM, ``is_new_cycle`` of the one that reached its cap.
    """

    sim: str
    is_used_up: bool
    is_new_cycle: bool
    now: float
    steady_s: float = SETTLE_S


def next_step(change: Change | None, seen: Seen) -> str:
    """What is to be done while nothing is under way: ``go``, ``back``, ``arrived``, ``home``, ``left``, ``forget``, or
    nothing."""
    if change is None:
        return "go" if seen.is_used_up else ""
    is_home, is_there, is_steady = seen.sim == change.home, seen.sim == change.to, seen.steady_s >= SETTLE_S
    may_begin = seen.now >= change.not_before
    if change.state in (GOING, REFUSED):
        if is_there and (is_steady or change.state == GOING):
            return "arrived"
        if not is_home and not is_there and is_steady:
            return "forget"
        if change.state == GOING:
            return "failed"
        if is_home and (seen.is_new_cycle or not seen.is_used_up):
            return "forget"
        return "go" if is_home and may_begin else ""
    if change.state == LEFT:
        if seen.is_new_cycle:
            return "forget"
        return "go" if seen.is_used_up and not is_home and not is_there and is_steady else ""
    if is_there:
        return "failed" if change.state == RETURNING else "back" if seen.is_new_cycle and may_begin else ""
    if is_home and change.state == RETURNING:
        return "home"
    return ("forget" if seen.is_new_cycle else "left") if is_steady else ""


def change_of(found: Mapping[str, Any]) -> Change:
    """From the disk; ``ValueError`` or ``TypeError`` of another version's, or of a damaged file."""
    change = Change(**found)
    texts = (change.home, change.state, change.home_name, change.to, change.name, change.why)
    if change.state not in STATES or not all(isinstance(one, str) for one in texts):
        raise ValueError("it is no change of profiles")
    return replace(change, since=float(change.since), not_before=float(change.not_before))
