"""Series: what goes in comes out, gaps are gaps, and trouble costs no more than it must."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.core.clock import FakeClock
from remsim.core.errors import InvalidInput, NotFound
from remsim.core.events import Event
from remsim.core.reading import ModemReading
from remsim.telemetry.export import csv_chunks, json_chunks, safe_text
from remsim.telemetry.measures import DEFINITIONS, MEASURES, values_of
from remsim.telemetry.points import consolidate, step_for
from remsim.telemetry.ring import Ring
from remsim.telemetry.series import MOST_POINTS, SeriesStore
from remsim.telemetry.stats import stats
from small_disk import fill, make_read_only, small_disk

START = 1_767_225_600.0


class Bench:
    """A store on a fake clock with the events it told."""

    def __init__(self, directory: Path, backup: Path | None = None, now: float = START) -> None:
        self.clock = FakeClock(now)
        self.events: list[Event] = []
        self.directory, self.backup = directory, backup
        self.store = self.open()

    def open(self) -> SeriesStore:
        self.store = SeriesStore(self.directory, clock=self.clock, emit=self.events.append, backup_dir=self.backup)
        return self.store

    def run(self, seconds: int, modem: str = "modem1", step: float = 1.0, **values: float | None) -> None:
        """Readings a ``step`` apart; the level follows the time so that points can be told apart."""
        for _ in range(int(seconds / step)):
            self.clock.advance(step)
            fields = {"rsrp_dbm": -90 - int(self.clock.now()) % 10, "latency_ms": 30.0, "rx_bits_per_s": 1e6} | values
            self.store.record(ModemReading(modem, self.clock.now(), **fields))  # type: ignore[arg-type]

    def kinds(self) -> list[str]:
        return [event.kind for event in self.events]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "data")


def known(points) -> list:
    return [point for point in points if point[2] is not None]


def test_the_last_hour_comes_from_memory_before_anything_is_written(bench: Bench) -> None:
    bench.run(120)
    series = bench.store.query("modem1", "rsrp_dbm", range_s=3600)
    assert series.source == "archive" or len(known(series.points)) > 10
    assert series.unit == "dBm"
    assert all(-99 <= point[1] <= point[2] <= point[3] <= -90 for point in known(series.points))


def test_a_restart_keeps_what_was_flushed_and_the_ring_goes_on_behind_it(bench: Bench) -> None:
    bench.run(600)
    bench.store.close()
    bench.open()
    bench.run(60)
    points = known(bench.store.query("modem1", "rsrp_dbm", range_s=3600).points)
    assert points[-1][0] - points[0][0] > 600


@pytest.mark.parametrize("range_s", [3600, 21600, 86400, 7 * 86400, 30 * 86400, 395 * 86400])
@pytest.mark.parametrize("points", [1, 600, MOST_POINTS])
def test_no_range_has_more_points_than_asked_for(bench: Bench, range_s: int, points: int) -> None:
    bench.store.record_history(
        ModemReading("modem1", START - 8 * 86400 + minute * 60, rsrp_dbm=-80) for minute in range(8 * 1440)
    )
    series = bench.store.query("modem1", "rsrp_dbm", range_s=range_s, points=points)
    assert 1 <= len(series.points) <= points
    assert all(point[2] in (None, -80.0) for point in series.points)
    assert known(series.points)


def test_an_outage_and_unknown_values_are_gaps(bench: Bench) -> None:
    bench.run(300)
    bench.clock.advance(900)
    bench.run(300)
    bench.run(120, rsrp_dbm=None)
    bench.run(60)
    bench.store.close()
    for store in (bench.store, bench.open()):  # from the ring, then from the file alone
        points = store.query("modem1", "rsrp_dbm", range_s=3600).points
        gaps = [point[0] for point in points if point[2] is None]
        assert any(START + 300 < when < START + 1230 for when in gaps)
        inside = [point for point in known(points) if START + 500 < point[0] < START + 1100]
        assert inside == []


def test_statistics_are_of_values_not_of_gaps() -> None:
    points = [(0, 1.0, 2.0, 3.0), (1, None, None, None), (2, 3.0, 4.0, 9.0)]
    assert stats(points) == {"min": 1.0, "avg": 3.0, "max": 9.0, "median": 2.0, "p95": 4.0, "count": 2}
    assert stats([])["avg"] is None


@given(st.lists(st.tuples(st.floats(0, 1e4), st.floats(-140, -40)), max_size=300), st.integers(1, 50))
def test_consolidation_never_leaves_the_data(samples: list[tuple[float, float]], points: int) -> None:
    rows = [(when, value, value, value) for when, value in sorted(samples)]
    step_s = step_for(1.0, 1e4, points)
    merged = consolidate(rows, 1e4, step_s, points)
    assert len(merged) <= points
    assert step_s >= 1
    for _, low, mean, high in merged:
        assert mean is None or low - 1e-3 <= mean <= high + 1e-3


def test_the_ring_is_bounded_and_rises_in_time() -> None:
    ring = Ring(tuple(MEASURES), capacity=100)
    for second in range(250):
        ring.add(START + second, values_of(ModemReading("modem1", START, rsrp_dbm=-90.0 - second)))
    times, columns = ring.columns(("rsrp_dbm",), 0, math.inf)
    assert list(times) == [START + second for second in range(150, 250)]
    assert list(columns["rsrp_dbm"]) == [-90.0 - second for second in range(150, 250)]
    ring.add(START, values_of(ModemReading("modem1", START, rsrp_dbm=-80.0)))  # the clock was set back
    assert len(ring) == 1


def test_eight_modems_stay_below_twenty_megabytes(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "data")
    for number in range(8):
        bench.store.record(ModemReading(f"modem{number}", START, rsrp_dbm=-90))
    bench.store.flush()
    size = sum(path.stat().st_size for path in (tmp_path / "data").rglob("*.rrd"))
    assert 5_000_000 < size <= 20_000_000


def test_a_damaged_file_is_kept_aside_begun_anew_and_told(bench: Bench) -> None:
    bench.run(60)
    bench.store.close()
    path = bench.directory / "modem1" / "signal.rrd"
    path.write_bytes(b"\0garbage" * 1000)
    bench.open()
    bench.run(60)
    bench.store.flush()
    assert "series_recreated" in bench.kinds()
    assert list(path.parent.glob("signal.rrd.series_recreated-*"))
    assert known(bench.store.query("modem1", "rsrp_dbm", range_s=600).points)
    # the others were not touched
    assert known(bench.store.query("modem1", "latency_ms", start=START, end=START + 60).points)


def test_a_file_damaged_while_running_costs_its_values_only(bench: Bench) -> None:
    bench.run(60)
    bench.store.flush()
    (bench.directory / "modem1" / "signal.rrd").write_bytes(b"RRD\0" + b"\xff" * 500)
    bench.run(60)
    bench.store.flush()
    bench.run(60)
    bench.store.flush()
    bench.store.close()
    bench.open()
    assert known(bench.store.query("modem1", "rsrp_dbm", range_s=600).points)


@pytest.mark.parametrize("seen_by", ["writing", "reading"])
def test_a_file_damaged_while_running_comes_back_from_the_backup(tmp_path: Path, seen_by: str) -> None:
    bench = Bench(tmp_path / "data", tmp_path / "backup")
    bench.run(600)
    bench.store.flush()
    bench.store.save_backup()
    path = bench.directory / "modem1" / "signal.rrd"
    path.write_bytes(path.read_bytes()[:2000])
    if seen_by == "writing":
        bench.run(60)
        bench.store.flush()
    assert known(bench.store.query("modem1", "nr_rsrp_dbm", start=START - 60, end=START - 30).points) == []
    bench.store.save_backup()
    bench.store.close()
    bench.open()
    points = known(bench.store.query("modem1", "rsrp_dbm", start=START, end=START + 600).points)
    assert len(points) > 50
    told = [event for event in bench.events if event.kind == "series_recreated"]
    assert ["restored from the backup" in event.message for event in told] == [True]


def test_the_clock_set_at_boot_loses_nothing_that_follows(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "data", now=1000.0)
    bench.run(120)
    bench.store.flush()
    bench.clock.set_wall(START)
    bench.run(120)
    bench.store.flush()
    bench.store.close()
    bench.open()
    points = known(bench.store.query("modem1", "rsrp_dbm", range_s=600).points)
    assert points[-1][0] > START + 90
    assert bench.store.problem is None


def test_a_clock_set_back_keeps_the_old_file_and_begins_a_new_one(bench: Bench) -> None:
    bench.run(120)
    bench.store.flush()
    bench.clock.set_wall(START - 86400)
    bench.run(120)
    bench.store.flush()
    assert "clock_jump" in bench.kinds()
    assert list((bench.directory / "modem1").glob("signal.rrd.clock_jump-*"))
    bench.store.close()
    bench.open()
    assert known(bench.store.query("modem1", "rsrp_dbm", range_s=600).points)


def test_a_full_disk_is_told_once_and_what_waited_is_written_when_it_has_room(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 3000) as disk:
        bench = Bench(disk)
        filler = fill(disk)
        bench.run(30)
        bench.store.flush()
        bench.run(30)
        bench.store.flush()
        assert bench.kinds().count("error") == 1
        assert "cannot be" in (bench.store.problem or "")
        assert known(bench.store.query("modem1", "rsrp_dbm", range_s=60).points), "the ring goes on"
        filler.unlink()
        bench.run(30)
        bench.store.flush()
        assert bench.store.problem is None
        assert bench.kinds()[-1] == "recovered"
        bench.store.close()
        bench.open()
        points = known(bench.store.query("modem1", "rsrp_dbm", range_s=3600).points)
        assert points[0][0] <= START + 30, "what waited was written"


def test_a_disk_too_small_for_a_file_is_called_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 1000) as disk:
        bench = Bench(disk)
        bench.run(30)
        bench.store.flush()
        assert bench.store.problem == f"{disk}/modem1/signal.rrd cannot be created: No space left on device"
        assert [path.name for path in disk.glob("*/*")] == ["latency.rrd"]


def test_a_disk_that_fills_up_later_damages_nothing_written(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 4000) as disk:
        bench = Bench(disk)
        bench.run(60)
        bench.store.flush()
        fill(disk)
        bench.run(60)
        bench.store.flush()  # a file in place needs no new space
        bench.store.close()
        bench.open()
        assert known(bench.store.query("modem1", "rsrp_dbm", range_s=600).points)[-1][0] > START + 100


def test_a_read_only_data_directory_leaves_the_live_hour_and_is_said(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 3000) as disk:
        make_read_only(disk, True)
        bench = Bench(disk)
        bench.run(30)
        bench.store.flush()
        assert "error" in bench.kinds()
        assert known(bench.store.query("modem1", "rsrp_dbm", range_s=60).points)
        make_read_only(disk, False)
        bench.store.flush()
        assert bench.store.problem is None


def test_the_backup_brings_series_back_and_a_full_target_is_said(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "data", tmp_path / "backup")
    bench.run(120)
    bench.store.close()
    for path in (tmp_path / "data").rglob("*.rrd"):
        path.unlink()
    bench.open()
    assert known(bench.store.query("modem1", "rsrp_dbm", range_s=600).points)
    with small_disk(tmp_path / "flash", 64) as flash:
        small = Bench(tmp_path / "other", flash / "backup")
        small.run(60)
        small.store.flush()
        filler = fill(flash)
        small.store.save_backup()
        assert "backup" in (small.store.problem or "")
        filler.unlink()
        small.store.save_backup()
        assert list(flash.rglob("*.z"))
        assert not list(flash.rglob("*.new"))


def test_a_file_cut_by_a_power_loss_is_restored_from_the_backup(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "data", tmp_path / "backup")
    bench.run(120)
    bench.store.close()
    path = tmp_path / "data" / "modem1" / "signal.rrd"
    path.write_bytes(path.read_bytes()[:1000])
    bench.open()
    assert known(bench.store.query("modem1", "rsrp_dbm", range_s=600).points)
    assert "series_recreated" in bench.kinds()


def test_the_backup_copies_only_what_changed(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "data", tmp_path / "backup")
    bench.run(60)
    bench.store.close()
    assert bench.store.backup is not None
    written = bench.store.backup.bytes_written
    bench.store.save_backup()
    assert bench.store.backup.bytes_written == written


def test_live_readings_wait_for_the_history_and_come_after_it(bench: Bench) -> None:
    bench.store.hold_live()
    bench.run(30)
    bench.store.flush()
    bench.store.record_history(ModemReading("modem1", START - 3600 + minute * 60, rsrp_dbm=-70) for minute in range(60))
    bench.store.release_live()
    bench.store.flush()
    bench.store.close()
    bench.open()
    points = known(bench.store.query("modem1", "rsrp_dbm", range_s=7200).points)
    assert points[0][2] == -70
    assert points[-1][2] < -89


@pytest.mark.parametrize(
    ("call", "field"),
    [
        ({"measure": "charm"}, "measure"),
        ({"points": 0}, "points"),
        ({"points": -1}, "points"),
        ({"start": 100.0, "end": 50.0}, "from"),
        ({"start": math.nan, "end": 50.0}, "from"),
        ({"start": 0.0, "end": START}, "from"),
    ],
)
def test_wrong_questions_name_their_field(bench: Bench, call: dict, field: str) -> None:
    bench.run(5)
    with pytest.raises(InvalidInput) as told:
        bench.store.query("modem1", call.pop("measure", "rsrp_dbm"), **call)
    assert told.value.field == field


def test_an_unknown_modem_is_named_and_an_id_cannot_leave_the_directory(bench: Bench) -> None:
    with pytest.raises(NotFound):
        bench.store.query("modem99", "rsrp_dbm", range_s=60)
    for modem in ("../x", "a/b", "", ".", "m" * 65):
        with pytest.raises(InvalidInput):
            bench.store.record(ModemReading(modem, START, rsrp_dbm=-90))


def test_an_empty_chart_says_why(bench: Bench) -> None:
    bench.run(30, nr_rsrp_dbm=None)
    assert "RSRP (5G)" in (bench.store.query("modem1", "nr_rsrp_dbm", range_s=60).reason or "")
    assert bench.store.query("modem1", "rsrp_dbm", range_s=60).reason is None
    old = bench.store.query("modem1", "rsrp_dbm", start=START - 9000, end=START - 8000)
    assert old.reason


def test_csv_has_units_utc_times_and_empty_cells_for_the_unknown(bench: Bench) -> None:
    bench.run(60, latency_ms=None)
    bench.store.flush()
    text = "".join(csv_chunks(bench.store, ["modem1"], ["rsrp_dbm", "latency_ms"], START, START + 60))
    lines = text.splitlines()
    assert lines[0] == "time,modem,rsrp_dbm [dBm],latency_ms [ms]"
    assert lines[1].startswith("2026-01-01T00:00:")
    assert lines[1].endswith(",")
    import json

    parsed = json.loads("".join(json_chunks(bench.store, ["modem1"], ["rsrp_dbm"], START, START + 60)))
    assert parsed["series"][0]["unit"] == "dBm"


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_no_text_becomes_a_formula(text: str) -> None:
    assert safe_text(text).startswith("'")


def test_every_source_name_fits_librrd_and_every_measure_is_a_field_of_the_reading() -> None:
    for measure in MEASURES.values():
        assert len(measure.name) <= 19
        assert hasattr(ModemReading("modem1", 0.0), measure.name)
    assert DEFINITIONS.heartbeat_s >= 3 * 60


def test_a_store_that_most_modems_have_nothing_for_takes_room_once_it_is_used(tmp_path: Path) -> None:
    clock = FakeClock()
    store = SeriesStore(tmp_path, clock=clock, emit=lambda event: None)
    for second in range(60):
        clock.advance(1)
        served = None if second < 30 else 100.0
        store.record(ModemReading("modem1", clock.now(), rsrp_dbm=-90.0, bankd_link_percent=served))
        if second == 29:
            store.flush()
            assert not (tmp_path / "modem1" / "remote_sim.rrd").exists()
    store.flush()
    assert (tmp_path / "modem1" / "remote_sim.rrd").exists()
    found = store.query("modem1", "bankd_link_percent", start=clock.now() - 60, end=clock.now())
    assert {point[2] for point in found.points if point[2] is not None} == {100.0}
