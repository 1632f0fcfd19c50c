"""The relay of one client: it stands on the client's way to the remsim-server and to the bankd, and counts.

``python -m remsim.remotesim.relay --listen HOST:PORT --server HOST:PORT --counters FILE``, a process of its own: if
it dies the client loses its card, so nothing else may be able to take it along. All octets are passed on as they came,
but for the address in configClientBankReq, which becomes the relay's own. What is passed on is looked at afterwards, in
a copy; of that only counts leave this process. A link ends at both sides when it ends at one.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from select import select
from typing import Any

from remsim.core import tlv
from remsim.core.errors import RemsimError
from remsim.core.tlv import Tlv
from remsim.remotesim.apdu import Judge
from remsim.remotesim.counts import Counts, read_file, write_file
from remsim.remotesim.rspro import HEAD, OSMO, RSPRO, Frame, FrameReader, decode

CONNECT_S = 10.0
FLUSH_S = 1.0
MOST_LINKS = 8
"""Of one kind. A client has one, and another before the first is known to be gone."""
LARGEST_BODY = 65535
LARGEST_ANY_FRAME = HEAD + LARGEST_BODY
CONFIG_CLIENT_BANK = 0xB1
TO_CARD, TO_MODEM = "tpduModemToCard", "tpduCardToModem"
Address = tuple[str, int]
Pass = Callable[[bytes], bytes]


class Tap:
    """Counts what passes between one client and a bankd. Noted before it is sent, looked at after it was."""

    def __init__(self, counts: Counts, lock: threading.Lock) -> None:
        self._counts = counts
        self._lock = lock
        self._noted: deque[tuple[bool, bytes, float]] = deque()
        self._readers = {is_up: FrameReader(LARGEST_ANY_FRAME) for is_up in (True, False)}
        self._judge = Judge()
        self._command: tuple[bytes, float] | None = None

    def note(self, is_up: bool, octets: bytes) -> None:
        """Keep octets for a moment; a command is noted before its answer, whichever thread is faster."""
        self._noted.append((is_up, octets, time.monotonic()))

    def look(self) -> None:
        """Count what was noted."""
        with self._lock:
            while self._noted:
                is_up, octets, at = self._noted.popleft()
                for frame in self._readers[is_up].feed(octets):
                    self._count(frame, at)

    def _count(self, frame: Frame, at: float) -> None:
        if frame.protocol != OSMO or frame.body[:1] != bytes((RSPRO,)):
            return
        try:
            message = decode(frame)
        except Exception:  # whatever is wrong with a copy, the frame itself has passed, and the next one must too
            self._counts.undecodable += 1
            return
        if message.name == TO_CARD:
            self._counts.tpdu_tx += 1
            self._command = message.fields["data"], at
        elif message.name == TO_MODEM:
            self._counts.tpdu_rx += 1
            command, self._command = self._command, None
            if command is not None:
                self._counts.delayed(at - command[1])
                self._counts.judged(self._judge.exchange(command[0], message.fields["data"]))


class Link:
    """One connection of the client and the one that continues it."""

    def __init__(self, near: socket.socket, to: Address, up: Pass, down: Pass, after: Callable[[], None]) -> None:
        self._near = near
        self._far: socket.socket | None = None
        self._to = to
        self._up, self._down, self._after = up, down, after
        self.is_open = False
        self.problem: str | None = None
        self.opened: Callable[[], None] = lambda: None

    def run(self) -> None:
        """Continue it and pass on until either side ends. Blocks."""
        near = self._near
        try:
            far = self._far = socket.create_connection(self._to, CONNECT_S)
        except OSError as error:
            self.problem = error.strerror or str(error)
            near.close()
            return
        with near, far:
            for sock in (near, far):
                sock.settimeout(None)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.is_open = True
            self.opened()
            back = threading.Thread(target=self._pump, args=(far, near, self._down), daemon=True)
            back.start()
            self._pump(near, far, self._up)
            back.join()
            self.is_open = False

    def close(self) -> None:
        """End it from another thread."""
        for sock in (self._near, self._far):
            with contextlib.suppress(OSError, AttributeError):
                sock.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]

    def _pump(self, source: socket.socket, target: socket.socket, through: Pass) -> None:
        """Pass octets on until there are no more, or they cannot be."""
        with contextlib.suppress(OSError):
            while octets := source.recv(65536):
                if changed := through(octets):
                    target.sendall(changed)
                self._after()
        self.close()


class Relay:
    """The two places the client dials, the bankd's one port after ``listen``, and the counts since the file began."""

    def __init__(self, listen: Address, server: Address, counters: str) -> None:
        self._server = server
        self._file = counters
        kept = read_file(counters)
        self._counts = Counts.of(kept) if kept else Counts()
        self._lock = threading.Lock()
        self._bankd: Address | None = None
        self._kept = parsed_address(kept.get("bankd"))
        self._written: dict[str, Any] = {}
        self._links: dict[str, list[Link]] = {"server": [], "bankd": []}
        self._problems: dict[str, str | None] = {"server": None, "bankd": None}
        self._bell, self._ear = socket.socketpair()
        self._has_rung = False
        self._server_side = listening(listen)
        self._bankd_side = listening((listen[0], listen[1] + 1))
        self._own = self._bankd_side.getsockname()
        for end in (self._bell, self._ear):
            end.setblocking(False)

    def run(self) -> None:
        """Serve until SIGTERM."""
        stopping: list[int] = []
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, frame: stopping.append(number))
        signal.set_wakeup_fd(self._bell.fileno(), warn_on_full_buffer=False)
        self._write()
        flush_at: float | None = None
        while not stopping:
            wait_s = None if flush_at is None else max(0.0, flush_at - time.monotonic())
            ready, _, _ = select([self._server_side, self._bankd_side, self._ear], [], [], wait_s)
            if self._ear in ready:
                self._ear.recv(4096)
                flush_at = flush_at or time.monotonic() + FLUSH_S
            if self._server_side in ready:
                self._accept(self._server_side, "server")
            if self._bankd_side in ready:
                self._accept(self._bankd_side, "bankd")
            if flush_at is not None and time.monotonic() >= flush_at:
                flush_at, self._has_rung = None, False
                self._write()
        self._write()

    def _accept(self, side: socket.socket, kind: str) -> None:
        try:
            near = side.accept()[0]
        except OSError:
            return
        to = self._server if kind == "server" else self._known_bankd()
        if to is None or len(self._links[kind]) >= MOST_LINKS:
            near.close()
            return
        threading.Thread(target=self._serve, args=(near, kind, to), daemon=True).start()

    def _known_bankd(self) -> Address | None:
        """Where the bankd is: as the server said, or said before our start if it cannot be asked.

        If it can it will say so at once, and the client then drops what it has and begins anew: one reset more.
        """
        return self._bankd or (self._kept if self._problems["server"] else None)

    def _serve(self, near: socket.socket, kind: str, to: Address) -> None:
        if kind == "server":
            reader = FrameReader(LARGEST_ANY_FRAME)
            link = Link(near, to, bytes, lambda octets: self._configured(reader, octets), self._ring)
        else:
            tap = Tap(self._counts, self._lock)
            link = Link(near, to, noted(tap, True), noted(tap, False), lambda: self._looked(tap))
        link.opened = lambda: self._told(kind, None)
        self._links[kind].append(link)
        try:
            link.run()
        finally:
            near.close()
            self._links[kind].remove(link)
            self._told(kind, link.problem)

    def _told(self, kind: str, problem: str | None) -> None:
        """Log what stands in a link's way, and that it does no more, once."""
        if problem != self._problems[kind]:
            self._problems[kind] = problem
            say(f"the {kind} does not answer: {problem}" if problem else f"the {kind} answers")
        self._ring()

    def _looked(self, tap: Tap) -> None:
        tap.look()
        self._ring()

    def _configured(self, reader: FrameReader, octets: bytes) -> bytes:
        """The server's frames, with the relay's own address for a bankd's."""
        return b"".join(self._passed(frame).encode() for frame in reader.feed(octets))

    def _passed(self, frame: Frame) -> Frame:
        try:
            found = redirected(frame, self._own)
        except (RemsimError, ValueError):
            with self._lock:
                self._counts.undecodable += 1
            return frame
        if found is None:
            return frame
        frame, bankd = found
        self._kept = bankd
        if bankd != self._bankd:
            self._bankd = bankd
            say("the bankd is none" if bankd is None else f"the bankd is {bankd[0]} port {bankd[1]}")
        return frame

    def _ring(self) -> None:
        """Have the file written soon."""
        if not self._has_rung:
            self._has_rung = True
            with contextlib.suppress(OSError):
                self._bell.send(b".")

    def _write(self) -> None:
        with self._lock:
            content = self._counts.as_dict()
        content["bankd"] = None if self._kept is None else shown_address(self._kept)
        for kind, links in self._links.items():
            content[f"{kind}_link"] = any(link.is_open for link in tuple(links))
        content["pid"] = os.getpid()
        content["problem"] = self._problems["server"] or self._problems["bankd"]
        if content == self._written:
            return
        try:
            write_file(self._file, content)
        except OSError as error:
            if self._written:
                say(f"{self._file} cannot be written: {error.strerror}")
            self._written = {}
        else:
            self._written = content


def noted(tap: Tap, is_up: bool) -> Pass:
    """Octets as they are, noted by a tap."""

    def through(octets: bytes) -> bytes:
        tap.note(is_up, octets)
        return octets

    return through


def redirected(frame: Frame, own: Address) -> tuple[Frame, Address | None] | None:
    """A frame that sends the client to ``own`` instead, and where it would have gone; None for any other frame.

    Only address and port are made anew, with the lengths around them; whatever else is there stays as it is. Port 0,
    which is no bank, stays too. ``TlvError`` or ``ValueError`` when it is not made as such a frame is.
    """
    if frame.protocol != OSMO or frame.body[:1] != bytes((RSPRO,)):
        return None
    pdu = tlv.read_one(frame.body[1:])
    message = pdu.find(0xA2, CONFIG_CLIENT_BANK)
    if message is None:
        return None
    slot, place, *others = message.children()
    ip, port, *more = place.children()
    number = tlv.read_integer(port.value)
    if number == 0:
        return frame, None
    if not 0 < number <= 65535:
        raise ValueError("it is no port")
    bankd = socket.inet_ntop(socket.AF_INET6 if ip.tag == 0x81 else socket.AF_INET, ip.value), number
    mine = (Tlv(0x80, socket.inet_aton(own[0])), Tlv(port.tag, tlv.encode_integer(own[1])))
    parts = (slot, with_children(place, *mine, *more), *others)
    inner = with_children(message, *parts)
    outer = [with_children(part, inner) if part.tag == 0xA2 else part for part in pdu.children()]
    body = frame.body[:1] + with_children(pdu, *outer).encode()
    if len(body) > LARGEST_BODY:
        raise ValueError("it is too long")
    return Frame(frame.protocol, body), bankd


def with_children(parent: Tlv, *children: Tlv) -> Tlv:
    """The same object with other contents."""
    return Tlv(parent.tag, b"".join(child.encode() for child in children))


def listening(address: Address) -> socket.socket:
    """A socket that clients of this machine dial."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(address)
    sock.listen(4)
    sock.setblocking(False)
    return sock


def shown_address(address: Address) -> str:
    """``10.0.0.5:9999`` or ``[2001:db8::1]:9999``."""
    return f"[{address[0]}]:{address[1]}" if ":" in address[0] else f"{address[0]}:{address[1]}"


def parsed_address(text: Any) -> Address | None:
    """What ``shown_address`` says; None when it is nothing of the kind."""
    host, _, port = text.rpartition(":") if isinstance(text, str) else ("", "", "")
    is_port = port.isascii() and port.isdigit() and 0 < int(port) < 65536
    return (host.strip("[]"), int(port)) if host and is_port else None


def say(text: str) -> None:
    """One line for the log."""
    sys.stderr.write(f"relay: {text}\n")
    sys.stderr.flush()


def main(arguments: list[str]) -> int:
    """Run a relay; 2 for a wrong call, 1 when it cannot listen."""
    given = dict(zip(arguments[::2], arguments[1::2], strict=False))
    listen, server = parsed_address(given.get("--listen")), parsed_address(given.get("--server"))
    if set(given) != {"--listen", "--server", "--counters"} or listen is None or server is None:
        say("wants --listen HOST:PORT --server HOST:PORT --counters FILE")
        return 2
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # no image of its memory, where results of cards pass
    try:
        relay = Relay(listen, server, given["--counters"])
    except OSError as error:
        say(f"cannot listen at {given['--listen']}: {error.strerror}")
        return 1
    relay.run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
