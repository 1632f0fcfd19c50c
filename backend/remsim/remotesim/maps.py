"""``remote_sim.db``: the slot maps that are wanted. They survive a power cut; the server forgets its own."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

from remsim.core.clock import Clock
from remsim.core.errors import Conflict, NotFound, StorageError
from remsim.remotesim.reconcile import Kept
from remsim.remotesim.slotmap import SlotMap, place_text
from remsim.telemetry.database import Database

SCHEMA = """
CREATE TABLE IF NOT EXISTS maps (
    server TEXT NOT NULL, bank_id INTEGER NOT NULL, bank_slot INTEGER NOT NULL, client_id INTEGER NOT NULL,
    client_slot INTEGER NOT NULL, is_wanted INTEGER NOT NULL, was_there INTEGER NOT NULL, note TEXT NOT NULL,
    PRIMARY KEY (server, bank_id, bank_slot, client_id, client_slot)
);
CREATE UNIQUE INDEX IF NOT EXISTS maps_bank ON maps (server, bank_id, bank_slot) WHERE is_wanted;
CREATE UNIQUE INDEX IF NOT EXISTS maps_client ON maps (server, client_id, client_slot) WHERE is_wanted;
"""
MOST = 4096
ROW = "server = ? AND bank_id = ? AND bank_slot = ? AND client_id = ? AND client_slot = ?"
Result = TypeVar("Result")


class Maps:
    """All maps of ours by server; from any thread. What was answered is written, else it is ``StorageError``."""

    def __init__(self, path: Path, *, clock: Clock) -> None:
        self._lock = threading.Lock()
        self._file = Database(
            path, clock=clock, what="slot maps", schema=SCHEMA, tables={"maps": "rowid"}, shown=2 * MOST
        )
        self._read()

    @property
    def problem(self) -> str | None:
        """What keeps slot maps from being stored, in a sentence."""
        return self._file.problem

    def of(self, server: str) -> tuple[Kept, ...]:
        """Maps of one server in their order: those that are wanted, and those to be removed."""
        return self._kept.get(server, ())

    def servers(self) -> tuple[str, ...]:
        """The servers of which there are maps, whether they are configured or not."""
        return tuple(self._kept)

    def find(self, server: str, bank: tuple[int, int]) -> Kept | None:
        """The map that is wanted of a bank slot."""
        return next((one for one in self.of(server) if one.is_wanted and one.map.bank == bank), None)

    def want(self, server: str, wanted: Iterable[Kept], *, replace: bool = False) -> None:
        """Want maps, all or none. ``Conflict`` where a slot has another, unless they ``replace`` it.

        A map that is replaced is removed from the server.
        """

        def write() -> bool:
            with self._db as db:
                for one in wanted:
                    self._want(db, server, one, replace)
                if db.execute("SELECT COUNT(*) FROM maps WHERE is_wanted").fetchone()[0] > MOST:
                    raise Conflict(f"there would be more than {MOST} slot maps", code="too_many")
            return True

        self._written(write)

    def unwant(self, server: str, bank: tuple[int, int]) -> SlotMap:
        """Have the map of a bank slot removed; which it is."""

        def write() -> bool:
            with self._db as db:
                db.execute(
                    "UPDATE maps SET is_wanted = 0 WHERE server = ? AND bank_id = ? AND bank_slot = ? AND is_wanted",
                    (server, *bank),
                )
            return True

        found = self.find(server, bank)
        if found is None:
            raise NotFound(f"no slot map of ours has bank slot {place_text(bank)}", field="bank_slot")
        self._written(write)
        return found.map

    def drop_server(self, server: str) -> None:
        """Forget what was to be removed at a server that is not configured any more."""
        self._note("DELETE FROM maps WHERE server = ? AND NOT is_wanted", [(server,)])

    def drop(self, server: str, gone: Iterable[SlotMap]) -> None:
        """Forget maps that are removed, unless they are wanted again meanwhile."""
        self._note(f"DELETE FROM maps WHERE {ROW} AND NOT is_wanted", self._keys(server, gone))

    def mark_there(self, server: str, there: Iterable[SlotMap]) -> None:
        """Remember that the server has had maps: to make one again costs a reset of its modem."""
        self._note(f"UPDATE maps SET was_there = 1 WHERE {ROW}", self._keys(server, there))

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._file.close()

    @property
    def _db(self) -> sqlite3.Connection:
        return self._file.connection

    def _want(self, db: sqlite3.Connection, server: str, one: Kept, replace: bool) -> None:
        wanted = one.map
        clash = (
            "server = ? AND is_wanted AND ((bank_id = ? AND bank_slot = ?) OR (client_id = ? AND client_slot = ?)) "
            "AND NOT (bank_id = ? AND bank_slot = ? AND client_id = ? AND client_slot = ?)"
        )
        key = (server, *wanted.bank, *wanted.client, *wanted.bank, *wanted.client)
        if not replace:
            found = db.execute(f"SELECT bank_id, bank_slot, client_id, client_slot FROM maps WHERE {clash}", key)
            for row in found:
                raise taken(wanted, SlotMap(*row))
        db.execute(f"UPDATE maps SET is_wanted = 0 WHERE {clash}", key)
        db.execute(
            "INSERT INTO maps VALUES (?, ?, ?, ?, ?, 1, ?, ?) ON CONFLICT (server, bank_id, bank_slot, client_id, "
            "client_slot) DO UPDATE SET is_wanted = 1, note = excluded.note, "
            "was_there = max(was_there * is_wanted, excluded.was_there)",
            (server, *wanted.bank, *wanted.client, one.was_there, one.note),
        )

    def _read(self) -> None:
        """Keep a copy in memory: it is looked at many times a second while maps are restored."""
        columns = "bank_id, bank_slot, client_id, client_slot, is_wanted, was_there, note"
        select = f"SELECT server, {columns} FROM maps ORDER BY bank_id, bank_slot, is_wanted, client_id, client_slot"
        kept: dict[str, list[Kept]] = {}
        rows = self._file.tried(lambda: self._db.execute(select).fetchall()) or ()
        for server, *ids, is_wanted, was_there, note in rows:
            kept.setdefault(server, []).append(Kept(SlotMap(*ids), bool(is_wanted), bool(was_there), note))
        self._kept = {server: tuple(ours) for server, ours in kept.items()}

    def _keys(self, server: str, ours: Iterable[SlotMap]) -> list[tuple[str | int, ...]]:
        return [(server, *one.bank, *one.client) for one in ours]

    def _note(self, text: str, rows: list[tuple[str | int, ...]]) -> None:
        """Write what the server tells; where the disk refuses, it is told again."""
        if not rows:
            return

        def write() -> bool:
            with self._db as db:
                db.executemany(text, rows)
            return True

        with self._lock:
            self._file.leave_memory()
            if self._file.tried(write):
                self._read()

    def _written(self, work: Callable[[], Result]) -> Result:
        """What ``work`` gives once it is in the file."""
        with self._lock:
            self._file.leave_memory()
            done = None if self._file.in_memory else self._file.tried(work)
            if done is None:
                raise StorageError(self._file.problem or "slot maps cannot be written", hint="free space")
            self._file.well()
            self._read()
            return done


def taken(wanted: SlotMap, other: SlotMap) -> Conflict:
    """Two maps want one slot."""
    if wanted.bank == other.bank:
        return Conflict(
            f"bank slot {place_text(other.bank)} is wanted for client {place_text(other.client)} already",
            field="bank_slot",
            hint="change that slot map",
            code="bank_slot_taken",
        )
    return Conflict(
        f"client {place_text(other.client)} is to have bank slot {place_text(other.bank)} already",
        field="client_slot",
        hint="change or remove that slot map",
        code="client_slot_taken",
    )
