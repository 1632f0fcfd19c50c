"""Rules asked by port: whatever a flow's port is, it meets the rules that could take it, in their order."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.core.routes import SetCode
from remsim.links.kernel import by_port as module
from remsim.links.kernel.by_port import LEAST, by_port

SETS = (
    SetCode("inet_proto_1", "type inet_proto;", ("6", "17")),
    SetCode("inet_proto_2", "type inet_proto;", ("1", "6")),
    SetCode("inet_service_1", "type inet_service;", ("443", "8443")),
    SetCode("inet_service_2", "type inet_service;", ("6", "80")),
    SetCode("a_1", "type ipv4_addr;", ("192.0.2.1",)),
)
HELD = {one.name: one.elements for one in SETS}
PROTOCOLS = "6", "17", "{ 6, 17 }", "@inet_proto_1", "@inet_proto_2", "@inet_proto_9", "{ 1, 6 }", "!= { 6, 17 }", "1"
PORTS = (
    *("443", "80", "8443", "1-1024", "440-450", "{ 80, 443 }", "{ 1-79, 81, 5000-5010 }"),
    *("@inet_service_1", "@inet_service_2", "@inet_service_9", "!= 443", "!= { 80, 443 }"),
)
MATCHES = st.builds(
    lambda family, protocol, ports, others: f"{family}{protocol}{ports}{others}",
    st.sampled_from(("", "meta nfproto ipv4 ")),
    st.sampled_from(("", *(f"meta l4proto {one} " for one in PROTOCOLS))),
    st.sampled_from(("", *(f"th dport {one} " for one in PORTS), "th sport 443 ", "th sport 1-9 th dport 80 ")),
    st.sampled_from(("", "ip daddr @a_1 ", "th dport 443 ")),
)
FLOWS = [
    (protocol, port) for protocol in (1, 6, 17) for port in (1, 5, 79, 80, 81, 440, 443, 445, 1024, 5005, 8443, 9000)
]


def values(text: str) -> list[str] | None:
    """What a test compares with; None where the set is not known."""
    if text.startswith("@"):
        held = HELD.get(text[1:])
        return None if held is None else list(held)
    return text.strip("{ }").split(", ")


def holds(value: int, text: str) -> bool:
    is_negated, text = text.startswith("!= "), text.removeprefix("!= ")
    found = values(text)
    if found is None:
        return True  # it may
    spans = [(int(one.split("-")[0]), int(one.split("-")[-1])) for one in found]
    return any(low <= value <= high for low, high in spans) is not is_negated


def left_of(rule: str, protocol: int, port: int) -> str | None:
    """What else a rule asks of a flow; None where protocol or port are not its own."""
    value = r"((?:!= )?(?:\{ [^}]*\}|@\w+|[\d-]+)) "
    for word, one in (("meta l4proto", protocol), ("th dport", port)):
        for found in re.findall(f"{word} {value}", rule):
            if not holds(one, found):
                return None
            if values(found.removeprefix("!= ")) is not None:
                rule = rule.replace(f"{word} {found} ", "", 1)
    return rule


def met(rules: tuple[str, ...], protocol: int, port: int) -> list[str]:
    return [left for rule in rules if (left := left_of(rule, protocol, port)) is not None]


def met_by_port(rules: tuple[str, ...], protocol: int, port: int) -> list[str]:
    at_ports, instead = by_port(rules, SETS, "goto end")
    entered = 0
    for rule in instead:
        found = re.fullmatch(r"th dport (\{ [^}]*\}|[\d-]+) meta l4proto \{ 6, 17 \} goto by_port", rule)
        if found is None:
            break
        entered += 1
        if protocol in (6, 17) and holds(port, found[1]):
            *asked, end = at_ports
            assert end == "goto end"
            return met(tuple(asked), protocol, port)
    assert bool(entered) == bool(at_ports)
    return met(instead[entered:], protocol, port)


@given(st.lists(MATCHES, min_size=1, max_size=12), st.integers(1, 3))
def test_a_flow_meets_the_rules_that_it_met_one_after_the_other(matches: list[str], least: int) -> None:
    rules = tuple(f"{match}goto pick_{n}" for n, match in enumerate(matches))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "is_worth_it", lambda naming, without: naming >= least)
        module._by_port.cache_clear()
        for protocol, port in FLOWS:
            assert met_by_port(rules, protocol, port) == met(rules, protocol, port), (protocol, port)


def test_few_rules_stay_one_after_the_other() -> None:
    rules = tuple(f"meta l4proto 6 th dport {port} goto pick_{port}" for port in range(1, LEAST))
    assert by_port(rules, (), "goto end") == ((), rules)


def test_a_port_that_none_names_meets_the_rules_without_ports() -> None:
    many = [f"meta l4proto {{ 6, 17 }} th dport 443 ip saddr 192.168.1.{n} goto pick_{n}" for n in range(LEAST)]
    some = ["ip dscp 46 goto pick_90", "meta l4proto 17 th dport 5060-5063 goto pick_91"]
    at_ports, instead = by_port((*many[:9], *some, *many[9:]), (), "goto end")
    assert len(at_ports) == LEAST + 3
    assert at_ports[8:11] == (
        "th dport 443 ip saddr 192.168.1.8 goto pick_8",
        some[0],
        "th dport 5060-5063 meta l4proto 17 goto pick_91",
    )
    entry = "th dport { 443, 5060, 5061, 5062, 5063 } meta l4proto { 6, 17 } goto by_port"
    assert instead == (entry, some[0])


def test_rules_without_ports_are_not_written_twice_for_few_with_ports() -> None:
    rules = tuple(f"meta l4proto 6 th dport {n} goto pick_{n}" for n in range(1, LEAST + 1))
    others = tuple(f"ip saddr 192.168.1.{n} goto pick_{n}" for n in range(LEAST + 1))
    assert by_port((*rules, *others), (), "goto end") == ((), (*rules, *others))


@pytest.mark.parametrize("width", [50, 500])
def test_very_many_ports_are_asked_as_one_range(width: int) -> None:
    rules = tuple(f"meta l4proto 6 th dport {n * 1000}-{n * 1000 + width} goto pick_{n}" for n in range(LEAST))
    assert by_port(rules, (), "goto end")[1] == (f"th dport 0-{31_000 + width} meta l4proto {{ 6, 17 }} goto by_port",)
