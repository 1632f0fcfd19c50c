"""``/etc/config/remsim_routing``: what is read of it, what is refused, and how it is changed."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.config.fields import json_values, uci_texts
from remsim.config.reading import WrongValue
from remsim.config.routing import LinkSettings, PolicySettings, Routing, RoutingSettings
from remsim.config.routing_file import PLACES, RoutingDesk, load_routing, routing_of
from remsim.config.routing_rules import ROUTING_SECTIONS, LinkOptions, RoutingOptions
from remsim.config.uci import UciFile
from remsim.core.clock import FakeClock
from remsim.core.errors import Conflict, InvalidInput
from remsim.core.routes import MOST_LINKS

ROUTER = """\
# two SIMs and a cable
config routing 'globals'
	option enabled '1'
	option algorithm 'weighted'
	option router_country 'de'

config link 'carrier_a_unlimited'
	option interface 'wwan0'
	option device ''
	option weight '10'
	list probe '1.1.1.1'
	list probe 'dns:[2620:fe::fe]'
	option cap_mbytes '50000'
	option somebody_elses 'thing'

config link 'cable'
	option device 'eth0.2'
	option priority '2'
	option index '1'

config policy 'voip'
	option priority '10'
	option proto 'udp'
	list dest_port '5060-5090'
	option class 'interactive'
	option route 'prefer'
	option by 'uptime'
"""
ROADMAP = """\
config load_balancing
    option algorithm 'weighted_round_robin'
    option health_check_interval '10'
    option failover_threshold '3'
    list connection 'wwan0:weight=10'
    list connection 'wwan1:weight=5'
    option max_latency_ms '200'
    option prefer_low_latency '1'
"""


def read(text: str) -> tuple[Routing, list[str]]:
    problems: list[Any] = []
    found = routing_of(UciFile.parse(text, "remsim_routing"), problems.append)
    return found, [one.message for one in problems]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config" / "remsim_routing"
    path.parent.mkdir()
    path.write_text(ROUTER)
    return path


@pytest.fixture
def desk(path: Path, tmp_path: Path) -> RoutingDesk:
    return RoutingDesk(path.parent, tmp_path / "state", clock=FakeClock(), running=load_routing(path.parent)[0])


def test_links_policies_and_globals_are_read() -> None:
    found, problems = read(ROUTER)
    assert problems == []
    assert found.globals == RoutingSettings(enabled=True, algorithm="weighted", router_country="DE")
    first, second = found.links
    assert first.interface == "wwan0" and first.weight == 10 and first.probe == ("1.1.1.1", "dns:[2620:fe::fe]")
    assert (first.index, second.index) == (2, 1), "what is written stays, the rest takes what is free"
    assert found.policies == (
        PolicySettings(
            "voip", priority=10, proto="udp", dest_port=("5060-5090",), route="prefer", by="uptime", klass="interactive"
        ),
    )


def test_a_file_that_says_nothing_is_a_router_without_links(tmp_path: Path) -> None:
    assert read("# nothing\n") == (Routing(), [])
    assert load_routing(tmp_path) == (Routing(), [])
    assert load_routing(None) == (Routing(), [])


def test_a_file_that_cannot_be_read_costs_all_and_is_told(tmp_path: Path) -> None:
    (tmp_path / "remsim_routing").write_text("config link 'a'\n\toption device 'eth1\n")
    found, problems = load_routing(tmp_path)
    assert found == Routing() and "line 2" in problems[0].message


def test_the_roadmaps_section_is_read_too() -> None:
    found, problems = read(ROADMAP)
    assert problems == []
    assert found.globals == RoutingSettings(
        enabled=True,
        algorithm="weighted",
        probe_idle_ms=10_000,
        probe_down=3,
        max_latency_ms=200,
        prefer_low_latency=True,
    )
    assert [(one.name, one.interface, one.weight, one.index) for one in found.links] == [
        ("wwan0", "wwan0", 10, 1),
        ("wwan1", "wwan1", 5, 2),
    ]


def test_what_globals_and_links_say_themselves_counts_more() -> None:
    text = "config routing 'globals'\n\toption algorithm 'latency'\n\toption enabled '0'\n"
    text += "config link 'one'\n\toption interface 'wwan0'\n\toption weight '3'\n"
    text += "config link 'two'\n\toption interface 'wwan1'\n"
    found, problems = read(text + ROADMAP)
    assert problems == [] and found.globals.algorithm == "latency" and not found.globals.enabled
    assert [(one.name, one.weight) for one in found.links] == [("one", 3), ("two", 5)]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("device", "sixteen_letters_"),
        ("device", "eth 0"),
        ("device", "-f"),
        ("device", 'e"th'),
        ("device", "lo"),
        ("device", "ifb0"),
        ("interface", "loopback"),
        ("interface", "has blanks"),
        ("interface", "sixteen_letters_"),
        ("interface", "w;reboot"),
        ("modem", "somewhere"),
        ("weight", "0"),
        ("weight", "ten"),
        ("priority", "-1"),
        ("tags", "two words"),
        ("probe", "example.com"),
        ("probe", "icmp:1.1.1.1:80"),
        ("probe", "tcp:1.1.1.1:99999"),
        ("probe", "1.1.1.1:53"),
        ("probe_type", "arp"),
        ("cap_mbytes", "-5"),
        ("cycle_day", "32"),
        ("country", "DEU"),
        ("index", "9"),
        ("gateway", "router"),
        ("dns", "1.1.1"),
        ("ipv6", "maybe"),
        ("currency", "E U"),
        ("at_cap", "explode"),
    ],
)
def test_a_wrong_value_costs_that_value_only_and_is_told_with_its_place(option: str, value: str) -> None:
    made_of = "" if option == "device" else "\toption device 'eth1'\n"
    text = f"config link 'one'\n\toption title 'One'\n{made_of}\toption {option} '{value}'\n\toption up_kbit '7'\n"
    found, problems = read(text)
    line = 4 if made_of else 3
    assert any(told.startswith(f"remsim_routing, line {line}") and f"remsim_routing.one.{option}: " in told
               for told in problems), problems  # fmt: skip
    if option != "device":
        assert len(problems) == 1
        (link,) = found.links
        assert link.title == "One" and link.up_kbit == 7 and link.device == "eth1"
        if option != "index":
            assert getattr(link, option) == getattr(LinkSettings("one"), option)


def test_a_link_of_nothing_is_left_out_and_told() -> None:
    found, problems = read("config link 'one'\n\toption weight '2'\n\nconfig link 'two'\n\toption device 'eth1'\n")
    assert [one.name for one in found.links] == ["two"]
    told = "remsim_routing.one.modem: the link needs a modem, an interface or a device"
    assert problems == [f"remsim_routing, line 1, option modem: {told}"]


def test_two_links_of_one_device_would_share_its_marks() -> None:
    found, problems = read("config link 'one'\n\toption device 'eth1'\nconfig link 'two'\n\toption device 'eth1'\n")
    assert [one.name for one in found.links] == ["one"] and "line 4" in problems[0]


def test_a_device_of_the_lan_is_no_link() -> None:
    text = "config routing 'globals'\n\tlist lan 'br-lan'\n\nconfig link 'one'\n\toption device 'br-lan'\n"
    found, problems = read(text)
    assert found.links == () and "line 5" in problems[0] and "br-lan is a device of the LAN" in problems[0]
    found, problems = read("config load_balancing\n\tlist connection 'lo:weight=2'\n")
    assert found.links == () and "leads nowhere" in problems[0]


def test_two_links_with_one_number_get_two() -> None:
    text = "".join(f"config link 'l{n}'\n\toption device 'eth{n}'\n\toption index '3'\n" for n in (1, 2))
    found, problems = read(text)
    assert [one.index for one in found.links] == [3, 1] and "line 6" in problems[0]


def test_more_links_than_marks_have_room_for_are_told() -> None:
    text = "".join(f"config link 'l{n}'\n\toption device 'eth{n}'\n" for n in range(9))
    found, problems = read(text)
    assert [one.index for one in found.links] == list(range(1, 9)) and "8 at most" in problems[0]
    found, problems = read(text.rpartition("config link")[0] + "config load_balancing\n\tlist connection 'eth0.9'\n")
    assert len(found.links) == MOST_LINKS and "there are 8 links already" in problems[0]


def test_a_change_keeps_the_rest_of_the_file_and_writes_numbers_down(desk: RoutingDesk, path: Path) -> None:
    heard: list[Routing] = []
    desk.subscribe(heard.append)
    desk.put_section("link", "dsl", {"device": "eth1", "tags": ["home"]}, "ann")
    text = path.read_text()
    assert text.startswith(ROUTER.partition("\toption somebody_elses")[0].split("\nconfig link")[0])
    assert "option somebody_elses 'thing'" in text and "# two SIMs" in text
    assert [(one.name, one.index) for one in heard[0].links] == [("carrier_a_unlimited", 2), ("cable", 1), ("dsl", 3)]
    assert text.count("option index") == 3
    desk.delete_section("link", "cable", "ann")
    assert [(one.name, one.index) for one in heard[1].links] == [("carrier_a_unlimited", 2), ("dsl", 3)]


def test_what_a_link_changes_to_at_its_cap_is_written_and_read(desk: RoutingDesk, path: Path) -> None:
    values = {"modem": "1-1", "at_cap": "switch", "cap_profile": "It's Travel 5 GB"}
    desk.put_section("link", "lte", values, "ann")
    assert desk.section("link", "lte")["values"].items() >= values.items()
    found, problems = read(path.read_text())
    link = next(one for one in found.links if one.name == "lte")
    assert (link.at_cap, link.cap_profile, problems) == ("switch", "It's Travel 5 GB", [])


def test_a_link_that_is_changed_keeps_its_number(desk: RoutingDesk) -> None:
    desk.put_section("link", "cable", {"device": "eth0.3"}, "ann")
    assert desk.settings.links[1].index == 1
    desk.put_section("link", "cable", {"device": "eth0.3", "index": 7}, "ann")
    assert desk.settings.links[1].index == 7


def test_the_globals_have_the_name_that_people_expect(tmp_path: Path) -> None:
    desk = RoutingDesk(tmp_path, tmp_path / "state", clock=FakeClock(), running=Routing())
    desk.put_section("routing", "routing", {"enabled": True}, "ann")
    assert (tmp_path / "remsim_routing").read_text() == "config routing 'globals'\n\toption enabled '1'\n"


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"device": "sixteen_letters_"}, "device"),
        ({"device": "lo"}, "device"),
        ({"device": "dummy0"}, "device"),
        ({"interface": "with blanks"}, "interface"),
        ({"interface": "loopback"}, "interface"),
        ({"device": "eth1", "interface": "wan"}, "device"),
        ({"device": "eth0.2"}, "device"),
        ({"weight": 3}, "modem"),
        ({"device": "eth1", "at_cap": "slow"}, "slow_kbit"),
        ({"modem": "1-1", "at_cap": "switch"}, "cap_profile"),
        ({"modem": "1-1", "at_cap": "switch", "cap_profile": " "}, "cap_profile"),
        ({"modem": "1-1", "at_cap": "switch", "cap_profile": "x" * 65}, "cap_profile"),
        ({"device": "eth1", "at_cap": "switch", "cap_profile": "Travel"}, "at_cap"),
        ({"device": "eth1", "typo": 1}, "typo"),
    ],
)
def test_a_wrong_link_is_refused_with_its_field(
    desk: RoutingDesk, path: Path, values: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidInput) as caught:
        desk.put_section("link", "dsl", values, "ann")
    assert caught.value.field == field
    assert path.read_text() == ROUTER


def test_a_ninth_link_is_refused(desk: RoutingDesk) -> None:
    for number in range(6):
        desk.put_section("link", f"l{number}", {"device": f"eth{number + 5}"}, "ann")
    with pytest.raises(InvalidInput, match="8 sections"):
        desk.put_section("link", "ninth", {"device": "eth20"}, "ann")


def test_versions_lead_back_and_are_not_those_of_the_other_file(desk: RoutingDesk, path: Path, tmp_path: Path) -> None:
    desk.keep_what_is_there()
    desk.put_section("link", "cable", {"device": "eth0.3"}, "ann")
    assert [one["n"] for one in desk.versions()] == [2, 1]
    desk.rollback(1, "ann")
    assert path.read_text() == ROUTER
    assert (tmp_path / "state" / "routing-versions").is_dir() and not (tmp_path / "state" / "config-versions").exists()


def test_changes_that_wait_in_luci_are_respected(path: Path, tmp_path: Path) -> None:
    (tmp_path / "tmp" / ".uci").mkdir(parents=True)
    (tmp_path / "tmp" / ".uci" / "remsim_routing").write_text("remsim_routing.cable.weight='2'\n")
    desk = RoutingDesk(path.parent, tmp_path / "state", clock=FakeClock(), running=Routing(), staged_root=tmp_path)
    with pytest.raises(Conflict) as caught:
        desk.put_section("link", "cable", {"device": "eth0.3"}, "ann")
    assert caught.value.code == "staged"


def test_what_somebody_else_writes_is_taken_up(desk: RoutingDesk, path: Path) -> None:
    heard: list[Routing] = []
    desk.subscribe(heard.append)
    desk.look()
    assert heard == []
    path.write_text(ROUTER.replace("'weighted'", "'latency'").replace("'10'", "'much'", 1))
    desk.look()
    desk.look()
    assert [one.globals.algorithm for one in heard] == ["latency"] and heard[0].links[0].weight == 1
    assert [one["actor"] for one in desk.versions()][0] in ("", "LuCI, or by hand")
    desk.put_section("link", "cable", {"device": "eth0.3"}, "ann")
    desk.look()
    assert len(heard) == 2, "its own writes are no news"
    path.write_text("config link 'broken\n")
    desk.look()
    assert len(heard) == 2 and desk.settings.links[1].device == "eth0.3"
    path.unlink()
    desk.look()
    assert heard[-1] == Routing()


def test_a_link_keeps_the_number_it_has_when_another_is_written_before_it(path: Path, tmp_path: Path) -> None:
    path.write_text("config link 'a'\n\toption device 'eth1'\nconfig link 'b'\n\toption device 'eth2'\n")
    desk = RoutingDesk(path.parent, tmp_path / "state", clock=FakeClock(), running=load_routing(path.parent)[0])
    path.write_text("config link 'c'\n\toption device 'eth3'\nconfig link 'b'\n\toption device 'eth2'\n")
    desk.look()
    assert [(one.name, one.index) for one in desk.settings.links] == [("c", 1), ("b", 2)]
    desk.put_section("link", "d", {"device": "eth4"}, "ann")
    assert [(one.name, one.index) for one in load_routing(path.parent)[0].links] == [("c", 1), ("b", 2), ("d", 3)]


@given(st.text(max_size=600))
def test_any_text_gives_links_or_says_where_it_is_wrong(text: str) -> None:
    try:
        file = UciFile.parse(text, "remsim_routing")
    except WrongValue:
        raise
    except Exception as error:  # of the grammar, which has tests of its own
        assert "line" in str(error)
        return
    read(file.dumps())


NUMBERS = ["", "0", "1", "8", "9", "-1"]
WORDS = ["eth1", "eth1 ", "wwan0:weight=5", "x" * 16, "1.1.1.1", "::1", "none", "é", "a\tb", "DE", "1-1.2"]
OPTIONS = sorted({name for row in ROUTING_SECTIONS.values() for name in row.schema().fields})
WRITTEN = st.tuples(
    st.sampled_from(list(ROUTING_SECTIONS)),
    st.sampled_from(["a", "b", "c", "globals"]),
    st.lists(st.tuples(st.sampled_from(OPTIONS), st.sampled_from(NUMBERS + WORDS)), max_size=6),
)


@given(st.lists(WRITTEN, max_size=12))
def test_whatever_is_written_links_have_each_a_number_and_a_place_of_their_own(
    sections: list[tuple[str, str, list[tuple[str, str]]]],
) -> None:
    file = UciFile("remsim_routing")
    for kind, name, options in sections:
        section = file.add(kind, name)
        for option, value in options:
            section.set(option, value)
    found, problems = read(file.dumps())
    indices = [one.index for one in found.links]
    assert len(set(indices)) == len(indices) <= MOST_LINKS and all(one in range(1, 9) for one in indices)
    assert len({one.name for one in found.links}) == len(found.links)
    places = [(place, getattr(one, place)) for one in found.links for place in PLACES if getattr(one, place)]
    assert len(set(places)) == len(places) >= len(found.links)
    assert all("remsim_routing" in told and "line" in told for told in problems)


def test_every_option_is_a_field_and_has_words_for_a_form() -> None:
    for schema, kind in ((LinkOptions, LinkSettings), (RoutingOptions, RoutingSettings)):
        named = {one.name for one in fields(kind)} - {"name"}
        assert set(schema().fields) == named
        assert all(field.metadata.get("label") for field in schema().fields.values())


def test_defaults_are_values_that_may_be_written() -> None:
    for schema, made in ((LinkOptions(), LinkSettings("a")), (RoutingOptions(), RoutingSettings())):
        values = {name: getattr(made, name) for name in schema.fields if getattr(made, name) is not None}
        texts = {name: uci_texts(value) for name, value in json_values(schema, values).items()}
        assert schema.load(texts).keys() == values.keys()


def test_the_documentation_has_every_option_with_its_default() -> None:
    text = (Path(__file__).parents[2] / "docs" / "links.md").read_text("utf-8")
    for schema, made in ((LinkOptions(), LinkSettings("a")), (RoutingOptions(), RoutingSettings())):
        for name in schema.fields:
            value = getattr(made, name)
            written = [] if value is None else uci_texts(json_values(schema, {name: value})[name])
            shown = ", ".join(f"`{one}`" for one in ([written] if isinstance(written, str) else written)) or "none"
            assert f"| `{name}` | {shown} | " in text, (name, shown)
