"""What the LAN's clients do: downloads and page loads, all by one thread inside the LAN's namespace.

A ``Transfer`` is one connection; a ``Download`` is what a user wants, and asks anew when its connection is reset.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import selectors
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

from netlab.space import Space

BIN_S = 0.05
BUFFER = 524_288


@dataclass(eq=False, slots=True)
class Transfer:
    """One connection and what came over it; times are monotonic, ``bins`` has the bytes of each 50 ms.

    ``source`` is the address the server saw, which tells the link. ``error`` is None while nothing went wrong.
    """

    server: str
    port: int
    size: int | None
    client: str | None = None
    started: float = 0.0
    connected: float | None = None
    ended: float | None = None
    received: int = 0
    source: str | None = None
    error: str | None = None
    bins: dict[int, int] = field(default_factory=dict)

    @property
    def link(self) -> int | None:
        """The link it took, from the address on it (10.64.LINK.2 or 2001:db8:LINK::2)."""
        if self.source is None:
            return None
        return int(self.source.split(":")[2] if ":" in self.source else self.source.split(".")[2])

    @property
    def is_complete(self) -> bool:
        """Whether all that was asked for came."""
        return self.ended is not None and self.error is None

    def bytes_between(self, begin: float, end: float) -> int:
        """What came in a stretch of time."""
        return sum(size for n, size in self.bins.items() if begin <= n * BIN_S < end)

    def silence(self, begin: float, end: float) -> float:
        """The longest time without a byte in a stretch, seconds."""
        marks = [begin, *(n * BIN_S for n in sorted(self.bins) if begin <= n * BIN_S < end), end]
        return max(later - earlier for earlier, later in itertools.pairwise(marks))


class _Connection:
    """The socket of a transfer, while it has one."""

    def __init__(self, clients: Clients, transfer: Transfer, done: Callable[[Transfer], None] | None) -> None:
        self._clients, self._transfer, self._done = clients, transfer, done
        self._head: bytes | None = b""
        family = socket.AF_INET6 if ":" in transfer.server else socket.AF_INET
        self.socket = socket.socket(family, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        if transfer.client is not None:
            self.socket.bind((transfer.client, 0))
        transfer.started = monotonic()
        error = self.socket.connect_ex((transfer.server, transfer.port))
        clients.selector.register(self.socket, selectors.EVENT_WRITE, self.ready)
        if error not in (0, 115):
            self._end(os.strerror(error))

    def ready(self, now: float) -> None:
        """Go on after the selector said so."""
        transfer = self._transfer
        try:
            if transfer.connected is None:
                error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if error:
                    self._end(os.strerror(error))
                    return
                transfer.connected = now
                wanted = "endless" if transfer.size is None else transfer.size
                self.socket.send(f"GET /bytes/{wanted} HTTP/1.1\r\n\r\n".encode())
                self._clients.selector.modify(self.socket, selectors.EVENT_READ, self.ready)
                return
            size = self.socket.recv_into(self._clients.buffer)
        except BlockingIOError:
            return
        except OSError as error:
            self._end(error.strerror or str(error))
            return
        if size:
            self._took(size, now)
        else:
            is_short = transfer.size is None or transfer.received < transfer.size
            self._end("ended early" if is_short else None)

    def abandon(self) -> None:
        """Close it without a word to anybody."""
        self._done = None
        if self._transfer.ended is None:
            self._end("abandoned")

    def _took(self, size: int, now: float) -> None:
        transfer = self._transfer
        if self._head is not None:
            self._head += bytes(self._clients.buffer[:size])
            head, gap, body = self._head.partition(b"\r\n\r\n")
            if not gap:
                return
            transfer.source = head.partition(b"X-Source: ")[2].split(b"\r\n")[0].decode()
            self._head, size = None, len(body)
        transfer.received += size
        slot = int(now / BIN_S)
        transfer.bins[slot] = transfer.bins.get(slot, 0) + size

    def _end(self, error: str | None) -> None:
        self._transfer.ended, self._transfer.error = monotonic(), error
        self._clients.selector.unregister(self.socket)
        self.socket.close()
        self._clients.connections.discard(self)
        if self._done is not None:
            self._done(self._transfer)


class Clients:
    """The thread; ``with Clients(lab.lan) as clients``."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self.selector = selectors.DefaultSelector()
        self.buffer = memoryview(bytearray(BUFFER))
        self.connections: set[_Connection] = set()
        self.transfers: list[Transfer] = []
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._bell, self._rope = os.pipe()
        os.set_blocking(self._bell, False)
        self._is_over = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Clients:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over = True
        os.write(self._rope, b"x")
        self._thread.join(10)
        os.close(self._bell)
        os.close(self._rope)

    def at(self, when: float, do: Callable[[], None]) -> None:
        """Have the thread do something at a moment of the monotonic clock."""
        with self._lock:
            heapq.heappush(self._due, (when, next(self._numbers), do))
        if threading.current_thread() is not self._thread:
            os.write(self._rope, b"x")

    def fetch(
        self,
        server: str,
        port: int,
        size: int | None,
        *,
        client: str | None = None,
        when: float = 0.0,
        done: Callable[[Transfer], None] | None = None,
    ) -> Transfer:
        """Begin one connection; ``size`` None never ends. ``done`` is called by the thread."""
        transfer = Transfer(server, port, size, client)

        def begin() -> None:
            self.transfers.append(transfer)
            self.connections.add(_Connection(self, transfer, done))

        self.at(when, begin)
        return transfer

    def abandon_all(self) -> None:
        """Close every connection, and forget what was to begin."""
        over = threading.Event()

        def close() -> None:
            with self._lock:
                self._due.clear()
            for connection in list(self.connections):
                connection.abandon()
            over.set()

        self.at(0.0, close)
        if not over.wait(10):
            raise RuntimeError("the clients' thread is stuck")

    def _run(self) -> None:
        with self._space.entered(), self.selector:
            self.selector.register(self._bell, selectors.EVENT_READ, None)
            while not self._is_over:
                self._step()
            for connection in list(self.connections):
                connection.abandon()

    def _step(self) -> None:
        with self._lock:
            wait = max(self._due[0][0] - monotonic(), 0.0) if self._due else None
        for key, _ in self.selector.select(wait):
            if key.data is not None:
                key.data(monotonic())
            else:
                with contextlib.suppress(BlockingIOError):
                    os.read(self._bell, 4096)
        while True:
            with self._lock:
                if not self._due or self._due[0][0] > monotonic():
                    return
                do = heapq.heappop(self._due)[2]
            do()


class Download:
    """What a user wants: asked for again at once when its connection breaks. ``transfers`` are its connections."""

    def __init__(
        self, clients: Clients, server: str, port: int = 5001, *, client: str | None = None, when: float = 0.0
    ) -> None:
        self._clients, self._server, self._port, self._client = clients, server, port, client
        self.transfers: list[Transfer] = []
        self._begin(when)

    def _begin(self, when: float) -> None:
        transfer = self._clients.fetch(
            self._server, self._port, None, client=self._client, when=when, done=self._ended
        )
        self.transfers.append(transfer)

    def _ended(self, transfer: Transfer) -> None:
        self._begin(monotonic() if transfer.connected is not None else monotonic() + 0.1)

    @property
    def link(self) -> int | None:
        """The link it takes now."""
        return self.transfers[-1].link

    def bytes_between(self, begin: float, end: float) -> int:
        """What came in a stretch of time."""
        return sum(transfer.bytes_between(begin, end) for transfer in self.transfers)

    def first_byte_after(self, moment: float) -> float | None:
        """When something came again, over whichever connection; None: not yet."""
        slots = [n for transfer in self.transfers for n in transfer.bins if n * BIN_S >= moment]
        return min(slots) * BIN_S if slots else None

    def silence(self, begin: float, end: float) -> float:
        """The longest time without a byte in a stretch, seconds."""
        slots = {n for transfer in self.transfers for n in transfer.bins if begin <= n * BIN_S < end}
        marks = [begin, *(n * BIN_S for n in sorted(slots)), end]
        return max(later - earlier for earlier, later in itertools.pairwise(marks))


class Pool:
    """So many downloads at once, each of the next size; when one is done the next begins."""

    def __init__(self, clients: Clients, servers: list[str], sizes: Callable[[], int], count: int) -> None:
        self._clients, self._servers, self._sizes = clients, servers, sizes
        self._numbers = 0
        self.transfers: list[Transfer] = []
        for _ in range(count):
            self._next(None)

    def _next(self, _before: Transfer | None) -> None:
        server = self._servers[self._numbers % len(self._servers)]
        self._numbers += 1
        self.transfers.append(self._clients.fetch(server, 5001, self._sizes(), when=monotonic(), done=self._next))

    def bytes_between(self, begin: float, end: float) -> int:
        """What came in a stretch of time."""
        return sum(transfer.bytes_between(begin, end) for transfer in list(self.transfers))
