"""The state of a link, told step by step and with whatever may come."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.core.clock import FakeClock
from remsim.core.routes import STATES, USABLE
from remsim.links.health import Change, Health, Limits
from remsim.links.probes.plan import ProbeResult, Quality
from remsim.links.uptime import Uptime

ANSWER = ProbeResult(0.0, True, 50.0, "icmp")
MISS = ProbeResult(0.0, False, None, "icmp", None, 0.0, 1)


def at(result: ProbeResult, when: float, silent_s: float = 0.0) -> ProbeResult:
    return replace(result, at_monotonic=when, silent_s=silent_s)


def brought_up(limits: Limits = Limits(), since: float = 0.0) -> Health:  # noqa: B008
    health = Health(limits, since)
    if limits.waits_for_portal:
        health.portal(False, since)
    for number in range(limits.up):
        health.feed(at(ANSWER, since + number * 0.2))
    return health


def test_link_is_up_after_ten_answers() -> None:
    health = Health(Limits(), 0.0)
    for number in range(9):
        assert health.feed(at(ANSWER, number * 0.2)) is None
    change = health.feed(at(ANSWER, 1.8))
    assert change is not None and (change.before, change.state) == ("starting", "up") and not change.is_failure


def test_answers_of_a_volley_that_come_together_are_one() -> None:
    health = Health(Limits(), 0.0)
    for number in range(50):
        health.feed(at(ANSWER, number * 0.001))
    assert health.state == "starting"


def test_three_misses_in_a_row_and_silence_take_it_down() -> None:
    health = brought_up()
    assert health.feed(at(MISS, 2.1, 0.3)) is None
    assert health.feed(at(MISS, 2.2, 0.5)) is None
    assert health.feed(at(MISS, 2.25, 0.55)) is None  # three, and not silent for long enough
    change = health.feed(at(MISS, 2.4, 0.6))
    assert change is not None and change.is_failure and change.state == "down"
    assert change.silent_since == pytest.approx(1.8)


def test_answer_or_traffic_between_misses_keeps_it() -> None:
    for sign in (ANSWER, replace(ANSWER, kind="traffic", rtt_ms=None)):
        health = brought_up()
        for number in range(20):
            health.feed(at(MISS, 2 + number, 0.7))
            health.feed(at(MISS, 2.1 + number, 0.8))
            health.feed(at(sign, 2.2 + number))
        assert health.state == "up"


def test_traffic_alone_brings_nothing_up() -> None:
    health = Health(Limits(), 0.0)
    for number in range(100):
        health.feed(at(replace(ANSWER, kind="traffic", rtt_ms=None), number * 0.2))
    assert health.state == "starting"


def test_more_misses_are_needed_where_many_are_lost() -> None:
    health = brought_up()
    for number in range(13):
        health.feed(replace(at(MISS, 2 + number * 0.1, 0.7 + number * 0.1), needed=14))
    assert health.state == "up"
    assert health.feed(replace(at(MISS, 4, 2.0), needed=14)) is not None


@pytest.mark.parametrize(("error", "state"), [("net_down", "down"), ("no_device", "no_device")])
def test_kernel_that_takes_no_packet_needs_no_second_miss(error: str, state: str) -> None:
    health = brought_up()
    change = health.feed(replace(at(MISS, 2.0), error=error))
    assert change is not None and change.state == state


def test_device_event_beats_probes() -> None:
    health = brought_up()
    change = health.device(True, False, 3.0, "the modem is not registered")
    assert change is not None and change.state == "down" and health.reason == "the modem is not registered"
    health.feed(at(ANSWER, 3.01))  # one that was under way
    assert health.state == "down"
    health.device(True, True, 10.0)
    for number in range(10):
        health.feed(at(ANSWER, 10 + number * 0.2))
    assert health.state == "up" and health.failures == 1


def test_portal_is_not_up_and_comes_back_as_after_a_failure() -> None:
    health = brought_up(Limits(waits_for_portal=True))
    assert health.state == "up"
    change = health.portal(True, 60.0)
    assert change is not None and change.is_failure and change.state == "portal"
    for number in range(30):
        health.feed(at(ANSWER, 60 + number * 0.2))
    assert health.state == "portal"
    health.portal(False, 70.0)
    assert health.state == "starting"
    for number in range(10):
        health.feed(at(ANSWER, 70 + number * 0.2))
    assert health.state == "up"


def test_link_waits_to_be_told_of_a_portal_and_not_for_ever() -> None:
    health = Health(Limits(waits_for_portal=True), 0.0)
    for number in range(40):
        health.feed(at(ANSWER, number * 0.2))
    assert health.state == "starting"
    health.tick(20.0)
    assert health.state == "up"


def test_each_further_failure_doubles_the_wait_up_to_a_minute() -> None:
    health, now, waited = brought_up(), 10.0, []
    for _ in range(8):
        health.device(True, False, now)
        health.device(True, True, now + 1)
        began = now = now + 1.0
        while health.state != "up":
            health.feed(at(ANSWER, now))
            now += 0.2
        waited.append(round(now - began))
    assert waited[:6] == [2, 4, 8, 16, 32, 60] and max(waited) == 60


def test_flaps_are_forgotten_after_ten_minutes() -> None:
    health = brought_up()
    for now in (10.0, 700.0):
        health.device(True, False, now)
        health.device(True, True, now + 1)
        for number in range(10):
            health.feed(at(ANSWER, now + 1 + number * 0.2))
        assert health.state == "up"


def test_fail_back_is_delayed_after_a_failure_and_not_at_the_start() -> None:
    limits = Limits(failback_s=30.0)
    health = brought_up(limits)
    assert health.state == "up"
    health.device(True, False, 10.0)
    health.device(True, True, 11.0)
    for number in range(140):
        health.feed(at(ANSWER, 11 + number * 0.2))
    assert health.state == "starting" and "watched" in str(health.reason)
    health.tick(41.5)
    assert health.state == "up"


@pytest.mark.parametrize(
    ("bad", "between", "good"),
    [
        (Quality(50, 5, 30), Quality(50, 5, 15), Quality(50, 5, 5)),
        (Quality(1200, 5, 0), Quality(700, 5, 0), Quality(400, 5, 0)),
    ],
)
def test_degraded_has_two_levels_and_needs_a_while(bad: Quality, between: Quality, good: Quality) -> None:
    health = brought_up()
    health.quality(bad, 2.0)
    assert health.state == "up"
    change = health.quality(bad, 5.5)
    assert change is not None and change.state == "degraded" and not change.is_failure and health.reason
    health.quality(between, 6.0)
    health.quality(between, 60.0)
    assert health.state == "degraded"
    health.quality(good, 61.0)
    health.quality(good, 67.0)
    assert health.state == "up"


def test_link_that_is_switched_off_is_off_and_no_failure() -> None:
    health = brought_up()
    change = health.enable(False, 3.0)
    assert change is not None and change.state == "off"
    assert (change.is_failure, health.failures) == (True, 0)  # its flows have to leave, and nothing failed
    health.feed(at(ANSWER, 3.2))
    assert health.state == "off"
    health.enable(True, 4.0)
    assert health.state == "starting"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("answer"), st.floats(0.0, 3.0)),
        st.tuples(st.just("traffic"), st.floats(0.0, 1.0)),
        st.tuples(st.just("miss"), st.floats(0.0, 1.0)),
        st.tuples(st.just("error"), st.floats(0.0, 1.0)),
        st.tuples(st.just("portal"), st.floats(0.0, 10.0)),
        st.tuples(st.just("clear"), st.floats(0.0, 10.0)),
        st.tuples(st.just("device down"), st.floats(0.0, 1.0)),
        st.tuples(st.just("device up"), st.floats(0.0, 1.0)),
        st.tuples(st.just("bad"), st.floats(0.0, 4.0)),
        st.tuples(st.just("good"), st.floats(0.0, 4.0)),
        st.tuples(st.just("off"), st.floats(0.0, 1.0)),
        st.tuples(st.just("on"), st.floats(0.0, 1.0)),
        st.tuples(st.just("answers"), st.floats(0.0, 1.0)),
    ),
    max_size=60,
)


@given(STEPS, st.booleans())
def test_whatever_comes_a_link_is_used_only_while_everything_speaks_for_it(
    steps: list[tuple[str, float]], waits: bool
) -> None:
    health, now, alive_at = Health(Limits(waits_for_portal=waits), 0.0), 0.0, 0.0
    is_portal, is_up, is_on, answers = False, True, True, 0
    for what, pause in steps:
        now += pause
        before, change = health.state, None
        if what in ("answer", "answers"):
            for _ in range(1 if what == "answer" else 12):
                now += 0.2
                step = health.feed(at(ANSWER, now))
                change = step or change
                answers += 1
            alive_at = now
        elif what == "traffic":
            change, alive_at = health.feed(at(replace(ANSWER, kind="traffic"), now)), now
        elif what == "miss":
            change = health.feed(at(MISS, now, now - alive_at))
        elif what == "error":
            change, answers = health.feed(replace(at(MISS, now), error="net_down")), 0
        elif what in ("portal", "clear"):
            is_portal = what == "portal"
            change = health.portal(is_portal, now)
        elif what.startswith("device"):
            is_up = what.endswith("up")
            answers = answers if is_up else 0
            change = health.device(True, is_up, now)
        elif what in ("bad", "good"):
            change = health.quality(Quality(50, 5, 40.0 if what == "bad" else 0.0), now)
        else:
            is_on = what == "on"
            answers, is_portal = (answers, is_portal) if is_on else (0, False)
            change = health.enable(is_on, now)
        assert health.state in STATES
        assert (change is not None) == (health.state != before)
        if isinstance(change, Change):
            assert health.since == change.at_monotonic and change.state == health.state
        if health.state in USABLE:
            assert is_up and is_on and not is_portal and answers >= 10
        if change is not None and change.is_failure and change.state == "down" and what == "miss":
            assert now - alive_at >= 0.6


def test_uptime_is_the_share_of_answers_weighed_by_time(tmp_path: Path) -> None:
    clock = FakeClock()
    uptime = Uptime(clock, tmp_path / "uptime.json")
    for _ in range(90):
        clock.advance(1)
        uptime.note("a", True)
    for _ in range(100):
        clock.advance(0.1)
        uptime.note("a", False)
    assert uptime.percent("a") == pytest.approx(89.9, abs=0.1)
    assert uptime.percent("b") is None
    uptime.save()
    again = Uptime(clock, tmp_path / "uptime.json")
    assert again.percent("a") == pytest.approx(89.9, abs=0.1)
    clock.advance(8 * 86400)
    assert again.percent("a") is None


def test_uptime_is_written_once_an_hour_at_most(tmp_path: Path) -> None:
    clock, path = FakeClock(), tmp_path / "uptime.json"
    uptime = Uptime(clock, path)
    written = set()
    for _ in range(3 * 3600 // 5):
        clock.advance(5)
        uptime.note("a", True)
        uptime.keep()
        if path.exists():
            written.add(path.stat().st_mtime_ns)
    assert 2 <= len(written) <= 3
    assert uptime.percent("a") == 100.0


def test_clock_that_jumps_loses_no_week(tmp_path: Path) -> None:
    clock = FakeClock()
    uptime = Uptime(clock, tmp_path / "uptime.json")

    def count(answered: bool) -> None:
        for _ in range(100):
            clock.advance(1)
            uptime.note("a", answered)

    count(True)
    right = clock.now()
    for wrong in (0.0, right + 400 * 86400):  # before NTP, and a wrong server
        clock.set_wall(wrong)
        count(False)
    uptime.save()
    clock.set_wall(right + 300)
    assert Uptime(clock, tmp_path / "uptime.json").percent("a") == 100.0


@pytest.mark.parametrize("content", ["", "[]", '{"a": {"x": [1, 2]}}', '{"a": {"1": [5, 1]}}', '{"a": {"1": 3}}'])
def test_damaged_uptime_begins_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / "uptime.json").write_text(content)
    assert Uptime(FakeClock(), tmp_path / "uptime.json").percent("a") is None


def test_an_hour_that_comes_again_because_the_clock_was_set_counts_once(tmp_path: Path) -> None:
    clock = FakeClock()
    uptime = Uptime(clock, tmp_path / "uptime.json")
    begin = clock.now()
    for _ in range(4):
        clock.set_wall(begin)
        for _ in range(400):
            uptime.note("lte", True)
            clock.advance(9)
    uptime.save()
    clock.set_wall(begin)
    assert Uptime(clock, tmp_path / "uptime.json").percent("lte") == 100.0
