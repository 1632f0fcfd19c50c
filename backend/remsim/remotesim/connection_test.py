"""Whether a client could reach its server, step by step: the name, the port, who answers there, the REST interface.

Nothing is claimed at the server: a ping is sent and no client's name, so a client that runs goes on.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit

from remsim.config.remote_sim import RemoteClientSettings, RemsimServerSettings
from remsim.core.small_dataclass import dataclass
from remsim.remotesim.programs import Refusal
from remsim.remotesim.rest import Rest, ServerError
from remsim.remotesim.slotmap import Seen, place_text

RSPRO_PORT, REST_PORT = 9998, 9997
RESOLVE_S, CONNECT_S, ANSWER_S = 5.0, 3.0, 4.0
PING, KEEPALIVE = bytes.fromhex("0001fe00"), 0xFE
WHO_RESOLVES = "use its address: a client ends at each attempt as long as the name is not known"
CLOSED = "is the server started, and does a firewall let port {} through?"


@dataclass(frozen=True, slots=True)
class Check:
    """One step: ``ok`` None: not done, because it could not be, or need not be for the client to work."""

    name: str
    ok: bool | None
    message: str
    hint: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """As in the API."""
        return asdict(self)


def try_client(
    client: RemoteClientSettings, servers: Sequence[RemsimServerSettings], refusal: Refusal | None
) -> list[Check]:
    """The way of one client."""
    found = [Check("settings", True, "all that it needs is there")]
    if refusal is not None:
        found = [Check("settings", False, f"{refusal.field}: {refusal.message}", refusal.hint)]
    address = resolve(client.server_host, found)
    if address is None:
        return found
    if reach(address, client.server_port, "port", found):
        say_hello(address, client.server_port, found)
    known = [one for one in servers if host_of(one.url) in (client.server_host, address)]
    url = known[0].url if known else f"http://{bracketed(client.server_host)}:{REST_PORT}"
    seen = ask_rest(url, found, is_needed=bool(known))
    if seen is not None:
        found.append(client_check((client.client_id, client.client_slot), seen))
    return found


def try_server(server: RemsimServerSettings) -> list[Check]:
    """The way to one server: its REST interface, and the port of clients and banks."""
    found: list[Check] = []
    host = host_of(server.url)
    address = resolve(host, found)
    if address is None:
        return found
    parts = urlsplit(server.url)
    if reach(address, parts.port or (443 if parts.scheme == "https" else 80), "rest_port", found):
        ask_rest(server.url, found, is_needed=True)
    if reach(address, RSPRO_PORT, "port", found, is_needed=False):
        say_hello(address, RSPRO_PORT, found)
    return found


def resolve(host: str, found: list[Check]) -> str | None:
    """An address of a host; IPv4, as servers listen there only."""
    answers: list[str] = []
    problems: list[str] = []

    def ask() -> None:
        try:
            answers.extend(str(one[4][0]) for one in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))
        except (OSError, UnicodeError) as error:
            problems.append(getattr(error, "strerror", None) or str(error))

    asking = threading.Thread(target=ask, daemon=True)  # a resolver waits for as long as it likes
    asking.start()
    asking.join(RESOLVE_S)
    ipv4 = next((one for one in answers if ":" not in one), None)
    if ipv4 or answers:
        address = ipv4 or answers[0]
        told = f"{host} is {address}" if address != host else f"{host} is an address and needs no resolver"
        hint = None if ipv4 else "a remsim-server listens on IPv4 only"
        found.append(Check("resolve", True, told, hint))
        return address
    why = problems[0].lower() if problems else f"no answer within {RESOLVE_S:g} s"
    found.append(Check("resolve", False, f"{host} cannot be resolved: {why}", WHO_RESOLVES))
    return None


def reach(address: str, port: int, name: str, found: list[Check], *, is_needed: bool = True) -> bool:
    """Whether a TCP port answers."""
    where = f"{bracketed(address)}:{port}"
    try:
        socket.create_connection((address, port), timeout=CONNECT_S).close()
    except OSError as error:
        why = "no answer" if isinstance(error, TimeoutError) else (error.strerror or str(error)).lower()
        ok = False if is_needed else None
        found.append(Check(name, ok, f"{where} does not take TCP: {why}", CLOSED.format(port)))
        return False
    found.append(Check(name, True, f"{where} takes TCP connections"))
    return True


def say_hello(address: str, port: int, found: list[Check]) -> None:
    """Whether it speaks RSPRO there: both ends of a link ping at once, and answer a ping."""
    try:
        with socket.create_connection((address, port), timeout=CONNECT_S) as link:
            link.settimeout(ANSWER_S)
            link.sendall(PING)
            answer = link.recv(4)
    except OSError:
        answer = b""
    if len(answer) >= 3 and answer[2] == KEEPALIVE:
        found.append(Check("rspro", True, "a remsim-server answers there"))
        return
    what = "something else than a remsim-server answers there" if answer else "whoever listens there says nothing"
    found.append(Check("rspro", False, what, f"clients use port {RSPRO_PORT} of a server, not {REST_PORT}"))


def ask_rest(url: str, found: list[Check], *, is_needed: bool) -> Seen | None:
    """What the server says of itself by its REST interface."""
    rest = Rest(url)
    try:
        seen = rest.look()
    except ServerError as error:
        hint = error.hint or "clients work without it; slot maps cannot be seen or changed"
        found.append(Check("rest", False if is_needed else None, f"{url}: {error.message}", hint))
        return None
    finally:
        rest.close()
    counts = f"{len(seen.banks)} banks, {len(seen.clients)} clients, {len(seen.maps)} slot maps"
    found.append(Check("rest", True, f"{url} answers: {counts}"))
    return seen


def client_check(slot: tuple[int, int], seen: Seen) -> Check:
    """What the server knows of a client."""
    who = f"C{place_text(slot)}"
    bank = next((one.bank for one in seen.maps if one.client == slot), None)
    card = "no bank slot is mapped to it" if bank is None else f"bank slot B{place_text(bank)} is mapped to it"
    if slot in seen.clients:
        return Check("client", True, f"the server knows client {who}; {card}")
    return Check("client", None, f"the server has no client {who} now; {card}", "it appears once the client is started")


def host_of(url: str) -> str:
    """The host of an address."""
    return urlsplit(url).hostname or ""


def bracketed(host: str) -> str:
    """A host as it stands before a port."""
    return f"[{host}]" if ":" in host else host
