"""What an admin is told of a text: names nobody carries, policies nobody reaches, conditions that cannot hold."""

from __future__ import annotations

import pytest
from policy_support import ROADMAP, facts
from remsim.config.routing import PolicySettings
from remsim.policies.facts import Facts
from remsim.policies.language.checker import check
from remsim.policies.language.from_uci import policies_of, text_of

NEVER = "policy a never takes a flow: its conditions contradict each other"
UNKNOWN = "the router's country is not known yet: nothing matches until it is"
LATER = "domain a.example holds from the next flow on: without dnsmasq-full, flows tell names"
NOTHING = "domain a.example: nothing tells names here; install dnsmasq-full or switch on learn_names"
SHORT = "packet_size is that of a flow's first packet, which of TCP is always a short one"


def warnings(text: str, known: Facts | None = None) -> list[tuple[int, str]]:
    """Lines and sentences."""
    checked = check(text, known or facts())
    assert checked.ok, checked.errors
    return [(one.line, one.message) for one in checked.warnings]


def of(match: str, route: str = "any", known: Facts | None = None) -> list[str]:
    """What is said of one policy."""
    return [message for _, message in warnings(f"policy a {{ match: {match}\n route: {route} }}", known)]


def test_of_the_examples_only_what_is_not_there_and_what_holds_later_is_told() -> None:
    assert warnings(ROADMAP) == [
        (9, "download_rate holds from the next flow on: the flow that is measured stays where it is"),
        (22, "no link is called “carrier_a_unlimited”; did you mean “carrier_a”?"),
    ]


@pytest.mark.parametrize(
    ("route", "told"),
    [
        ('connection "fibre"', "no link is called “fibre”; did you mean “fiber”?"),
        ('connection "The fiber"', None),
        ("prefer_tag(chep)", "no link has the tag “chep”; did you mean “cheap”?"),
        ('prefer_carrier("Carrier B")', "no link is of the carrier “Carrier B” now; did you mean “Carrier A”?"),
        ("prefer_carrier(26201)", None),
        ("any then block", "block is never tried: any comes before it"),
        ("connection fiber strict then any", 'any is never tried: connection "fiber" strict comes before it'),
    ],
)
def test_names_that_no_link_carries(route: str, told: str | None) -> None:
    assert of("all", route) == ([told] if told else [])


@pytest.mark.parametrize(
    ("match", "known", "told"),
    [
        ("country FR", facts(), "the list of countries has no addresses of FR"),
        ("country DE", facts(countries=None), "no list of countries was imported: nothing matches until one is"),
        ("country router_country", facts(router_country=None), UNKNOWN),
        ("application tub", facts(), "no application is called tub; did you mean tube?"),
        ("domain a.example", facts(names_learned=("sni",)), LATER),
        ("domain a.example", facts(names_learned=()), NOTHING),
        ("interface wan", facts(), "no traffic comes in by wan: LAN devices are br-lan"),
        ("packet_size < 100", facts(), SHORT),
        ("packet_size < 100, protocol udp", facts(), None),
        ("time 00:00-06:00", facts(now=None), "the clock is not set yet: policies with hours stay closed until it is"),
        ("destination router", facts(), "flows to the router itself are never led by a policy"),
        ("link dsl is up", facts(), "no link is called “dsl”"),
        ("port 80, port 443", facts(), NEVER),
        ("protocol icmp, port 443", facts(), NEVER),
        ("time 08:00-10:00, not time 07:00-12:00", facts(), NEVER),
        ("source 10.0.0.0/8, not source 10.0.0.0/7", facts(), NEVER),
        ("source 10.0.0.0/8, source 10.1.0.0/16", facts(), None),
        ("country DE, country == router_country", facts(), None),
        ("(port 80 or dscp ef), port 443", facts(), "one of the alternatives can never hold: port 80 and port 443"),
    ],
)  # fmt: skip
def test_conditions_that_are_not_what_they_seem(match: str, known: Facts, told: str | None) -> None:
    assert of(match, known=known) == ([told] if told else [])


def shadow(first: str, second: str, route: str = "any") -> list[str]:
    """What is said of a second policy behind a first one."""
    text = f"policy a {{ match: {first}\n route: {route} }}\npolicy b {{ match: {second}\n route: any }}"
    return [message for _, message in warnings(text) if "reached" in message]


@pytest.mark.parametrize(
    ("first", "second", "is_shadowed"),
    [
        ("all", "port 443", True),
        ("port 80/443", "port 443, domain a.example", True),
        ("protocol tcp/udp", "port 443", True),
        ("port 443", "port 80/443", False),
        ("domain example.org", "domain *.www.example.org", True),
        ("domain www.example.org", "domain example.org", False),
        ("source 10.0.0.0/8", "source 10.1.0.0/16, port 1", True),
        ("not port 80", "port 443", True),
        ("not port 80", "port 80-81", False),
        ("time 00:00-12:00", "time mon 06:00-07:00", True),
        ("time mon-fri 00:00-12:00", "time 06:00-07:00", False),
        ("download_rate > 1MB/s", "download_rate > 2MB/s", True),
        ("download_rate > 2MB/s", "download_rate > 1MB/s", False),
        ("protocol tcp or protocol udp", "protocol RTP", True),
        ("country DE", "country router_country", False),
        ("country != router_country", "country DE", False),
        ("country != AT", "country DE", True),
    ],
)
def test_a_policy_behind_one_that_takes_all_of_its_flows(first: str, second: str, is_shadowed: bool) -> None:
    expected = ["policy b is never reached: policy a (line 1) takes all of its flows first"] if is_shadowed else []
    assert shadow(first, second) == expected


def test_a_policy_whose_links_may_fail_leaves_something_to_the_next() -> None:
    assert shadow("all", "port 1", "connection fiber") == [
        "policy b is only reached while no link of policy a (line 1) can be used: its flows are taken first"
    ]
    assert shadow("all", "port 1", "next") == []


def test_several_policies_together_hide_one() -> None:
    text = "".join(f"policy {name} {{ match: {match}\n route: any }}\n" for name, match in
                   (("a", "port 80"), ("b", "port 443"), ("c", "port 80, dscp ef or port 443")))  # fmt: skip
    assert any("policies a (line 1) and b (line 3) take all" in message for _, message in warnings(text)) is False
    text = text.replace("port 80, dscp ef or port 443", "(port 80 and dscp ef) or port 443")
    assert any("policies a (line 1) and b (line 3) take all" in message for _, message in warnings(text))


def test_what_keeps_a_text_out_of_force() -> None:
    checked = check("policy a { match: source @kid\n route: any }\nset kids { 10.0.0.1 }", facts())
    assert [one.message for one in checked.errors] == ["there is no set kid; did you mean @kids?"]
    checked = check("policy a { match: destination aa:bb:cc:dd:ee:ff\n route: any }", facts())
    assert "no hardware address" in checked.errors[0].message
    many = "\n".join(f"policy p{number} {{ match: port {number + 1}\n route: any }}" for number in range(251))
    assert [one.message for one in check(many, facts()).errors] == ["251 policies: a router takes 250"]
    wide = ", ".join(f"(port {number} or dscp {number})" for number in range(1, 12))
    assert "more than 64 combinations" in check(f"policy a {{ match: {wide}\n route: any }}", facts()).errors[0].message


def test_an_unused_set_is_told() -> None:
    assert warnings("set kids { 10.0.0.1 }") == [(1, "nothing uses set kids")]


def test_without_facts_only_the_text_is_looked_at() -> None:
    checked = check(ROADMAP)
    assert checked.ok
    assert [one.message for one in checked.warnings] == [
        "download_rate holds from the next flow on: the flow that is measured stays where it is"
    ]


def test_250_policies_are_checked_against_each_other() -> None:
    text = "\n".join(
        f"policy p{number} {{ match: port {number + 1}/443, source {{ 10.0.{number}.0/24, 10.3.0.1 }}\n route: any }}"
        for number in range(250)
    )
    assert check(text, facts()).ok


def test_sections_of_the_configuration_are_policies() -> None:
    section = PolicySettings(
        "voip",
        priority=10,
        proto="udp",
        dest_port=("5060-5090",),
        dscp="ef",
        route="prefer",
        by="uptime",
        fallback="any",
        klass="interactive",
    )
    assert text_of(section) == (
        "policy voip {\n  match: port { 5060-5090 }, protocol { udp }, dscp ef\n"
        "  route: prefer_connection(highest_uptime)\n  fallback: any\n  priority: 10\n  class: interactive\n}\n"
    )
    policies, problems = policies_of([section])
    assert not problems
    assert (policies[0].name, policies[0].priority, policies[0].origin) == ("voip", 10, "uci")


@pytest.mark.parametrize(
    ("others", "route"),
    [
        ({"route": "enforce", "link": "a b"}, 'connection "a b" strict'),
        ({"route": "prefer", "by": "link", "link": "fiber"}, 'connection "fiber" then any'),
        ({"route": "prefer", "by": "carrier", "carrier": "local"}, "prefer_carrier(local) then any"),
        ({"route": "prefer", "by": "remaining_data", "fallback": "drop"}, "balance_by_remaining_data() then block"),
        ({"route": "balance", "by": "latency", "fallback": "next_rule"}, "balance(latency) then next"),
        ({"route": "block"}, "block"),
    ],
)
def test_routes_of_sections(others: dict[str, str], route: str) -> None:
    from remsim.policies.language.printer import choices_text

    policies, problems = policies_of([PolicySettings("a", **others)])  # type: ignore[arg-type]
    assert not problems
    assert choices_text(policies[0].choices) == route


@pytest.mark.parametrize("route", ["enforce", "connection"])
def test_a_section_that_names_no_link_for_its_route_is_told(route: str) -> None:
    policies, problems = policies_of([PolicySettings("a", route=route)])
    assert (policies, [one.message for one in problems]) == ((), ["a: the name of the link is missing"])


def test_a_section_cannot_say_more_than_a_section() -> None:
    for bad in ('all\n route: block }\npolicy evil { match: all', 'x" }', "}"):
        policies, problems = policies_of([PolicySettings("a", domain=(bad,))])
        assert (policies, len(problems)) == ((), 1)
