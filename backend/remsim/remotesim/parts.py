"""What works once a router has anything to do with remote SIMs: clients, servers, slot maps, IonMesh, counting."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from remsim.config.settings import Settings
from remsim.core.clock import Clock
from remsim.core.events import Event
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
KEPT = "remote-clients.json"
"""In the data directory: what clients told, over a restart of the service."""


class Parts:
    """The router's clients, the servers they talk to and the slot maps wanted there.

    ``tick`` is called by one thread, which ``wake`` has do so soon; all else from any.
    """

    def __init__(
        self,
        spool: Spool,
        wake: Callable[[], None],
        *,
        settings: Settings,
        state_dir: Path,
        data_dir: Path,
        clock: Clock,
        emit: Callable[[Event], None],
        modem_at: ModemAt,
        config_dir: Path | None,
        programs: Path | None,
    ) -> None:
        self._modem_at = modem_at
        self.keeper = Keeper(
            state_dir / "remote_sim.db",
            settings=settings,
            clock=clock,
            emit=emit,
            in_use=self._in_use,
            source_of=self._source_of,
            wake=wake,
        )
        self.told = Told(
            spool, data_dir / KEPT, clock=clock, emit=emit, of_client=self._named
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
        """Begin."""
        self.extras.start()
        self.supervisor.start()

    def stop(self) -> None:
        """End what has threads or children of its own; ``close`` comes after the last ``tick``."""
        self.extras.stop()
        self.supervisor.stop()

    def close(self) -> None:
        """Close the files."""
        self.keeper.close()

    def configure(self, settings: Settings) -> None:
        """Put changed settings in force."""
        self.keeper.configure(settings)
        self.extras.configure(settings)
        self.supervisor.configure(settings)

    def view(self) -> dict[str, Any]:
        """What is shown, but the spool."""
        view = {**self.keeper.view(), "clients": self._client_views()}
        self.extras.add_to(view)
        return view

    def tick(self) -> float:
        """Do what is due; in how many seconds something is again."""
        waits = [LONGEST_WAIT_S]
        for part in (self._hear, self.keeper.tick):
            try:
                waits.append(part())
            except Exception:  # a mistake at one look must not be the last look
                log.exception("remote SIM")
                waits.append(AGAIN_S)
        return min(waits)

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
