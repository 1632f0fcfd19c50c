"""A host's addresses, asked of a resolver over a link of one's own (RFC 1035): questions, and what answers say."""

from __future__ import annotations

import socket
import struct

A, AAAA, INTERNET = 1, 28, 1
MOST_RECORDS = 32


def question(number: int, host: str, kind: int) -> bytes:
    """A question for a host's addresses of one kind (A or AAAA); ``ValueError`` where it is no host name."""
    labels = host.rstrip(".").encode("ascii").split(b".")
    if not all(0 < len(label) < 64 for label in labels) or len(host) > 253:
        raise ValueError("it is no host name")
    name = b"".join(bytes((len(label),)) + label for label in labels) + b"\0"
    return struct.pack("!HHHHHH", number, 0x0100, 1, 0, 0, 0) + name + struct.pack("!HH", kind, INTERNET)


def addresses(data: bytes, number: int) -> list[str] | None:
    """The addresses in an answer to a question; empty when there are none, None when it is no answer to that one."""
    if len(data) < 12:
        return None
    identity, flags, questions, answers = struct.unpack("!HHHH", data[:8])
    if identity != number or not flags & 0x8000:
        return None
    found = []
    try:
        at = 12
        for _ in range(questions):
            at = after_name(data, at) + 4
        for _ in range(min(answers, MOST_RECORDS)):
            at = after_name(data, at)
            kind, klass, _, size = struct.unpack("!HHIH", data[at : at + 10])
            content = data[at + 10 : at + 10 + size]
            at += 10 + size
            if klass == INTERNET and (kind, len(content)) in ((A, 4), (AAAA, 16)):
                found.append(socket.inet_ntop(socket.AF_INET if kind == A else socket.AF_INET6, content))
    except (IndexError, struct.error):
        return found
    return found


def after_name(data: bytes, at: int) -> int:
    """Where a name ends; ``IndexError`` past the end."""
    while data[at]:
        if data[at] >= 0xC0:
            return at + 2
        at += data[at] + 1
    return at + 1
