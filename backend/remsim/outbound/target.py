"""Targets of probes, and what is sent to them and comes back."""

from __future__ import annotations

import contextlib
import errno
import ipaddress
import os
import selectors
import socket
import struct

from remsim.core.errors import InvalidInput
from remsim.core.small_dataclass import dataclass

SO_BINDTODEVICE = 25
SOL_RAW, ICMP_FILTER, ICMPV6_FILTER = 255, 1, 1
DNS_QUESTION = b"\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x01"  # recursion desired; root, NS, IN
ECHO_DATA = os.urandom(16)
"""Tells the answers to this process's echo requests from those to others' on a raw socket."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a probe goes and how."""

    method: str
    host: str
    port: int

    @property
    def family(self) -> socket.AddressFamily:
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET


def parse_target(text: str) -> Target:
    """A target from its text; ``InvalidInput`` names what is wrong."""
    method, _, rest = text.partition(":")
    host, port = rest, ""
    if rest.startswith("["):
        host, _, port = rest[1:].partition("]")
        port = port.removeprefix(":")
    elif rest.count(":") == 1:
        host, _, port = rest.partition(":")
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):
            socket.inet_pton(family, host)
            break
    else:
        raise InvalidInput(f"{text!r}: the host of a probe is an IP address", field="probe_targets")
    number = int(port) if port.isascii() and port.isdigit() else {"icmp": 0, "dns": 53}.get(method, -1)
    if method not in ("icmp", "tcp", "dns") or not 0 <= number <= 65535 or (method == "tcp" and number == 0):
        raise InvalidInput(f"{text!r} is not icmp:HOST, tcp:HOST:PORT or dns:HOST", field="probe_targets")
    return Target(method, host, number)


def open_socket(target: Target) -> socket.socket:
    """A non-blocking socket of the target's kind; ICMP needs the ping group or the right to raw sockets."""
    if target.method == "tcp":
        sock = socket.socket(target.family, socket.SOCK_STREAM)
    elif target.method == "dns":
        sock = socket.socket(target.family, socket.SOCK_DGRAM)
    else:
        protocol = socket.IPPROTO_ICMPV6 if target.family == socket.AF_INET6 else socket.IPPROTO_ICMP
        try:
            sock = socket.socket(target.family, socket.SOCK_DGRAM, protocol)
        except PermissionError:
            sock = socket.socket(target.family, socket.SOCK_RAW, protocol)
            only_echoes(sock, target.family)
    sock.setblocking(False)
    return sock


def is_device(name: str) -> bool:
    """Whether the kernel has a network device of this name, in the namespace of this thread."""
    try:
        return socket.if_nametoindex(name) > 0
    except OSError:
        return False


def only_echoes(sock: socket.socket, family: socket.AddressFamily) -> None:
    """Have a raw socket be given echo replies alone, and not each error that comes to this machine."""
    if family == socket.AF_INET6:
        passed = [0xFFFFFFFF] * 8
        passed[129 >> 5] &= ~(1 << (129 & 31))
        sock.setsockopt(socket.IPPROTO_ICMPV6, ICMPV6_FILTER, struct.pack("=8I", *passed))
    else:
        sock.setsockopt(SOL_RAW, ICMP_FILTER, struct.pack("=I", 0xFFFFFFFE))


def bind_to(sock: socket.socket, interface: str | None, target: Target, mark: int = 0) -> None:
    """Bind to the link's interface, and mark what is sent. Without one in the kernel only loopback is asked, as virtual
    modems have it."""
    if interface and is_device(interface):
        sock.setsockopt(socket.SOL_SOCKET, SO_BINDTODEVICE, interface.encode() + b"\0")
        if mark:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, mark)
    elif not ipaddress.ip_address(target.host).is_loopback:
        why = f"there is no network interface {interface}" if interface else "it has no network interface"
        raise OSError(None, why)


def transmit(sock: socket.socket, target: Target, sequence: int) -> int:
    """Send the probe; the selector events that its answer raises."""
    address = (target.host, target.port)
    if target.method == "tcp":
        status = sock.connect_ex(address)
        if status not in (0, errno.EINPROGRESS):
            raise OSError(status, os.strerror(status))
        return selectors.EVENT_WRITE
    sock.connect(address)
    if target.method == "dns":
        sock.send(struct.pack("!H", sequence) + DNS_QUESTION)
    else:
        sock.send(echo_request(target, sequence))
    return selectors.EVENT_READ


def echo_request(target: Target, sequence: int) -> bytes:
    """An ICMP echo request; the kernel fills the checksum of ping sockets and of ICMPv6."""
    kind = 128 if target.family == socket.AF_INET6 else 8
    identifier = os.getpid() & 0xFFFF
    packet = struct.pack("!BBHHH", kind, 0, 0, identifier, sequence) + ECHO_DATA
    if kind == 8:
        packet = packet[:2] + struct.pack("!H", checksum(packet)) + packet[4:]
    return packet


def checksum(packet: bytes) -> int:
    """The Internet checksum (RFC 1071)."""
    padded = packet + b"\0" * (len(packet) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    total = (total >> 16) + (total & 0xFFFF)
    return 0xFFFF - ((total + (total >> 16)) & 0xFFFF)


def is_answer(target: Target, data: bytes, sequence: int) -> bool:
    """Whether what came in answers the probe of this sequence number."""
    return answered_sequence(target.method, data) == sequence


def answered_sequence(method: str, data: bytes) -> int | None:
    """Which probe is answered by what came in; None: it is no answer to one of ours."""
    if method == "dns":
        return int.from_bytes(data[:2], "big") if len(data) >= 12 else None
    if data[:1] and data[0] >> 4 == 4 and len(data) >= 28:  # a raw socket gives the IPv4 header too
        data = data[(data[0] & 0x0F) * 4 :]
    if len(data) < 8 or data[0] not in (0, 129) or data[8:] != ECHO_DATA:
        return None
    return int.from_bytes(data[6:8], "big")
