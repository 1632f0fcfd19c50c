"""QMI messages of the services CTL and UIM, as far as a card's channels take them. Pure: no I/O here.

Source: libqmi's data/qmi-service-ctl.json and qmi-service-uim.json (messages 0x0022, 0x0023, 0xFF00; 0x003B, 0x003F,
0x0042), and the framing of its qmi-message.c. All numbers are little-endian.
"""

from __future__ import annotations

import struct

from remsim.core.small_dataclass import dataclass

CTL, UIM = 0x00, 0x0B
ALLOCATE, RELEASE, PROXY_OPEN = 0x0022, 0x0023, 0xFF00
SEND_APDU, CLOSE_CHANNEL, OPEN_CHANNEL = 0x003B, 0x003F, 0x0042
POWER_OFF, POWER_ON = 0x0030, 0x0031

MARKER = 0x01
RESULT = 0x02
RESPONSE = {CTL: 0x01, UIM: 0x02}
"""The flag of an answer: indications have another."""
LONGEST = 8192

UNKNOWN_COMMAND, UNSUPPORTED, DENIED = 71, 94, 82
ERRORS = {
    1: "malformed message",
    3: "internal error",
    5: "no more client ids",
    48: "invalid argument",
    50: "insufficient resources",
    52: "invalid operation",
    UNKNOWN_COMMAND: "it does not know the command",
    74: "no effect",
    DENIED: "access denied",
    UNSUPPORTED: "not supported",
    90: "information unavailable",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A message from the modem; ``error`` is 0 where it says that it went well."""

    service: int
    client: int
    is_response: bool
    transaction: int
    message: int
    values: dict[int, bytes]

    @property
    def error(self) -> int:
        result = self.values.get(RESULT, b"")
        return struct.unpack_from("<H", result, 2)[0] if len(result) >= 4 and result[0] else 0

    @property
    def card_status(self) -> int | None:
        """What the card itself answered when a channel was not opened."""
        told = self.values.get(0x11, b"")
        return int.from_bytes(told[:2]) if len(told) >= 2 else None


def request(service: int, client: int, transaction: int, message: int, values: dict[int, bytes]) -> bytes:
    """A message to the modem."""
    body = b"".join(struct.pack("<BH", tag, len(value)) + value for tag, value in values.items())
    head = struct.pack("<BB", 0, transaction) if service == CTL else struct.pack("<BH", 0, transaction)
    data = head + struct.pack("<HH", message, len(body)) + body
    return struct.pack("<BHBBB", MARKER, len(data) + 5, 0, service, client) + data


def split(data: bytes) -> tuple[list[bytes], bytes]:
    """The whole messages at the beginning of a stream, and what is left; what is no message is thrown away."""
    found: list[bytes] = []
    while len(data) >= 3:
        if data[0] != MARKER:
            data = data[1:]
            continue
        length = struct.unpack_from("<H", data, 1)[0] + 1
        if length > LONGEST:
            data = data[1:]
        elif length > len(data):
            break
        else:
            found.append(data[:length])
            data = data[length:]
    return found, data


def read(data: bytes) -> Answer | None:
    """One message; None when it is none."""
    try:
        service, client = data[4], data[5]
        flags = data[6]
        at = 8 if service == CTL else 9
        transaction = data[7] if service == CTL else struct.unpack_from("<H", data, 7)[0]
        message, length = struct.unpack_from("<HH", data, at)
        values, at, end = {}, at + 4, at + 4 + length
        while at + 3 <= min(end, len(data)):
            tag, size = struct.unpack_from("<BH", data, at)
            values[tag] = data[at + 3 : at + 3 + size]
            at += 3 + size
    except (IndexError, struct.error):
        return None
    return Answer(service, client, bool(flags & RESPONSE.get(service, 0x02)), transaction, message, values)


def octets(value: bytes) -> bytes:
    """An array with its length before it in two octets."""
    return value[2 : 2 + struct.unpack_from("<H", value)[0]] if len(value) >= 2 else b""
