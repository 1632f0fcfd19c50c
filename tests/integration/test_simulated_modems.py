"""Virtual modems of three vendors under the real manager: what happens to them is seen, told and mended."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from remsim.config.settings import load_settings
from remsim.core.clock import SystemClock
from remsim.core.events import Event
from remsim.core.reading import ModemReading
from remsim.modems.manager import ModemManager
from remsim.simulator.process import SimulatorProcess

VENDORS = ("quectel", "sierra", "fibocom")


@dataclass
class Bench:
    """Three modems, their manager, and what it told."""

    simulator: SimulatorProcess
    manager: ModemManager
    readings: list[ModemReading]
    events: list[Event] = field(default_factory=list)

    def fault(self, fault: str, seconds: float | None = None) -> None:
        for number in (1, 2, 3):
            self.simulator.control.fault(f"1-1.{number}", fault, seconds=seconds)

    def wait_for(self, wanted: Callable[[dict], bool], timeout_s: float = 40.0) -> list[dict]:
        deadline = time.monotonic() + timeout_s
        while True:
            views = self.manager.views()
            if len(views) == 3 and all(wanted(view) for view in views):
                return views
            assert time.monotonic() < deadline, [(view["id"], view["state"]) for view in views]
            time.sleep(0.05)

    def wait_for_events(self, modem: str, *wanted: str, timeout_s: float = 40.0) -> None:
        """Just these kinds of ``wanted``, in this order: a view may show a state before its event is told."""
        deadline = time.monotonic() + timeout_s
        while True:
            kinds = [event.kind for event in self.events if event.source == modem and event.kind in wanted]
            if kinds == list(wanted):
                return
            assert time.monotonic() < deadline, kinds
            time.sleep(0.05)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    simulator = SimulatorProcess(tmp_path_factory.mktemp("devices"), 3)
    simulator.start()
    readings: list[ModemReading] = []
    events: list[Event] = []
    state: Path = tmp_path_factory.mktemp("state")
    manager = ModemManager(
        settings=load_settings(simulator.config_dir),
        clock=SystemClock(),
        publish_reading=readings.append,
        emit=events.append,
        state_dir=state,
        sysfs_root=simulator.sysfs_root,
        dev_root=simulator.dev_root,
        scan_period_s=0.5,
    )
    manager.start()
    yield Bench(simulator, manager, readings, events)
    manager.stop()
    simulator.stop()


@pytest.fixture(autouse=True)
def all_online(bench: Bench) -> Iterator[list[dict]]:
    yield bench.wait_for(lambda view: view["state"] == "online" and view["reading"] is not None)
    bench.fault("clear")


def test_each_vendor_is_identified_and_measured(bench: Bench, all_online: list[dict]) -> None:
    assert tuple(view["vendor"] for view in all_online) == VENDORS
    assert [view["model"] for view in all_online] == ["RM520N-GL", "EM7565", "FM350-GL"]
    slow = ("latency_ms", "rx_bits_per_s", "operator", "plmn", "temperature_c")  # each comes after a round or more
    for view in bench.wait_for(lambda view: None not in [view["reading"][name] for name in slow]):
        reading = view["reading"]
        assert reading["operator"] == "Operator A" and reading["plmn"] == "99901"
        assert -140 <= reading["rsrp_dbm"] <= -44 and -30 <= reading["sinr_db"] <= 40
        assert reading["cell_id"] and reading["band"] and reading["temperature_c"]
        assert view["at_round_exchanges"] <= 6


def test_the_removal_of_a_sim_is_seen_at_once_by_its_urc(bench: Bench) -> None:
    bench.fault("sim_removed")
    for view in bench.wait_for(lambda view: view["state"] == "no_sim", 25.0):  # the slow question comes each 30 s only
        assert view["problem"]
    bench.fault("sim_inserted")
    bench.wait_for(lambda view: view["state"] == "online", 25.0)


def test_a_refusal_is_seen_at_once_by_its_urc(bench: Bench) -> None:
    bench.fault("registration_denied")
    for view in bench.wait_for(lambda view: view["state"] == "denied", 25.0):
        assert view["problem"]


def test_a_silent_modem_is_told_and_understood_again(bench: Bench) -> None:
    bench.fault("silence")
    bench.wait_for(lambda view: view["state"] == "not_answering", 60.0)
    bench.fault("clear")
    bench.wait_for(lambda view: view["state"] == "online")


def test_a_modem_that_restarts_comes_back_as_itself(bench: Bench, all_online: list[dict]) -> None:
    before = {view["usb_path"]: (view["id"], view["sim"]) for view in all_online}
    bench.events.clear()
    bench.fault("reboot", seconds=1.0)
    bench.wait_for(lambda view: view["state"] == "rebooting")
    back = bench.wait_for(lambda view: view["state"] == "online")
    assert {view["usb_path"]: (view["id"], view["sim"]) for view in back} == before
    for modem in ("modem1", "modem2", "modem3"):
        bench.wait_for_events(modem, "vanished", "reboot", "connect")
