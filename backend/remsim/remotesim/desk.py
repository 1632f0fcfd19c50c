"""All of remote SIM that one router has, as little of it as it needs.

A router without clients and servers only listens to the spool: what works is loaded with the first event or setting.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remsim.config.settings import Settings
from remsim.core.clock import Clock
from remsim.core.events import Event
from remsim.core.lazy import LazyDesk
from remsim.remotesim.bell import Bell
from remsim.remotesim.spool import Spool

if TYPE_CHECKING:
    from remsim.remotesim.clients import ModemAt
    from remsim.remotesim.extras import Extras
    from remsim.remotesim.keeper import Keeper
    from remsim.remotesim.parts import Parts
    from remsim.remotesim.supervisor import Supervisor
    from remsim.remotesim.told import Told

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 3600.0
AGAIN_S = 60.0
"""After a mistake of ours."""
END_S = 4.0
"""A request that is not answered takes 3 s."""
VARIABLES = ("REMSIM_SERVER_URL", "REMSIM_IONMESH_URL")
"""Addresses that need no settings, for tests."""
NO_SERVER = {"name": None, "url": None, "reachable": None, "problem": None, "hint": None, "since": None}


class RemoteSim(LazyDesk["Parts"]):
    """The router's clients, the servers they talk to and the slot maps wanted there."""

    def __init__(
        self,
        *,
        settings: Settings,
        state_dir: Path,
        data_dir: Path,
        clock: Clock,
        emit: Callable[[Event], None],
        modem_at: ModemAt = lambda place: None,
        config_dir: Path | None = None,
        programs: Path | None = None,
    ) -> None:
        super().__init__()
        self._settings = settings
        self._given: dict[str, Any] = {
            "state_dir": state_dir,
            "data_dir": data_dir,
            "clock": clock,
            "emit": emit,
            "modem_at": modem_at,
            "config_dir": config_dir,
            "programs": programs,
        }
        self._bell = Bell()
        self._spool = Spool(state_dir, data_dir)
        self._spool_problem: str | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to listen to the clients, and to look at the servers where there are any."""
        try:
            self._bell.watch(self._spool.open())
        except OSError as error:
            self._spool_problem = f"{self._spool.path}: {error.strerror}"
            log.error("events of remote SIM clients cannot be taken: %s", self._spool_problem)
        super().start()
        self._thread = threading.Thread(target=self._run, name="remote-sim", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, and close the files."""
        self._stopping.set()
        super().stop()
        self._bell.ring()
        if self._thread is not None:
            self._thread.join(END_S)
        if self._parts is not None:
            self._parts.close()
        self._bell.close()

    def configure(self, settings: Settings) -> None:
        """Put changed settings in force."""
        with self._loading:
            self._settings = settings
            parts = self._parts
        if parts is not None:
            parts.configure(settings)
        else:
            self._load_if_needed()
        self._bell.ring()

    def view(self) -> dict[str, Any]:
        """The object of ``GET /api/v1/remote-sim``."""
        view = self._nothing() if self._parts is None else self._parts.view()
        spool = {
            "waiting": len(self._spool.names()),
            "dropped": self._spool.dropped,
            "cut": self._spool.cut,
            "problem": self._spool_problem,
        }
        return view | {"spool": spool, "warnings": [*view["warnings"], *self._warnings()]}

    def serves(self, modem: str) -> bool | None:
        """Whether a bank serves a modem its card now; None when no client is set up for it, or nothing is known."""
        return None if self._parts is None else self._parts.serves(modem)

    @property
    def keeper(self) -> Keeper:
        """The servers and their slot maps."""
        return self.parts.keeper

    @property
    def extras(self) -> Extras:
        """IonMesh and counting."""
        return self.parts.extras

    @property
    def supervisor(self) -> Supervisor:
        """The programs of the clients."""
        return self.parts.supervisor

    @property
    def told(self) -> Told:
        """What the clients told."""
        return self.parts.told

    def _is_needed(self) -> bool:
        """Whether there is anything to do besides waiting for events."""
        settings = self._settings
        wanted = settings.remote_clients or settings.remsim_servers or settings.ionmesh.enabled
        return bool(
            wanted or settings.remote_sim.gsmtap or self._spool.names() or any(map(os.environ.get, VARIABLES))
        )

    def _make(self) -> Parts:
        from remsim.remotesim.parts import Parts

        return Parts(self._spool, self._bell.ring, settings=self._settings, **self._given)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if self._parts is None and self._spool.names():
                    self.parts  # noqa: B018
                wait_s = LONGEST_WAIT_S if self._parts is None else self._parts.tick()
            except Exception:  # what could not be made now, for want of memory, can be later
                log.exception("remote SIM")
                wait_s = AGAIN_S
            self._bell.wait(wait_s)

    def _warnings(self) -> list[dict[str, Any]]:
        """What keeps events of the clients from being known."""
        found = []
        if self._spool_problem is not None:
            text = f"what the clients tell cannot be taken: {self._spool_problem}"
            found.append({"code": "spool", "message": text, "hint": "check the disk, then restart remsim"})
        if self._spool.cut:
            text = f"{self._spool.cut} events of clients were cut short since the service started; states may be old"
            found.append({"code": "events_cut", "message": text, "hint": f"free space for {self._spool.path}"})
        return found

    def _nothing(self) -> dict[str, Any]:
        """What is shown of a router that has nothing to do with remote SIMs."""
        lists: dict[str, Any] = {name: [] for name in ("servers", "banks", "slotmaps", "warnings", "clients")}
        return {"server": dict(NO_SERVER), **lists, "ionmesh": None, "gsmtap": None}
