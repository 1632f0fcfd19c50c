"""Journal, usage and sequence when the disk refuses, the file is damaged, or a modem says nonsense."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from remsim.core.clock import FakeClock
from remsim.core.events import Event
from remsim.core.reading import ModemReading
from remsim.telemetry.journal import Journal
from remsim.telemetry.sequence import Sequence
from remsim.telemetry.usage import Usage
from small_disk import fill, make_read_only, small_disk

START = 1_767_225_600.0


def open_journal(directory: Path, clock: FakeClock | None = None, **more: int) -> Journal:
    sequence = Sequence(directory / "sequence")
    return Journal(directory / "journal.db", clock=clock or FakeClock(START), sequence=sequence, **more)


def event(number: int, message: str = "something", **data: object) -> Event:
    return Event("state", "modem1", START + number, message, data=dict(data))


def count(usage: Usage, *values: int, at: float = 0.0) -> None:
    for rx in values:
        usage.record(ModemReading("modem1", START + at, sim="sim-1", interface="wwan0", rx_bytes=rx, tx_bytes=0))


def total(usage: Usage) -> int:
    return sum(row["rx_bytes"] for row in usage.query("2025-12-01", "2026-02-01"))


def test_a_disk_that_refuses_at_the_start_shows_the_past_and_gets_everything_later(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 1000) as disk:
        journal = open_journal(disk)
        past = journal.append(event(0, "before"))
        journal.close()
        make_read_only(disk, True)
        clock = FakeClock(START)
        journal = open_journal(disk, clock)
        new = [journal.append(event(number)) for number in range(1, 4)]
        assert journal.problem, "said for as long as events are in memory only"
        assert [one.id for one in journal.query()[0]] == [one.id for one in (*new[::-1], past)]
        make_read_only(disk, False)
        clock.advance(60)
        last = journal.append(event(9))
        assert journal.problem is None
        journal.close()
        journal = open_journal(disk)
        assert [one.id for one in journal.query()[0]] == [one.id for one in (last, *new[::-1], past)]
        journal.close()


def test_events_that_wait_for_room_are_shown_with_the_others(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 400) as disk:
        journal = open_journal(disk)
        kept = [journal.append(event(number, text="x" * 2000)) for number in range(5)]
        filler = fill(disk)
        kept += [journal.append(event(number, text="x" * 8000)) for number in range(5, 30)]
        assert journal.problem
        page, cursor = journal.query(limit=20)
        rest, end = journal.query(limit=20, cursor=cursor)
        assert [one.id for one in page + rest] == [one.id for one in kept[::-1]]
        assert end is None
        assert journal.query(modem="modem2")[0] == []
        assert [one.at for one in journal.query(start=START + 28)[0]] == [START + 29, START + 28]
        filler.unlink()
        journal.close()


def test_what_a_modem_says_keeps_no_other_event_from_being_written(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.append(event(1, "\udcff\x00\ud800 garbage", raw=b"\xff", name="\udc80", big=2**80))
    journal.append(event(2, "x" * 100_000))
    journal.close()
    journal = open_journal(tmp_path)
    events, _ = journal.query()
    assert len(events) == 2
    json.dumps([one.as_dict() for one in events]).encode()


def test_events_of_an_unset_clock_are_not_old(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, days=1)
    journal.append(Event("state", "modem1", 100.0, "in 1970"))
    journal.append(event(-2 * 86400, "old"))
    journal.trim()
    assert [one.message for one in journal.query()[0]] == ["in 1970"]


def test_events_of_this_boot_get_their_true_time_when_the_clock_is_set(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, FakeClock(50.0))
    journal.append(Event("state", "modem1", 50.0, "another boot"))
    journal.close()
    clock = FakeClock(100.0)
    journal = open_journal(tmp_path, clock)
    for message in ("start", "connect"):
        journal.append(Event("state", "modem1", clock.now(), message))
        clock.advance(10)
    clock.set_wall(START + 20)
    journal.append(Event("clock_jump", "remsim", clock.now(), "set"))
    journal.append(Event("state", "modem1", clock.now(), "later"))
    wanted = {"another boot": 50.0, "start": START, "connect": START + 10, "set": START + 20, "later": START + 20}
    assert {one.message: one.at for one in journal.query()[0]} == wanted
    journal.close()
    assert {one.message: one.at for one in open_journal(tmp_path).query()[0]} == wanted


def test_events_that_wait_for_the_disk_get_their_true_time_too(tmp_path: Path) -> None:
    clock = FakeClock(100.0)
    with small_disk(tmp_path / "small", 400) as disk:
        journal = open_journal(disk, clock)
        filler = fill(disk)
        for _ in range(30):
            journal.append(Event("state", "modem1", clock.now(), "x" * 4000))
        assert journal.problem
        clock.set_wall(START)
        journal.append(Event("state", "modem1", clock.now(), "later"))
        assert {one.at for one in journal.query()[0]} == {START}
        filler.unlink()
        journal.append(Event("state", "modem1", clock.now(), "last"))
        assert journal.problem is None
        journal.close()
        assert [one.at for one in open_journal(disk).query()[0]] == [START] * 32


def test_a_quiet_router_drops_old_events_at_its_start(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.append(event(0, "old"))
    journal.close()
    assert open_journal(tmp_path, FakeClock(START + 500 * 86400)).query()[0] == []


def test_a_smaller_limit_holds_at_once(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    for number in range(1500):
        journal.append(event(number, text="x" * 2000))
    journal.close()
    journal = open_journal(tmp_path, max_mb=1)
    assert 0 < journal._used_bytes() <= 1_000_000
    assert journal.query(limit=1)[0][0].at == START + 1499


@pytest.mark.parametrize("cut", [0.1, 0.5, 0.9])
def test_a_journal_cut_short_by_a_power_loss_keeps_its_readable_rows(tmp_path: Path, cut: float) -> None:
    journal = open_journal(tmp_path)
    for number in range(800):
        journal.append(event(number, text="x" * 500))
    journal._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    journal._db.close()
    path = tmp_path / "journal.db"
    os.truncate(path, int(path.stat().st_size * cut))
    journal = open_journal(tmp_path)
    newest = journal.query(limit=1)[0][0]
    assert newest.kind == "journal_recovered"
    assert newest.data["kept"] > 800 * cut / 2
    assert journal.append(event(1)).id > newest.id
    assert sqlite3.connect(path).execute("PRAGMA integrity_check").fetchone()[0] == "ok"


@pytest.mark.parametrize("checkpoint", [True, False])
def test_a_journal_damaged_while_running_is_repaired_and_nothing_new_is_lost(tmp_path: Path, checkpoint: bool) -> None:
    journal = open_journal(tmp_path)
    for number in range(400):
        journal.append(event(number, text="x" * 2000))
    if checkpoint:
        journal._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (tmp_path / "journal.db").open("r+b") as file:
        file.seek(100_000)
        file.write(b"\xa5" * 300_000)
    new = [journal.append(event(1000 + number, text="y" * 2000)).id for number in range(300)]
    seen = set()
    cursor = None
    while True:
        page, cursor = journal.query(limit=500, cursor=cursor)
        seen.update(one.id for one in page)
        if cursor is None:
            break
    assert set(new) <= seen
    assert journal.problem is None
    journal.close()
    journal = open_journal(tmp_path)
    assert set(new) <= {one.id for one in journal.query(limit=500)[0]}
    assert journal.query(kinds=["journal_recovered"])[0]


def test_usage_damaged_while_running_is_repaired(tmp_path: Path) -> None:
    usage = Usage(tmp_path / "usage.db", clock=FakeClock(START), boot_id="boot-1")
    for number in range(3000):
        usage.record_past(reading_of_the_past(number), 60.0)
    usage.keep_past()
    usage.flush()
    usage._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (tmp_path / "usage.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xa5" * 100_000)
    usage._db.execute("PRAGMA shrink_memory")
    count(usage, 0, 500)
    usage.flush()
    usage.flush()
    assert usage.problem is None
    usage.close()
    usage = Usage(tmp_path / "usage.db", clock=FakeClock(START), boot_id="boot-1")
    rows = usage.query("2026-01-01", "2026-01-01", group=("sim",))
    assert {"sim": "sim-1", "rx_bytes": 500, "tx_bytes": 0} in rows


def reading_of_the_past(number: int) -> ModemReading:
    """One of many days and cards."""
    at = START - number * 86400
    return ModemReading("modem1", at, sim=f"sim-{number}", interface="wwan0", rx_bits_per_s=8.0, tx_bits_per_s=0.0)


def test_usage_on_a_refusing_disk_is_shown_and_written_later(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 1000) as disk:
        usage = Usage(disk / "usage.db", clock=FakeClock(START), boot_id="boot-1")
        count(usage, 0, 100)
        usage.close()
        make_read_only(disk, True)
        clock = FakeClock(START)
        usage = Usage(disk / "usage.db", clock=clock, boot_id="boot-1")
        count(usage, 150, 300)
        usage.flush()
        assert usage.problem
        assert total(usage) == 300
        make_read_only(disk, False)
        clock.advance(60)
        usage.flush()
        assert usage.problem is None
        usage.close()
        usage = Usage(disk / "usage.db", clock=FakeClock(START), boot_id="boot-1")
        assert total(usage) == 300
        usage.close()


def test_usage_on_a_disk_that_fills_up_counts_once(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 300) as disk:
        usage = Usage(disk / "usage.db", clock=FakeClock(START), boot_id="boot-1")
        filler = fill(disk)
        for number in range(400):  # a day each, until the log must grow
            count(usage, number * 10, at=number * 86400.0)
            usage.flush()
        assert usage.problem
        filler.unlink()
        usage.flush()
        assert usage.problem is None
        usage.close()
        usage = Usage(disk / "usage.db", clock=FakeClock(START), boot_id="boot-1")
        assert sum(row["rx_bytes"] for row in usage.query("2025-01-01", "2028-01-01")) == 3990
        usage.close()


def test_damaged_usage_keeps_what_can_be_read(tmp_path: Path) -> None:
    usage = Usage(tmp_path / "usage.db", clock=FakeClock(START), boot_id="boot-1")
    for number in range(2000):
        count(usage, number * 10, at=number * 86400.0)
    usage.close()
    path = tmp_path / "usage.db"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 12_000] = b"\xa5" * 12_000
    path.write_bytes(content)
    usage = Usage(path, clock=FakeClock(START), boot_id="boot-1")
    rows = usage.query("2020-01-01", "2040-01-01")
    assert 200 < len(rows) < 1999
    assert list(tmp_path.glob("usage.db.damaged-*"))
    count(usage, 19_990 + 7, at=0.0)
    usage.close()


def test_looking_at_usage_writes_nothing(tmp_path: Path) -> None:
    usage = Usage(tmp_path / "usage.db", clock=FakeClock(START), boot_id="boot-1")
    count(usage, 0, 100)
    usage.flush()
    count(usage, 100)
    changes = usage._db.total_changes
    usage.flush()
    assert total(usage) == 100
    assert usage._db.total_changes == changes


def refused() -> None:
    raise sqlite3.OperationalError("disk I/O error")


def test_trouble_that_is_over_is_no_longer_told_though_nothing_new_came(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    usage = Usage(tmp_path / "usage.db", clock=FakeClock(START), boot_id="boot-1")
    journal._file.tried(refused)
    usage._file.tried(refused)
    assert journal.problem and usage.problem
    journal.query()
    usage.flush()
    assert journal.problem is None and usage.problem is None
    journal.close()
    usage.close()


USAGE_CHILD = """
import sys
from pathlib import Path
from remsim.core.clock import SystemClock
from remsim.core.reading import ModemReading
from remsim.telemetry.usage import Usage
usage = Usage(Path(sys.argv[1]), clock=SystemClock(), boot_id="boot-1")
rx = int(sys.argv[2])
while True:
    rx += 10
    sys.stdout.write(f"{rx}\\n")  # first, for an interface's counter does not go back when we are killed
    sys.stdout.flush()
    usage.record(ModemReading("modem1", 1767225600.0, sim="sim-1", interface="wwan0", rx_bytes=rx, tx_bytes=0))
    if rx % 50 == 0:
        usage.flush()
"""


def test_kill_9_neither_loses_nor_doubles_a_byte_of_usage(tmp_path: Path) -> None:
    path = tmp_path / "usage.db"
    seen = [0]
    for _ in range(3):
        arguments = [sys.executable, "-c", USAGE_CHILD, str(path), str(seen[-1])]
        child = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        assert child.stdout
        for _ in range(33):
            seen.append(int(child.stdout.readline()))
        os.kill(child.pid, signal.SIGKILL)
        seen += [int(line) for line in child.communicate()[0].split("\n")[:-1]]
    usage = Usage(path, clock=FakeClock(START), boot_id="boot-1")
    count(usage, seen[-1])
    assert total(usage) == seen[-1] - 10  # what came before the first look is nobody's


def test_numbers_do_not_repeat_after_a_restart_on_a_full_disk(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 64) as disk:
        sequence = Sequence(disk / "sequence")
        sequence.next()
        fill(disk)
        last = 0
        for _ in range(90_000):
            last = sequence.next()
        assert Sequence(disk / "sequence").next() > last
