"""The clients of this router: each runs by itself, is started again when it ends, and can be stopped alone.

On OpenWrt procd runs them, so that a restart of this service costs no modem its card; elsewhere, and in a simulation,
they are children of the service. A stopped client stays stopped until it is started, or the router.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from remsim.config.remote_sim import RemoteClientSettings
from remsim.config.settings import Settings
from remsim.core.clock import Clock, iso_utc
from remsim.core.errors import ConfigError, Conflict, NotFound
from remsim.core.events import Event
from remsim.core.small_dataclass import dataclass
from remsim.remotesim import procd
from remsim.remotesim.assignment import read_assignments
from remsim.remotesim.client_file import service_slot
from remsim.remotesim.event_script import event_script
from remsim.remotesim.ionmesh_environment import in_force
from remsim.remotesim.processes import Runner, Seen
from remsim.remotesim.programs import (
    PROGRAMS,
    RELAY_SUFFIX,
    Ground,
    Instance,
    Refusal,
    instances_of,
    refusals,
)

log = logging.getLogger(__name__)

LOOK_S = 5.0
FOLLOW_S = 15.0
"""How soon is noticed what nobody tells: another assignment of IonMesh's, the client package's service."""
QUIET_S = 30.0
"""Who has run for so long after a failure runs again; until then only the first failure is told."""
END_S = 8.0
FOLDER = "clients"
"""Of the data directory: logs, and marks of who is stopped."""
STOPPED = ".stopped"
ON_ROUTER = Path("/usr/share/remsim/remote-sim-event.sh")


def ground_of(
    settings: Settings, *, state_dir: Path, data_dir: Path, config_dir: Path | None, programs: Path | None
) -> Ground:
    """What starts depend on, as it is now."""
    ionmesh = in_force(settings.ionmesh, os.environ)
    try:
        script = event_script()
    except ConfigError as error:  # clients run all the same, and nothing hears of their events
        log.error("%s", error.message)
        script = ON_ROUTER
    return Ground(
        state_dir=state_dir.absolute(),
        data_dir=data_dir.absolute(),
        script=script,
        programs=programs,
        ionmesh=ionmesh,
        assignments=read_assignments(state_dir, ionmesh) if ionmesh.enabled else {},
        theirs=None if programs else service_slot(config_dir),
        by_procd=programs is None and procd.is_here(),
    )


def wanted_instances(settings: Settings, ground: Ground) -> tuple[list[Instance], dict[str, Refusal]]:
    """What is to run, and which clients cannot. Stopped ones are left out."""
    refused = refusals(settings.remote_clients, ground)
    return [
        instance
        for client in settings.remote_clients
        if client.enabled and client.name not in refused and not is_stopped(ground.data_dir, client.name)
        for instance in instances_of(client, ground)
    ], refused


def is_stopped(data_dir: Path, name: str) -> bool:
    """Whether somebody has stopped a client."""
    return (data_dir / FOLDER / (name + STOPPED)).exists()


def start_again(data_dir: Path, name: str) -> None:
    """Forget that somebody has stopped a client."""
    (data_dir / FOLDER / (name + STOPPED)).unlink(missing_ok=True)


@dataclass(slots=True)
class Told:
    """What was journalled of an instance last."""

    changed_at: float
    pid: int | None = None
    restarts: int = 0
    is_failing: bool = False


class Supervisor:
    """All clients. There is a thread while any is configured."""

    def __init__(
        self,
        *,
        settings: Settings,
        state_dir: Path,
        data_dir: Path,
        config_dir: Path | None,
        programs: Path | None,
        clock: Clock,
        emit: Callable[[Event], None],
        source_of: Callable[[tuple[int, int]], str] = lambda slot: "remsim",
        make_runner: Callable[[], Runner] | None = None,
    ) -> None:
        self._settings = settings
        self._state_dir, self._data_dir, self._config_dir = state_dir, data_dir, config_dir
        self._programs = programs
        self._clock = clock
        self._emit = emit
        self._source_of = source_of
        self._make_runner = make_runner or self._usual_runner
        self._lock = threading.RLock()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._is_started = False
        self._runner: Runner | None = None
        self._instances: dict[str, Instance] = {}
        self._refused: dict[str, Refusal] = {}
        self._slots: dict[str, tuple[int, int]] = {}
        self._told: dict[str, Told] = {}

    def start(self) -> None:
        """Run the clients that are configured."""
        self._is_started = True
        self._need_thread()

    def configure(self, settings: Settings) -> None:
        """Put changed settings in force: only clients whose command line changes are started again."""
        with self._lock:
            self._settings = settings
        if self._is_started:
            self._need_thread()
            self.follow()

    def stop(self) -> None:
        """End; clients that are our children end, those of procd go on."""
        self._stopping.set()
        if self._runner is not None:
            self._runner.wake()
        if self._thread is not None:
            self._thread.join(END_S)

    def start_client(self, name: str) -> None:
        """Start a stopped client; ``Conflict`` says why it cannot be."""
        client = self._client(name)
        if not client.enabled:
            raise Conflict(f"client {name} is switched off in its settings", code="not_enabled", field="enabled")
        if self._seen().get(name, Seen(running=False)).running and not is_stopped(self._data_dir, name):
            raise Conflict(f"client {name} runs already", code="already_running", field="name")
        self._mark(name, is_stopped=False)
        self.follow()
        refusal = self._refused.get(name)
        if refusal is not None:
            raise Conflict(refusal.message, code="not_startable", field=refusal.field, hint=refusal.hint)

    def stop_client(self, name: str) -> None:
        """Stop one client, and its relay. Its modem loses the remote card."""
        self._client(name)
        if is_stopped(self._data_dir, name):
            raise Conflict(f"client {name} is stopped already", code="already_stopped", field="name")
        self._mark(name, is_stopped=True)
        self.follow()

    def restart_client(self, name: str) -> None:
        """End one client and start it again."""
        if is_stopped(self._data_dir, name) or name not in self._seen() or self._runner is None:
            self.start_client(name)
        else:
            self._client(name)
            self._runner.restart(name)

    def log(self, name: str) -> list[str]:
        """A client's last lines."""
        self._client(name)
        with self._lock:
            instances = [one for one in self._instances.values() if one.client == name]
        if self._runner is None or not instances:
            raise NotFound(f"client {name} has not run since the service started", field="name")
        return self._runner.log(next(one for one in instances if not one.is_relay))

    def clients(self) -> tuple[RemoteClientSettings, ...]:
        """The configured clients under the ids that they say hello with: IonMesh may have given them others."""
        with self._lock:
            settings, slots = self._settings, self._slots
        return tuple(
            replace(one, client_id=slots[one.name][0], client_slot=slots[one.name][1]) if one.name in slots else one
            for one in settings.remote_clients
        )

    def follow(self) -> None:
        """Have run what is to run now. Called when something that starts depend on may have changed."""
        with self._lock:
            ground = ground_of(
                self._settings,
                state_dir=self._state_dir,
                data_dir=self._data_dir,
                config_dir=self._config_dir,
                programs=self._programs,
            )
            self._slots = {name: (given.bank_id, given.slot_id) for name, given in ground.assignments.items()}
            wanted, refused = wanted_instances(self._settings, ground)
            self._refused = refused
            names = {one.name for one in self._settings.remote_clients}
            self._instances = {name: one for name, one in self._instances.items() if one.client in names}
            self._instances |= {one.name: one for one in wanted}
            if self._runner is not None:
                self._runner.follow(wanted)

    def refusal(self, name: str) -> Refusal | None:
        """Why a client is not started."""
        with self._lock:
            return self._refused.get(name)

    def pids(self) -> dict[str, int]:
        """The processes of clients that run."""
        return {name: one.pid for name, one in self._seen().items() if one.pid is not None}

    def processes(self) -> dict[str, dict[str, Any]]:
        """Each configured client's process, as ``process`` in the API, and ``relay_running`` where it has one."""
        seen = self._seen()
        with self._lock:
            settings, refused, instances = self._settings, dict(self._refused), dict(self._instances)
        found = {}
        for client in settings.remote_clients:
            one = seen.get(client.name, Seen(running=False))
            stopped = is_stopped(self._data_dir, client.name)
            refusal = refused.get(client.name)
            found[client.name] = {
                "running": one.running,
                "pid": one.pid,
                "program": client.program,
                "name": PROGRAMS[client.program],
                "since": None if one.since is None else iso_utc(one.since),
                "restarts": one.restarts,
                "log": client.name in instances,
                "can": self._can(client, one, stopped),
                "stopped": stopped,
                "problem": problem_of(client, one, refusal, stopped),
                "hint": refusal.hint if refusal else None,
            }
            relay = seen.get(client.name + RELAY_SUFFIX)
            if relay is not None:
                found[client.name]["relay_running"] = relay.running
        return found

    def _can(self, client: RemoteClientSettings, one: Seen, stopped: bool) -> list[str]:
        if not client.enabled:
            return []
        if stopped:
            return ["start"]
        return ["stop", "restart"] if one.running or client.name not in self._refused else ["start"]

    def _seen(self) -> dict[str, Seen]:
        return {} if self._runner is None else self._runner.seen()

    def _client(self, name: str) -> RemoteClientSettings:
        with self._lock:
            for client in self._settings.remote_clients:
                if client.name == name:
                    return client
        raise NotFound(f"there is no client {name[:40]!r}", field="name")

    def _mark(self, name: str, *, is_stopped: bool) -> None:
        path = self._data_dir / FOLDER / (name + STOPPED)
        path.parent.mkdir(parents=True, exist_ok=True)
        if is_stopped:
            path.touch()
        else:
            path.unlink(missing_ok=True)

    def _usual_runner(self) -> Runner:
        if self._programs is None and procd.is_here():
            return procd.Procd(self._clock)
        from remsim.remotesim.children import Children

        return Children(self._data_dir / FOLDER, self._clock)

    def _need_thread(self) -> None:
        with self._lock:
            if self._thread is not None or not self._is_started or not self._settings.remote_clients:
                return
            self._runner = self._make_runner()
            self.follow()
            self._thread = threading.Thread(target=self._run, name="remote-clients", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        assert self._runner is not None
        due = 0.0
        while not self._stopping.is_set():
            try:
                self._runner.step(LOOK_S)
                if self._clock.monotonic() >= due:
                    due = self._clock.monotonic() + FOLLOW_S
                    self.follow()
                self._tell()
            except Exception:  # a mistake at one client must not be the end of all
                log.exception("remote SIM clients")
                self._stopping.wait(LOOK_S)
        with contextlib.suppress(Exception):
            self._runner.close()

    def _tell(self) -> None:
        """Journal who started and who ended. Of one that fails again and again only the first time."""
        now = self._clock.monotonic()
        seen = self._seen()
        for name, one in seen.items():
            told = self._told.get(name)
            if told is None:
                told = self._told[name] = Told(changed_at=now)
                if one.since is not None and self._clock.now() - one.since > QUIET_S:
                    told.pid = one.pid  # it has run before this service did
            self._tell_one(name, one, told, now)
        for name in [name for name in self._told if name not in seen]:
            if self._told.pop(name).pid is not None:
                self._say(name, "was ended", "info")

    def _tell_one(self, name: str, one: Seen, told: Told, now: float) -> None:
        if one.pid == told.pid and one.restarts == told.restarts:
            if told.is_failing and one.running and now - told.changed_at >= QUIET_S:
                told.is_failing = False
                self._say(name, "runs again", "info")
            return
        has_failed = one.ended is not None and one.restarts != told.restarts
        if has_failed and not told.is_failing:
            self._say(name, f"{one.ended}; it is started again", "warning")
        elif not told.is_failing and one.pid is not None:
            self._say(name, "runs", "info")
        elif not has_failed and one.pid is None:
            self._say(name, "was ended", "info")
        told.is_failing = has_failed or (told.is_failing and one.ended is not None)
        told.pid, told.restarts, told.changed_at = one.pid, one.restarts, now

    def _say(self, name: str, what: str, severity: str) -> None:
        instance = self._instances.get(name)
        client = procd.client_of(name) if instance is None else instance.client
        who = f"the relay of client {client}" if name != client else f"client {client}"
        slots = [(one.client_id, one.client_slot) for one in self.clients() if one.name == client]
        source = self._source_of(slots[0]) if slots else "remsim"
        self._emit(Event("remsim_client", source, self._clock.now(), f"{who} {what}", severity, {"client": client}))


def problem_of(client: RemoteClientSettings, one: Seen, refusal: Refusal | None, stopped: bool) -> str | None:
    """Why a client does not run, in a sentence."""
    if one.running:
        return None
    if not client.enabled:
        return "it is switched off in its settings"
    if stopped:
        return "somebody has stopped it"
    if refusal is not None:
        return refusal.message
    return None if one.ended is None else f"it {one.ended}, and is started again"
