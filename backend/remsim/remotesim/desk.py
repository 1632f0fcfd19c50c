"""All of remote SIM that one router has: made, started and stopped together, shown as one."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from remsim.config.settings import Settings
from remsim.core.clock import Clock
from remsim.core.events import Event
from remsim.remotesim.bell import Bell
from remsim.remotesim.clients import ModemAt, client_rows, foreign_rows
from remsim.remotesim.extras import Extras
from remsim.remotesim.keeper import Keeper
from remsim.remotesim.spool import Spool
from remsim.remotesim.supervisor import Supervisor
from remsim.remotesim.told import Told

log = logging.getLogger(__name__)

AGAIN_S = 5.0
"""After a mistake of ours."""
LONGEST_WAIT_S = 3600.0
END_S = 4.0
"""A request that is not answered takes 3 s."""


class RemoteSim:
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
        self._clock = clock
        self._emit = emit
        self._modem_at = modem_at
        self._bell = Bell()
        self._spool = Spool(state_dir, data_dir)
        self._spool_problem: str | None = None
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self.keeper = Keeper(
            state_dir / "remote_sim.db",
            settings=settings,
            clock=clock,
            emit=emit,
            in_use=self._in_use,
            source_of=self._source_of,
            wake=self._bell.ring,
        )
        self.told = Told(
            self._spool, data_dir / "remote-clients.json", clock=clock, emit=emit, of_client=self._named
        )
        self.supervisor = Supervisor(
            settings=settings,
            state_dir=state_dir,
            data_dir=data_dir,
            config_dir=config_dir,
            programs=programs,
            clock=clock,
            emit=emit,
            source_of=self._source_of,
        )
        self.extras = Extras(
            state_dir=state_dir,
            data_dir=data_dir,
            clock=clock,
            emit=emit,
            clients=self._client_views,
            assigned=self.supervisor.follow,
        )
        self.extras.configure(settings)

    def start(self) -> None:
        """Begin to listen to the clients and to look at the servers."""
        try:
            self._bell.watch(self._spool.open())
        except OSError as error:
            self._spool_problem = f"{self._spool.path}: {error.strerror}"
            log.error("events of remote SIM clients cannot be taken: %s", self._spool_problem)
        self._thread = threading.Thread(target=self._run, name="remote-sim", daemon=True)
        self._thread.start()
        self.extras.start()
        self.supervisor.start()

    def stop(self) -> None:
        """End, and close the files."""
        self.extras.stop()
        self.supervisor.stop()
        self._stopping.set()
        self._bell.ring()
        if self._thread is not None:
            self._thread.join(END_S)
        self.keeper.close()
        self._bell.close()

    def configure(self, settings: Settings) -> None:
        """Put changed settings in force."""
        self.keeper.configure(settings)
        self.extras.configure(settings)
        self.supervisor.configure(settings)
        self._bell.ring()

    def view(self) -> dict[str, Any]:
        """The object of ``GET /api/v1/remote-sim``."""
        spool = {"waiting": len(self._spool.names()), "dropped": self._spool.dropped, "problem": self._spool_problem}
        view = {**self.keeper.view(), "clients": self._client_views(), "spool": spool | {"cut": self._spool.cut}}
        self.extras.add_to(view)
        return view

    def _client_views(self) -> list[dict[str, Any]]:
        """What is known of the clients."""
        servers = self.keeper.seen()
        ours = self.supervisor.clients()
        return [
            *client_rows(ours, servers, self._modem_at, self.told, self.supervisor.processes()),
            *foreign_rows(ours, servers, self.told),
        ]

    def serves(self, modem: str) -> bool | None:
        """Whether a bank serves a modem its card now; None when no client is set up for it, or nothing is known."""
        for one in self.supervisor.clients():
            found = None if one.modem is None else self._modem_at(one.modem)
            if found is not None and found[0] == modem:
                return self.told.bankd_connected((one.client_id, one.client_slot))
        return None

    def _run(self) -> None:
        while not self._stopping.is_set():
            waits = [LONGEST_WAIT_S]
            for part in (self._hear, self.keeper.tick):
                try:
                    waits.append(part())
                except Exception:  # a mistake at one look must not be the last look
                    log.exception("remote SIM")
                    waits.append(AGAIN_S)
            self._bell.wait(min(waits))

    def _hear(self) -> float:
        """Take in what clients told, and look for their processes."""
        pids = self.supervisor.pids()
        wanted = {
            (one.client_id, one.client_slot): pids.get(one.name) for one in self.supervisor.clients() if one.enabled
        }
        return self.told.tick(wanted)

    def _named(self, client: tuple[int, int]) -> tuple[str, str | None]:
        """What events of a client are of, and its name here."""
        names = (one.name for one in self.supervisor.clients() if (one.client_id, one.client_slot) == client)
        return self._source_of(client), next(names, None)

    def _in_use(self, client: tuple[int, int]) -> bool | None:
        """Whether the modem of a client's slot is online, as far as it is known."""
        for one in self.supervisor.clients():
            if (one.client_id, one.client_slot) == client and one.modem is not None:
                found = self._modem_at(one.modem)
                return None if found is None else found[1] == "online"
        return None

    def _source_of(self, client: tuple[int, int]) -> str:
        """What events of a client are of: its modem, else its name."""
        for one in self.supervisor.clients():
            if (one.client_id, one.client_slot) == client:
                found = None if one.modem is None else self._modem_at(one.modem)
                return one.name if found is None else found[0]
        return "remsim"
