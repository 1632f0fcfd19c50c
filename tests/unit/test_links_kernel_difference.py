"""From one table to another: what a transaction touches, and what it leaves alone."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from remsim.core.routes import Choice, PolicyCode, Program, RingSpec, SetCode
from remsim.links.kernel.difference import change, elements, first_load, refreshed
from remsim.links.kernel.table import Table, layout
from remsim.links.kernel.way import Way

WAYS = [Way(1, "sim1"), Way(2, "sim2")]
DEFAULT = (RingSpec("interactive", (), "interactive"), RingSpec("bulk", ()))
RINGS = {"interactive": (1,) * 16, "bulk": (2,) * 16}


def policy(number: int, rule: str = "tcp dport 25 goto pick_{}") -> PolicyCode:
    ring = RingSpec(f"p_{number}", (Choice("any"),))
    return PolicyCode(number, f"policy{number}", (rule.format(number),), ring)


def table(
    *policies: PolicyCode,
    sets: tuple[SetCode, ...] = (),
    ways: list[Way] | None = None,
    bulk: tuple[int, ...] = RINGS["bulk"],
) -> Table:
    slots = {**RINGS, **{one.ring.name: (1,) * 16 for one in policies}, "bulk": bulk}
    return layout(Program(policies, sets), DEFAULT, slots, WAYS if ways is None else ways, ["br-lan"])


def test_nothing_differs_nothing_is_done() -> None:
    assert change(table(policy(1)), table(policy(1))) == ""


def test_a_ring_is_written_alone() -> None:
    lines = change(table(policy(1)), table(policy(1), bulk=(1,) * 16)).split("\n")
    assert lines == ["flush chain inet remsim ring_bulk", "add rule inet remsim ring_bulk goto use_1"]


def test_policies_whose_rings_are_alike_share_them() -> None:
    two = layout(Program((policy(1), policy(2))), DEFAULT, {**RINGS, "p_1": (1, 2), "p_2": (1, 2)}, WAYS, [])
    (mix,) = [name for name in two.chains if name.startswith("mix_")]
    assert two.chains[mix].rules == ("numgen inc mod 2 vmap { 0 : goto use_1, 1 : goto use_2 }",)
    assert all(two.chains[f"pick_{n}"].rules[0].endswith(f'counter name "p_{n}" goto {mix}') for n in (1, 2))


def test_rules_for_all_that_has_ports_share_a_set() -> None:
    chains = table(policy(1, "meta l4proto {{ 6, 17 }} th dport 443 goto pick_{}")).chains
    assert chains["p_1"].rules == ("meta l4proto @transport th dport 443 goto pick_1",)


def test_a_policy_without_a_link_in_a_family_takes_flows_of_the_other_only() -> None:
    ways = [replace(WAYS[0], carries6=False), WAYS[1]]
    chains = layout(Program((policy(1),)), DEFAULT, {**RINGS, "p_1": (1,)}, ways, []).chains
    assert chains["pick_1"].rules[0].startswith("meta nfproto ipv4 meta mark set")
    assert layout(Program((policy(1),)), DEFAULT, RINGS, ways, []).chains["pick_1"].rules == ()


def test_a_new_policy_leaves_the_others_counters_alone() -> None:
    text = change(table(policy(1)), table(policy(1), policy(2)))
    assert "add counter inet remsim p_2" in text
    assert "p_1 " not in text.replace("jump p_1", "")
    assert "delete" not in text


def test_what_a_gone_policy_had_goes_after_what_named_it() -> None:
    lines = change(table(policy(1), policy(2)), table(policy(1))).split("\n")
    at = {line: number for number, line in enumerate(lines)}
    assert at["flush chain inet remsim policies"] < at["delete chain inet remsim p_2"]
    assert at["flush chain inet remsim pick_2"] < at["delete counter inet remsim p_2"]


def test_a_set_that_is_filled_while_in_use_keeps_what_it_holds() -> None:
    learned = SetCode("d_1", "type ipv4_addr; flags timeout;", ("192.0.2.1",), is_learned=True)
    named = SetCode("a_1", "type ipv4_addr;", ("192.0.2.1",))
    before = table(sets=(learned, named))
    after = table(sets=(replace(learned, elements=("192.0.2.2",)), replace(named, elements=("192.0.2.2",))))
    assert change(before, after).split("\n") == [
        "delete set inet remsim a_1",
        "add set inet remsim a_1 { type ipv4_addr; elements = { 192.0.2.2 } }",
    ]


def test_a_set_of_another_type_is_made_anew_with_the_rules_that_name_it() -> None:
    one = SetCode("a_1", "type ipv4_addr;")
    rule = "ip daddr @a_1 goto pick_{}"
    other = replace(one, declaration="type ipv6_addr;")
    text = change(table(policy(1, rule), sets=(one,)), table(policy(1, rule), sets=(other,)))
    parts = ("flush chain inet remsim p_1", "delete set", "add set", "add rule inet remsim p_1")
    order = [text.index(part) for part in parts]
    assert order == sorted(order)


def test_the_elements_of_large_sets_come_apart() -> None:
    large = SetCode("c_DEw", "type ipv4_addr . inet_proto; flags interval;", ("192.0.2.0/24",), is_large=True)
    text = first_load(table(sets=(large,)))
    assert "192.0.2.0" not in text
    assert not change(table(sets=(large,)), table(sets=(replace(large, elements=()),)))


def test_a_quota_is_made_anew_with_the_chains_that_name_it() -> None:
    capped = [replace(WAYS[0], cap_bytes=1000), WAYS[1]]
    other = [replace(WAYS[0], cap_bytes=2000), WAYS[1]]
    text = change(table(ways=capped), table(ways=other))
    parts = ("flush chain inet remsim in_1", "delete quota", "add quota", "add rule inet remsim in_1")
    order = [text.index(part) for part in parts]
    assert order == sorted(order)


def test_the_time_of_what_is_in_a_set_begins_anew() -> None:
    assert refreshed("lan", ['"br-lan"'], 30) == [
        'add element inet remsim lan { "br-lan" timeout 30s }',
        'delete element inet remsim lan { "br-lan" }',
        'add element inet remsim lan { "br-lan" timeout 30s }',
    ]


def test_many_elements_are_several_commands() -> None:
    assert len(elements("a_1", [f"192.0.2.{n % 250}" for n in range(1200)])) == 3


NUMBERS = st.lists(st.integers(1, 6), unique=True, max_size=6)


@given(NUMBERS, NUMBERS, st.integers(0, 2), st.integers(0, 2))
def test_what_is_named_is_there_whatever_is_changed(old: list[int], new: list[int], from_: int, to: int) -> None:
    lines = change(table(*map(policy, old), ways=WAYS[:from_]), table(*map(policy, new), ways=WAYS[:to])).split("\n")
    added = {line.split()[4] for line in lines if line.startswith("add chain")}
    deleted = {line.split()[4] for line in lines if line.startswith("delete chain")}
    flushed = {line.split()[4] for line in lines if line.startswith("flush chain")}
    assert deleted <= flushed
    assert not added & deleted
    assert {line.split()[4] for line in lines if line.startswith("add rule")} <= (flushed - deleted) | added
