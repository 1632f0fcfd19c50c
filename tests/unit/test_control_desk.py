"""The control desk over a real modem session: one operation a modem, a way back, presets, and what the journal says."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from control_actions import Level, Leveled, Wait, told, wait_action
from control_bench import USB_PATH, ControlBench
from marshmallow import ValidationError
from remsim.core.errors import AtTimeout, Conflict, InvalidInput, NotFound
from remsim.modems.control.action import Action
from remsim.modems.control.target import Target


class Missing(Action):
    """No modem has it."""

    name, label, group, is_short = "missing", "Nothing", "console", True

    def missing(self, target: Target) -> str | None:
        return "This modem cannot."


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlBench]:
    bench = ControlBench(tmp_path, monkeypatch, actions=(Wait(), Level(), Missing()))
    yield bench
    bench.close()


def test_a_second_operation_is_told_what_goes_on(bench: ControlBench) -> None:
    bench.start()
    first = bench.desk.start("modem1", "wait", {}, actor="ann")
    assert bench.manager.view("modem1")["operation"] == "Wait"
    with pytest.raises(Conflict) as error:
        bench.desk.start("modem1", "level", {"level": 2}, actor="ben")
    assert error.value.code == "busy" and "Wait" in error.value.message
    with pytest.raises(Conflict, match="busy: Wait"):
        bench.desk.form("modem1", "level")
    wait_action().go.set()
    bench.wait(lambda: first.is_over)
    assert first.state == "done" and first.result == {"waited": True}
    assert bench.manager.view("modem1")["operation"] is None
    assert bench.run("wait").state == "done", "the modem is free again"


def test_what_the_service_does_by_itself_is_waited_for(bench: ControlBench) -> None:
    Leveled(bench)
    bench.start()
    modem = bench.manager.modem("modem1")
    modem.begin_operation("applying presets", is_own=True)
    threading.Timer(0.5, modem.end_operation).start()
    assert bench.run("level", level=2, confirm_s=0).state == "done"


def test_a_form_waits_a_moment_for_what_is_just_ending(bench: ControlBench) -> None:
    Leveled(bench)
    bench.start()
    modem = bench.manager.modem("modem1")
    modem.begin_operation("Level")  # its event is told before the modem is free, and has pages ask for their forms
    threading.Timer(0.3, modem.end_operation).start()
    assert bench.desk.form("modem1", "level")["title"]


def test_many_admins_at_once_get_one_job(bench: ControlBench) -> None:
    bench.start()
    outcomes: list[Any] = []

    def ask() -> None:
        try:
            outcomes.append(bench.desk.start("modem1", "wait", {}, actor="x"))
        except Conflict as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_action().go.set()
    assert outcomes.count("busy") == 11


def test_the_same_key_is_the_same_job(bench: ControlBench) -> None:
    bench.start()
    first = bench.desk.start("modem1", "wait", {}, actor="x", key="abc")
    assert bench.desk.start("modem1", "wait", {}, actor="x", key="abc") is first
    with pytest.raises(InvalidInput) as error:
        bench.desk.start("modem1", "wait", {"fail": True}, actor="x", key="abc")
    assert error.value.field == "Idempotency-Key"
    wait_action().go.set()


def test_the_same_key_is_the_same_job_though_the_first_has_ended_meanwhile(
    bench: ControlBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.start()
    action = wait_action()
    action.go.set()
    outcomes: list[Any] = []
    make_form, looking = action.form, threading.Barrier(2)

    def slow_form(target: Any) -> Any:
        if threading.current_thread().name == "late":
            looking.wait()
            looking.wait()
        return make_form(target)

    monkeypatch.setattr(type(action), "form", lambda self, target: slow_form(target))
    late = threading.Thread(
        target=lambda: outcomes.append(bench.desk.start("modem1", "wait", {}, actor="x", key="abc")), name="late"
    )
    late.start()
    looking.wait()
    first = bench.desk.start("modem1", "wait", {}, actor="x", key="abc")
    bench.wait(lambda: first.is_over and bench.target.modem.operation is None)
    looking.wait()
    late.join()
    assert outcomes == [first]
    assert bench.run("wait").state == "done", "the modem is free again"


def test_a_key_keeps_no_secret(bench: ControlBench) -> None:
    bench.start()
    wait_action().go.set()
    job = bench.desk.start("modem1", "wait", {"pin": "4711"}, actor="x", key="abc")
    bench.wait(lambda: job.is_over)
    assert bench.desk.start("modem1", "wait", {"pin": "4711"}, actor="x", key="abc") is job
    assert "4711" not in repr(vars(bench.desk))


def test_the_journal_says_who_did_what_but_no_secret(bench: ControlBench) -> None:
    bench.start()
    wait_action().go.set()
    assert bench.run("wait", pin="4711").state == "done"
    failed = bench.run("wait", fail=True)
    assert (failed.state, failed.error, failed.hint, failed.code) == ("failed", "it broke", "mend it", "modem_error")
    done, broken = told(bench)
    assert done["actor"] == "test" and done["values"]["pin"] == "•••" and done["result"] == "done"
    assert broken["result"] == "failed" and "it broke" in broken["message"]
    assert "4711" not in repr(bench.events)


def test_the_journal_tells_of_what_failed_by_a_mistake_of_ours(
    bench: ControlBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.start()
    monkeypatch.setattr(Wait, "run", lambda *_: 1 / 0)
    assert bench.run("wait").code == "internal_error"
    (failed,) = told(bench)
    assert (failed["actor"], failed["code"], failed["result"]) == ("test", "internal_error", "failed")
    assert bench.target.modem.operation is None


def test_an_abort_ends_the_work(bench: ControlBench) -> None:
    bench.start()
    job = bench.desk.start("modem1", "wait", {}, actor="x")
    bench.wait(lambda: job.can_abort)
    job.abort()
    bench.wait(lambda: job.is_over)
    assert job.state == "aborted"
    with pytest.raises(Conflict):
        job.abort()


def test_wrong_names_and_values_are_refused_before_anything_begins(bench: ControlBench) -> None:
    bench.start()
    with pytest.raises(NotFound):
        bench.desk.start("modem9", "wait", {}, actor="x")
    with pytest.raises(NotFound):
        bench.desk.start("modem1", "nothing", {}, actor="x")
    with pytest.raises(ValidationError):
        bench.desk.start("modem1", "level", {"level": 10}, actor="x")
    with pytest.raises(Conflict) as error:
        bench.desk.run("modem1", "missing", {}, actor="x")
    assert error.value.message == "This modem cannot."
    assert bench.jobs.recent() == []
    assert next(one for one in bench.desk.actions("modem1") if one["name"] == "missing")["missing"]


def test_a_change_is_read_back_and_kept_when_confirmed(bench: ControlBench) -> None:
    level = Leveled(bench)
    bench.start()
    job = bench.desk.start("modem1", "level", {"level": 2, "confirm_s": 30}, actor="x")
    bench.wait(lambda: job.state == "confirming")
    assert job.as_dict()["confirm_by"] is not None
    job.confirm()
    bench.wait(lambda: job.is_over)
    assert job.state == "done" and job.result == {"changed": True, "level": 2} and level.log == [2]
    assert bench.desk.actions("modem1")[0]["desired"] == {"level": 2}
    assert bench.run("level", level=2).result == {"changed": False, "level": 2}, "nothing to do: nothing is sent"
    assert level.log == [2]


def test_a_change_that_nobody_confirms_is_undone(bench: ControlBench) -> None:
    level = Leveled(bench)
    bench.start()
    job = bench.run("level", level=3, confirm_s=1)
    assert job.state == "failed" and job.code == "rolled_back" and "nobody confirmed" in str(job.error)
    assert level.log == [3, 1] and bench.desk.actions("modem1")[0]["desired"] is None


def test_a_change_without_service_is_undone(bench: ControlBench) -> None:
    level = Leveled(bench)
    level.without_service = {4}
    bench.start()
    job = bench.run("level", level=4, service_s=5)
    assert job.code == "rolled_back" and "no service within 5 s" in str(job.error)
    assert level.log == [4, 1]
    bench.wait(lambda: bench.manager.view("modem1")["state"] == "online")


def test_undo_now_is_an_abort_with_the_old_state(bench: ControlBench) -> None:
    level = Leveled(bench)
    bench.start()
    job = bench.desk.start("modem1", "level", {"level": 5}, actor="x")
    bench.wait(lambda: job.state == "confirming")
    job.abort()
    bench.wait(lambda: job.is_over)
    assert job.state == "aborted" and "undone" in str(job.error) and level.level == 1


def test_ok_is_no_success_when_the_modem_keeps_its_old_state(bench: ControlBench) -> None:
    level = Leveled(bench)
    level.kept = False
    bench.start()
    job = bench.run("level", level=6, confirm_s=0)
    assert job.code == "not_taken" and "still has level 1" in str(job.error)


def test_a_refusal_changes_nothing_and_says_why(bench: ControlBench) -> None:
    Leveled(bench)
    bench.set("AT+LVL=7", "+CME ERROR: 4")
    bench.start()
    job = bench.run("level", level=7)
    assert job.code == "refused" and "operation not supported (CME 4)" in str(job.error)


def test_what_cannot_be_undone_is_said(bench: ControlBench) -> None:
    level = Leveled(bench)
    level.without_service = {8}
    bench.set("AT+LVL=1", "ERROR")
    bench.start()
    job = bench.run("level", level=8, service_s=5)
    assert job.code == "not_undone" and "undoing it failed" in str(job.error)


def test_a_mistake_of_ours_is_undone_too(bench: ControlBench, monkeypatch: pytest.MonkeyPatch) -> None:
    level = Leveled(bench)
    bench.start()
    monkeypatch.setattr(Level, "expects_service", lambda self, values: 1 / 0)
    job = bench.run("level", level=2)
    assert job.state == "failed" and "unforeseen" in str(job.error) and "undone" in str(job.error)
    assert level.log == [2, 1]


def test_unplug_in_the_middle_ends_the_job_and_frees_the_modem(bench: ControlBench) -> None:
    level = Leveled(bench)
    bench.start()
    job = bench.desk.start("modem1", "level", {"level": 2, "service_s": 5, "confirm_s": 2}, actor="x")
    bench.wait(lambda: level.log == [2])
    bench.tree.unplug(USB_PATH)
    bench.modem.unplug()
    bench.wait(lambda: job.is_over, 30)
    assert job.code == "not_undone" and "has not come back" in str(job.error)
    bench.wait(lambda: bench.manager.view("modem1")["operation"] is None)


def test_a_modem_that_comes_back_from_an_interrupted_change_gets_its_old_state(bench: ControlBench) -> None:
    level = Leveled(bench)
    bench.start()
    job = bench.desk.start("modem1", "level", {"level": 2, "service_s": 5, "confirm_s": 2}, actor="x")
    bench.wait(lambda: level.log == [2])
    bench.restart()
    bench.wait(lambda: job.is_over, 30)
    assert job.state == "failed" and level.level == 1 and "undone" in str(job.error)


def test_a_preset_that_the_modem_forgot_is_applied_again_once(bench: ControlBench) -> None:
    level = Leveled(bench)
    bench.start()
    assert bench.run("level", level=2, confirm_s=0).state == "done"
    level.level = 0  # a firmware that forgets
    level.log.clear()
    bench.manager.on_identified(bench.manager.modem("modem1"))
    bench.wait(lambda: any(job.kind == "presets" and job.is_over for job in bench.jobs.recent()))
    assert level.log == [2] and level.level == 2
    assert any("applied again" in one["message"] for one in told(bench))
    bench.manager.on_identified(bench.manager.modem("modem1"))
    bench.wait(lambda: sum(job.kind == "presets" and job.is_over for job in bench.jobs.recent()) == 2)
    assert level.log == [2], "what is in force is left alone"
    bench.desk.forget_desired("modem1")
    bench.manager.on_identified(bench.manager.modem("modem1"))
    assert len([job for job in bench.jobs.recent() if job.kind == "presets"]) == 2


def test_presets_outlive_the_service(bench: ControlBench) -> None:
    Leveled(bench)
    bench.start()
    bench.run("level", level=2, confirm_s=0)
    from remsim.modems.control.desired import Desired

    assert Desired(bench.state_dir).of("modem1") == {"level": {"level": 2}}
    for content in ("[broken", '{"modem1": {"level": 2}}'):
        (bench.state_dir / "desired.json").write_text(content)
        assert Desired(bench.state_dir).of("modem1") == {}


def test_a_paused_modem_says_that_its_port_is_closed(bench: ControlBench) -> None:
    Leveled(bench)
    bench.start()
    bench.manager.set_period("modem1", None)
    bench.wait(lambda: bench.manager.view("modem1")["state"] == "paused")
    job = bench.run("level", level=2)
    assert job.code == "paused" and job.hint == "choose a polling period first"


def test_the_form_of_a_silent_modem_is_refused_soon(bench: ControlBench, monkeypatch: pytest.MonkeyPatch) -> None:
    from remsim.modems.control import target

    monkeypatch.setattr(target, "HURRIED_S", 0.3)
    Leveled(bench)
    bench.start()
    bench.modem.answers["AT+LVL?"] = None
    begun = bench.clock.monotonic()
    with pytest.raises(AtTimeout):
        bench.desk.form("modem1", "level")
    assert bench.clock.monotonic() - begun < 9  # as long as an action waits, it would be 10
