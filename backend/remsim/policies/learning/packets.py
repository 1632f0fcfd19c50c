"""Headers of IPv4, IPv6, TCP and UDP, as much of them as finding a flow's first octets takes."""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

TCP, UDP = 6, 17
MOST_HEADERS = 8
"""Extension headers of IPv6 that are skipped; no real packet has more."""
HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, OPTIONS = 0, 43, 44, 51, 60

FROM_20 = struct.Struct("!HHIIB")


class Packet(NamedTuple):
    """One TCP or UDP packet. Addresses are 4 or 16 octets; ``sequence`` is 0 for UDP."""

    protocol: int
    source: bytes
    source_port: int
    destination: bytes
    port: int
    sequence: int
    data: bytes

    @property
    def flow(self) -> tuple[bytes, int, bytes, int]:
        """What it has in common with the other packets of its direction."""
        return (self.source, self.source_port, self.destination, self.port)


def parse_packet(raw: bytes) -> Packet | None:
    """A packet from its IP header on; None for fragments but the first, other protocols and what is cut off."""
    if len(raw) < 28:
        return None
    version = raw[0] >> 4
    if version == 4:
        start, protocol = (raw[0] & 15) * 4, raw[9]
        if start < 20 or (raw[6] & 0x1F) or raw[7]:
            return None
        source, destination = raw[12:16], raw[16:20]
        end = min(len(raw), raw[2] << 8 | raw[3])
    elif version == 6 and len(raw) >= 48:
        found = _upper_layer(raw)
        if found is None:
            return None
        start, protocol = found
        source, destination = raw[8:24], raw[24:40]
        end = min(len(raw), 40 + (raw[4] << 8 | raw[5]))
    else:
        return None
    if protocol == TCP:
        if end < start + 20:
            return None
        source_port, port, sequence, _, offset = FROM_20.unpack_from(raw, start)
        first = start + (offset >> 4) * 4
        if first < start + 20 or first > end:
            return None
        return Packet(TCP, source, source_port, destination, port, sequence, raw[first:end])
    if protocol == UDP and end >= start + 8:
        source_port, port = struct.unpack_from("!HH", raw, start)
        return Packet(UDP, source, source_port, destination, port, 0, raw[start + 8 : end])
    return None


def text_of(address: bytes) -> str:
    """An address as it is written."""
    return socket.inet_ntop(socket.AF_INET if len(address) == 4 else socket.AF_INET6, address)


def octets_of(address: str) -> bytes | None:
    """An address as it is in packets; None when it is none."""
    try:
        return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)
    except (OSError, ValueError):
        return None


def is_public(address: bytes) -> bool:
    """Whether it can be that of a server on the Internet (the complement of ``taps.NEVER``)."""
    if len(address) == 4:
        a, b = address[0], address[1]
        return not (
            a in (0, 10, 127)
            or a >= 224
            or (a == 100 and 64 <= b < 128)
            or (a == 169 and b == 254)
            or (a == 172 and 16 <= b < 32)
            or (a == 192 and (b == 168 or address[1:3] == b"\0\0"))
            or (a == 198 and b in (18, 19))
        )
    if len(address) != 16:
        return False
    a, b = address[0], address[1]
    return not (
        address[:10] == bytes(10) and (address[10:12] == b"\xff\xff" or address[10:12] == b"\0\0")
        or a & 0xFE == 0xFC
        or (a == 0xFE and b & 0xC0 == 0x80)
        or a == 0xFF
    )


def _upper_layer(raw: bytes) -> tuple[int, int] | None:
    """Where TCP or UDP begins in an IPv6 packet, and which it is."""
    following, start = raw[6], 40
    for _ in range(MOST_HEADERS):
        if following in (TCP, UDP):
            return start, following
        if len(raw) < start + 8:
            return None
        if following in (HOP_BY_HOP, ROUTING, OPTIONS):
            length = (raw[start + 1] + 1) * 8
        elif following == AUTHENTICATION:
            length = (raw[start + 1] + 2) * 4
        elif following == FRAGMENT:
            if raw[start + 2] or raw[start + 3] & 0xF8:
                return None
            length = 8
        else:
            return None
        following = raw[start]
        start += length
    return None
