"""Enabling a profile so that the modem works with it.

How cards and modems take an enable differs (facts from reports about modems and removable cards): the refresh flag
makes most modems read the card anew; some cards refuse it, then the modem is told to; a card that is busy is asked
again, and the modem restarted at last. A port that is lost after the command says nothing of whether it was done.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from dataclasses import asdict, field
from typing import TYPE_CHECKING

from remsim.core.card import AccessPoint, is_same_card
from remsim.core.errors import ModemError, NotFound, RemsimError
from remsim.core.jobs import Job
from remsim.core.small_dataclass import dataclass
from remsim.esim.cards import name_of
from remsim.esim.errors import EsimError
from remsim.esim.room import Room

if TYPE_CHECKING:
    from remsim.esim.es10.profiles import Profile
    from remsim.esim.holder import Holder

log = logging.getLogger(__name__)

BUSY_WAITS_S = (2.0, 3.0, 5.0)
BACK_S, LOOK_S = 120.0, 2.0
"""A modem that restarts comes back within that time."""
SEEN_S, SLICE_S = 20.0, 2.0
"""A modem that acts on the card's refresh has read it by then; how often that is looked at."""


@dataclass(frozen=True, slots=True)
class Enabled:
    """A profile by what a card knows it by, and what the operator wants."""

    iccid: str | None
    raw: str | None
    aid: str | None
    name: str
    access_point: dict[str, str] | None = field(default=None, repr=False)


class Enabling:
    """``wait(job, seconds)`` waits where an abort would leave a mess."""

    def __init__(self, room: Room, wait: Callable[[Job, float], None] = Job.sleep) -> None:
        self._room = room
        self.wait = wait

    def bring_in(self, job: Job, holder: Holder, wanted: Enabled, step: str = "switching") -> None:
        """Enable a profile, have the modem read it, and put its access point in force."""
        job.report(None, step, can_abort=False)
        self._room.cards.begin_change(holder.id)
        is_told = self._enable(job, holder, wanted)
        if holder.kind == "reader":
            return
        self._have_it_read(job, holder, wanted, is_told=is_told)
        if wanted.access_point is not None:
            job.report(None, "setting the access point")
            holder.set_access_point(AccessPoint(**wanted.access_point), job)

    def take_up(self, job: Job, holder: Holder, wanted: Enabled) -> None:
        """Do what is left to do of bringing in a profile that the card has enabled."""
        if holder.kind == "reader":
            return
        if not self._sees(job, holder, wanted):
            self._have_it_read(job, holder, wanted, is_told=False)
        point = None if wanted.access_point is None else AccessPoint(**wanted.access_point)
        in_force = None if point is None else holder.access_point()
        if point is not None and (in_force is None or in_force.apn != point.apn):
            job.report(None, "setting the access point")
            holder.set_access_point(point, job)

    def _enable(self, job: Job, holder: Holder, wanted: Enabled) -> bool:
        """Whether the card itself told the modem to read it anew; ``EsimError`` when it stays as it was."""
        error: RemsimError
        for wait_s in (*BUSY_WAITS_S, None):
            try:
                return self._try_enable(holder, wanted)
            except ModemError as lost:
                log.info("%s: %s after a profile was to be enabled; looking what came of it", holder.id, lost.message)
                if self._came_through(job, holder, wanted):
                    return True
                error = lost
            except EsimError as refused:
                if refused.code != "profile_busy":
                    raise
                error = refused
            if wait_s is not None:
                job.report(None, "the card is busy, trying again")
                self.wait(job, wait_s)
        if holder.kind == "reader":
            raise error
        job.report(None, "restarting the modem, for the card stays busy")
        holder.refresh(job, hard=True)
        return self._try_enable(holder, wanted)

    def _came_through(self, job: Job, holder: Holder, wanted: Enabled) -> bool:
        """Whether a profile is enabled after all, once the modem is back; ``ModemError`` when it does not come back."""
        if holder.kind == "modem":
            with contextlib.suppress(ModemError):  # it may be on its way down itself
                holder.refresh(job, hard=False)
        deadline = self._room.clock.monotonic() + BACK_S
        while True:
            is_last = job.is_stopping or self._room.clock.monotonic() >= deadline
            try:
                if is_last or holder.why_not() is None:
                    return is_it(self.enabled_now(holder), wanted)
            except ModemError:
                if is_last:
                    raise
            self.wait(job, LOOK_S)

    def _try_enable(self, holder: Holder, wanted: Enabled) -> bool:
        """Enable it with the refresh flag, or without where the card takes that only."""
        with self._room.engine(holder) as engine:
            profile = self._on_card(engine.euicc.profiles(icons=False), wanted)
            if profile.state == "enabled":
                return False
            try:
                engine.euicc.enable(profile, refresh=True)
                return True
            except EsimError as error:
                if error.code != "profile_refused":
                    raise
                log.info("%s: the card refuses the refresh flag", holder.id)
                engine.euicc.enable(profile, refresh=False)
                return False

    def _have_it_read(self, job: Job, holder: Holder, wanted: Enabled, *, is_told: bool) -> None:
        """See that the modem has the new card: by itself, then by a reset of the SIM, then by a restart."""
        job.report(None, "having the modem read its card anew")
        if is_told and self._sees(job, holder, wanted):
            return
        for hard in (False, True):
            with contextlib.suppress(ModemError):  # it is looked at next
                holder.refresh(job, hard=hard)
            if self._sees(job, holder, wanted):
                return
            if job.is_stopping:
                raise job.aborted()
        raise EsimError(
            f"the modem does not take {wanted.name}, though the card has it enabled",
            code="card_not_read",
            hint="unplug the modem, or switch its power off and on",
        )

    def _sees(self, job: Job, holder: Holder, wanted: Enabled) -> bool:
        """Whether the modem tells the profile's number as its card's, within a while."""
        deadline = self._room.clock.monotonic() + SEEN_S
        while not job.is_stopping:
            if holder.wait_registered(SLICE_S, job, wanted.iccid):
                return True
            if is_same_card(holder.service().iccid, wanted.iccid):
                return True
            if self._room.clock.monotonic() >= deadline:
                return False
        raise job.aborted()

    def enabled_now(self, holder: Holder) -> Profile | None:
        """The profile that is enabled now."""
        with self._room.engine(holder) as engine:
            return next((one for one in engine.euicc.profiles(icons=False) if one.state == "enabled"), None)

    def _on_card(self, profiles: list[Profile], wanted: Enabled) -> Profile:
        for one in profiles:
            if is_it(one, wanted):
                return one
        raise NotFound(f"the card has {wanted.name} no more", field="profile")


def enabled(profile: Profile, access_point: AccessPoint | None) -> Enabled:
    """What is kept of a profile."""
    return Enabled(
        profile.iccid,
        None if profile.iccid_raw is None else profile.iccid_raw.hex(),
        None if profile.aid is None else profile.aid.hex(),
        name_of(profile),
        None if access_point is None else asdict(access_point),
    )


def is_it(profile: Profile | None, wanted: Enabled) -> bool:
    """Whether a profile on the card is the one that is meant: by its number, else by its application."""
    if profile is None:
        return False
    if wanted.raw and profile.iccid_raw:
        return profile.iccid_raw.hex() == wanted.raw
    return wanted.aid is not None and profile.aid is not None and profile.aid.hex() == wanted.aid
