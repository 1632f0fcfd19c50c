"""The journal and the sequence: nothing acknowledged is lost, ids only rise."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from remsim.core.clock import FakeClock
from remsim.core.errors import InvalidInput
from remsim.core.events import Event
from remsim.telemetry.journal import Journal
from remsim.telemetry.sequence import Sequence
from remsim.telemetry.timeline import timeline
from small_disk import fill, make_read_only, small_disk

START = 1_767_225_600.0


def open_journal(directory: Path, **more: int) -> Journal:
    return Journal(directory / "journal.db", clock=FakeClock(START), sequence=Sequence(directory / "sequence"), **more)


def event(number: int, kind: str = "state", source: str = "modem1", **data: object) -> Event:
    return Event(kind, source, START + number, f"event {number}", data=dict(data))


def test_events_come_back_as_they_were_newest_first_page_by_page(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    kept = [journal.append(event(number, value=number)) for number in range(25)]
    assert [one.id for one in kept] == sorted({one.id for one in kept})
    page, cursor = journal.query(limit=10)
    pages = list(page)
    while cursor is not None:
        page, cursor = journal.query(limit=10, cursor=cursor)
        pages += page
    assert pages == kept[::-1]


def test_filters(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    for number in range(10):
        journal.append(event(number, "connect" if number % 2 else "error", f"modem{number % 3}"))
    assert {one.kind for one in journal.query(kinds=["connect"])[0]} == {"connect"}
    assert {one.source for one in journal.query(modem="modem2")[0]} == {"modem2"}
    assert [one.at for one in journal.query(start=START + 3, end=START + 4)[0]] == [START + 4, START + 3]
    newest = journal.latest_id()
    assert journal.query(since=newest)[0] == []
    hostile = "x'; DROP TABLE events; --"
    assert journal.query(modem=hostile, kinds=[hostile])[0] == []
    assert journal.latest_id() == newest


def test_ids_rise_over_restarts_and_lost_sequence_files(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    first = journal.append(event(1)).id
    journal.close()
    (tmp_path / "sequence").unlink()
    journal = open_journal(tmp_path)
    assert journal.append(event(2)).id > first
    (tmp_path / "sequence").write_text("no number")
    assert open_journal(tmp_path).append(event(3)).id > first + 1


def test_the_sequence_gives_no_number_twice_to_threads(tmp_path: Path) -> None:
    sequence = Sequence(tmp_path / "sequence")
    taken: list[int] = []
    lock = threading.Lock()

    def take() -> None:
        mine = [sequence.next() for _ in range(2000)]
        with lock:
            taken.extend(mine)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(taken)) == 8000


def test_numbers_reserved_for_the_past_come_before_later_ones(tmp_path: Path) -> None:
    sequence = Sequence(tmp_path / "sequence")
    past = sequence.reserve(100)
    assert sequence.next() == past[-1] + 1


CHILD = """
import sys
from pathlib import Path
from remsim.core.clock import SystemClock
from remsim.core.events import Event
from remsim.telemetry.journal import Journal
from remsim.telemetry.sequence import Sequence
directory = Path(sys.argv[1])
journal = Journal(directory / "journal.db", clock=SystemClock(), sequence=Sequence(directory / "sequence"))
while True:
    kept = journal.append(Event("state", "modem1", 1.0, "x"))
    sys.stdout.write(f"{kept.id}\\n")
    sys.stdout.flush()
"""


def test_kill_9_loses_no_acknowledged_event(tmp_path: Path) -> None:
    acknowledged: set[int] = set()
    for _ in range(3):
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout
        for _ in range(50):
            acknowledged.add(int(child.stdout.readline()))
        os.kill(child.pid, signal.SIGKILL)
        rest = child.communicate()[0].splitlines()
        acknowledged.update(int(line) for line in rest if line.strip().isdigit())
    journal = open_journal(tmp_path)
    kept: set[int] = set()
    page, cursor = journal.query(limit=500)
    kept.update(one.id or 0 for one in page)
    while cursor is not None:
        page, cursor = journal.query(limit=500, cursor=cursor)
        kept.update(one.id or 0 for one in page)
    # The last line may have been cut in the pipe: what was read whole counts.
    assert len(acknowledged) >= 150
    assert {one for one in acknowledged if one <= max(kept)} <= kept


def test_a_damaged_journal_keeps_what_can_be_read_and_says_so(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    for number in range(2000):
        journal.append(event(number, text="x" * 200))
    journal._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # all of it into the one file we damage
    journal._db.close()
    path = tmp_path / "journal.db"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 30_000] = b"\xa5" * 30_000
    path.write_bytes(content)
    journal = open_journal(tmp_path)
    newest = journal.query(limit=1)[0][0]
    assert newest.kind == "journal_recovered"
    assert newest.data["kept"] > 500
    assert list(tmp_path.glob("journal.db.damaged-*"))
    assert journal.append(event(1)).id > newest.id


def test_a_file_that_is_no_database_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "journal.db").write_bytes(b"not a database at all" * 100)
    journal = open_journal(tmp_path)
    assert journal.append(event(1)).id
    assert len(journal.query()[0]) == 2


def test_a_full_disk_loses_no_event_and_is_said(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 400) as disk:
        journal = open_journal(disk)
        first = journal.append(event(0))
        filler = fill(disk)
        waiting = [journal.append(event(number, text="x" * 4000)) for number in range(1, 30)]
        assert "cannot be written" in (journal.problem or "")
        filler.unlink()
        last = journal.append(event(99))
        assert journal.problem is None
        journal.close()
        journal = open_journal(disk)
        kept = {one.id for one in journal.query(limit=500)[0]}
        assert {first.id, last.id, *(one.id for one in waiting)} <= kept
        journal.close()


def test_a_read_only_state_directory_still_numbers_events(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 400) as disk:
        make_read_only(disk, True)
        journal = open_journal(disk)
        assert journal.problem
        assert journal.append(event(1)).id < journal.append(event(2)).id
        journal.close()


def test_old_events_go_and_a_large_journal_shrinks(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, days=1, max_mb=1)
    journal.append(Event("state", "modem1", START - 2 * 86400, "old"))
    for number in range(1500):
        journal.append(event(number, text="x" * 1000))
    journal.trim()
    events, _ = journal.query(limit=500)
    assert all(one.message != "old" for one in events)
    assert events[0].message == "event 1499"
    oldest = journal._db.execute("SELECT COUNT(*) FROM events").fetchone()[0]
    assert oldest < 1500
    journal.close()


def test_a_timeline_knows_the_state_before_its_first_event_and_nothing_while_we_were_off(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.append(event(-500, "service_start", "remsim"))
    journal.append(event(-400, "connect", to="online"))
    journal.append(event(100, "disconnect", **{"from": "online", "to": "searching"}))
    journal.append(event(200, "connect", **{"from": "searching", "to": "online"}))
    journal.append(event(300, "service_stop", "remsim"))
    journal.append(event(400, "service_start", "remsim"))
    journal.append(event(410, "connect", to="online"))
    bands = timeline(journal, "modem1", "state", START, START + 500)
    assert [band["value"] for band in bands] == ["online", "searching", "online", None, "online"]
    assert bands[0]["from"] == "2026-01-01T00:00:00.000Z"
    for one, following in zip(bands, bands[1:], strict=False):
        assert one["to"] == following["from"]


def test_what_a_modem_was_when_it_came_online_begins_its_other_timelines(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.append(event(-10, "connect", to="online", mode="LTE", sim="sim-1", registration="home"))
    journal.append(event(50, "technology_change", **{"from": "LTE", "to": "NSA"}))
    assert [band["value"] for band in timeline(journal, "modem1", "technology", START, START + 99)] == ["LTE", "NSA"]
    assert [band["value"] for band in timeline(journal, "modem1", "sim", START, START + 99)] == ["sim-1"]
    assert [band["value"] for band in timeline(journal, "modem2", "sim", START, START + 99)] == [None]


def test_an_unknown_track_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput) as told:
        timeline(open_journal(tmp_path), "modem1", "mood", START, START + 1)
    assert told.value.field == "track"


def test_a_journal_of_an_unclean_end_is_checked_and_used(tmp_path: Path) -> None:
    journal = open_journal(tmp_path)
    journal.append(event(1))
    journal._db.close()  # no clean mark
    assert sqlite3.connect(tmp_path / "journal.db").execute("SELECT COUNT(*) FROM events").fetchone()[0] == 1
    assert len(open_journal(tmp_path).query()[0]) == 1
