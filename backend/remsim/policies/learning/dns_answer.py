"""Addresses in an answer of DNS (RFC 1035 §4)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from remsim.policies.learning.patterns import read_name

A, AAAA, INTERNET = 1, 28, 1
MOST_ANSWERS = 64
MOST_LABELS = 128


class Answer(NamedTuple):
    """The addresses of the name that was asked for; ``ttl_s`` is the shortest of their lifetimes."""

    name: str
    addresses: tuple[bytes, ...]
    ttl_s: int


def parse_answer(raw: bytes) -> Answer | None:
    """An answer without an error that has addresses; None for anything else.

    Addresses belong to the name that was asked, also when aliases lead from it to theirs, as dnsmasq has it too.
    """
    if len(raw) < 17:
        return None
    _, flags, questions, answers = struct.unpack_from("!HHHH", raw)
    if not flags & 0x8000 or flags & 0x780F or questions != 1:
        return None
    name, at = _question(raw)
    if name is None:
        return None
    at += 4
    addresses: list[bytes] = []
    ttl_s = 0x7FFFFFFF
    for _ in range(min(answers, MOST_ANSWERS)):
        at = _skip_name(raw, at)
        if at < 0 or at + 10 > len(raw):
            break
        kind, family, ttl, length = struct.unpack_from("!HHIH", raw, at)
        at += 10
        data = raw[at : at + length]
        at += length
        if family == INTERNET and (kind, len(data)) in ((A, 4), (AAAA, 16)):
            addresses.append(data)
            ttl_s = min(ttl_s, ttl)
    return Answer(name, tuple(addresses), ttl_s) if addresses else None


def _question(raw: bytes) -> tuple[str | None, int]:
    """The name of the question, which is not compressed, and where it ends."""
    labels: list[bytes] = []
    at = 12
    while at < len(raw) and len(labels) < MOST_LABELS:
        length = raw[at]
        at += 1
        if length == 0:
            return read_name(b".".join(labels)), at
        if length > 63:
            break
        labels.append(raw[at : at + length])
        at += length
    return None, at


def _skip_name(raw: bytes, at: int) -> int:
    """Where a name ends that may end in a pointer; -1 when it does not end."""
    for _ in range(MOST_LABELS):
        if at >= len(raw):
            return -1
        length = raw[at]
        if length >= 0xC0:
            return at + 2
        at += 1 + length
        if length == 0:
            return at
    return -1
