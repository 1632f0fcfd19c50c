"""RSPRO, the protocol between osmo-remsim's client, server and bankd: messages and their frames, without any I/O.

A message is DER in an IPA frame: two octets with the length of what follows the third, the protocol, its body.
Source: RSPRO.asn of osmo-remsim 4b36651 and conversations of its programs.
"""

from __future__ import annotations

import binascii
import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from remsim.core import tlv
from remsim.core.tlv import TlvError
from remsim.remotesim.rspro_messages import BY_NAME, BY_TAG, LARGEST_FRAME, RsproError

VERSION = 2
OSMO, IPA = 0xEE, 0xFE
"""Protocols of a frame: Osmocom's extension, in which RSPRO is one, and the frames' own keep-alive."""
RSPRO = 0x07
PING, PONG = b"\x00\x01\xfe\x00", b"\x00\x01\xfe\x01"
HEAD = 3
SERVER_PORT, BANKD_PORT, REST_PORT = 9998, 9999, 9997
NO_FIELDS: Mapping[str, Any] = {}


class Frame(NamedTuple):
    """One IPA frame of a stream."""

    protocol: int
    body: bytes

    def encode(self) -> bytes:
        """Its octets."""
        return len(self.body).to_bytes(2) + bytes((self.protocol,)) + self.body


class Message(NamedTuple):
    """One RSPRO message; ``fields`` has the names of ``MESSAGES``, slots as ``{"clientId": 5, "slotNr": 0}``.

    ``tag`` is the requester's number. The stock programs do not count it and do not always give it back, so nothing
    may be matched by it.
    """

    name: str
    fields: Mapping[str, Any] = NO_FIELDS
    tag: int = 0
    version: int = VERSION

    def encode(self) -> bytes:
        """The whole frame; ``RsproError`` names a field that cannot be one."""
        known = BY_NAME.get(self.name)
        if known is None:
            raise RsproError(f"there is no message {self.name}", field="name")
        choice, form = known
        content = tlv.encode(0xA0 + choice, form.encode(self.fields, self.name))
        head = tlv.encode(0x80, tlv.encode_integer(self.version)) + tlv.encode(0x81, tlv.encode_integer(self.tag))
        return Frame(OSMO, bytes((RSPRO,)) + tlv.encode(0x30, head, tlv.encode(0xA2, content))).encode()


class FrameReader:
    """Takes a stream apart into frames, in whatever pieces it arrives."""

    def __init__(self, largest: int = LARGEST_FRAME) -> None:
        self._largest = largest
        self._data = bytearray()

    @property
    def waiting(self) -> int:
        """Octets of a frame that is not complete."""
        return len(self._data)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """Each frame that is complete now; ``RsproError`` for one too large, after which the stream is lost."""
        self._data += data
        while len(self._data) >= HEAD:
            end = HEAD + int.from_bytes(self._data[:2])
            if end > self._largest:
                raise oversize(end, self._largest)
            if len(self._data) < end:
                return
            frame = Frame(self._data[2], bytes(self._data[HEAD:end]))
            del self._data[:end]
            yield frame


def oversize(octets: int, largest: int = LARGEST_FRAME) -> RsproError:
    """The error of a frame that says it is longer than any may be."""
    return RsproError(f"the frame says it has {octets} octets, more than {largest}", code="oversize")


def decode(frame: Frame) -> Message:
    """The message in a frame; ``RsproError`` says what is wrong with it."""
    if frame.protocol != OSMO or frame.body[:1] != bytes((RSPRO,)):
        raise RsproError(f"protocol {frame.protocol:02x} {frame.body[:1].hex()} is not RSPRO", code="not_rspro")
    try:
        return decode_pdu(frame.body[1:])
    except TlvError as error:
        raise RsproError(error.message, code="cut" if error.is_cut else "malformed") from error


def decode_pdu(data: bytes) -> Message:
    """The message in the DER of a frame; ``RsproError`` or ``TlvError``."""
    pdu = tlv.read_one(data)
    parts = pdu.children() if pdu.tag == 0x30 else ()
    if [part.tag for part in parts[:3]] != [0x80, 0x81, 0xA2]:
        raise RsproError("it is not version, tag and message")
    chosen = tlv.read_one(parts[2].value)
    known = BY_TAG.get(chosen.tag)
    if known is None:
        raise RsproError(f"the message {chosen.tag:02x} is unknown", code="unknown_message")
    name, form = known
    number = tlv.read_integer(parts[1].value)
    return Message(name, form.decode(chosen.value, name), number, tlv.read_integer(parts[0].value))


def decode_line(line: str) -> str:
    """Answer a line of hex, one frame, with a line of JSON; never raises.

    ``{"ok": true, "message", "version", "tag", "fields"}`` or ``{"ok": false, "error", "code"}``; octets are hex.
    """
    try:
        answer: dict[str, Any] = {"ok": True, **_described(_frame_of(line))}
    except RsproError as error:
        answer = {"ok": False, "error": error.message, "code": error.code}
    return json.dumps(answer, default=bytes.hex)


def _frame_of(line: str) -> Frame:
    try:
        data = binascii.unhexlify("".join(line.split()))
    except ValueError as error:
        raise RsproError("it is not hex, two digits an octet", code="not_hex") from error
    if len(data) < HEAD:
        raise RsproError(f"a frame has {HEAD} octets and more, {len(data)} are there", code="cut")
    end = HEAD + int.from_bytes(data[:2])
    if end > LARGEST_FRAME:
        raise oversize(end)
    if len(data) > LARGEST_FRAME:
        raise RsproError(f"{len(data)} octets are more than the {LARGEST_FRAME} of a frame", code="oversize")
    if len(data) < end:
        raise RsproError(f"the frame says it has {end} octets, but {len(data)} are there", code="cut")
    if len(data) > end:
        raise RsproError(f"{len(data) - end} octets follow the frame of {end}")
    return Frame(data[2], data[HEAD:])


def _described(frame: Frame) -> dict[str, Any]:
    if frame.protocol == IPA:
        name = {b"\0": "ping", b"\1": "pong"}.get(frame.body)
        if name is None:
            raise RsproError(f"{frame.body.hex()!r} is neither ping nor pong", code="not_rspro")
        return {"message": name, "version": None, "tag": None, "fields": {}}
    message = decode(frame)
    return {"message": message.name, "version": message.version, "tag": message.tag, "fields": message.fields}
