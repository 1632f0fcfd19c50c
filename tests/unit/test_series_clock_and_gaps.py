"""Series where time itself is the trouble: unset clocks, slow modems, ends of spans, backups in memory."""

from __future__ import annotations

import os
import resource
import threading
from pathlib import Path

import pytest
from remsim.core.clock import FakeClock
from remsim.core.events import Event
from remsim.core.reading import ModemReading
from remsim.telemetry.backup import Backup
from remsim.telemetry.measures import MEASURES, values_of
from remsim.telemetry.ring import Ring
from remsim.telemetry.series import Series, SeriesStore, consolidate
from small_disk import small_disk

START = 1_767_225_600.0


def open_store(directory: Path, clock: FakeClock, events: list[Event], backup: Path | None = None) -> SeriesStore:
    return SeriesStore(directory, clock=clock, emit=events.append, backup_dir=backup)


def run(store: SeriesStore, clock: FakeClock, seconds: float, step: float = 1.0, modem: str = "modem1") -> None:
    for _ in range(int(seconds / step)):
        clock.advance(step)
        store.record(ModemReading(modem, clock.now(), rsrp_dbm=-90.0))


def gaps(series: Series) -> list[float]:
    return [point[0] for point in series.points if point[2] is None]


def known(series: Series) -> list[float]:
    return [point[0] for point in series.points if point[2] is not None]


def test_a_boot_without_a_clock_keeps_the_history_and_dates_what_it_saw(tmp_path: Path) -> None:
    events: list[Event] = []
    clock = FakeClock(START)
    store = open_store(tmp_path, clock, events)
    run(store, clock, 300)
    store.close()
    clock = FakeClock(100.0)  # the next boot: 1970
    store = open_store(tmp_path, clock, events)
    run(store, clock, 60)
    store.flush()
    assert "clock is not set" in (store.query("modem1", "rsrp_dbm", start=START + 900, end=START + 999).reason or "")
    clock.set_wall(START + 1060)
    run(store, clock, 60)
    store.flush()
    assert [event.kind for event in events] == ["clock_jump"]
    assert not list(tmp_path.rglob("*clock_jump*")), "no file had to be put aside"
    store.close()
    times = known(open_store(tmp_path, clock, events).query("modem1", "rsrp_dbm", range_s=3600))
    assert min(times) <= START + 20
    assert any(START + 1010 <= when <= START + 1055 for when in times), "seen before the clock was set"
    assert not any(START + 320 < when < START + 990 for when in times)


def test_a_clock_set_back_loses_no_row_before_or_after_and_is_told_once(tmp_path: Path) -> None:
    events: list[Event] = []
    clock = FakeClock(START)
    store = open_store(tmp_path, clock, events)
    for modem in ("modem1", "modem2"):
        store.record(ModemReading(modem, clock.now(), rsrp_dbm=-90.0))
    run(store, clock, 60)
    store.flush()
    run(store, clock, 60)  # waits while the clock is set back
    clock.set_wall(START - 86400)
    run(store, clock, 60)
    store.flush()
    assert [event.kind for event in events] == ["clock_jump"]
    aside = list((tmp_path / "modem1").glob("signal.rrd.clock_jump-*"))
    assert len(aside) == 1
    old = tmp_path / "old" / "modem1" / "signal.rrd"
    old.parent.mkdir(parents=True)
    aside[0].rename(old)
    clock.set_wall(START + 130)
    before = open_store(tmp_path / "old", clock, events).query("modem1", "rsrp_dbm", start=START, end=START + 130)
    assert max(known(before)) >= START + 110


def test_a_small_step_back_of_the_clock_keeps_the_live_hour() -> None:
    ring = Ring(tuple(MEASURES))
    values = values_of(ModemReading("modem1", START, rsrp_dbm=-90.0))
    for second in range(100):
        ring.add(START + second, values)
    ring.add(START + 97.5, values)
    times, _ = ring.columns((), 0, START * 2)
    assert list(times) == [*(START + second for second in range(98)), START + 97.5]


def test_a_modem_asked_once_a_minute_has_a_line_not_dots(tmp_path: Path) -> None:
    clock = FakeClock(START)
    store = open_store(tmp_path, clock, [])
    run(store, clock, 3600, step=60.0)
    assert gaps(store.query("modem1", "rsrp_dbm", range_s=3000, points=1000)) == []
    store.close()
    again = open_store(tmp_path, clock, [])
    assert gaps(again.query("modem1", "rsrp_dbm", start=START + 120, end=START + 3500)) == []


@pytest.mark.parametrize("outage_s", [30, 80, 150, 900])
def test_an_outage_is_a_gap_in_memory_in_the_file_and_over_a_restart(tmp_path: Path, outage_s: int) -> None:
    clock = FakeClock(START)
    store = open_store(tmp_path, clock, [])
    run(store, clock, 300)
    clock.advance(outage_s)
    run(store, clock, 300)
    assert len(gaps(store.query("modem1", "rsrp_dbm", start=START, end=clock.now()))) == 1
    store.close()
    clock.advance(outage_s)
    second_outage = clock.now()
    store = open_store(tmp_path, clock, [])
    run(store, clock, 300)
    store.close()
    store = open_store(tmp_path, clock, [])
    times = known(store.query("modem1", "rsrp_dbm", start=START + 10, end=clock.now()))
    assert not any(START + 310 < when <= START + 300 + outage_s - 10 for when in times)
    assert not any(second_outage - outage_s + 10 < when <= second_outage - 10 for when in times)


def test_a_value_stands_at_the_time_it_was_true_in_every_archive(tmp_path: Path) -> None:
    clock = FakeClock(START)
    store = open_store(tmp_path, clock, [])
    change = START - 43200  # noon and midnight are ends of spans of every archive
    store.record_history(
        ModemReading("modem1", when, rsrp_dbm=-70.0 if when > change else -100.0)
        for when in (START - 3 * 86400 + minute * 60 for minute in range(3 * 1440 + 1))
    )
    for range_s in (2 * 86400, 7 * 86400, 30 * 86400, 390 * 86400):
        series = store.query("modem1", "rsrp_dbm", range_s=range_s, points=2000)
        better = [point[0] for point in series.points if point[2] is not None and point[2] > -85]
        assert change < min(better) <= change + series.step_s, range_s
        assert max(better) <= START


def test_a_span_is_named_by_its_end_and_never_by_a_time_to_come() -> None:
    rows = [(START + second, 1.0, 1.0, 1.0) for second in (1, 10, 11, 20, 25)]
    merged = consolidate(rows, START + 27, 10.0, 600)
    assert [point[0] - START for point in merged] == [10, 20, 27]


def test_one_modems_trouble_does_not_stop_the_others(tmp_path: Path) -> None:
    events: list[Event] = []
    clock = FakeClock(START)
    (tmp_path / "modem1").write_text("a file where the folder should be")
    store = open_store(tmp_path, clock, events)
    run(store, clock, 30, modem="modem1")
    run(store, clock, 30, modem="modem2")
    for _ in range(3):
        store.flush()
    assert (tmp_path / "modem2" / "signal.rrd").exists()
    assert [event.kind for event in events] == ["error"]
    assert "modem1" in (store.problem or "")


def test_the_backup_sees_changes_on_a_disk_in_memory(tmp_path: Path) -> None:
    with small_disk(tmp_path / "ram", 4000) as ram:
        clock = FakeClock(START)
        store = open_store(ram / "data", clock, [], tmp_path / "backup")
        run(store, clock, 60)
        store.flush()
        store.save_backup()
        run(store, clock, 600)
        store.close()
        for path in (ram / "data").rglob("*.rrd"):
            path.unlink()
        store = open_store(ram / "data", clock, [], tmp_path / "backup")
        assert max(known(store.query("modem1", "rsrp_dbm", range_s=3600))) >= START + 640
        store.close()


def test_a_broken_backup_is_told_once_and_keeps_the_good_copy(tmp_path: Path) -> None:
    with small_disk(tmp_path / "flash", 300) as flash:
        events: list[Event] = []
        clock = FakeClock(START)
        store = open_store(tmp_path / "data", clock, events, flash)
        run(store, clock, 60)
        store.flush()
        store.save_backup()
        good = {path.name: path.read_bytes() for path in flash.rglob("*.z")}
        assert len(good) == 3
        (flash / "filler").write_bytes(b"")
        with (flash / "filler").open("wb", buffering=0) as filler:
            try:
                while True:
                    filler.write(os.urandom(4096))
            except OSError:
                pass
        for _ in range(3):
            run(store, clock, 10)
            store.flush()
            store.save_backup()
        assert [event.kind for event in events] == ["error"]
        assert "backup" in (store.problem or "")
        assert {path.name: path.read_bytes() for path in flash.rglob("*.z")} == good
        (flash / "filler").unlink()
        store.save_backup()
        assert [event.kind for event in events] == ["error", "recovered"]
        assert store.problem is None


def test_a_copy_newer_than_the_file_is_restored_and_a_broken_copy_is_not(tmp_path: Path) -> None:
    source, target = tmp_path / "data", tmp_path / "backup"
    path = source / "modem1" / "signal.rrd"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"new")
    Backup(source, target).save(threading.Lock())
    path.write_bytes(b"old")
    os.utime(path, (START, START))
    assert list(Backup(source, target).restore()) == [path]
    assert path.read_bytes() == b"new"
    assert list(Backup(source, target).restore()) == []
    copy = target / "modem1" / "signal.rrd.z"
    copy.write_bytes(copy.read_bytes()[:-3])
    path.unlink()
    assert list(Backup(source, target).restore()) == []
    assert list(source.rglob("*.restored")) == []


def test_a_file_that_cannot_be_opened_just_now_is_not_taken_for_damaged(tmp_path: Path) -> None:
    events: list[Event] = []
    clock = FakeClock(START)
    store = open_store(tmp_path, clock, events)
    run(store, clock, 600)
    store.flush()
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = max(int(name) for name in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(os.open("/dev/null", os.O_RDONLY), used), limits[1]))
    try:
        store.query("modem1", "rsrp_dbm", start=START - 600, end=clock.now())
        run(store, clock, 10)
        store.flush()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert "series_recreated" not in [event.kind for event in events]
    store.flush()
    assert store.problem is None


@pytest.mark.parametrize(("start", "end"), [(0.0, 100.0), (-500.0, -100.0), (20260101.0, 20260102.0), (4e9, 4e9 + 60)])
def test_a_period_out_of_all_reach_is_empty_and_harms_nothing(tmp_path: Path, start: float, end: float) -> None:
    events: list[Event] = []
    clock = FakeClock(START)
    store = open_store(tmp_path, clock, events)
    run(store, clock, 60)
    store.flush()
    series = store.query("modem1", "rsrp_dbm", start=start, end=end)
    assert known(series) == []
    assert series.reason
    assert events == []
