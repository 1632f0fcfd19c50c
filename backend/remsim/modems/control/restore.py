"""What is done to a modem once it was identified: undo what was interrupted, then apply what it has forgotten."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from remsim.core.errors import Aborted, RemsimError
from remsim.core.events import Event
from remsim.core.jobs import Job, Jobs
from remsim.modems.control.change import Change, may_work_later
from remsim.modems.control.desired import Desired
from remsim.modems.control.means import Means
from remsim.modems.control.pending import MOST_TRIES, Unconfirmed
from remsim.modems.control.power import ensure_radio
from remsim.modems.control.target import Target
from remsim.modems.control.verbs import ACTIONS
from remsim.modems.modem import Modem

log = logging.getLogger(__name__)

FREE_S = 300.0
"""How long what somebody is doing to the modem is waited for."""


class Restorer:
    """Brings a modem back to what is wanted of it, in jobs of its own."""

    def __init__(self, jobs: Jobs, means: Means, desired: Desired, emit: Callable[[Event], None]) -> None:
        self._jobs = jobs
        self._means = means
        self._desired = desired
        self._emit = emit

    def begin(self, modem: Modem) -> None:
        """A modem was identified anew. Called in its thread."""
        if self._means.pending.left(modem.id):
            self._jobs.start("undo", lambda job: self._undo_and_apply(modem, job), source=modem.id)
        elif self._presets(modem):
            self._jobs.start("presets", lambda job: self._apply(modem, job), source=modem.id)

    def undo_left(self, modem: Modem) -> None:
        """A job has left a change that it could not undo: perhaps it can be now."""
        if modem.is_ready and self._means.pending.left(modem.id):
            self.begin(modem)

    def _undo_and_apply(self, modem: Modem, job: Job) -> dict[str, str]:
        target = Target(modem, self._means)
        job.title = f"{modem.id}: undoing what was interrupted"
        job.report(None, "waiting for the modem to be free")
        modem.begin_operation(job.title, wait_s=FREE_S, is_own=True)
        try:
            if job.is_stopping:
                raise job.aborted()
            told = {
                name: self._undo(target, name, change, job)
                for name, change in self._means.pending.left(modem.id).items()
            }
        finally:
            modem.end_operation()
        return told | self._apply(modem, job)

    def _undo(self, target: Target, name: str, interrupted: Unconfirmed, job: Job) -> str:
        """One change that nobody has confirmed; what became of it."""
        pending, action = self._means.pending, ACTIONS.get(name)
        if not isinstance(action, Change):
            pending.drop(target.id, name)
            return "not known any more"
        job.report(None, f"undoing: {interrupted.title}")
        pending.tried(target.id, name)
        text, result = f"{target.id}: {interrupted.title} was interrupted and is not confirmed: ", "undone"
        try:
            action.undo(target, interrupted.before, job)
            if interrupted.was_online:
                ensure_radio(target)
            pending.drop(target.id, name)
            text += "it was undone"
        except RemsimError as error:
            result = "not_undone"
            text += f"it could not be undone: {error.message}"
            if not (may_work_later(error) or job.is_stopping) or interrupted.tries + 1 >= MOST_TRIES:
                pending.drop(target.id, name)
                text += "; look at its settings"
        self._tell(target, text, {"action": name, "result": result}, "warning")
        return result

    def _presets(self, modem: Modem) -> list[tuple[Change, dict[str, Any]]]:
        wanted = self._desired.of(modem.id)
        return [(one, values) for name, values in wanted.items() if isinstance(one := ACTIONS.get(name), Change)]

    def _apply(self, modem: Modem, job: Job) -> dict[str, str]:
        """Only what is still wanted once the modem is free: the operation that went on may have changed that.

        Looking keeps nobody from the modem; it is reserved only when there is something to apply.
        """
        if not self._presets(modem):
            return {}
        target = Target(modem, self._means)
        job.title = f"{modem.id}: applying its presets"
        job.report(None, "looking whether its presets are in force")
        target.wait_until(lambda: modem.operation is None, FREE_S, job)
        if all(is_in_force(change, target, values) for change, values in self._presets(modem)):
            return {}
        modem.begin_operation(job.title, wait_s=FREE_S, is_own=True)
        try:
            if job.is_stopping:
                raise job.aborted()
            return {name: told for name, told in self._apply_all(target, job) if told is not None}
        finally:
            modem.end_operation()

    def _apply_all(self, target: Target, job: Job) -> Iterator[tuple[str, str | None]]:
        for change, values in self._presets(target.modem):
            yield change.name, self._apply_one(change, target, values, job)

    def _apply_one(self, change: Change, target: Target, values: dict[str, Any], job: Job) -> str | None:
        """One preset, at most once a session; what became of it, None where nothing was to be done."""
        try:
            if is_in_force(change, target, values):
                return None
            job.report(None, change.label)
            change.apply(target, values, job)
            change.read_back(target, values, job)
        except Aborted:
            raise
        except RemsimError as error:
            text = f"{target.id}: {change.label} could not be applied again: {error.message}"
            self._tell(target, text, {"action": change.name, "result": "failed"}, "warning")
            return error.message
        text = f"{target.id}: {change.label} applied again, for the modem had lost it"
        self._tell(target, text, {"action": change.name, "values": values, "result": "done"})
        return "applied again"

    def _tell(self, target: Target, text: str, data: dict[str, Any], severity: str = "info") -> None:
        self._emit(Event("control", target.id, self._means.clock.now(), text, severity, data))


def is_in_force(change: Change, target: Target, values: Mapping[str, Any]) -> bool:
    """Whether nothing is to be done for a preset. What cannot be read is tried: the trouble is told then."""
    if change.missing(target) is not None:
        return True
    try:
        return change.is_taken(values, change.read(target))
    except RemsimError:
        return False
