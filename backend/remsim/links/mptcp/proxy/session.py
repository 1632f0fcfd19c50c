"""One connection of a client: to the server by MPTCP and on from there, or without it where it does not answer.

It begins before there is a client: a spare one has greeted the server and waits for one, who saves three round trips.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import selectors
import socket
import struct
import time
from collections.abc import Callable

from remsim.core.small_dataclass import dataclass
from remsim.links.mptcp.proxy.pump import Pump
from remsim.links.mptcp.proxy.socks import SocksRefused, Talk, connect, greet

MPTCP = 262
SO_ORIGINAL_DST = 80
CONNECT_S, SPARE_S = 5.0, 45.0
"""How long a step may take, and how long a spare connection is kept: carriers forget those that say nothing."""
KEEP_ALIVE = ((socket.TCP_KEEPIDLE, 60), (socket.TCP_KEEPINTVL, 20), (socket.TCP_KEEPCNT, 5))
READ, WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the proxy is told when it begins."""

    server: str
    port: int
    user: str
    password: str
    local_port: int
    fallback: bool


class Session:
    """A connection to the server, and a client's once there is one. ``on_end`` is called once; ``on_server`` with
    whether the server answers as it should."""

    def __init__(
        self,
        wanted: Wanted,
        selector: selectors.BaseSelector,
        *,
        mark: int,
        is_direct: bool,
        on_end: Callable[[Session], None],
        on_server: Callable[[bool], None],
    ) -> None:
        self._client: socket.socket | None = None
        self._target: tuple[str, int] | None = None
        self._wanted, self._selector = wanted, selector
        self._mark = mark
        self._on_end, self._on_server = on_end, on_server
        self._far: socket.socket | None = None
        self._talk: Talk | None = None
        self._needs, self._received, self._unsent = 0, b"", b""
        self._pumps: tuple[Pump, Pump] | None = None
        self._events: dict[socket.socket, int] = {}
        self._is_ended = False
        self._has_greeted = False
        self.is_direct = is_direct
        self.began_at = time.monotonic()
        self.deadline = self.began_at + CONNECT_S

    def begin(self) -> None:
        """Connect to the server, or to the target itself."""
        target = self._target if self.is_direct else (self._wanted.server, self._wanted.port)
        try:
            if target is not None:
                self._connect(target)
        except OSError:
            self._failed()

    def take(self, client: socket.socket, target: tuple[str, int]) -> None:
        """A client came."""
        self._client, self._target = client, target
        self.deadline = time.monotonic() + CONNECT_S
        if self._far is None:
            self.begin()
        elif self._has_greeted:
            self._order(self._far, target)

    @property
    def is_spare(self) -> bool:
        """Whether it waits for a client, and the server for its order."""
        return self._client is None and self._has_greeted and not self._is_ended

    def late(self) -> None:
        """It takes too long to connect."""
        self._failed()

    def close(self) -> None:
        """End both sides."""
        if self._is_ended:
            return
        self._is_ended = True
        for pump in self._pumps or ():
            pump.close()
        for sock in (self._client, self._far):
            if sock is not None:
                self._watch(sock, 0)
                if self._pumps is not None and not all(pump.is_done for pump in self._pumps):
                    abort(sock)
                sock.close()
        self._on_end(self)

    @property
    def is_waiting(self) -> bool:
        """Whether it has no client, and may still serve one."""
        return self._client is None and not self._is_ended

    @property
    def is_connected(self) -> bool:
        """Whether data flows."""
        return self._pumps is not None

    @property
    def moved(self) -> tuple[int, int]:
        """Octets from the client and to it."""
        return (self._pumps[0].moved, self._pumps[1].moved) if self._pumps else (0, 0)

    def _connect(self, address: tuple[str, int]) -> None:
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        far = self._far = open_stream(family, is_plain=self.is_direct)
        far.setblocking(False)
        if self._mark and not self.is_direct:
            with contextlib.suppress(PermissionError):
                far.setsockopt(socket.SOL_SOCKET, socket.SO_MARK, self._mark)  # its first subflow goes by this link
        status = far.connect_ex(address)
        if status not in (0, errno.EINPROGRESS):
            raise OSError(status, "no connection")
        self._watch(far, WRITE)

    def ready(self, sock: socket.socket, events: int) -> None:
        """Go on with a socket that is ready."""
        if self._is_ended:
            return
        try:
            if self._pumps is not None:
                self._relay(sock, events)
            elif sock is self._far:
                self._step(sock, events)
        except (SocksRefused, OSError) as error:
            if self._pumps is None:
                self._failed(error)
            else:
                self.close()

    def _step(self, far: socket.socket, events: int) -> None:
        if self._talk is None and events & WRITE:
            status = far.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if status:
                raise OSError(status, "no connection")
            for option, value in KEEP_ALIVE:
                with contextlib.suppress(OSError):
                    far.setsockopt(socket.IPPROTO_TCP, option, value)
            far.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            if self.is_direct:
                self._relay_from_now_on(far)
                return
            self._talk = greet(self._wanted.user, self._wanted.password)
            self._unsent, self._needs = next(self._talk)
        if events & READ:
            if self.is_spare:
                raise SocksRefused("it waits no longer")
            data = far.recv(self._needs - len(self._received))
            if not data:
                raise SocksRefused("it ends the connection")
            self._received += data
        if self._talk is not None and not self._unsent and len(self._received) == self._needs:
            received, self._received = self._received, b""
            try:
                self._unsent, self._needs = self._talk.send(received)
            except StopIteration:
                self._is_answered(far)
                return
        if self._unsent:
            with contextlib.suppress(BlockingIOError):
                self._unsent = self._unsent[far.send(self._unsent) :]
        self._watch(far, WRITE if self._unsent else READ)

    def _is_answered(self, far: socket.socket) -> None:
        """The server takes orders, or the connection stands."""
        if self._has_greeted:
            self._on_server(True)
            self._relay_from_now_on(far)
            return
        self._has_greeted = True
        if self._target is not None:
            self._order(far, self._target)
        else:
            self.deadline = self.began_at + SPARE_S
            self._watch(far, READ)

    def _order(self, far: socket.socket, target: tuple[str, int]) -> None:
        self._talk = connect(*target)
        self._unsent, self._needs = next(self._talk)
        self._watch(far, WRITE)

    def _failed(self, error: Exception | None = None) -> None:
        """The way that was tried does not lead there: without the server, where that is wanted, or not at all."""
        is_targets_fault = isinstance(error, SocksRefused) and error.is_targets_fault
        if self.is_direct or is_targets_fault or self.is_spare:
            self.close()
            return
        self._on_server(False)
        if self._far is not None:
            self._watch(self._far, 0)
            self._far.close()
            self._far = None
        if not self._wanted.fallback or self._client is None:
            self.close()
            return
        self.is_direct = True
        self._talk = None
        self._received = self._unsent = b""
        self.deadline = time.monotonic() + 4 * CONNECT_S
        self.begin()

    def _relay_from_now_on(self, far: socket.socket) -> None:
        assert self._client is not None
        outward, inward = self._pumps = (Pump(self._client, far), Pump(far, self._client))
        self.deadline = float("inf")
        self._watch_both(far, outward, inward)

    def _relay(self, sock: socket.socket, events: int) -> None:
        assert self._pumps is not None and self._far is not None
        outward, inward = self._pumps
        reads, writes = (outward, inward) if sock is self._client else (inward, outward)
        if events & WRITE:
            writes.drain()
        if events & READ:
            reads.fill()
        if outward.is_done and inward.is_done:
            self.close()
        else:
            self._watch_both(self._far, outward, inward)

    def _watch_both(self, far: socket.socket, outward: Pump, inward: Pump) -> None:
        assert self._client is not None
        self._watch(self._client, READ * outward.wants_more | WRITE * inward.has_some)
        self._watch(far, READ * inward.wants_more | WRITE * outward.has_some)

    def _watch(self, sock: socket.socket, events: int) -> None:
        before = self._events.get(sock, 0)
        if events == before:
            return
        if not before:
            self._selector.register(sock, events, self)
        elif events:
            self._selector.modify(sock, events, self)
        else:
            self._selector.unregister(sock)
        self._events[sock] = events


def open_stream(family: socket.AddressFamily, *, is_plain: bool) -> socket.socket:
    """A TCP socket, of MPTCP where the kernel has it."""
    if not is_plain:
        with contextlib.suppress(OSError):
            return socket.socket(family, socket.SOCK_STREAM, MPTCP)
    return socket.socket(family, socket.SOCK_STREAM)


def original_target(client: socket.socket) -> tuple[str, int]:
    """Where a redirected connection was meant to go; ``OSError``."""
    if client.family == socket.AF_INET6 and not client.getpeername()[0].startswith("::ffff:"):
        data = client.getsockopt(socket.IPPROTO_IPV6, SO_ORIGINAL_DST, 28)
        return socket.inet_ntop(socket.AF_INET6, data[8:24]), struct.unpack("!H", data[2:4])[0]
    data = client.getsockopt(socket.IPPROTO_IP, SO_ORIGINAL_DST, 16)
    return socket.inet_ntop(socket.AF_INET, data[4:8]), struct.unpack("!H", data[2:4])[0]


def abort(sock: socket.socket) -> None:
    """Reset a connection. One by MPTCP that is closed while the other end sends would go on to receive for a minute,
    and hold up others with it; ``connect`` to no family is how a socket lets go of its peer (connect(2))."""
    ctypes.CDLL(None).connect(sock.fileno(), struct.pack("=H14x", socket.AF_UNSPEC), 16)
