"""The kernel's flows: read as text, deleted by netlink (linux/netfilter/nfnetlink_conntrack.h)."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import struct
import subprocess
from collections.abc import Collection, Iterable, Iterator

from remsim.core.routes import BULK, CLASS_MASK, INTERACTIVE, LINK_MASK, LINK_SHIFT, POLICY_SHIFT, Flow
from remsim.links.kernel.netlink import NETLINK_NETFILTER, Netlink, attribute, nested
from remsim.links.kernel.way import REFUSED

LIST = "/proc/thread-self/net/nf_conntrack"
PROGRAM = "conntrack"
TIMEOUT_S = 10
DELETE = 1 << 8 | 2
"""Subsystem ctnetlink, message IPCTNL_MSG_CT_DELETE."""
TUPLE_ORIG, MARK, MARK_MASK = 1, 8, 21
NUMBERS = {"tcp": 6, "udp": 17, "udplite": 136, "sctp": 132, "dccp": 33}
MOST_WORDS = 8192
KLASSES = {INTERACTIVE: "interactive", BULK: "bulk"}


class Words(dict[str, str]):
    """Addresses, protocols and states, as everybody else writes them and each once: thousands of flows have few.

    The kernel's list has all of an IPv6 address's noughts.
    """

    def __missing__(self, text: str) -> str:
        if ":" in text:
            self[text] = short = socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, text))
            return short
        self[text] = text
        return text


class Conntrack:
    """Reads and deletes flows. For one thread at a time."""

    def __init__(self, *, path: str = LIST, program: str = PROGRAM) -> None:
        self._path = path
        self._program = program
        self._netlink = Netlink(NETLINK_NETFILTER)
        self._words = Words()

    def close(self) -> None:
        """Let the socket go."""
        self._netlink.close()

    def read(self, own: Collection[str]) -> Iterator[Flow]:
        """All flows that links carry; ``own`` are this machine's addresses. None where the kernel shows none."""
        if len(self._words) > MOST_WORDS:
            self._words.clear()
        try:
            with open(self._path, encoding="ascii", errors="replace") as file:
                yield from parse_flows(file, own, self._words)
        except FileNotFoundError:
            yield from parse_flows(self._ask_program().splitlines(), own, self._words)

    def is_readable(self) -> bool:
        """Whether the kernel lists its flows, by itself or to the program."""
        return os.path.exists(self._path) or shutil.which(self._program) is not None

    def can_forget(self) -> bool:
        """Whether flows can be deleted: tried with a link's number that none has."""
        try:
            self.forget(REFUSED)
        except OSError:
            return False
        return True

    def forget(self, link: int) -> None:
        """Delete all flows of a link."""
        filters = attribute(MARK, struct.pack(">I", link << LINK_SHIFT))
        self._delete(filters + attribute(MARK_MASK, struct.pack(">I", LINK_MASK)), socket.AF_UNSPEC)

    def forget_flow(self, flow: Flow) -> bool:
        """Delete one flow; False when it was gone."""
        number = NUMBERS.get(flow.protocol)
        if number is None or flow.source_port is None or flow.destination_port is None:
            return False
        family = socket.AF_INET6 if ":" in flow.source else socket.AF_INET
        first = 3 if family == socket.AF_INET6 else 1
        addresses = nested(
            1,
            attribute(first, socket.inet_pton(family, flow.source)),
            attribute(first + 1, socket.inet_pton(family, flow.destination)),
        )
        ports = nested(
            2,
            attribute(1, bytes([number])),
            attribute(2, struct.pack(">H", flow.source_port)),
            attribute(3, struct.pack(">H", flow.destination_port)),
        )
        with contextlib.suppress(FileNotFoundError):
            self._delete(nested(TUPLE_ORIG, addresses, ports), family)
            return True
        return False

    def _delete(self, body: bytes, family: int) -> None:
        self._netlink.ask(DELETE, 0, struct.pack(">BBH", family, 0, 0) + body)

    def _ask_program(self) -> str:
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            asked = [self._program, "-L", "-o", "extended"]
            done = subprocess.run(asked, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
            return done.stdout
        return ""


def parse_flows(lines: Iterable[str], own: Collection[str] = (), words: Words | None = None) -> Iterator[Flow]:
    """The flows with a link in their mark, of lines as in /proc/net/nf_conntrack; others and odd lines are left out."""
    words = Words() if words is None else words
    for line in lines:
        at = line.rfind(" mark=")
        if at < 0 or line.startswith("mark=0 ", at + 1):
            continue
        flow = _flow(line, at + 6, own, words)
        if flow is not None:
            yield flow


def _flow(line: str, at: int, own: Collection[str], known: Words) -> Flow | None:
    words = line[: at - 6].split()
    try:
        mark = int(line[at : line.index(" ", at)])
        link = (mark & LINK_MASK) >> LINK_SHIFT
        if not link:
            return None
        forth: dict[str, str] = {}
        back: dict[str, str] = {}
        side, bare = forth, []
        for word in words[4:]:
            key, is_pair, value = word.partition("=")
            if not is_pair:
                bare.append(key)
                continue
            if key == "src" and "src" in side:
                side = back
            side[key] = value
        source_port, nat_port = _number(forth.get("sport")), back.get("dport")
        source, destination, nat_source = (known[text] for text in (forth["src"], forth["dst"], back.get("dst", "")))
        return Flow(
            protocol=known[words[2]],
            source=source,
            source_port=source_port,
            destination=destination,
            destination_port=_number(forth.get("dport")),
            link=link,
            policy=mark >> POLICY_SHIFT,
            klass=KLASSES.get(mark & CLASS_MASK),
            tx_bytes=_number(forth.get("bytes")),
            rx_bytes=_number(back.get("bytes")),
            state=next((known[word] for word in bare if word.isupper()), None),
            is_established="[UNREPLIED]" not in bare,
            is_forwarded=source not in own and destination not in own,
            nat_source=nat_source or None,
            nat_source_port=source_port if nat_port == forth.get("sport") else _number(nat_port),
        )
    except (KeyError, ValueError, IndexError, OSError):
        return None


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None
