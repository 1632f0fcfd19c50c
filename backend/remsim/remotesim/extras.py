"""What of remote SIM most routers do without: IonMesh and counting. Each is loaded once it is configured."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remsim.config.remote_sim import RemoteClientSettings
from remsim.config.settings import Settings
from remsim.core.clock import Clock, iso_utc
from remsim.core.errors import Conflict
from remsim.core.events import Event
from remsim.remotesim.ionmesh_environment import in_force
from remsim.remotesim.relay_place import RELAYS, counters_path, has_relay, is_relay_address

if TYPE_CHECKING:
    from remsim.remotesim.gsmtap import GsmtapListener
    from remsim.remotesim.ionmesh import IonMesh

STATUS = {"remote": "active", "connecting": "warning", "local": "warning", "unassigned": "warning"}
"""A client's state in IonMesh's words."""


class Extras:
    """``clients`` gives the views of this router's clients, for IonMesh's heartbeats.

    ``assigned`` is called when IonMesh gave a client something else than before: ``read_assignments`` has it.
    """

    def __init__(
        self,
        *,
        state_dir: Path,
        data_dir: Path,
        clock: Clock,
        emit: Callable[[Event], None],
        clients: Callable[[], list[dict[str, Any]]],
        assigned: Callable[[], None] = lambda: None,
    ) -> None:
        self._state_dir = state_dir
        self._data_dir = data_dir.absolute()  # as it stands on the relays' command lines
        self._clock = clock
        self._emit = emit
        self._clients = clients
        self._assigned = assigned
        self._is_running = False
        self._started = clock.monotonic()
        self._ionmesh: IonMesh | None = None
        self._gsmtap: GsmtapListener | None = None
        self._gsmtap_wanted = ""
        self._relayed: dict[str, RemoteClientSettings] = {}

    def configure(self, settings: Settings) -> None:
        """Put changed settings in force."""
        if self._ionmesh is None and in_force(settings.ionmesh, os.environ).enabled:
            from remsim.remotesim.ionmesh import IonMesh

            self._ionmesh = IonMesh(
                state_dir=self._state_dir,
                clock=self._clock,
                emit=self._emit,
                beat=self._beat,
                assigned=self._assigned,
            )
        if self._ionmesh is not None:
            self._ionmesh.configure(settings)
            if self._is_running:
                self._ionmesh.start()
        self._relayed = {one.name: one for one in settings.remote_clients if has_relay(one)}
        self._gsmtap_wanted = settings.remote_sim.gsmtap
        self._follow_gsmtap()

    def start(self) -> None:
        """Begin with what is configured."""
        self._is_running = True
        if self._ionmesh is not None:
            self._ionmesh.start()
        self._follow_gsmtap()

    def stop(self) -> None:
        """End."""
        self._is_running = False
        if self._ionmesh is not None:
            self._ionmesh.stop()
        self._follow_gsmtap()

    @property
    def ionmesh(self) -> IonMesh:
        """IonMesh; ``Conflict`` when it is off."""
        if self._ionmesh is None:
            raise Conflict("IonMesh is off", code="ionmesh_off", hint="switch it on and name its address")
        return self._ionmesh

    def add_to(self, view: dict[str, Any]) -> None:
        """Put into remote SIM's view what is known here."""
        mesh, gsmtap = self._ionmesh, self._gsmtap
        view["ionmesh"] = None if mesh is None else mesh.view()
        view["gsmtap"] = None if gsmtap is None else gsmtap.view()
        found = [] if mesh is None else mesh.warnings()
        if view["gsmtap"] is not None and view["gsmtap"]["problem"] is not None:
            hint = "name an address that this router has"
            found.append({"code": "gsmtap", "message": view["gsmtap"]["problem"], "hint": hint})
        view["warnings"] = [*view.get("warnings", ()), *found]
        for client in view["clients"]:
            client |= self._counted(client)
            if client["relay"]["running"] is False:
                text = f"the relay of {client['name']} does not run, so its SIM is gone"
                hint = "it is started again by itself; without counting there is no relay"
                view["warnings"].append({"code": "relay_down", "message": text, "hint": hint})

    def _follow_gsmtap(self) -> None:
        """Listen where it is wanted, while we run."""
        wanted = self._gsmtap_wanted if self._is_running else ""
        if self._gsmtap is not None and self._gsmtap.address != wanted:
            self._gsmtap.stop()
            self._gsmtap = None
        if self._gsmtap is None and wanted:
            from remsim.remotesim.gsmtap import GsmtapListener

            self._gsmtap = GsmtapListener(wanted, self._data_dir / "gsmtap.json")
            self._gsmtap.start()

    def _counted(self, client: Mapping[str, Any]) -> dict[str, Any]:
        """What a client's relay counts, while it runs; and the bankd it hides."""
        settings = self._relayed.get(str(client.get("name")))
        if settings is None:
            return {"relay": {"enabled": False, "running": None}}
        from remsim.remotesim.counts import read_file, shown

        file = counters_path(self._data_dir / RELAYS, settings.name)
        content = read_file(file)
        is_running = bool(content) and is_relay(content.get("pid"), file)
        relay = {"enabled": True, "running": is_running, "problem": None}
        if not is_running:
            return {"relay": relay}
        links = {name: content.get(name) for name in ("server_link", "bankd_link", "problem")}
        since = content["since"]
        found = {"relay": relay | links, **shown(content, None if since is None else iso_utc(since))}
        if is_relay_address(str(client.get("bankd_addr"))):
            found["bankd_addr"] = content.get("bankd")
        return found

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


def is_relay(pid: Any, file: Path) -> bool:
    """Whether a process is the relay that counts in a file."""
    try:
        return bytes(file) in Path(f"/proc/{int(pid)}/cmdline").read_bytes().split(b"\0")
    except (OSError, TypeError, ValueError):
        return False
