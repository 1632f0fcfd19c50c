"""Keeps slot maps: what is wanted is here, what is so is at the servers, and this brings the one to the other."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from marshmallow import ValidationError

from remsim.config.remote_sim import RemsimServerSettings, check_base_url
from remsim.config.settings import Settings
from remsim.core.clock import Clock
from remsim.core.errors import Conflict, InvalidInput, NotFound
from remsim.core.events import Event
from remsim.core.small_dataclass import dataclass
from remsim.remotesim.health import ServerSeen
from remsim.remotesim.maps import Maps
from remsim.remotesim.reconcile import Kept, Verdict, no_such_slot
from remsim.remotesim.rows import banks_of, clashes, row_of, rows_of, seen_of
from remsim.remotesim.server import Server
from remsim.remotesim.slotmap import SlotMap, place_text

URL_VARIABLE = "REMSIM_SERVER_URL"
"""The address of the first server, for tests; it needs no section."""
LONGEST_WAIT_S = 60.0
LOCAL_NAME = "server"
UNKNOWN_USE = "whether its modem is online is not known here, and it would be reset"
IN_USE = "its modem is online, and would be reset"


@dataclass(frozen=True, slots=True)
class MapForm:
    """A slot map as somebody asks for it; ``server`` None is the only one."""

    map: SlotMap
    note: str = ""
    server: str | None = None
    replace: bool = False


class Keeper:
    """All servers and the maps wanted there.

    ``tick`` is called by one thread; all else from any. ``in_use`` says whether the modem of a client's slot is online
    (None: not known), ``source_of`` what a client's events are of, ``wake`` has ``tick`` called soon.
    """

    def __init__(
        self,
        path: Path,
        *,
        settings: Settings,
        clock: Clock,
        emit: Callable[[Event], None],
        in_use: Callable[[tuple[int, int]], bool | None] = lambda client: None,
        source_of: Callable[[tuple[int, int]], str] = lambda client: "remsim",
        wake: Callable[[], None] = lambda: None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self._path = path
        self._clock = clock
        self._emit = emit
        self._in_use = in_use
        self._source_of = source_of
        self._wake = wake
        self._environ = environ
        self._lock = threading.Lock()
        self._maps: Maps | None = None
        self._servers: dict[str, Server] = {}
        self._retired: list[Server] = []
        self._settings = settings.remote_sim
        self.configure(settings)

    @property
    def is_used(self) -> bool:
        """Whether there is a server to look at."""
        return bool(self._servers)

    @property
    def problem(self) -> str | None:
        """What keeps slot maps from being stored, in a sentence."""
        return None if self._maps is None else self._maps.problem

    def configure(self, settings: Settings) -> None:
        """Put changed settings in force; a server that stays keeps what is known of it."""
        wanted = {one.name: one.url for one in servers_of(settings, self._environ)}
        with self._lock:
            self._settings = settings.remote_sim
            servers = {}
            for name, url in wanted.items():
                known = self._servers.get(name)
                servers[name] = known if known is not None and known.url == url else self._made(name, url)
            self._retired += [one for one in self._servers.values() if one not in servers.values()]
            self._servers = servers
        self._wake()

    def tick(self) -> float:
        """Do what is due at each server; in how many seconds something is again."""
        with self._lock:
            servers, retired, self._retired = list(self._servers.values()), self._retired, []
        for server in retired:
            server.close()
        return min((server.tick(self._settings.reconcile_s) for server in servers), default=LONGEST_WAIT_S)

    def close(self) -> None:
        """Hang up and close the file; ``tick`` is called no more."""
        with self._lock:
            for server in (*self._servers.values(), *self._retired):
                server.close()
            if self._maps is not None:
                self._maps.close()
                self._maps = None
            self._servers = {}

    # What is shown

    def view(self) -> dict[str, Any]:
        """The part of ``GET /api/v1/remote-sim`` that servers know: server, servers, banks, slotmaps, warnings."""
        servers = list(self._servers.values())
        shown = [server.view() for server in servers]
        none = {"name": None, "url": None, "reachable": None, "problem": None, "hint": None, "since": None}
        return {
            "server": shown[0] if shown else none,
            "servers": shown,
            "banks": [row for server in servers for row in banks_of(server)],
            "slotmaps": self.map_rows(),
            "warnings": [warning.as_dict() for server in servers for warning in server.warnings],
        }

    def map_rows(self) -> list[dict[str, Any]]:
        """All maps: those of ours and those of others, of all servers."""
        rows = [row for server in self._servers.values() for row in rows_of(server, self._of(server.name))]
        for name in self._maps.servers() if self._maps is not None else ():
            if name not in self._servers:
                gone = Verdict("conflict", f"there is no server {name} in the settings")
                rows += [row_of(name, one.map, kept=one, verdict=gone) for one in self._of(name) if one.is_wanted]
        return rows

    def seen(self) -> list[ServerSeen]:
        """What each server said last."""
        return [ServerSeen(server.name, bool(server.reachable), seen_of(server)) for server in self._servers.values()]

    # What somebody wants

    def add(self, form: MapForm) -> dict[str, Any]:
        """Want one more map; a slot that has another is a ``Conflict`` that names it, or it is replaced."""
        server = self._server(form.server)
        self._check_slot(server, form.map)
        self._check_foreign(server, form.map)
        if not form.replace and any(one.is_wanted and one.map == form.map for one in self._of(server.name)):
            raise Conflict(f"slot map {form.map} is wanted already", field="bank_slot", code="exists")
        self._store().want(server.name, [Kept(form.map, note=form.note)], replace=form.replace)
        return self._wanted(server, form.map)

    def change(
        self, bank: tuple[int, int], client: tuple[int, int], note: str | None, server: str | None
    ) -> dict[str, Any]:
        """Give a bank slot of ours to another client, or change its note."""
        name, found = self._find(bank, server)
        note = found.note if note is None else note
        if found.map.client == client:
            self._store().want(name, [replace(found, note=note)])
            return self._wanted(self._server(name), found.map)
        changed = SlotMap(*bank, *client)
        taken = next((one.map for one in self._of(name) if one.is_wanted and one.map.client == client), None)
        if taken is not None:
            hint = "change or remove that slot map"
            text = f"client {place_text(client)} is to have bank slot {place_text(taken.bank)} already"
            raise Conflict(text, field="client_slot", hint=hint, code="client_slot_taken")
        if name in self._servers:
            self._check_foreign(self._servers[name], changed)
        self._store().want(name, [Kept(changed, note=note)], replace=True)
        return self._wanted(self._server(name), changed)

    def remove(self, bank: tuple[int, int], server: str | None) -> dict[str, Any]:
        """Have a map of ours removed; those of others are left alone."""
        name, found = self._find(bank, server)
        self._store().unwant(name, bank)
        known = self._servers.get(name)
        if known is None:
            self._store().drop_server(name)
            return row_of(name, found.map, kept=replace(found, is_wanted=False))
        known.poke()
        self._wake()
        return self._row(known, found.map)

    def adopt(self, bank: tuple[int, int], server: str | None) -> dict[str, Any]:
        """Want a map that somebody else has made; ours that clash with it are not wanted any more."""
        for name, known in self._servers.items():
            for one in seen_of(known).maps if server in (None, name) else ():
                if one.bank == bank and not self._is_ours(name, one):
                    self._store().want(name, [Kept(one, was_there=True)], replace=True)
                    self._tell_adopted(name, one)
                    return self._wanted(known, one)
        if any(one.is_wanted and one.map.bank == bank for name in self._servers for one in self._of(name)):
            raise Conflict(f"the slot map of bank slot {place_text(bank)} is ours already", code="is_ours")
        raise NotFound(f"no server has a slot map of bank slot {place_text(bank)}", field="bank_slot")

    def restore(self, bank: tuple[int, int] | None = None, server: str | None = None) -> int:
        """Put a map that is held back in force now, or all; how many. It resets their modems."""
        count = 0
        for name, known in self._servers.items():
            if server not in (None, name):
                continue
            verdicts = {} if known.look is None else known.look.verdicts
            ours = [
                one.map
                for one in self._of(name)
                if one.is_wanted
                and bank in (None, one.map.bank)
                and one.map in verdicts
                and verdicts[one.map].kind in ("held", "conflict")
            ]
            known.release(ours)
            count += len(ours)
        if bank is not None and not count:
            raise Conflict(f"no slot map of bank slot {place_text(bank)} is held", code="not_held")
        self._wake()
        return count

    def wanted(self) -> list[tuple[str, Kept]]:
        """All maps that are wanted, with their servers."""
        names = sorted({*self._servers, *(self._maps.servers() if self._maps is not None else ())})
        return [(name, one) for name in names for one in self._of(name) if one.is_wanted]

    def take(self, wanted: Iterable[tuple[str, Kept]]) -> None:
        """Want maps as a file has them; each replaces what its slots had."""
        by_server: dict[str, list[Kept]] = {}
        for name, one in wanted:
            by_server.setdefault(name, []).append(one)
        for name, ours in by_server.items():
            self._store().want(name, ours, replace=True)
            self._servers[name].poke()
        self._wake()

    def server_named(self, name: str | None) -> str:
        """The name of a server, of the only one if none is given."""
        return self._server(name).name

    def _server(self, name: str | None) -> Server:
        servers = self._servers
        if not servers:
            raise Conflict(
                "there is no remsim-server in the settings", hint="add its address in the settings", code="no_server"
            )
        if name is None:
            if len(servers) > 1:
                raise InvalidInput("there are several servers", field="server", hint=f"one of {', '.join(servers)}")
            return next(iter(servers.values()))
        if name not in servers:
            raise InvalidInput(f"there is no server {name[:40]!r}", field="server", hint=f"one of {', '.join(servers)}")
        return servers[name]

    def _find(self, bank: tuple[int, int], server: str | None) -> tuple[str, Kept]:
        found = [(name, one) for name, one in self.wanted() if one.map.bank == bank and server in (None, name)]
        if len(found) > 1:
            names = ", ".join(name for name, _ in found)
            raise InvalidInput("several servers have that bank slot", field="server", hint=f"one of {names}")
        if found:
            return found[0]
        if any(one.bank == bank for known in self._servers.values() for one in seen_of(known).maps):
            text = f"the slot map of bank slot {place_text(bank)} is not ours"
            raise Conflict(text, field="bank_slot", hint="adopt it first", code="foreign_map")
        raise NotFound(f"no slot map has bank slot {place_text(bank)}", field="bank_slot")

    def _check_slot(self, server: Server, wanted: SlotMap) -> None:
        bank = server.known_banks.get(wanted.bank_id)
        if bank is not None and wanted.bank_slot >= bank.slots:
            raise InvalidInput(no_such_slot(bank.bank_id, bank.slots), field="bank_slot")

    def _check_foreign(self, server: Server, wanted: SlotMap) -> None:
        """Maps of others are not replaced."""
        others = clashes(seen_of(server).maps, wanted)
        foreign = sorted(other for other in others if not self._is_ours(server.name, other))
        if foreign:
            raise Conflict(
                f"somebody else has mapped bank slot {foreign[0]}",
                field="bank_slot" if foreign[0].bank == wanted.bank else "client_slot",
                hint="adopt that slot map first, then it can be changed",
                code="foreign_map",
            )

    def _is_ours(self, server: str, one: SlotMap) -> bool:
        return any(kept.map == one for kept in self._of(server))

    def _wanted(self, server: Server, wanted: SlotMap) -> dict[str, Any]:
        server.poke()
        self._wake()
        return self._row(server, wanted)

    def _row(self, server: Server, wanted: SlotMap) -> dict[str, Any]:
        kept = next((one for one in self._of(server.name) if one.map == wanted), None)
        return row_of(server.name, wanted, state=seen_of(server).maps.get(wanted), kept=kept)

    def _tell_adopted(self, server: str, one: SlotMap) -> None:
        data = {"action": "adopted", "server": server, "bank_slot": place_text(one.bank)}
        data["client_slot"] = place_text(one.client)
        words = f"slot map {one} adopted at remsim-server {server}"
        self._emit(Event("slotmap", self._source_of(one.client), self._clock.now(), words, "info", data))

    # Parts

    def _made(self, name: str, url: str) -> Server:
        return Server(
            name,
            url,
            maps=self._store(),
            clock=self._clock,
            emit=self._emit,
            hold=self._hold,
            source_of=self._source_of,
        )

    def _store(self) -> Maps:
        if self._maps is None:
            self._maps = Maps(self._path, clock=self._clock)
        return self._maps

    def _of(self, server: str) -> tuple[Kept, ...]:
        return () if self._maps is None else self._maps.of(server)

    def _hold(self, one: SlotMap) -> str | None:
        if self._settings.restore != "hold":
            return None
        in_use = self._in_use(one.client)
        return None if in_use is False else IN_USE if in_use else UNKNOWN_USE


def servers_of(settings: Settings, environ: Mapping[str, str]) -> list[RemsimServerSettings]:
    """The servers of the settings; the first with the address of the environment, if that has one."""
    servers = list(settings.remsim_servers)
    url = environ.get(URL_VARIABLE, "")
    try:
        check_base_url(url)
    except ValidationError:
        return servers
    if url:
        name = servers[0].name if servers else LOCAL_NAME
        servers = [RemsimServerSettings(name, url), *servers[1:]]
    return servers
