"""Elements of sets and values of counters, by nfnetlink itself (linux/netfilter/nf_tables.h).

libnftables reads every interval set back from the kernel before it touches any element or lists a counter: with
40,000 ranges that takes a second and as many kilobytes. Here a command costs what it changes.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
from collections.abc import Collection, Iterable, Sequence
from itertools import islice

from remsim.core.small_dataclass import dataclass
from remsim.links.kernel.netlink import NETLINK_NETFILTER, Netlink, attribute, attributes, nested

NAME = "remsim"
_NAME = NAME.encode() + b"\0"
INET = 1
SUBSYSTEM = 10 << 8
BEGIN, END = 0x10, 0x11
DELTABLE, GETCHAIN, GETRULE, NEWSETELEM, DELSETELEM, GETOBJ = (SUBSYSTEM | kind for kind in (2, 4, 7, 12, 14, 19))
CREATE = 0x400
COUNTER = 1
KEY_END = 10
PER_MESSAGE = 1000
"""Elements of a message: its list may have 64 kB."""
AT_ONCE = 500
"""Elements of a transaction: some milliseconds, in which rings cannot be changed."""
_TYPES = re.compile(r"\btype ([a-z0-9_ .]+?)\s*(?:;|$)")
_HEAD = struct.pack(">BBH", INET, 0, 0)
_BATCH = struct.pack(">BBH", 0, 0, 10)
_FAMILIES = {"ipv4_addr": socket.AF_INET, "ipv6_addr": socket.AF_INET6}


@dataclass(frozen=True, slots=True)
class Form:
    """How a set's elements look: the types of its key, and whether they are ranges.

    Ranges are those of ``wide``: an address and any protocol.
    """

    types: tuple[str, ...]
    is_range: bool

    @property
    def is_known(self) -> bool:
        """Whether ``Elements`` can put them in."""
        if self.is_range:
            return len(self.types) == 2 and self.types[0] in _FAMILIES and self.types[1] == "inet_proto"
        return {*self.types} <= {*_FAMILIES, "inet_service", "ifname", "nf_proto"}


def form_of(declaration: str) -> Form:
    """The form of a set, from what stands between its braces."""
    found = _TYPES.search(declaration)
    types = tuple(one.strip() for one in found[1].split(".")) if found else ("",)
    flags = re.search(r"\bflags ([a-z, ]+)", declaration)
    return Form(types, flags is not None and "interval" in flags[1])


class Elements:
    """Changes sets and reads counters of our table. For one thread at a time; errors are ``OSError``."""

    def __init__(self) -> None:
        self._netlink = Netlink(NETLINK_NETFILTER)

    def close(self) -> None:
        """Let the socket go."""
        self._netlink.close()

    def counters(self) -> dict[str, tuple[int, int]]:
        """Packets and octets of each counter."""
        wanted = attribute(1, _NAME) + attribute(3, struct.pack(">I", COUNTER))
        found = {}
        for body in self._netlink.dump(GETOBJ, _HEAD + wanted):
            parts = attributes(body[4:])
            if parts.get(1, b"").rstrip(b"\0") != NAME.encode() or parts.get(3) != struct.pack(">I", COUNTER):
                continue
            values = attributes(parts.get(4, b""))
            packets, octets = (int.from_bytes(values.get(kind, b""), "big") for kind in (2, 1))
            found[parts.get(2, b"").rstrip(b"\0").decode("ascii", "replace")] = (packets, octets)
        return found

    def remove_table(self) -> None:
        """Take our table away, if it is there."""
        target = _HEAD + attribute(1, _NAME)
        with contextlib.suppress(FileNotFoundError):
            self._netlink.batch([(BEGIN, 0, _BATCH), (DELTABLE, 0, target), (END, 0, _BATCH)])

    def chains(self) -> set[str]:
        """The names of the chains that are there."""
        found = (attributes(body[4:]) for body in self._netlink.dump(GETCHAIN, _HEAD + attribute(1, _NAME)))
        return {parts[3].rstrip(b"\0").decode("ascii", "replace") for parts in found if parts.get(1) == _NAME}

    def has_rules(self, chain: str) -> bool:
        """Whether a chain is there and not empty."""
        wanted = attribute(1, _NAME) + attribute(2, chain.encode() + b"\0")
        found = list(self._netlink.dump(GETRULE, _HEAD + wanted))
        return bool(found)

    def refresh(self, name: str, form: Form, values: Sequence[str], timeout_s: int | None) -> None:
        """Add to a set, or begin the time of what is in it anew: kernels before 6.12 keep the old time otherwise."""
        timeout = b"" if timeout_s is None else attribute(4, struct.pack(">Q", timeout_s * 1000))
        keys = [key_of(form.types, value) for value in values]
        for at in range(0, len(keys), AT_ONCE):
            plain = [_element(key) for key in keys[at : at + AT_ONCE]]
            timed = [_element(key, timeout) for key in keys[at : at + AT_ONCE]]
            self._transact([(NEWSETELEM, plain), (DELSETELEM, plain), (NEWSETELEM, timed)], name)

    def fill(self, name: str, form: Form, values: Collection[str], *, gone: Collection[str] = ()) -> None:
        """Put very many elements in and take others out, in transactions that hold nobody up."""
        for kind, some in ((DELSETELEM, gone), (NEWSETELEM, values)):
            whole = (element_of(form, value) for value in some)
            while part := list(islice(whole, AT_ONCE)):
                self._transact([(kind, part)], name)

    def _transact(self, changes: Iterable[tuple[int, Sequence[bytes]]], name: str) -> None:
        target = attribute(1, _NAME) + attribute(2, name.encode() + b"\0")
        parts = [(BEGIN, 0, _BATCH)]
        for kind, elements in changes:
            flags = CREATE if kind == NEWSETELEM else 0
            for at in range(0, len(elements), PER_MESSAGE):
                parts.append((kind, flags, _HEAD + target + nested(3, *elements[at : at + PER_MESSAGE])))
        self._netlink.batch([*parts, (END, 0, _BATCH)])


def element_of(form: Form, value: str) -> bytes:
    """An element as the kernel has it; ``ValueError`` for what this does not know."""
    if not form.is_range:
        return _element(key_of(form.types, value))
    first, last = span_of(form.types[0], value)
    return nested(1, nested(1, attribute(1, first + bytes(4))), nested(KEY_END, attribute(1, last + b"\xff\0\0\0")))


def span_of(kind: str, value: str) -> tuple[bytes, bytes]:
    """First and last address of a range: ``192.0.2.0/24``, ``192.0.2.1-192.0.2.9``, ``192.0.2.1``."""
    begin, dash, end = value.partition("-")
    network, _, length = begin.partition("/")
    first = _part(kind, network.strip())
    if dash:
        return first, _part(kind, end.strip())
    bits = len(first) * 8
    host = (1 << bits - int(length or bits)) - 1
    number = int.from_bytes(first, "big")
    return (number & ~host).to_bytes(len(first), "big"), (number | host).to_bytes(len(first), "big")


def key_of(types: Sequence[str], value: str) -> bytes:
    """An element's key as the kernel has it; ``ValueError`` for what this does not know."""
    parts = [part.strip() for part in value.split(" . ")]
    if len(parts) != len(types):
        raise ValueError(value)
    keys = [_part(kind, part) for kind, part in zip(types, parts, strict=True)]
    return keys[0] if len(keys) == 1 else b"".join(key + bytes(-len(key) % 4) for key in keys)


def _part(kind: str, text: str) -> bytes:
    if kind in _FAMILIES:
        try:
            return socket.inet_pton(_FAMILIES[kind], text)
        except OSError as error:
            raise ValueError(text) from error
    if kind == "inet_service":
        port = int(text)
        if not 0 <= port <= 65535:
            raise ValueError(text)
        return port.to_bytes(2, "big")
    if kind == "ifname":
        return text.strip('"').encode().ljust(16, b"\0")
    if kind == "nf_proto" and text in ("ipv4", "ipv6"):
        return b"\x02" if text == "ipv4" else b"\x0a"
    raise ValueError(text)


def _element(key: bytes, more: bytes = b"") -> bytes:
    return nested(1, nested(1, attribute(1, key)), more)
