"""Changes that undo themselves: without service afterwards, or when nobody confirms that they may stay.

Like LuCI's apply: whoever is cut off by a change cannot confirm it, and so gets the old state back. A change that the
end of the service interrupts is undone when the modem is identified next (``pending``, ``restore``).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, ClassVar

from remsim.core.errors import (
    Aborted,
    AtTimeout,
    Conflict,
    ModemError,
    ModemGone,
    NotTaken,
    RemsimError,
    RolledBack,
)
from remsim.core.forms import Form, Whole
from remsim.core.jobs import Job
from remsim.modems.control.action import Action
from remsim.modems.control.pending import Unconfirmed
from remsim.modems.control.target import Target

log = logging.getLogger(__name__)

CONFIRM_S = 90
SERVICE_S = 120
SETTLE_S = 5.0
"""A modem that is about to lose its cell says for some seconds that it has it."""
LOOK_S = 0.25
RETURN_S = 180.0
"""How long a modem that vanished is waited for, to undo what was changed."""
WANTS_CODE = ("SIM PIN", "SIM PUK")
GUARDS = ("confirm_s", "service_s")


class ChangeForm(Form):
    """What every change can be told besides its own values."""

    confirm_s = Whole(
        0,
        600,
        load_default=CONFIRM_S,
        metadata={
            "label": "Undo unless confirmed within",
            "unit": "s",
            "help": "0: keep it without a confirmation. Only asked for while the modem is online",
            "advanced": True,
        },
    )
    service_s = Whole(
        5,
        600,
        load_default=SERVICE_S,
        metadata={
            "label": "Undo if there is no service after",
            "unit": "s",
            "help": "Counts when the modem was online before",
            "advanced": True,
        },
    )


class Change(Action):
    """An action with a way back. ``remembers``: the values become desired state, applied again when they get lost.

    ``read_back_s``: a modem may say OK and take that long until it says the new value too.
    """

    remembers: ClassVar[bool] = False
    read_back_s: ClassVar[float] = 5.0

    def read(self, target: Target) -> dict[str, Any]:
        """What is in force now, by the names of the form's fields; asks the modem."""
        raise NotImplementedError

    def apply(self, target: Target, values: Mapping[str, Any], job: Job) -> None:
        """Make it so and wait until the modem can be asked again. To undo, ``values`` are what ``read`` gave before."""
        raise NotImplementedError

    def is_taken(self, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
        """Whether what was read back is what was wanted."""
        return all(found.get(name) == value for name, value in wanted.items())

    def check(self, target: Target, found: Mapping[str, Any], values: Mapping[str, Any]) -> None:
        """Raise what makes waiting for service useless, once the change was taken by a modem that was online."""

    def words(self, name: str, value: Any) -> str:
        """A value as it stands in a sentence."""
        return f"{name} {value}"

    def expects_service(self, values: Mapping[str, Any]) -> bool:
        """Whether an online modem is to be online afterwards; where not, only the confirmation is waited for."""
        return True

    def preset(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What is to be applied again when the modem forgets it."""
        return {name: value for name, value in values.items() if name not in GUARDS}

    def current(self, target: Target) -> Mapping[str, Any]:
        """What is in force."""
        return self.read(target)

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """Apply, read back, wait for service and confirmation; undo when one of them fails."""
        wanted = self.preset(values)
        before = self.read(target)
        if self.is_taken(wanted, before):
            return {"changed": False, **before}
        was_online = target.is_online
        pending = target.means.pending
        pending.begin(target.id, self.name, Unconfirmed(job.title or self.label, before, was_online))
        try:
            self.apply(target, wanted, job)
            found = self.read_back(target, wanted, job)
            if was_online:
                self.check(target, found, values)
                self._guard(target, values, job)
        except RemsimError as error:
            raise self._undone(target, before, error, job) from error
        except Exception as error:  # a mistake of ours must not leave a modem half changed
            log.exception("%s: %s", target.id, self.name)
            unforeseen = ModemError("something unforeseen went wrong; the log has the details", code="internal_error")
            raise self._undone(target, before, unforeseen, job) from error
        pending.drop(target.id, self.name)
        return {"changed": True, **found}

    def read_back(self, target: Target, wanted: Mapping[str, Any], job: Job) -> dict[str, Any]:
        """What is in force once it is what was wanted; ``NotTaken`` tells what the modem keeps instead."""
        deadline = target.clock.monotonic() + self.read_back_s
        while not self.is_taken(wanted, found := self.read(target)):
            if target.clock.monotonic() >= deadline:
                raise self.not_taken(target, wanted, found)
            target.pause(LOOK_S, job)
        return found

    def not_taken(self, target: Target, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> NotTaken:
        """The error for a modem that said OK and did nothing."""
        differs = [name for name in wanted if not self.is_taken({name: wanted[name]}, found)]
        kept = ", ".join(self.words(name, found.get(name)) for name in differs)
        return NotTaken(f"{target.id} said OK, but still has {kept or 'its old state'}")

    def _guard(self, target: Target, values: Mapping[str, Any], job: Job) -> None:
        """Raise unless the modem finds service again and somebody confirms."""
        service_s, confirm_s = float(values["service_s"]), float(values["confirm_s"])
        job.report(None, "waiting for service", can_abort=True)
        if self.expects_service(values) and not has_service(target, service_s, job):
            text = f"{target.id} found no service within {service_s:.0f} s"
            raise RolledBack(text, hint="choose other bands, another technology or network")
        if confirm_s and not job.wait_for_confirmation(target.clock.now(), confirm_s):
            if job.is_abort_wanted:
                raise job.aborted()
            text = f"nobody confirmed the change within {confirm_s:.0f} s"
            raise RolledBack(text, hint="it may have cut your own connection; try again and confirm it")

    def undo(self, target: Target, before: Mapping[str, Any], job: Job) -> bool:
        """Bring back what was; False when it is so already. Raises what keeps it from being brought back."""
        if self.is_taken(before, self.read(target)):
            return False
        self.apply(target, before, job)
        try:
            self.read_back(target, before, job)
        except NotTaken as error:
            raise NotTaken(f"the old state did not come back: {error.message}") from error
        return True

    def _undone(self, target: Target, before: dict[str, Any], error: RemsimError, job: Job) -> RemsimError:
        """Go back to what was, and say what came of it. What cannot be undone now is undone when the modem is back."""
        pending = target.means.pending
        job.heed_abort()
        job.report(None, "undoing the change")
        try:
            if not target.modem.is_ready:
                job.report(None, "waiting for the modem to come back", can_abort=True)
                if not target.wait_ready(RETURN_S, job):
                    raise Conflict(f"{target.id} has not come back", code="not_ready")
                job.report(None, "undoing the change", can_abort=False)
            has_changed = self.undo(target, before, job)
        except RemsimError as trouble:
            if may_work_later(trouble) or job.is_stopping:
                pending.leave(target.id, self.name)
                told = f"undoing it is tried again once it answers: {trouble.message}"
            else:
                pending.drop(target.id, self.name)
                told = f"undoing it failed: {trouble.message}"
            hint = "look at its settings when it is back"
            return RolledBack(f"{error.message}; {told}", code="not_undone", hint=hint)
        pending.drop(target.id, self.name)
        if not has_changed:
            return error  # it was refused: nothing has changed
        kind = Aborted if isinstance(error, Aborted) else RolledBack
        return kind(f"{error.message}; the change was undone", field=error.field, hint=error.hint)


def may_work_later(trouble: RemsimError) -> bool:
    """Whether it was the modem's absence or silence, or somebody's wish, that kept something from being done."""
    return isinstance(trouble, (ModemGone, AtTimeout, Conflict, Aborted))


def service_field(seconds: int) -> Whole:
    """``service_s`` for a change after which a modem needs longer."""
    known = ChangeForm().fields["service_s"]
    return Whole(5, 600, load_default=seconds, metadata=dict(known.metadata))


def has_service(target: Target, within_s: float, job: Job) -> bool:
    """Whether the modem is online within the time and stays so for a while: what was read before says nothing.

    A card that wants its PIN or PUK gives service once that is entered, so there is nothing to wait for.
    """
    before, online_since = target.reading, None
    deadline = target.clock.monotonic() + within_s
    target.hasten("REG?", "CPIN")
    while True:
        now, reading = target.clock.monotonic(), target.reading
        if reading is not None and reading is not before and reading.sim_state in WANTS_CODE:
            return True
        if not target.is_online or reading is before:
            online_since = None
        else:
            online_since = now if online_since is None else online_since
            if now - online_since >= SETTLE_S:
                return True
        if now > deadline:
            return False
        target.pause(LOOK_S, job)
