"""RSPRO: recorded frames byte for byte, any message there and back, anything else refused by name."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.core import tlv
from remsim.remotesim import rspro
from remsim.remotesim.rspro import Frame, FrameReader, Message, decode_line
from remsim.remotesim.rspro_messages import MESSAGES, RESULT_NAMES, RsproError

RECORDED = [
    json.loads(line) for line in (Path(__file__).parents[1] / "fixtures/rspro/frames.jsonl").read_text().splitlines()
]
MAPPING = "001dee07301a800102810100a212a41030060201050201003006020101020102"


def as_written(address: IPv4Address | IPv6Address) -> str:
    """As the C library writes it: ``::ffff:0.0.0.0`` where Python 3.11 has ``::ffff:0:0``."""
    return socket.inet_ntop(socket.AF_INET if address.version == 4 else socket.AF_INET6, address.packed)


LABELS = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=32)
IDS = st.integers(0, 1023)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "identity": st.fixed_dictionaries(
        {
            "type": st.sampled_from(["client", "server", "bankd"]),
            "name": LABELS,
            "software": LABELS,
            "swVersion": LABELS,
        },
        optional=dict.fromkeys(("hwManufacturer", "hwModel", "hwSerialNr", "hwVersion", "fwVersion"), LABELS),
    ),
    "clientSlot": st.fixed_dictionaries({"clientId": IDS, "slotNr": IDS}),
    "bankSlot": st.fixed_dictionaries({"bankId": IDS, "slotNr": IDS}),
    "flags": st.fixed_dictionaries(
        dict.fromkeys(("headerPresent", "finalPart", "procByteContinueTx", "procByteContinueRx"), st.booleans())
    ),
    "slotPhysStatus": st.fixed_dictionaries(
        {"resetActive": st.booleans()},
        optional=dict.fromkeys(("vccPresent", "clkActive", "cardPresent"), st.booleans()),
    ),
    "bankd": st.fixed_dictionaries({"ip": st.ip_addresses().map(as_written), "port": st.integers(0, 65535)}),
    "bankId": IDS,
    "numberOfSlots": IDS,
    "result": st.sampled_from([*RESULT_NAMES.values(), 77]),
    "atr": st.binary(min_size=1, max_size=55),
    "data": st.binary(min_size=2, max_size=260),
    "sender": st.sampled_from(["client", "server", "bankd"]),
    "severity": st.sampled_from(["minor", "major", "fatal"]),
    "code": st.sampled_from(["unknownClientConnected", "unexpectedDisconnect", "unexpectedProtocolVersion"]),
    "text": st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=255),
}


@st.composite
def messages(draw: st.DrawFn) -> Message:
    name, parts = draw(st.sampled_from(MESSAGES))
    fields = {part.name: draw(VALUES[part.name]) for part in parts if not part.optional or draw(st.booleans())}
    return Message(name, fields, tag=draw(st.integers(0, 2**31 - 1)))


def only(data: bytes) -> Frame:
    (frame,) = FrameReader().feed(data)
    return frame


@pytest.mark.parametrize("recorded", RECORDED, ids=lambda recorded: recorded["message"])
def test_a_recorded_frame_means_what_it_means_and_is_written_the_same(recorded: dict[str, Any]) -> None:
    decoded = json.loads(decode_line(recorded["frame"]))
    assert decoded == {"ok": True} | {name: recorded[name] for name in ("message", "version", "tag", "fields")}
    if recorded["version"] is not None:
        data = bytes.fromhex(recorded["frame"])
        assert rspro.decode(only(data)).encode() == data


def test_the_keep_alive_frames_are_the_recorded_ones() -> None:
    assert [rspro.PING.hex(), rspro.PONG.hex()] == [one["frame"] for one in RECORDED if one["version"] is None]


@given(messages())
def test_any_message_is_read_as_it_was_written(message: Message) -> None:
    assert rspro.decode(only(message.encode())) == message


@given(messages(), st.data())
def test_a_cut_message_is_never_another_one(message: Message, draw: st.DataObject) -> None:
    data = message.encode()
    end = draw.draw(st.integers(0, len(data) - 1))
    reader = FrameReader()
    assert list(reader.feed(data[:end])) == [] and reader.waiting == end
    assert json.loads(decode_line(data[:end].hex()))["code"] == "cut" if end else True
    body = data[3 : max(end, 4)]
    with pytest.raises(RsproError):
        rspro.decode(Frame(rspro.OSMO, body))


@given(messages(), st.data())
def test_a_damaged_message_is_a_message_or_an_rspro_error(message: Message, draw: st.DataObject) -> None:
    data = bytearray(message.encode())
    for at in draw.draw(st.lists(st.integers(3, len(data) - 1), max_size=4)):
        data[at] = draw.draw(st.integers(0, 255))
    answer = json.loads(decode_line(data.hex()))
    assert answer["ok"] or answer["error"]


@given(st.binary(max_size=80))
def test_any_body_is_a_message_or_an_rspro_error(body: bytes) -> None:
    answer = json.loads(decode_line(Frame(rspro.OSMO, b"\x07" + body).encode().hex()))
    assert answer["ok"] or answer["error"]


@given(st.text(max_size=60))
def test_any_line_is_answered(line: str) -> None:
    answer = json.loads(decode_line(line))
    assert answer["ok"] or answer["error"]


@given(st.lists(messages(), max_size=5), st.lists(st.integers(1, 40), min_size=1, max_size=8))
def test_a_stream_in_any_pieces_is_the_same_frames(sent: list[Message], sizes: list[int]) -> None:
    data = b"".join(rspro.PING + message.encode() for message in sent)
    reader, frames, at, turn = FrameReader(), [], 0, 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        frames += reader.feed(data[at : at + size])
        at, turn = at + size, turn + 1
    assert [rspro.decode(frame) for frame in frames if frame.protocol == rspro.OSMO] == sent
    assert b"".join(frame.encode() for frame in frames) == data and reader.waiting == 0


@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("0010ee07300d800102810100a205ef030a0100", "unknown_message", "ef is unknown"),
        ("ffffee07" + "00" * 20, "oversize", "65538 octets"),
        ("0401ee07", "oversize", "1028 octets"),
        (MAPPING[:-2], "cut", "32 octets, but 31"),
        ("00", "cut", "3 octets and more"),
        (MAPPING + "00", "malformed", "1 octets follow"),
        (MAPPING + "00" * 1000, "oversize", "1032 octets"),
        ("hello", "not_hex", "not hex"),
        ("001", "not_hex", "not hex"),
        ("0001fe02", "not_rspro", "neither ping nor pong"),
        ("0002ee0500", "not_rspro", "not RSPRO"),
        ("0002000100", "not_rspro", "not RSPRO"),
        ("0003ee073080", "malformed", "indefinite"),
        ("0010ee07300e800102810100a205a5030a0100", "cut", "14 octets, but 13"),
        ("000dee07300a800102810100a202a500", "malformed", "createMappingRes has no result"),
        ("0009ee073006800102810100", "malformed", "version, tag and message"),
    ],
)
def test_a_line_that_is_no_frame_says_what_is_wrong(line: str, code: str, told: str) -> None:
    answer = json.loads(decode_line(line))
    assert (answer["ok"], answer["code"]) == (False, code)
    assert told in answer["error"]


def test_blanks_between_octets_do_not_matter() -> None:
    assert json.loads(decode_line(" 00 01 FE 00\r\n"))["message"] == "ping"


def test_what_a_later_version_adds_is_skipped() -> None:
    slot = tlv.encode(0x30, tlv.encode(0x02, b"\5"), tlv.encode(0x02, b"\0"), tlv.encode(0x99, b"new"))
    bank = tlv.encode(0x30, tlv.encode(0x02, b"\1"), tlv.encode(0x02, b"\2"))
    pdu = tlv.encode(
        0x30,
        tlv.encode(0x80, b"\2") + tlv.encode(0x81, b"\0"),
        tlv.encode(0xA2, tlv.encode(0xA4, slot, bank, tlv.encode(0xBF40, b""))),
        tlv.encode(0x83, b"newer"),
    )
    assert rspro.decode_pdu(pdu) == rspro.decode(only(bytes.fromhex(MAPPING)))


def test_numbers_over_the_range_are_read_but_not_written() -> None:
    slot = {"clientId": 1024, "slotNr": 0}
    with pytest.raises(RsproError, match="clientId is a number from 0 to 1023"):
        Message("configClientIdReq", {"clientSlot": slot}).encode()
    # 1024 needs two octets as 1023 does.
    written = Message("configClientIdReq", {"clientSlot": {"clientId": 1023, "slotNr": 0}}).encode()
    assert rspro.decode(only(written.replace(b"\x03\xff", b"\x04\x00"))).fields["clientSlot"] == slot


@pytest.mark.parametrize(
    ("message", "told"),
    [
        (Message("hello"), "no message hello"),
        (Message("setAtrReq", {"clientSlot": {"clientId": 1, "slotNr": 0}}), "has no atr"),
        (Message("setAtrRes", {"result": "fine"}), "result is none of"),
        (
            Message(
                "configClientBankReq", {"bankSlot": {"bankId": 1, "slotNr": 0}, "bankd": {"ip": "bank", "port": 1}}
            ),
            "IP",
        ),
    ],
)
def test_a_message_that_cannot_be_sent_names_its_field(message: Message, told: str) -> None:
    with pytest.raises(RsproError, match=told):
        message.encode()


def test_a_frame_too_large_ends_the_stream() -> None:
    with pytest.raises(RsproError, match="more than 1024"):
        list(FrameReader().feed(b"\xff\xff\xee"))
    assert list(FrameReader(largest=70000).feed(b"\xff\xff\xee")) == []


def test_the_command_answers_each_line_and_stops_at_none() -> None:
    lines = [MAPPING.encode(), b"", b"\xff\xfe", b"ffffee07", b"0001fe00 ", b"0" * 300_000, b"0001fe01"]
    command = [sys.executable, "-m", "remsim", "remote-sim", "decode"]
    ended = subprocess.run(command, input=b"\n".join(lines), capture_output=True, timeout=30, check=True)
    answers = [json.loads(line) for line in ended.stdout.splitlines()]
    assert [answer.get("message") or answer["code"] for answer in answers] == [
        "createMappingReq",
        "not_hex",
        "oversize",
        "ping",
        "oversize",
        "pong",
    ]
