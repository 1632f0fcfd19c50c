from __future__ import annotations

import pytest
from remsim.modems.drivers import driver_for
from remsim.modems.plan import PollingPlan

VENDORS = [
    ("quectel", "RM520N-GL", "SDX62"),
    ("quectel", "EC25", "MDM9x07"),
    ("sierra", "EM7565", "MDM9x50"),
    ("fibocom", "FM350-GL", "mediatek"),
    ("fibocom", "FM150", "SDX55"),
    ("fibocom", "L850-GL", "XMM7360"),
    ("generic", "any", None),
]


def plan_of(vendor: str = "quectel", module: str = "RM520N-GL", platform: str | None = None) -> PollingPlan:
    return PollingPlan(driver_for(vendor, module, platform), 1.0)


@pytest.mark.parametrize(("vendor", "module", "platform"), VENDORS)
def test_no_round_of_any_driver_asks_more_than_six(vendor: str, module: str, platform: str | None) -> None:
    plan = plan_of(vendor, module, platform)
    rounds = [plan.commands(float(second)) for second in range(120)]
    assert max(len(commands) for commands in rounds) <= 6
    steady = rounds[1:]
    assert max(len(commands) for commands in steady) <= len(rounds[-1]) + 1
    asked = {command for commands in rounds for command in commands}
    driver = driver_for(vendor, module, platform)
    assert asked == {*driver.fast_commands, *driver.slow_commands, *driver.once_commands}


def test_slow_commands_come_one_a_round_and_only_when_due() -> None:
    plan = plan_of()
    driver = driver_for("quectel", "RM520N-GL")
    fast = list(driver.fast_commands)
    rounds = [plan.commands(float(second)) for second in range(29)]
    assert all(commands[-len(fast) :] == fast for commands in rounds)
    slow = [command for commands in rounds for command in commands[: -len(fast)]]
    assert sorted(slow) == sorted((*driver.slow_commands, *driver.once_commands))


def test_hastened_command_comes_next() -> None:
    plan = plan_of()
    for second in range(20):
        plan.commands(float(second))
    plan.hasten("CEREG?")
    assert plan.commands(20.0)[0] == "AT+CEREG?"


def test_newest_value_replaces_the_old_and_a_forgotten_answer_leaves_nothing() -> None:
    plan = plan_of()
    fast = driver_for("quectel", "RM520N-GL").fast_commands[0]
    plan.learned("AT+CEREG?", {"cereg_stat": 1, "tac": 5})
    plan.learned(fast, {"tac": 6, "rsrp_dbm": -90})
    assert plan.merged() == {"cereg_stat": 1, "tac": 6, "rsrp_dbm": -90}
    plan.learned(fast, {"rsrp_dbm": None})
    assert plan.merged() == {"cereg_stat": 1, "tac": 5, "rsrp_dbm": None}
    plan.learned("AT+CEREG?", None)
    assert plan.merged() == {"rsrp_dbm": None}


def test_silent_modem_is_asked_less_and_less_up_to_a_minute_and_waited_for_longer() -> None:
    plan = plan_of()
    periods = []
    for _ in range(8):
        plan.failed()
        periods.append(plan.effective_s)
    assert periods == [2, 4, 8, 16, 32, 60, 60, 60]
    assert plan.timeout_s > 3
    assert plan.period_s == 1.0


def test_modem_that_answers_in_time_again_is_soon_back_at_the_users_period() -> None:
    plan = plan_of()
    for _ in range(8):
        plan.failed()
    waited_s = 0.0
    while plan.effective_s != 1.0:
        waited_s += plan.effective_s or 0.0
        plan.finished(0.1, 0.05)
        assert waited_s < 130
    assert plan.timeout_s == 3.0


def test_modem_that_is_always_slow_settles_at_one_period() -> None:
    plan = plan_of()
    seen = []
    for _ in range(50):
        plan.finished(5.0, 2.5)
        seen.append(plan.effective_s)
    assert set(seen[5:]) == {8.0}


def test_users_new_period_ends_a_back_off() -> None:
    plan = plan_of()
    plan.failed()
    plan.set_period(5.0)
    assert plan.effective_s == 5.0
    plan.set_period(None)
    assert plan.effective_s is None
    plan.failed()
    plan.finished(9.0, 9.0)
    assert plan.effective_s is None


REFUSED = {"ok": False}


def asked_at(plan: PollingPlan, command: str, until_s: int, answer: dict[str, object]) -> list[int]:
    """The seconds in which a command was asked, it being answered so and the others with OK."""
    seconds = []
    for second in range(until_s):
        for one in plan.commands(float(second)):
            plan.learned(one, answer if one == command else {})
            if one == command:
                seconds.append(second)
    return seconds


def test_command_that_the_modem_refuses_is_soon_asked_every_ten_minutes_only() -> None:
    seconds = asked_at(plan_of(), "AT+QRSRP", 2000, REFUSED)
    gaps = [later - earlier for earlier, later in zip(seconds, seconds[1:], strict=False)]
    assert [round(gap, -1) for gap in gaps] == [30, 30, 600, 600, 600]


@pytest.mark.parametrize("answer", [{}, {"ok": False, "sim_state": "NOT_INSERTED"}, {"rsrp_branches_dbm": [-90]}])
def test_command_that_tells_something_is_asked_on(answer: dict[str, object]) -> None:
    assert len(asked_at(plan_of(), "AT+QRSRP", 600, answer)) == 20


@pytest.mark.parametrize("command", ["AT+CPIN?", "AT+CFUN?"])
def test_whether_a_card_and_the_radio_are_there_is_asked_on_although_it_is_refused(command: str) -> None:
    assert len(asked_at(plan_of(), command, 600, REFUSED)) == 20


def test_one_answer_ends_the_count_of_refusals() -> None:
    plan = plan_of()
    for answer in (REFUSED, REFUSED, {}, REFUSED, REFUSED):
        plan.learned("AT+QRSRP", answer)
    assert len(asked_at(plan, "AT+QRSRP", 300, {})) == 10


@pytest.mark.parametrize(
    ("command", "before", "after"),
    [
        ("AT+CPIN?", {"sim_state": "SIM PIN"}, {"sim_state": "READY"}),
        ("AT+CFUN?", {"cfun": 4}, {"cfun": 1}),
        ("AT+CEREG?", {"cereg_stat": 2}, {"cereg_stat": 1}),
        ('AT+QENG="servingcell"', {"state": "SEARCH"}, {"state": "NOCONN", "mode": "LTE"}),
    ],
)
def test_what_was_refused_is_asked_again_once_things_have_changed(
    command: str, before: dict[str, object], after: dict[str, object]
) -> None:
    plan = plan_of()
    plan.learned(command, before)
    asked_at(plan, "AT+QRSRP", 100, REFUSED)
    assert not any("AT+QRSRP" in plan.commands(float(second)) for second in range(100, 300))
    plan.learned(command, before)
    plan.learned(command, after)
    assert "AT+QRSRP" in [one for second in range(300, 320) for one in plan.commands(float(second))]


def test_refused_command_can_be_hastened() -> None:
    plan = plan_of()
    asked_at(plan, "AT+COPS?", 100, REFUSED)
    plan.hasten("COPS")
    assert plan.commands(100.0)[0] == "AT+COPS?"
