"""Whether the Internet stands behind a link: a page that answers 204 with nothing in it is asked for over the link.

What answers otherwise is a portal. Where nobody answers three times although probes do, the link is walled, which is
the same to those behind it: a SIM without credit. A lost packet is not taken for a wall: failures count on links only
that answer their probes at the time.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
from collections.abc import Callable

from remsim.core.errors import InvalidInput
from remsim.links.probes.asking import OnSocket
from remsim.links.probes.names import AAAA, A, addresses, question
from remsim.links.probes.plan import ProbePlan
from remsim.outbound.target import Target, bind_to, open_socket, parse_target, transmit

TIMEOUT_S, NAME_TIMEOUT_S, NAME_AGAIN_S = 8.0, 5.0, 1.0
WALLED = 3
FIRST_S, AGAIN_S = 0.1, 2.0
PERIOD_S, PERIOD_METERED_S = 60.0, 600.0
PORTAL_S, PORTAL_METERED_S = 10.0, 30.0
MOST_BYTES = 2048
PAGE_BYTES = 1300
"""What a check takes with its name, about: two packets of a resolver, nine of TCP."""


def parse_page(text: str) -> tuple[str, int, str]:
    """Host, port and path of the page that is asked for; ``InvalidInput``."""
    scheme, _, rest = text.partition("://")
    place, slash, path = rest.partition("/")
    host, port = place, "80"
    if place.startswith("["):
        host, _, port = place[1:].partition("]")
        port = port.removeprefix(":") or "80"
    elif place.count(":") == 1:
        host, _, port = place.partition(":")
    is_sound = scheme == "http" and text.isascii() and text.isprintable() and " " not in text and "@" not in place
    if not is_sound or not host or not port.isdigit() or not 0 < int(port) < 65536 or len(text) > 512:
        raise InvalidInput(
            f"{text[:80]!r} is no page that can be asked for",
            field="portal_url",
            hint="give an address as http://HOST/PATH that answers 204; over https nothing could stand between",
        )
    if family_of(host) is None:
        try:
            question(0, host, A)
        except ValueError as error:
            raise InvalidInput(f"{host[:80]!r} is no host", field="portal_url") from error
    return host, int(port), slash + path or "/"


def resolver_of(text: str) -> Target:
    """A resolver by its address, or as ``dns:ADDRESS:PORT``."""
    return Target("dns", text, 53) if family_of(text) else parse_target(text)


def family_of(host: str) -> int | None:
    """The family of an address; None where it is a name."""
    for family in (socket.AF_INET, socket.AF_INET6):
        with contextlib.suppress(OSError):
            socket.inet_pton(family, host)
            return family
    return None


class Page:
    """One link's checks. ``report`` hears of each verdict; ``is_sound`` says whether probes are answered now."""

    def __init__(
        self,
        plan: ProbePlan,
        selector: selectors.BaseSelector,
        on_socket: OnSocket,
        report: Callable[[bool], None],
        is_sound: Callable[[], bool],
    ) -> None:
        self._plan = plan
        self._selector, self._on_socket = selector, on_socket
        self._report, self._is_sound = report, is_sound
        self._pages = [parse_page(one) for one in plan.portal_urls]
        self._resolvers = [resolver_of(one) for one in plan.resolvers]
        self._known: dict[str, str] = {}
        self._page = self._resolver = self._number = self._failed = 0
        self._sock: socket.socket | None = None
        self._step = "waits"
        self._received = b""
        self._again_at = self._deadline = 0.0
        self.is_portal = False
        self.next_at = float("inf")
        self.checks = 0

    def soon(self, at: float) -> None:
        """Ask at once: the link answers again."""
        if self._pages and self._step == "waits":
            self.next_at = at + FIRST_S

    def close(self) -> None:
        """Give up what is under way."""
        self._drop()
        self._step = "waits"

    def deadline(self) -> float:
        """When this wants its turn."""
        if self._step == "waits":
            return self.next_at
        return min(self._deadline, self._again_at) if self._step == "asks" else self._deadline

    def turn(self, at: float) -> None:
        """Begin what is due, give up what takes too long."""
        if self._step == "waits":
            if at >= self.next_at:
                self._begin(at)
        elif at >= self._deadline:
            self._fail(at)
        elif self._step == "asks" and at >= self._again_at:
            self._resolver += 1
            self._ask_name(at)

    def on_socket(self, sock: socket.socket, at: float) -> bool:
        """Go on with what a socket says; False when it is not this one's."""
        if sock is not self._sock:
            return False
        try:
            if self._step == "asks":
                self._take_name(sock, at)
            elif self._step == "connects":
                self._request(sock, at)
            else:
                self._take_reply(sock, at)
        except BlockingIOError:
            pass
        except OSError:
            self._fail(at)
        return True

    def _begin(self, at: float) -> None:
        self.checks += 1
        host = self._pages[self._page % len(self._pages)][0]
        address = host if family_of(host) else self._known.get(host)
        if address is not None:
            self._connect(address, at)
        elif self._resolvers:
            self._step, self._deadline = "asks", at + NAME_TIMEOUT_S
            self._ask_name(at)
        else:
            self._fail(at)

    def _ask_name(self, at: float) -> None:
        """Ask the next resolver that can be reached; an answer to an earlier question is waited for no more."""
        host = self._pages[self._page % len(self._pages)][0]
        self._again_at = at + NAME_AGAIN_S
        for _ in self._resolvers:
            resolver = self._resolvers[self._resolver % len(self._resolvers)]
            self._number = int.from_bytes(os.urandom(2), "big")
            try:
                sock = self._open(resolver, selectors.EVENT_READ)
                sock.connect((resolver.host, resolver.port))
                sock.send(question(self._number, host, AAAA if resolver.family == socket.AF_INET6 else A))
                return
            except OSError:
                self._resolver += 1

    def _take_name(self, sock: socket.socket, at: float) -> None:
        found = addresses(sock.recv(2048), self._number)
        if found:
            self._connect(found[0], at)
        elif found is not None:  # no such name, or none of this family
            self._resolver += 1
            self._again_at = at + NAME_AGAIN_S / 2

    def _connect(self, address: str, at: float) -> None:
        host, port, _ = self._pages[self._page % len(self._pages)]
        self._known[host] = address
        self._step, self._deadline = "connects", at + TIMEOUT_S
        target = Target("tcp", address, port)
        try:
            transmit(self._open(target, selectors.EVENT_WRITE), target, 0)
        except OSError:
            self._fail(at)

    def _request(self, sock: socket.socket, at: float) -> None:
        if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._fail(at)
            return
        host, port, path = self._pages[self._page % len(self._pages)]
        name = f"[{host}]" if ":" in host else host
        name += f":{port}" if port != 80 else ""
        sock.send(f"GET {path} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: remsim\r\nConnection: close\r\n\r\n".encode())
        self._step, self._received = "reads", b""
        self._selector.modify(sock, selectors.EVENT_READ, self._on_socket)

    def _take_reply(self, sock: socket.socket, at: float) -> None:
        data = sock.recv(MOST_BYTES)
        self._received += data
        head, newline, _ = self._received.partition(b"\n")
        if newline or not data or len(self._received) >= MOST_BYTES:
            words = head.split()
            if len(words) >= 2 and words[0].startswith(b"HTTP/") and words[1].isdigit():
                self._conclude(int(words[1]) != 204, at)
            elif self._received:
                self._conclude(True, at)  # something speaks, and it is not the page
            else:
                self._fail(at)

    def _conclude(self, is_portal: bool, at: float) -> None:
        self._drop()
        self._step, self._failed, self.is_portal = "waits", 0, is_portal
        if is_portal:
            self._known.clear()  # the portal may have named itself
            self.next_at = at + (PORTAL_METERED_S if self._plan.is_metered else PORTAL_S)
        else:
            self.next_at = at + (PERIOD_METERED_S if self._plan.is_metered else PERIOD_S)
        self._report(is_portal)

    def _fail(self, at: float) -> None:
        """Nobody answered; the other page next."""
        self._drop()
        self._known.clear()
        self._step = "waits"
        self._page += 1
        self._resolver += 1
        self.next_at = at + AGAIN_S
        self._failed = self._failed + 1 if self._is_sound() else 0
        if self._failed >= WALLED:
            self._conclude(True, at)

    def _open(self, target: Target, events: int) -> socket.socket:
        self._drop()
        sock = open_socket(target)
        try:
            bind_to(sock, self._plan.device, target, self._plan.mark)
            self._selector.register(sock, events, self._on_socket)
        except OSError:
            sock.close()
            raise
        self._sock = sock
        return sock

    def _drop(self) -> None:
        if self._sock is not None:
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(self._sock)
            self._sock.close()
            self._sock = None
