"""A simulated past: each minute's scene, encoded as the modem would, decoded as the router does.

``python -m remsim.simulator.backfill START END USB_PATH=ID …`` writes batches of readings and events to stdout as pickles,
for the service that started it.
"""

from __future__ import annotations

import pickle
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from remsim.core.events import Event
from remsim.core.reading import ModemReading
from remsim.modems.changes import reading_events, state_event
from remsim.modems.drivers import driver_for
from remsim.modems.plan import PollingPlan
from remsim.modems.ports import BY_ID
from remsim.simulator.drive import load
from remsim.simulator.main import die_with_parent
from remsim.simulator.profiles import PROFILES, ModemState, answer, scene_at
from remsim.simulator.tree import interface_of

STEP_S = 60
ROWS_A_STEP = 5
"""Seconds of the drive that pass in one simulated minute: a week then holds each drive about thirty times."""
BATCH = 500


@dataclass(slots=True)
class PastModem:
    """One virtual modem's past."""

    id: str
    number: int
    fields: dict[int, dict[str, Any]] = field(default_factory=dict)
    before: ModemReading | None = None
    rx_bytes: int = 0
    tx_bytes: int = 0

    def at(self, when: float, step: int) -> Iterator[ModemReading | Event]:
        """The reading of one minute and what happened in it."""
        profile = PROFILES[self.number - 1]
        row = (step * ROWS_A_STEP + profile.drive_offset_s) % len(load(profile.drive))
        scene = load(profile.drive)[row]
        if scene.is_gap:
            if self.before is not None:
                yield state_event(self.id, when, "online", "searching", self.before, "no service")
                yield state_event(self.id, when + STEP_S, "searching", "online", self.before, "")
                self.before = None
            return
        if row not in self.fields:
            self.fields[row] = self._decoded(scene_at(profile, row - profile.drive_offset_s))
        self.rx_bytes += round((scene.dl_mbps or 0) * 1e6 / 8 * STEP_S)
        self.tx_bytes += round((scene.ul_mbps or 0) * 1e6 / 8 * STEP_S)
        reading = ModemReading(
            modem=self.id,
            at=when,
            sim=f"sim-history{self.number}",
            interface=interface_of(ModemState(self.number, profile, scene)),
            rx_bytes=self.rx_bytes,
            tx_bytes=self.tx_bytes,
            rx_bits_per_s=None if scene.dl_mbps is None else scene.dl_mbps * 1e6,
            tx_bits_per_s=None if scene.ul_mbps is None else scene.ul_mbps * 1e6,
            latency_ms=scene.rtt_ms,
            jitter_ms=None,
            loss_percent=scene.loss_percent,
            **self.fields[row],
        )
        yield from reading_events(self.before, reading)
        self.before = reading
        yield reading

    def _decoded(self, scene: Any) -> dict[str, Any]:
        """Through the modem's own reply formats and back."""
        profile = PROFILES[self.number - 1]
        row = BY_ID[profile.usb_id]
        driver = driver_for(profile.vendor, profile.model, row.platform)
        plan = PollingPlan(driver, 1.0)
        state = ModemState(self.number, profile, scene)
        for command in (*driver.slow_commands, *driver.fast_commands):
            reply = answer(state, command)
            if reply:
                plan.learned(command, driver.decode(command, reply + "\r\n\r\nOK\r\n"))
        return driver.reading_fields(plan.merged())


def history(start: float, end: float, modem_ids: dict[str, str]) -> Iterator[ModemReading | Event]:
    """Readings and events of all modems from ``start`` to ``end`` in the order of time."""
    modems = [PastModem(name, int(usb_path.rsplit(".", 1)[1])) for usb_path, name in sorted(modem_ids.items())]
    for step in range(int((end - start) // STEP_S)):
        for modem in modems:
            yield from modem.at(start + step * STEP_S, step)


def main(arguments: list[str]) -> None:
    """Write the past to stdout."""
    die_with_parent()
    start, end = float(arguments[0]), float(arguments[1])
    modem_ids = dict(pair.split("=", 1) for pair in arguments[2:])
    batch: list[ModemReading | Event] = []
    for message in history(start, end, modem_ids):
        batch.append(message)
        if len(batch) >= BATCH:
            pickle.dump(batch, sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)
            batch = []
    pickle.dump(batch, sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)


if __name__ == "__main__":
    main(sys.argv[1:])
