"""Packets that rules of the table copy to user space (NFLOG), read from netlink without a library."""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Iterator

from remsim.core.errors import RemsimError
from remsim.policies.learning.taps import GROUP, SNAP

NETLINK_NETFILTER = 12
ULOG = 4 << 8
PACKET, CONFIG = ULOG | 0, ULOG | 1
ERROR = 2
REQUEST, ACKNOWLEDGE = 1, 4
COMMAND, MODE, TIMEOUT, THRESHOLD = 1, 2, 4, 5
BIND, COPY_PACKET = 1, 2
PAYLOAD = 9
BUFFER = 65536
QUEUE = 1 << 19
"""Octets that the kernel keeps for us; some 200 packets."""

HEADER = struct.Struct("=IHHII")
FAMILY = struct.Struct("!BBH")
ATTRIBUTE = struct.Struct("=HH")


class NoLog(RemsimError):
    """The kernel does not copy packets to us."""

    code = "no_nflog"
    http_status = 502


class Nflog:
    """One group of NFLOG, bound. ``lost``: how often more came than was read in time."""

    def __init__(self, group: int = GROUP) -> None:
        self.lost = 0
        self._group = group
        try:
            self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, NETLINK_NETFILTER)
        except OSError as error:
            raise NoLog("the kernel has no netlink for packets", hint="install kmod-nfnetlink") from error
        try:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, QUEUE)
            self._socket.bind((0, 0))
            self._socket.settimeout(2.0)
            self._configure(COMMAND, struct.pack("=B", BIND))
            self._configure(MODE, struct.pack("!IBx", SNAP, COPY_PACKET))
            self._configure(THRESHOLD, struct.pack("!I", 1))
            self._configure(TIMEOUT, struct.pack("!I", 1))
            self._socket.setblocking(False)
        except OSError as error:
            self._socket.close()
            raise _refused(error, group) from error

    def fileno(self) -> int:
        """For a poll."""
        return self._socket.fileno()

    def close(self) -> None:
        """The kernel copies nothing any more."""
        self._socket.close()

    def read(self) -> list[bytes]:
        """Packets that are there now, from their IP headers on; does not wait."""
        found: list[bytes] = []
        while len(found) < 256:
            try:
                found += packets(self._socket.recv(BUFFER))
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                self.lost += 1
        return found

    def _configure(self, kind: int, value: bytes) -> None:
        attribute = ATTRIBUTE.pack(4 + len(value), kind) + value
        attribute += bytes(-len(attribute) % 4)
        body = FAMILY.pack(socket.AF_UNSPEC, 0, self._group) + attribute
        self._socket.send(HEADER.pack(16 + len(body), CONFIG, REQUEST | ACKNOWLEDGE, kind, 0) + body)
        while True:
            answer = self._socket.recv(BUFFER)
            if len(answer) >= 20 and HEADER.unpack_from(answer)[1] == ERROR:
                (number,) = struct.unpack_from("=i", answer, 16)
                if number:
                    raise OSError(-number, os.strerror(-number))
                return


def packets(raw: bytes) -> Iterator[bytes]:
    """The packets in what the kernel sent at once."""
    at = 0
    while at + 20 <= len(raw):
        length, kind, _, _, _ = HEADER.unpack_from(raw, at)
        if length < 16 or at + length > len(raw):
            return
        if kind == PACKET:
            yield _payload(raw, at + 20, at + length)
        at += (length + 3) & ~3


def _payload(raw: bytes, at: int, end: int) -> bytes:
    while at + 4 <= end:
        length, kind = ATTRIBUTE.unpack_from(raw, at)
        if length < 4 or at + length > end:
            break
        if kind == PAYLOAD:
            return raw[at + 4 : at + length]
        at += (length + 3) & ~3
    return b""


def _refused(error: OSError, group: int) -> NoLog:
    if error.errno == errno.EBUSY:
        return NoLog(f"another program reads group {group} of NFLOG")
    if error.errno == errno.EPERM:
        return NoLog("the service may not read packets: it lacks the capability net_admin")
    return NoLog(f"the kernel does not copy packets: {error.strerror or error}", hint="install kmod-nfnetlink-log")
