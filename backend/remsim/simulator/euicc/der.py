"""Pieces of DER as the card writes them, and objects read with their own octets: signatures are over those."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from remsim.core import tlv


class Part(NamedTuple):
    """An object, and its octets as they came."""

    tag: int
    value: bytes
    raw: bytes


def parts(data: bytes) -> list[Part]:
    """All objects, one behind the other; ``TlvError``."""
    found, offset = [], 0
    while offset < len(data):
        one, end = tlv.read(data, offset)
        found.append(Part(one.tag, one.value, data[offset:end]))
        offset = end
    return found


def first(found: Sequence[Part], tag: int) -> Part | None:
    """The first object with a tag."""
    return next((part for part in found if part.tag == tag), None)


def value(found: Sequence[Part], tag: int) -> bytes | None:
    """The value of the first object with a tag."""
    part = first(found, tag)
    return None if part is None else part.value


def integer(tag: int, number: int) -> bytes:
    """An INTEGER."""
    return tlv.encode(tag, tlv.encode_integer(number))


def text(tag: int, words: str) -> bytes:
    """A UTF8String."""
    return tlv.encode(tag, words.encode())


def bits(tag: int, octets: bytes) -> bytes:
    """A BIT STRING with named bits: those at the end that are not set are left out."""
    octets = octets.rstrip(b"\0")
    unused = (octets[-1] & -octets[-1]).bit_length() - 1 if octets else 0
    return tlv.encode(tag, bytes((unused,)) + octets)


def first_bits(value_of_bits: bytes) -> int:
    """The first eight bits of a BIT STRING, however many of them are said to be unused; 0 of an empty one."""
    return value_of_bits[1] if len(value_of_bits) > 1 else 0


def key_ids(tag: int, ids: Sequence[bytes]) -> bytes:
    """A list of key identifiers."""
    return tlv.encode(tag, *(tlv.encode(0x04, one) for one in ids))
