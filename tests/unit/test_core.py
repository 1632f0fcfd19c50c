"""The words every room speaks."""

from __future__ import annotations

import math
import threading
import time

import pytest
from remsim.core import jobs
from remsim.core.bus import Bus, Lagged, Numbered
from remsim.core.clock import FakeClock, Moment, SystemClock, iso_utc
from remsim.core.errors import Conflict, InvalidInput, NotFound
from remsim.core.events import Event
from remsim.core.jobs import Job, Jobs, JobUpdate
from remsim.core.reading import FIELDS, ModemReading


def test_iso_times_are_utc_with_milliseconds() -> None:
    assert iso_utc(0) == "1970-01-01T00:00:00.000Z"
    assert iso_utc(1_767_225_600.0459) == "2026-01-01T00:00:00.045Z"


def test_no_time_is_told_a_second_early_or_late() -> None:
    last_of_the_second = math.nextafter(1_767_225_601.0, 0)
    assert iso_utc(last_of_the_second) == "2026-01-01T00:00:00.999Z"
    assert iso_utc(1_767_225_601.0) == "2026-01-01T00:00:01.000Z"
    assert iso_utc(0.0) == "1970-01-01T00:00:00.000Z"


def test_a_moment_keeps_its_place_when_the_clock_is_set() -> None:
    clock = FakeClock(100.0)
    moment = Moment(clock)
    clock.advance(20)
    assert moment.wall == 100.0
    clock.set_wall(1_767_225_600.0)
    assert moment.wall == 1_767_225_580.0
    clock.set_wall(1_767_225_600.5)  # NTP slews all the time
    assert moment.wall == 1_767_225_580.0


def test_a_reading_names_every_field_once_and_unknown_is_null() -> None:
    flat = ModemReading("modem1", 0.0, rsrp_dbm=-97).as_dict()
    assert tuple(flat) == FIELDS
    assert flat["rsrp_dbm"] == -97 and flat["at"] == "1970-01-01T00:00:00.000Z"
    assert all(value is None for name, value in flat.items() if name not in ("modem", "at", "rsrp_dbm"))


def test_a_slow_subscriber_loses_its_oldest_and_is_told() -> None:
    bus = Bus()
    slow = bus.subscribe("slow", Event, limit=3)
    for number in range(5):
        bus.publish(Event("state", "modem1", number, "x"))
    first, *rest = slow.get_all()
    assert first == Lagged(2)
    assert [event.at for event in rest] == [2, 3, 4]
    assert slow.get_all(0) == []


def test_a_subscriber_gets_only_what_it_accepts() -> None:
    bus = Bus()
    readings = bus.subscribe("readings", Numbered)
    bus.publish(Event("state", "modem1", 0, "x"))
    bus.publish(Numbered(7, ModemReading("modem1", 0)))
    assert [message.id for message in readings.get_all()] == [7]


def test_closing_wakes_the_subscriber() -> None:
    bus = Bus()
    waiting = bus.subscribe("waiting", Event)
    threading.Timer(0.05, waiting.close).start()
    assert waiting.get_all(10) == []
    assert waiting.closed
    bus.publish(Event("state", "modem1", 0, "x"))
    assert waiting.get_all(0) == []


def wait_for_end(bus: Bus, jobs: Jobs, work) -> Job:
    ended = threading.Event()
    bus.listen(JobUpdate, lambda update: ended.set() if update.job["state"] != "running" else None)
    job = jobs.start("work", work)
    assert ended.wait(60)
    return job


def test_a_job_tells_progress_and_result() -> None:
    bus = Bus()
    jobs = Jobs(bus, SystemClock())
    updates: list[dict] = []
    bus.listen(JobUpdate, lambda update: updates.append(update.job))
    job = wait_for_end(bus, jobs, lambda job: job.report(0.5, "half way") or "result")
    assert jobs.get(job.id).as_dict()["result"] == "result"
    assert [update["progress"] for update in updates] == [None, 0.5, 1.0]


def test_a_job_that_ends_while_it_is_told_is_told_as_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job("1", "test", 1.0, state="confirming", confirm_by=5.0)

    def told_late(at: float) -> str:
        job.state = "done"
        job.end(9.0)
        return "2026-11-26T16:00:00Z"

    monkeypatch.setattr(jobs, "iso_utc", told_late)
    told = job.as_dict()
    assert (told["state"], told["ended_at"]) == ("confirming", None)
    assert (job.as_dict()["state"], job.as_dict()["ended_at"] is None) == ("done", False)


def test_a_job_that_fails_says_why_and_an_unforeseen_error_stays_in_the_log() -> None:
    def refuse(job: Job) -> None:
        raise InvalidInput("no such slot", field="slot")

    bus = Bus()
    jobs = Jobs(bus, FakeClock())
    assert wait_for_end(bus, jobs, refuse).error == "no such slot"
    bus = Bus()
    broken = wait_for_end(bus, Jobs(bus, FakeClock()), lambda job: 1 / 0)
    assert broken.state == "failed" and "ZeroDivision" not in (broken.error or "")


def test_an_unknown_job_is_named() -> None:
    with pytest.raises(NotFound) as error:
        Jobs(Bus(), FakeClock()).get("99")
    assert error.value.field == "job"


def test_a_job_of_another_life_of_the_service_is_not_taken_for_one_of_this() -> None:
    first, second = (Jobs(Bus(), FakeClock()).start("work", lambda job: None).id for _ in range(2))
    assert first != second


def test_a_confirmation_that_was_taken_counts_though_the_time_is_over() -> None:
    job = Job("1", "work", 0.0)
    found: list[bool] = []
    confirmed: list[bool] = []

    def confirm(step: Job) -> None:
        if step.state == "confirming":
            job._confirmed.wait = lambda timeout_s: time_over()  # type: ignore[method-assign]

    def time_over() -> bool:
        job.confirm()
        confirmed.append(True)
        return False

    job._publish = confirm
    found.append(job.wait_for_confirmation(0.0, 60))
    assert confirmed and found == [True]
    with pytest.raises(Conflict):
        job.confirm()


def test_stopping_ends_what_waits_and_lets_no_other_job_begin_to_wait() -> None:
    jobs = Jobs(Bus(), SystemClock())
    waiting = jobs.start("work", lambda job: job.wait_for_confirmation(0.0, 60))
    while waiting.state != "confirming":
        time.sleep(0.005)
    jobs.stop(5.0)
    assert waiting.is_over and waiting.result is False and waiting.is_stopping
    late = jobs.start("work", lambda job: job.wait_for_confirmation(0.0, 60))
    assert late.wait(60) and late.result is False


def test_stopping_does_not_wait_for_ever_for_a_job_that_does_not_listen() -> None:
    jobs, release = Jobs(Bus(), SystemClock()), threading.Event()
    deaf = jobs.start("work", lambda job: release.wait(60))
    begun = time.monotonic()
    jobs.stop(0.1)
    assert time.monotonic() - begun < 30 and not deaf.is_over
    release.set()
    jobs.stop(5.0)
    assert deaf.is_over


def test_a_job_asks_and_goes_on_with_the_answer() -> None:
    jobs, heard = Jobs(Bus(), SystemClock()), []
    job = jobs.start("work", lambda one: one.ask({"kind": "consent"}, 0.0, 60))
    while job.state != "asking":
        time.sleep(0.005)
    heard.append(job.as_dict()["question"])
    job.answer({"accept": True})
    with pytest.raises(Conflict):
        job.answer({"accept": False})
    assert job.wait(60) and job.result == {"accept": True} and heard == [{"kind": "consent"}]
    assert job.as_dict()["question"] is None and job.state == "done"


@pytest.mark.parametrize("end", ["time", "abort", "stop"])
def test_a_question_nobody_answers_is_over_in_time_by_an_abort_and_at_the_end(end: str) -> None:
    jobs = Jobs(Bus(), SystemClock())
    job = jobs.start("work", lambda one: one.ask({"kind": "consent"}, 0.0, 0.01 if end == "time" else 60))
    while job.state == "running" and not job.is_over:
        time.sleep(0.001)
    if end == "abort":
        job.abort()
    elif end == "stop":
        jobs.stop(5.0)
    assert job.wait(60) and job.result is None
