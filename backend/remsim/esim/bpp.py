"""A Bound Profile Package cut into the segments that are sent to the card one by one (SGP.22 §2.5.5, §5.7.6)."""

from __future__ import annotations

from collections.abc import Iterator

from remsim.core import tlv
from remsim.core.tlv import TlvError

PACKAGE, CHANNEL = 0xBF36, 0xBF23
KEYS, METADATA, REPLACED_KEYS, PROFILE = 0xA0, 0xA1, 0xA2, 0xA3
INNER = {KEYS: 0x87, METADATA: 0x88, REPLACED_KEYS: 0x87, PROFILE: 0x86}
"""What each part consists of."""
SHARES_FIRST = (KEYS, REPLACED_KEYS)
"""Parts whose head goes with their first piece; that of the others goes alone."""
ORDERS = ((KEYS, METADATA, PROFILE), (KEYS, METADATA, REPLACED_KEYS, PROFILE))
MOST_OCTETS = 8 << 20


def segments(package: bytes) -> list[bytes]:
    """The segments in their order, octets as they came; ``TlvError`` when the package is not made as it should be."""
    if len(package) > MOST_OCTETS:
        raise TlvError(f"a package of {len(package)} octets is too large for any card")
    outer = pieces(package, 0, len(package))
    if len(outer) != 1 or outer[0][0] != PACKAGE:
        raise TlvError("this is not one Bound Profile Package (BF36)")
    _, _, inside, end = outer[0]
    parts = pieces(package, inside, end)
    if not parts or parts[0][0] != CHANNEL:
        raise TlvError("the package does not begin with the session's keys (BF23)", offset=inside)
    if tuple(tag for tag, *_ in parts[1:]) not in ORDERS:
        names = " ".join(f"{tag:X}" for tag, *_ in parts[1:]) or "nothing"
        raise TlvError(f"the package has not the parts A0, A1, perhaps A2, and A3, but {names}", offset=inside)
    found = [package[: parts[0][3]]]
    for part in parts[1:]:
        found += segments_of(package, *part)
    return found


def segments_of(package: bytes, tag: int, begin: int, inside: int, end: int) -> Iterator[bytes]:
    """One part: its head, and each of its pieces."""
    inner = pieces(package, inside, end)
    for found, at, _, _ in inner:
        if found != INNER[tag]:
            raise TlvError(f"in {tag:X} stands {found:X}, not {INNER[tag]:X}", offset=at)
    shared = inner[:1] if tag in SHARES_FIRST else []
    yield package[begin : shared[0][3] if shared else inside]
    for _, at, _, until in inner[len(shared) :]:
        yield package[at:until]


def pieces(data: bytes, at: int, end: int) -> list[tuple[int, int, int, int]]:
    """The objects between two places: tag, where it begins, where its value does, where it ends."""
    found = []
    while at < end:
        tag, behind = tlv.read_tag(data, at)
        length, inside = tlv.read_length(data, behind)
        if inside + length > end:
            raise TlvError(f"the object {tag:X} is longer than what it is in", offset=at, is_cut=True)
        found.append((tag, at, inside, inside + length))
        at = inside + length
    return found


def transaction_of(package: bytes) -> bytes | None:
    """The transaction that the package was made for (tag 80 in BF23)."""
    outer = tlv.read_one(package)
    found = outer.find(CHANNEL, 0x80)
    return None if found is None else found.value
