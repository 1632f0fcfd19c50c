"""All of remote SIM that one router has: made, started and stopped together, shown as one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from remsim.config.settings import Settings
from remsim.core.clock import Clock
from remsim.core.events import Event
from remsim.remotesim.extras import Extras
from remsim.remotesim.keeper import Keeper


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
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._emit = emit
        self.keeper = Keeper(state_dir / "remote_sim.db", settings=settings, clock=clock, emit=emit)
        self.extras = Extras(
            state_dir=state_dir, data_dir=data_dir, clock=clock, emit=emit, clients=self._client_views
        )
        self.extras.configure(settings)

    def start(self) -> None:
        """Begin to listen to the clients and to look at the servers."""
        self.extras.start()

    def stop(self) -> None:
        """End, and close the files."""
        self.extras.stop()
        self.keeper.close()

    def configure(self, settings: Settings) -> None:
        """Put changed settings in force."""
        self._settings = settings
        self.keeper.configure(settings)
        self.extras.configure(settings)

    def view(self) -> dict[str, Any]:
        """The object of ``GET /api/v1/remote-sim``."""
        view = {**self.keeper.view(), "clients": self._client_views()}
        self.extras.add_to(view)
        return view

    def _client_views(self) -> list[dict[str, Any]]:
        """What is known of the clients."""
        return []
