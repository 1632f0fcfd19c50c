"""Names with wildcards inside: which names they take, in which sets their addresses are, and what is said of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_support import facts, sound
from remsim.core.errors import InvalidInput
from remsim.policies.compile import compile_set
from remsim.policies.explain import explain
from remsim.policies.facts import FlowFacts, Wanted
from remsim.policies.language.checker import check
from remsim.policies.language.printer import print_set
from remsim.policies.language.values import domain_of
from remsim.policies.learning.dnsmasq import lines_of
from remsim.policies.learning.globs import (
    MOST_GLOBS,
    Globs,
    checked_glob,
    is_glob,
    is_within,
    matcher,
    suffix_of,
    takes,
)
from remsim.policies.learning.names import Names
from remsim.policies.learning.packets import octets_of

NAMES = st.lists(st.text("ab1-", min_size=1, max_size=4), min_size=1, max_size=5).map(".".join)
GLOBS = st.lists(st.text("ab1*?", min_size=1, max_size=4), min_size=1, max_size=4).map(".".join)
LATER = "*video*.example.com holds from the next flow on: the flow that names it stays"


def fits(glob: str, name: str) -> bool:
    """The meaning of a glob, by the book and slowly: row by row of what of both is used up."""
    row = [True] + [False] * len(name)
    for one in glob:
        new = [row[0] and one == "*"]
        for at, character in enumerate(name, 1):
            if one == "*":
                new.append(row[at] or new[at - 1])
            else:
                new.append(row[at - 1] and (character == one or (one == "?" and character != ".")))
        row = new
    return row[-1]


@given(GLOBS, NAMES)
def test_a_name_fits_when_every_character_of_it_is_accounted_for(text: str, name: str) -> None:
    try:
        glob = checked_glob(text)
    except InvalidInput:
        return
    apex = glob.startswith("*.") and fits(glob[2:], name)
    assert matcher(glob)(name) is (fits(glob, name) or apex)


@given(st.lists(GLOBS, max_size=6), NAMES)
def test_the_end_of_a_glob_narrows_where_it_is_looked_for_and_loses_nothing(texts: list[str], name: str) -> None:
    globs = []
    for text in texts:
        try:
            globs.append(checked_glob(text))
        except InvalidInput:
            continue
    found = Globs((glob, glob) for glob in globs)
    wanted = sorted(one for one in globs if matcher(one)(name))
    assert sorted(found(name)) == wanted
    assert sorted(found(name)) == wanted  # as it was remembered


@given(GLOBS, GLOBS, NAMES)
def test_what_is_said_to_be_within_another_is(one: str, other: str, name: str) -> None:
    try:
        inner, outer = domain_of(one), domain_of(other.replace("*", "").replace("?", "a") or "a")
    except ValueError:
        return
    if is_within(inner, outer) and takes(inner, name):
        assert takes(outer, name)
    assert is_within(inner, inner)


@pytest.mark.parametrize(
    ("glob", "taken", "left"),
    [
        ("*video*.example.com", ["video.example.com", "a.my-video-1.cdn.example.com"], ["example.com", "video.org"]),
        ("cdn?.example.net", ["cdn1.example.net"], ["cdn.example.net", "cdn12.example.net", "a.cdn1.example.net"]),
        ("*.googlevideo.*", ["googlevideo.com", "r1.googlevideo.com", "a.b.googlevideo.co.uk"], ["xgooglevideo.com"]),
        ("*tube.com", ["tube.com", "youtube.com", "www.youtube.com"], ["youtube.com.example"]),
    ],
)  # fmt: skip
def test_what_a_glob_takes(glob: str, taken: list[str], left: list[str]) -> None:
    assert is_glob(glob) and checked_glob(glob) == glob
    assert [name for name in [*taken, *left] if takes(glob, name)] == taken


@pytest.mark.parametrize(
    ("text", "kept", "suffix"),
    [
        ("**Video***.Example.com.", "*video*.example.com", "example.com"),
        ("*.bücher.*", "*.xn--bcher-kva.*", ""),
        ("*tube.com", "*tube.com", "com"),
        ("a*com", "a*com", ""),
    ],
)
def test_how_a_glob_is_kept(text: str, kept: str, suffix: str) -> None:
    assert checked_glob(text) == kept
    assert suffix_of(kept) == suffix


@pytest.mark.parametrize(
    "text",
    ["*", "?", "*.*", "*" * 300, "?" * 253, "1.2.3.*", "a..*", "ü*.example", "a*b c", "a*\n", "a*/b", "a*#", "*a" * 9,
     "a*{2}"],
)  # fmt: skip
def test_what_is_no_glob_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        checked_glob(text)


@pytest.mark.parametrize("glob", ["a*a*a*a*a*a*a*a*b", "*".join(["a" * 25] * 9), "*" + "?" * 240 + "a", "*a?*a?*a?b"])
def test_a_hostile_glob_tries_nothing_twice(glob: str) -> None:
    name = "a" * 253
    for _ in range(200):  # each would take years with a matcher that goes back
        matcher(checked_glob(glob))(name)


def test_addresses_of_names_that_fit_get_into_the_set_also_of_those_seen_before() -> None:
    names = Names()
    early = octets_of("203.0.113.1")
    late = octets_of("2001:db9::1")
    assert early is not None and late is not None
    names.learn(early, "my-video.example.com", "dns", 0.0)
    wanted = Wanted("d_a4", "d_a6", (), (), ("*video*.example.com",))
    assert names.want([wanted], 1.0) == {"d_a4": ["203.0.113.1"]}
    assert names.learn(late, "video.cdn.example.com", "quic", 2.0) == {"d_a6": ["2001:db9::1"]}
    assert names.learn(late, "www.example.com", "sni", 3.0) == {}
    assert lines_of([wanted]) == []


def test_a_glob_is_compiled_to_a_set_of_its_own_beside_plain_names() -> None:
    found = sound("policy a { match: domain { *video*.example.com, tube.example }\n route: any }")
    compiled = compile_set(found.policies, found.sets, facts())
    (wanted,) = compiled.wanted
    assert (wanted.patterns, wanted.globs) == (("tube.example",), ("*video*.example.com",))
    assert f"ip daddr @{wanted.set4} ip daddr != @never4" in compiled.program.policies[0].rules[0]
    assert "domain { *video*.example.com, tube.example }" in print_set(found)


def test_what_is_said_of_a_glob() -> None:
    text = "policy a { match: domain *video*.example.com\n route: any }"
    for ways in (("dnsmasq", "dns", "sni"), ("quic",)):
        (warning,) = check(text, facts(names_learned=ways)).warnings
        assert LATER in warning.message
    (warning,) = check(text, facts(names_learned=("dnsmasq",))).warnings
    assert "switch on learn_names" in warning.message
    found = sound(text)
    told = explain(found.policies, found.sets, facts(), FlowFacts(domain="my-video.example.com"))
    assert told.policy == "a" and any(LATER in one for one in told.notes)
    told = explain(found.policies, found.sets, facts(), FlowFacts(domain="example.com"))
    assert (told.policy, told.steps[0].result) == (None, "no")


def test_several_globs_are_told_of_together() -> None:
    (warning,) = check("policy a { match: domain { a*.example, b*.example }\n route: any }").warnings
    assert warning.message.startswith("a*.example and b*.example hold from the next flow on")


def test_a_glob_within_a_name_is_shadowed_by_it() -> None:
    first = "policy a { match: domain example.com\n route: block }\n"
    checked = check(first + "policy b { match: domain *video*.example.com\n route: any }", facts())
    assert any("b is never reached" in one.message for one in checked.warnings)
    checked = check(first + "policy b { match: domain *video*\n route: any }", facts())
    assert not any("never reached" in one.message for one in checked.warnings)


def test_there_may_be_only_so_many() -> None:
    several = ", ".join(f"a{number}*.example" for number in range(MOST_GLOBS + 1))
    checked = check(f"policy a {{ match: domain {{ {several} }}\n route: any }}", facts())
    assert [one.message for one in checked.errors] == ["a router looks for at most 256 names with wildcards inside"]
