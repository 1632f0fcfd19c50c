"""The proxy's loop. It is told what it needs by lines of JSON, and ends when whoever tells it does.

The first line is what ``Wanted`` has; later ones name the links in use: ``{"links": [1, 3]}``. Each five seconds it
prints a line with what it does: ``{"sessions", "direct", "served", "refused", "failed", "from_client_bytes",
"to_client_bytes"}``.
"""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import socket
import sys
import time
from typing import Any

from remsim.core.routes import LINK_SHIFT, MOST_LINKS
from remsim.links.mptcp.proxy.session import Session, Wanted, original_target

MOST_SESSIONS = 1000
TELL_S = 5.0
AGAIN_S = 10.0
"""So long the server is left alone after it did not answer, where connections are made without it."""
BACKLOG = 256
SPARES, SPARES_FOR_S = 4, 60.0


class ProxyServer:
    """Takes redirected connections. ``tell`` is where lines come from."""

    def __init__(self, wanted: Wanted, tell: int, out: int) -> None:
        self._wanted, self._tell, self._out = wanted, tell, out
        self._selector = selectors.DefaultSelector()
        self._sessions: set[Session] = set()
        self._links: tuple[int, ...] = ()
        self._turn = 0
        self._direct_until = 0.0
        self._asked_at = float("-inf")
        self._lines = b""
        self._counts = {"served": 0, "direct": 0, "refused": 0, "failed": 0}
        self._moved = [0, 0]
        self._told_at = 0.0
        self._is_running = True
        self._listener = listen(wanted.local_port)
        self._selector.register(self._listener, selectors.EVENT_READ, None)
        os.set_blocking(tell, False)
        self._selector.register(tell, selectors.EVENT_READ, None)

    def run(self) -> None:
        """Until whoever tells it has gone."""
        while self._is_running:
            now = time.monotonic()
            if now - self._told_at >= TELL_S:
                self._told_at = now
                self._say()
            for key, events in self._selector.select(1.0):
                if isinstance(key.data, Session):
                    key.data.ready(key.fileobj, events)  # type: ignore[arg-type]
                elif key.fileobj is self._listener:
                    self._accept()
                else:
                    self._listen_to()
            now = time.monotonic()
            for session in [one for one in self._sessions if now >= one.deadline]:
                session.late()
            self._keep_spares(now)
        for session in list(self._sessions):
            session.close()
        self._listener.close()

    def _accept(self) -> None:
        for _ in range(BACKLOG):
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            client.setblocking(False)
            try:
                target = original_target(client)
            except OSError:
                target = None
            own = client.getsockname()
            is_redirected = target is not None and target != (own[0].removeprefix("::ffff:"), own[1])
            if target is None or not is_redirected or len(self._sessions) >= MOST_SESSIONS:
                self._counts["refused"] += 1
                client.close()
                continue
            client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            self._begin(client, target)

    def _begin(self, client: socket.socket, target: tuple[str, int]) -> None:
        self._asked_at = now = time.monotonic()
        is_direct = self._wanted.fallback and now < self._direct_until
        self._counts["direct"] += is_direct
        spare = None if is_direct else next((one for one in self._sessions if one.is_spare), None)
        session = spare or self._new_session(is_direct=is_direct)
        session.take(client, target)

    def _keep_spares(self, now: float) -> None:
        """While clients come, the next ones find the server greeted already."""
        if now - self._asked_at > SPARES_FOR_S or now < self._direct_until:
            return
        waiting = sum(1 for one in self._sessions if one.is_waiting)
        for _ in range(SPARES - waiting):
            self._new_session(is_direct=False).begin()

    def _new_session(self, *, is_direct: bool) -> Session:
        session = Session(
            self._wanted,
            self._selector,
            mark=self._next_mark(),
            is_direct=is_direct,
            on_end=self._ended,
            on_server=self._on_server,
        )
        self._sessions.add(session)
        return session

    def _next_mark(self) -> int:
        """Connections begin by each link in turn; further subflows come by the others."""
        if not self._links:
            return 0
        self._turn += 1
        return self._links[self._turn % len(self._links)] << LINK_SHIFT

    def _on_server(self, has_served: bool) -> None:
        if has_served:
            self._direct_until = 0.0
            self._counts["served"] += 1
        else:
            self._direct_until = time.monotonic() + AGAIN_S
            self._counts["failed"] += 1
            self._counts["direct"] += self._wanted.fallback

    def _ended(self, session: Session) -> None:
        self._sessions.discard(session)
        for at, moved in enumerate(session.moved):
            self._moved[at] += moved

    def _listen_to(self) -> None:
        try:
            data = os.read(self._tell, 65536)
        except BlockingIOError:
            return
        if not data:
            self._is_running = False
            return
        *lines, self._lines = (self._lines + data).split(b"\n")
        for line in lines:
            with contextlib.suppress(ValueError, TypeError, AttributeError):
                links = json.loads(line).get("links", ())
                self._links = tuple(one for one in links if isinstance(one, int) and 1 <= one <= MOST_LINKS)

    def _say(self) -> None:
        moved = [self._moved[at] + sum(one.moved[at] for one in self._sessions) for at in (0, 1)]
        said = {"sessions": sum(1 for one in self._sessions if not one.is_waiting), **self._counts}
        said |= {"from_client_bytes": moved[0], "to_client_bytes": moved[1]}
        try:
            os.write(self._out, json.dumps(said).encode() + b"\n")
        except BlockingIOError:
            return  # nobody reads: it is told again
        except OSError:
            self._is_running = False


def listen(port: int) -> socket.socket:
    """A socket for both families; IPv4 alone where there is no other."""
    try:
        sock = socket.create_server(("::", port), family=socket.AF_INET6, backlog=BACKLOG, dualstack_ipv6=True)
    except (OSError, ValueError):
        sock = socket.create_server(("0.0.0.0", port), backlog=BACKLOG)
    sock.setblocking(False)
    return sock


def first_line(tell: int) -> bytes:
    """The first line, octet by octet: what follows stays for the loop."""
    line = b""
    while not line.endswith(b"\n") and len(line) < 4096:
        octet = os.read(tell, 1)
        if not octet:
            break
        line += octet
    return line


def main() -> int:
    """Serve until the other end of standard input is closed."""
    try:
        told: dict[str, Any] = json.loads(first_line(0))
        wanted = Wanted(**told)
    except (ValueError, TypeError):
        print("the proxy is started by the service, which tells it what it needs", file=sys.stderr)
        return 2
    try:
        ProxyServer(wanted, 0, 1).run()
    except OSError as error:
        print(f"port {wanted.local_port}: {error.strerror}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
