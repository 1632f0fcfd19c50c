"""A simulated past: each minute's scene, encoded as the modem would, decoded as the router does.

``python -m remsim.simulator.backfill START END MODELS USB_PATH=ID[,SIM] …`` writes batches of readings and events
to stdout as pickles, for the service that started it.
"""

from __future__ import annotations

import pickle
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from datetime import UTC, datetime
from typing import Any

from remsim.core.events import Event
from remsim.core.reading import ModemReading
from remsim.core.small_dataclass import dataclass
from remsim.modems.changes import Changes
from remsim.modems.drivers import driver_for
from remsim.modems.plan import PollingPlan
from remsim.modems.ports import BY_ID
from remsim.simulator import drive
from remsim.simulator.drive import Scene
from remsim.simulator.main import die_with_parent
from remsim.simulator.profiles import Profile, profiles_of
from remsim.simulator.session import Session
from remsim.simulator.state import ModemState
from remsim.simulator.traffic import RTT_SPREAD
from remsim.simulator.tree import interface_of

STEP_S = 60
ROWS_A_STEP = 5
"""Seconds of the drive that pass in one simulated minute: a week then holds a half-hour drive about thirty times."""
BATCH = 500
SLOT_S = 6 * 3600
OUTAGE_CHANCE = 0.25
"""Of an outage in a slot; every third is a restart of the modem, the others are lost coverage."""
OUTAGE_MINUTES = (3, 25)
REBOOT_MINUTES = 2
BUSY = {"night": 0.01, "day": 0.06, "evening": 0.15}
IDLE_SHARE = 0.002
"""The recordings are downloads at full speed, a router's days are not: few minutes are like them."""


@dataclass(slots=True)
class PastModem:
    """One virtual modem's past. Call ``at`` for rising times."""

    id: str
    number: int
    profile: Profile
    sim: str | None = None
    state: ModemState = field(init=False)
    _scenes: tuple[Scene, ...] = field(init=False)
    _fields: dict[int | str, dict[str, Any]] = field(default_factory=dict)
    _changes: Changes = field(default_factory=Changes)
    _rx_bytes: int = 0
    _tx_bytes: int = 0
    _slot: int = -1
    _outage: tuple[float, float, str] = (0.0, 0.0, "")
    _trouble: str = ""
    _begun: bool = False
    _noise: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._scenes = drive.load(self.profile.drive)
        self.state = ModemState(self.number, self.profile, self._scenes[0])
        self._noise = random.Random(self.number)

    def at(self, when: float, step: int) -> Iterator[ModemReading | Event]:
        """The reading of one minute and what happened in it; no reading while the modem restarts."""
        trouble = self._trouble_at(when)
        if trouble == "reboot":
            if self._trouble != "reboot":
                yield from self._vanish(when)
            self._trouble = trouble
            return
        if self._trouble == "reboot":
            yield from self._come_back(when)
        row = (step * ROWS_A_STEP + self.profile.drive_offset_s) % len(self._scenes)
        reading = self._reading(when, row, online=not trouble)
        if trouble != self._trouble:
            before, now = ("online", "searching") if trouble else ("searching", "online")
            yield self._changes.of_state(self.id, when, before, now, "")
        yield from self._changes.of_reading(reading)
        if not self._begun and not trouble:
            yield self._changes.of_state(self.id, when, "starting", "online", "")
        self._begun = True
        self._trouble = trouble
        yield reading

    def _vanish(self, when: float) -> Iterator[Event]:
        """As the manager tells it."""
        usb_path = f"1-1.{self.number}"
        data = {"from": "online", "to": None}
        yield Event("vanished", self.id, when, f"{self.id}: vanished from USB {usb_path}", "warning", data)
        yield self._changes.of_state(self.id, when, "online", "rebooting", "")
        self._rx_bytes = self._tx_bytes = 0

    def _come_back(self, when: float) -> Iterator[Event]:
        away_s = REBOOT_MINUTES * 60.0
        yield Event("reboot", self.id, when, f"{self.id}: back on USB after {away_s:.0f} s", "info", {"away_s": away_s})
        yield self._changes.of_state(self.id, when, "starting", "online", "")
        self._trouble = ""

    def _trouble_at(self, when: float) -> str:
        """``reboot``, ``searching`` or nothing; the same for the same time, whenever the past is written."""
        slot = int(when // SLOT_S)
        if slot != self._slot:
            self._slot = slot
            chance = random.Random(slot * 31 + self.number)
            self._outage = (0.0, 0.0, "")
            if chance.random() < OUTAGE_CHANCE:
                kind = "reboot" if chance.random() < 1 / 3 else "searching"
                minutes = REBOOT_MINUTES if kind == "reboot" else chance.randint(*OUTAGE_MINUTES)
                start: float = slot * SLOT_S + chance.randint(60, SLOT_S - 60 * (OUTAGE_MINUTES[1] + 1))
                self._outage = (start, start + minutes * 60, kind)
        first, last, trouble = self._outage
        return trouble if first <= when < last else ""

    def _reading(self, when: float, row: int, *, online: bool) -> ModemReading:
        scenes = [self._scenes[(row + offset) % len(self._scenes)] for offset in range(ROWS_A_STEP)]
        scene = scenes[0]
        rx_bits = tx_bits = 0.0
        latency_ms = loss_percent = None
        if online:
            demand = self._demand(when)
            rx_bits = demand * sum(one.dl_mbps or 0 for one in scenes) / ROWS_A_STEP * 1e6
            tx_bits = demand * sum(one.ul_mbps or 0 for one in scenes) / ROWS_A_STEP * 1e6
            loss_percent = scene.loss_percent
            if scene.rtt_ms is not None and loss_percent != 100:
                latency_ms = round(scene.rtt_ms * self._noise.uniform(1 - RTT_SPREAD, 1 + RTT_SPREAD), 1)
        self._rx_bytes += round(rx_bits / 8 * STEP_S)
        self._tx_bytes += round(tx_bits / 8 * STEP_S)
        return ModemReading(
            modem=self.id,
            at=when,
            sim=self.sim,
            interface=interface_of(self.state),
            rx_bytes=self._rx_bytes,
            tx_bytes=self._tx_bytes,
            rx_bits_per_s=round(rx_bits),
            tx_bits_per_s=round(tx_bits),
            latency_ms=latency_ms,
            # The mean difference of neighbours when each varies evenly within the spread.
            jitter_ms=None if latency_ms is None else round(latency_ms * RTT_SPREAD * 2 / 3, 1),
            loss_percent=loss_percent if online else 100.0,
            **self._decoded(row, online=online),
        )

    def _demand(self, when: float) -> float:
        """How much of the recorded rate is used in this minute: most of it while somebody downloads, else little."""
        hour = datetime.fromtimestamp(when, UTC).hour
        busy = BUSY["night" if hour < 6 else "evening" if hour >= 18 else "day"]
        return self._noise.uniform(0.2, 1.0) if self._noise.random() < busy else IDLE_SHARE

    def _decoded(self, row: int, *, online: bool) -> dict[str, Any]:
        """Through the modem's own reply formats and back, once for each second of the drive."""
        key: int | str = row if online else "searching"
        if key not in self._fields:
            state = self.state
            state.see(self._scenes[row])
            state.searching = not online
            model = state.model
            driver = driver_for(model.vendor, model.name, BY_ID[state.usb.usb_id].platform)
            plan = PollingPlan(driver, 1.0)
            session = Session(state)
            for command in driver.setup_commands:
                session.execute(command)
            for command in (*driver.slow_commands, *driver.fast_commands):
                plan.learned(command, driver.decode(command, session.execute(command) or ""))
            self._fields[key] = driver.reading_fields(plan.merged())
        return self._fields[key]


def history(
    start: float,
    end: float,
    modem_ids: Mapping[str, str],
    sims: Mapping[str, str | None] | None = None,
    models: Sequence[str] = (),
) -> Iterator[ModemReading | Event]:
    """Readings and events of all modems from ``start`` to ``end`` in the order of time.

    ``modem_ids`` are ids by USB path; ``sims`` the names of their SIMs, where they are known; ``models`` as simulated.
    """
    numbers = {usb_path: int(usb_path.rsplit(".", 1)[1]) for usb_path in sorted(modem_ids)}
    profiles = profiles_of(max(numbers.values(), default=0), models)
    modems = [
        PastModem(modem_ids[usb_path], number, profiles[number - 1], (sims or {}).get(usb_path))
        for usb_path, number in numbers.items()
    ]
    for step in range(int((end - start) // STEP_S)):
        for modem in modems:
            yield from modem.at(start + step * STEP_S, step)


def main(arguments: list[str]) -> None:
    """Write the past to stdout."""
    die_with_parent()
    start, end = float(arguments[0]), float(arguments[1])
    models = [name for name in arguments[2].split(",") if name]
    modem_ids: dict[str, str] = {}
    sims: dict[str, str | None] = {}
    for argument in arguments[3:]:
        usb_path, _, names = argument.partition("=")
        modem_ids[usb_path], _, sim = names.partition(",")
        sims[usb_path] = sim or None
    batch: list[ModemReading | Event] = []
    for message in history(start, end, modem_ids, sims, models):
        batch.append(message)
        if len(batch) >= BATCH:
            pickle.dump(batch, sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)
            batch = []
    pickle.dump(batch, sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)


if __name__ == "__main__":
    main(sys.argv[1:])
