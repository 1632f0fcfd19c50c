"""From one table to another: what a transaction touches, and what it leaves alone."""

from __future__ import annotations

import re
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from remsim.core.routes import Choice, PolicyCode, Program, RingSpec, SetCode
from remsim.links.kernel.common import with_common_sets
from remsim.links.kernel.difference import change, elements, first_load, refreshed
from remsim.links.kernel.picks import PICKING
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


def named(text: str, kind: str) -> set[str]:
    """What a command's block declares of a kind."""
    return set(re.findall(rf"^\t{kind} (\w+) {{", text, re.MULTILINE))


def test_nothing_differs_nothing_is_done() -> None:
    assert change(table(policy(1)), table(policy(1))) == ""


def test_a_ring_is_written_alone() -> None:
    lines = change(table(policy(1)), table(policy(1), bulk=(1,) * 16)).split("\n")
    assert lines[0] == "flush chain inet remsim ring_bulk"
    assert [line.strip(" {}\t") for line in lines[1:4]] == ["table inet remsim", "chain ring_bulk", "goto use_1"]
    assert len(lines) == 7


def test_policies_whose_rings_are_alike_share_them() -> None:
    program = Program((policy(1), policy(2)))
    two = layout(program, DEFAULT, {**RINGS, "p_1": (1, 2), "p_2": (1, 2)}, WAYS, [])
    assert [name for name in two.chains if name.startswith("mix_")] == ["mix_1"]
    assert two.chains["mix_1"].rules[1:] == ("numgen inc mod 2 vmap { 0 : goto use_1, 1 : goto use_2 }", "goto use_1")
    for n, rule in enumerate(two.chains["policies"].rules[1:3], 1):
        assert rule.startswith("tcp dport 25 ct mark set")
        assert rule.endswith(f'counter name "p_{n}" goto mix_1')


def test_a_ring_that_policies_share_is_written_without_them() -> None:
    tables = [
        layout(Program((policy(1), policy(2))), DEFAULT, {**RINGS, "p_1": slots, "p_2": slots}, WAYS, [])
        for slots in ((1, 2), (2, 2))
    ]
    text = change(*tables)
    assert named(text, "chain") == {"mix_1"}
    assert text.count("flush") == 1


def test_a_policy_of_many_rules_says_once_what_happens_to_a_flow() -> None:
    rules = tuple(f"tcp dport {port} goto pick_1" for port in (25, 465, 587))
    chains = table(replace(policy(1), rules=rules)).chains
    assert chains["policies"].rules[1:4] == tuple(rule.replace("goto", "jump") for rule in rules)
    assert len(chains["pick_1"].rules) == 1


def test_a_policy_of_very_many_rules_is_not_written_when_others_change() -> None:
    large = replace(policy(1), rules=tuple(f"tcp dport {port} goto pick_1" for port in range(1, 101)))
    before = table(large, policy(2))
    assert before.chains["policies"].rules[1] == "jump p_1"
    assert before.chains["p_1"].rules[99] == "tcp dport 100 jump pick_1"
    assert named(change(before, table(large, replace(policy(2), is_open=False))), "chain") == {"policies"}


def test_a_policy_asked_for_the_routers_own_flows_is_in_both_chains() -> None:
    chains = table(policy(1), replace(policy(2), is_for_router=True)).chains
    assert chains["router"].rules == chains["policies"].rules[2:3]


def test_a_closed_policy_has_no_rules_and_keeps_its_counter() -> None:
    closed = table(replace(policy(1), is_open=False))
    assert "p_1" not in " ".join(closed.chains["policies"].rules)
    assert "counter p_1" in closed.objects


def test_what_several_rules_have_in_braces_is_one_set() -> None:
    ports = ("{{ 80, 443 }}", "25")
    rules = (f"meta l4proto {{{{ 6, 17 }}}} th dport {one} goto pick_{{}}" for one in ports)
    program = Program(tuple(policy(n, rule) for n, rule in enumerate(rules, 1)))
    first, second = (one.rules[0] for one in with_common_sets(program).policies)
    (protocols,) = with_common_sets(program).sets
    assert protocols.declaration == "type inet_proto;"
    assert protocols.elements == ("6", "17")
    assert first == f"meta l4proto @{protocols.name} th dport {{ 80, 443 }} goto pick_1"
    assert second == f"meta l4proto @{protocols.name} th dport 25 goto pick_2"


def test_a_policy_without_a_link_in_a_family_takes_flows_of_the_other_only() -> None:
    ways = [replace(WAYS[0], carries6=False), WAYS[1]]
    chains = layout(Program((policy(1),)), DEFAULT, {**RINGS, "p_1": (1,)}, ways, []).chains
    assert chains["policies"].rules[1] == "tcp dport 25 jump pick_1"
    assert chains["pick_1"].rules[0].startswith("meta nfproto ipv4 ct mark set")
    assert "mix_1" in chains
    chains = layout(Program((policy(1),)), DEFAULT, RINGS, ways, []).chains
    assert not {name for name in chains if name.startswith(PICKING)}
    assert "p_1" not in " ".join(chains["policies"].rules)


def test_a_new_policy_leaves_the_others_counters_alone() -> None:
    text = change(table(policy(1)), table(policy(1), policy(2)))
    assert named(text, "counter") == {"p_2"}
    assert "delete" not in text


def test_what_a_gone_policy_had_goes_after_what_named_it() -> None:
    lines = change(table(policy(1), policy(2)), table(policy(2))).split("\n")
    at = {line: number for number, line in enumerate(lines)}
    assert at["flush chain inet remsim policies"] < at["delete chain inet remsim mix_1"]
    assert at["flush chain inet remsim policies"] < at["delete counter inet remsim p_1"]


def test_a_set_that_is_filled_while_in_use_keeps_what_it_holds() -> None:
    learned = SetCode("d_1", "type ipv4_addr; flags timeout;", ("192.0.2.1",), is_learned=True)
    fixed = SetCode("a_1", "type ipv4_addr;", ("192.0.2.1",))
    before = table(sets=(learned, fixed))
    after = table(sets=(replace(learned, elements=("192.0.2.2",)), replace(fixed, elements=("192.0.2.2",))))
    told = change(before, after)
    assert told.startswith("delete set inet remsim a_1\ntable inet remsim {")
    assert named(told, "set") == {"a_1"}
    assert "elements = { 192.0.2.2 }" in told


def test_a_set_of_another_type_is_made_anew_with_the_rules_that_name_it() -> None:
    one = SetCode("a_1", "type ipv4_addr;")
    rule = "ip daddr @a_1 goto pick_{}"
    other = replace(one, declaration="type ipv6_addr;")
    text = change(table(policy(1, rule), sets=(one,)), table(policy(1, rule), sets=(other,)))
    parts = ("flush chain inet remsim policies", "delete set", "set a_1 {", "chain policies {")
    order = [text.index(part) for part in parts]
    assert order == sorted(order)


def test_the_elements_of_large_sets_come_apart() -> None:
    large = SetCode("c_DEw", "type ipv4_addr . inet_proto; flags interval;", ("192.0.2.0/24",), is_apart=True)
    text = first_load(table(sets=(large,)))
    assert "192.0.2.0" not in text
    assert not change(table(sets=(large,)), table(sets=(replace(large, elements=()),)))


def test_what_keeps_flows_on_their_links_stays_while_one_of_these_changes() -> None:
    text = change(table(), table(ways=[replace(WAYS[0], carries6=False, cap_bytes=1000), WAYS[1]]))
    assert "flush chain inet remsim prerouting" in text
    assert "keep_1" not in text
    assert "keep_3" in change(table(), table(ways=[*WAYS, Way(3, "sim3")]))


def test_a_quota_is_made_anew_with_the_chains_that_name_it() -> None:
    capped = [replace(WAYS[0], cap_bytes=1000), WAYS[1]]
    other = [replace(WAYS[0], cap_bytes=2000), WAYS[1]]
    text = change(table(ways=capped), table(ways=other))
    parts = ("flush chain inet remsim in_1", "delete quota", "quota link_1_cap {", "chain in_1 {")
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
    before, after = table(*map(policy, old), ways=WAYS[:from_]), table(*map(policy, new), ways=WAYS[:to])
    text = change(before, after)
    written = named(text, "chain")
    deleted = set(re.findall(r"^delete chain inet remsim (\w+)$", text, re.MULTILINE))
    flushed = set(re.findall(r"^flush chain inet remsim (\w+)$", text, re.MULTILINE))
    assert deleted <= flushed
    assert not written & deleted
    assert written - before.chains.keys() == after.chains.keys() - before.chains.keys()
    assert flushed - deleted == written & before.chains.keys()
    for name, chain in after.chains.items():
        for rule in chain.rules:
            assert set(re.findall(r"(?:goto|jump) (\w+)", rule)) <= after.chains.keys(), (name, rule)


def test_a_helper_of_the_kernel_goes_with_the_rule_that_names_it() -> None:
    helper = 'ct helper sip { type "sip" protocol udp; }'
    helped = Program(objects=(helper,), taps=('udp dport 5060 ct helper set "sip"',))
    bare, with_it = (layout(one, DEFAULT, RINGS, WAYS, ["br-lan"]) for one in (Program(), helped))
    assert helper in change(bare, with_it)
    text = change(with_it, bare)
    assert text.index("flush chain inet remsim forward") < text.index("delete ct helper inet remsim sip")
