"""Messages to the kernel's netlink families, and what it answers (RFC 3549, linux/netlink.h)."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Iterator, Sequence

NETLINK_ROUTE, NETLINK_NETFILTER = 0, 12
NLM_F_REQUEST, NLM_F_ACK, NLM_F_DUMP = 0x1, 0x4, 0x300
NLM_F_REPLACE, NLM_F_EXCL, NLM_F_CREATE = 0x100, 0x200, 0x400
NLMSG_ERROR, NLMSG_DONE = 2, 3
NLA_F_NESTED, NLA_TYPE = 0x8000, 0x3FFF
SO_SNDBUFFORCE, SO_RCVBUFFORCE, SOL_NETLINK, NETLINK_GET_STRICT_CHK = 32, 33, 270, 12
BUFFER = 1 << 18
ROOM = 100_000
"""What a socket takes to send without being told."""
TIMEOUT_S = 5.0
_HEADER = struct.Struct("=IHHII")


class Netlink:
    """A socket for requests; for one thread at a time. Errors are ``OSError`` with the kernel's number."""

    def __init__(self, family: int) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, family)
        self._socket.settimeout(TIMEOUT_S)
        with contextlib.suppress(OSError):
            self._socket.setsockopt(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
        self._number = 0

    def ask(self, kind: int, flags: int, body: bytes) -> None:
        """Have something done; returns when it is."""
        for _ in self._send(kind, flags | NLM_F_ACK, body):
            pass

    def dump(self, kind: int, body: bytes, flags: int = 0) -> Iterator[bytes]:
        """The bodies of all messages of a list."""
        yield from self._send(kind, flags | NLM_F_DUMP, body)

    def ask_one(self, kind: int, body: bytes) -> Iterator[bytes]:
        """The body of what is asked for."""
        yield from self._send(kind, NLM_F_ACK, body)

    def batch(self, parts: Sequence[tuple[int, int, bytes]]) -> None:
        """Have several things done as one (kind, flags, body; the first and the last are the batch's own marks)."""
        waited, ours, data = set(), set(), []
        for at, (kind, flags, body) in enumerate(parts):
            self._number = number = (self._number + 1) & 0xFFFFFFFF
            ours.add(number)
            if 0 < at < len(parts) - 1:
                waited.add(number)
                flags |= NLM_F_ACK
            data.append(_HEADER.pack(_HEADER.size + len(body), kind, flags | NLM_F_REQUEST, number, 0) + body)
            data.append(bytes(-len(body) % 4))
        whole = b"".join(data)
        if len(whole) > ROOM:
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, SO_SNDBUFFORCE, 2 * len(whole))
        self._socket.send(whole)
        while waited:
            for answer, answered, text in messages(self._socket.recv(BUFFER)):
                if answer == NLMSG_ERROR and answered in ours:
                    code = -struct.unpack_from("=i", text)[0]
                    if code:
                        raise OSError(code, os.strerror(code))
                    waited.discard(answered)

    def close(self) -> None:
        """Let the socket go."""
        self._socket.close()

    def _send(self, kind: int, flags: int, body: bytes) -> Iterator[bytes]:
        self._number = number = (self._number + 1) & 0xFFFFFFFF
        header = _HEADER.pack(_HEADER.size + len(body), kind, flags | NLM_F_REQUEST, number, 0)
        self._socket.send(header + body)
        while True:
            for answer, answered, text in messages(self._socket.recv(BUFFER)):
                if answered != number:
                    continue
                if answer == NLMSG_DONE:
                    return
                if answer == NLMSG_ERROR:
                    code = -struct.unpack_from("=i", text)[0]
                    if code:
                        raise OSError(code, os.strerror(code))
                    return
                yield text


def messages(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Kind, number and body of each message in what a netlink socket gave."""
    at = 0
    while at + _HEADER.size <= len(data):
        length, kind, _, number, _ = _HEADER.unpack_from(data, at)
        if length < _HEADER.size:
            return
        yield kind, number, data[at + _HEADER.size : at + length]
        at += length + 3 & ~3


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded."""
    return struct.pack("=HH", len(value) + 4, kind) + value + bytes(-len(value) % 4)


def nested(kind: int, *inner: bytes) -> bytes:
    """Attributes in an attribute."""
    return attribute(kind | NLA_F_NESTED, b"".join(inner))


def attributes(data: bytes) -> dict[int, bytes]:
    """Values by kind; of several of one kind the last."""
    found: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(data):
        length, kind = struct.unpack_from("=HH", data, at)
        if length < 4:
            break
        found[kind & NLA_TYPE] = data[at + 4 : at + length]
        at += length + 3 & ~3
    return found
