"""How a client does, in one plain sentence: why it has no card, and what to do.

A slot map that is ``ACTIVE`` proves nothing, so what the client itself tells comes first, then its sockets, then maps.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from remsim.remotesim.reconcile import no_such_slot
from remsim.remotesim.slotmap import ACTIVE, NEW, Seen, SlotMap, place_text

DIALS_S = 15.0
"""A bank that has the card takes a client within seconds."""


class Health(NamedTuple):
    """A sentence, and what to do where there is something."""

    text: str
    hint: str | None = None


class ServerSeen(NamedTuple):
    """A server, whether it answers, and what it said last."""

    name: str
    reachable: bool
    seen: Seen


def health_of(client: Mapping[str, Any], servers: Sequence[ServerSeen], *, state_age_s: float | None = None) -> Health:
    """How a client of ``GET /api/v1/remote-sim`` does; ``state_age_s`` is how long it is in its state."""
    if part(client, "process", "running") is False:
        problem = part(client, "process", "problem")
        if problem:
            return Health(f"the client does not run: {problem}", part(client, "process", "hint"))
        return Health("the client does not run", "start it")
    slot = slot_of(client)
    found = map_of(slot, servers)
    if client.get("state") == "remote":
        return remote_health(client, found, any(server.reachable for server in servers))
    if part(client, "server_link", "up") is False:
        return Health("the client does not reach the remsim-server", "check its address, its port 9998 and the network")
    if not any(server.reachable for server in servers):
        return told_health(client, bool(servers))
    is_listed = any(slot in server.seen.clients for server in servers if server.reachable)
    if not is_listed and part(client, "server_link", "up") is not True:
        return Health(
            "the server does not know this client",
            f"check the server's address, and that nobody else uses client {place_text(slot)}",
        )
    return no_card() if found is None else map_health(client, *found, state_age_s)


def no_card() -> Health:
    """It has no slot map."""
    return Health("no card is given to it", "make a slot map")


def remote_health(client: Mapping[str, Any], found: tuple[SlotMap, ServerSeen] | None, is_known: bool) -> Health:
    """It has a card, as far as it told."""
    if part(client, "bankd_link", "up") is False:
        return Health("the link to the bank is down; the client dials again")
    if client.get("uncertain"):
        return Health("it had its card when it last told something")
    what = f"the card in bank slot {client['bank_slot']} serves it" if client.get("bank_slot") else "it has a card"
    if is_known and found is None:
        return Health(
            f"{what}, but the server has no slot map of it any more",
            "restore the map: after a restart of the bank or the client the card would be gone",
        )
    if part(client, "server_link", "up") is False:
        return Health(f"{what}; the server is not reached, which only counts when the bank is lost, too")
    return Health(what)


def told_health(client: Mapping[str, Any], is_configured: bool) -> Health:
    """What the client's own state says where no server can be asked."""
    text = {
        "connecting": "the client dials the bank",
        "local": "the link to the bank is lost; the client dials again",
        "unassigned": "no card is given to it",
    }.get(str(client.get("state")), "nothing is known of it yet")
    if not is_configured:
        return Health(text, "add the server's REST address to see why, and to change slot maps")
    return Health(f"{text}; the server's REST interface does not answer")


def map_health(client: Mapping[str, Any], one: SlotMap, server: ServerSeen, state_age_s: float | None) -> Health:
    """It has a slot map and no card."""
    bank = server.seen.banks.get(one.bank_id)
    if bank is None:
        return Health(f"bank {one.bank_id} is not connected to the server", "check its bankd and the way to the server")
    if one.bank_slot >= bank.slots:
        return Health(no_such_slot(bank.bank_id, bank.slots), "give it another slot")
    state = server.seen.maps[one]
    if state != ACTIVE:
        told = "has not been told of it yet" if state == NEW else "does not answer the server"
        return Health(f"bank {one.bank_id} {told}")
    if client.get("state") not in ("connecting", "local"):
        return Health(
            f"the server has given it bank slot {place_text(one.bank)}, but only the client can tell if the card works"
        )
    if state_age_s is not None and state_age_s < DIALS_S:
        return Health("the client dials the bank")
    where = client.get("bankd_addr") or "the bank's port 9999"
    if part(client, "bankd_link", "dials") is True:
        return Health(f"{where} does not answer the client", "check the firewall, and that bankd is not behind NAT")
    return Health(
        f"bankd answers, but slot {one.bank_slot} holds no card",
        f"look at slot {one.bank_slot} of bank {one.bank_id} and its reader, and that the client reaches {where}",
    )


def map_of(slot: tuple[int, int], servers: Iterable[ServerSeen]) -> tuple[SlotMap, ServerSeen] | None:
    """The slot map of a client, where one is, of a server that answers before one that does not."""
    for server in sorted(servers, key=lambda server: not server.reachable):
        for one in server.seen.maps:
            if one.client == slot:
                return one, server
    return None


def slot_of(client: Mapping[str, Any]) -> tuple[int, int]:
    """The numbers of ``5:0``."""
    client_id, _, client_slot = str(client["client_slot"]).partition(":")
    return int(client_id), int(client_slot)


def part(client: Mapping[str, Any], name: str, key: str) -> Any:
    """A value of an object that may be absent."""
    inner = client.get(name)
    return inner.get(key) if isinstance(inner, Mapping) else None
