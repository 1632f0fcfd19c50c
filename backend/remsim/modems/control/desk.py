"""Where actions are asked for: who may do what to which modem now, one operation a modem, all of it in the journal."""

from __future__ import annotations

import hashlib
import json
import logging
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from remsim.core.clock import Clock
from remsim.core.errors import Conflict, InvalidInput, NotFound, RemsimError
from remsim.core.events import Event
from remsim.core.forms import object_schema, secrets_of
from remsim.core.jobs import Job, Jobs
from remsim.core.small_dataclass import dataclass
from remsim.modems.control.action import GROUPS, Action
from remsim.modems.control.change import Change
from remsim.modems.control.desired import Desired
from remsim.modems.control.means import Means
from remsim.modems.control.restore import Restorer
from remsim.modems.control.target import Target
from remsim.modems.control.verbs import ACTIONS
from remsim.modems.manager import ModemManager

log = logging.getLogger(__name__)

KEYS_KEPT = 200
HIDDEN = "•••"

Found = TypeVar("Found")


@dataclass(frozen=True, slots=True)
class Asked:
    """An action with the values it was asked for with; ``told`` is what the journal says of them."""

    action: Action
    values: dict[str, Any]
    title: str
    told: dict[str, Any]

    @classmethod
    def of(cls, action: Action, target: Target, content: Mapping[str, Any], actor: str) -> Asked:
        """Check a request's content by the action's form; ``ValidationError`` names the field."""
        schema = action.form(target.hurried())
        values: dict[str, Any] = schema.load(dict(content))
        hidden = secrets_of(schema)
        shown = {name: HIDDEN if name in hidden else value for name, value in values.items()}
        title = action.title(target, values)
        return cls(action, values, title, {"action": action.name, "values": shown, "actor": actor})


class ControlDesk:
    """Starts actions and remembers what users want to stay so."""

    def __init__(
        self, modems: ModemManager, jobs: Jobs, means: Means, *, emit: Callable[[Event], None], state_dir: Path
    ) -> None:
        self._modems = modems
        self._jobs = jobs
        self._means = means
        self._clock: Clock = means.clock
        self._emit = emit
        self._desired = Desired(state_dir)
        self._keys: OrderedDict[str, tuple[bytes, Job]] = OrderedDict()
        self._salt = secrets.token_bytes(16)
        self._lock, self._starting = threading.Lock(), threading.Lock()
        self._restorer = Restorer(jobs, means, self._desired, emit)
        modems.on_identified = self._restorer.begin

    def actions(self, modem_id: str) -> list[dict[str, Any]]:
        """Every action with its words, and why this modem cannot have it done; nothing is asked."""
        target = self._target(modem_id)
        order = list(GROUPS)
        return [
            {
                "name": action.name,
                "label": action.label,
                "group": action.group,
                "group_label": GROUPS[action.group],
                "help": action.help,
                "cuts": action.cuts,
                "scope": action.scope,
                "is_short": action.is_short,
                "missing": action.missing(target),
                "desired": self._desired.of(modem_id).get(action.name),
            }
            for action in sorted(ACTIONS.values(), key=lambda one: order.index(one.group))
        ]

    def form(self, modem_id: str, name: str) -> dict[str, Any]:
        """The form of an action as JSON Schema, filled with what is in force; asks the modem, which has to be free."""
        action, target = self._offered(modem_id, name)
        if (title := target.modem.going_on()) is not None:  # a search would have the request wait for minutes
            raise Conflict(f"{modem_id} is busy: {title}", code="busy", hint="wait for its end or abort it")
        hurried = target.hurried()
        schema = object_schema(action.form(hurried), action.current(hurried))
        return {"title": action.label, "description": action.help, "x-cuts": action.cuts, **schema}

    def look(self, modem_id: str, read: Callable[[Target], Found]) -> Found:
        """Read something of a modem for a request."""
        return read(self._target(modem_id).hurried())

    def run(self, modem_id: str, name: str, content: Mapping[str, Any], *, actor: str) -> Any:
        """A short action's result."""
        action, target = self._offered(modem_id, name)
        if not action.is_short:
            raise ValueError(f"{name} is a job")
        asked = Asked.of(action, target, content, actor)
        target.modem.begin_operation(asked.title)
        try:
            return self._work(asked, target, Job("", action.name, self._clock.now(), title=asked.title))
        finally:
            target.modem.end_operation()

    def start(self, modem_id: str, name: str, content: Mapping[str, Any], *, actor: str, key: str | None = None) -> Job:
        """Start an action; asked again with the same ``key``, the job of the first time."""
        request = self._digest(modem_id, name, dict(content))
        if key is not None and (known := self._asked_before(key, request)):
            return known
        action, target = self._offered(modem_id, name)
        asked = Asked.of(action, target, content, actor)
        target.modem.begin_operation(asked.title)

        def work(job: Job) -> Any:
            try:
                return self._work(asked, target, job)
            finally:
                target.modem.end_operation()
                self._restorer.undo_left(target.modem)

        try:
            with self._starting:  # the same request may have come and ended while this one looked at the form
                job = None if key is None else self._asked_before(key, request)
                if job is not None:
                    target.modem.end_operation()
                    return job
                job = self._jobs.start(name, work, source=modem_id, title=asked.title, actor=actor)
                if key is not None:
                    self._remember(key, request, job)
        except BaseException:
            target.modem.end_operation()
            raise
        return job

    def forget_desired(self, modem_id: str, name: str | None = None) -> None:
        """Let the modem be as it is: apply nothing after its next restart."""
        self._target(modem_id)
        self._desired.drop(modem_id, name)

    def _work(self, asked: Asked, target: Target, job: Job) -> Any:
        """Run it and write down who asked for what and what came of it."""
        action, told = asked.action, {**asked.told, "job": job.id or None}
        try:
            result = action.run(target, asked.values, job)
        except RemsimError as error:
            text = f"{target.id}: {asked.title} failed: {error.message}"
            self._tell(target, text, {**told, "result": "failed", "code": error.code}, "warning")
            raise
        except Exception:  # a mistake of ours is told elsewhere; that somebody asked for it is told here
            text = f"{target.id}: {asked.title} failed: something unforeseen went wrong"
            self._tell(target, text, {**told, "result": "failed", "code": "internal_error"}, "warning")
            raise
        self._tell(target, f"{target.id}: {asked.title}: done", {**told, **action.note(result), "result": "done"})
        if isinstance(action, Change) and action.remembers:
            known = self._desired.of(target.id).get(action.name, {})  # what a form does not name stays wanted
            self._desired.keep(target.id, action.name, known | action.preset(asked.values))
        return result

    def _tell(self, target: Target, text: str, data: dict[str, Any], severity: str = "info") -> None:
        self._emit(Event("control", target.id, self._clock.now(), text, severity, data))

    def _target(self, modem_id: str) -> Target:
        return Target(self._modems.modem(modem_id), self._means)

    def _offered(self, modem_id: str, name: str) -> tuple[Action, Target]:
        """The action and its target; ``NotFound`` or ``Conflict`` when it cannot be done."""
        target = self._target(modem_id)
        action = ACTIONS.get(name)
        if action is None:
            raise NotFound(f"there is no action {name[:40]!r}", field="action")
        if (why := action.missing(target)) is not None:
            raise Conflict(why, code="not_offered")
        return action, target

    def _digest(self, *request: Any) -> bytes:
        """What tells a request from another; its PINs and passwords are not kept for that."""
        text = json.dumps(request, sort_keys=True, default=repr)
        return hashlib.blake2b(text.encode(), key=self._salt).digest()

    def _asked_before(self, key: str, asked: bytes) -> Job | None:
        with self._lock:
            known = self._keys.get(key)
        if known is None:
            return None
        if known[0] != asked:
            raise InvalidInput("this key was used for another request", field="Idempotency-Key")
        return known[1]

    def _remember(self, key: str, asked: bytes, job: Job) -> None:
        with self._lock:
            self._keys[key] = (asked, job)
            while len(self._keys) > KEYS_KEPT:
                self._keys.popitem(last=False)
