"""The data plane without a kernel: what pages see of a simulated router."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from remsim.core.routes import Choice, PolicyCode, Program, RingSpec
from remsim.links.plane import LinkRoute
from remsim.simulator import links as simulated
from remsim.simulator.links import SimulatedPlane

RINGS = {"interactive": [1] * 12 + [2] * 4, "bulk": [2] * 16}
DEFAULT = (RingSpec("interactive", (), "interactive"), RingSpec("bulk", ()))


class Time:
    """A clock for the plane."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def time(monkeypatch: pytest.MonkeyPatch) -> Time:
    made = Time()
    monkeypatch.setattr(simulated, "time", made)
    return made


@pytest.fixture
def net(tmp_path: Path) -> Path:
    for name in ("simwwan0", "simwwan1"):
        (tmp_path / "class" / "net" / name / "statistics").mkdir(parents=True)
    count(tmp_path, "simwwan0", 0)
    count(tmp_path, "simwwan1", 0)
    return tmp_path


@pytest.fixture
def plane(net: Path, time: Time) -> Iterator[SimulatedPlane]:
    made = SimulatedPlane(net)
    made.set_links([LinkRoute(1, "wan1", "simwwan0"), LinkRoute(2, "wan2", "simwwan1")])
    made.load(Program(), DEFAULT, RINGS)
    yield made


def count(root: Path, device: str, octets: int) -> None:
    for name in ("rx_bytes", "tx_bytes"):
        (root / "class" / "net" / device / "statistics" / name).write_text(f"{octets}\n")


def later(plane: SimulatedPlane, time: Time, seconds: int) -> list:  # type: ignore[type-arg]
    flows = []
    for _ in range(seconds):
        time.now += 1
        flows = plane.flows()
    return flows


def test_new_flows_follow_their_ring(plane: SimulatedPlane, time: Time) -> None:
    flows = later(plane, time, 120)
    assert len(flows) > 20
    assert {flow.link for flow in flows if flow.klass == "bulk"} == {2}
    shares = Counter(flow.link for flow in flows if flow.klass == "interactive")
    assert shares[1] > shares[2] > 0


def test_a_links_octets_are_those_of_its_flows(plane: SimulatedPlane, time: Time, net: Path) -> None:
    later(plane, time, 60)
    before = {flow.key: flow.rx_bytes for flow in plane.flows()}
    count(net, "simwwan1", 1_000_000)
    moved = [(flow.rx_bytes or 0) - (before[flow.key] or 0) for flow in plane.flows() if flow.link == 2]
    assert sum(moved) == pytest.approx(1_000_000, abs=len(moved))


def test_flows_of_a_dead_link_begin_again_elsewhere(plane: SimulatedPlane, time: Time) -> None:
    flows = later(plane, time, 60)
    dead = [flow for flow in flows if flow.link == 2]
    plane.swap({"interactive": [1] * 16, "bulk": [1] * 16})
    cut = plane.cut(2, dead)
    assert cut.flows == len(dead) > 0
    assert {flow.link for flow in plane.flows()} == {1}


def test_a_policy_takes_what_it_matches_while_it_is_open(plane: SimulatedPlane, time: Time) -> None:
    ring = RingSpec("p_7", (Choice("connection", "wan2"),), "interactive", policy="dns")
    program = Program((PolicyCode(7, "dns", ("udp dport 53 goto pick_7",), ring),))
    plane.decide = lambda flow, name: 7 if flow.destination_port == 53 else 0
    plane.load(program, DEFAULT, {**RINGS, "p_7": [2] * 16})
    later(plane, time, 60)
    hits = plane.counters()["p_7"][0]
    assert hits > 0
    plane.refill({7: ()})
    later(plane, time, 60)
    assert plane.counters()["p_7"][0] == hits
    plane.refill({7: ("udp dport 53 goto pick_7",)})
    later(plane, time, 60)
    assert plane.counters()["p_7"][0] > hits


def test_a_link_without_an_interface_has_no_route(plane: SimulatedPlane) -> None:
    assert plane.ensure_route(LinkRoute(1, "wan1", "simwwan0"))
    assert not plane.ensure_route(LinkRoute(3, "wan3", "simwwan7"))
    assert not plane.addresses("simwwan7").is_up


def test_a_flow_is_called_what_was_asked_for(plane: SimulatedPlane, time: Time) -> None:
    flow = later(plane, time, 30)[0]
    assert plane.name_of(flow.destination)
    assert plane.name_of("203.0.113.9") is None
