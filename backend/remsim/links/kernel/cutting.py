"""Have flows of a dead link begin again at once, on another.

A download's client sends nothing by itself and would wait for minutes. So it gets a bare ACK in the server's name with
a sequence number from nowhere; TCP has it answer with its true numbers (RFC 9293 §3.10.7.4), and chain ``forward``
turns that answer into a reset that fits exactly, as the flow is in a set ``cut``. A forged reset without the numbers
would be ignored (RFC 5961).
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Iterable

from remsim.core.routes import POKE, Flow

SO_MARK = 36
IPV6_HDRINCL = 36
ACK = 0x10
WINDOW = 1
TTL = 64


def to_reset(flows: Iterable[Flow]) -> list[Flow]:
    """Those whose client in the LAN is to be told: TCP that the LAN began and that was answered."""
    return [
        flow
        for flow in flows
        if flow.protocol == "tcp"
        and flow.is_forwarded
        and flow.is_established
        and flow.source_port is not None
        and flow.destination_port is not None
        and flow.state not in ("TIME_WAIT", "CLOSE", "LAST_ACK")
    ]


def cut_elements(flows: Iterable[Flow]) -> dict[str, list[str]]:
    """What goes into which set to have clients' packets of these flows answered with a reset."""
    found: dict[str, list[str]] = {}
    for one in flows:
        name = "cut6" if ":" in one.source else "cut4"
        key = f"{one.source} . {one.source_port} . {one.destination} . {one.destination_port}"
        found.setdefault(name, []).append(key)
    return found


def poke(flows: Iterable[Flow]) -> int:
    """Send each client its bare ACK; how many could be sent. Needs the right to raw sockets."""
    sent = 0
    with contextlib.ExitStack() as stack:
        sockets: dict[bool, socket.socket] = {}
        for flow in flows:
            is_six = ":" in flow.source
            with contextlib.suppress(OSError):
                if is_six not in sockets:
                    sockets[is_six] = stack.enter_context(_open(is_six))
                sockets[is_six].sendto(bare_ack(flow), (flow.source, 0))
                sent += 1
    return sent


def bare_ack(flow: Flow, sequence: int | None = None) -> bytes:
    """The packet that makes a client show its numbers, from the flow's server to its client."""
    family = socket.AF_INET6 if ":" in flow.source else socket.AF_INET
    source, destination = (socket.inet_pton(family, one) for one in (flow.destination, flow.source))
    number = int.from_bytes(os.urandom(4), "big") if sequence is None else sequence
    ports = (flow.destination_port or 0, flow.source_port or 0)
    tcp = struct.pack(">HHIIBBHHH", *ports, number, 0, 5 << 4, ACK, WINDOW, 0, 0)
    length = struct.pack(">HH" if family == socket.AF_INET else ">II", socket.IPPROTO_TCP, len(tcp))
    pseudo = source + destination + length
    tcp = tcp[:16] + struct.pack(">H", checksum(pseudo + tcp)) + tcp[18:]
    if family == socket.AF_INET6:
        return struct.pack(">IHBB", 6 << 28, len(tcp), socket.IPPROTO_TCP, TTL) + source + destination + tcp
    header = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0, TTL, socket.IPPROTO_TCP, 0) + source + destination
    return header[:10] + struct.pack(">H", checksum(header)) + header[12:] + tcp


def checksum(data: bytes) -> int:
    """The Internet's checksum (RFC 1071)."""
    data += bytes(len(data) % 2)
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _open(is_six: bool) -> socket.socket:
    family = socket.AF_INET6 if is_six else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_RAW | socket.SOCK_NONBLOCK, socket.IPPROTO_RAW)
    sock.setsockopt(socket.SOL_SOCKET, SO_MARK, POKE)
    if is_six:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_HDRINCL, 1)
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_HDRINCL, 1)
    return sock
