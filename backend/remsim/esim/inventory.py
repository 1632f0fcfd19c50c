"""Every profile that was ever seen on an eUICC of this router.

``Inventory`` is what a fleet's server implements later over its own database; here it is SQLite.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Protocol

from remsim.core.clock import iso_utc
from remsim.core.masking import mask
from remsim.core.small_dataclass import dataclass
from remsim.esim.activation import Activation
from remsim.esim.codes import masked_token
from remsim.esim.records import Records

GONE = "gone"
"""The state of a profile that its card has no more."""
COLUMNS = (
    "id", "iccid", "card", "eid", "holder", "name", "nickname", "provider", "state", "first_seen", "last_seen",
    "server", "code", "source", "used_bytes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a profile came from: ``kind`` is ``code``, ``order`` or ``eim``, ``hint`` the end of the code."""

    kind: str
    server: str
    hint: str
    source: str | None
    at: float


@dataclass(frozen=True, slots=True)
class Listed:
    """A profile on a card. Times are seconds since the epoch; ``state`` is ``enabled``, ``disabled`` or ``gone``."""

    eid: str
    iccid: str
    id: str
    holder: str
    name: str
    nickname: str | None
    provider: str | None
    state: str
    first_seen: float
    last_seen: float
    origin: Origin | None = None


class Inventory(Protocol):
    """Keeps what was seen. Methods do not raise: what cannot be kept now is seen again with the next read."""

    def seen(self, holder_id: str, card: Mapping[str, Any], at: float) -> None:
        """A card was read whole (the object of ``Cards.of``): its profiles are there, all others of it are gone."""

    def came(self, iccid: str | None, activation: Activation, source: str, at: float) -> None:
        """A profile came of a code; ``source`` is ``code``, ``order NAME``, ``batch ID`` or ``eim NAME``."""

    def profiles(self) -> list[Listed]:
        """All, the last seen first."""


class SqliteInventory:
    """In the router's own records."""

    def __init__(self, records: Records) -> None:
        self._records = records

    def seen(self, holder_id: str, card: Mapping[str, Any], at: float) -> None:
        """One transaction a read."""
        eid = card.get("eid")
        if eid is None or card.get("state") != "ready":
            return
        known = [one for one in card["profiles"] if one["iccid"] is not None]
        marks = ",".join("?" * len(known))
        self._records.write(
            (
                f"UPDATE profiles SET state = '{GONE}' WHERE eid = ? AND iccid NOT IN ({marks})",
                (eid, *(one["iccid"] for one in known)),
            ),
            *(
                (
                    "INSERT INTO profiles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (eid, iccid) DO UPDATE SET "
                    "id = excluded.id, holder = excluded.holder, name = excluded.name, nickname = excluded.nickname, "
                    "provider = excluded.provider, state = excluded.state, last_seen = excluded.last_seen",
                    (
                        eid, one["iccid"], one["id"], holder_id, one["name"], one["nickname"], one["provider"],
                        one["state"], at, at,
                    ),
                )
                for one in known
            ),
        )  # fmt: skip

    def came(self, iccid: str | None, activation: Activation, source: str, at: float) -> None:
        """The last one counts: a profile that was deleted may come again."""
        if iccid is None:
            return
        kind, _, name = source.partition(" ")
        values = (iccid, kind, activation.smdp_address, masked_token(activation.matching_id), name or None, at)
        self._records.write(("INSERT OR REPLACE INTO origins VALUES (?, ?, ?, ?, ?, ?)", values))

    def profiles(self) -> list[Listed]:
        """With their origins."""
        select = (
            "SELECT p.*, o.kind, o.server, o.hint, o.source, o.at FROM profiles p LEFT JOIN origins o USING (iccid) "
            "ORDER BY p.last_seen DESC, p.first_seen DESC, p.iccid"
        )
        return [
            Listed(*(*row[:10], None if row[10] is None else Origin(*row[10:15])))
            for row in self._records.rows(select)
        ]


def card_of(eid: str) -> str:
    """A card by a name that says nothing of its number."""
    return f"eid-{hashlib.sha256(eid.encode()).hexdigest()[:12]}"


def view_of(one: Listed, used_bytes: int | None, *, identifiers: bool) -> dict[str, Any]:
    """A profile as the API has it; numbers in full only with ``identifiers``."""
    origin = one.origin
    return {
        "id": one.id,
        "iccid": one.iccid if identifiers else mask(one.iccid),
        "card": card_of(one.eid),
        "eid": one.eid if identifiers else mask(one.eid),
        "holder": one.holder,
        "name": one.name,
        "nickname": one.nickname,
        "provider": one.provider,
        "state": one.state,
        "first_seen": iso_utc(one.first_seen),
        "last_seen": iso_utc(one.last_seen),
        "origin": None
        if origin is None
        else {
            "kind": origin.kind,
            "smdp_address": origin.server,
            "code": origin.hint,
            "source": origin.source,
            "at": iso_utc(origin.at),
        },
        "used_bytes": used_bytes,
    }


def cells_of(view: Mapping[str, Any]) -> list[str]:
    """A profile as a line of CSV, in the order of ``COLUMNS``."""
    origin = view["origin"] or {}
    flat = dict(view) | {
        "server": origin.get("smdp_address"),
        "code": origin.get("code"),
        "source": " ".join(str(origin[key]) for key in ("kind", "source") if origin.get(key)),
    }
    return ["" if flat[name] is None else str(flat[name]) for name in COLUMNS]
