"""What was last read of each card: kept over restarts, so that a page shows it at once."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from remsim.core.errors import NoApplication, NotFound, RemsimError
from remsim.core.masking import mask
from remsim.esim.desk import EMPTY
from remsim.esim.store import CARD, Store
from remsim.outbound.way import one_line

if TYPE_CHECKING:
    from remsim.esim.engine import Engine
    from remsim.esim.es10.profiles import Owner, Profile
    from remsim.esim.euicc import Euicc

Card = dict[str, Any]
"""``state`` and ``problem``, and what ``read`` gives where the card was read once."""
LONGEST_NAME, LONGEST_ADDRESS = 64, 253
LARGEST_ICON = 4096
"""SGP.22 has 1024 octets; what is larger is nothing for a router to keep."""


class Cards:
    """By the id of the holder."""

    def __init__(self, store: Store, sim_of: Callable[[str | None], str | None]) -> None:
        self._store = store
        self._sim_of = sim_of
        self._known = store.all(CARD)
        self.on_read: Callable[[str, Card], None] = lambda holder_id, card: None

    def of(self, holder_id: str) -> Card | None:
        """What is known of the card there."""
        return self._known.get(holder_id)

    def all(self) -> dict[str, Card]:
        """Of all holders, also those that are away."""
        return dict(self._known)

    def read(self, holder_id: str, engine: Engine, now: float) -> Card:
        """Read all of a card that a page shows, and keep it."""
        card = self._keep(holder_id, read(engine, self._sim_of, now))
        self.on_read(holder_id, card)
        return card

    def failed(self, holder_id: str, error: RemsimError) -> None:
        """It could not be read: what was known of it stays, unless it is no eUICC."""
        problem = {"code": error.code, "message": error.message, "hint": error.hint}
        if isinstance(error, NoApplication):
            self._keep(holder_id, {**EMPTY, "state": "no_euicc", "problem": problem})
        else:
            self._keep(holder_id, {**(self.of(holder_id) or EMPTY), "state": "unreachable", "problem": problem})

    def begin_change(self, holder_id: str) -> None:
        """What is known may not be so any more: a service that is killed now reads it anew."""
        known = self.of(holder_id) or {**EMPTY, "state": "unread", "problem": None}
        self._keep(holder_id, {**known, "is_changing": True})

    def profile(self, holder_id: str, profile_id: str) -> dict[str, Any]:
        """A profile as it was last read, or ``NotFound``."""
        for one in (self.of(holder_id) or EMPTY)["profiles"]:
            if one["id"] == profile_id:
                return dict(one)
        hint = "read the card anew"
        raise NotFound(f"{holder_id} has no profile {profile_id[:40]!r}", field="profile", hint=hint)

    def profiles_now(self, euicc: Euicc) -> list[tuple[str, Profile]]:
        """The card's profiles with their ids."""
        return [(self.id_of(one), one) for one in euicc.profiles(icons=False)]

    def id_of(self, profile: Profile) -> str:
        """A profile's id: that of its number in history, so that usage is found under it."""
        return id_of(profile, self._sim_of)

    def _keep(self, holder_id: str, card: Card) -> Card:
        self._known[holder_id] = card
        self._store.put(CARD, holder_id, card)
        return card


def read(engine: Engine, sim_of: Callable[[str | None], str | None], now: float) -> Card:
    """All of a card."""
    euicc = engine.euicc
    addresses = euicc.addresses()
    return {
        "state": "ready",
        "problem": None,
        "way": engine.way,
        "eid": euicc.eid(),
        "read_at": now,
        "managed_by": engine.managed_by(),
        "euicc": euicc.info2().as_dict() | {"default_smdp": addresses.default_smdp, "root_smds": addresses.root_smds},
        "profiles": [profile_view(one, id_of(one, sim_of)) for one in euicc.profiles()],
        "notifications": [
            {
                "seq": one.seq,
                "operation": one.operation,
                "address": shown(one.address, LONGEST_ADDRESS),
                "profile": sim_of(one.iccid),
            }
            for one in euicc.notifications()
        ],
    }


def id_of(profile: Profile, sim_of: Callable[[str | None], str | None]) -> str:
    """By its number, else by its place on the card."""
    return sim_of(profile.iccid) or f"aid-{(profile.aid or b'').hex()}"


def name_of(profile: Profile) -> str:
    """What to call it."""
    named = shown(profile.nickname) or shown(profile.name) or shown(profile.provider)
    return named or mask(profile.iccid) or "a profile without a name"


def shown(text: str | None, longest: int = LONGEST_NAME) -> str | None:
    """What a card or a server calls something, as pages and logs have it: in one line, as long as a card has it."""
    return " ".join(one_line((text or "")[: 2 * longest]).split())[:longest].strip() or None


def profile_view(profile: Profile, profile_id: str) -> dict[str, Any]:
    """A profile, its number whole."""
    return {
        "id": profile_id,
        "iccid": profile.iccid,
        "aid": None if profile.aid is None else profile.aid.hex(),
        "name": name_of(profile),
        "nickname": shown(profile.nickname),
        "provider": shown(profile.provider),
        "profile_name": shown(profile.name),
        "state": profile.state,
        "class": profile.profile_class,
        "icon": icon_of(profile.icon, profile.icon_type),
        "owner": owner_of(profile.owner),
        "policy": sorted(profile.policy),
    }


def icon_of(icon: bytes | None, kind: str | None) -> str | None:
    """An icon as a page takes it; only what begins as such a picture, and is small, does."""
    starts = {"png": b"\x89PNG", "jpeg": b"\xff\xd8\xff"}
    for name, start in starts.items():
        if icon and len(icon) <= LARGEST_ICON and icon.startswith(start) and kind in (name, None):
            return f"data:image/{name};base64,{base64.b64encode(icon).decode()}"
    return None


def owner_of(owner: Owner | None) -> str | None:
    """The operator's MCC and MNC, ``262-02``."""
    return None if owner is None else owner.plmn
