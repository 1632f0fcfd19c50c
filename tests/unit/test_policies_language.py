"""The policy language: what it takes, what it says of what it does not take, and the way back to text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_support import CHOICES, CONDITIONS, ROADMAP
from remsim.core.routes import PERSISTENCES, Choice
from remsim.policies.language import words
from remsim.policies.language.lexer import tokens_of
from remsim.policies.language.model import And, Mac, Named, Not, Or, Policy, PolicySet, Range, Span, Window
from remsim.policies.language.model import Test as Ask
from remsim.policies.language.parser import parse
from remsim.policies.language.printer import print_set


def one(match: str, rest: str = "route: any") -> Policy:
    """The policy of a condition."""
    parsed = parse(f"policy a {{ match: {match}\n {rest} }}")
    assert not parsed.problems, parsed.problems
    return parsed.set.policies[0]


def problems(text: str) -> list[tuple[int, int, str]]:
    """What is wrong with a text."""
    return [(problem.line, problem.column, problem.message) for problem in parse(text).problems]


def test_examples_of_the_roadmap_are_read_as_they_are_written() -> None:
    parsed = parse(ROADMAP)
    assert parsed.problems == ()
    assert print_set(parsed.set) == ROADMAP
    video, bulk, local, off_peak, voip, cost = parsed.set.policies
    assert video.match == And((Ask("port", (Range(443, 443),)), Ask("domain", ("*.youtube.com",))))
    assert video.choices == (Choice("prefer", "lowest_latency"),)
    assert bulk.match == And((Ask("port", (Range(80, 80), Range(443, 443))), Ask("download_rate", (1_000_000,), ">")))
    assert local.match == Ask("country", ("router_country",))
    assert local.choices == (Choice("carrier", "local"),)
    assert off_peak.match == Ask("time", (Window(0, 360),))
    assert off_peak.choices == (Choice("connection", "carrier_a_unlimited"),)
    assert voip.match == And((Ask("protocol", ("rtp",)), Ask("port", (Range(5060, 5090),))))
    assert (voip.priority, voip.klass_of) == (10, "interactive")
    assert cost.choices == (Choice("balance", "remaining_data"), Choice("overage"))
    assert cost.fallback_at == 1


def test_comma_parts_more_than_or_and_or_more_than_and() -> None:
    port = Ask("port", (Range(1, 1),))
    tcp, udp = Ask("protocol", ("tcp",)), Ask("protocol", ("udp",))
    assert one("port 1, protocol tcp or protocol udp").match == And((port, Or((tcp, udp))))
    assert one("port 1 and protocol tcp or protocol udp").match == Or((And((port, tcp)), udp))
    assert one("port 1 and (protocol tcp or protocol udp)").match == And((port, Or((tcp, udp))))
    assert one("not (port 1, not protocol tcp)").match == Not(And((port, Not(tcp))))
    assert one("not not port 1").match == port


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("source 192.168.1.20", Span(4, 0xC0A80114, 0xC0A80114)),
        ("source 192.168.1.7/24", Span(4, 0xC0A80100, 0xC0A801FF)),
        ("source 10.0.0.1-10.0.0.9", Span(4, 0x0A000001, 0x0A000009)),
        ("source ::1", Span(6, 1, 1)),
        ("source fd00::/8", Span(6, 0xFD << 120, (0xFE << 120) - 1)),
        ("source AA-bb-CC-dd-EE-ff", Mac("aa:bb:cc:dd:ee:ff")),
        ("source @kids", Named("kids")),
        ("source router", Named()),
        ("port 5060 - 5090", Range(5060, 5090)),
        ("dscp af41", Range(34, 34)),
        ("dscp 46", Range(46, 46)),
        ("protocol ICMP", "icmp"),
        ("protocol 47", "gre"),
        ("protocol 200", "200"),
        ("domain Bücher.Example.", "xn--bcher-kva.example"),
        ("destination_country == de", "DE"),
        ("time 22:00-06:00", Window(1320, 360)),
        ("time mon-fri 08:00-18:00", Window(480, 1080, (0, 1, 2, 3, 4))),
        ("time 08:00-18:00 sat/sun", Window(480, 1080, (5, 6))),
        ("day fri-mon", Window(0, 1440, (0, 4, 5, 6))),
        ("download_rate > 8 Mbit/s", 1_000_000),
        ("upload_rate >= 500kbps", 62_500),
        ("flow_size > 1.5MB", 1_500_000),
        ("packet_size < 200", Range(1, 199)),
        ('interface "br-guest"', "br-guest"),
        ('link "a b" is up/degraded', "up"),
        ("link a latency > 200ms", 200),
        ("link a remaining < 1GB", 10**9),
    ],
)
def test_values_are_what_they_look_like(text: str, value: object) -> None:
    found = one(text).match
    assert isinstance(found, Ask)
    assert found.values[0] == value


@pytest.mark.parametrize("text", ['"a"/"b"', 'a/"b"', '"a"/b', '"a" / "b"', '{ "a"/b }', '{ "a" b }'])
def test_values_with_a_slash_between_them_may_stand_in_quotes(text: str) -> None:
    assert one(f"interface {text}").match == Ask("interface", ("a", "b"))
    domains = text.replace("a", "a.example").replace("b", "b.example")
    assert one(f"domain {domains}").match == Ask("domain", ("a.example", "b.example"))


def test_colons_need_no_blank_and_times_keep_theirs() -> None:
    assert (
        one("time 00:00-06:00").match == parse("policy a { match:time 00:00-06:00\nroute:any }").set.policies[0].match
    )


def test_every_statement_is_read() -> None:
    policy = one(
        "all",
        """route: connection "x" strict then prefer_tag(cheap), next
        priority: 7
        class: interactive
        limit: download 1MB/s each device, upload 500kB/s
        dscp: ef
        queue: 1:1A
        persistence: source_destination
        enabled: no""",
    )
    assert policy.choices == (Choice("connection", "x", True), Choice("tag", "cheap"), Choice("next"))
    assert (policy.priority, policy.klass, policy.dscp, policy.queue) == (7, "interactive", 46, "1:1a")
    assert [(one.octets_per_s, one.way, one.is_each_device) for one in policy.limits] == [
        (1_000_000, "download", True),
        (500_000, "upload", False),
    ]
    assert (policy.persistence, policy.is_enabled) == ("source_destination", False)


def test_several_errors_of_a_file_are_told_with_their_places() -> None:
    text = "policy a {\n  match: prot 443\n  route: bloc\n}\npolicy b {\n  match: port 80 443\n  rout: any\n}\n"
    text += "set c { x }\n"
    found = problems(text)
    assert found == [
        (2, 10, "“prot” is no condition; did you mean port?"),
        (3, 10, "“bloc” is no route; did you mean block?"),
        (6, 18, "“443” is unexpected; one of several is written { a, b }"),
        (7, 3, "“rout” begins no statement; did you mean route?"),
        (9, 9, "“x” is no address"),
    ]
    first = parse(text).problems[0]
    assert "SNI" in first.expected
    assert first.as_dict() == {"line": 2, "column": 10, "message": first.message, "expected": list(first.expected)}


@pytest.mark.parametrize(
    ("text", "place", "part"),
    [
        ("policy a {", (1, 11), "“}” is missing: policy a has no end"),
        ("policy a { route: any }", (1, 1), "does not say which flows it takes"),
        ("policy a { match: all }", (1, 1), "does not say where its flows go"),
        ("policy { match: all }", (1, 8), "the name of the policy is missing"),
        ("policy a { match: all, \n route: any }", (2, 2), "“route” is no condition"),
        ("policy a { match: (all\n route: any }", (2, 2), "“)” is missing"),
        ("policy a { match: port 80/99999\n route: any }", (1, 27), "ports are 1 to 65535"),
        ("policy a { match: port 90-80\n route: any }", (1, 24), "begins after its end"),
        ("policy a { match: source 10.0.0.0/33\n route: any }", (1, 26), "the prefix length is 0 to 32"),
        ("policy a { match: source 10.0.0.1-::1\n route: any }", (1, 26), "of one family"),
        ("policy a { match: domain *\n route: any }", (1, 26), "takes every name; every flow is: match: all"),
        ("policy a { match: domain a*b*c*d*e*f*g*h*i*j.b\n route: any }", (1, 26), "more than 8 *"),
        ("policy a { match: domain 10.0.0.*\n route: any }", (1, 26), "match an address with destination"),
        ("policy a { match: domain 10.0.0.1\n route: any }", (1, 26), "match an address with destination"),
        ('policy a { match: domain "x\n route: any }', (1, 26), "in quotes has no end"),
        ("policy a { match: time 06:00-06:00\n route: any }", (1, 24), "all day is 00:00-24:00"),
        ("policy a { match: time 25:00-06:00\n route: any }", (1, 24), "no time of day"),
        ("policy a { match: download_rate 1MB/s\n route: any }", (1, 33), "is compared"),
        ("policy a { match: download_rate > 1mb/s\n route: any }", (1, 35), "bits or octets"),
        ("policy a { match: destination_country = DE\n route: any }", (1, 39), "one = is no comparison"),
        ("policy a { match: country UK\n route: any }", (1, 27), "is GB"),
        ('policy a { match: interface "a;b"\n route: any }', (1, 29), "no network device"),
        ('policy a { match: interface "a"/\n route: any }', (2, 2), "a network device is missing behind /"),
        ('policy a { match: interface "a"/"b;c"\n route: any }', (1, 33), "no network device"),
        ('policy a { match: interface "a"/b/c;d\n route: any }', (1, 35), "no network device"),
        ('policy a { match: source "10.0.0.1"/"10.0.0.2"\n route: any }', (1, 36), "written in braces: { a, b }"),
        ("policy a { match: all\n route: balance(adaptve) }", (2, 17), "did you mean adaptive?"),
        ("policy a { match: all\n route: prefer_connection(fast) }", (2, 27), "no criterion"),
        ("policy a { match: all\n route: connection }", (2, 20), "the name of the link is missing"),
        ("policy a { match: all\n priority: 0\n route: any }", (2, 12), "no priority"),
        ("policy a { match: all\n route: any\n route: any }", (3, 2), "route is there twice"),
        ("policy a { match: all\n route: any\n}\npolicy a { match: all\n route: any }", (4, 1), "in line 1"),
        ("hello", (1, 1), "a policy or a set begins"),
    ],
)
def test_an_error_says_where_and_what(text: str, place: tuple[int, int], part: str) -> None:
    found = problems(text)
    assert len(found) == 1, found
    assert found[0][:2] == place
    assert part in found[0][2]


def test_what_is_right_beside_an_error_is_kept() -> None:
    parsed = parse("policy a { match: nonsense\n route: any }\npolicy b { match: all\n route: any }")
    assert [policy.name for policy in parsed.set.policies] == ["b"]


def test_a_missing_brace_does_not_swallow_the_next_policy() -> None:
    parsed = parse("policy a { match: all\n route: any\npolicy b { match: all\n route: any }")
    assert [policy.name for policy in parsed.set.policies] == ["a", "b"]
    assert len(parsed.problems) == 1


def test_no_comment_is_lost_on_the_way_back_to_text() -> None:
    text = """\
# head

# of the policy
policy a { # beside the name
  # before match
  match: port 443 # beside match
  route: any then # within route
    block # beside route
  # before the end
} # behind
# before the set
set kids { # beside
  10.0.0.1, # of one
  10.0.0.2
}
# at the end
"""
    parsed = parse(text)
    assert not parsed.problems
    printed = print_set(parsed.set)
    for comment in [line.split("#", 1)[1] for line in text.splitlines() if "#" in line]:
        assert f"#{comment}" in printed
    again = parse(printed)
    assert not again.problems
    assert print_set(again.set) == printed
    assert "# head\n\n# of the policy\npolicy a {" in printed


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_understood_or_told_to_be_wrong(text: str) -> None:
    parsed = parse(text)
    if not parsed.problems:
        assert parse(print_set(parsed.set)).set == parsed.set


PIECES = st.sampled_from(
    [
        *(
            "policy",
            "set",
            "a",
            "{",
            "}",
            "(",
            ")",
            ",",
            ":",
            "match:",
            "route:",
            "limit:",
            "\n",
            '"',
            '"x"',
            "#c\n",
            "/",
        ),
        *(
            "-",
            "1",
            "443",
            "80/443",
            "10.0.0.0/8",
            "00:00-06:00",
            ">",
            "==",
            "=",
            "1MB/s",
            "\\",
            "@x",
            "*",
            "é",
            "\x00",
        ),
        *words.OFFERED,
        *words.ROUTES,
        *words.STATEMENTS,
    ]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=60))
def test_words_of_the_language_in_any_order_never_break_it(pieces: list[str]) -> None:
    for joined in (" ".join(pieces), "policy a { match: " + " ".join(pieces) + "\n route: any }"):
        parsed = parse(joined)
        for problem in parsed.problems:
            assert 1 <= problem.line <= joined.count("\n") + 1
            assert problem.column >= 1
        if not parsed.problems:
            again = parse(print_set(parsed.set))
            assert not again.problems
            assert again.set == parsed.set


@settings(max_examples=150, deadline=None)
@given(
    st.builds(
        Policy,
        st.sampled_from(["a", "with blank"]),
        CONDITIONS,
        st.lists(CHOICES, min_size=1, max_size=3).map(tuple),
        persistence=st.sampled_from([None, *PERSISTENCES]),
        priority=st.integers(1, 10000),
    )
)
def test_a_policy_printed_and_read_again_is_the_same(policy: Policy) -> None:
    text = print_set(PolicySet((policy,)))
    parsed = parse(text)
    assert not parsed.problems, (text, parsed.problems)
    assert parsed.set.policies == (policy,)


def test_nesting_without_end_is_refused_in_a_sentence() -> None:
    found = problems("policy a { match: " + "(" * 10_000 + " all")
    assert any("nested deeper than" in message for _, _, message in found)
    assert parse("policy a { match: " + "not " * 10_000 + "all\n route: any }").problems == ()


@pytest.mark.parametrize(
    "text",
    ["(" * 2**20, '"' * 2**20, "x\n" * 2**19, "policy a {\n" * 95_000, " " * 2**20, "#" * 2**20, "\\" * 2**20,
     "policy a { match: port " + "1/" * 500_000 + "1\nroute: any }", "a" * 2**20, "set a { " + "::/0 " * 200_000],
)  # fmt: skip
def test_a_megabyte_of_anything_is_looked_at_in_a_moment(text: str) -> None:
    begin = time.process_time()
    parsed = parse(text[: 2**20])
    assert time.process_time() - begin < 3  # a hundred times less than what a quadratic one took
    assert len(parsed.problems) <= 60


def test_more_than_a_megabyte_is_refused() -> None:
    assert problems(" " * (2**20 + 1)) == [(1, 1, "a policy file has at most 1 MiB")]


def test_fifty_errors_are_enough() -> None:
    found = parse("policy a { match: x\n route: y }\n" * 100).problems
    assert len(found) == 51
    assert "was not read" in found[-1].message


def test_a_thousand_policies_are_read() -> None:
    parsed = parse("\n".join(ROADMAP.replace("policy ", f"policy p{number}_") for number in range(167)))
    assert not parsed.problems
    assert len(parsed.set.policies) == 1002


@pytest.mark.parametrize("name", ["voip", "work-calls.2", "Video & calls (1)", "Bücher, Filme", "समाचार", "1:1/2+3"])
def test_policies_may_be_called_what_people_call_them(name: str) -> None:
    parsed = parse(f'policy "{name}" {{ match: all route: any }}')
    assert not parsed.problems and parsed.set.policies[0].name == name
    assert parse(print_set(parsed.set)).set.policies[0].name == name


@pytest.mark.parametrize(
    "name", ["<script>alert(1)</script>", "a;b", "a`id`", "$(reboot)", "a\u202eb", " a", "", "x" * 65, "a=b", "@here"]
)
def test_a_name_that_is_more_than_a_name_is_told_with_its_place(name: str) -> None:
    ((line, column, message),) = problems(f'# first\npolicy "{name}" {{ match: all route: any }}')
    assert (line, column) == (2, 8) and "a name of up to 64 letters and digits" in message


def test_blanks_at_the_end_are_nothing() -> None:
    lexed = tokens_of("a  ")
    assert lexed.problems == []
    assert [token.text for token in lexed.tokens] == ["a", ""]
