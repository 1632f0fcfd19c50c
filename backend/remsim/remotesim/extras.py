"""What of remote SIM most routers do without: IonMesh and counting. Each is loaded once it is configured."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remsim.config.settings import Settings
from remsim.core.clock import Clock
from remsim.core.errors import Conflict
from remsim.core.events import Event
from remsim.remotesim.ionmesh_environment import in_force

if TYPE_CHECKING:
    from remsim.remotesim.ionmesh import IonMesh

STATUS = {"remote": "active", "connecting": "warning", "local": "warning", "unassigned": "warning"}
"""A client's state in IonMesh's words."""


class Extras:
    """``clients`` gives the views of this router's clients, for IonMesh's heartbeats."""

    def __init__(
        self,
        *,
        state_dir: Path,
        clock: Clock,
        emit: Callable[[Event], None],
        clients: Callable[[], list[dict[str, Any]]],
    ) -> None:
        self._state_dir = state_dir
        self._clock = clock
        self._emit = emit
        self._clients = clients
        self._is_running = False
        self._started = clock.monotonic()
        self._ionmesh: IonMesh | None = None

    def configure(self, settings: Settings) -> None:
        """Put changed settings in force."""
        if self._ionmesh is None and in_force(settings.ionmesh, os.environ).enabled:
            from remsim.remotesim.ionmesh import IonMesh

            self._ionmesh = IonMesh(state_dir=self._state_dir, clock=self._clock, emit=self._emit, beat=self._beat)
        if self._ionmesh is not None:
            self._ionmesh.configure(settings)
            if self._is_running:
                self._ionmesh.start()

    def start(self) -> None:
        """Begin with what is configured."""
        self._is_running = True
        if self._ionmesh is not None:
            self._ionmesh.start()

    def stop(self) -> None:
        """End."""
        self._is_running = False
        if self._ionmesh is not None:
            self._ionmesh.stop()

    @property
    def ionmesh(self) -> IonMesh:
        """IonMesh; ``Conflict`` when it is off."""
        if self._ionmesh is None:
            raise Conflict("IonMesh is off", code="ionmesh_off", hint="switch it on and name its address")
        return self._ionmesh

    def add_to(self, view: dict[str, Any]) -> None:
        """Put into remote SIM's view what is known here."""
        mesh = self._ionmesh
        view["ionmesh"] = None if mesh is None else mesh.view()
        view["warnings"] = [*view.get("warnings", ()), *(() if mesh is None else mesh.warnings())]

    def _beat(self, name: str) -> Mapping[str, Any]:
        """What a heartbeat says of a client; what is not known is not in it."""
        client = next((one for one in self._clients() if one.get("name") == name), {})
        stats = {
            "uptime_seconds": int(self._clock.monotonic() - self._started),
            "tpdus_sent": client.get("tpdu_tx"),
            "tpdus_received": client.get("tpdu_rx"),
        }
        is_dead = (client.get("process") or {}).get("running") is False
        return {
            "status": "error" if is_dead else STATUS.get(str(client.get("state")), "active"),
            "stats": {key: value for key, value in stats.items() if value is not None},
        }
