"""Single segments of TCP that belong to no connection here, as they come late or from who knows no better."""

from __future__ import annotations

import socket
import struct

from remsim.links.kernel.cutting import IPV6_HDRINCL, checksum

from netlab.space import Space

RST, ACK, SYN_ACK = 0x04, 0x10, 0x12
TTL = 64


def send_segment(
    space: Space, source: tuple[str, int], destination: tuple[str, int], flags: int, *, device: str | None = None
) -> None:
    """Send one from a namespace, by a device or as its routes lead."""
    is_six = ":" in source[0]
    family = socket.AF_INET6 if is_six else socket.AF_INET
    with space.entered(), socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW) as sock:
        sock.setsockopt(*((socket.IPPROTO_IPV6, IPV6_HDRINCL) if is_six else (socket.IPPROTO_IP, socket.IP_HDRINCL)), 1)
        if device is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
        sock.sendto(segment(source, destination, flags), (destination[0], 0))


def segment(source: tuple[str, int], destination: tuple[str, int], flags: int) -> bytes:
    """The packet."""
    is_six = ":" in source[0]
    family = socket.AF_INET6 if is_six else socket.AF_INET
    ends = b"".join(socket.inet_pton(family, address) for address, _ in (source, destination))
    tcp = struct.pack(">HHIIBBHHH", source[1], destination[1], 1_000_000, 2_000_000, 5 << 4, flags, 500, 0, 0)
    pseudo = ends + struct.pack(">II", len(tcp), socket.IPPROTO_TCP)
    tcp = tcp[:16] + struct.pack(">H", checksum(pseudo + tcp)) + tcp[18:]
    if is_six:
        return struct.pack(">IHBB", 6 << 28, len(tcp), socket.IPPROTO_TCP, TTL) + ends + tcp
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, TTL, socket.IPPROTO_TCP, 0) + ends
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + tcp
