"""Switching to another profile, with a net: what does not register in time is switched back.

Before anything is sent to the card, what was enabled is on flash. A service that is killed finds it at its next start,
gives the new profile its time again, and goes back if it does not register.
"""

from __future__ import annotations

import logging
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from remsim.core.card import AccessPoint
from remsim.core.errors import Aborted, Conflict, NotFound, RemsimError
from remsim.core.jobs import Job
from remsim.core.masking import mask
from remsim.core.small_dataclass import dataclass
from remsim.esim.cards import name_of
from remsim.esim.enabling import Enabled, Enabling, enabled, is_it
from remsim.esim.errors import EsimError
from remsim.esim.room import Room
from remsim.esim.store import SWITCH

if TYPE_CHECKING:
    from remsim.esim.holder import Holder

log = logging.getLogger(__name__)

RETURN_S = 180.0
"""For the profile from before to register again."""
MOST_TRIES = 5
"""How often going back is tried, at a start each."""
WANTS = "it wants its "
NO_NET = "the profile from before could not be written down first, so a power cut would leave this one enabled"


@dataclass(frozen=True, slots=True)
class Pending:
    """A switch under way. ``before`` is None where no profile was enabled."""

    eid: str
    before: Enabled | None
    after: Enabled
    within_s: float
    is_returning: bool
    tries: int = 0
    is_going_back: bool = False

    def as_dict(self) -> dict[str, Any]:
        """For the disk."""
        return asdict(self)

    @classmethod
    def of(cls, data: dict[str, Any]) -> Pending:
        """From the disk; ``TypeError`` or ``KeyError`` of another version's."""
        before, after = data["before"], data["after"]
        return cls(**{**data, "before": None if before is None else Enabled(**before), "after": Enabled(**after)})


class Switching:
    """Enables profiles, and goes back."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self.enabling = Enabling(room)

    def switch(
        self,
        job: Job,
        holder: Holder,
        profile_id: str,
        *,
        within_s: float,
        is_returning: bool,
        access_point: AccessPoint | None,
    ) -> dict[str, Any]:
        """Enable a profile and see it register, or go back; ``EsimError`` says which of these failed."""
        pending = self._prepare(job, holder, profile_id, within_s, is_returning, access_point)
        self._keep(holder, pending)
        try:
            self.enabling.bring_in(job, holder, pending.after)
        except RemsimError as error:
            self._stays_or_goes_back(job, holder, pending, error)
        return self._see_registered(job, holder, pending)

    def resume(self, job: Job, holder: Holder) -> dict[str, Any] | None:
        """Take up a switch that was cut short; None where there is nothing to take up."""
        data = self._room.store.get(SWITCH, holder.id)
        if data is None:
            return None
        try:
            pending = Pending.of(data)
        except (TypeError, KeyError):
            log.warning("%s: a switch that was cut short cannot be read, and is forgotten", holder.id)
            self._drop(holder)
            return None
        self._heed_card(holder, pending)
        pending = replace(pending, tries=pending.tries + 1)
        if pending.tries > MOST_TRIES:
            self._drop(holder)
            raise EsimError(f"{pending.after.name} does not register, and going back failed {MOST_TRIES} times")
        self._keep(holder, pending)
        if pending.is_going_back:
            return self._go_back(job, holder, pending, "the switch back was cut short")
        if not is_it(self.enabling.enabled_now(holder), pending.after):
            self._drop(holder)  # the cut came before the card did anything
            return {"profile": None, "name": pending.after.name, "enabled": False, "registered": None}
        try:
            self.enabling.take_up(job, holder, pending.after)
        except RemsimError as error:
            self._stays_or_goes_back(job, holder, pending, error)
        return self._see_registered(job, holder, pending)

    def _prepare(
        self,
        job: Job,
        holder: Holder,
        profile_id: str,
        within_s: float,
        is_returning: bool,
        access_point: AccessPoint | None,
    ) -> Pending:
        """Look at the card: what is enabled, and whether it may be replaced."""
        job.report(None, "opening the card", can_abort=False)
        with self._room.engine(holder) as engine:
            known = self._room.cards.profiles_now(engine.euicc)
            eid = engine.euicc.eid()
        wanted = next((one for name, one in known if name == profile_id), None)
        if wanted is None:
            raise NotFound("the card has no such profile any more", field="profile", hint="read the card anew")
        if wanted.state == "enabled":
            raise Conflict(f"{name_of(wanted)} is enabled already", code="profile_enabled", field="profile")
        before = next((one for _, one in known if one.state == "enabled"), None)
        if before is not None and "cannot_disable" in before.policy:
            text = f"{name_of(before)} must stay enabled: its operator does not let it be disabled"
            raise Conflict(text, code="profile_policy", field="profile", hint="only its operator can change that")
        in_force = holder.access_point() if access_point is not None else None
        return Pending(
            eid,
            None if before is None else enabled(before, in_force),
            enabled(wanted, access_point),
            within_s,
            is_returning,
        )

    def _see_registered(self, job: Job, holder: Holder, pending: Pending) -> dict[str, Any]:
        """Wait for the network; go back when it does not come, or somebody wants so."""
        after = pending.after
        if holder.kind == "reader":
            self._drop(holder)
            words = f"{holder.name}: {after.name} was enabled"
            self._room.tell("esim_switch", holder.id, words, data=self._data(job, pending))
            return result_of(self._room, after, is_registered=None)
        job.report(None, "waiting for the network", can_abort=True)
        if self._registers(job, holder, pending.within_s, after):
            job.report(None, "registered", can_abort=False)
            self._drop(holder)
            words = f"{holder.id}: switched to {after.name}, which a network has taken"
            self._room.tell("esim_switch", holder.id, words, data=self._data(job, pending))
            return result_of(self._room, after, is_registered=True)
        if job.is_stopping:
            raise job.aborted()  # what is on flash is taken up at the next start
        is_unwanted = job.is_abort_wanted
        if is_unwanted:
            job.heed_abort()
        why = "the switch was aborted" if is_unwanted else why_not_taken(holder, pending.within_s)
        if not pending.is_returning and not is_unwanted:
            self._drop(holder)
            text = f"{after.name} is enabled, but {why}"
            self._room.tell("esim_switch", holder.id, f"{holder.id}: {text}", "error", self._data(job, pending))
            hint = "look at the signal and the access point; or switch back to the profile from before"
            raise EsimError(text, code="not_registered", hint=hint)
        return self._go_back(job, holder, pending, why)

    def _registers(self, job: Job, holder: Holder, within_s: float, wanted: Enabled) -> bool:
        """Whether a network takes the profile in time; not when somebody aborts it."""
        try:
            return holder.wait_registered(within_s, job, wanted.iccid)
        except Aborted:
            return False

    def _stays_or_goes_back(self, job: Job, holder: Holder, pending: Pending, error: RemsimError) -> None:
        """After a switch that failed on its way: nothing was done, or it is undone."""
        if job.is_stopping:
            raise error
        try:
            now = self.enabling.enabled_now(holder)
        except RemsimError as unknown:
            log.warning("%s: which profile is enabled cannot be told: %s", holder.id, unknown.message)
        else:
            if now is None if pending.before is None else is_it(now, pending.before):
                self._drop(holder)
                raise error
        self._go_back(job, holder, pending, error.message)

    def _go_back(self, job: Job, holder: Holder, pending: Pending, why: str) -> dict[str, Any]:
        """Enable the profile from before; always raises, for the switch failed."""
        before, after = pending.before, pending.after
        if before is None:
            self._drop(holder)
            text = f"{after.name}: {why}; it stays enabled, for no other profile was"
            self._room.tell("esim_switch", holder.id, f"{holder.id}: {text}", "error", self._data(job, pending))
            raise EsimError(text, code="not_registered", hint="look at the signal and the access point")
        self._keep(holder, replace(pending, is_going_back=True))
        try:
            self.enabling.bring_in(job, holder, before, f"going back to {before.name}")
        except RemsimError as error:
            if job.is_stopping:
                raise
            text = f"{after.name}: {why}, and going back to {before.name} failed, too: {error.message}"
            self._room.tell("esim_switch", holder.id, f"{holder.id}: {text}", "error", self._data(job, pending))
            hint = "it is tried again when the service starts; or enable it by hand"
            raise EsimError(text, code="return_failed", hint=error.hint or hint) from error
        job.report(None, f"waiting for the network with {before.name}")
        is_registered = self._registers(job, holder, RETURN_S, before)
        if job.is_stopping:
            raise job.aborted()
        self._drop(holder)
        back = f"{before.name} is enabled again" + ("" if is_registered else ", and not registered yet")
        text = f"{after.name}: {why}; {back}"
        self._room.tell("esim_switch", holder.id, f"{holder.id}: {text}", "error", self._data(job, pending))
        hint = "look at the signal, the access point, and whether the operator has activated the profile"
        if why.startswith(WANTS):
            hint = "switch without going back, then enter it on the modem's page"
        raise EsimError(text, code="switch_returned", hint=hint)

    def _heed_card(self, holder: Holder, pending: Pending) -> None:
        """A switch of another card is nobody's any more."""
        with self._room.engine(holder) as engine:
            eid = engine.euicc.eid()
        if eid != pending.eid:
            self._drop(holder)
            raise EsimError("another card is in the modem now, so a switch that was cut short is forgotten")

    def _keep(self, holder: Holder, pending: Pending) -> None:
        if not self._room.store.put(SWITCH, holder.id, pending.as_dict()):
            log.warning("%s: %s", holder.id, NO_NET)

    def _drop(self, holder: Holder) -> None:
        self._room.store.drop(SWITCH, holder.id)

    def _data(self, job: Job, pending: Pending) -> dict[str, Any]:
        sim_of = self._room.sim_of
        before = None if pending.before is None else sim_of(pending.before.iccid)
        return {"from": before, "to": sim_of(pending.after.iccid), "actor": job.actor}


def why_not_taken(holder: Holder, within_s: float) -> str:
    """What keeps a profile from a network, as far as the modem tells."""
    state = holder.service().sim_state
    if state is not None and state.startswith("SIM P"):
        return f"{WANTS}{state.removeprefix('SIM ')}"
    return f"no network took it within {within_s / 60:g} min"


def result_of(room: Room, profile: Enabled, *, is_registered: bool | None) -> dict[str, Any]:
    """The result of a switch."""
    return {
        "profile": room.sim_of(profile.iccid),
        "name": profile.name,
        "iccid": mask(profile.iccid),
        "enabled": True,
        "registered": is_registered,
    }
