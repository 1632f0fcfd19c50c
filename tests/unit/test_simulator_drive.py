"""The recorded drives as scenes, and the simulated past made of them."""

from __future__ import annotations

import pytest
from remsim.core.events import KINDS, Event
from remsim.core.reading import STATES, ModemReading
from remsim.simulator.backfill import STEP_S, history
from remsim.simulator.drive import DRIVES, load, made_up_cell, rssi_of
from remsim.simulator.profiles import PROFILES

DAY_S = 86_400
START = 1_767_225_600.0


def test_every_drive_is_named_with_its_licence_and_every_named_one_is_there() -> None:
    readme = (DRIVES / "README.md").read_text()
    files = {path.name for path in DRIVES.glob("*.csv")}
    assert files and all(f"`{name}`" in readme for name in files)
    assert {f"{profile.drive}.csv" for profile in PROFILES} == files
    assert "GENERAL PUBLIC LICENSE" in (DRIVES / "LICENSE.GPL-3.0.txt").read_text()


@pytest.mark.parametrize("name", sorted({profile.drive for profile in PROFILES}))
def test_scenes_are_possible(name: str) -> None:
    for scene in load(name):
        level = scene.rscp_dbm if scene.mode == "UMTS" else scene.rsrp_dbm
        assert level is not None and -140 <= level <= -24
        assert scene.rssi_dbm is None or (scene.rsrp_dbm is not None and scene.rssi_dbm > scene.rsrp_dbm)
        assert scene.rtt_ms is None or 0 < scene.rtt_ms < 10_000
        assert 30 <= scene.temperature_c <= 50
        assert scene.loss_percent is None or 0 <= scene.loss_percent <= 100


def test_equal_hashes_are_equal_cells_and_most_others_are_not() -> None:
    assert made_up_cell("df0af3f2", "LTE") == made_up_cell("df0af3f2", "LTE")
    hashes = [f"{number * 2654435761 % 2**32:08x}" for number in range(500)]
    assert len({made_up_cell(text, "LTE").cell_id for text in hashes}) > 480


def test_rssi_follows_from_rsrp_and_rsrq_by_definition() -> None:
    assert rssi_of(-82, -9, 20) == -53  # 100 resource blocks are 20 dB
    assert rssi_of(-82, None, 20) is None


def past(days: int) -> list[ModemReading | Event]:
    ids = {"1-1.1": "modem1", "1-1.2": "modem2", "1-1.3": "modem3"}
    return list(history(START, START + days * DAY_S, ids, {"1-1.1": "sim-1a2b3c4d"}))


@pytest.fixture(scope="module")
def week() -> list[ModemReading | Event]:
    return past(7)


def test_the_past_is_the_same_each_time() -> None:
    assert past(1) == past(1)


def test_the_past_is_in_the_order_of_time(week: list[ModemReading | Event]) -> None:
    assert [message.at for message in week] == sorted(message.at for message in week)


def test_the_past_has_a_reading_a_minute_but_while_a_modem_restarts(week: list[ModemReading | Event]) -> None:
    readings = [message for message in week if isinstance(message, ModemReading)]
    restarts = [message for message in week if isinstance(message, Event) and message.kind == "reboot"]
    expected = 7 * DAY_S // STEP_S * 3
    assert expected - 10 * len(restarts) <= len(readings) <= expected
    online = [reading for reading in readings if reading.state == "online"]
    assert 0.97 * len(readings) < len(online) < len(readings)
    assert all(reading.rsrp_dbm is not None and reading.cell_id is not None for reading in online)
    assert all(reading.rsrp_dbm is None for reading in readings if reading.state == "searching")


def test_the_past_tells_of_cells_technologies_and_outages(week: list[ModemReading | Event]) -> None:
    events = [message for message in week if isinstance(message, Event)]
    kinds = {event.kind for event in events}
    assert {"cell_change", "technology_change", "disconnect", "connect", "registration"} <= kinds <= KINDS.keys()
    for event in events:
        if event.kind in ("connect", "disconnect", "state"):
            assert event.data["to"] in STATES and event.data["from"] in STATES
    outages = [event for event in events if event.kind == "disconnect"]
    assert 3 <= len(outages) <= 60
    assert len([event for event in events if event.kind == "connect"]) == pytest.approx(len(outages), abs=3)


def test_counters_of_the_past_shrink_only_at_a_restart(week: list[ModemReading | Event]) -> None:
    restarted = False
    before = 0
    for message in week:
        if isinstance(message, Event):
            restarted = restarted or (message.source == "modem1" and message.kind == "vanished")
        elif message.modem == "modem1":
            assert message.rx_bytes is not None and (message.rx_bytes >= before or restarted)
            before, restarted = message.rx_bytes, False
    assert before > 0


def test_sims_of_the_past_are_the_routers_or_unknown(week: list[ModemReading | Event]) -> None:
    sims = {(message.modem, message.sim) for message in week if isinstance(message, ModemReading)}
    assert sims == {("modem1", "sim-1a2b3c4d"), ("modem2", None), ("modem3", None)}
