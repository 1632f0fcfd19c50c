"""Names in policies, what is remembered of addresses, and what dnsmasq is given."""

from __future__ import annotations

import ctypes
import struct
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from remsim.core.errors import InvalidInput
from remsim.policies.facts import Wanted
from remsim.policies.learning import missing, ndpi
from remsim.policies.learning import names as names_module
from remsim.policies.learning import rungs as rungs_module
from remsim.policies.learning.dns_answer import parse_answer
from remsim.policies.learning.dnsmasq import MOST_OF_LINE, Dnsmasq, _folders, lines_of
from remsim.policies.learning.names import MOST_ADDRESSES, REFRESH_S, Names
from remsim.policies.learning.nflog import PACKET, packets
from remsim.policies.learning.packets import octets_of
from remsim.policies.learning.patterns import above, checked_domain, domain_sets, is_below, read_name
from remsim.policies.learning.rungs import rungs
from remsim.policies.learning.taps import NEVER, post_taps, taps

VIDEO = Wanted("d_video4", "d_video6", ("video.example", "cdn.example"), ("video",))
NEWS = Wanted("d_news4", "d_news6", ("news.video.example",))


def octets(address: str) -> bytes:
    found = octets_of(address)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("youtube.com", "youtube.com"),
        ("*.YouTube.com.", "youtube.com"),
        ("Bücher.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("例え.テスト", "xn--r8jz45g.xn--zckzah"),
        ("_dmarc.a-b.example", "_dmarc.a-b.example"),
        ("com", "com"),
    ],
)
def test_name_is_kept_as_it_stands_in_packets(text: str, kept: str) -> None:
    assert checked_domain(text) == kept
    assert read_name(kept.encode()) == kept


@pytest.mark.parametrize(
    "text",
    ["", "*", "*.", "*.*.com", "a.*.com", "a?.com", "a..b", "a b.com", "a/b.com", "a#b", "a\nserver=/x/1.2.3.4", "a\0b",
     "-a.com", "a-.com", "1.2.3.4", "0x7f.1", "x" * 64 + ".com", ".".join(["abcdefgh"] * 30), "☃.net", "a,b", "a=b",
     "a\u202eb.com", "ü" * 60 + ".com", "\u00ad", "a．．b"],
)  # fmt: skip
def test_what_is_no_name_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(InvalidInput) as told:
        checked_domain(text)
    assert "\n" not in told.value.message and len(told.value.message) < 200


@given(st.text(max_size=80))
def test_any_text_is_refused_or_safe_in_a_line_of_dnsmasq(text: str) -> None:
    try:
        kept = checked_domain(text)
    except InvalidInput:
        return
    assert kept.isascii() and not set(kept) - set("abcdefghijklmnopqrstuvwxyz0123456789-_.") and 0 < len(kept) <= 253
    assert checked_domain(kept) == kept


def test_name_means_all_below_it_and_nothing_else() -> None:
    assert list(above("a.b.example")) == ["a.b.example", "b.example", "example"]
    assert is_below("a.b.example", "b.example") and is_below("b.example", "b.example")
    assert not is_below("xb.example", "b.example")


def test_sets_are_named_by_what_they_hold_not_by_their_place() -> None:
    one, other = domain_sets(["a.example", "b.example"]), domain_sets(["b.example", "a.example"])
    assert one == other != domain_sets(["a.example"])
    assert all(code.is_learned and "size 65536" in code.declaration for code in one)


def test_address_goes_to_the_sets_of_all_domains_above_its_name() -> None:
    names = Names()
    names.want([VIDEO, NEWS], 0.0)
    assert names.learn(octets("203.0.113.1"), "eu.news.video.example", "sni", 1.0) == {
        "d_news4": ["203.0.113.1"],
        "d_video4": ["203.0.113.1"],
    }
    assert names.learn(octets("2001:db8::1"), "cdn.example", "dns", 1.0) == {"d_video6": ["2001:db8::1"]}
    assert names.learn(octets("203.0.113.2"), "xcdn.example", "sni", 1.0) == {}
    assert names.name_of("203.0.113.1", 2.0) == "eu.news.video.example"
    assert names.addresses_of("video.example", 2.0) == ("203.0.113.1",)


def test_known_addresses_are_put_into_the_sets_of_new_policies() -> None:
    names = Names()
    names.learn(octets("203.0.113.1"), "a.video.example", "sni", 1.0)
    assert names.want([VIDEO], 2.0) == {"d_video4": ["203.0.113.1"]}
    assert names.want([VIDEO], 1e6) == {}


def test_address_that_is_seen_again_is_put_in_again_only_after_a_while() -> None:
    names = Names()
    names.want([VIDEO], 0.0)
    known = (octets("203.0.113.1"), "video.example", "sni")
    assert names.learn(*known, 1.0)
    assert not names.learn(*known, REFRESH_S)
    assert names.learn(*known, REFRESH_S + 2.0)


@pytest.mark.parametrize("address", ["192.168.1.1", "10.0.0.1", "127.0.0.1", "169.254.1.1", "fe80::1", "fd00::1"])
def test_name_that_leads_to_a_private_address_leads_nowhere(address: str) -> None:
    names = Names()
    names.want([VIDEO], 0.0)
    assert names.learn(octets(address), "video.example", "dns", 1.0) == {}
    assert names.learn_applications(octets(address), ["video"], 1.0) == {}
    assert names.name_of(address, 1.0) is None


def test_memory_of_addresses_is_bounded_and_ends() -> None:
    names = Names()
    for number in range(MOST_ADDRESSES + 100):
        names.learn(struct.pack("!I", 0xCB000000 + number), "a.example", "sni", 1.0)
    assert len(names) == MOST_ADDRESSES
    assert names.name_of("203.0.0.5", 1.0) is None and names.name_of("203.0.0.200", 1.0) == "a.example"
    assert names.name_of("203.0.0.200", 1e6) is None


def test_set_that_is_filled_with_ever_new_addresses_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names_module, "MOST_OF_SET", 50)
    names = Names()
    names.want([VIDEO], 0.0)
    added = 0
    for number in range(1000):
        found = names.learn(struct.pack("!I", 0xCB000000 + number), "video.example", "sni", 1.0)
        added += sum(len(addresses) for addresses in found.values())
    assert added == 50 and names.is_full
    late = names.learn(octets("203.0.113.9"), "video.example", "sni", 1e6)
    assert late == {"d_video4": ["203.0.113.9"]}  # those before have left the set


def test_name_of_a_front_does_not_hide_the_one_that_was_asked_for() -> None:
    names = Names()
    address = octets("203.0.113.1")
    names.learn(address, "shop.example", "dns", 1.0)
    names.learn(address, "front.example", "sni", 2.0, is_front=True)
    assert names.name_of("203.0.113.1", 3.0) == "shop.example"
    names.learn(address, "other.example", "sni", 4.0)
    assert names.name_of("203.0.113.1", 5.0) == "other.example"


def test_applications_go_to_the_sets_that_ask_for_them() -> None:
    names = Names()
    names.want([VIDEO, NEWS], 0.0)
    assert names.learn_applications(octets("203.0.113.1"), ["zoom", "video"], 1.0) == {"d_video4": ["203.0.113.1"]}


def test_line_of_dnsmasq_names_the_sets_of_the_domains_above_too() -> None:
    assert lines_of([VIDEO, NEWS]) == [
        "nftset=/cdn.example/4#inet#remsim#d_video4,6#inet#remsim#d_video6",
        "nftset=/news.video.example/4#inet#remsim#d_news4,6#inet#remsim#d_news6,"
        "4#inet#remsim#d_video4,6#inet#remsim#d_video6",
        "nftset=/video.example/4#inet#remsim#d_video4,6#inet#remsim#d_video6",
    ]


def test_lines_stay_as_short_as_dnsmasq_reads_them() -> None:
    many = [Wanted(f"d_{one:010d}4", f"d_{one:010d}6", ("a.example",)) for one in range(100)]
    (line,) = lines_of(many)
    assert 900 < len(line) <= MOST_OF_LINE and line[-1] in "46"


def test_name_that_was_not_checked_does_not_get_into_the_file() -> None:
    with pytest.raises(InvalidInput):
        lines_of([Wanted("d_a4", "d_a6", ("a.example/\nserver=/#/1.2.3.4",))])


def test_folders_of_dnsmasq_are_found_in_arguments_and_files(tmp_path: Path) -> None:
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    for folder in (one, two, three):
        folder.mkdir()
    file = tmp_path / "dnsmasq.conf"
    lines = ("# conf-dir=/x", f"conf-dir={one}", f"conf-dir={two},*.conf", f"conf-dir={three},.conf", "conf-dir=/none")
    file.write_text("\n".join(lines))
    assert _folders(["dnsmasq", "-C", str(file), "-k", ""]) == (one, two)
    assert _folders(["dnsmasq", f"--conf-file={file}"]) == (one, two)
    assert _folders(["dnsmasq", "--conf-file=/dev/null", "-7", f"{three},.dpkg-dist,.dpkg-old"]) == (three,)


@pytest.mark.parametrize(("options", "why"), [("no-nftset auth", "built without nftset"), ("nftset auth", None)])
def test_dnsmasq_without_sets_is_given_none(tmp_path: Path, options: str, why: str | None) -> None:
    program = tmp_path / "dnsmasq"
    program.write_text(f"#!/bin/sh\necho Compile time options: {options}\n")
    program.chmod(0o755)
    (tmp_path / "d").mkdir()
    proc = tmp_path / "proc"
    for name in ("4711", "thread-self"):
        (proc / name / "ns").mkdir(parents=True)
        (proc / name / "ns/net").symlink_to("net:[1]")
    (proc / "4711/comm").write_text("dnsmasq\n")
    (proc / "4711/cmdline").write_bytes(f"dnsmasq\0--conf-file=/dev/null\0--conf-dir={tmp_path / 'd'}\0".encode())
    (proc / "4711/exe").symlink_to(program)
    found = Dnsmasq(proc=proc, restart=lambda: None).why_not()
    assert found == why or (why is not None and found is not None and why in found)


def answer(name: str, *records: tuple[int, bytes], flags: int = 0x8180) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split(".")) + b"\0"
    body = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 300, len(data)) + data for kind, data in records)
    return struct.pack("!HHHHHH", 7, flags, 1, len(records), 0, 0) + labels + struct.pack("!HH", 1, 1) + body


def test_answer_of_dns_gives_the_addresses_of_the_name_that_was_asked() -> None:
    found = parse_answer(answer("www.Video.example", (5, b"\3cdn\xc0\x10"), (1, b"\xcb\0\x71\1"), (28, bytes(16))))
    assert found is not None
    assert (found.name, found.addresses, found.ttl_s) == ("www.video.example", (b"\xcb\0\x71\1", bytes(16)), 300)


def test_questions_errors_and_empty_answers_say_nothing() -> None:
    for raw in (
        answer("a.example", (1, bytes(4)), flags=0x0100),
        answer("a.example", (1, bytes(4)), flags=0x8183),
        answer("a.example", (5, b"\0")),
        answer("a.example"),
        answer("a/b.example", (1, bytes(4))),
        b"",
    ):
        assert parse_answer(raw) is None


@settings(max_examples=300)
@given(st.data())
def test_any_answer_is_survived(data: st.DataObject) -> None:
    raw = bytearray(answer("www.video.example", (5, b"\3cdn\xc0\x10"), (1, b"\xcb\0\x71\1"), (28, bytes(16))))
    for _ in range(data.draw(st.integers(0, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    found = parse_answer(bytes(raw[: data.draw(st.integers(0, len(raw)))]))
    assert found is None or all(len(one) in (4, 16) for one in found.addresses)


@given(st.binary(max_size=200))
def test_any_message_of_netlink_is_survived(raw: bytes) -> None:
    list(packets(raw))
    list(packets(struct.pack("=IHHII", len(raw) + 16, PACKET, 0, 0, 0) + raw))


def test_packets_are_found_in_messages_of_netlink() -> None:
    attribute = struct.pack("=HH", 4 + 5, 9) + b"hello" + bytes(3)
    body = bytes(4) + struct.pack("=HH", 8, 1) + bytes(4) + attribute
    message = struct.pack("=IHHII", 16 + len(body), PACKET, 0, 0, 0) + body
    assert list(packets(message * 2)) == [b"hello", b"hello"]


def test_ndpi_of_another_version_is_refused_with_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    revision = type("Revision", (), {"restype": None, "__call__": lambda self: b"5.0.0-dev"})()
    monkeypatch.setattr(ctypes, "CDLL", lambda name: SimpleNamespace(ndpi_revision=revision))
    with pytest.raises(ndpi.NoNdpi, match=r"nDPI 5.0.0-dev is here, and only 4.2, 4.4, 4.6, 4.8, 4.10 can be used"):
        ndpi.library()


def test_ndpi_that_is_not_installed_names_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", missing)
    with pytest.raises(ndpi.NoNdpi) as told:
        ndpi.library()
    assert told.value.hint == "install libndpi"


def test_rung_that_is_off_says_what_it_would_lack(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(missing, "NFLOG", tmp_path / "nothing")
    monkeypatch.setattr(missing, "NDPI", (str(tmp_path / "libndpi*"),))
    monkeypatch.setattr(missing, "SIP", tmp_path / "nothing")
    monkeypatch.setattr(Dnsmasq, "instances", lambda self: [])
    looked = missing.Missing()
    assert looked() == {
        "dnsmasq": "dnsmasq does not run",
        "dns": "the kernel copies no packets here",
        "sni": "the kernel copies no packets here",
        "quic": "the kernel copies no packets here",
        "sip": "this kernel has no helper for SIP",
        "ndpi": "nDPI is not installed",
    }
    assert looked() is looked()
    monkeypatch.setattr(rungs_module, "missing", looked)
    off = rungs(names=False, ndpi=False, dnsmasq=True, has_patterns=False, problems={}, named={})
    here = [(one["rung"], one["is_there"]) for one in off[:3]]
    assert here == [("headers", True), ("sip", False), ("dnsmasq", False)]
    wanted = rungs(names=False, ndpi=False, dnsmasq=True, has_patterns=False, problems={}, named={}, sip=True)[1]
    assert (wanted["is_on"], wanted["is_there"], wanted["package"]) == (True, False, "kmod-nf-nathelper-extra")
    assert wanted["why"] == "this kernel has no helper for SIP"
    assert off[-1]["why"] == "nDPI is not installed"


@pytest.mark.parametrize(
    ("files", "why"),
    [
        (["libndpi.so", "libndpi.so.5", "libndpi.so.5.0"], "nDPI 5 is here, and only versions 4.2 to 4.10 can be used"),
        (["libndpi.so.4", "libndpi.so.5"], None),
        (["libndpi.so"], None),
    ],
)
def test_a_version_of_ndpi_that_cannot_be_used_is_told_before_it_is_switched_on(
    files: list[str], why: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in files:
        (tmp_path / name).touch()
    monkeypatch.setattr(missing, "NDPI", (str(tmp_path / "libndpi.so*"),))
    assert missing.Missing()().get("ndpi") == why


def test_rungs_say_what_is_on_what_it_costs_and_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rungs_module, "missing", dict)
    nothing = rungs(names=False, ndpi=False, dnsmasq=True, has_patterns=False, problems={}, named={})
    off = {one["rung"]: one for one in nothing}
    assert list(off) == ["headers", "sip", "dnsmasq", "dns", "sni", "quic", "ndpi"]
    assert all(one["cost"] and one["missed"] for one in off.values())
    assert (off["dnsmasq"]["why"], off["sni"]["why"]) == ("no policy asks for a name that it can tell", "switched off")
    on = {
        one["rung"]: one
        for one in rungs(
            names=True,
            ndpi=True,
            dnsmasq=True,
            has_patterns=True,
            problems={"ndpi": "nDPI is not installed"},
            named={"sni": 5},
            fronts=3,
        )
    }
    assert (on["sni"]["is_there"], on["sni"]["named"]) == (True, 5) and "read 3 had it" in on["sni"]["missed"]
    assert (on["ndpi"]["is_there"], on["ndpi"]["why"]) == (False, "nDPI is not installed")


def test_packets_are_copied_only_for_what_is_on() -> None:
    assert taps(learn_names=False, use_ndpi=False) == post_taps(learn_names=False) == ()
    assert len(taps(learn_names=True, use_ndpi=False)) == 2
    assert all("limit rate" in rule for rule in (*taps(learn_names=True, use_ndpi=True), *post_taps(learn_names=True)))
    assert {code.name for code in NEVER} == {"never4", "never6"}
