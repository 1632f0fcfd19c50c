"""Pace and health together over simulated minutes: what is noticed, how soon, and what must never be."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from remsim.links.health import Change, Health, Limits
from remsim.links.probes.pace import Counters, Pace
from remsim.links.probes.plan import ProbePlan, ProbeResult
from remsim.outbound.target import Target

UNMETERED = ProbePlan("wwan0", 0x100, (Target("icmp", "192.0.2.1", 0),), "icmp")
METERED = ProbePlan("wwan0", 0x100, (Target("icmp", "192.0.2.1", 0),), "icmp", 0.2, 5.0, True)


@dataclass
class Wire:
    """A link: how long an answer takes now (None: never comes), and what traffic has carried until now."""

    rtt_s: Callable[[float], float | None]
    rx_packets_s: Callable[[float], float] = lambda at: 0.0
    tx_packets_s: Callable[[float], float] = lambda at: 0.0
    packet_bytes: int = 1400
    probes: list[float] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)

    def run(self, plan: ProbePlan, seconds: float, limits: Limits = Limits()) -> Wire:  # noqa: B008
        """Let time pass; probes and counters in their order."""
        pace, health, at = Pace(plan, 0.0), Health(limits, 0.0), 0.0
        waiting: dict[int, tuple[float, float | None, bool]] = {}
        rx = tx = 0.0
        own_rx = own_tx = number = 0
        sampled_at = counted_at = 0.0
        while at < seconds:
            rx += self.rx_packets_s(at) * (at - counted_at)
            tx += self.tx_packets_s(at) * (at - counted_at)
            counted_at = at
            rto_s = pace.rto_s
            for key, (sent_at, rtt_s, is_overdue) in list(waiting.items()):
                if rtt_s is not None and at >= sent_at + rtt_s:
                    del waiting[key]
                    own_rx += 1
                    pace.own(0, 1)
                    after = next((one[0] for one in waiting.values() if one[0] > sent_at), None)
                    pace.answered(at, rtt_s, after, is_late=is_overdue)
                    self._feed(health, ProbeResult(at, True, rtt_s * 1000, "icmp"))
                elif not is_overdue and at >= sent_at + rto_s:
                    waiting[key] = (sent_at, rtt_s, True)
                    pace.missed(at)
                    silent_s, needed = pace.silent_s(at), pace.needed
                    self._feed(health, ProbeResult(at, False, None, "icmp", None, silent_s, needed))
                elif at >= sent_at + 3.0:
                    del waiting[key]
            odd = pace.is_odd(at) and not pace.is_away
            every_s = 0.05 if odd else 0.1 if pace.is_hot(at) else 0.5
            if at >= sampled_at + every_s:
                sampled_at = at
                packets_in, packets_out = int(rx) + own_rx, int(tx) + own_tx
                seen = Counters(int(rx) * self.packet_bytes, int(tx) * self.packet_bytes, packets_in, packets_out)
                if pace.sample(at, seen):
                    self._feed(health, ProbeResult(at, True, None, "traffic"))
            if at >= pace.next_at(at):
                number += 1
                own_tx += 1
                pace.own(1, 0)
                pace.sent(at)
                self.probes.append(at)
                waiting[number] = (at, self.rtt_s(at), False)
            upcoming = [pace.next_at(at), sampled_at + every_s]
            for sent_at, rtt_s, is_overdue in waiting.values():
                upcoming += [] if rtt_s is None else [sent_at + rtt_s]
                upcoming += [sent_at + 3.0] if is_overdue else [sent_at + rto_s]
            at = max(at + 0.001, min(upcoming))
            self._note(health.tick(at))
        self.health = health
        return self

    def _feed(self, health: Health, result: ProbeResult) -> None:
        self._note(health.feed(result))

    def _note(self, change: Change | None) -> None:
        if change is not None:
            self.changes.append(change)

    def went(self, state: str, after: float = 0.0) -> Iterator[float]:
        return (one.at_monotonic for one in self.changes if one.state == state and one.at_monotonic >= after)

    def failed(self) -> list[Change]:
        return [one for one in self.changes if one.is_failure]


def steady(rtt_s: float, jitter_s: float = 0.01, seed: int = 1) -> Callable[[float], float | None]:
    dice = random.Random(seed)
    return lambda at: rtt_s + dice.random() * jitter_s


def lossy(share: float, rtt_s: float = 0.06, seed: int = 1, since: float = 0.0) -> Callable[[float], float | None]:
    dice = random.Random(seed)
    return lambda at: None if dice.random() < share and at >= since else rtt_s + dice.random() * 0.02


def until(cut_at: float, rtt_s: Callable[[float], float | None]) -> Callable[[float], float | None]:
    def answer(at: float) -> float | None:
        rtt = rtt_s(at)
        return None if rtt is None or at + rtt / 2 > cut_at else rtt

    return answer


def only_before(cut_at: float, rate: float, since: float = 0.0) -> Callable[[float], float]:
    return lambda at: rate if since <= at < cut_at else 0.0


@pytest.mark.parametrize("rtt_s", [0.02, 0.06, 0.09, 0.24])
@pytest.mark.parametrize("offset", [0.0, 0.05, 0.11, 0.15, 0.19])
@pytest.mark.parametrize("plan", [UNMETERED, METERED], ids=["unmetered", "metered"])
def test_silent_cut_under_traffic_is_noticed_in_time(plan: ProbePlan, rtt_s: float, offset: float) -> None:
    cut_at = 20 + offset
    wire = Wire(until(cut_at, steady(rtt_s)), only_before(cut_at, 1000), lambda at: 500 if at < cut_at else 3)
    wire.run(plan, 22)
    assert 0.2 < next(wire.went("down")) - cut_at <= (0.65 if rtt_s < 0.2 else 0.75)


@pytest.mark.parametrize("plan", [UNMETERED, METERED], ids=["unmetered", "metered"])
def test_silent_cut_of_a_link_that_only_sends_is_noticed_too(plan: ProbePlan) -> None:
    wire = Wire(until(30.1, steady(0.06)), tx_packets_s=lambda at: 100.0).run(plan, 40)
    assert next(wire.went("down")) - 30.1 <= (0.7 if plan is UNMETERED else 3.3)


@pytest.mark.parametrize("offset", [0.0, 1.3, 2.6, 3.9])
def test_silent_cut_of_an_idle_link_is_noticed_within_three_periods(offset: float) -> None:
    for plan in (UNMETERED, METERED):
        wire = Wire(until(31 + offset, steady(0.06))).run(plan, 60)
        assert next(wire.went("down")) - 31 - offset <= 1.6 * plan.period_idle_s + 0.6


@pytest.mark.parametrize("plan", [UNMETERED, METERED], ids=["unmetered", "metered"])
def test_first_flow_into_a_cut_idle_link_tells(plan: ProbePlan) -> None:
    wire = Wire(until(30.0, steady(0.06)), tx_packets_s=only_before(99, 5, 30.5)).run(plan, 34)
    assert next(wire.went("down")) - 30.5 <= 1.2


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("plan", [UNMETERED, METERED], ids=["unmetered", "metered"])
def test_link_that_loses_30_percent_is_never_told_down(plan: ProbePlan, seed: int) -> None:
    idle = Wire(lossy(0.3, seed=seed)).run(plan, 600)
    assert idle.failed() == [] and idle.health.state in ("up", "degraded")
    both_ways_under_traffic = Wire(lossy(0.51, seed=seed, since=20), lambda at: 2.0, lambda at: 3.0)
    assert both_ways_under_traffic.run(plan, 300).failed() == []


def test_cut_of_a_link_that_loses_30_percent_is_noticed_in_a_second() -> None:
    wire = Wire(until(60, lossy(0.3)), only_before(60, 100), only_before(60, 100)).run(UNMETERED, 63)
    assert next(wire.went("down")) - 60 <= 1.0


@pytest.mark.parametrize("packets_s", [40, 1000])
def test_queue_that_fills_and_empties_for_ten_minutes_is_no_failure(packets_s: int) -> None:
    dice = random.Random(5)

    def bloated(at: float) -> float | None:
        if dice.random() < 0.4:
            return None
        return 0.05 + (0.4 + 0.5 * dice.random() if at % 7 > 1 else 0.0)

    wire = Wire(bloated, lambda at: packets_s, lambda at: packets_s, packet_bytes=60).run(UNMETERED, 600)
    assert wire.failed() == []


def test_upload_without_answers_that_fills_the_queue_is_no_failure() -> None:
    dice = random.Random(3)

    def flooded(at: float) -> float | None:
        return 0.06 if at < 20 else None if dice.random() < 0.8 else 0.46

    wire = Wire(flooded, tx_packets_s=lambda at: 0 if at < 20 else 3000).run(UNMETERED, 320)
    assert wire.failed() == []


@pytest.mark.parametrize("seed", [2, 3])
def test_flood_that_goes_on_for_minutes_is_no_failure(seed: int) -> None:
    """The queue is full for a while, empty for a while: losses come together."""
    dice = random.Random(seed)
    bursts = [dice.random() < 0.3 for _ in range(4000)]

    def flooded(at: float) -> float | None:
        if at < 10:
            return 0.09
        lost = 0.93 if bursts[int(at * 4)] else 0.6
        return None if dice.random() < lost else 0.5 + 0.1 * dice.random()

    wire = Wire(flooded, tx_packets_s=lambda at: 0 if at < 10 else 800).run(UNMETERED, 310)
    assert wire.failed() == []


def test_cut_during_a_call_that_only_sends_is_noticed_as_any_other() -> None:
    call = Wire(until(30.1, steady(0.06)), tx_packets_s=lambda at: 300.0 if at > 5 else 0.0).run(UNMETERED, 40)
    assert next(call.went("down")) - 30.1 <= 0.7


def test_metered_link_whose_traffic_is_answered_costs_next_to_nothing() -> None:
    wire = Wire(steady(0.06), lambda at: 200.0, lambda at: 150.0).run(METERED, 600)
    after_start = [at for at in wire.probes if at > 10]
    assert len(after_start) <= 600 / 20 + 2
    assert wire.failed() == []


def test_metered_link_is_asked_at_its_period_while_idle_and_rarely_during_a_call_that_only_sends() -> None:
    idle = Wire(steady(0.06)).run(METERED, 600)
    assert 116 <= len([at for at in idle.probes if at > 10]) <= 122
    sending = Wire(steady(0.06), tx_packets_s=lambda at: 50.0).run(METERED, 600)
    assert len([at for at in sending.probes if at > 20]) <= 600 / 2.5 + 20


def test_unmetered_link_is_asked_slowly_while_idle_and_fast_while_it_carries() -> None:
    wire = Wire(steady(0.06), only_before(70, 500, 40), only_before(70, 500, 40)).run(UNMETERED, 100)
    assert 28 <= len([at for at in wire.probes if 10 <= at < 40]) <= 32
    assert 140 <= len([at for at in wire.probes if 40 <= at < 70]) <= 155


def test_link_is_back_two_seconds_after_it_answers_and_twice_as_late_with_each_failure() -> None:
    def broken(at: float) -> float | None:
        return None if at % 100 > 95 else 0.05

    wire = Wire(broken).run(UNMETERED, 480)
    back = [at % 100 for at in wire.went("up", 50)]
    assert [round(after / 2) for after in back] == [1, 2, 4, 8]
    assert 1.8 <= back[0] <= 3.5


def test_dead_link_is_not_asked_five_times_a_second_for_ever() -> None:
    wire = Wire(until(20, steady(0.05))).run(METERED, 600)
    assert len([at for at in wire.probes if at > 60]) <= 540 / 5 + 5


def test_metered_link_that_is_back_is_used_within_15_seconds() -> None:
    wire = Wire(lambda at: None if 20 < at < 200 else 0.06).run(METERED, 230)
    assert next(wire.went("up", 100)) - 200 <= 8


def test_answers_to_second_attempts_do_not_slow_the_next_notice() -> None:
    pace = Pace(UNMETERED, 0.0)
    for number in range(20):
        pace.sent(number * 0.2)
        pace.answered(number * 0.2 + 0.05, 0.05, None)
    before = pace.rto_s
    pace.answered(8.0, 2.9, None, is_late=True, is_clear=False)
    assert pace.rto_s == before
    pace.answered(8.1, 0.9, None, is_late=True)
    assert pace.rto_s > 0.9
