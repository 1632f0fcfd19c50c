"""Tag, length, value: the BER of smart cards, eSIM profiles and RSPRO, without any I/O.

Tags are numbers of their whole octets: 0x80, 0xA2, 0xBF2D. Only definite lengths are taken, of up to four octets;
the shortest that holds the number is written, as DER wants.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from remsim.core.errors import RemsimError

MOST_TAG_OCTETS = 4
MOST_LENGTH_OCTETS = 4
MOST_INTEGER_OCTETS = 16
CONSTRUCTED = 0x20


class TlvError(RemsimError):
    """Octets are no TLV; ``offset`` is where they stop to be one, ``is_cut`` that only more of them could help."""

    code = "tlv_error"

    def __init__(self, message: str, *, offset: int = 0, is_cut: bool = False) -> None:
        super().__init__(message)
        self.offset = offset
        self.is_cut = is_cut


class Tlv(NamedTuple):
    """One object; ``value`` holds the octets behind tag and length."""

    tag: int
    value: bytes

    @property
    def is_constructed(self) -> bool:
        """Whether its value is made of objects again."""
        first = self.tag.to_bytes(MOST_TAG_OCTETS).lstrip(b"\0")[:1]
        return bool(first and first[0] & CONSTRUCTED)

    def children(self) -> tuple[Tlv, ...]:
        """The objects inside; ``TlvError`` when they do not fill it exactly."""
        return tuple(read_all(self.value))

    def find(self, *tags: int) -> Tlv | None:
        """The first object along a path of tags; None when there is none."""
        found = self
        for tag in tags:
            inside = next((child for child in found.children() if child.tag == tag), None)
            if inside is None:
                return None
            found = inside
        return found

    def encode(self) -> bytes:
        """Its octets."""
        return encode(self.tag, self.value)


def encode(tag: int, *values: bytes) -> bytes:
    """An object whose value is all of these, one behind the other."""
    value = b"".join(values)
    return encode_tag(tag) + encode_length(len(value)) + value


def encode_tag(tag: int) -> bytes:
    """The octets of a tag; ``TlvError`` for a number that is none."""
    if not 0 < tag < 1 << 8 * MOST_TAG_OCTETS:
        raise TlvError(f"{tag:#x} is not a tag")
    octets = tag.to_bytes((tag.bit_length() + 7) // 8)
    if read_tag(octets, 0) != (tag, len(octets)):
        raise TlvError(f"{tag:#x} is not a tag")
    return octets


def encode_length(length: int) -> bytes:
    """The shortest octets of a length."""
    if length < 0x80:
        return bytes((length,))
    octets = length.to_bytes((length.bit_length() + 7) // 8)
    if len(octets) > MOST_LENGTH_OCTETS:
        raise TlvError(f"{length} octets are too many")
    return bytes((0x80 | len(octets),)) + octets


def read(data: bytes, offset: int = 0) -> tuple[Tlv, int]:
    """The object at an offset, and where the next one is."""
    tag, at = read_tag(data, offset)
    length, at = read_length(data, at)
    end = at + length
    if end > len(data):
        text = f"the object {tag:x} says it has {length} octets, but {len(data) - at} are there"
        raise TlvError(text, offset=offset, is_cut=True)
    return Tlv(tag, data[at:end]), end


def read_one(data: bytes) -> Tlv:
    """The only object in there."""
    tlv, end = read(data)
    if end != len(data):
        raise TlvError(f"{len(data) - end} octets follow the object {tlv.tag:x}", offset=end)
    return tlv


def read_all(data: bytes) -> Iterator[Tlv]:
    """All objects, one behind the other."""
    offset = 0
    while offset < len(data):
        tlv, offset = read(data, offset)
        yield tlv


def read_tag(data: bytes, offset: int) -> tuple[int, int]:
    """A tag, and where its length begins."""
    if offset >= len(data):
        raise TlvError("it ends before a tag", offset=offset, is_cut=True)
    tag, at = data[offset], offset + 1
    if tag == 0:
        raise TlvError("00 is not a tag", offset=offset)
    if tag & 0x1F != 0x1F:
        return tag, at
    while True:
        if at >= len(data):
            raise TlvError("it ends inside a tag", offset=offset, is_cut=True)
        octet = data[at]
        if at == offset + 1 and octet == 0x80:
            raise TlvError("a tag begins with an empty octet", offset=offset)
        tag, at = tag << 8 | octet, at + 1
        if not octet & 0x80:
            return tag, at
        if at - offset == MOST_TAG_OCTETS:
            raise TlvError(f"a tag has more than {MOST_TAG_OCTETS} octets", offset=offset)


def read_length(data: bytes, offset: int) -> tuple[int, int]:
    """A length, and where the value begins."""
    if offset >= len(data):
        raise TlvError("it ends before a length", offset=offset, is_cut=True)
    first, at = data[offset], offset + 1
    if first < 0x80:
        return first, at
    if first == 0x80:
        raise TlvError("an indefinite length is not taken", offset=offset)
    count = first & 0x7F
    if count > MOST_LENGTH_OCTETS:
        raise TlvError(f"a length has more than {MOST_LENGTH_OCTETS} octets", offset=offset)
    if at + count > len(data):
        raise TlvError("it ends inside a length", offset=offset, is_cut=True)
    return int.from_bytes(data[at : at + count]), at + count


def encode_integer(number: int) -> bytes:
    """The shortest two's complement, big end first: 128 is 00 80."""
    return number.to_bytes((number + (number < 0)).bit_length() // 8 + 1, signed=True)


def read_integer(value: bytes) -> int:
    """A signed integer; ``TlvError`` when it has no octets, or more than any number that is sent."""
    if not value:
        raise TlvError("an integer has no octets")
    if len(value) > MOST_INTEGER_OCTETS:
        raise TlvError(f"an integer has {len(value)} octets")
    return int.from_bytes(value, signed=True)
