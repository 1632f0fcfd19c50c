"""What a certificate says of itself, read and not checked: names, dates, key. Checking is OpenSSL's and the card's.

Source: RFC 5280 §4.1; the OID of a server is a registeredID among the other names (SGP.22 §4.5.2.1).
"""

from __future__ import annotations

import hashlib
from calendar import timegm
from typing import NamedTuple

from remsim.core.tlv import Tlv, TlvError, read_one

COMMON_NAME, ORGANISATION = b"\x55\x04\x03", b"\x55\x04\x0a"
OTHER_NAMES = b"\x55\x1d\x11"
EXPLICIT_VERSION, EXTENSIONS = 0xA0, 0xA3
UTC_TIME, DNS_NAME, REGISTERED_ID = 0x17, 0x82, 0x88
LONGEST_NAME = 120


class Certificate(NamedTuple):
    """Times are seconds since the epoch; ``key_id`` is the SHA-1 of the key, as the authorities of eSIMs name it."""

    subject: str
    issuer: str
    not_before: int
    not_after: int
    key_id: bytes
    hosts: tuple[str, ...]
    oids: tuple[str, ...]


def read_certificate(der: bytes) -> Certificate:
    """What it says; ``TlvError`` when it is none."""
    try:
        signed = list(read_one(der).children()[0].children())
        if signed and signed[0].tag == EXPLICIT_VERSION:
            del signed[0]
        _serial, _algorithm, issuer, validity, subject, key, *rest = signed
        start, end = validity.children()
        _algorithm, point = key.children()
        others = [name for extension in extensions(rest) for name in other_names(extension)]
        return Certificate(
            subject=name_of(subject),
            issuer=name_of(issuer),
            not_before=time_of(start),
            not_after=time_of(end),
            key_id=hashlib.sha1(point.value[1:], usedforsecurity=False).digest(),
            hosts=tuple(plain(one.value) for one in others if one.tag == DNS_NAME),
            oids=tuple(oid_of(one.value) for one in others if one.tag == REGISTERED_ID),
        )
    except (ValueError, IndexError) as error:
        raise TlvError("this is no certificate") from error


def extensions(rest: list[Tlv]) -> tuple[Tlv, ...]:
    """Those of what follows a certificate's key."""
    for one in rest:
        if one.tag == EXTENSIONS:
            return one.children()[0].children()
    return ()


def other_names(extension: Tlv) -> tuple[Tlv, ...]:
    """The names of an extension, if it is the one that has names."""
    oid, *_critical, value = extension.children()
    return read_one(value.value).children() if oid.value == OTHER_NAMES else ()


def name_of(name: Tlv) -> str:
    """Its common name, else its organisation, else nothing."""
    found: dict[bytes, str] = {}
    for part in name.children():
        for pair in part.children():
            oid, text = pair.children()
            found.setdefault(oid.value, plain(text.value))
    return found.get(COMMON_NAME) or found.get(ORGANISATION) or ""


def plain(octets: bytes) -> str:
    """Text that may be anything, for people."""
    said = octets.decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else " " for letter in said).strip()[:LONGEST_NAME]


def time_of(time: Tlv) -> int:
    """``UTCTime`` or ``GeneralizedTime``, both in UTC to the second."""
    digits = time.value.decode("ascii").removesuffix("Z")
    if time.tag == UTC_TIME:
        digits = ("19" if digits[:2] >= "50" else "20") + digits
    if len(digits) != 14 or not digits.isdecimal():
        raise ValueError(digits)
    year, *others = int(digits[:4]), *(int(digits[at : at + 2]) for at in range(4, 14, 2))
    return timegm((year, *others, 0, 0, 0))


def oid_of(octets: bytes) -> str:
    """``2.999.10`` of 88 37 0A; ``ValueError`` when it is cut or empty."""
    numbers: list[int] = []
    number = 0
    for octet in octets:
        number = number << 7 | octet & 0x7F
        if not octet & 0x80:
            numbers.append(number)
            number = 0
    if not numbers or octets[-1] & 0x80:
        raise ValueError("an object identifier is cut")
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, (first, numbers[0] - 40 * first, *numbers[1:])))
