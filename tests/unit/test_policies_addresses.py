"""Sets of addresses that lie in files: what is read, what is refused, and what happens when a file changes."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_support import NOON, FakeTraffic, facts, sound
from remsim.config.routing import Routing, RoutingSettings
from remsim.core.clock import FakeClock
from remsim.core.errors import InvalidInput
from remsim.core.events import Event
from remsim.policies.addresses import files as files_module
from remsim.policies.addresses import reading, spans
from remsim.policies.addresses.files import AddressFiles, NoFile
from remsim.policies.addresses.reading import AddressFileError, read_addresses
from remsim.policies.addresses.spans import Spans, Texts, spans_of, union
from remsim.policies.compile import compile_set, rule_count
from remsim.policies.desk import PolicyDesk
from remsim.policies.explain import explain
from remsim.policies.facts import FlowFacts
from remsim.policies.language.checker import check
from remsim.policies.language.printer import print_set
from remsim.policies.language.terms import terms_of

TEXT = 'set listed {{ file "{}" }}\npolicy a {{ match: destination @listed\n route: block }}\n'
RANGES = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 12)).map(lambda two: (two[0], two[0] + two[1])))
MANY = "".join(f"192.0.{number}.7\n" for number in range(200))


def read(text: str) -> reading.Addresses:
    return read_addresses(io.BytesIO(text.encode()))


@given(RANGES, st.sampled_from([4, 6]), st.integers(1, 5))
def test_ranges_of_any_order_have_the_same_addresses_in_order_and_apart(
    ranges: list[tuple[int, int]], family: int, piece: int
) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(spans, "PIECE", piece)
        found = spans_of(family, ranges)
    inside = {number for first, last in ranges for number in range(first, last + 1)}
    listed = list(found)
    assert {number for first, last in listed for number in range(first, last + 1)} == inside
    assert all(before[1] + 1 < after[0] for before, after in zip(listed, listed[1:], strict=False))
    assert {number for number in range(320) if found.has(number)} == inside
    assert len(found) == len(listed) == len(Texts(found)) == len(list(Texts(found)))
    half = len(ranges) // 2
    assert union(family, [spans_of(family, ranges[:half]), spans_of(family, ranges[half:])]) == found


@given(st.lists(st.tuples(st.ip_addresses(), st.integers(0, 128)), max_size=20))
def test_networks_are_what_the_standard_library_takes_them_for(
    pairs: list[tuple[IPv4Address | IPv6Address, int]],
) -> None:
    networks = [ip_network(f"{one}/{length % (one.max_prefixlen + 1)}", False) for one, length in pairs]
    found = read("".join(f"  {one} # {number}\r\n" for number, one in enumerate(networks)))
    for family in (4, 6):
        wanted = [(int(one[0]), int(one[-1])) for one in networks if one.version == family]
        assert found.of(family) == spans_of(family, wanted)


@given(st.binary(max_size=200))
def test_any_octets_are_read_or_refused_at_a_line(raw: bytes) -> None:
    try:
        read_addresses(io.BytesIO(raw))
    except AddressFileError as error:
        assert error.line is not None and 1 <= error.line <= raw.count(b"\n") + 1
        assert error.message.isprintable()


def test_lines_of_all_kinds() -> None:
    found = read(
        "\ufeff# a list of ours, größer\n\n192.0.2.0/24 ; SBL1\n192.0.3.0-192.0.3.255\t# its neighbour\r\n"
        "198.51.100.7\n2001:db8::/32\n2001:db8:1::1\n203.0.113.9/30"
    )
    assert list(Texts(found.four)) == ["192.0.2.0-192.0.3.255", "198.51.100.7", "203.0.113.8-203.0.113.11"]
    assert list(Texts(found.six)) == ["2001:db8::-2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"]
    assert Texts(found.four)[-2:] == ["198.51.100.7", "203.0.113.8-203.0.113.11"]
    assert list(read("0.0.0.0/0\n255.255.255.255\n::/0").four) == [(0, 2**32 - 1)]


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("192.0.2.256", "“192.0.2.256” is no address"),
        ("192.0.2.0/33", "the prefix length is 0 to 32"),
        ("192.0.2.9-192.0.2.1", "begins after its end"),
        ("192.0.2.1-2001:db8::", "half IPv4 and half IPv6"),
        ("example.com", "“example.com” is no address"),
        ("aa:bb:cc:dd:ee:ff", "is no address"),
        ("192.0.2.1 192.0.2.2", "is no address"),
        ("192.0.2.1,DE", "is no address"),
        ("１９２.0.2.1", "is no address"),
        ("192.0.2.1/+8", "the prefix length"),
        ("\0", "“�” is no address"),
        ("x" * 2000, "more than 1024 characters"),
    ],
)
def test_a_line_that_is_no_address_is_told(line: str, told: str) -> None:
    with pytest.raises(AddressFileError) as caught:
        read(f"192.0.2.1\n{line}\n")
    assert told in caught.value.message
    assert caught.value.line == 2


def test_a_file_has_so_many_lines_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_LINES", 3)
    assert len(read("192.0.2.1\n192.0.2.3\n192.0.2.5\n")) == 3
    with pytest.raises(AddressFileError, match="more than 3 lines"):
        read("192.0.2.1\n" * 4)


def test_only_files_below_one_folder_are_read(tmp_path: Path) -> None:
    files = AddressFiles(tmp_path / "sets")
    (tmp_path / "sets" / "in").mkdir(parents=True)
    (tmp_path / "secret").write_text("root:x\n")
    (tmp_path / "sets" / "a.txt").write_text("192.0.2.1\n")
    (tmp_path / "sets" / "in" / "b.txt").write_text("192.0.2.2\n")
    os.mkfifo(tmp_path / "sets" / "pipe")
    for name in ("a.txt", str(tmp_path / "sets" / "a.txt"), "in/b.txt", "in/../a.txt"):
        assert len(files.read(name)) == 1
    for name in ("../secret", str(tmp_path / "secret"), "/etc/shadow", "in/../../secret", "", ".", f"{tmp_path}/setsx"):
        with pytest.raises(AddressFileError, match="only files below"):
            files.read(name)
    for name, told in (("pipe", "it is no file"), ("in", "it is no file"), ("gone.txt", "there is no such file")):
        with pytest.raises(AddressFileError, match=f"sets/{name}: {told}"):
            files.read(name)
    assert files.names() == ["a.txt"]


def test_a_file_is_read_again_when_it_has_changed_and_only_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_module, "LOOK_S", 0.0)
    monkeypatch.setattr(files_module, "SETTLED_S", 0.0)
    files = AddressFiles(tmp_path)
    file = tmp_path / "a.txt"
    file.write_text("192.0.2.1\n")
    first = files.read("a.txt")
    assert files.read("a.txt") is first
    assert files.changed(["a.txt"]) == []
    (tmp_path / "new").write_text("192.0.2.1\n192.0.2.9\n")
    (tmp_path / "new").replace(file)
    assert files.changed(["a.txt"]) == ["a.txt"]
    assert len(files.read("a.txt")) == 2
    file.write_text("nonsense\n")
    assert files.changed(["a.txt"]) == ["a.txt"]
    with pytest.raises(AddressFileError, match=r"a\.txt, line 1: “nonsense” is no address"):
        files.read("a.txt")
    found = files.last("a.txt")
    assert found is not None and len(found) == 2
    assert files.changed(["a.txt"]) == []
    file.unlink()
    assert files.changed(["a.txt"]) == ["a.txt"]
    with pytest.raises(NoFile):
        files.read("a.txt")
    assert files.changed(["a.txt"]) == []


def test_a_file_that_is_being_written_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files_module, "LOOK_S", 0.0)
    monkeypatch.setattr(files_module, "SETTLED_S", 3600.0)
    files = AddressFiles(tmp_path)
    (tmp_path / "a.txt").write_text("192.0.2.1\n")
    files.read("a.txt")
    (tmp_path / "a.txt").write_text("192.0.2.1\n192.0.2.")
    assert files.changed(["a.txt"]) == []


def test_a_set_of_a_file_becomes_a_set_of_the_kernel(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(MANY + "2001:db8::/32\n")
    files = AddressFiles(tmp_path)
    text = TEXT.format("a.txt").replace("}", ", 198.51.100.0/24 }", 1)
    assert check(text, facts(files=files)).errors == ()
    found = sound(text)
    compiled = compile_set(found.policies, found.sets, facts(files=files))
    (four,) = compiled.program.sets
    assert len(four.elements) == 201 and "198.51.100.0/24" in four.elements
    assert compiled.program.policies[0].rules == (
        f"ip daddr @{four.name} goto pick_1",
        "ip6 daddr 2001:db8::/32 goto pick_1",
    )
    terms = terms_of(found.policies[0].match, found.sets)
    assert rule_count(terms) >= 2
    assert sound(print_set(found)) == found
    (tmp_path / "a.txt").write_text(MANY.replace("192.0.7.7", "192.0.7.8"))
    files.read("a.txt")
    other = compile_set(found.policies, found.sets, facts(files=files)).program.sets[0]
    assert other.name != four.name  # what holds other addresses is another set, so that it can be filled before


def test_a_large_set_is_kept_as_octets(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("".join(f"10.{number >> 8}.{number & 255}.1\n" for number in range(5000)))
    files = AddressFiles(tmp_path)
    files.read("a.txt")
    found = sound(TEXT.format("a.txt"))
    (made,) = compile_set(found.policies, found.sets, facts(files=files)).program.sets
    assert made.is_apart and isinstance(made.elements, Texts)
    assert len(made.elements) == 5000
    assert made.elements[4999] == "10.19.135.1"
    assert made.elements == tuple(made.elements)


@pytest.mark.parametrize(
    ("address", "policy"), [("192.0.9.7", "a"), ("192.0.9.8", None), ("2001:db8::1", None), (None, None)]
)
def test_explain_looks_into_the_file(tmp_path: Path, address: str | None, policy: str | None) -> None:
    (tmp_path / "a.txt").write_text(MANY)
    files = AddressFiles(tmp_path)
    files.read("a.txt")
    found = sound(TEXT.format("a.txt"))
    told = explain(found.policies, found.sets, facts(files=files), FlowFacts(destination=address))
    assert told.policy == policy
    unread = explain(found.policies, found.sets, facts(files=AddressFiles(tmp_path)), FlowFacts(destination=address))
    assert unread.steps[0].result == "unknown"


def test_what_is_wrong_with_a_file_is_told_where_the_text_names_it(tmp_path: Path) -> None:
    (tmp_path / "bad.txt").write_text("192.0.2.1\n\nhello\n")
    (tmp_path / "empty.txt").write_text("# nothing yet\n")
    files = AddressFiles(tmp_path)
    (error,) = check(TEXT.format("bad.txt"), facts(files=files)).errors
    assert (error.line, error.column) == (1, 19)
    assert error.message == f"{tmp_path}/bad.txt, line 3: “hello” is no address"
    (error,) = check(TEXT.format("gone.txt"), facts(files=files)).errors
    assert error.message == f"{tmp_path}/gone.txt: there is no such file"
    elsewhere = check(TEXT.format("gone.txt"), facts(files=files, are_files_here=False))
    assert elsewhere.ok and "there is no such file" in elsewhere.warnings[0].message
    assert not check(TEXT.format("bad.txt"), facts(files=files, are_files_here=False)).ok
    (warning,) = check(TEXT.format("empty.txt"), facts(files=files)).warnings
    assert "has no address" in warning.message
    (warning,) = check(TEXT.format("a.txt")).warnings
    assert "not looked at here" in warning.message


def test_files_together_have_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remsim.policies.language.checker.MOST_LINES", 300)
    (tmp_path / "a.txt").write_text(MANY)
    (tmp_path / "b.txt").write_text(MANY)
    text = 'set both { file "a.txt" file "b.txt" }\npolicy a { match: source @both\n route: any }'
    (error,) = check(text, facts(files=AddressFiles(tmp_path))).errors
    assert "more than 300 addresses together" in error.message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("set a { file }", "the name of a file in quotes is missing"),
        ('set a { file "" }', "is no name of a file"),
        ('policy a { match: source file "x"\n route: any }', "is no address"),
    ],
)
def test_how_a_file_is_not_named(text: str, told: str) -> None:
    assert any(told in one.message for one in check(text).errors)


def test_what_a_file_has_may_overlap_anything_and_is_never_taken_for_a_contradiction() -> None:
    text = TEXT.format("a.txt").replace("@listed", "@listed, destination 192.0.2.0/24")
    assert not any("contradict" in one.message for one in check(text).warnings)
    twice = TEXT.format("a.txt") + "policy b { match: destination @listed, port 1\n route: any }"
    assert any("b is never reached" in one.message for one in check(twice).warnings)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setattr(files_module, "LOOK_S", 0.0)
    monkeypatch.setattr(files_module, "SETTLED_S", 0.0)
    (tmp_path / "sets").mkdir()
    return Desk(tmp_path)


class Desk:
    """Policies of a state folder."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "sets" / "a.txt"
        self.folder = folder
        self.events: list[Event] = []
        self.traffic = FakeTraffic()
        self.desk = self.started()

    def started(self) -> PolicyDesk:
        """A service that starts."""
        clock = FakeClock(NOON)
        self.desk = PolicyDesk(
            state_dir=self.folder,
            data_dir=self.folder / "data",
            clock=clock,
            emit=self.events.append,
            routing=Routing(RoutingSettings()),
            facts=lambda: facts(countries=None, applications=None),
            traffic=lambda: self.traffic,
            learns=False,
        )
        self.desk.start()
        return self.desk

    @property
    def addresses(self) -> list[str]:
        """What was loaded last."""
        return [element for one in self.traffic.loaded[-1].sets for element in one.elements]

    def look_until(self, is_so: Callable[[], bool]) -> None:
        """As the recorder's and the control's thread do, until something is so."""
        end = time.monotonic() + 30
        while not is_so():
            assert time.monotonic() < end
            self.desk.tend()
            self.desk.look()
            time.sleep(0.005)


def test_a_changed_file_is_in_force_by_itself_and_a_broken_one_is_not(desk: Desk) -> None:
    text = TEXT.format(desk.file)
    with pytest.raises(InvalidInput, match="there is no such file"):
        desk.desk.apply(text, actor="admin")
    desk.file.write_text(MANY)
    assert desk.desk.apply(text, actor="admin")["warnings"] == []
    assert len(desk.addresses) == 200
    assert desk.desk.vocabulary()["files"] == ["a.txt"]
    desk.file.write_text(MANY + "198.51.100.1\n")
    desk.desk.check(text)  # somebody who writes a text has it read: it gets into force all the same
    desk.look_until(lambda: len(desk.addresses) == 201)
    desk.file.write_text(MANY + "broken\n")
    desk.look_until(lambda: any("“broken” is no address" in one["message"] for one in desk.desk.view()["warnings"]))
    assert len(desk.addresses) == 201
    desk.look_until(lambda: any("what it had before stays in force" in one.message for one in desk.events))
    assert desk.desk.view()["state"] == "in_force"


def test_very_many_addresses_are_not_all_shown(desk: Desk) -> None:
    desk.file.write_text("".join(f"10.{number >> 8}.{number & 255}.1\n" for number in range(5000)))
    desk.desk.apply(TEXT.format("a.txt"), actor="admin")
    shown = []
    desk.traffic.text_of = lambda program: str(shown.extend(program.sets))  # type: ignore[method-assign]
    assert desk.desk.compile()["nft"].startswith(f"# 4000 elements of set {desk.traffic.loaded[-1].sets[0].name} are")
    assert [len(one.elements) for one in shown] == [1000]


def test_a_file_that_is_gone_at_the_start_keeps_the_other_policies_in_force(desk: Desk) -> None:
    desk.file.write_text(MANY)
    text = TEXT.format("a.txt") + "policy b { match: port 1\n route: any }"
    desk.desk.apply(text, actor="admin")
    desk.file.unlink()
    view = desk.started().view()
    rows = {one["name"]: one for one in view["policies"]}
    assert view["state"] == "in_force" and rows["b"]["is_open"]
    assert rows["a"]["closed_why"] == "the file a.txt could not be read"
    assert "there is no such file" in view["warnings"][0]["message"]
    desk.file.write_text(MANY)
    desk.look_until(lambda: bool(desk.traffic.loaded[-1].sets))
    assert len(desk.addresses) == 200


def test_spans_of_nothing() -> None:
    assert list(Spans(4)) == [] and not Spans(6).has(1) and list(Texts(spans_of(4, []))) == []
