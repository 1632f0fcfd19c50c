"""Lines of lists of countries: ``start,end,cc`` with addresses or numbers, ``network,cc``, and what registries publish.

Separators may be commas, semicolons or tabs, values quoted, further columns are not looked at. Regional registries'
files have bars: ``ripencc|DE|ipv4|192.0.2.0|256|20100101|allocated``.
"""

from __future__ import annotations

import socket
from typing import NamedTuple

from remsim.core.errors import InvalidInput

FIRST_OF_6 = 1 << 32
MAPPED = 0xFFFF << 32
"""::ffff:0.0.0.0, as which some lists for IPv6 write IPv4."""
UNKNOWN = (b"", b"-", b"*", b"ZZ", b"??")
LONGEST = 1024


class CountryFileError(InvalidInput):
    """A list of countries cannot be read; ``line`` is the number of the line at fault, from 1."""

    code = "country_file"

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(
            message if line is None else f"line {line}: {message}",
            field="csv",
            hint="lines have to be as in 192.0.2.0,192.0.2.255,DE",
        )
        self.line = line


class Range(NamedTuple):
    """First and last address as numbers, and two letters in capitals."""

    family: int
    first: int
    last: int
    country: bytes


class Heading(NamedTuple):
    """The first line of a registry's file: who published it, and when (``2026-11-26``)."""

    registry: str
    date: str


def parse_line(raw: bytes, number: int) -> Range | Heading | None:
    """A line; None where it says nothing (a comment, an unknown country, a title); ``CountryFileError``."""
    if len(raw) > LONGEST:
        raise CountryFileError(f"it has more than {LONGEST} characters", number)
    line = raw.strip()
    if not line or line[0] == 35:  # '#'
        return None
    if b"|" in line:
        return _registry(line, number)
    separator = next((one for one in (b",", b"\t", b";") if one in line), None)
    if separator is None:
        raise CountryFileError("it has no columns", number)
    columns = [one.strip(b" \"'") for one in line.split(separator, 3)[:3]]
    if b"/" in columns[0]:
        return _made(*_network(columns[0], number), columns[1], number)
    if len(columns) < 3:
        raise CountryFileError("it has fewer than three columns", number)
    if number == 1 and not _is_address(columns[0]):
        return None  # titles of the columns
    if columns[2] in UNKNOWN:
        return None
    if (b":" in columns[0]) != (b":" in columns[1]):
        raise CountryFileError("its first and last address are not of one kind", number)
    return _made(_number(columns[0], number), _number(columns[1], number), columns[2], number)


def _registry(line: bytes, number: int) -> Range | Heading | None:
    columns = line.split(b"|")
    if columns[0][:1].isdigit():
        date = columns[2].decode("ascii", "replace") if len(columns) > 2 else ""
        shown = f"{date[:4]}-{date[4:6]}-{date[6:8]}" if len(date) == 8 and date.isdigit() else ""
        return Heading(columns[1].decode("ascii", "replace")[:40], shown)
    if len(columns) < 5:
        raise CountryFileError("it has fewer columns than a registry's line", number)
    country, kind, start, size = columns[1:5]
    if kind not in (b"ipv4", b"ipv6") or country in UNKNOWN:
        return None
    if not size.isdigit() or len(size) > 10:
        raise CountryFileError("its size is no number", number)
    first = _number(start, number)
    if kind == b"ipv6":
        if not 0 <= int(size) <= 128:
            raise CountryFileError("its prefix is longer than an address", number)
        last = first | ((1 << (128 - int(size))) - 1)
    else:
        last = first + int(size) - 1
    return _made(first, last, country, number, 6 if kind == b"ipv6" else 4)


def _made(first: int, last: int, country: bytes, number: int, family: int | None = None) -> Range | None:
    if country in UNKNOWN:
        return None
    if len(country) != 2 or not country.isalpha():
        raise CountryFileError(f"{country[:20].decode('ascii', 'replace')!r} is no country of two letters", number)
    if first > last:
        raise CountryFileError("its first address is above its last", number)
    if family is None:
        if first >= MAPPED and last < MAPPED + FIRST_OF_6:
            first, last = first - MAPPED, last - MAPPED
        family = 6 if last >= FIRST_OF_6 else 4
    if last >= 1 << (32 if family == 4 else 128):
        raise CountryFileError("its last address is no address", number)
    return Range(family, first, last, country.upper())


def _number(text: bytes, line: int) -> int:
    """An address, or a number of one."""
    if text.isdigit():
        if len(text) > 39:
            raise CountryFileError("it has a number that is no address", line)
        return int(text)
    try:
        family = socket.AF_INET6 if b":" in text else socket.AF_INET
        return int.from_bytes(socket.inet_pton(family, text.decode("ascii")), "big")
    except (OSError, ValueError):
        shown = text[:60].decode("ascii", "replace")
        raise CountryFileError(f"{shown!r} is no address", line) from None


def _network(text: bytes, line: int) -> tuple[int, int]:
    start, _, length = text.partition(b"/")
    bits = 128 if b":" in start else 32
    if not length.isdigit() or int(length[:4]) > bits:
        raise CountryFileError("its network has no length", line)
    mask = (1 << (bits - int(length))) - 1
    first = _number(start, line) & ~mask
    return first, first | mask


def _is_address(text: bytes) -> bool:
    return text.isdigit() or (text[:1] in b"0123456789abcdefABCDEF:" and (b"." in text or b":" in text))
