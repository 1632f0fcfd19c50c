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
