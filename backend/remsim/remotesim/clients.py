"""Clients as ``GET /api/v1/remote-sim`` has them: this router's by their settings, and those that servers know."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from remsim.config.remote_sim import RemoteClientSettings
from remsim.remotesim.health import ServerSeen, health_of, map_health, map_of, no_card
from remsim.remotesim.slotmap import SlotMap, place_text
from remsim.remotesim.told import NOT_RUNNING, Told

ModemAt = Callable[[str], tuple[str, str] | None]
"""The id and the state of the modem at a place."""
Slot = tuple[int, int]


def client_rows(
    clients: Sequence[RemoteClientSettings],
    servers: Sequence[ServerSeen],
    modem_at: ModemAt,
    told: Told,
    processes: Mapping[str, Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """This router's clients. The server alone can tell that one has no card, never that it has one.

    ``processes`` is what the supervisor knows; a client that somebody has started by hand is found all the same.
    """
    rows = []
    for one in clients:
        slot = (one.client_id, one.client_slot)
        found = map_of(slot, servers)
        modem = None if one.modem is None else modem_at(one.modem)
        is_listed = any(slot in server.seen.clients for server in servers if server.reachable)
        row = row_of_slot(slot, None if found is None else found[0], is_known=found is None and is_listed)
        row |= {"name": one.name, "configured": True, "modem": None if modem is None else modem[0]}
        process = processes.get(one.name, {})
        row |= told.row_of(slot, is_ours=True, pid=process.get("pid"))
        found_process = row["process"]
        is_found = found_process["running"] is True and os.path.exists(f"/proc/{found_process['pid']}")
        if process.get("running") is not True and is_found:
            process = {**process, **found_process, "problem": None, "hint": None}
        row["process"] = found_process | process
        if row["process"]["running"] is False and row["state_source"] == "event":
            row |= NOT_RUNNING  # the supervisor knows it before the next look at its sockets
        rows.append(row | with_health(row, servers, told.state_age_s(slot)))
    return rows


def with_health(row: dict[str, Any], servers: Sequence[ServerSeen], state_age_s: float | None) -> dict[str, Any]:
    """``health`` and ``hint`` of a client."""
    health = health_of(row, servers, state_age_s=state_age_s)
    return {"health": health.text, "hint": health.hint}


def foreign_rows(
    ours: Sequence[RemoteClientSettings], servers: Sequence[ServerSeen], told: Told
) -> list[dict[str, Any]]:
    """Clients that told something here, or that servers know, and that are not set up on this router."""
    known = {(one.client_id, one.client_slot) for one in ours}
    rows = []
    for slot in sorted(set(told.states()) - known):
        known.add(slot)
        given = map_of(slot, servers)
        row = row_of_slot(slot, None if given is None else given[0], is_known=False)
        row |= told.row_of(slot, is_ours=False)
        rows.append(row | with_health(row, servers, told.state_age_s(slot)))
    for server in servers:
        maps = {one.client: one for one in server.seen.maps}
        for slot, host in sorted(server.seen.clients.items()):
            if slot not in known:
                known.add(slot)
                found = maps.get(slot)
                health = no_card() if found is None else map_health({}, found, server, None)
                rows.append(
                    row_of_slot(slot, found, is_known=found is None and server.reachable)
                    | {"host": host, "server": server.name, "health": health.text, "hint": health.hint}
                )
    return rows


def row_of_slot(slot: tuple[int, int], one: SlotMap | None, *, is_known: bool) -> dict[str, Any]:
    """What a server knows of a client; ``is_known``: it is there and has no map."""
    return {
        "name": None,
        "configured": False,
        "client_slot": place_text(slot),
        "state": "unassigned" if is_known else "unknown",
        "state_source": "server",
        "since": None,
        "bank_slot": None if one is None else place_text(one.bank),
        "bankd_addr": None,
        "uncertain": not is_known,
        "modem": None,
    }
