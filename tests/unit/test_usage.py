"""Usage counts every byte once, whatever happens to counters, interfaces, SIMs and us."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from remsim.core.clock import FakeClock
from remsim.core.reading import ModemReading
from remsim.telemetry.usage import Usage

START = 1_767_225_600.0
DAY = "2026-01-01"


def open_usage(directory: Path, boot_id: str = "boot-1") -> Usage:
    return Usage(directory / "usage.db", clock=FakeClock(START), boot_id=boot_id)


def reading(rx: int | None, *, at: float = 0.0, sim: str | None = "sim-1", modem: str = "modem1", tx: int = 0):
    return ModemReading(modem, START + at, sim=sim, interface="wwan0", rx_bytes=rx, tx_bytes=tx)


def total(usage: Usage, **where: str) -> int:
    rows = usage.query("2025-12-01", "2026-02-01")
    return sum(row["rx_bytes"] for row in rows if all(row[name] == value for name, value in where.items()))


def test_only_what_came_since_we_look_is_counted(tmp_path: Path) -> None:
    usage = open_usage(tmp_path)
    for rx in (5000, 5100, 5300):
        usage.record(reading(rx))
    assert total(usage) == 300


def test_a_counter_that_restarts_counts_from_zero(tmp_path: Path) -> None:
    usage = open_usage(tmp_path)
    for rx in (5000, 6000, 200, 500):
        usage.record(reading(rx))
    assert total(usage) == 1000 + 200 + 300


def test_an_interface_that_vanishes_and_comes_back_is_one_counter(tmp_path: Path) -> None:
    usage = open_usage(tmp_path)
    for rx in (1000, 1500, None, None, 40, 100):
        usage.record(reading(rx))
    assert total(usage) == 500 + 100


def test_a_restart_of_the_service_loses_and_doubles_nothing(tmp_path: Path) -> None:
    usage = open_usage(tmp_path)
    usage.record(reading(1000))
    usage.record(reading(1500))
    usage.close()
    usage = open_usage(tmp_path)
    usage.record(reading(1800))
    assert total(usage) == 800


def test_a_kill_loses_what_was_not_written_but_counts_it_when_seen_again(tmp_path: Path) -> None:
    usage = open_usage(tmp_path)
    usage.record(reading(1000))
    usage.flush()
    usage.record(reading(1500))  # never written
    usage._db.close()
    usage = open_usage(tmp_path)
    usage.record(reading(1700))
    assert total(usage) == 700


def test_after_a_reboot_a_known_interface_counts_from_zero(tmp_path: Path) -> None:
    usage = open_usage(tmp_path)
    usage.record(reading(1000))
    usage.record(reading(1500))
    usage.close()
    usage = open_usage(tmp_path, "boot-2")
    usage.record(reading(5000))  # all of it came since the boot: the link was up before we were
    usage.record(reading(5100))
    usage.record(reading(900, modem="modem2"))  # never seen before: whose it is nobody knows
    assert total(usage) == 500 + 5100
    usage._db.close()  # killed before anything was written
    usage = open_usage(tmp_path, "boot-2")
    usage.record(reading(5200))
    usage.close()
    usage = open_usage(tmp_path, "boot-2")
    usage.record(reading(5300))
    assert total(usage) == 500 + 5300


def test_what_was_counted_before_the_clock_was_set_belongs_to_the_day_it_was_set(tmp_path: Path) -> None:
    clock = FakeClock(100.0)
    usage = Usage(tmp_path / "usage.db", clock=clock, boot_id="boot-1")
    usage.record(reading(0, at=100 - START))
    usage.record(reading(70, at=110 - START))
    usage.close()  # a power cut would be no worse
    usage = Usage(tmp_path / "usage.db", clock=clock, boot_id="boot-1")
    usage.record(reading(100, at=120 - START))
    assert total(usage, day=DAY) == 0
    clock.set_wall(START)
    usage.record(reading(130, at=1))
    usage.flush()
    assert total(usage, day=DAY) == 130
    usage.close()
    usage = open_usage(tmp_path)
    assert usage.query("1970-01-01", "2030-01-01", group=("day",)) == [{"day": DAY, "rx_bytes": 130, "tx_bytes": 0}]


def test_a_sim_that_moves_keeps_its_own_account(tmp_path: Path) -> None:
    usage = open_usage(tmp_path)
    usage.record(reading(0))
    usage.record(reading(100))
    usage.record(reading(150, sim="sim-2"))
    usage.record(reading(150, sim=None))
    usage.record(reading(170, sim=None))
    usage.record(reading(0, modem="modem2"))
    usage.record(reading(7, modem="modem2"))
    assert total(usage, sim="sim-1") == 107
    assert total(usage, sim="sim-2") == 50
    assert total(usage, sim="unknown SIM") == 20


def test_days_are_utc(tmp_path: Path) -> None:
    usage = open_usage(tmp_path)
    usage.record(reading(0, at=86390))
    usage.record(reading(10, at=86399))
    usage.record(reading(30, at=86401))
    assert total(usage, day=DAY) == 10
    assert total(usage, day="2026-01-02") == 20


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=40), st.lists(st.booleans(), min_size=40, max_size=40))
def test_no_run_of_counters_gives_less_than_nothing_or_more_than_was_counted(
    tmp_path_factory, counters: list[int], restarts: list[bool]
) -> None:
    directory = tmp_path_factory.mktemp("usage")
    usage = open_usage(directory)
    expected, before = 0, None
    for rx, restart in zip(counters, restarts, strict=False):
        if restart:
            usage.close()
            usage = open_usage(directory)
        usage.record(reading(rx))
        if before is not None:
            expected += rx - before if rx >= before else rx
        before = rx
    assert total(usage) == expected
    usage.close()


def test_a_damaged_file_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "usage.db").write_bytes(b"no database" * 500)
    usage = open_usage(tmp_path)
    usage.record(reading(0))
    usage.record(reading(5))
    assert total(usage) == 5
    assert list(tmp_path.glob("usage.db.damaged-*"))
