"""The control thread: what others ask of it, and that nothing ends it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from links_fake import FakePlane, FakeProber, addresses, around, flow, routing
from remsim.core.clock import SystemClock
from remsim.core.errors import InvalidInput, NotFound
from remsim.core.routes import Choice, PolicyCode, Program, RingSpec
from remsim.links.control import Control
from remsim.links.facts import Around
from remsim.links.plane import PlaneError, PlaneRefused
from remsim.links.probes.plan import ProbeResult


def until(is_true: Callable[[], object], timeout_s: float = 30.0) -> None:
    end = time.monotonic() + timeout_s
    while not is_true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.005)


@pytest.fixture
def plane() -> FakePlane:
    return FakePlane(devices={f"sim{index}": addresses(index) for index in range(1, 9)})


@pytest.fixture
def control(plane: FakePlane) -> Iterator[Control]:
    made = Control(plane, FakeProber(), around(), SystemClock(), lambda event: None)
    yield made
    made.stop()


def policy(name: str = "two") -> Program:
    return Program((PolicyCode(1, "a", ("x",), RingSpec("p_1", (Choice("connection", name, True),), policy="a")),))


def test_links_run_and_leave_nothing_behind(control: Control, plane: FakePlane) -> None:
    control.start(routing(2))
    until(lambda: control.status().state == "running")
    assert [one.name for one in control.views()] == ["one", "two"]
    assert [one.settings.device for one in control.links()] == ["sim1", "sim2"]
    assert control.status().loop["period_s"] > 0
    control.stop()
    assert plane.names()[-1] == "stop"


def test_policies_are_loaded_by_the_one_thread_and_errors_come_back(control: Control, plane: FakePlane) -> None:
    control.start(routing(2))
    until(lambda: control.status().state == "running")
    assert control.load(policy()).chains_ms == 1.0
    assert plane.rings["p_1"] == (2,) * 16
    plane.failing["load"] = PlaneError("the kernel says no")
    with pytest.raises(PlaneError, match="says no"):
        control.load(Program())
    control.refill({1: ()})
    assert ("refill", {1: ()}) in plane.calls


def test_a_router_that_cannot_says_why_and_tries_again(control: Control, plane: FakePlane) -> None:
    plane.failing["start"] = PlaneRefused("mwan3 is enabled", hint="/etc/init.d/mwan3 disable")
    control.start(routing(2))
    until(lambda: control.status().state == "refused")
    assert control.status().problem == {
        "code": "routing_refused",
        "message": "mwan3 is enabled",
        "hint": "/etc/init.d/mwan3 disable",
    }
    with pytest.raises(PlaneRefused, match="mwan3"):
        control.load(policy())
    plane.failing.clear()
    control.configure(routing(2))
    assert control.status().state == "running"
    assert plane.program == policy()  # it was remembered


def test_what_nobody_expected_at_the_start_is_told_and_tried_again(control: Control, plane: FakePlane) -> None:
    plane.failing["start"] = OSError("no buffer space")  # type: ignore[assignment]
    control.start(routing(2))
    until(lambda: control.status().state == "failed")
    assert "no buffer space" in str((control.status().problem or {})["message"])
    plane.failing.clear()
    control.configure(routing(2))
    assert control.status().state == "running"


def test_surroundings_that_fail_at_the_start_are_told_and_not_asked_all_the_time(plane: FakePlane) -> None:
    asked = []

    def lan() -> tuple[str, ...]:
        asked.append(1)
        raise OSError("no such thing")

    made = Control(plane, FakeProber(), Around(lambda place: None, lambda name: None, lan), SystemClock(), print)
    made.start(routing(2))
    try:
        until(lambda: made.status().state == "failed")
        made.refill({})  # it turns on
        assert len(asked) == 1 and "no such thing" in str(made.status().problem)
    finally:
        made.stop()


def test_a_change_that_failed_while_links_run_is_tried_again(
    control: Control, plane: FakePlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("remsim.links.control.RETRY_S", 0.05)
    control.start(routing(2))
    until(lambda: control.status().state == "running")
    plane.failing["set_links"] = PlaneError("not now")
    with pytest.raises(PlaneError):
        control.configure(routing(3))
    assert control.status().problem is not None
    plane.failing.clear()
    until(lambda: control.status().problem is None)
    assert [one.index for one in plane.links] == [1, 2, 3]


def test_elements_of_sets_are_added_together_and_without_waiting(control: Control, plane: FakePlane) -> None:
    control.add("d_1", ["192.0.2.1"], 60)
    control.add("d_1", ["192.0.2.2"], 60)
    control.start(routing(2))
    until(lambda: ("add", ("d_1", ("192.0.2.1", "192.0.2.2"), 60)) in plane.calls)
    plane.failing["add"] = PlaneError("no")
    control.add("d_1", ["192.0.2.3"], 60)
    until(lambda: ("add", ("d_1", ("192.0.2.3",), 60)) in plane.calls)
    plane.failing.clear()
    control.add("d_1", ["192.0.2.4"], 60)
    until(lambda: ("add", ("d_1", ("192.0.2.4",), 60)) in plane.calls)


def test_a_tick_may_change_policies_itself(control: Control, plane: FakePlane) -> None:
    done = threading.Event()

    def tick(views: object) -> None:
        if not done.is_set():
            control.load(policy())
            done.set()

    control.subscribe(tick)
    control.start(routing(2))
    assert done.wait(60)
    assert plane.program == policy()


def test_a_plane_that_fails_does_not_end_the_loop(control: Control, plane: FakePlane) -> None:
    control.start(routing(2))
    until(lambda: control.status().state == "running")
    plane.flows = lambda: 1 / 0  # type: ignore[method-assign]
    time.sleep(0.05)
    assert control.load(policy()).chains_ms == 1.0


def test_what_is_asked_of_links_is_checked(control: Control) -> None:
    control.start(routing(2))
    until(lambda: control.status().state == "running")
    with pytest.raises(NotFound):
        control.act("nobody", "test")
    with pytest.raises(InvalidInput):
        control.act("one", "explode")
    control.act("one", "test")


def test_a_failure_that_the_prober_tells_is_followed(control: Control, plane: FakePlane) -> None:
    control.start(routing(2))
    until(lambda: control.status().state == "running")
    plane.open_flows = [flow(1)]
    clock = SystemClock()
    for index in (1, 2):
        for answer in range(12):
            at = clock.monotonic() - 5 + 0.4 * answer
            control.sharing.links[index].probed(ProbeResult(at, True, 30.0, "icmp"))
        control._on_result(index, ProbeResult(clock.monotonic(), True, 30.0, "icmp"))
    control.configure(routing(2))
    until(lambda: [one.state for one in control.views()] == ["up", "up"])
    for misses in range(1, 4):
        control._on_result(1, ProbeResult(clock.monotonic(), False, None, "icmp", silent_s=0.25 * misses))
    until(lambda: set(plane.rings["bulk"]) == {2})
    assert control.status().failovers == 1
