"""What the relay makes of frames on their way: one field is another, or nothing is."""

from __future__ import annotations

import contextlib
import ipaddress
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.core import tlv
from remsim.core.errors import RemsimError
from remsim.remotesim.counts import Counts
from remsim.remotesim.relay import Tap, parsed_address, redirected, shown_address
from remsim.remotesim.rspro import Frame, FrameReader, Message, decode

OWN = ("127.64.20.0", 9989)
SLOTS: dict[str, Any] = {"clientSlot": {"clientId": 5, "slotNr": 0}, "bankSlot": {"bankId": 1, "slotNr": 2}}
FLAGS = dict.fromkeys(("headerPresent", "finalPart", "procByteContinueTx", "procByteContinueRx"), False)
AUTHENTICATE = bytes.fromhex("0088008122" + "10" + "a5" * 16 + "10" + "a5" * 16)


def only(octets: bytes) -> Frame:
    return next(iter(FrameReader(65538).feed(octets)))


def tpdu(name: str, data: bytes) -> bytes:
    return Message(name, {**SLOTS, "flags": FLAGS, "data": data}).encode()


@given(st.ip_addresses(), st.integers(1, 65535), st.integers(0, 1023), st.integers(0, 2**15))
def test_the_bankds_address_and_nothing_else_becomes_another(ip: Any, port: int, slot: int, tag: int) -> None:
    fields = {"bankSlot": {"bankId": 1023, "slotNr": slot}, "bankd": {"ip": str(ip), "port": port}}
    found = redirected(only(Message("configClientBankReq", fields, tag).encode()), OWN)
    assert found is not None
    frame, bankd = found
    assert bankd is not None
    assert (ipaddress.ip_address(bankd[0]), bankd[1]) == (ip, port)  # IPv6 has several spellings
    message = decode(only(frame.encode()))
    assert message.fields == {**fields, "bankd": {"ip": OWN[0], "port": OWN[1]}}
    assert message.tag == tag
    assert parsed_address(shown_address(bankd)) == bankd


@given(st.binary(max_size=80), st.binary(max_size=20))
def test_any_octets_are_redirected_or_left_alone(body: bytes, more: bytes) -> None:
    whole = Message("configClientBankReq", {"bankSlot": SLOTS["bankSlot"], "bankd": {"ip": "10.0.0.5", "port": 9999}})
    inner = only(whole.encode()).body
    for made in (body, b"\7" + body, inner[: len(body) % len(inner)] + more, inner + more):
        frame = Frame(0xEE, made)
        with contextlib.suppress(RemsimError, ValueError):
            assert redirected(frame, OWN) is None or made.startswith(b"\7")


@given(st.integers(-(2**31), 2**31), st.binary(max_size=20), st.sampled_from([0x80, 0x81, 0x82]))
def test_places_that_are_none_are_left_alone(port: int, ip: bytes, kind: int) -> None:
    place = tlv.encode(0x30, tlv.encode(kind, ip), tlv.encode(0x02, tlv.encode_integer(port)))
    config = tlv.encode(0xB1, tlv.encode(0x30, b""), place)
    head = tlv.encode(0x80, b"\2") + tlv.encode(0x81, b"\0")
    frame = Frame(0xEE, b"\7" + tlv.encode(0x30, head, tlv.encode(0xA2, config)))
    with contextlib.suppress(RemsimError, ValueError):
        found = redirected(frame, OWN)
        assert found is not None
        assert found[1] is None or 0 < found[1][1] <= 65535


def test_a_frame_that_would_become_too_long_is_left_alone() -> None:
    def body(filler: int) -> bytes:
        place = tlv.encode(0x30, b"\x80\4abcd\2\1\5", tlv.encode(0x85, bytes(filler)))
        config = tlv.encode(0xA2, tlv.encode(0xB1, b"\x30\0", place))
        return b"\7" + tlv.encode(0x30, b"\x80\1\2\x81\1\0", config)

    longest = 65535 - (len(body(60_000)) - 60_000)
    assert len(body(longest)) == 65535
    with pytest.raises(ValueError, match="too long"):
        redirected(Frame(0xEE, body(longest)), OWN)
    assert redirected(Frame(0xEE, body(longest - 1)), OWN) is not None


@given(st.lists(st.integers(1, 40), max_size=30), st.binary(max_size=40))
def test_a_tap_counts_whatever_the_pieces_and_survives_anything(cuts: list[int], noise: bytes) -> None:
    counts = Counts()
    tap = Tap(counts, threading.Lock())
    for name, is_up, data in (
        ("tpduModemToCard", True, AUTHENTICATE),
        ("tpduCardToModem", False, bytes.fromhex("9862")),
    ):
        octets, at = tpdu(name, data), 0
        for cut in [*cuts, len(octets)]:
            tap.note(is_up, octets[at : at + cut])
            at += cut
        tap.look()
    assert (counts.tpdu_tx, counts.tpdu_rx, counts.failures) == (1, 1, {"9862": 1})
    for is_up in (True, False):
        tap.note(is_up, noise)
        tap.look()


def test_an_answer_seen_first_is_still_the_answer_to_its_command() -> None:
    counts = Counts()
    tap = Tap(counts, threading.Lock())
    tap.note(True, tpdu("tpduModemToCard", AUTHENTICATE))
    tap.note(False, tpdu("tpduCardToModem", bytes.fromhex("9864")))
    tap.look()
    tap.look()
    assert counts.failures == {"9864": 1}
    assert sum(counts.delays) == 1
