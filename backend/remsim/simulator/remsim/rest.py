"""The virtual server's REST interface, with every answer that the real one gives, wrong ones included."""

from __future__ import annotations

import json
import re
import socket
from typing import Any

from remsim.remotesim import rspro
from remsim.remotesim.rspro_messages import LARGEST_ID
from remsim.simulator.remsim.loop import Loop, listen
from remsim.simulator.remsim.server import Peer, VirtualServer, bank_slot, client_slot

PREFIX = "/api/backend/v1"
LARGEST_REQUEST = 65536
WORDS = {200: "OK", 201: "Created", 400: "Bad Request", 404: "Not Found"}
LATE_S = 30.0
FAULTS = ("html", "half", "late", "silent", "closed")
TYPES = {"client": "remsimClient", "bankd": "remsimBankd"}
Answer = tuple[int, bytes, str]
JSON, PLAIN = "application/json", "text/plain; charset=utf-8"
NOT_FOUND: Answer = (404, b"Resource not found", PLAIN)


class Rest:
    """HTTP for one server.

    ``fault`` makes it answer wrongly: html (a page), half (JSON cut in the middle), late (after 30 s), silent (never),
    closed (hangs up); None is right again.
    """

    def __init__(self, loop: Loop, server: VirtualServer, host: str = "127.0.0.1", port: int = rspro.REST_PORT) -> None:
        self.fault: str | None = None
        self._loop = loop
        self._server = server
        self._host, self._port = host, port
        self._listener: socket.socket | None = None
        self._connections: dict[Connection, None] = {}
        self.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    def start(self) -> None:
        """Begin to listen."""
        self._listener = listen(self._host, self._port)
        self._port = self._listener.getsockname()[1]
        self._loop.watch(self._listener, self._accept)

    def stop(self) -> None:
        """End as a process does."""
        if self._listener is not None:
            self._loop.forget(self._listener)
            self._listener.close()
            self._listener = None
        for connection in list(self._connections):
            connection.close()

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            accepted, _ = self._listener.accept()
        except OSError:
            return
        self._connections[Connection(self._loop, accepted, self)] = None

    def forget(self, connection: Connection) -> None:
        """It is closed."""
        self._connections.pop(connection, None)

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Answer:
        """Do what is asked."""
        if not path.startswith(PREFIX + "/"):
            return NOT_FOUND
        parts = path[len(PREFIX) + 1 :].split("?")[0].rstrip("/").split("/")
        match method, parts:
            case "GET", ["clients" | "banks" as kind]:
                peers = self._server.clients if kind == "clients" else self._server.banks
                return shown({kind: [described(peer) for peer in peers.values()]})
            case "GET", ["clients" | "banks" as kind, number]:
                return self._one(kind, number)
            case "GET", ["slotmaps"]:
                maps = self._server.maps.values()
                return shown(
                    {
                        "slotmaps": [
                            {"bank": bank_slot(one.bank), "client": client_slot(one.client), "state": one.state}
                            for one in maps
                        ]
                    }
                )
            case "POST", ["slotmaps"]:
                return self._create(headers, body)
            case "DELETE", ["slotmaps", number]:
                return self._delete(number)
            case "POST", ["global-reset"]:
                for bank in list(self._server.maps):
                    self._server.delete(bank)
                return 200, b"", PLAIN
            case "GET", ["restart-counter"]:
                return 200, b"", PLAIN
        return NOT_FOUND

    def _one(self, kind: str, text: str) -> Answer:
        number = c_number(text)
        if number > 0xFFFF:
            return 400, b"", PLAIN
        if kind == "banks":
            peer = self._server.banks.get(number)
        else:
            # A client has no bank's number; it is compared with 0.
            peer = next(iter(self._server.clients.values()), None) if number == 0 else None
        return shown(described(peer)) if peer is not None else (200, b"", PLAIN)

    def _create(self, headers: dict[str, str], body: bytes) -> Answer:
        refused: Answer = (400, b"", PLAIN)
        if headers.get("content-type", "").split(";")[0].strip() != JSON:
            return refused
        try:
            asked = json.loads(body)
            numbers = [
                asked["bank"]["bankId"],
                asked["bank"]["slotNr"],
                asked["client"]["clientId"],
                asked["client"]["slotNr"],
            ]
        except (ValueError, KeyError, TypeError, RecursionError):
            return refused
        if not all(type(number) is int and number >= 0 for number in numbers):
            return refused
        # Cut to 16 bits before it is looked whether they are too large.
        bank_id, bank_nr, client_id, client_nr = (number & 0xFFFF for number in numbers)
        if max(bank_id, bank_nr, client_id, client_nr) > LARGEST_ID:
            return refused
        made = self._server.create((bank_id, bank_nr), (client_id, client_nr))
        return (201, b"", PLAIN) if made else refused

    def _delete(self, text: str) -> Answer:
        number = c_number(text)
        if number > 0xFFFFFFFF:
            return 400, b"", PLAIN
        deleted = self._server.delete((number >> 16, number & 0xFFFF))
        return (200 if deleted else 404), b"", PLAIN


class Connection:
    """One HTTP connection, kept for as many requests as come."""

    def __init__(self, loop: Loop, connection: socket.socket, rest: Rest) -> None:
        self._loop = loop
        self._socket = connection
        self._rest = rest
        self._got = bytearray()
        self._waiting = bytearray()
        self._ends = False
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop.watch(connection, self._readable)

    def close(self) -> None:
        """Hang up."""
        self._loop.forget(self._socket)
        self._socket.close()
        self._rest.forget(self)

    def _readable(self) -> None:
        try:
            data = self._socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._got += data
        if not data or len(self._got) > LARGEST_REQUEST:
            self.close()
            return
        while (asked := self._request()) is not None:
            if self._rest.fault == "closed":
                self.close()
                return
            status, body, kind = self._rest.answer(*asked)
            self._answer((status, b"" if asked[0] == "HEAD" else body, kind), self._rest.fault)

    def _request(self) -> tuple[str, str, dict[str, str], bytes] | None:
        head, gap, rest = bytes(self._got).partition(b"\r\n\r\n")
        if not gap:
            return None
        first, *lines = head.decode("latin-1").split("\r\n")
        pairs = (line.split(":", 1) for line in lines if ":" in line)
        headers = {name.strip().lower(): value.strip() for name, value in pairs}
        length = c_number(headers.get("content-length", "0"))
        if len(rest) < length:
            return None
        del self._got[: len(head) + len(gap) + length]
        words = first.split(" ")
        self._ends = headers.get("connection", "").lower() == "close" or words[-1] == "HTTP/1.0"
        return words[0], words[1] if len(words) > 1 else "", headers, rest[:length]

    def _answer(self, answer: Answer, fault: str | None) -> None:
        status, body, kind = answer
        if fault == "silent":
            return
        if fault == "late":
            self._loop.pause(LATE_S, lambda: self._answer(answer, None))
            return
        if fault == "html":
            body, kind = b"<html><body>Please log in</body></html>", "text/html"
        elif fault == "half":
            body = body[: len(body) // 2]
        head = f"HTTP/1.1 {status} {WORDS[status]}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        self._waiting += head.encode() + (b"Connection: close\r\n\r\n" if self._ends else b"\r\n") + body
        self._writable()

    def _writable(self) -> None:
        try:
            del self._waiting[: self._socket.send(self._waiting)]
        except BlockingIOError:
            pass
        except OSError:
            self.close()
            return
        if self._waiting:
            self._loop.watch(self._socket, self._readable, self._writable)
        elif self._ends:
            self.close()
        else:
            self._loop.watch(self._socket, self._readable)


def shown(what: dict[str, Any]) -> Answer:
    """An object as the real server writes it."""
    return 200, json.dumps(what, separators=(",", ":")).encode(), JSON


def described(peer: Peer) -> dict[str, Any]:
    """A connection in a list."""
    who = {name: value for name, value in peer.who.items() if name not in ("type", "hwModel")}
    is_bank = peer.kind == "bankd"
    text = f"B{peer.slot[0]}" if is_bank else f"C{peer.slot[0]}:{peer.slot[1]}"
    described: dict[str, Any] = {
        "peer": text,
        "state": "CONNECTED_BANKD" if is_bank else "CONNECTED_CLIENT",
        "component_id": {"type_": TYPES[peer.kind], **who},
    }
    if is_bank:
        described |= {"bankId": peer.slot[0], "numberOfSlots": peer.slots}
    return described


def c_number(text: str) -> int:
    """As C's strtoul reads it: what is no number is 0."""
    found = re.match(r"\s*\+?(\d+)", text, re.ASCII)
    return int(found[1][:30]) if found else 0
