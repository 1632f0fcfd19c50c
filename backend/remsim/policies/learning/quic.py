"""The server's name in a QUIC connection's first packets: versions 1 (RFC 9000, 9001) and 2 (RFC 9369).

Their keys follow from the connection ID that the client chose, so whoever sees the packet can read it. The ClientHello
is in CRYPTO frames, which browsers cut up, shuffle, and spread over two packets when keys are post-quantum ones.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from remsim.policies.learning.client_hello import MOST_OCTETS, Hello, parse_hello
from remsim.policies.learning.crypto import Aes, expand, extract

MOST_FLOWS = 128
FLOW_S = 5.0
MOST_FRAMES = 128
MOST_CONNECTION_ID = 20
SMALLEST = 1200
"""A client's datagram with an Initial packet has at least this many octets (RFC 9000 §14.1)."""

PADDING, PING, ACK, ACK_ECN, CRYPTO = 0, 1, 2, 3, 6


class Version(NamedTuple):
    """What differs between versions: the salt, the labels' beginning, the two bits that say Initial."""

    salt: bytes
    label: str
    initial: int


VERSIONS = {
    0x00000001: Version(bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a"), "quic", 0),
    0x6B3343CF: Version(bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9"), "quicv2", 1),
}


class Keys(NamedTuple):
    """Those of a client's Initial packets."""

    key: bytes
    iv: bytes
    mask: bytes


class Initial(NamedTuple):
    """An Initial packet in a datagram: where it begins, where its number and what follows it are, where it ends."""

    version: Version
    connection: bytes
    begin: int
    number: int
    end: int


def keys_of(version: Version, connection: bytes) -> Keys:
    """The client's keys (RFC 9001 §5.2) of the connection ID that it sent to at first."""
    secret = expand(extract(version.salt, connection), "client in", 32)
    label = version.label
    return Keys(
        expand(secret, f"{label} key", 16), expand(secret, f"{label} iv", 12), expand(secret, f"{label} hp", 16)
    )


def find_initial(data: bytes, begin: int = 0) -> Initial | None:
    """The Initial packet that begins there; None when there is none of a version that is known."""
    if len(data) < begin + 7 or data[begin] & 0xC0 != 0xC0:
        return None
    version = VERSIONS.get(int.from_bytes(data[begin + 1 : begin + 5], "big"))
    if version is None or data[begin] >> 4 & 3 != version.initial:
        return None
    at = begin + 5
    length = data[at]
    connection = data[at + 1 : at + 1 + length]
    at += 1 + length
    if length > MOST_CONNECTION_ID or at >= len(data):
        return None
    at += 1 + data[at]
    token, at = _number(data, at)
    if token < 0:
        return None
    left, at = _number(data, at + token)
    if left < 20 or at + left > len(data):
        return None
    return Initial(version, connection, begin, at, at + left)


def open_initial(data: bytes, initial: Initial, keys: Keys, aes: Aes) -> bytes | None:
    """The frames of an Initial packet; None when the keys are not its own."""
    at = initial.number
    mask = aes.block(keys.mask, data[at + 4 : at + 20])
    first = data[initial.begin] ^ (mask[0] & 0x0F)
    length = (first & 3) + 1
    number = bytes(a ^ b for a, b in zip(data[at : at + length], mask[1:5], strict=False))
    header = bytes([first]) + data[initial.begin + 1 : at] + number
    # The whole number would take what was acknowledged; a client's first packets have small ones.
    nonce = (int.from_bytes(keys.iv, "big") ^ int.from_bytes(number, "big")).to_bytes(12, "big")
    sealed = data[at + length : initial.end]
    return aes.open(keys.key, nonce, sealed, header) if len(sealed) > 16 else None


def crypto_frames(frames: bytes) -> list[tuple[int, bytes]]:
    """Offsets and contents of the CRYPTO frames among the frames; those before what cannot be read."""
    found: list[tuple[int, bytes]] = []
    at, end = 0, len(frames)
    while at < end and len(found) < MOST_FRAMES:
        kind = frames[at]
        at += 1
        if kind == PADDING:
            # Hundreds of them in a row.
            at = end - len(frames[at:].lstrip(b"\0"))
        elif kind == CRYPTO:
            offset, at = _number(frames, at)
            length, at = _number(frames, at)
            if offset < 0 or length < 0 or at + length > end:
                break
            found.append((offset, frames[at : at + length]))
            at += length
        elif kind in (ACK, ACK_ECN):
            _, at = _number(frames, at)
            _, at = _number(frames, at)
            ranges, at = _number(frames, at)
            for _ in range(min(max(ranges, 0), 64) * 2 + (4 if kind == ACK_ECN else 1)):
                _, at = _number(frames, at)
        elif kind != PING:
            break
    return found


class Initials:
    """ClientHellos of QUIC connections, whose packets come one by one."""

    def __init__(self, aes: Aes) -> None:
        self._aes = aes
        self._flows: OrderedDict[tuple[object, ...], _Connection] = OrderedDict()

    def __len__(self) -> int:
        return len(self._flows)

    def feed(self, flow: tuple[object, ...], data: bytes, now: float) -> Hello | None:
        """Take a datagram from a client; what the ClientHello tells once all of it is there."""
        begin = 0
        while len(data) >= SMALLEST and (initial := find_initial(data, begin)) is not None:
            begin = initial.end
            connection = self._flows.get(flow)
            if connection is None:
                connection = self._remember(flow, initial, now)
            frames = self._open(data, initial, connection)
            if frames is None:
                continue
            found = connection.add(crypto_frames(frames))
            if found is not None:
                del self._flows[flow]
                return found if isinstance(found, Hello) else None
        return None

    def _open(self, data: bytes, initial: Initial, connection: _Connection) -> bytes | None:
        """Later packets go to a connection ID of the server's under the first keys; after a Retry keys are new."""
        frames = open_initial(data, initial, connection.keys, self._aes)
        if frames is None and initial.connection != connection.id:
            connection.id, connection.keys = initial.connection, keys_of(initial.version, initial.connection)
            frames = open_initial(data, initial, connection.keys, self._aes)
        return frames

    def _remember(self, flow: tuple[object, ...], initial: Initial, now: float) -> _Connection:
        while self._flows:
            oldest = next(iter(self._flows))
            if len(self._flows) < MOST_FLOWS and self._flows[oldest].since > now - FLOW_S:
                break
            del self._flows[oldest]
        connection = self._flows[flow] = _Connection(now, initial)
        return connection


class _Connection:
    """A connection's keys and what of its ClientHello came so far."""

    __slots__ = ("id", "keys", "parts", "since", "size")

    def __init__(self, since: float, initial: Initial) -> None:
        self.since = since
        self.id = initial.connection
        self.keys = keys_of(initial.version, initial.connection)
        self.parts: dict[int, bytes] = {}
        self.size = 0

    def add(self, frames: list[tuple[int, bytes]]) -> Hello | bool | None:
        """Take frames; the ClientHello once it is there, None before, False when there will be none."""
        for offset, data in frames:
            if offset + len(data) > MOST_OCTETS:
                return False
            if len(data) > len(self.parts.get(offset, b"")):
                self.size += len(data) - len(self.parts.get(offset, b""))
                self.parts[offset] = data
        if len(self.parts) > MOST_FRAMES or self.size > 2 * MOST_OCTETS:
            return False
        whole = b""
        for offset in sorted(self.parts):
            if offset > len(whole):
                break
            whole += self.parts[offset][len(whole) - offset :]
        found = parse_hello(whole)
        if isinstance(found, int):
            return None
        return False if found is None else found


def _number(data: bytes, at: int) -> tuple[int, int]:
    """A variable-length integer (RFC 9000 §16) and where it ends; -1 when it is cut off."""
    if at >= len(data):
        return -1, at
    length = 1 << (data[at] >> 6)
    if at + length > len(data):
        return -1, len(data)
    number = int.from_bytes(data[at : at + length], "big") & ((1 << (8 * length - 2)) - 1)
    return number, at + length
