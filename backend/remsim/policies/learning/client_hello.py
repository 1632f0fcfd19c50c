"""The server's name in a TLS ClientHello (RFC 8446 §4.1.2, RFC 6066 §3), put together from the segments that carry it.

With post-quantum keys a ClientHello is longer than a segment, and the name may be in the second one. With Encrypted
Client Hello (RFC 9849) the name in clear is that of the provider's front. Browsers also send that extension as a decoy
with the true name beside it, and nobody can tell the two apart: so the name is taken, and marked.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from remsim.policies.learning.patterns import read_name

HANDSHAKE, CLIENT_HELLO = 22, 1
SERVER_NAME, ENCRYPTED_CLIENT_HELLO = 0, 0xFE0D
MOST_OCTETS = 16384
"""Of a ClientHello; real ones have 200 to 2500."""
MOST_FLOWS = 128
FLOW_S = 5.0
MOST_PARTS = 16


class Hello(NamedTuple):
    """What a ClientHello tells. ``name`` None: it names none. ``is_front``: it may be that of a provider's front."""

    name: str | None
    is_front: bool = False


def parse_hello(raw: bytes) -> Hello | int | None:
    """A ClientHello's handshake message (as QUIC carries it): what it tells, or how many octets it has when some are
    missing, or None when it is none."""
    if len(raw) < 4:
        return 4 if not raw or raw[0] == CLIENT_HELLO else None
    if raw[0] != CLIENT_HELLO:
        return None
    end = 4 + int.from_bytes(raw[1:4], "big")
    if end > MOST_OCTETS:
        return None
    if len(raw) < end:
        return end
    at = 4 + 2 + 32  # version, random
    if at >= end:
        return None
    at += 1 + raw[at]  # session
    if at + 2 > end:
        return None
    at += 2 + (raw[at] << 8 | raw[at + 1])  # cipher suites
    if at + 1 > end:
        return None
    at += 1 + raw[at]  # compression
    if at == end:
        return Hello(None)
    if at + 2 > end or at + 2 + (raw[at] << 8 | raw[at + 1]) > end:
        return None
    last = at + 2 + (raw[at] << 8 | raw[at + 1])
    at += 2
    name: str | None = None
    is_front = False
    while at + 4 <= last:
        kind = raw[at] << 8 | raw[at + 1]
        following = at + 4 + (raw[at + 2] << 8 | raw[at + 3])
        if following > last:
            return None
        if kind == SERVER_NAME:
            name = _server_name(raw[at + 4 : following])
        elif kind == ENCRYPTED_CLIENT_HELLO:
            is_front = True
        at = following
    return Hello(name, is_front)


def parse_records(raw: bytes) -> Hello | int | None:
    """As ``parse_hello``, of the octets a TLS connection begins with: one or more records."""
    message = b""
    at = 0
    while True:
        if len(raw) < at + 5:
            # A record's header says what it is before its end is there.
            return at + 5 if raw[at : at + 2] in (b"", b"\x16", b"\x16\x03") or _is_handshake(raw, at) else None
        if not _is_handshake(raw, at):
            return None
        length = raw[at + 3] << 8 | raw[at + 4]
        if not 0 < length <= MOST_OCTETS:
            return None
        part = raw[at + 5 : at + 5 + length]
        message = message + part if message else part
        found = parse_hello(message)
        if not isinstance(found, int):
            return found
        if len(part) < length:
            return at + 5 + length
        at += 5 + length
        if at > MOST_OCTETS + 1024:
            return None


class Hellos:
    """ClientHellos of flows whose first segments come one by one, also twice and in the wrong order."""

    def __init__(self) -> None:
        self._flows: OrderedDict[tuple[object, ...], _Parts] = OrderedDict()

    def __len__(self) -> int:
        return len(self._flows)

    def feed(self, flow: tuple[object, ...], sequence: int, data: bytes, now: float) -> Hello | None:
        """Take a segment; what its flow's ClientHello tells once all of it is there."""
        parts = self._flows.get(flow)
        if parts is None:
            found = parse_records(data)
            if isinstance(found, Hello):
                return found
            # What does not begin a ClientHello may be its second segment that came first; another record is none.
            if found is None and (len(data) < 64 or (data[0] in (20, 21, 22, 23) and data[1] == 3)):
                return None
            self._remember(flow, now).add(sequence, data, begins=found is not None)
            return None
        parts.add(sequence, data, begins=parts.begin is None and isinstance(parse_records(data), int))
        whole = parts.joined()
        found = parse_records(whole) if whole else 0
        if isinstance(found, int) and parts.has_room:
            return None
        del self._flows[flow]
        return found if isinstance(found, Hello) else None

    def _remember(self, flow: tuple[object, ...], now: float) -> _Parts:
        while self._flows:
            oldest = next(iter(self._flows))
            if len(self._flows) < MOST_FLOWS and self._flows[oldest].since > now - FLOW_S:
                break
            del self._flows[oldest]
        parts = self._flows[flow] = _Parts(now)
        return parts


class _Parts:
    """Segments of one flow by sequence number; ``begin`` is where its ClientHello begins, once that is known."""

    __slots__ = ("begin", "parts", "since", "size")

    def __init__(self, since: float) -> None:
        self.since = since
        self.begin: int | None = None
        self.parts: dict[int, bytes] = {}
        self.size = 0

    @property
    def has_room(self) -> bool:
        return len(self.parts) < MOST_PARTS and self.size < MOST_OCTETS

    def add(self, sequence: int, data: bytes, *, begins: bool) -> None:
        if begins and self.begin is None:
            self.begin = sequence
        if self.has_room and len(data) > len(self.parts.get(sequence, b"")):
            self.size += len(data) - len(self.parts.get(sequence, b""))
            self.parts[sequence] = data

    def joined(self) -> bytes:
        """What there is without a gap from the beginning."""
        if self.begin is None:
            return b""
        begin, whole = self.begin, b""
        offsets = sorted(((sequence - begin) & 0xFFFFFFFF, data) for sequence, data in self.parts.items())
        for offset, data in offsets:
            if offset > len(whole):
                break
            whole += data[len(whole) - offset :]
        return whole


def _is_handshake(raw: bytes, at: int) -> bool:
    return raw[at] == HANDSHAKE and (len(raw) <= at + 1 or raw[at + 1] == 3)


def _server_name(raw: bytes) -> str | None:
    """The first host name of the extension's list."""
    if len(raw) < 5 or raw[2] != 0:
        return None
    length = raw[3] << 8 | raw[4]
    if 5 + length > len(raw):
        return None
    return read_name(raw[5 : 5 + length])
