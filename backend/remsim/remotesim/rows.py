"""Banks and slot maps as ``GET /api/v1/remote-sim`` has them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from remsim.remotesim.reconcile import Kept, Verdict
from remsim.remotesim.server import Server
from remsim.remotesim.slotmap import ACTIVE, Seen, SlotMap


def seen_of(server: Server) -> Seen:
    """What a server said last."""
    return Seen() if server.look is None else server.look.seen


def clashes(maps: Iterable[SlotMap], wanted: SlotMap) -> set[SlotMap]:
    """Maps that have one of the two slots of another."""
    return {one for one in maps if one != wanted and (one.bank == wanted.bank or one.client == wanted.client)}


def banks_of(server: Server) -> list[dict[str, Any]]:
    """The banks that are or were connected to a server."""
    connected = seen_of(server).banks
    return [
        {
            "server": server.name,
            "bank_id": bank.bank_id,
            "slots": bank.slots,
            "connected": bank_id in connected if server.reachable else None,
            "name": bank.name,
            "software": bank.software,
            "version": bank.version,
        }
        for bank_id, bank in sorted(server.known_banks.items())
    ]


def rows_of(server: Server, kept: tuple[Kept, ...]) -> list[dict[str, Any]]:
    """A server's maps in their order: ours, and those of others."""
    look = server.look
    seen, verdicts = (Seen(), {}) if look is None else (look.seen, look.verdicts)
    ours = {one.map: one for one in kept}
    return [
        row_of(server.name, one, state=seen.maps.get(one), kept=ours.get(one), verdict=verdicts.get(one))
        | {"stale": not server.reachable}
        for one in sorted(ours.keys() | seen.maps.keys())
        if one in seen.maps or ours[one].is_wanted
    ]


def row_of(
    server: str, one: SlotMap, *, state: str | None = None, kept: Kept | None = None, verdict: Verdict | None = None
) -> dict[str, Any]:
    """A map in ``slotmaps`` of the API; ``state`` is the server's word: ``ACTIVE`` says nothing of a card."""
    texts = {} if verdict is None else {verdict.kind: verdict.text}
    is_desired = kept is not None and kept.is_wanted
    return {
        "server": server,
        **one.as_dict(),
        "state": state,
        "desired": is_desired,
        "foreign": kept is None,
        "removing": kept is not None and not is_desired,
        "conflict": texts.get("conflict"),
        "held": texts.get("held"),
        "waits": texts.get("waits") if state != ACTIVE or not is_desired else None,
        "stale": False,
        "note": "" if kept is None else kept.note,
    }
