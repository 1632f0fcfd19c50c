"""IonMesh: every client of this router registered with the orchestrator, in a thread of its own while it is wanted."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from socket import gethostname
from typing import Any

from remsim.config.remote_sim import IonMeshSettings, RemoteClientSettings
from remsim.config.settings import Settings
from remsim.core.clock import FIRST_TRUSTED, Clock, iso_utc
from remsim.core.errors import Conflict, NotFound
from remsim.core.events import Event
from remsim.remotesim.assignment import Assignment, clients_in, kept_assignment, origin_of, read_cache, write_cache
from remsim.remotesim.ionmesh_api import IonMeshApi, IonMeshError
from remsim.remotesim.ionmesh_client import Registration
from remsim.remotesim.ionmesh_environment import in_force
from remsim.remotesim.ionmesh_shown import masked_card, warnings_of

log = logging.getLogger(__name__)

UNSUPPORTED = ("webhooks", "policies", "audit log")
"""Of the orchestrator's documents, but without a documented way to ask for them."""
DISCOVER_S = 3600.0
LEAVE_AGAIN_S = 300.0
KEEP_LISTS_S = 600.0
ROUTER = "router"
"""The name that is registered where no client is configured."""
STOP_WITHIN_S = 3.0

Beat = Callable[[str], Mapping[str, Any]]
"""What a heartbeat says of a client: status, stats, modem_info."""


def nobody() -> None:
    """Nobody wants to know."""


def alive(name: str) -> Mapping[str, Any]:
    """The heartbeat of a client of which nothing else is known."""
    return {"status": "active"}


class IonMesh:
    """The router's clients at IonMesh. ``view`` and the requests of pages are for any thread.

    ``assigned`` is called when a client has another assignment than before, or none: it must be run anew.
    """

    def __init__(
        self,
        *,
        state_dir: Path,
        clock: Clock,
        emit: Callable[[Event], None],
        beat: Beat = alive,
        assigned: Callable[[], None] = nobody,
        environment: Mapping[str, str] = os.environ,
        host_name: str | None = None,
    ) -> None:
        self._state_dir = state_dir
        self._clock = clock
        self._emit = emit
        self._beat = beat
        self._assigned = assigned
        self._environment = environment
        self._host_name = host_name or gethostname()
        self._wake = threading.Condition()
        self._settings = IonMeshSettings()
        self._api: IonMeshApi | None = None
        self._registrations: dict[str, Registration] = {}
        self._leaving: dict[str, float] = {}
        self._lists: dict[str, Any] = {}
        self._lists_kept_at = -KEEP_LISTS_S
        self._written = b""
        self._known: dict[str, Assignment | None] = {}
        self._orchestrator: dict[str, Any] | None = None
        self._discover_at = 0.0
        self._thread: threading.Thread | None = None

    def configure(self, settings: Settings) -> None:
        """Put changed settings in force. A client that is gone is unregistered, unless the orchestrator is another."""
        wanted = in_force(settings.ionmesh, self._environment)
        with self._wake:
            is_other = origin_of(wanted) != origin_of(self._settings) or not self._registrations
            has_changed = wanted != self._settings
            self._settings = wanted
            if not wanted.enabled:
                self._api = None
                self._registrations, self._leaving = {}, {}
            elif has_changed or self._api is None:
                self._api = IonMeshApi(wanted, self._clock)
                self._orchestrator, self._discover_at = None, 0.0
            if wanted.enabled:
                if is_other:
                    self._load()
                self._follow(settings.remote_clients)
                if is_other:
                    self._known = {name: placed(one.assignment) for name, one in self._registrations.items()}
                for registration in self._registrations.values() if has_changed else ():
                    registration.retry()
            self._wake.notify_all()

    def start(self) -> None:
        """Begin, if it is wanted."""
        with self._wake:
            if self._api is not None and self._thread is None:
                self._thread = threading.Thread(target=self._run, name="ionmesh", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End. Nobody is unregistered: a restart must not cost a slot."""
        with self._wake:
            thread, self._thread = self._thread, None
            self._wake.notify_all()
        if thread is not None:
            thread.join(STOP_WITHIN_S)
        self._keep(with_lists=True)

    def step(self) -> float:
        """Do what is due; seconds until there is more to do."""
        with self._wake:
            api, registrations = self._api, list(self._registrations.values())
        if api is None:
            return DISCOVER_S
        for registration in registrations:
            registration.step(api, self._beat)
        self._leave(api)
        self._discover(api)
        self._keep()
        with self._wake:
            now = self._clock.monotonic()
            due = [one.due for one in self._registrations.values() if not one.is_released]
            return max(0.0, min([*due, *self._leaving.values(), now + DISCOVER_S]) - now)

    def view(self) -> dict[str, Any] | None:
        """What pages show; None when it is off and never was asked for."""
        with self._wake:
            settings, api = self._settings, self._api
            registrations = list(self._registrations.values())
        if api is None:
            return None
        clients = [one.view() for one in registrations]
        first = min(clients, key=lambda one: WORST_FIRST.index(one["state"]))
        return {
            **{name: first[name] for name in SHOWN_FIRST},
            "url": settings.url,
            "tenant_id": settings.tenant_id,
            "mapping_mode": settings.mapping_mode,
            "clients": clients,
            "orchestrator": self._orchestrator,
            "clock_skew_s": api.clock_skew_s,
            "unsupported": list(UNSUPPORTED),
        }

    def warnings(self) -> list[dict[str, str]]:
        """What an admin should mend."""
        with self._wake:
            settings, api, orchestrator = self._settings, self._api, self._orchestrator
        return [] if api is None else warnings_of(settings, api.clock_skew_s, orchestrator, self._clock.now())

    def register(self, name: str | None) -> None:
        """Register one client or all now; ``IonMeshError``."""
        api = self.api
        for registration in self._chosen(name):
            registration.register(api)
        self._keep()
        self.wake()

    def unregister(self, name: str | None) -> None:
        """Give back what one client or all have, until they are registered by hand; ``IonMeshError``."""
        api = self.api
        for registration in self._chosen(name):
            registration.release(api)
        self._keep()
        self.wake()

    def discover(self) -> dict[str, Any]:
        """What the orchestrator says of itself now; ``IonMeshError``."""
        self._orchestrator = self.api.discover()
        return self._orchestrator

    def sim_cards(self, filters: Mapping[str, str]) -> dict[str, Any]:
        """``{"cards", "cached", "at", "problem"}``: the last ones known where the orchestrator cannot be asked."""
        found = self._listed("cards", lambda api: api.sim_cards())
        cards = [card for card in found["cards"] if all(card.get(name) == value for name, value in filters.items())]
        return found | {"cards": [masked_card(card) for card in cards]}

    def pools(self) -> dict[str, Any]:
        """``{"pools", "cached", "at", "problem"}``, as ``sim_cards``."""
        return self._listed("pools", lambda api: api.pools())

    @property
    def api(self) -> IonMeshApi:
        """The orchestrator; ``Conflict`` when IonMesh is off."""
        api = self._api
        if api is None:
            raise Conflict("IonMesh is off", code="ionmesh_off", hint="switch it on and name its address")
        return api

    def wake(self) -> None:
        """Let the thread look at once."""
        with self._wake:
            self._wake.notify_all()

    def _run(self) -> None:
        while True:
            try:
                wait_s = self.step()
            except Exception:  # an unforeseen fault of one answer must not end the heartbeats
                log.exception("IonMesh")
                wait_s = LEAVE_AGAIN_S
            with self._wake:
                if self._is_mine():
                    self._wake.wait(wait_s)
                if not self._is_mine():
                    return

    def _is_mine(self) -> bool:
        """Whether the thread that asks is still wanted; it ends itself when IonMesh is switched off."""
        if self._thread is threading.current_thread() and self._api is None:
            self._thread = None
        return self._thread is threading.current_thread()

    def _load(self) -> None:
        """Take what was kept of this orchestrator."""
        cache = read_cache(self._state_dir)
        known = clients_in(cache, self._settings)
        self._registrations = {
            name: self._made(name, one["client_id"], one)
            for name, one in known.items()
            if isinstance(one.get("client_id"), str)
        }
        lists, leaving = cache.get("lists"), cache.get("leaving")
        is_same = cache.get("of") == origin_of(self._settings)
        self._lists = lists if is_same and isinstance(lists, dict) else {}
        self._leaving = {one: 0.0 for one in leaving if isinstance(one, str)} if is_same and leaving else {}

    def _follow(self, clients: tuple[RemoteClientSettings, ...]) -> None:
        """Make the registrations those of the clients."""
        wanted = {one.name: ionmesh_id(self._host_name, one) for one in clients if one.enabled}
        wanted = wanted or {ROUTER: f"{self._host_name}-slot0"}
        for name, registration in list(self._registrations.items()):
            if wanted.get(name) != registration.client_id:
                del self._registrations[name]
                if not registration.is_released:
                    self._leaving[registration.client_id] = 0.0
        for name, client_id in wanted.items():
            self._leaving.pop(client_id, None)
            if name not in self._registrations:
                self._registrations[name] = self._made(name, client_id, {})

    def _made(self, name: str, client_id: str, kept: dict[str, Any]) -> Registration:
        return Registration(
            name,
            client_id,
            clock=self._clock,
            tell=self._tell,
            assignment=kept_assignment(kept),
            released=bool(kept.get("released")),
        )

    def _chosen(self, name: str | None) -> list[Registration]:
        with self._wake:
            found = [one for one in self._registrations.values() if name in (None, one.name)]
        if not found:
            raise NotFound(f"IonMesh has no client {(name or '')[:40]!r} of this router", field="client")
        return found

    def _leave(self, api: IonMeshApi) -> None:
        """Unregister clients that this router has no more."""
        with self._wake:
            due = [one for one, at in self._leaving.items() if at <= self._clock.monotonic()]
        for client_id in due:
            try:
                api.unregister(client_id)
            except IonMeshError as error:
                log.debug("%s stays registered: %s", client_id, error.message)
                with self._wake:
                    self._leaving[client_id] = self._clock.monotonic() + LEAVE_AGAIN_S
            else:
                with self._wake:
                    self._leaving.pop(client_id, None)
                self._tell("info", f"IonMesh: {client_id} was unregistered", {"client_id": client_id})

    def _discover(self, api: IonMeshApi) -> None:
        """Ask what it is, now and then; that it does not say costs nothing."""
        with self._wake:
            is_up = any(one.state == "registered" for one in self._registrations.values())
        if not is_up or self._clock.monotonic() < self._discover_at:
            return
        self._discover_at = self._clock.monotonic() + DISCOVER_S
        try:
            self._orchestrator = api.discover()
        except IonMeshError as error:
            log.debug("%s", error.message)

    def _listed(self, name: str, ask: Callable[[IonMeshApi], list[dict[str, Any]]]) -> dict[str, Any]:
        api = self.api
        try:
            entries = ask(api)
        except IonMeshError as error:
            kept = self._lists.get(name)
            if not isinstance(kept, dict) or not isinstance(kept.get(name), list):
                raise
            return {**kept, "cached": True, "problem": error.message}
        now = self._clock.now()
        self._lists[name] = {name: entries, "at": iso_utc(now) if now >= FIRST_TRUSTED else None}
        self._keep(with_lists=self._clock.monotonic() - self._lists_kept_at >= KEEP_LISTS_S)
        return {**self._lists[name], "cached": False, "problem": None}

    def _keep(self, *, with_lists: bool = False) -> None:
        """Write down what changed. The lists change with every look, so they wait, for the flash's sake."""
        with self._wake:
            if self._api is None:
                return
            given = {name: placed(one.assignment) for name, one in self._registrations.items()}
            is_other, self._known = given != self._known, given
            content = {
                "of": origin_of(self._settings),
                "clients": {name: one.kept() for name, one in self._registrations.items()},
                "leaving": sorted(self._leaving),
            }
            written = json.dumps(content).encode()
            if written != self._written or with_lists:
                self._written = written
                self._lists_kept_at = self._clock.monotonic()
                try:
                    write_cache(self._state_dir, content | {"lists": self._lists})
                except OSError as error:
                    log.error("what IonMesh says cannot be kept: %s", error.strerror)
        if is_other:
            self._assigned()

    def _tell(self, severity: str, text: str, data: dict[str, Any]) -> None:
        self._emit(Event("ionmesh", "remsim", self._clock.now(), text, severity, data))


def placed(assignment: Assignment | None) -> Assignment | None:
    """What of an assignment a client is run by."""
    return None if assignment is None else Assignment(assignment.bank_id, assignment.slot_id, assignment.server_host)


SHOWN_FIRST = ("state", "message", "since", "last_heartbeat_at", "assignment", "cached")
WORST_FIRST = ("refused", "unreachable", "registering", "released", "registered")


def ionmesh_id(host_name: str, client: RemoteClientSettings) -> str:
    """A client's name at IonMesh. The stock openwrt client registers itself, so it keeps the name it gives itself."""
    return f"{host_name}-slot{client.client_slot}" if client.program == "openwrt" else f"{host_name}-{client.name}"
