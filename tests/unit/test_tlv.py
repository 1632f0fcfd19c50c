"""The BER codec: any tree survives, anything else is refused with a place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.core import tlv
from remsim.core.tlv import Tlv, TlvError

PRIMITIVE = st.sampled_from([0x01, 0x02, 0x04, 0x5A, 0x80, 0x9F70, 0x5F37, 0x9F8123])
CONSTRUCTED = st.sampled_from([0x30, 0xA0, 0xB4, 0xBF2D, 0xBF8130, 0x7F21])
LEAVES = st.builds(tlv.encode, PRIMITIVE, st.binary(max_size=300))
TREES = st.recursive(
    LEAVES,
    lambda inner: st.builds(lambda tag, parts: tlv.encode(tag, *parts), CONSTRUCTED, st.lists(inner, max_size=4)),
    max_leaves=12,
)


def rewritten(data: bytes) -> bytes:
    """Taken apart to the leaves and put together again."""
    return b"".join(
        tlv.encode(one.tag, rewritten(one.value)) if one.is_constructed else one.encode() for one in tlv.read_all(data)
    )


@given(TREES)
def test_any_tree_is_taken_apart_and_put_together_to_the_same_octets(data: bytes) -> None:
    assert rewritten(data) == data


@given(st.binary(max_size=200))
def test_any_octets_are_objects_or_a_tlv_error(data: bytes) -> None:
    try:
        rewritten(data)
    except TlvError as error:
        assert 0 <= error.offset <= len(data)


@given(TREES, st.data())
def test_a_cut_object_says_that_more_would_help(data: bytes, draw: st.DataObject) -> None:
    end = draw.draw(st.integers(0, len(data) - 1))
    with pytest.raises(TlvError) as caught:
        tlv.read_one(data[:end])
    assert caught.value.is_cut


@given(st.integers(-(2**70), 2**70))
def test_integers_are_the_shortest_twos_complement(number: int) -> None:
    octets = tlv.encode_integer(number)
    assert tlv.read_integer(octets) == number
    if len(octets) > 1:
        assert octets[0] not in (0, 0xFF) or (octets[0] ^ octets[1]) & 0x80


@pytest.mark.parametrize(
    ("number", "octets"),
    [(0, "00"), (127, "7f"), (128, "0080"), (9999, "270f"), (2342, "0926"), (-1, "ff"), (-128, "80")],
)
def test_integers_as_the_standards_write_them(number: int, octets: str) -> None:
    assert tlv.encode_integer(number).hex() == octets


@pytest.mark.parametrize(
    ("length", "head"),
    [(0, "0400"), (127, "047f"), (128, "048180"), (255, "0481ff"), (256, "04820100"), (65536, "0483010000")],
)
def test_the_shortest_length_is_written(length: int, head: str) -> None:
    octets = tlv.encode(0x04, bytes(length))
    assert octets[: -length or None].hex() == head
    assert tlv.read_one(octets) == Tlv(0x04, bytes(length))


@pytest.mark.parametrize(
    ("octets", "told"),
    [
        ("", "before a tag"),
        ("30", "before a length"),
        ("3080040100 0000", "indefinite"),
        ("3085 0000000001 00", "more than 4 octets"),
        ("308200", "inside a length"),
        ("3003 0401", "3 octets, but 2 are there"),
        ("bf", "inside a tag"),
        ("bf80 01 00", "empty octet"),
        ("bf8181812d 00", "more than 4 octets"),
        ("0000", "00 is not a tag"),
        ("0400 05", "1 octets follow"),
    ],
)
def test_what_is_no_object_is_refused_with_its_reason(octets: str, told: str) -> None:
    with pytest.raises(TlvError, match=told):
        tlv.read_one(bytes.fromhex(octets))


def test_a_longer_length_than_needed_is_read() -> None:
    assert tlv.read_one(bytes.fromhex("04840000000161")) == Tlv(0x04, b"a")


@pytest.mark.parametrize("tag", [0, -1, 0x1F, 0xBF80, 0x8000, 0xBFFF, 2**40])
def test_a_number_that_is_no_tag_is_not_written(tag: int) -> None:
    with pytest.raises(TlvError):
        tlv.encode(tag)


def test_an_object_is_found_along_its_tags() -> None:
    profiles = tlv.encode(
        0xBF2D, tlv.encode(0xA0, tlv.encode(0xE3, tlv.encode(0x5A, b"\x98"), tlv.encode(0x9F70, b"\1")))
    )
    whole = tlv.read_one(profiles)
    found = whole.find(0xA0, 0xE3, 0x9F70)
    assert found is not None and found.value == b"\1"
    assert whole.find(0xA0, 0xE4) is None
    assert whole.is_constructed and not found.is_constructed


def test_deep_nesting_costs_no_stack() -> None:
    data = b""
    for _ in range(5000):
        data = tlv.encode(0x30, data)
    one = tlv.read_one(data)
    for _ in range(4999):
        (one,) = one.children()
    assert one == Tlv(0x30, b"")
