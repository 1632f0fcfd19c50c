"""Rules: when they pend, fire and end, whatever comes in whatever order, and however often the service restarts."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from remsim.telemetry.rules.evaluation import Evaluation
from remsim.telemetry.rules.hours import Hours, Zone
from remsim.telemetry.rules.rule import FLAPS, Rule, Transition, Value

BERLIN = ZoneInfo("Europe/Berlin")
LOW = Rule("low", "measure", "rsrp_dbm", "below", threshold=-110.0, hysteresis=3.0, for_s=5.0, clear_for_s=2.0)
Step = tuple[float, Value]


def zone_of(zone: ZoneInfo) -> Zone:
    return lambda at: datetime.fromtimestamp(at, zone).timetuple()


def feed(evaluation: Evaluation, at: float, value: Value, subject: str = "modem1") -> list[Transition]:
    """What time and the value have changed."""
    return evaluation.advance(at) + evaluation.feed(subject, "measure", lambda name: value, at)


def told(transitions: list[Transition]) -> list[tuple[str, float]]:
    return [(one.to, one.at) for one in transitions]


def run(rule: Rule, steps: list[Step]) -> list[tuple[str, float]]:
    evaluation = Evaluation([rule])
    moved: list[Transition] = []
    for at, value in steps:
        moved += feed(evaluation, at, value)
    return told(moved)


def test_it_fires_exactly_when_its_time_is_over_and_no_value_is_needed_for_that() -> None:
    evaluation = Evaluation([LOW])
    assert told(feed(evaluation, 10.0, -111)) == [("pending", 10.0)]
    assert evaluation.due() == 15.0
    assert evaluation.advance(14.999) == []
    assert told(evaluation.advance(20.0)) == [("firing", 15.0)]
    assert evaluation.due() is None


def test_within_the_hysteresis_neither_a_wait_nor_an_alert_ends() -> None:
    steps: list[Step] = [(0, -111), (2, -108), (4, -109.5), (6, -108), (8, -106), (9, -108), (11, -108)]
    assert run(LOW, steps) == [("pending", 0), ("firing", 5), ("resolved", 10)]


def test_a_wait_that_is_interrupted_begins_anew() -> None:
    steps: list[Step] = [(0, -111), (4, -100), (5, -111), (9, -111), (10, -111)]
    assert run(LOW, steps) == [("pending", 0), ("dropped", 4), ("pending", 5), ("firing", 10)]


def test_an_end_that_is_interrupted_is_none() -> None:
    steps: list[Step] = [(0, -111), (6, -100), (7, -111), (8, -100), (9, -100), (10, -100)]
    assert run(LOW, steps) == [("pending", 0), ("firing", 5), ("resolved", 10)]


def test_nothing_fires_or_ends_on_a_value_that_nobody_knows() -> None:
    steps: list[Step] = [(0, -111), (1, None), (30, None), (40, -112), (41, None), (60, -90), (61, None), (70, -90)]
    assert run(LOW, steps) == [("pending", 0), ("firing", 40), ("resolved", 70)]


def test_without_a_time_it_fires_and_ends_at_once() -> None:
    rule = Rule("hot", "measure", "temperature_c", "above", threshold=75.0)
    assert run(rule, [(0, 75), (1, 75.1), (2, 80), (3, 75)]) == [("firing", 1), ("resolved", 3)]


def test_absence_is_what_another_rule_waits_for() -> None:
    rule = Rule("silent", "measure", "rsrp_dbm", "absent", for_s=10)
    assert run(rule, [(0, -90), (5, None), (6, None), (16, -90)]) == [("pending", 5), ("firing", 15), ("resolved", 16)]


@pytest.mark.parametrize(
    ("comparison", "words", "value", "holds"),
    [
        ("is", {"searching", "denied"}, "denied", True),
        ("is", {"searching", "denied"}, "online", False),
        ("is_not", {"online"}, "online", False),
        ("is_not", {"online"}, "gone", True),
    ],
)
def test_words_are_compared_with_each_of_the_rules(comparison: str, words: set[str], value: str, holds: bool) -> None:
    rule = Rule("state", "measure", "state", comparison, words=frozenset(words))
    assert run(rule, [(0, value)]) == ([("firing", 0)] if holds else [])


def test_a_number_can_be_a_certain_one() -> None:
    assert run(Rule("b3", "measure", "band", "is", threshold=3), [(0, 20), (1, 3), (2, 7)]) == [
        ("firing", 1),
        ("resolved", 2),
    ]


def test_words_and_numbers_of_one_measure_do_not_mind_each_other() -> None:
    evaluation = Evaluation([Rule("a", "measure", "x", "above", threshold=1), Rule("b", "measure", "x", "absent")])
    for at, value in enumerate([None, "word", 5, "word", None, 0]):
        feed(evaluation, at, value)


def test_events_are_counted_within_their_time() -> None:
    rule = Rule("storm", "event", "failover", "count_at_least", threshold=3, window_s=10)
    evaluation = Evaluation([rule])
    moved: list[Transition] = []
    for at in (0.0, 4.0, 9.0):
        moved += evaluation.advance(at) + evaluation.count("modem1", "event", "failover", at)
    assert told(moved) == [("firing", 9.0)]
    assert told(evaluation.advance(100.0)) == [("resolved", 10.0)]
    assert evaluation.due() is None
    assert evaluation.count("modem1", "event", "reboot", 101.0) == []


def test_each_modem_is_on_its_own_and_a_rule_may_be_for_one() -> None:
    only = Rule("one", "measure", "rsrp_dbm", "below", threshold=-110, subject="modem2")
    evaluation = Evaluation([LOW, only])
    assert [one.track.rule.name for one in feed(evaluation, 0, -120, "modem1")] == ["low"]
    assert sorted(one.track.rule.name for one in feed(evaluation, 0, -120, "modem2")) == ["low", "one"]
    assert evaluation.track("one", "modem1") is None


def test_a_rule_that_stays_the_same_goes_on_when_others_change() -> None:
    evaluation = Evaluation([LOW])
    feed(evaluation, 0, -120)
    other = Rule("other", "measure", "rsrp_dbm", "below", threshold=-115.0)
    moved = evaluation.replace([LOW, other], 3.0)
    assert [(one.track.rule.name, one.to) for one in moved] == [("other", "firing")]
    assert told(evaluation.advance(5.0)) == [("firing", 5.0)]
    ended = evaluation.replace([], 6.0)
    assert {(one.track.rule.name, one.to) for one in ended} == {("low", "resolved"), ("other", "resolved")}
    assert all(one.reason for one in ended)
    assert evaluation.due() is None


def test_a_modem_that_goes_away_ends_what_was_about_its_values_only() -> None:
    absent = Rule("silent", "measure", "rsrp_dbm", "absent")
    evaluation = Evaluation([LOW, absent])
    feed(evaluation, 0, -120)
    evaluation.advance(6)
    moved = evaluation.unknown("modem1", "measure", 7.0, "the modem is gone")
    assert [(one.track.rule.name, one.to, one.reason) for one in moved] == [
        ("low", "resolved", "the modem is gone"),
        ("silent", "firing", None),
    ]
    assert [(one.to, one.reason) for one in evaluation.forget("modem1", 8.0, "forgotten")] == [
        ("resolved", "forgotten")
    ]
    assert evaluation.subjects() == []


@pytest.mark.parametrize(
    ("hours", "moment", "inside"),
    [
        (Hours(), "2026-03-02 12:00", True),
        (Hours(start_minute=8 * 60, end_minute=17 * 60), "2026-03-02 08:00", True),
        (Hours(start_minute=8 * 60, end_minute=17 * 60), "2026-03-02 17:00", False),
        (Hours(frozenset({0}), 8 * 60, 17 * 60), "2026-03-03 12:00", False),  # a Tuesday
        (Hours(frozenset({4}), 22 * 60, 6 * 60), "2026-03-06 23:00", True),  # Friday night
        (Hours(frozenset({4}), 22 * 60, 6 * 60), "2026-03-07 05:59", True),  # until Saturday morning
        (Hours(frozenset({4}), 22 * 60, 6 * 60), "2026-03-07 06:00", False),
        (Hours(frozenset({4}), 22 * 60, 6 * 60), "2026-03-07 22:00", False),
        (Hours(frozenset({4}), 22 * 60, 6 * 60), "2026-03-06 05:00", False),  # that is Thursday's night
        (Hours(frozenset({6})), "2026-03-08 00:00", True),
        (Hours(frozenset({6})), "2026-03-09 00:00", False),
    ],
)
def test_hours_are_those_of_the_clock_on_the_wall(hours: Hours, moment: str, inside: bool) -> None:
    at = datetime.fromisoformat(moment).replace(tzinfo=BERLIN).timestamp()
    assert hours.contain(at, zone_of(BERLIN)) is inside


def test_summer_time_takes_an_hour_and_gives_it_back() -> None:
    night = Hours(start_minute=2 * 60, end_minute=3 * 60)
    spring = datetime(2026, 3, 29, 0, 30, tzinfo=UTC).timestamp()  # 01:30 in Berlin, half an hour before the jump
    assert not any(night.contain(spring + minute * 60, zone_of(BERLIN)) for minute in range(120))
    autumn = datetime(2026, 10, 25, 0, 0, tzinfo=UTC).timestamp()  # 02:00 in Berlin, for the first time
    assert sum(night.contain(autumn + minute * 60, zone_of(BERLIN)) for minute in range(240)) == 120


def test_outside_its_hours_a_rule_ends_and_within_it_begins() -> None:
    rule = Rule("day", "measure", "rsrp_dbm", "below", threshold=-110, for_s=60, hours=Hours((), 60, 120))  # type: ignore[arg-type]
    evaluation = Evaluation([rule], zone=time.gmtime)
    assert evaluation.has_hours
    assert evaluation.hours_at(0, 0) == []
    assert feed(evaluation, 10, -120) == []
    assert told(evaluation.hours_at(3600, 3600)) == [("pending", 3600)]
    assert told(evaluation.advance(3700)) == [("firing", 3660)]
    (ended,) = evaluation.hours_at(7200, 7200)
    assert (ended.to, ended.reason) == ("resolved", "outside its hours")
    assert feed(evaluation, 7201, -130) == []


# --- whatever comes ---

values = st.one_of(st.none(), st.sampled_from([-120.0, -111.0, -110.0, -109.0, -107.0, -106.0, -90.0]))
streams = st.lists(st.tuples(st.sampled_from([0.5, 1.0, 3.0, 7.0]), values), max_size=40).map(
    lambda gaps: [(sum(gap for gap, _ in gaps[: index + 1]), value) for index, (_, value) in enumerate(gaps)]
)
rules = st.builds(
    Rule,
    st.just("rule"),
    st.just("measure"),
    st.just("rsrp_dbm"),
    st.sampled_from(["above", "below", "is", "is_not", "absent"]),
    threshold=st.sampled_from([-110.0, -107.0]),
    hysteresis=st.sampled_from([0.0, 3.0]),
    for_s=st.sampled_from([0.0, 1.0, 5.0]),
    clear_for_s=st.sampled_from([0.0, 2.0]),
)


@given(rules, streams)
def test_transitions_come_in_their_order(rule: Rule, steps: list[Step]) -> None:
    state = "ok"
    allowed = {
        "ok": ("pending", "firing"),
        "pending": ("firing", "dropped"),
        "firing": ("resolved",),
    }
    last = -1.0
    since = None
    for to, at in run(rule, steps):
        assert to in allowed[state]
        assert at >= last
        last = at
        if to == "pending":
            since = at
        elif to == "firing":
            assert at >= (since if since is not None else at) + rule.for_s
            since = None
        state = "ok" if to in ("dropped", "resolved") else to


@given(rules, streams)
def test_many_rules_see_what_each_alone_would(rule: Rule, steps: list[Step]) -> None:
    """The group's shortcut changes nothing: beside others, and looked at value by value, it is the same."""
    others = [LOW, Rule("hot", "measure", "rsrp_dbm", "above", threshold=-100.0, hysteresis=8.0, for_s=2.0)]
    together = Evaluation([rule, *others])
    moved: list[Transition] = []
    for at, value in steps:
        moved += feed(together, at, value)
    assert told([one for one in moved if one.track.rule.name == "rule"]) == run(rule, steps)


@given(rules, streams, st.integers(1, 40))
def test_a_restart_anywhere_gives_the_same_transitions(rule: Rule, steps: list[Step], cut: int) -> None:
    """What is known comes in again soon. Only how long it has been well, and how it fluttered, is not kept."""
    rule = replace(rule, clear_for_s=0.0)
    wanted = run(rule, steps)
    assume([to for to, _ in wanted].count("firing") < FLAPS)
    before, after = Evaluation([rule]), Evaluation([rule])
    moved: list[Transition] = []
    for at, value in steps[:cut]:
        moved += feed(before, at, value)
    old, new = before.track("rule", "modem1"), after.track("rule", "modem1")
    assert old is not None and new is not None
    if old.state != "ok":
        assert old.since is not None
        new.restore(old.state, old.since, old.fired_at, old.peak)
    for at, value in steps[:cut][-1:] + steps[cut:]:
        moved += feed(after, at, value)
    assert told(moved) == wanted


def test_what_flutters_fires_a_few_times_and_then_until_it_is_calm() -> None:
    rule = Rule("hot", "measure", "temperature_c", "above", threshold=75.0)
    steps: list[Step] = [(float(second), 76 if second % 2 else 74) for second in range(200)]
    moved = run(rule, steps)
    assert [to for to, _ in moved].count("firing") == FLAPS
    assert moved[-1] == ("firing", 9.0)
    moved = run(rule, [*steps, (200.0, 74.0), (259.0, 74.0), (261.0, 74.0)])
    assert moved[-1] == ("resolved", 260.0)


@given(st.lists(st.floats(-110.0, -107.01)))
def test_inside_the_hysteresis_nothing_flaps(noise: list[float]) -> None:
    """Once it fires, any noise between the limit and the hysteresis keeps it firing."""
    steps: list[Step] = [(0, -111.0), (5, -111.0), *[(6.0 + index, value) for index, value in enumerate(noise)]]
    assert run(LOW, steps) == [("pending", 0), ("firing", 5)]


@given(st.lists(st.tuples(st.floats(0.1, 20.0), st.booleans()), max_size=60))
def test_a_count_is_that_of_a_plain_window(gaps: list[tuple[float, bool]]) -> None:
    rule = Rule("storm", "event", "x", "count_at_least", threshold=3, window_s=10)
    evaluation = Evaluation([rule])
    at, times, firing = 0.0, [], False
    for gap, happens in gaps:
        at += gap
        for one in evaluation.advance(at):
            firing = one.to == "firing"
        if happens:
            times.append(at)
            for one in evaluation.count("m", "event", "x", at):
                firing = one.to == "firing"
        track = evaluation.track("storm", "m")
        if track is not None and len(track.fires) == FLAPS:
            return  # from here on it flutters, which is another matter
        assert firing == (sum(when + 10 > at for when in times) >= 3)


def test_waits_that_were_given_up_do_not_pile_up() -> None:
    evaluation = Evaluation([Rule("low", "measure", "x", "below", threshold=0, for_s=86400)])
    for second in range(5000):
        feed(evaluation, float(second), -1 if second % 2 else 1)
    assert len(evaluation._heap) < 600
