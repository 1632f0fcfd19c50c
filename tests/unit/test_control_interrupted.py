"""Changes that the end of the service interrupts: undone at once, or when the modem is identified next."""

from __future__ import annotations

import json
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from control_actions import Level, Leveled, Wait, told, wait_action
from control_bench import ControlBench
from remsim.core.jobs import Job
from remsim.modems.control.pending import MOST_TRIES, Pending, Unconfirmed

WAITS = {"level": 2, "confirm_s": 60, "service_s": 5}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlBench]:
    bench = ControlBench(tmp_path / "first", monkeypatch, actions=(Wait(), Level()))
    yield bench
    bench.close()


def confirming(bench: ControlBench) -> Job:
    job = bench.desk.start("modem1", "level", WAITS, actor="x")
    bench.wait(lambda: job.state == "confirming" or job.is_over)
    assert job.state == "confirming", job.error
    return job


def kept(bench: ControlBench) -> dict[str, Any]:
    path = bench.state_dir / "pending.json"
    return json.loads(path.read_text()) if path.exists() else {}


def next_life(bench: ControlBench, root: Path, monkeypatch: pytest.MonkeyPatch) -> ControlBench:
    """Another service over the state that this one has on flash now, as after kill -9."""
    (root / "state").mkdir(parents=True)
    for file in bench.state_dir.iterdir():
        shutil.copy2(file, root / "state" / file.name)
    return ControlBench(root, monkeypatch, actions=(Wait(), Level()))


def test_a_change_is_on_flash_until_it_is_confirmed(bench: ControlBench) -> None:
    Leveled(bench)
    bench.start()
    job = confirming(bench)
    assert kept(bench)["modem1"]["level"]["before"] == {"level": 1}
    assert stat.S_IMODE((bench.state_dir / "pending.json").stat().st_mode) == 0o600
    job.confirm()
    bench.wait(lambda: job.is_over)
    assert job.state == "done" and kept(bench) == {}


@pytest.mark.parametrize("answer", ["abort", "refuse", "no service"])
def test_what_was_undone_is_not_undone_again(bench: ControlBench, answer: str) -> None:
    level = Leveled(bench)
    level.without_service = {3}
    bench.set("AT+LVL=4", "ERROR")
    bench.start()
    if answer == "abort":
        job = confirming(bench)
        job.abort()
        bench.wait(lambda: job.is_over)
    else:
        job = bench.run("level", level=4 if answer == "refuse" else 3, service_s=5)
    assert job.state != "done" and level.level == 1 and kept(bench) == {}


def test_a_killed_service_undoes_at_its_next_start_what_nobody_confirmed(
    bench: ControlBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Leveled(bench)
    bench.start()
    confirming(bench)
    later = next_life(bench, tmp_path / "second", monkeypatch)
    level = Leveled(later, 2)
    later.start()
    try:
        later.wait(lambda: level.level == 1 and kept(later) == {})
        later.wait(lambda: any("was undone" in one["message"] for one in told(later)))
        later.wait(lambda: later.manager.view("modem1")["operation"] is None)
        later.restart()
        later.wait(lambda: later.target.modem.identifications == 2 and later.target.is_online)
        assert level.log == [1], "once is enough"
    finally:
        later.close()


def test_a_radio_that_was_on_is_on_again(bench: ControlBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Leveled(bench)
    bench.start()
    confirming(bench)
    later = next_life(bench, tmp_path / "second", monkeypatch)
    Leveled(later, 1)
    later.set("AT+CFUN?", "+CFUN: 4")
    later.set("AT+CFUN=1", "OK")
    later.start("low_power")
    try:
        later.wait(lambda: "AT+CFUN=1" in later.modem.commands and kept(later) == {})
    finally:
        later.close()


def test_an_undo_that_the_modem_refuses_is_told_and_not_repeated(
    bench: ControlBench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Leveled(bench)
    bench.start()
    confirming(bench)
    later = next_life(bench, tmp_path / "second", monkeypatch)
    Leveled(later, 2)
    later.set("AT+LVL=1", "ERROR")
    later.start()
    try:
        later.wait(lambda: any("could not be undone" in one["message"] for one in told(later)))
        later.wait(lambda: kept(later) == {})
    finally:
        later.close()


def test_stopping_undoes_at_once_what_nobody_confirmed(bench: ControlBench) -> None:
    level = Leveled(bench)
    bench.start()
    job = confirming(bench)
    begun = bench.clock.monotonic()
    bench.jobs.stop(60.0)
    assert bench.clock.monotonic() - begun < 30.0
    assert (job.state, level.level, kept(bench)) == ("aborted", 1, {})
    assert "the service stops" in str(job.error) and "undone" in told(bench)[-1]["message"]


def test_what_stopping_cannot_undo_is_kept_for_the_next_start(bench: ControlBench) -> None:
    Leveled(bench)
    bench.start()
    job = confirming(bench)
    bench.modem.answers["AT+LVL?"] = None
    bench.jobs.stop(0.2)
    bench.manager.stop()
    bench.jobs.stop(2.0)
    assert job.is_over and kept(bench)["modem1"]["level"]["before"] == {"level": 1}


def test_stopping_ends_whatever_waits(bench: ControlBench) -> None:
    bench.start()
    job = bench.desk.start("modem1", "wait", {}, actor="x")
    bench.wait(lambda: job.can_abort)
    bench.jobs.stop(1.0)
    assert job.state == "aborted" and job.code == "stopping"
    late = bench.desk.start("modem1", "wait", {}, actor="x")
    bench.wait(lambda: late.is_over)
    assert late.code == "stopping" and not wait_action().go.is_set()


def test_a_modem_that_comes_back_after_its_job_is_undone_then(
    bench: ControlBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    from remsim.modems.control import change

    monkeypatch.setattr(change, "RETURN_S", 0.2)
    level = Leveled(bench)
    bench.start()
    job = confirming(bench)
    bench.restart(away_s=1.5)
    bench.wait(lambda: not bench.target.modem.is_ready)
    job.abort()
    bench.wait(lambda: job.is_over)
    assert job.code == "not_undone" and "tried again" in str(job.error) and level.level == 2
    bench.wait(lambda: level.level == 1 and kept(bench) == {})


def test_a_modem_that_never_takes_the_undo_is_given_up(tmp_path: Path) -> None:
    pending = Pending(tmp_path)
    pending.begin("modem1", "level", Unconfirmed("Set the level", {"level": 1}))
    assert pending.left("modem1") == {}, "it is under way"
    later = Pending(tmp_path)
    for tries in range(MOST_TRIES):
        assert later.left("modem1")["level"].tries == tries
        later.tried("modem1", "level")
    later.drop("modem1", "level")
    assert not (tmp_path / "pending.json").exists()


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"modem1": 5}', b'{"modem1": {"level": {"x": 1}}}', b"\xff"])
def test_a_damaged_file_undoes_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "pending.json").write_bytes(content)
    pending = Pending(tmp_path)
    assert pending.left("modem1") == {}
    pending.begin("modem1", "level", Unconfirmed("Set the level", {"level": 1}))
    assert Pending(tmp_path).left("modem1")


def test_a_state_that_cannot_be_written_keeps_no_change_from_being_made(bench: ControlBench) -> None:
    Leveled(bench)
    bench.start()
    (bench.state_dir / "pending.json").mkdir()
    assert bench.run("level", level=2, confirm_s=0).state == "done"


def test_on_a_full_disk_a_confirmed_change_is_not_undone_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending = Pending(tmp_path)
    for modem in ("modem1", "modem2"):
        pending.begin(modem, "level", Unconfirmed("Set the level", {"level": 1}))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("remsim.modems.control.pending.write_atomically", full)
    pending.drop("modem1", "level")
    assert Pending(tmp_path).left("modem1") == {}
