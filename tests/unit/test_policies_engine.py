"""A set in force: loaded, opened and closed as hours and links change, counted, tried again."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest
from policy_support import LINKS, NOON, FakeTraffic, facts, sound
from remsim.core.clock import FakeClock
from remsim.core.errors import Conflict
from remsim.core.routes import MOST_POLICIES
from remsim.policies.engine import Engine, Tapped, assigned
from remsim.policies.facts import Facts, Wanted
from remsim.policies.language.model import Policy


class Bench:
    """An engine with its world."""

    def __init__(self, traffic: FakeTraffic | None) -> None:
        self.clock = FakeClock(NOON)
        self.traffic = traffic
        self.others: dict[str, object] = {}
        self.wanted: list[tuple[Wanted, ...] | None] = []
        self.is_busy = False
        self.engine = Engine(
            clock=self.clock,
            facts=self.facts,
            traffic=lambda: self.traffic,
            numbers={},
            taps=lambda has_names: Tapped(("tap",) if has_names else ()),
            learn=lambda wanted: self.wanted.append(None if wanted is None else tuple(wanted)),
            aside=self.aside,
        )

    def aside(self, work: Callable[[], None]) -> bool:
        if not self.is_busy:
            work()
        return not self.is_busy

    def facts(self) -> Facts:
        return facts(**{"now": self.clock.now(), **self.others})

    def put(self, text: str) -> None:
        found = sound(text)
        self.engine.put(found.policies, found.sets)


@pytest.fixture
def bench() -> Bench:
    return Bench(FakeTraffic())


def traffic(bench: Bench) -> FakeTraffic:
    assert bench.traffic is not None
    return bench.traffic


def test_hours_open_and_close_a_policy_by_refilling_its_chain(bench: Bench) -> None:
    bench.put("policy a { match: time 13:00-14:00, port 1\n route: any }\npolicy b { match: all\n route: any }")
    program = traffic(bench).loaded[0]
    assert [one.is_open for one in program.policies] == [False, True]
    bench.engine.look()
    assert traffic(bench).refilled == []
    bench.clock.advance(3600)
    bench.engine.look()
    bench.engine.look()
    rule = ("meta l4proto { 6, 17 } th dport 1 goto pick_1",)
    assert traffic(bench).refilled == [{1: rule}]
    bench.clock.advance(3600)
    bench.engine.look()
    assert traffic(bench).refilled[1:] == [{1: ()}]


def test_what_was_learned_is_put_into_sets_that_somebody_removed(bench: Bench) -> None:
    bench.put("policy a { match: domain example.com\n route: any }")
    bench.engine.look()
    assert len(bench.wanted) == 1
    traffic(bench).times_remade = 1
    bench.engine.look()
    bench.engine.look()
    assert len(bench.wanted) == 2 and bench.wanted[0] == bench.wanted[1]


def test_nothing_is_learned_while_links_are_off(bench: Bench) -> None:
    bench.put("policy a { match: domain example.com\n route: any }")
    there, bench.traffic = bench.traffic, None
    bench.engine.reload()
    bench.traffic = there
    bench.engine.reload()
    first, off, again = bench.wanted
    assert first and off is None and again == first


def test_the_thread_that_looks_loads_nothing_itself(bench: Bench) -> None:
    bench.others["router_country"] = None
    bench.put("policy a { match: destination_country == router_country\n route: any }")
    bench.is_busy = True
    bench.others["router_country"] = "DE"
    bench.engine.look()
    assert len(traffic(bench).loaded) == 1
    bench.is_busy = False
    bench.engine.look()
    assert len(traffic(bench).loaded) == 2


def test_only_the_alternatives_that_hold_are_in_the_chain(bench: Bench) -> None:
    match = "(time 13:00-14:00 and port 1) or (link fiber is down and port 2) or port 3"
    bench.put(f"policy a {{ match: {match}\n route: any }}")
    assert len(traffic(bench).loaded[0].policies[0].rules) == 1
    bench.clock.advance(3600)
    bench.others["links"] = (LINKS[0], replace(LINKS[1], state="down"))
    bench.engine.look()
    assert [rule.split("dport ")[1][0] for rule in traffic(bench).refilled[0][1]] == ["1", "2", "3"]


def test_a_clock_that_is_set_is_followed(bench: Bench) -> None:
    bench.others["now"] = None
    bench.put("policy a { match: time 00:00-24:00\n route: any }")
    assert traffic(bench).loaded[0].policies[0].rules == ()
    del bench.others["now"]
    bench.clock.set_wall(NOON + 86400)
    bench.engine.look()
    assert traffic(bench).refilled == [{1: ("goto pick_1",)}]


def test_a_country_that_becomes_known_loads_again(bench: Bench) -> None:
    bench.others["router_country"] = None
    bench.put("policy a { match: destination_country == router_country\n route: any }")
    assert traffic(bench).loaded[-1].policies[0].rules == ()
    bench.others["router_country"] = "DE"
    bench.engine.look()
    assert traffic(bench).loaded[-1].policies[0].rules[0] == "ip daddr @c_DE4 goto pick_1"


def test_what_the_kernel_refuses_leaves_what_was_in_force(bench: Bench) -> None:
    bench.put("policy a { match: port 1\n route: any }")
    traffic(bench).refuses = Conflict("nft says no")
    with pytest.raises(Conflict):
        bench.put("policy b { match: port 2\n route: any }")
    assert [one.policy.name for one in bench.engine.compiled.policies] == ["a"]
    assert bench.engine.state == "in_force"


def test_what_could_not_be_loaded_is_tried_again(bench: Bench) -> None:
    bench.put("policy a { match: port 1\n route: any }")
    traffic(bench).refuses = Conflict("not now")
    bench.engine.reload()
    assert (bench.engine.state, bench.engine.problem and bench.engine.problem.message) == ("failed", "not now")
    traffic(bench).refuses = None
    bench.engine.look()
    assert bench.engine.state == "failed"
    bench.clock.advance(31)
    bench.engine.look()
    assert (bench.engine.state, bench.engine.problem) == ("in_force", None)


def test_what_the_kernel_refuses_is_not_tried_each_second(bench: Bench) -> None:
    tries: list[None] = []
    bench.put("policy a { match: destination_country == router_country\n route: any }")
    load = traffic(bench).load
    traffic(bench).load = lambda program: tries.append(None) or load(program)  # type: ignore[method-assign, func-returns-value]
    traffic(bench).refuses = Conflict("no memory")
    bench.others["router_country"] = "AT"
    for _ in range(20):
        bench.engine.look()
        bench.clock.advance(1)
    assert len(tries) == 1
    traffic(bench).refuses = None
    bench.clock.advance(31)
    bench.engine.look()
    assert "@c_AT4" in traffic(bench).loaded[-1].policies[0].rules[0]


def test_why_a_text_is_not_in_force_is_told_also_after_links_have_changed(bench: Bench) -> None:
    bench.put("policy a { match: port 1\n route: any }")
    bench.engine.refuse(Conflict("it has errors"))
    assert traffic(bench).loaded[-1].policies == ()
    bench.engine.reload()
    assert (bench.engine.state, str(bench.engine.problem)) == ("failed", "it has errors")
    bench.put("policy a { match: port 1\n route: any }")
    assert (bench.engine.state, bench.engine.problem) == ("in_force", None)


def test_a_policy_finds_its_link_when_the_device_that_it_names_comes(bench: Bench) -> None:
    bench.others["links"] = tuple(replace(one, device=None) for one in LINKS)
    bench.put("policy a { match: port 1\n route: connection(wwan9) }")
    assert traffic(bench).loaded[-1].policies[0].ring.choices[0].value == "wwan9"
    bench.others["links"] = (replace(LINKS[0], device="wwan9"), *LINKS[1:])
    bench.engine.look()
    assert traffic(bench).loaded[-1].policies[0].ring.choices[0].value == LINKS[0].name


def test_while_links_are_off_nothing_is_loaded_and_all_is_known() -> None:
    bench = Bench(None)
    bench.put("policy a { match: port 1\n route: any }")
    assert (bench.engine.state, bench.engine.number("a")) == ("off", 1)
    bench.traffic = FakeTraffic()
    bench.engine.reload()
    assert bench.engine.state == "in_force"
    assert len(bench.traffic.loaded) == 1


def test_names_are_learned_once_their_sets_are_there(bench: Bench) -> None:
    bench.put("policy a { match: domain a.example\n route: any }")
    assert [one.patterns for one in bench.wanted[0]] == [("a.example",)]
    assert traffic(bench).loaded[0].taps == ("tap",)


def test_hits_are_what_counters_grew_by(bench: Bench) -> None:
    bench.put("policy a { match: port 1\n route: any }")
    traffic(bench).counted = {"p_1": (5, 0)}
    assert bench.engine.hits() == {"a": 5}
    traffic(bench).counted = {"p_1": (7, 0)}
    assert bench.engine.hits() == {"a": 7}
    traffic(bench).counted = {"p_1": (2, 0)}  # the table was made anew
    assert bench.engine.hits() == {"a": 9}


def test_a_policy_keeps_its_number_and_a_new_one_gets_one_nobody_had(bench: Bench) -> None:
    bench.put("policy a { match: port 1\n route: any }\npolicy b { match: port 2\n route: any }")
    bench.put("policy c { match: port 3\n route: any }\npolicy b { match: port 2\n route: any }")
    assert {one.policy.name: one.number for one in bench.engine.compiled.policies} == {"c": 3, "b": 2}
    assert (bench.engine.name(2), bench.engine.name(1)) == ("b", None)
    bench.put("policy a { match: port 1\n route: any }")
    assert bench.engine.number("a") == 1


def test_numbers_are_used_again_when_all_were_used() -> None:
    kept = assigned([Policy(f"old{number}") for number in range(MOST_POLICIES)], {})
    assert sorted(kept.values()) == list(range(1, MOST_POLICIES + 1))
    found = assigned([Policy("new"), Policy("old0")], kept)
    assert found["old0"] == 1
    assert found["new"] == 2
    assert "old1" not in found


def test_the_thread_that_a_load_waits_for_never_waits_itself(bench: Bench) -> None:
    """Loading waits for the control thread, which looks at hours each second."""
    bench.put("policy a { match: time 13:00-14:00\n route: any }")
    looked = threading.Event()

    class Waiting(FakeTraffic):
        def load(self, program: object) -> object:  # type: ignore[override]
            def look() -> None:
                bench.engine.look()
                looked.set()

            threading.Thread(target=look).start()
            assert looked.wait(60)
            return super().load(program)  # type: ignore[arg-type]

    bench.traffic = Waiting()
    bench.put("policy b { match: time 13:00-14:00\n route: any }")
    assert looked.is_set()
