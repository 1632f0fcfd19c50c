"""The REST interface of osmo-remsim-server, which has no log-in and hardly any answer but a status.

Source: osmo-remsim 4b36651. ``/clients/N`` and ``/banks/N`` answer 200 with nothing for what is unknown, so only lists
are read; numbers are cut to 16 bits and text is read as 0, so ids are looked at before.
"""

from __future__ import annotations

import json
import re
import socket
import time
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from remsim.core.errors import RemsimError
from remsim.outbound.timed import TimedSocket, TooLong
from remsim.remotesim.slotmap import Bank, Seen, SlotMap, is_id

TIMEOUT_S = 3.0
"""Of a whole request, however slowly it is answered."""
LARGEST_ANSWER = 2 * 1024 * 1024
"""Octets; a thousand maps take 120 kB."""
PREFIX = "/api/backend/v1"
PEER = re.compile(r"C(\d{1,4}):(\d{1,4})", re.ASCII)
LONGEST_WORD = 64


class ServerError(RemsimError):
    """A remsim-server does not answer, or with something that no remsim-server says."""

    code = "server_unreachable"
    http_status = 502


class Nonsense(ServerError):
    """It answers, but not as a remsim-server does."""

    code = "server_nonsense"


class MapRefused(ServerError):
    """It does not take a map, and never says why: one of the two slots is taken, mostly."""

    code = "map_refused"


class Rest:
    """One server at ``url``; the connection is kept between requests. One thread at a time."""

    def __init__(self, url: str, *, timeout_s: float = TIMEOUT_S) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._is_tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._is_tls else 80)
        self._prefix = parts.path.rstrip("/").removesuffix(PREFIX) + PREFIX
        self._timeout_s = timeout_s
        self._connection: HTTPConnection | None = None
        self._timed: TimedSocket | None = None
        self.ends: tuple[str, str] | None = None
        """The addresses of the connection: ours, the server's."""

    def maps(self) -> dict[SlotMap, str]:
        """All slot maps, of whomever, with their states."""
        found = {}
        for entry in self._list("slotmaps"):
            bank, client = entry.get("bank"), entry.get("client")
            if not isinstance(bank, dict) or not isinstance(client, dict):
                raise Nonsense(f"{self._host} lists a slot map without its two slots")
            ids: list[Any] = [bank.get("bankId"), bank.get("slotNr"), client.get("clientId"), client.get("slotNr")]
            if not all(map(is_id, ids)):
                raise Nonsense(f"{self._host} lists a slot map with impossible numbers")
            found[SlotMap(*ids)] = word(entry.get("state")) or "UNKNOWN"
        return found

    def banks(self) -> dict[int, Bank]:
        """The bankds that are connected."""
        found = {}
        for entry in self._list("banks"):
            bank_id: Any = entry.get("bankId")
            slots: Any = entry.get("numberOfSlots")
            if not is_id(bank_id) or type(slots) is not int or slots < 0:
                raise Nonsense(f"{self._host} lists a bank with impossible numbers")
            found[bank_id] = Bank(bank_id, slots, *component(entry))
        return found

    def clients(self) -> dict[tuple[int, int], str | None]:
        """The slots of the clients that are connected, with the names of their machines."""
        found = {}
        for entry in self._list("clients"):
            match = PEER.fullmatch(str(entry.get("peer"))[:LONGEST_WORD])
            if match is not None:  # one that has not said who it is yet has another form
                found[int(match[1]), int(match[2])] = component(entry)[0]
        return found

    def look(self) -> Seen:
        """Everything."""
        return Seen(self.maps(), self.banks(), self.clients())

    def add(self, wanted: SlotMap) -> None:
        """Make a map; ``MapRefused`` when the server does not."""
        body = {
            "bank": {"bankId": wanted.bank_id, "slotNr": wanted.bank_slot},
            "client": {"clientId": wanted.client_id, "slotNr": wanted.client_slot},
        }
        status, _ = self._ask("POST", "slotmaps", json.dumps(body).encode())
        if status == 400:
            raise MapRefused(f"{self._host} refuses to map {wanted} and does not say why")
        if status != 201:
            raise Nonsense(f"{self._host} answers a new slot map with status {status}")

    def remove(self, unwanted: SlotMap) -> None:
        """Delete the map of a bank slot, whatever client it has; one that is not there is no error."""
        number = unwanted.bank_id * 65536 + unwanted.bank_slot
        status, _ = self._ask("DELETE", f"slotmaps/{number}")
        if status not in (200, 404):
            raise Nonsense(f"{self._host} answers the end of a slot map with status {status}")

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _list(self, name: str) -> list[dict[str, Any]]:
        status, body = self._ask("GET", name)
        if status != 200:
            moved = ": a redirect is not followed" if 300 <= status < 400 else ""
            raise Nonsense(f"{self._host} answers with status {status}{moved}", hint=ADDRESS_HINT)
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError) as error:
            what = "a web page" if body.lstrip()[:1] == b"<" else "something that is not JSON"
            raise Nonsense(f"{self._host} answers with {what}", hint=ADDRESS_HINT) from error
        entries = answer.get(name) if isinstance(answer, dict) else None
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise Nonsense(f"{self._host} answers without a list of {name}", hint=ADDRESS_HINT)
        return entries

    def _ask(self, method: str, name: str, body: bytes | None = None) -> tuple[int, bytes]:
        """Status and body. A kept connection that was dropped meanwhile is made anew, but a change is sent once."""
        was_kept = self._connection is not None
        try:
            return self._tried(method, name, body)
        except (OSError, HTTPException, ValueError) as error:
            self.close()
            if not was_kept or method != "GET" or isinstance(error, TimeoutError):
                raise self._trouble(error) from error
        try:
            return self._tried(method, name, body)
        except (OSError, HTTPException, ValueError) as error:
            self.close()
            raise self._trouble(error) from error

    def _tried(self, method: str, name: str, body: bytes | None) -> tuple[int, bytes]:
        deadline = time.monotonic() + self._timeout_s
        if self._connection is None or self._connection.sock is None:
            self._connect()
        assert self._connection is not None and self._timed is not None
        self._timed.allow(deadline, LARGEST_ANSWER)
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        self._connection.request(method, f"{self._prefix}/{name}", body, headers)
        answer = self._connection.getresponse()
        return answer.status, answer.read()

    def _connect(self) -> None:
        sock = socket.create_connection((self._host, self._port), self._timeout_s)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.ends = str(sock.getsockname()[0]), str(sock.getpeername()[0])
        if self._is_tls:
            import ssl  # late: it is large, and few have it

            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=self._host)
        self._timed = TimedSocket(sock)
        self._connection = HTTPConnection(self._host, self._port)
        self._connection.auto_open = 0
        self._connection.sock = self._timed

    def _trouble(self, error: Exception) -> ServerError:
        where = f"{self._host} port {self._port}"
        if isinstance(error, TimeoutError):
            return ServerError(f"{where} does not answer in {self._timeout_s:g} s", code="server_slow")
        if isinstance(error, TooLong):
            return Nonsense(f"{where} answers with more than {LARGEST_ANSWER // 1024} kB", hint=ADDRESS_HINT)
        if isinstance(error, OSError):
            why = "the name is not known" if isinstance(error, socket.gaierror) else error.strerror or "no connection"
            return ServerError(f"{where} cannot be reached: {word(why) or 'no connection'}")
        return Nonsense(f"{where} does not speak HTTP", hint=ADDRESS_HINT)


ADDRESS_HINT = "check the server's address: it is that of osmo-remsim-server's REST interface, port 9997"


def component(entry: dict[str, Any]) -> tuple[str | None, str | None, str | None]:
    """Name, software and version of what is connected."""
    told = entry.get("component_id")
    told = told if isinstance(told, dict) else {}
    return word(told.get("name")), word(told.get("software")), word(told.get("swVersion"))


def word(value: Any) -> str | None:
    """Text of others as it can be shown; None when it is none."""
    if not isinstance(value, str):
        return None
    return "".join(letter if letter.isprintable() else " " for letter in value[:LONGEST_WORD]).strip() or None
