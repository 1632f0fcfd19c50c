"""The messages of RSPRO and their fields: one table, and how each kind of value is written.

Source: RSPRO.asn of osmo-remsim 4b36651 and conversations of its programs.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from remsim.core import tlv
from remsim.core.errors import RemsimError

LARGEST_FRAME = 1024
"""Octets of a whole frame; the stock programs build none that is larger."""
LARGEST_ID = 1023


class RsproError(RemsimError):
    """Octets are no RSPRO; ``code`` says how: cut, oversize, unknown_message, not_rspro, not_hex, malformed."""

    code = "malformed"
    http_status = 502


class Form(NamedTuple):
    """How a value is written; ``tag`` is the one it has where the protocol does not give it another."""

    tag: int
    encode: Callable[[Any, str], bytes]
    decode: Callable[[bytes, str], Any]


def _integer(most: int) -> Form:
    def encode(value: Any, name: str) -> bytes:
        if not isinstance(value, int) or not 0 <= value <= most:
            raise RsproError(f"{name} is a number from 0 to {most}", field=name)
        return tlv.encode_integer(value)

    return Form(0x02, encode, lambda value, name: tlv.read_integer(value))


def _octets(most: int) -> Form:
    def encode(value: Any, name: str) -> bytes:
        if not isinstance(value, bytes) or len(value) > most:
            raise RsproError(f"{name} has up to {most} octets", field=name)
        return value

    return Form(0x04, encode, lambda value, name: value)


def _text(most: int) -> Form:
    def encode(value: Any, name: str) -> bytes:
        if not isinstance(value, str) or not value.isascii() or not 1 <= len(value) <= most:
            raise RsproError(f"{name} has 1 to {most} characters of ASCII", field=name)
        return value.encode()

    return Form(0x16, encode, lambda value, name: value.decode("ascii", "backslashreplace"))


def _enumerated(names: Mapping[int, str]) -> Form:
    numbers = {name: number for number, name in names.items()}

    def encode(value: Any, name: str) -> bytes:
        number = numbers.get(value, value)
        if not isinstance(number, int):
            raise RsproError(f"{name} is none of {', '.join(numbers)}", field=name)
        return tlv.encode_integer(number)

    def decode(value: bytes, name: str) -> str | int:
        number = tlv.read_integer(value)
        return names.get(number, number)

    return Form(0x0A, encode, decode)


def _read_flag(value: bytes, name: str) -> bool:
    if len(value) != 1:
        raise RsproError(f"{name} is a flag of {len(value)} octets", field=name)
    return value != b"\0"


FLAG = Form(0x01, lambda value, name: b"\xff" if value else b"\0", _read_flag)


class Part(NamedTuple):
    """A field of a sequence; ``tag`` None: its form's own."""

    name: str
    form: Form
    tag: int | None = None
    optional: bool = False


def _sequence(*parts: Part) -> Form:
    tagged = [(part, part.form.tag if part.tag is None else part.tag) for part in parts]

    def encode(value: Any, name: str) -> bytes:
        written = []
        for part, tag in tagged:
            inner = value.get(part.name)
            if inner is not None:
                written.append(tlv.encode(tag, part.form.encode(inner, part.name)))
            elif not part.optional:
                raise RsproError(f"{name} has no {part.name}", field=part.name)
        return b"".join(written)

    def decode(value: bytes, name: str) -> dict[str, Any]:
        there = list(tlv.read_all(value))
        found, at = {}, 0
        for part, tag in tagged:
            if at < len(there) and there[at].tag == tag:
                found[part.name] = part.form.decode(there[at].value, part.name)
                at += 1
            elif not part.optional:
                raise RsproError(f"{name} has no {part.name}", field=part.name)
        return found  # what follows is of a later version of the protocol

    return Form(0x30, encode, decode)


def _write_address(value: Any, name: str) -> bytes:
    ip, port = value.get("ip"), value.get("port")
    try:
        is_v6 = ":" in str(ip)
        octets = socket.inet_pton(socket.AF_INET6 if is_v6 else socket.AF_INET, ip)
    except (OSError, TypeError) as error:
        raise RsproError(f"{ip!r} is not an IP address", field="ip") from error
    return tlv.encode(0x81 if is_v6 else 0x80, octets) + tlv.encode(PORT.tag, PORT.encode(port, "port"))


def _read_address(value: bytes, name: str) -> dict[str, Any]:
    there = list(tlv.read_all(value))
    if len(there) < 2 or (there[0].tag, len(there[0].value)) not in ((0x80, 4), (0x81, 16)) or there[1].tag != PORT.tag:
        raise RsproError(f"{name} is not an IP address and a port", field=name)
    family = socket.AF_INET if there[0].tag == 0x80 else socket.AF_INET6
    return {"ip": socket.inet_ntop(family, there[0].value), "port": PORT.decode(there[1].value, "port")}


PORT = _integer(65535)
ID = _integer(LARGEST_ID)
LABEL = _text(32)
RESULT_NAMES = {
    0: "ok",
    1: "illegalClientId",
    2: "illegalBankId",
    3: "illegalSlotId",
    4: "unsupportedProtocolVersion",
    5: "unknownSlotmap",
    6: "identityInUse",
    100: "cardNotPresent",
    101: "cardUnresponsive",
    102: "cardTransmissionError",
}
COMPONENT = _enumerated({0: "client", 1: "server", 2: "bankd"})
IDENTITY = Part(
    "identity",
    _sequence(
        Part("type", COMPONENT),
        Part("name", LABEL),
        Part("software", LABEL, 0x80),
        Part("swVersion", LABEL, 0x81),
        Part("hwManufacturer", LABEL, 0x82, optional=True),
        Part("hwModel", LABEL, 0x83, optional=True),
        Part("hwSerialNr", LABEL, 0x84, optional=True),
        Part("hwVersion", LABEL, 0x85, optional=True),
        Part("fwVersion", LABEL, 0x86, optional=True),
    ),
)
CLIENT_SLOT = Part("clientSlot", _sequence(Part("clientId", ID), Part("slotNr", ID)))
BANK_SLOT = Part("bankSlot", _sequence(Part("bankId", ID), Part("slotNr", ID)))
FLAGS = Part(
    "flags",
    _sequence(
        Part("headerPresent", FLAG),
        Part("finalPart", FLAG),
        Part("procByteContinueTx", FLAG),
        Part("procByteContinueRx", FLAG),
    ),
)
PHYSICAL = Part(
    "slotPhysStatus",
    _sequence(
        Part("resetActive", FLAG, 0x80),
        Part("vccPresent", FLAG, 0x81, optional=True),
        Part("clkActive", FLAG, 0x82, optional=True),
        Part("cardPresent", FLAG, 0x83, optional=True),
    ),
)
RESULT = Part("result", _enumerated(RESULT_NAMES))
DATA = Part("data", _octets(LARGEST_FRAME))
ATR = Part("atr", _octets(55))
BANKD = Part("bankd", Form(0x30, _write_address, _read_address))
SEVERITY = _enumerated({1: "minor", 2: "major", 3: "fatal"})
ERROR_CODE = _enumerated({1: "unknownClientConnected", 2: "unexpectedDisconnect", 3: "unexpectedProtocolVersion"})

MESSAGES: tuple[tuple[str, tuple[Part, ...]], ...] = (
    ("connectBankReq", (IDENTITY, Part("bankId", ID), Part("numberOfSlots", ID))),
    ("connectBankRes", (IDENTITY, RESULT)),
    ("connectClientReq", (IDENTITY, CLIENT_SLOT._replace(optional=True))),
    ("connectClientRes", (IDENTITY, RESULT)),
    ("createMappingReq", (CLIENT_SLOT, BANK_SLOT)),
    ("createMappingRes", (RESULT,)),
    ("removeMappingReq", (CLIENT_SLOT, BANK_SLOT)),
    ("removeMappingRes", (RESULT,)),
    ("configClientIdReq", (CLIENT_SLOT,)),
    ("configClientIdRes", (RESULT,)),
    ("setAtrReq", (CLIENT_SLOT, ATR)),
    ("setAtrRes", (RESULT,)),
    ("tpduModemToCard", (CLIENT_SLOT, BANK_SLOT, FLAGS, DATA)),
    ("tpduCardToModem", (BANK_SLOT, CLIENT_SLOT, FLAGS, DATA)),
    ("clientSlotStatusInd", (CLIENT_SLOT, BANK_SLOT, PHYSICAL)),
    ("bankSlotStatusInd", (BANK_SLOT, CLIENT_SLOT, PHYSICAL)),
    (
        "errorInd",
        (
            Part("sender", COMPONENT),
            Part("severity", SEVERITY),
            Part("code", ERROR_CODE),
            BANK_SLOT._replace(tag=0xA0, optional=True),
            CLIENT_SLOT._replace(tag=0xA1, optional=True),
            Part("text", _text(255), 0x82, optional=True),
        ),
    ),
    ("configClientBankReq", (BANK_SLOT, BANKD)),
    ("configClientBankRes", (RESULT,)),
    ("resetStateReq", ()),
    ("resetStateRes", (RESULT,)),
)
"""Each message and its fields; the place in here is the protocol's number of it."""

BY_NAME = {name: (number, _sequence(*parts)) for number, (name, parts) in enumerate(MESSAGES)}
BY_TAG = {0xA0 + number: (name, BY_NAME[name][1]) for number, (name, _) in enumerate(MESSAGES)}
