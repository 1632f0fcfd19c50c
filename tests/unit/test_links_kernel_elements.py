"""Elements of sets as the kernel has them, and large sets that libnftables does not read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.core.routes import Choice, PolicyCode, Program, RingSpec, SetCode
from remsim.links.kernel.elements import Form, element_of, form_of, key_of, span_of
from remsim.links.kernel.table import text_of
from remsim.links.kernel.wide import MOST, pieces_of, whole_name, wide_names, widened, widened_rules

TUPLE = ("ipv4_addr", "inet_service", "ipv4_addr", "inet_service")
RANGES = tuple(f"10.{n}.0.0/16" for n in range(MOST + 1))


@pytest.mark.parametrize(
    ("declaration", "form", "is_known"),
    [
        ("type ifname; flags timeout; timeout 30s;", Form(("ifname",), False), True),
        ("type ipv4_addr . inet_service . ipv4_addr; flags dynamic,timeout;", Form(TUPLE[:3], False), True),
        ("type ipv4_addr . inet_proto; flags interval;", Form(("ipv4_addr", "inet_proto"), True), True),
        ("type ipv4_addr; flags interval; auto-merge;", Form(("ipv4_addr",), True), False),
        ("type ether_addr;", Form(("ether_addr",), False), False),
        ("typeof numgen inc mod 16 : verdict;", Form(("",), False), False),
    ],
)
def test_the_form_of_a_set_is_read_from_its_declaration(declaration: str, form: Form, is_known: bool) -> None:
    assert form_of(declaration) == form
    assert form_of(declaration).is_known is is_known


def test_keys_are_as_the_kernel_compares_them() -> None:
    assert key_of(("ifname",), '"br-lan"') == b"br-lan".ljust(16, b"\0")
    assert key_of(("nf_proto",), "ipv6") == b"\x0a"
    assert key_of(TUPLE, "192.0.2.1 . 443 . 198.51.100.1 . 80") == bytes.fromhex(
        "c0000201 01bb0000 c6336401 00500000".replace(" ", "")
    )


@pytest.mark.parametrize(
    ("kind", "text", "first", "last"),
    [
        ("ipv4_addr", "192.0.2.7", "c0000207", "c0000207"),
        ("ipv4_addr", "192.0.2.7/24", "c0000200", "c00002ff"),
        ("ipv4_addr", "192.0.2.1-192.0.2.9", "c0000201", "c0000209"),
        ("ipv4_addr", "0.0.0.0/0", "00000000", "ffffffff"),
        ("ipv6_addr", "2001:db8::/126", "20010db8" + "0" * 24, "20010db8" + "0" * 23 + "3"),
    ],
)
def test_a_range_has_a_first_and_a_last_address(kind: str, text: str, first: str, last: str) -> None:
    assert span_of(kind, text) == (bytes.fromhex(first), bytes.fromhex(last))


@given(st.sampled_from([*TUPLE[:2], "ipv6_addr", "ifname", "nf_proto", "inet_proto"]), st.text(max_size=40))
def test_any_text_is_an_element_or_a_value_error(kind: str, text: str) -> None:
    for form in (Form((kind,), False), Form((kind, "inet_proto"), True)):
        try:
            element_of(form, text)
        except ValueError:
            continue


@pytest.mark.parametrize("port", ["-1", "65536"])
def test_what_is_no_port_is_a_value_error(port: str) -> None:
    with pytest.raises(ValueError, match=port):
        element_of(Form(("inet_service",), False), port)


def program(*elements: str) -> Program:
    one = SetCode("c_DE4", "type ipv4_addr; flags interval;", elements)
    rule = "ip daddr @c_DE4 ip daddr != @never4 goto pick_1"
    return Program((PolicyCode(1, "near", (rule,), RingSpec("p_1", (Choice("any"),))),), (one,))


def test_a_set_of_few_ranges_stays_as_it_is() -> None:
    few = program("192.0.2.0/24")
    assert widened(few) == few
    assert "elements = { 192.0.2.0/24 }" in text_of(few, (), {}, ())


def test_a_large_one_is_widened_with_the_rules_that_name_it_and_no_others() -> None:
    many = widened(program(*RANGES))
    assert many.sets[0].name == "c_DE4w"
    assert many.sets[0].declaration == "type ipv4_addr . inet_proto; flags interval;"
    assert many.sets[0].is_apart
    assert many.policies[0].rules == ("ip daddr . meta l4proto @c_DE4w ip daddr != @never4 goto pick_1",)
    assert "10.0.0.0/16 . 0-255, 10.1.0.0/16 . 0-255" in text_of(program(*RANGES), (), {}, ())
    names = wide_names(program(*RANGES))
    assert widened_rules(("ip6 saddr != @c_DE4 accept", "tcp dport 25 drop"), names) == (
        "ip6 saddr . meta l4proto != @c_DE4w accept",
        "tcp dport 25 drop",
    )


def test_a_very_large_one_is_several_with_a_rule_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("remsim.links.kernel.wide.PREFIXES", 30)
    whole = program(*RANGES)
    many = widened(whole)
    names = [one.name for one in many.sets]
    assert names == ["c_DE4w_1", "c_DE4w_2", "c_DE4w_3"]
    assert tuple(value for one in many.sets for value in one.elements) == RANGES
    assert [many.sets[1].elements[0], *many.sets[1].elements[1:3]] == list(many.sets[1].elements)[:3]
    assert many.policies[0].rules == tuple(
        f"ip daddr . meta l4proto @{name} ip daddr != @never4 goto pick_1" for name in names
    )
    assert {whole_name(name) for name in names} == {"c_DE4w"}
    (negated,) = widened_rules(("ip saddr != @c_DE4 goto pick_1",), wide_names(whole))
    assert negated == " ".join([*(f"ip saddr . meta l4proto != @{name}" for name in names), "goto pick_1"])
    both = widened_rules(("ip saddr @c_DE4 ip daddr @c_DE4 accept",), wide_names(whole))
    assert len(set(both)) == 9


def test_ranges_of_many_prefixes_are_in_smaller_pieces() -> None:
    assert pieces_of([f"10.{n >> 8}.{n & 255}.0/24" for n in range(50_000)], "ipv4_addr") == 1
    assert pieces_of([f"10.{n >> 8}.{n & 255}.1-10.{n >> 8}.{n & 255}.254" for n in range(50_000)], "ipv4_addr") == 8
    assert pieces_of(["0.0.0.0-255.255.255.255", "no address"], "ipv4_addr") == 1
