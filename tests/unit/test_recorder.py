"""The recorder takes what comes, and says what it could not take."""

from __future__ import annotations

import time
from pathlib import Path

from remsim.core.bus import Bus, Numbered
from remsim.core.clock import FakeClock
from remsim.core.events import Event
from remsim.core.reading import ModemReading
from remsim.telemetry.recorder import Recorder
from remsim.telemetry.series import SeriesStore
from remsim.telemetry.usage import Usage

START = 1_767_225_600.0


def test_readings_that_were_too_many_are_told(tmp_path: Path) -> None:
    clock, events, bus = FakeClock(START), list[Event](), Bus()
    series = SeriesStore(tmp_path / "data", clock=clock, emit=events.append)
    usage = Usage(tmp_path / "usage.db", clock=clock)
    recorder = Recorder(bus, series, usage, clock=clock, emit=events.append)
    for number in range(5003):
        bus.publish(Numbered(number, ModemReading("modem1", START + number, rsrp_dbm=-90.0)))
    recorder.start()
    deadline = time.monotonic() + 10
    while not events and time.monotonic() < deadline:
        time.sleep(0.02)
    recorder.stop()
    assert [event.message for event in events] == ["3 readings were not recorded: the disk was too slow for them"]
    series.close()
    usage.close()
