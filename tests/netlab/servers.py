"""The lab's Internet: HTTP of any size, UDP echo, DNS, and the page that answers 204; one process.

HTTP on ports 80, 443, 5001 and 8080: ``GET /bytes/N`` gives N bytes, ``/bytes/endless`` as many as are taken,
``/generate_204`` nothing, ``/whoami`` the address it was asked from, which every answer has in ``X-Source`` too.
Port 8081 is a captive portal: what comes there is shown a page. UDP on ports 7, 443, 5004 and 5060: the address it was
asked from, then what was sent. DNS on port 53: the names it was given, ``.`` NS, for any other name the first address.
"""

from __future__ import annotations

import json
import selectors
import socket
import struct
import sys
from collections.abc import Callable
from ipaddress import ip_address

HTTP_PORTS, PORTAL_PORT = (80, 443, 5001, 8080), 8081
ECHO_PORTS, DNS_PORT = (7, 443, 5004, 5060), 53
CHUNK = memoryview(bytes(262_144))
ENDLESS = 1 << 60
IP_PKTINFO, IPV6_RECVPKTINFO, IPV6_PKTINFO = 8, 49, 50
A, NS, AAAA, IN, NO_ERROR = 1, 2, 28, 1, 0x8180


class Answer:
    """One HTTP connection."""

    def __init__(self, own: socket.socket, source: str, selector: selectors.BaseSelector, is_portal: bool) -> None:
        self._own, self._source, self._selector, self._is_portal = own, source, selector, is_portal
        self._asked = b""
        self._head = b""
        self._left = 0

    def ready(self, events: int) -> None:
        """Go on reading or writing."""
        try:
            if events & selectors.EVENT_WRITE:
                self._write()
            else:
                self._read()
        except BlockingIOError:
            return
        except OSError:
            self._close()

    def _read(self) -> None:
        part = self._own.recv(4096)
        self._asked += part
        if b"\r\n\r\n" in self._asked:
            self._decide(self._asked.split(b" ", 2)[1].decode())
            self._selector.modify(self._own, selectors.EVENT_WRITE, self.ready)
            self._write()
        elif not part or len(self._asked) > 8192:
            self._close()

    def _decide(self, path: str) -> None:
        status, body = "200 OK", b""
        if self._is_portal:
            body = b"<html><title>Welcome</title><p>Buy more data here.</html>"
        elif path == "/generate_204":
            status = "204 No Content"
        elif path == "/whoami":
            body = self._source.encode()
        elif path.startswith("/bytes/"):
            size = path.removeprefix("/bytes/")
            self._left = ENDLESS if size == "endless" else int(size)
        else:
            status, body = "404 Not Found", b"not here"
        has_end = self._left != ENDLESS and not status.startswith("204")
        length = f"Content-Length: {self._left + len(body)}\r\n" if has_end else ""
        head = f"HTTP/1.1 {status}\r\nConnection: close\r\nX-Source: {self._source}\r\n{length}\r\n"
        self._head = head.encode() + body

    def _write(self) -> None:
        if self._head:
            self._head = self._head[self._own.send(self._head) :]
        while not self._head and self._left:
            self._left -= self._own.send(CHUNK[: self._left])
        if not self._head:
            self._close()

    def _close(self) -> None:
        self._selector.unregister(self._own)
        self._own.close()


class Servers:
    """All of them."""

    def __init__(self, addresses: list[str], names: dict[str, str]) -> None:
        self._selector = selectors.DefaultSelector()
        self._names, self._first = names, addresses[0]
        for port in (*HTTP_PORTS, PORTAL_PORT):
            self._listen(port)
        for port in (*ECHO_PORTS, DNS_PORT):
            self._datagrams(port, self._name if port == DNS_PORT else echo)

    def run(self) -> None:
        """Serve until standard input ends, as it does when who started this was killed."""
        self._selector.register(sys.stdin, selectors.EVENT_READ, lambda _events: sys.exit())
        while True:
            for key, events in self._selector.select():
                key.data(events)

    def _listen(self, port: int) -> None:
        own = socket.create_server(("::", port), family=socket.AF_INET6, backlog=1024, dualstack_ipv6=True)
        own.setblocking(False)

        def ready(_events: int) -> None:
            for _ in range(64):
                try:
                    peer, address = own.accept()
                except OSError:
                    return
                peer.setblocking(False)
                source = address[0].removeprefix("::ffff:")
                answer = Answer(peer, source, self._selector, port == PORTAL_PORT)
                self._selector.register(peer, selectors.EVENT_READ, answer.ready)

        self._selector.register(own, selectors.EVENT_READ, ready)

    def _datagrams(self, port: int, answer: Callable[[bytes, str, int], bytes | None]) -> None:
        for family in (socket.AF_INET, socket.AF_INET6):
            own = socket.socket(family, socket.SOCK_DGRAM)
            if family == socket.AF_INET6:
                own.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                own.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
            else:
                own.setsockopt(socket.IPPROTO_IP, IP_PKTINFO, 1)
            own.bind(("", port))
            own.setblocking(False)
            self._selector.register(own, selectors.EVENT_READ, lambda _events, own=own: reply(own, answer))

    def _name(self, asked: bytes, _source: str, _port: int) -> bytes | None:
        """Answer a DNS query; every name has an address."""
        if len(asked) < 17 or asked[2] & 0x80:
            return None
        labels, at = [], 12
        while at < len(asked) and asked[at]:
            labels.append(asked[at + 1 : at + 1 + asked[at]].decode("latin-1"))
            at += 1 + asked[at]
        kind = int.from_bytes(asked[at + 1 : at + 3])
        question = asked[12 : at + 5]
        address = ip_address(self._address(".".join(labels).lower()))
        data = b""
        if kind == NS and not labels:
            data = b"\x01a\x0croot-servers\x03net\x00"
        elif kind == (A if address.version == 4 else AAAA):
            data = address.packed
        head = asked[:2] + struct.pack(">HHHHH", NO_ERROR, 1, bool(data), 0, 0)
        return head + question + (struct.pack(">HHHIH", 0xC00C, kind, IN, 60, len(data)) + data if data else b"")

    def _address(self, name: str) -> str:
        while name:
            if name in self._names:
                return self._names[name]
            name = name.partition(".")[2]
        return self._first


def echo(asked: bytes, source: str, port: int) -> bytes:
    """Who asked, and what."""
    return f"{source} {port}\n".encode() + asked


def reply(own: socket.socket, answer: Callable[[bytes, str, int], bytes | None]) -> None:
    """Answer all datagrams that wait, each from the address it was sent to."""
    for _ in range(64):
        try:
            asked, extra, _, peer = own.recvmsg(4096, 256)
        except OSError:
            return
        content = answer(asked, peer[0], peer[1])
        if content is None:
            continue
        back = []
        for level, kind, data in extra:
            if (level, kind) == (socket.IPPROTO_IP, IP_PKTINFO):
                back = [(level, kind, struct.pack("I4s4s", 0, data[8:12], bytes(4)))]
            elif (level, kind) == (socket.IPPROTO_IPV6, IPV6_PKTINFO):
                back = [(level, kind, data[:16] + struct.pack("I", 0))]
        try:
            own.sendmsg([content], back, 0, peer)
        except OSError:
            continue


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    servers = Servers(given["addresses"], given["names"])
    print("ready", flush=True)
    servers.run()
