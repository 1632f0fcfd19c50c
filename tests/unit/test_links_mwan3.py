"""mwan3's configuration as links and policies of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.config.routing_rules import LinkOptions, RoutingOptions
from remsim.config.uci import UciError, UciFile
from remsim.links.mwan3 import interfaces, rules
from remsim.links.mwan3.importing import import_mwan3
from remsim.policies.language.parser import parse

ITS_OWN = (Path(__file__).parents[1] / "fixtures" / "routing" / "mwan3").read_text()
TWO_SIMS = """\
config interface 'wwan0'
	option enabled '1'
	list track_ip '9.9.9.9'
	list track_ip 'example.com'
	option track_method 'nslookup'
config interface 'wwan1'
	option enabled '1'
	option track_method 'arping'
config interface 'dsl'
	option enabled '1'
	option reserved_for 'me'
config member 'a'
	option interface 'wwan0'
	option weight '3'
config member 'b'
	option interface 'wwan1'
config member 'c'
	option interface 'dsl'
	option metric '2'
config member 'gone'
	option interface 'wan9'
config policy 'sims'
	list use_member 'a'
	list use_member 'b'
	list use_member 'c'
	list use_member 'gone'
	option last_resort 'default'
config policy 'cable'
	list use_member 'c'
config rule 'voip'
	option src_ip '192.168.1.0/24'
	option dest_port '5060,10000:20000'
	option proto 'udp'
	option use_policy 'cable'
config rule
	option dest_ip '192.0.2.1'
	option use_policy 'default'
config rule 'set'
	option ipset 'video'
	option use_policy 'cable'
config rule 'none'
	option use_policy 'blackhole'
	option dest_port '25'
	option proto 'tcp'
config rule 'off'
	option enabled '0'
	option use_policy 'cable'
config rule 'all'
	option use_policy 'sims'
	option sticky '1'
	option timeout '60'
"""


def test_what_mwan3_installs_comes_over_whole() -> None:
    found = import_mwan3(ITS_OWN)
    wan, wanb = found.links
    assert wan == {
        "name": "wan", "interface": "wan", "priority": 1, "weight": 3, "probe_type": "icmp",
        "probe": ["1.0.0.1", "1.1.1.1", "208.67.222.222", "208.67.220.220"],
    }  # fmt: skip
    assert wanb == wan | {"name": "wanb", "interface": "wanb", "enabled": False}
    assert found.globals == {"algorithm": "weighted", "last_resort": "unreachable"}
    assert found.policies == (
        "policy https {\n  match: port 443, protocol tcp\n  route: balance(weighted)\n  fallback: block\n"
        "  persistence: source\n}\n\n"
        "policy default_rule {\n  match: all\n  route: balance(weighted)\n  fallback: block\n}\n"
    )
    assert any("wan6" in told for told in found.notes) and any("reliability" in told for told in found.notes)


def test_several_links_of_a_policy_are_named_by_a_tag_and_what_cannot_be_said_is_told() -> None:
    found = import_mwan3(TWO_SIMS)
    first, second, cable = found.links
    assert first["weight"] == 3 and first["tags"] == second["tags"] == ["mwan3_sims"] and "tags" not in cable
    assert first["probe"] == ["9.9.9.9"] and first["probe_type"] == "dns" and "probe_type" not in second
    assert [one["priority"] for one in found.links] == [1, 1, 2]
    assert found.globals["last_resort"] == "keep"
    policies = {one.name: one for one in parse(found.policies).set.policies}
    assert list(policies) == ["voip", "rule_2", "none", "all"]
    assert 'route: prefer_tag("mwan3_sims"), connection "dsl"\n  fallback: any\n  persistence: source' in found.policies
    assert "source 192.168.1.0/24, port 5060/10000-20000, protocol udp" in found.policies
    assert "policy none {\n  match: port 25, protocol tcp\n  route: block\n}" in found.policies
    told = "\n".join(found.notes)
    for word in ("example.com", "arping", "reserved_for", "gone", "ipset", "rule off", "rule_2", "timeout"):
        assert word in told


def test_a_rule_for_one_family_says_so() -> None:
    text = TWO_SIMS + "config rule 'six'\n\toption family 'ipv6'\n\toption use_policy 'cable'\n"
    assert "match: destination ::/0" in import_mwan3(text).policies


def test_ten_interfaces_are_cut_to_eight_those_in_use_first() -> None:
    text = "".join(f"config interface 'w{n}'\n\toption enabled '{n % 2}'\n" for n in range(10))
    found = import_mwan3(text)
    assert len(found.links) == 8 and {"w1", "w3", "w5", "w7", "w9"} <= {one["name"] for one in found.links}
    assert sum("8 links at most" in told for told in found.notes) == 2


def test_nothing_gives_nothing_and_a_broken_file_is_told() -> None:
    assert import_mwan3("").as_dict() == {"links": [], "globals": {}, "policies": "", "warnings": []}
    with pytest.raises(UciError, match="mwan3, line 1"):
        import_mwan3("config interface 'wan\n")


NAMES = st.sampled_from(["wan", "wan6", "w", "x" * 16, "_", "m1", "p1", "p_" * 20])
TEXTS = ["tcp", "all", "ipv4", "ipv6", "p1", "wan", "w", "}", '"', "default"]
ADDRESSES = ["0.0.0.0/0", "::/0", "10.0.0.1", "10.0.0.1/8", "10.0.0.1/99", "1:2:3", "2001:db8::/32"]
WORDS = st.sampled_from(["0", "1", "443", "80,443", "1-2", "9:1", *ADDRESSES, *TEXTS])
OPTIONS = st.sampled_from([*rules.KNOWN, *interfaces.KNOWN[:4], "metric", "weight", "interface", "use_member"])
SECTION = st.tuples(
    st.sampled_from(["interface", "member", "policy", "rule"]), NAMES, st.lists(st.tuples(OPTIONS, WORDS), max_size=6)
)


@pytest.mark.parametrize("option", ["src_ip", "dest_ip", "src_port", "dest_port", "proto"])
@given(value=st.one_of(WORDS, st.text(max_size=20).filter(lambda text: "\0" not in text)))
def test_a_rule_comes_over_readable_or_not_at_all(option: str, value: str) -> None:
    file = UciFile.parse(TWO_SIMS)
    section = file.add("rule", "odd")
    section.set("use_policy", "cable")
    section.set(option, value)
    found = import_mwan3(file.dumps())
    assert parse(found.policies).problems == ()
    assert ("policy odd" in found.policies) != any("rule odd is left out" in told for told in found.notes)


@given(st.lists(SECTION, max_size=14))
def test_whatever_mwan3_says_comes_out_as_links_that_fit_and_policies_that_can_be_read(sections: list[Any]) -> None:
    file = UciFile("mwan3")
    for kind, name, options in sections:
        section = file.add(kind, name)
        for option, value in options:
            section.set(option, value)
    found = import_mwan3(file.dumps())
    for link in found.links:
        LinkOptions().load({name: value for name, value in link.items() if name != "name"})
    RoutingOptions().load(found.globals)
    assert parse(found.policies).problems == ()
