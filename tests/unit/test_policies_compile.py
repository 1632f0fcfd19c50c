"""Policies as rules of the kernel: what they become, that nft takes it, and that packets agree."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_support import CHOICES, CONDITIONS, NOON, ROADMAP, facts, sound
from remsim.core.routes import Choice, Program
from remsim.links.kernel.table import text_of
from remsim.links.plane import LinkRoute
from remsim.policies.compile import Compiled, compile_set, rule_count
from remsim.policies.facts import Facts
from remsim.policies.language.checker import check_set
from remsim.policies.language.model import Policy, PolicySet
from remsim.policies.language.terms import TooManyTerms, terms_of
from remsim.policies.matches import MOST_RULES

ROUTES = (LinkRoute(1, "carrier_a", "wwan0"), LinkRoute(2, "fiber", "eth1"))


def compiled(text: str, known: Facts | None = None) -> Compiled:
    """A text as a program."""
    found = sound(text)
    return compile_set(found.policies, found.sets, known or facts())


def rules(match: str, known: Facts | None = None, rest: str = "route: any") -> tuple[str, ...]:
    """The rules of a condition, without where they lead."""
    program = compiled(f"policy a {{ match: {match}\n {rest} }}", known).program
    return tuple(rule.removesuffix("goto pick_1").strip() for rule in program.policies[0].rules)


def refused_by_nft(program: Program) -> str:
    """What nft says against the whole table that has a program; it is checked, not loaded."""
    if shutil.which("nft") is None:
        pytest.skip("nft is not installed")
    text = text_of(program, (), {}, ROUTES, ("br-lan",))
    # In a user namespace even root may not send a program of many rules at once.
    command = ["unshare", "-rn" if os.geteuid() else "-n", "nft", "-c", "-f", "-"]
    done = subprocess.run(command, input=text, text=True, capture_output=True, timeout=20, check=False)
    if "unshare" in done.stderr or (os.geteuid() and "Operation not permitted" in done.stderr):
        pytest.skip("no namespaces are allowed here")
    return done.stderr if done.returncode else ""


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ("all", ("",)),
        ("port 443", ("meta l4proto { 6, 17 } th dport 443",)),
        ("protocol tcp, port 80/443", ("meta l4proto 6 th dport { 80, 443 }",)),
        ("protocol icmp", ("meta l4proto { 1, 58 }",)),
        ("protocol RTP, port 5060-5090", ("meta l4proto 17 th dport 5060-5090",)),
        (
            "protocol RTP",
            (
                "meta l4proto 17 th dport @inet_service_7e95a18c",
                "meta l4proto 17 ip dscp { 34, 40, 46 }",
                "meta l4proto 17 ip6 dscp { 34, 40, 46 }",
            ),
        ),
        ("protocol QUIC", ("meta l4proto 17 th dport 443",)),
        ("not port 443", ("meta l4proto { 6, 17 } th dport != 443", "meta l4proto != { 6, 17 }")),
        ("source 10.0.0.0/8", ("ip saddr 10.0.0.0/8",)),
        ("source { 10.0.0.1, 10.0.0.2, fd00::1 }", ("ip saddr 10.0.0.1-10.0.0.2", "ip6 saddr fd00::1")),
        ("not source 10.0.0.0/8", ("ip saddr != 10.0.0.0/8", "meta nfproto ipv6")),
        ("source AA:BB:CC:DD:EE:FF", ("ether saddr aa:bb:cc:dd:ee:ff",)),
        ("source router", ("fib saddr type local",)),
        ("source 10.0.0.1, destination ::1", ()),
        ('interface { "br-guest", br-lan }', ('iifname { "br-guest", "br-lan" }',)),
        ("packet_size < 200", ("meta length 1-199",)),
        ("packet_size 60/80/100-200", ("meta length { 60, 80 }", "meta length 100-200")),
        ("not packet_size 60/100-200", ("meta length != 60 meta length != 100-200",)),
        ("dscp 10/34/35", ("ip dscp { 10, 34, 35 }", "ip6 dscp { 10, 34, 35 }")),
        ("country DE", ("ip daddr @c_DE4", "ip6 daddr @c_DE6")),
        ("destination_country == router_country", ("ip daddr @c_DE4", "ip6 daddr @c_DE6")),
        ("not country DE/AT", ("ip daddr != @c_DE4 ip daddr != @c_AT4", "ip6 daddr != @c_DE6 ip6 daddr != @c_AT6")),
        ("port 80 or port 443", ("meta l4proto { 6, 17 } th dport { 80, 443 }",)),
        ("port 80, port 443", ("meta l4proto { 6, 17 } th dport 80 th dport 443",)),
    ],
)
def test_a_condition_becomes_these_rules(match: str, expected: tuple[str, ...]) -> None:
    if match == "port 80, port 443":
        expected = ()  # nothing can be both
    assert rules(match) == expected


def test_ranges_are_sets_that_come_before_the_rules_which_ask_them() -> None:
    match = "source { 10.0.0.0/8, 192.168.0.0/16 }, not destination { 10.0.0.1, 10.1.0.0/16 }, port 80/5000-5010"
    program = compiled(f"policy one {{ match: {match}\n route: any }}").program
    assert [one.elements for one in program.sets] == [
        ("80", "5000-5010"),
        ("10.0.0.0/8", "192.168.0.0/16"),
        ("10.0.0.1", "10.1.0.0/16"),
    ]
    assert all(one.is_apart and one.declaration.endswith("flags interval;") for one in program.sets)
    assert not any("-" in rule or "/" in rule for rule in program.policies[0].rules)
    assert refused_by_nft(program) == ""


def test_a_name_is_a_set_that_is_learned_and_never_leads_to_private_addresses() -> None:
    made = compiled("policy a { match: domain { *.a.example, b.example }\n route: any }")
    wanted = made.wanted[0]
    assert wanted.patterns == ("a.example", "b.example")
    assert made.program.policies[0].rules == (
        f"ip daddr @{wanted.set4} ip daddr != @never4 goto pick_1",
        f"ip6 daddr @{wanted.set6} ip6 daddr != @never6 goto pick_1",
    )
    by_name = {one.name: one for one in made.program.sets}
    assert by_name[wanted.set4].is_learned
    assert "10.0.0.0/8" in by_name["never4"].elements


def test_sets_of_names_are_the_same_after_policies_change_places() -> None:
    texts = [f"policy {name} {{ match: domain {name}.example\n route: any }}\n" for name in "ab"]
    first, second = compiled("".join(texts)), compiled("".join(reversed(texts)))
    assert {one.patterns: one.set4 for one in first.wanted} == {one.patterns: one.set4 for one in second.wanted}


def test_an_application_is_its_names_and_its_ports() -> None:
    made = compiled("policy a { match: application video\n route: any }")
    assert made.wanted[0].patterns == ("*.tubecdn.example", "tube.example")
    assert made.wanted[0].applications == ("video",)
    assert "meta l4proto 17 th dport 3478-3481 goto pick_1" in made.program.policies[0].rules


def test_a_rate_is_found_in_forward_and_asked_of_the_next_flow() -> None:
    program = compiled("policy a { match: download_rate > 1MB/s, port 443\n route: any }").program
    assert [one.name[:2] for one in program.sets] == ["f_", "m_", "f_", "m_"]
    fast = program.sets[0].name
    assert program.policies[0].rules[0] == (
        f"meta l4proto {{ 6, 17 }} th dport 443 ip saddr . th dport . ip daddr @{fast} goto pick_1"
    )
    assert "limit rate over 1000000 bytes/second burst 1000000 bytes" in program.taps[0]
    assert f"update @{fast} {{ ip daddr . th sport . ip saddr }}" in program.taps[0]


def test_limits_and_marks_go_by_the_number_in_the_mark() -> None:
    rest = "route: any\n limit: download 1MB/s each device, upload 500kB/s\n dscp: ef\n queue: 1:10"
    code = compiled(f"policy a {{ match: all\n {rest} }}").program.policies[0]
    assert code.forward[-1] == (
        "ct mark & 0xff000000 == 0x01000000 ct direction original "
        "limit rate over 500000 bytes/second burst 125000 bytes drop"
    )
    each = "{ ip daddr limit rate over 1000000 bytes/second burst 250000 bytes }"
    assert code.forward[0].endswith(f"update @l_1_down4 {each} drop")
    assert code.post == (
        "meta nfproto ipv4 ct mark & 0xff000000 == 0x01000000 ip dscp set 0x2e",
        "meta nfproto ipv6 ct mark & 0xff000000 == 0x01000000 ip6 dscp set 0x2e",
        "ct mark & 0xff000000 == 0x01000000 meta priority set 1:10",
    )


def test_a_link_is_named_by_its_section_whatever_the_text_calls_it() -> None:
    for name in ("fiber", "The Fiber", "eth1"):
        code = compiled(f'policy a {{ match: all\n route: connection "{name}" strict }}').program.policies[0]
        assert code.ring.choices == (Choice("connection", "fiber", True),)


def test_policies_are_asked_by_priority_then_as_they_stand() -> None:
    text = "".join(
        f"policy {name} {{ match: all\n route: any\n priority: {priority} }}\n"
        for name, priority in (("a", "low"), ("b", "5"), ("c", "normal"), ("d", "5"))
    )
    text += "policy e { match: all\n route: any\n enabled: no }"
    assert [one.name for one in compiled(text).program.policies] == ["b", "d", "c", "a"]


def test_many_addresses_are_a_set_and_few_stand_in_the_rule() -> None:
    several = ", ".join(f"10.{number}.0.1" for number in range(20))
    made = compiled(f"set s {{ {several} }}\npolicy a {{ match: source @s\n route: any }}")
    assert len(made.program.sets) == 1
    assert made.program.sets[0].elements[0] == "10.0.0.1"
    assert made.program.policies[0].rules == (f"ip saddr @{made.program.sets[0].name} goto pick_1",)


def test_what_is_not_known_closes_a_policy() -> None:
    assert rules("country DE", facts(countries=None)) == ()
    assert rules("not country DE", facts(countries=None)) == ()
    assert rules("country router_country", facts(router_country=None)) == ()
    assert rules("application nonsense") == ()
    found = compiled("policy a { match: country FR or port 1\n route: any }").policies[0]
    assert [term.unknown for term in found.terms] == [
        "there are no addresses of country FR: import a list of countries",
        None,
    ]


def test_hours_are_no_matter_of_rules_but_of_whether_they_are_there() -> None:
    assert rules("time 00:00-06:00, port 1") == ()
    assert rules("not time 00:00-06:00, port 1") == ("meta l4proto { 6, 17 } th dport 1",)
    assert rules("time 11:00-13:00", facts(now=None)) == ()
    assert rules("not time 11:00-13:00", facts(now=None)) == ()


def test_a_policy_for_the_router_is_told_as_such() -> None:
    program = compiled("policy a { match: source router\n route: any }\npolicy b { match: all\n route: any }").program
    assert [one.is_for_router for one in program.policies] == [True, False]


def test_the_examples_of_the_roadmap_are_taken_by_nft() -> None:
    assert refused_by_nft(compiled(ROADMAP, facts(now=NOON - 9 * 3600)).program) == ""


def test_all_that_the_language_has_is_taken_by_nft() -> None:
    text = """
    set kids { 192.168.1.20, 192.168.1.32/28, fd00::/64, aa:bb:cc:dd:ee:ff, 10.0.0.1-10.0.0.9 }
    policy a { match: source @kids or source router, not port 80/443, not dscp ef
     route: connection carrier_a strict
     limit: download 1MB/s each device, upload 500kB/s
     dscp: af41
     queue: 1:10 }
    policy b { match: not source @kids, destination 10.1.0.1, protocol RTP
     route: any }
    policy c { match: application video or country DE/AT, not (interface br-guest and source_port 1024-65535)
     route: next }
    policy d { match: flow_size > 10MB, upload_rate < 1Mbit/s, protocol tcp/47/icmp, packet_size 60-200
     route: block
     limit: 80Gbit/s }
    policy e { match: not country DE, not application tube, not domain *.x.example, not download_rate > 1MB/s
     route: any }
    """
    assert refused_by_nft(compiled(text).program) == ""


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(CONDITIONS, CHOICES), min_size=1, max_size=6))
def test_whatever_passes_the_check_is_taken_by_nft(given_policies: list[tuple[object, Choice]]) -> None:
    policies = tuple(
        Policy(f"p{number}", match, (choice,))  # type: ignore[arg-type]
        for number, (match, choice) in enumerate(given_policies)
    )
    known = facts()
    checked = check_set(PolicySet(policies), known)
    if checked.ok:
        assert refused_by_nft(compile_set(policies, {}, known).program) == ""


@settings(max_examples=100, deadline=None)
@given(CONDITIONS)
def test_the_count_of_rules_is_never_below_what_they_are(condition: object) -> None:
    try:
        terms = terms_of(condition, {}, facts().applications)  # type: ignore[arg-type]
        count = rule_count(terms)
        made = compile_set((Policy("a", condition, (Choice("any"),)),), {}, facts())  # type: ignore[arg-type]
    except TooManyTerms:
        return
    if count <= MOST_RULES:
        assert sum(len(term.rules) for term in made.policies[0].terms) <= count
