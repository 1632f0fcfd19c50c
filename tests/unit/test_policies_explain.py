"""Why a flow goes where: what is known decides, what is not known is said, and what holds only later is noted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from policy_support import NOON, ROADMAP, FakeTraffic, facts, sound
from remsim.policies.explain import Explanation, explain
from remsim.policies.facts import Facts, FlowFacts
from remsim.policies.judging import taker

VIDEO = FlowFacts(
    source="192.168.1.20",
    source_port=40000,
    destination="203.0.113.1",
    port=443,
    protocol="tcp",
    domain="r4.youtube.com",
    country="US",
)


def ask(text: str, flow: FlowFacts, known: Facts | None = None, traffic: FakeTraffic | None = None) -> Explanation:
    """Ask the policies of a text."""
    found = sound(text)
    return explain(found.policies, found.sets, known or facts(), flow, (traffic or FakeTraffic()).shares)


def result(match: str, flow: FlowFacts, known: Facts | None = None) -> tuple[str, str]:
    """The answer of one policy."""
    step = ask(f"policy a {{ match: {match}\n route: any }}", flow, known).steps[0]
    return step.result, step.why


def test_the_policy_that_takes_a_flow_and_why_each_other_does_not() -> None:
    found = ask(ROADMAP, VIDEO)
    assert (found.policy, found.line, found.klass) == ("video_streaming", 2, "interactive")
    assert [(one.policy, one.result) for one in found.steps] == [("voip", "no"), ("video_streaming", "matches")]
    assert found.steps[0].why == "protocol udp: its protocol is tcp"
    assert "SNI *.youtube.com: its name is r4.youtube.com" in found.steps[1].why
    assert [(one.link, one.percent) for one in found.shares] == [("carrier_a", 50), ("fiber", 50)]
    assert found.as_dict()["link"] == "carrier_a"


def test_what_was_not_told_is_unknown_and_not_false() -> None:
    found = ask(ROADMAP, FlowFacts(source="192.168.1.20", port=443, protocol="tcp"))
    assert found.policy == "cost_optimization"
    assert {one.policy: one.result for one in found.steps} == {
        "voip": "no",
        "video_streaming": "unknown",
        "bulk_downloads": "unknown",
        "local_traffic": "unknown",
        "off_peak": "closed",
        "cost_optimization": "matches",
    }
    assert "policy video_streaming may take it: SNI *.youtube.com: its name is not known" in found.notes


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ("source 192.168.1.0/24", "matches"),
        ("source { 10.0.0.1, fd00::/8 }", "no"),
        ("source aa:bb:cc:dd:ee:ff", "unknown"),
        ("source router", "no"),
        ("not source router", "matches"),
        ("destination 203.0.113.0/24", "matches"),
        ("port 80-500", "matches"),
        ("port != 443", "no"),
        ("source_port 1-1023", "no"),
        ("protocol udp/icmp", "no"),
        ("protocol RTP", "no"),
        ("not protocol RTP", "matches"),
        ("dscp ef", "unknown"),
        ("not dscp ef", "unknown"),
        ("dscp ef or port 443", "matches"),
        ("dscp ef, port 80", "no"),
        ("domain youtube.com", "matches"),
        ("domain be.com", "no"),
        ("application video", "no"),
        ("country US", "no"),
        ("country != router_country", "matches"),
        ("interface br-lan", "unknown"),
        ("download_rate > 1MB/s", "unknown"),
        ("time 11:00-13:00", "matches"),
        ("time 13:00-14:00", "closed"),
        ("not time 11:00-13:00", "closed"),
        ("time 13:00-14:00, port 80", "no"),
        ("link fiber is up", "matches"),
        ("link fiber is down", "closed"),
        ("router_country == AT", "closed"),
    ],
)
def test_answers_have_three_values(match: str, expected: str) -> None:
    assert result(match, VIDEO)[0] == expected


def test_reasons_are_sentences_for_people() -> None:
    assert result("time 13:00-14:00", VIDEO)[1] == "time 13:00-14:00: it is Fri 12:00"
    assert result("time 13:00-14:00", VIDEO, facts(now=None))[1] == "time 13:00-14:00: the clock is not set yet"
    assert result("link fiber is down", VIDEO)[1] == 'link "fiber" is down: it is up'
    assert result("country router_country", VIDEO)[1] == "country router_country: its country is US"


def test_what_the_daemon_does_not_know_opens_nothing() -> None:
    for match in ("time 11:00-13:00", "not time 11:00-13:00", "not link nothing is up", "link fiber loss > 5%"):
        assert result(match, VIDEO, facts(now=None))[0] == "closed"


def test_at_another_time() -> None:
    found = ask(ROADMAP, FlowFacts(source="10.0.0.1", port=22, protocol="tcp", country="US", at=NOON - 9 * 3600))
    assert found.policy == "off_peak"
    assert "a flow that has begun stays on its link when the policy opens or closes" in found.notes


def test_a_policy_without_links_leaves_the_flow_to_the_next() -> None:
    text = "policy a { match: all\n route: connection fiber }\npolicy b { match: all\n route: connection carrier_a }"
    found = ask(text, VIDEO, traffic=FakeTraffic(dead={"fiber"}))
    assert found.policy == "b"
    assert "none of its links can be used now" in found.steps[0].why


def test_block_takes_a_flow_though_no_link_gets_it() -> None:
    found = ask("policy a { match: all\n route: block then any }", VIDEO)
    assert (found.policy, found.shares) == ("a", ())


def test_a_link_without_ipv6_leaves_flows_of_ipv6_to_the_next_policy() -> None:
    text = "policy a { match: all\n route: connection fiber }\npolicy b { match: all\n route: connection carrier_a }"
    traffic = FakeTraffic(only_ipv4={"fiber"})
    assert ask(text, VIDEO, traffic=traffic).policy == "a"
    assert ask(text, FlowFacts(destination="2001:db8::1"), traffic=traffic).policy == "b"


def test_the_routers_own_traffic_is_led_by_policies_that_speak_of_it() -> None:
    text = """policy a { match: port 443
        route: connection fiber }
    policy b { match: not source router
        route: connection fiber }
    policy c { match: port 22 or source router and port 443
        route: connection carrier_a }"""
    own = FlowFacts(port=443, protocol="tcp", is_router=True)
    found = ask(text, own)
    assert (found.policy, [one.result for one in found.steps]) == ("c", ["no", "no", "matches"])
    assert "source router" in found.steps[0].why
    policies = sound(text)
    taken = taker(policies.policies, policies.sets, facts(), own)
    assert taken is not None and taken.name == "c"
    found = ask("policy a { match: source router, not interface eth9\n route: connection fiber }", own)
    assert found.policy == "a"
    rest = ask(text, FlowFacts(port=8000, protocol="tcp", is_router=True))
    assert (rest.policy, rest.klass) == (None, "interactive")


def test_flows_of_a_strict_link_that_is_down_are_said_to_fail() -> None:
    text = "policy a { match: all\n route: connection fiber strict }"
    down = facts(links=tuple(replace(one, state="down") for one in facts().links))
    note = "fiber is down, and the policy is strict: its flows fail until it is back"
    assert note in ask(text, VIDEO, down).notes
    assert note not in ask(text, VIDEO).notes
    assert note not in ask(text.replace(" strict", ""), VIDEO, down).notes


def test_a_resolver_of_a_link_is_asked_by_that_link() -> None:
    found = sound("policy a { match: all\n route: connection carrier_a }")
    traffic = FakeTraffic(resolvers={"203.0.113.1": "fiber"})
    for port, protocol, policy in ((53, "udp", None), (853, "tcp", None), (53, "icmp", "a"), (80, "tcp", "a")):
        flow = FlowFacts(destination="203.0.113.1", port=port, protocol=protocol)
        told = explain(found.policies, found.sets, facts(), flow, traffic.shares, resolver_of=traffic.resolver_of)
        assert told.policy == policy
        assert told.as_dict()["link"] == ("carrier_a" if policy else "fiber")


def test_what_the_kernel_has_no_rule_for_takes_nothing_denied_or_not() -> None:
    at_home = FlowFacts(source="192.168.1.20", destination="192.0.2.1", port=443, protocol="tcp", domain="x.example")
    for match, known in (
        ("country FR", facts()),
        ("country DE", facts(countries=None)),
        ("country router_country", facts(router_country=None)),
        ("application nonsense", facts()),
    ):
        assert result(match, at_home, known)[0] == "no", match
        assert result(f"not {match}", at_home, known)[0] == "no", match
    assert result("country != FR", at_home)[0] == "no"
    assert "there are no addresses of country FR" in result("country FR", at_home)[1]


def test_an_address_that_the_list_of_countries_does_not_have_is_in_none() -> None:
    nowhere = FlowFacts(source="192.168.1.20", destination="203.0.113.77", port=443, protocol="tcp")
    assert result("country DE", nowhere)[0] == "no"
    assert result("not country DE", nowhere)[0] == "matches"


def test_a_device_that_is_told_by_its_hardware_address_alone_may_have_any_address() -> None:
    device = FlowFacts(source_mac="aa:bb:cc:dd:ee:02", port=443, protocol="tcp")
    assert result("source { aa:bb:cc:dd:ee:01, 192.168.1.20 }", device)[0] == "unknown"
    assert result("source { aa:bb:cc:dd:ee:02, 192.168.1.20 }", device)[0] == "matches"
    assert result("source aa:bb:cc:dd:ee:01", device)[0] == "no"


def test_a_long_set_is_not_told_whole() -> None:
    many = ", ".join(f"10.{number}.0.0/16" for number in range(90))
    text = f"set many {{ {many} }}\npolicy a {{ match: source @many\n route: any }}"
    why = ask(text, VIDEO).steps[0].why
    assert "10.5.0.0/16" in why and "10.6.0.0" not in why
    assert why.endswith("and 84 more: who sends it is 192.168.1.20")


def test_what_has_no_ports_is_none_of_a_policy_with_ports() -> None:
    ping = FlowFacts(source="192.168.1.20", destination="192.0.2.1", protocol="icmp")
    for match in ("port 443", "source_port 1-9", "download_rate > 1MB/s", "flow_size >= 1MB"):
        assert result(match, ping)[0] == "no", match
        assert result(f"not {match}", ping)[0] == "matches", match
    assert result("flow_size < 1MB", ping)[0] == "matches"
    assert result("port != 443", ping)[0] == "matches"
    assert "icmp has no ports" in result("port 443", ping)[1]


def test_a_flow_that_no_policy_takes_goes_by_its_class() -> None:
    nothing = "policy a { match: port 1\n route: any }"
    assert (ask(nothing, VIDEO).policy, ask(nothing, VIDEO).klass) == (None, "interactive")
    assert ask(nothing, FlowFacts(protocol="tcp", port=22)).klass == "bulk"


def test_what_holds_from_the_next_flow_on_is_noted() -> None:
    fast = FlowFacts(port=80, protocol="tcp", download_rate=2e6)
    notes = ask(ROADMAP, fast).notes
    assert any("download_rate holds from the next flow on" in note for note in notes)
    notes = ask(ROADMAP, VIDEO, facts(names_learned=("sni",))).notes
    assert any("from the next flow on" in note for note in notes)
    assert any("Encrypted Client Hello" in note for note in notes)


def test_the_cheap_answer_is_the_same() -> None:
    found = sound(ROADMAP)
    taken = taker(found.policies, found.sets, facts(), VIDEO)
    assert taken is not None
    assert taken.name == "video_streaming"
