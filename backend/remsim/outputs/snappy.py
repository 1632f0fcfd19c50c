"""Snappy's block format, as remote-write wants it; the library is not in OpenWrt, and this much of it is a page.

Source: google/snappy, format_description.txt.
"""

from __future__ import annotations

BLOCK = 65536
"""How far back a copy may reach with the two-byte offsets used here."""
LEAST_MATCH, LONGEST_COPY = 4, 64


def compress(data: bytes) -> bytes:
    """A block: its length, then literals and copies of what came before."""
    made = bytearray(varint(len(data)))
    seen: dict[bytes, int] = {}
    at = begin = 0
    end = len(data) - LEAST_MATCH
    while at <= end:
        key = data[at : at + LEAST_MATCH]
        found = seen.get(key)
        seen[key] = at
        if found is None or at - found >= BLOCK:
            at += 1
            continue
        length = LEAST_MATCH
        while length < LONGEST_COPY and at + length < len(data) and data[found + length] == data[at + length]:
            length += 1
        literal(made, data[begin:at])
        made.append((length - 1) << 2 | 2)
        made += (at - found).to_bytes(2, "little")
        at += length
        begin = at
    literal(made, data[begin:])
    return bytes(made)


def literal(made: bytearray, data: bytes) -> None:
    """Add bytes as they are."""
    if not data:
        return
    length = len(data) - 1
    if length < 60:
        made.append(length << 2)
    else:
        size = (length.bit_length() + 7) // 8
        made.append((59 + size) << 2)
        made += length.to_bytes(size, "little")
    made += data


def varint(value: int) -> bytes:
    """A number, seven bits a byte, the lowest first."""
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)
