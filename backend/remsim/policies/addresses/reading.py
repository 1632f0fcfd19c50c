"""Files of addresses: an address, network or range ``a-b`` a line, IPv4 and IPv6 mixed, comments behind # or ;."""

from __future__ import annotations

import socket
from typing import BinaryIO, NamedTuple

from remsim.core.errors import InvalidInput
from remsim.policies.addresses.spans import Sorter, Spans

MOST_LINES = 1_000_000
"""Of a file; those without an address count too."""
LONGEST = 1024
"""Octets of a line."""


class AddressFileError(InvalidInput):
    """A file of addresses cannot be used; ``line`` is that at fault, from 1."""

    code = "address_file"

    def __init__(self, message: str, line: int | None = None) -> None:
        super().__init__(message, field="text", hint="a line has to be as in 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32")
        self.line = line


class Addresses(NamedTuple):
    """What a file has."""

    four: Spans
    six: Spans

    def of(self, family: int) -> Spans:
        """Those of a family, 4 or 6."""
        return self.four if family == 4 else self.six

    def __len__(self) -> int:
        return len(self.four) + len(self.six)


def read_addresses(file: BinaryIO) -> Addresses:
    """All of a file; ``AddressFileError`` at its first line that is none."""
    sorters = {4: Sorter(4), 16: Sorter(6)}
    number = 0
    while line := file.readline(LONGEST + 1):
        number += 1
        if number > MOST_LINES:
            raise AddressFileError(f"it has more than {MOST_LINES} lines", number)
        if len(line) > LONGEST:
            raise AddressFileError(f"it has more than {LONGEST} characters", number)
        text = line.partition(b"#")[0].partition(b";")[0].strip()
        if number == 1:
            text = text.removeprefix(b"\xef\xbb\xbf").strip()
        if not text:
            continue
        try:
            span = span_of(text.decode("ascii"))
        except ValueError as error:
            raise AddressFileError(f"“{_shown(text)}” {_reason(error)}", number) from None
        sorters[len(span) // 2].add(span)
    return Addresses(sorters[4].spans(), sorters[16].spans())


def span_of(text: str) -> bytes:
    """First and last address of a line as octets; ``ValueError`` with what is said of the line."""
    first, dash, last = text.partition("-")
    if dash:
        begin, end = _address(first.strip()), _address(last.strip())
        if len(begin) != len(end):
            raise ValueError("is half IPv4 and half IPv6")
        if begin > end:
            raise ValueError("begins after its end")
        return begin + end
    host, slash, length = text.partition("/")
    address = _address(host)
    if not slash:
        return address + address
    bits = 8 * len(address)
    if not length.isascii() or not length.isdigit() or len(length) > 3 or int(length) > bits:
        raise ValueError(f"is no network: the prefix length is 0 to {bits}")
    rest = (1 << (bits - int(length))) - 1
    number = int.from_bytes(address, "big")
    return (number & ~rest).to_bytes(len(address), "big") + (number | rest).to_bytes(len(address), "big")


def _address(text: str) -> bytes:
    try:
        return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)
    except (OSError, ValueError):
        raise ValueError("is no address") from None


def _reason(error: ValueError) -> str:
    return "is no address" if isinstance(error, UnicodeDecodeError) else str(error)


def _shown(raw: bytes) -> str:
    text = "".join(one if one.isprintable() else "�" for one in raw.decode("utf-8", "replace"))
    return text if len(text) <= 40 else text[:37] + "…"
