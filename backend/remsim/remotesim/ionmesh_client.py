"""One client of this router at IonMesh: registered, kept alive by heartbeats, given up; and what came in the way."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from remsim.core.clock import Clock, Moment, iso_utc
from remsim.core.masking import mask
from remsim.remotesim.assignment import Assignment, as_kept, seconds_of
from remsim.remotesim.ionmesh_api import IonMeshApi, IonMeshError

HEARTBEAT_S, SHORTEST_HEARTBEAT_S, LONGEST_HEARTBEAT_S = 60.0, 1.0, 3600.0
FIRST_RETRY_S, LAST_RETRY_S = 5.0, 300.0
FIRST_REFUSED_S, LAST_REFUSED_S = 60.0, 900.0
"""A refusal is mended by people."""
JITTER = 0.1
TOLD_AT_FAILURE = 2
MOST_COMMANDS = 16
LARGEST_COMMAND = 2000
MOST_REMEMBERED = 64

Tell = Callable[[str, str, dict[str, Any]], None]
"""Hears severity, text and data of what happened."""


class Registration:
    """A client: registering, registered, refused, unreachable, or released (by an admin, until he takes it back).

    ``assignment`` is also there while IonMesh is away: ``is_cached`` until it was confirmed since our start.
    """

    def __init__(
        self, name: str, client_id: str, *, clock: Clock, tell: Tell, assignment: Assignment | None, released: bool
    ) -> None:
        self.name = name
        self.client_id = client_id
        self.assignment = assignment
        self.is_cached = assignment is not None
        self.lock = threading.Lock()
        self._clock = clock
        self._tell = tell
        self._is_registered = False
        self._failures = 0
        self._is_trouble_told = False
        self._interval_s = HEARTBEAT_S
        self._last_heartbeat: Moment | None = None
        self._commands: dict[str, None] = {}
        self.commands = 0
        self.due = clock.monotonic()
        self.state = "registering"
        self.message = "it will be registered"
        self._since = Moment(clock)
        if released:
            self._enter("released", "it was unregistered by hand")

    @property
    def is_released(self) -> bool:
        """Whether an admin gave it up."""
        return self.state == "released"

    def step(self, api: IonMeshApi, beat: Callable[[str], Mapping[str, Any]]) -> None:
        """Do what is due."""
        with self.lock:
            if self.is_released or self._clock.monotonic() < self.due:
                return
            try:
                if self._is_registered:
                    self._heartbeat(api, beat(self.name))
                else:
                    self._register(api)
            except IonMeshError as error:
                self._failed(error)

    def register(self, api: IonMeshApi) -> None:
        """Register now, also what was released; ``IonMeshError`` when that fails, and it is tried again."""
        with self.lock:
            if self.is_released:
                self._enter("registering", "it will be registered")
            try:
                self._register(api)
            except IonMeshError as error:
                self._failed(error)
                raise

    def release(self, api: IonMeshApi) -> None:
        """Give the slot back and stay without; ``IonMeshError`` when that fails, and nothing has changed."""
        with self.lock:
            api.unregister(self.client_id)
            self._is_registered = False
            self.assignment = None
            self._enter("released", "it was unregistered by hand")
            self._tell("info", f"IonMesh: {self.name} was unregistered", self._data())

    def retry(self) -> None:
        """Try again soon: the settings have changed."""
        self.due = self._clock.monotonic()

    def view(self) -> dict[str, Any]:
        """It as JSON; identifiers are masked."""
        heartbeat = self._last_heartbeat
        return {
            "name": self.name,
            "client_id": self.client_id,
            "state": self.state,
            "message": self.message,
            "since": iso_utc(self._since.wall),
            "last_heartbeat_at": None if heartbeat is None else iso_utc(heartbeat.wall),
            "heartbeat_interval_s": self._interval_s,
            "assignment": None if self.assignment is None else shown(self.assignment),
            "cached": self.is_cached,
            "commands_ignored": self.commands,
        }

    def kept(self) -> dict[str, Any]:
        """It as the cache has it."""
        content: dict[str, Any] = {"client_id": self.client_id}
        if self.assignment is not None:
            content["assignment"] = as_kept(self.assignment)
        if self.is_released:
            content["released"] = True
        return content

    def _register(self, api: IonMeshApi) -> None:
        before = self.assignment
        given = api.register(self.client_id)
        self.assignment, self.is_cached = given, False
        self._interval_s = within(given.heartbeat_interval)
        self._is_registered = True
        self._worked()
        if before is None or replace(before, heartbeat_interval=None) != replace(given, heartbeat_interval=None):
            text = f"IonMesh: {self.name} has slot {given.slot_id} of bank {given.bank_id}"
            self._tell("info", text, self._data())

    def _heartbeat(self, api: IonMeshApi, beat: Mapping[str, Any]) -> None:
        try:
            answer = api.heartbeat(self.client_id, beat)
        except IonMeshError as error:
            if error.status != 404:
                raise
            self._is_registered = False  # it has forgotten us
            self._register(api)
            return
        self._last_heartbeat = Moment(self._clock)
        self._interval_s = within(answer.get("next_heartbeat_interval"), self._interval_s)
        self._worked()
        commands = answer.get("commands")
        for command in commands if isinstance(commands, list) else [commands] if commands else []:
            self._ignore(command)

    def _ignore(self, command: Any) -> None:
        """Write a command down as it came. Its form is not documented, so none is ever run."""
        text = json.dumps(command, ensure_ascii=False)
        self.commands += 1
        if text in self._commands or len(self._commands) >= MOST_REMEMBERED:
            return
        self._commands[text] = None
        raw = command if len(text) <= LARGEST_COMMAND else text[:LARGEST_COMMAND]
        told = f"IonMesh sent {self.name} a command that is not known here; it was not run"
        self._tell("warning", told, self._data() | {"command": raw})

    def _worked(self) -> None:
        if self._is_trouble_told:
            self._tell("info", f"IonMesh answers {self.name} again", self._data())
        self._failures, self._is_trouble_told = 0, False
        given = self.assignment
        self._enter("registered", f"bank {given.bank_id}, slot {given.slot_id}" if given else "")
        self.due = self._clock.monotonic() + self._interval_s

    def _failed(self, error: IonMeshError) -> None:
        """Try again later: when IonMesh says, or after a pause that grows."""
        is_refusal = error.status is not None and (error.status < 500 or error.status == 503)
        first_s, last_s = (FIRST_REFUSED_S, LAST_REFUSED_S) if is_refusal else (FIRST_RETRY_S, LAST_RETRY_S)
        pause_s = min(first_s * 2 ** min(self._failures, 10), last_s) * random.uniform(1 - JITTER, 1 + JITTER)
        if error.code == "ionmesh_busy":
            pause_s = max(error.retry_after_s or FIRST_RETRY_S, SHORTEST_HEARTBEAT_S)
        elif error.retry_after_s is not None:
            pause_s = max(error.retry_after_s, FIRST_RETRY_S)
        self._failures += 1
        self.due = self._clock.monotonic() + pause_s
        if error.code != "ionmesh_busy" or self.state == "registering":
            self._enter("refused" if is_refusal else "unreachable", error.message)
        if not self._is_trouble_told and (is_refusal or self._failures >= TOLD_AT_FAILURE):
            self._is_trouble_told = True
            self._tell("warning", f"{self.name}: {error.message}", self._data())

    def _enter(self, state: str, message: str) -> None:
        if state != self.state:
            self._since = Moment(self._clock)
        self.state, self.message = state, message

    def _data(self) -> dict[str, Any]:
        return {"client": self.name, "client_id": self.client_id, "state": self.state}


def within(seconds: Any, otherwise: float = HEARTBEAT_S) -> float:
    """An interval the orchestrator asks for, as far as it makes sense."""
    wanted = seconds_of(seconds)
    return otherwise if wanted is None else min(max(wanted, SHORTEST_HEARTBEAT_S), LONGEST_HEARTBEAT_S)


def shown(assignment: Assignment) -> dict[str, Any]:
    """An assignment as JSON, its identifiers masked."""
    content = {name: getattr(assignment, name) for name in Assignment.__slots__}
    return content | {"iccid": mask(assignment.iccid), "imsi": mask(assignment.imsi)}
