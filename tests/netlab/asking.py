"""One flow at a time from the LAN, for tests: by which link does it leave?"""

from __future__ import annotations

import socket
import struct
from collections import Counter
from time import monotonic

from netlab.lab import Lab


def link_of_datagram(lab: Lab, server: str, port: int = 5004, *, client: str | None = None, wait_s: float = 2) -> int:
    """The link that a new flow of UDP takes; 0: no answer."""
    with lab.lan.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((client or lab.clients[0], 0))
        one.settimeout(wait_s)
        one.sendto(b"who", (server, port))
        try:
            return _link(one.recv(200).split()[0].decode())
        except OSError:
            return 0


def link_of_connection(lab: Lab, server: str, port: int, *, client: str | None = None, wait_s: float = 5) -> int:
    """The link that a new connection takes; 0: it came to nothing."""
    try:
        with (
            lab.lan.entered(),
            socket.create_connection((server, port), wait_s, source_address=(client or lab.clients[0], 0)) as one,
        ):
            one.sendall(b"GET /whoami HTTP/1.1\r\n\r\n")
            answer = b""
            while part := one.recv(4096):
                answer += part
            return _link(answer.partition(b"\r\n\r\n")[2].decode())
    except OSError:
        return 0


def links_of_datagrams(lab: Lab, server: str, port: int = 5004, *, count: int = 32, wait_s: float = 1) -> Counter[int]:
    """How many of so many new flows, begun at once, take each link; 0: no answer in time."""
    with lab.lan.entered():
        some = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(count)]
    got: Counter[int] = Counter()
    for one in some:
        one.sendto(b"who", (server, port))
    deadline = monotonic() + wait_s
    for one in some:
        with one:
            one.settimeout(max(deadline - monotonic(), 0.001))
            try:
                got[_link(one.recv(200).split()[0].decode())] += 1
            except OSError:
                got[0] += 1
    return got


def resolve(lab: Lab, name: str, resolver: str = "8.8.8.8") -> str:
    """Ask a resolver for a name's address, as a client of the LAN does."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    with lab.lan.entered(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.settimeout(3)
        head, kind = struct.pack(">6H", 7, 0x0100, 1, 0, 0, 0), struct.pack(">2H", 1, 1)
        one.sendto(head + labels + b"\0" + kind, (resolver, 53))
        return socket.inet_ntoa(one.recv(512)[-4:])


def _link(source: str) -> int:
    return int(source.split(".")[2])
