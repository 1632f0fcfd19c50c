"""What goes beyond one card and one download: rules, bulk, orders, inventory. Each is loaded when it is needed."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remsim.config.settings import Settings
from remsim.core.bus import Bus
from remsim.esim.records import FILE, Records
from remsim.esim.room import Room

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from remsim.core.reading import ModemReading
    from remsim.esim.activation import Activation
    from remsim.esim.bulk import Bulk
    from remsim.esim.cards import Card
    from remsim.esim.codes import Codes
    from remsim.esim.inventory import Inventory
    from remsim.esim.ordering import Ordering
    from remsim.esim.rules import Rules
    from remsim.esim.work import Work
    from remsim.telemetry.usage import Usage


class Extras:
    """Made with the parts. The file of records is opened with the first that needs it."""

    def __init__(
        self,
        room: Room,
        *,
        work: Callable[[], Work],
        codes: Codes,
        usage: Usage,
        bus: Bus,
        readings: Callable[[], Mapping[str, ModemReading]],
        state_dir: Path,
    ) -> None:
        self._room, self._work, self._codes = room, work, codes
        self._usage, self._bus, self._readings = usage, bus, readings
        self._path = state_dir / FILE
        self._making = threading.RLock()
        self._records: Records | None = None
        self._rules: Rules | None = None
        self._bulk: Bulk | None = None
        self._orders: Ordering | None = None
        self._inventory: Inventory | None = None

    def look(self) -> None:
        """Begin what is due."""
        if self._room.settings.esim_rules or self._rules is not None:
            self.rules.look()

    def configure(self, settings: Settings) -> None:
        """Put changed rules in force."""
        if self._rules is not None:
            self._rules.configure(settings)

    def stop(self) -> None:
        """Close the file; jobs have ended."""
        if self._rules is not None:
            self._rules.stop()
        if self._records is not None:
            self._records.close()

    def warnings(self) -> list[dict[str, Any]]:
        """What is wrong, and what to do; nothing is loaded for it that was never used."""
        if self._records is None and not self._path.exists():
            return []
        found = []
        if self.records.problem is not None:
            text = f"{self.records.problem}: rules switch nothing, and no bulk download goes on"
            found.append({"code": "esim_storage", "message": text, "hint": "check the disk"})
        select = "SELECT id, name FROM batches WHERE state IN ('running', 'interrupted')"
        for batch_id, name in self.records.rows(select):
            if self._bulk is None or not self._bulk.is_running(batch_id):
                text = f"the bulk download {name or batch_id} was interrupted: some of its rows wait"
                found.append({"code": "bulk_interrupted", "message": text, "hint": "have it go on, or remove it"})
        return found

    def seen(self, holder_id: str, card: Card) -> None:
        """A card was read."""
        self.inventory.seen(holder_id, card, self._room.clock.now())

    def came(self, iccid: str | None, activation: Activation, source: str) -> None:
        """A profile came of a code."""
        self.inventory.came(iccid, activation, source, self._room.clock.now())

    @property
    def records(self) -> Records:
        """The file."""
        with self._making:
            if self._records is None:
                self._records = Records(self._path, clock=self._room.clock)
            return self._records

    @property
    def rules(self) -> Rules:
        """What switches by itself."""
        with self._making:
            if self._rules is None:
                from remsim.esim.rules import Rules

                room = self._room
                self._rules = Rules(
                    room, self._work, self.records, self._usage, self._bus, self._readings, room.settings
                )
            return self._rules

    @property
    def bulk(self) -> Bulk:
        """Many downloads one after another."""
        with self._making:
            if self._bulk is None:
                from remsim.esim.bulk import Bulk

                self._bulk = Bulk(self._room, self._work(), self.records, lambda: self.orders)
            return self._bulk

    @property
    def orders(self) -> Ordering:
        """Orders at SM-DP+."""
        with self._making:
            if self._orders is None:
                from remsim.esim.ordering import Ordering

                self._orders = Ordering(self._room, self._codes, self.records)
            return self._orders

    @property
    def inventory(self) -> Inventory:
        """Every profile that was seen on this router."""
        with self._making:
            if self._inventory is None:
                from remsim.esim.inventory import SqliteInventory

                self._inventory = SqliteInventory(self.records)
            return self._inventory
