"""First packets of connections: real ClientHellos of OpenSSL, and QUIC packets sealed with another implementation."""

from __future__ import annotations

import os
import ssl
import struct

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from remsim.policies.learning.packets import octets_of
from remsim.policies.learning.quic import VERSIONS, keys_of

QUIC_1, QUIC_2 = 0x00000001, 0x6B3343CF


def client_hello(name: str | None, *, extra: int = 0) -> bytes:
    """What OpenSSL sends first, in one record. ``extra``: octets of one more extension, before all others, as large as
    keys may be that do not fit into a segment."""
    context = ssl.create_default_context()
    context.check_hostname = name is not None
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    connection = context.wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        connection.do_handshake()
    except ssl.SSLWantReadError:
        pass
    record = outgoing.read()
    return with_extension(record, 0xFADA, bytes(extra)) if extra else record


def with_extension(record: bytes, kind: int, content: bytes) -> bytes:
    """The ClientHello with one more extension, which comes first."""
    message = bytearray(record[5:])
    at = 4 + 34
    at += 1 + message[at]
    at += 2 + int.from_bytes(message[at : at + 2], "big")
    at += 1 + message[at]
    length = int.from_bytes(message[at : at + 2], "big")
    more = struct.pack("!HH", kind, len(content)) + content
    message[at : at + 2] = struct.pack("!H", length + len(more)) + more
    message[1:4] = (len(message) - 4).to_bytes(3, "big")
    return record[:3] + struct.pack("!H", len(message)) + bytes(message)


def number(value: int) -> bytes:
    """A variable-length integer of QUIC in two octets, or four."""
    return struct.pack("!H", 0x4000 | value) if value < 0x4000 else struct.pack("!I", 0x80000000 | value)


def crypto_frame(offset: int, data: bytes) -> bytes:
    """A CRYPTO frame."""
    return b"\x06" + number(offset) + number(len(data)) + data


def initial(
    frames: bytes, *, version: int = QUIC_1, connection: bytes | None = None, count: int = 0, keys_of_id: bytes = b""
) -> bytes:
    """A client's datagram with one Initial packet. ``keys_of_id``: the connection ID that its keys are made of, where
    that is not the one it is sent to."""
    connection = os.urandom(8) if connection is None else connection
    packet_number = struct.pack("!I", count)
    frames = frames.ljust(1162, b"\0")
    header = bytes([0xC3 | VERSIONS[version].initial << 4]) + struct.pack("!I", version)
    header += bytes([len(connection)]) + connection + b"\0\0" + number(4 + len(frames) + 16) + packet_number
    return protected(header, frames, version, keys_of_id or connection)


def protected(header: bytes, frames: bytes, version: int, connection: bytes) -> bytes:
    """An Initial packet whose number has four octets, sealed and its header hidden."""
    keys = keys_of(VERSIONS[version], connection)
    nonce = (int.from_bytes(keys.iv, "big") ^ int.from_bytes(header[-4:], "big")).to_bytes(12, "big")
    sealed = AESGCM(keys.key).encrypt(nonce, frames, header)
    mask = Cipher(algorithms.AES(keys.mask), modes.ECB()).encryptor().update(sealed[:16])
    hidden = bytes([header[0] ^ mask[0] & 0x0F]) + header[1:-4]
    return hidden + bytes(a ^ b for a, b in zip(header[-4:], mask[1:5], strict=True)) + sealed


def tcp(source: str, source_port: int, destination: str, port: int, data: bytes, sequence: int = 1) -> bytes:
    """An IPv4 or IPv6 packet with a TCP segment (checksums are zero)."""
    header = struct.pack("!HHIIBBHHH", source_port, port, sequence, 1, 0x50, 0x18, 500, 0, 0)
    return _ip(6, source, destination, header + data)


def udp(source: str, source_port: int, destination: str, port: int, data: bytes) -> bytes:
    """An IPv4 or IPv6 packet with a UDP datagram."""
    return _ip(17, source, destination, struct.pack("!HHHH", source_port, port, 8 + len(data), 0) + data)


def _ip(protocol: int, source: str, destination: str, rest: bytes) -> bytes:
    here, there = octets_of(source), octets_of(destination)
    assert here is not None and there is not None
    if len(here) == 4:
        return struct.pack("!BBHIBBH", 0x45, 0, 20 + len(rest), 0, 64, protocol, 0) + here + there + rest
    return struct.pack("!IHBB", 0x60000000, len(rest), protocol, 64) + here + there + rest
