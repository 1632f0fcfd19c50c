"""All of eSIM that one router has, as little of it as it needs.

A router whose cards nobody has asked about only knows its modems' names: what works is loaded when somebody asks, or at
the start where something was left to do.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remsim.config.settings import Settings
from remsim.core.bus import Bus
from remsim.core.clock import Clock
from remsim.core.events import Event
from remsim.core.jobs import Jobs
from remsim.core.lazy import LazyDesk
from remsim.core.reading import ModemReading

if TYPE_CHECKING:
    from remsim.config.desk import ConfigDesk
    from remsim.esim.holder import Holder
    from remsim.esim.parts import Parts
    from remsim.options import EsimSimulation
    from remsim.telemetry.usage import Usage

log = logging.getLogger(__name__)

FILE = "esim.db"
PCSCD = (Path("/run/pcscd/pcscd.comm"), Path("/var/run/pcscd/pcscd.comm"))
"""Sockets of the program that owns card readers."""
EMPTY: Mapping[str, Any] = {
    "way": None,
    "eid": None,
    "read_at": None,
    "managed_by": None,
    "euicc": None,
    "profiles": [],
    "notifications": [],
}
"""What is known of a card that was never read."""


class EsimDesk(LazyDesk["Parts"]):
    """The router's eUICCs, the profiles on them and what is done to them.

    ``modems`` gives ids and names of the modems that are there, ``readings`` the last of each, ``holders`` what asks
    their cards (loads it), ``sim_of`` the name in history of a card's number. ``simulated``: the operators of a
    simulated router.
    """

    def __init__(
        self,
        *,
        settings: Settings,
        state_dir: Path,
        data_dir: Path,
        clock: Clock,
        emit: Callable[[Event], None],
        jobs: Jobs,
        bus: Bus,
        usage: Usage,
        modems: Callable[[], list[tuple[str, str]]],
        readings: Callable[[], Mapping[str, ModemReading]],
        holders: Callable[[], list[Holder]],
        sim_of: Callable[[str | None], str | None],
        config: ConfigDesk,
        simulated: EsimSimulation | None = None,
    ) -> None:
        super().__init__()
        self._settings = settings
        self._path = state_dir / FILE
        self._modems = modems
        self._given: dict[str, Any] = {
            "path": self._path,
            "data_dir": data_dir,
            "clock": clock,
            "emit": emit,
            "jobs": jobs,
            "bus": bus,
            "usage": usage,
            "readings": readings,
            "holders": holders,
            "sim_of": sim_of,
            "config": config,
            "simulated": simulated,
        }

    def let_load_end(self) -> None:
        """Before jobs are ended: a package that loads has a little time to be whole."""
        if self._parts is not None:
            self._parts.room.let_load_end()

    def configure(self, settings: Settings) -> None:
        """Put changed settings in force."""
        with self._loading:
            self._settings = settings
            parts = self._parts
        if parts is not None:
            parts.configure(settings)

    def look(self) -> None:
        """Now and then: begin what is due. Does not wait for it."""
        if self._is_stopping:
            return
        if self._parts is not None or self._settings.esim_rules:
            self.parts.look()

    def check_restart(self) -> None:
        """``Conflict`` while a package loads, which a restart of the service would cut."""
        if self._parts is not None:
            self._parts.room.check_not_loading()

    def view(self) -> dict[str, Any]:
        """The object of ``GET /api/v1/esim``; no card is asked for it."""
        is_known = self._parts is not None or self._path.exists() or self._given["simulated"]
        return self.parts.view() if is_known or has_readers(self._settings) else self._nothing()

    def counts(self) -> dict[str, Any]:
        """What metrics count: modems whose cards were read, as in ``view``. Loads nothing, and asks no reader."""
        return {} if self._parts is None else self._parts.counts()

    def _make(self) -> Parts:
        from remsim.esim.parts import Parts

        return Parts(settings=self._settings, **self._given)

    def _is_needed(self) -> bool:
        """Whether something was left to do (operators to be told, a switch that was cut short), or rules ask for it."""
        return self._path.exists() or bool(self._settings.esim_rules)

    def _nothing(self) -> dict[str, Any]:
        """What is shown before anybody asked a card."""
        holders = [unread(holder_id, name, "modem") for holder_id, name in self._modems()]
        return {"holders": holders, "codes": [], "settings": settings_view(self._settings), "warnings": []}


def has_readers(settings: Settings) -> bool:
    """Whether card readers are wanted, and the program that owns them is there: what asks it is loaded for that."""
    elsewhere = os.environ.get("PCSCLITE_CSOCK_NAME")
    return settings.esim.readers and (bool(elsewhere) or any(one.exists() for one in PCSCD))


def unread(holder_id: str, name: str, kind: str) -> dict[str, Any]:
    """A holder nothing is known of."""
    return {
        "id": holder_id,
        "name": name,
        "kind": kind,
        "state": "unread",
        "problem": None,
        "job": None,
        **EMPTY,
    }


def settings_view(settings: Settings) -> dict[str, Any]:
    """What of the settings the page tells."""
    esim = settings.esim
    return {
        "engine": esim.engine,
        "register_minutes": esim.register_minutes,
        "notifications": esim.notifications,
        "discovery_server": esim.smds or None,
        "readers": esim.readers,
        "lab_ca": bool(esim.ca_file),
    }
