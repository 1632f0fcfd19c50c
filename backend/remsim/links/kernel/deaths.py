"""Flows that the kernel has deleted, as it tells of them: those of a device that went down were begun since the list of
flows was read last, and nobody else would know them (linux/netfilter/nfnetlink_conntrack.h)."""

from __future__ import annotations

import contextlib
import socket
import struct
from collections import deque
from collections.abc import Collection

from remsim.core.clock import Clock
from remsim.core.routes import LINK_MASK, LINK_SHIFT, Flow
from remsim.links.kernel.netlink import BUFFER, NETLINK_NETFILTER, SO_RCVBUFFORCE, attributes, messages

GROUP_DESTROY = 1 << 2
DELETED = 1 << 8 | 2
HEAD = 4
"""Octets of nfgenmsg before the attributes."""
TUPLE_ORIG, STATUS, PROTOINFO, MARK = 1, 3, 4, 8
SEEN_REPLY = 1 << 1
TCP = 6
STATES = {2: "SYN_RECV", 3: "ESTABLISHED"}
"""Of TCP: what is not one of these was ending by itself."""
KEPT_S = 10.0
"""On a busy router it takes seconds until it is known that a device went down."""
MOST_CHUNKS = 1024
ROOM = 1 << 18


class Deaths:
    """Keeps what the kernel told in the last ten seconds, unread: that costs nearly nothing. For one thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: deque[tuple[float, bytes]] = deque(maxlen=MOST_CHUNKS)
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER)
        with contextlib.suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, ROOM)
        self._socket.setblocking(False)
        self._socket.bind((0, GROUP_DESTROY))

    def close(self) -> None:
        """Let the socket go."""
        self._socket.close()

    def listen(self) -> None:
        """Take what was told since the last time. A flood that has no room is lost: it was of flows that ended."""
        at = self._clock.monotonic()
        with contextlib.suppress(OSError):
            while True:
                self._told.append((at, self._socket.recv(BUFFER)))
        while self._told and self._told[0][0] < at - KEPT_S:
            self._told.popleft()

    def on(self, link: int, own: Collection[str]) -> list[Flow]:
        """TCP of a link that was cut off in the middle; ``own`` are this machine's addresses."""
        found = (parse(body, own) for _, data in self._told for kind, _, body in messages(data) if kind == DELETED)
        return [flow for flow in found if flow is not None and flow.link == link]


def parse(body: bytes, own: Collection[str] = ()) -> Flow | None:
    """A flow of TCP that was answered and under way; None for all else, and for what cannot be read."""
    try:
        told = attributes(body[HEAD:])
        link = (number(told[MARK]) & LINK_MASK) >> LINK_SHIFT
        if not link or not number(told[STATUS]) & SEEN_REPLY:
            return None
        flow = attributes(told[TUPLE_ORIG])
        addresses, protocol = attributes(flow[1]), attributes(flow[2])
        if protocol[1] != bytes([TCP]):
            return None
        state = attributes(attributes(told[PROTOINFO])[1])[1][0] if PROTOINFO in told else None
        if state is not None and state not in STATES:
            return None
        family, first = (socket.AF_INET, 1) if 1 in addresses else (socket.AF_INET6, 3)
        source, destination = (socket.inet_ntop(family, addresses[at]) for at in (first, first + 1))
        ports = [struct.unpack(">H", protocol[at])[0] for at in (2, 3)]
    except (KeyError, IndexError, ValueError, struct.error):
        return None
    is_forwarded = source not in own and destination not in own
    name = None if state is None else STATES[state]
    return Flow("tcp", source, ports[0], destination, ports[1], link, state=name, is_established=True,
                is_forwarded=is_forwarded)  # fmt: skip


def number(value: bytes) -> int:
    """A number of 32 bits in the network's order."""
    return int(struct.unpack(">I", value)[0])
