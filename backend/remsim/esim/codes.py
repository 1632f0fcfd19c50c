"""Activation codes that are kept for later. A code is money: it is shown whole only to who may change things."""

from __future__ import annotations

import secrets
import threading
from typing import Any

from remsim.core.clock import Clock, iso_utc
from remsim.core.errors import Conflict, InvalidInput, NotFound, RemsimError, StorageError
from remsim.esim.activation import Activation, parse
from remsim.esim.store import CODE, Store

MOST_CODES = 200
UNUSED, USED, FAILED = "unused", "used", "failed"


class Codes:
    """By id, newest first."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known = store.all(CODE)
        self._lock = threading.RLock()

    def views(self) -> list[dict[str, Any]]:
        """All, without what could be used."""
        with self._lock:
            found = [view_of(code_id, one) for code_id, one in self._known.items()]
        return sorted(found, key=lambda one: (one["added_at"], one["id"]), reverse=True)

    def add(self, text: str, *, label: str = "", holder: str | None = None) -> dict[str, Any]:
        """Keep one; ``InvalidInput`` when it is none, ``Conflict`` when it is kept already."""
        activation = parse(text)
        with self._lock:
            known = self.find(activation)
            if known is not None:
                raise Conflict("this code is kept already", code="code_kept", field="code")
            return self._add(activation, label, holder)

    def check_room(self) -> None:
        """``Conflict`` when no more can be kept."""
        if len(self._known) >= MOST_CODES:
            hint = "remove some that are used up"
            raise Conflict(f"{MOST_CODES} codes are kept already", field="code", hint=hint)

    def found(self, activation: Activation, label: str, holder: str | None = None) -> str:
        """The id of a code that a server gave; it may have given it before."""
        with self._lock:
            return self.find(activation) or str(self._add(activation, label, holder)["id"])

    def find(self, activation: Activation) -> str | None:
        """The id of a kept code that is the same one."""
        with self._lock:
            wanted = activation.code
            return next((code_id for code_id, one in self._known.items() if one.get("code") == wanted), None)

    def whole(self, code_id: str) -> dict[str, Any]:
        """A code with what makes it worth something."""
        one = self._one(code_id)
        if one.get("code") is None:
            raise Conflict("this code is used up, and was forgotten", code="code_used", field="code")
        return view_of(code_id, one) | {"code": one["code"]}

    def activation(self, code_id: str) -> Activation:
        """It, to be used."""
        return parse(str(self.whole(code_id)["code"]))

    def drop(self, code_id: str) -> None:
        """Keep it no longer."""
        with self._lock:
            self._one(code_id)
            del self._known[code_id]
            self._store.drop(CODE, code_id)

    def used(self, activation: Activation, holder: str) -> None:
        """A profile came of it: what could be used is forgotten."""
        self._ended(activation, {"state": USED, "problem": None, "holder": holder, "code": None})

    def failed(self, activation: Activation, error: RemsimError) -> None:
        """None did."""
        self._ended(activation, {"state": FAILED, "problem": error.message})

    def pending(self) -> list[dict[str, Any]]:
        """Those that can still be used, whole: for a backup."""
        with self._lock:
            found = [(code_id, one) for code_id, one in self._known.items() if one.get("code") is not None]
        return [
            {"code": one["code"], "label": one["label"], "holder": one["holder"], "added_at": one["added_at"]}
            for _, one in found
        ]

    def _ended(self, activation: Activation, change: dict[str, Any]) -> None:
        with self._lock:
            code_id = self.find(activation)
            if code_id is not None:
                self._keep(code_id, self._known[code_id] | change)

    def _add(self, activation: Activation, label: str, holder: str | None) -> dict[str, Any]:
        self.check_room()
        one = {
            "code": activation.code,
            "label": label,
            "holder": holder,
            "added_at": self._clock.now(),
            "smdp_address": activation.smdp_address,
            "hint": masked_token(activation.matching_id),
            "confirmation_code_required": activation.confirmation_code_required,
            "state": UNUSED,
            "problem": None,
        }
        code_id = secrets.token_hex(4)
        if not self._keep(code_id, one):
            del self._known[code_id]
            raise StorageError(f"the code was not kept: {self._store.problem}", hint="free space, then add it again")
        return view_of(code_id, one)

    def _keep(self, code_id: str, one: dict[str, Any]) -> bool:
        self._known[code_id] = one
        return self._store.put(CODE, code_id, one)

    def _one(self, code_id: str) -> dict[str, Any]:
        with self._lock:
            if code_id not in self._known:
                raise NotFound(f"there is no kept code {code_id[:40]!r}", field="code")
            return self._known[code_id]


def view_of(code_id: str, one: dict[str, Any]) -> dict[str, Any]:
    """A kept code, without what could be used."""
    return {
        "id": code_id,
        "label": one["label"],
        "smdp_address": one["smdp_address"],
        "matching_id": one["hint"],
        "confirmation_code_required": one["confirmation_code_required"],
        "holder": one["holder"],
        "added_at": iso_utc(one["added_at"]),
        "state": one["state"],
        "problem": one["problem"],
    }


def masked_token(token: str) -> str:
    """A matching id of which at most the last four characters show."""
    return "•" * max(len(token) - 4, min(len(token), 4)) + (token[-4:] if len(token) > 8 else "")


def code_view(text: str) -> dict[str, Any]:
    """What a code says, to who gave it."""
    found = parse(text)
    return {
        "smdp_address": found.smdp_address,
        "matching_id": found.matching_id,
        "oid": found.oid,
        "confirmation_code_required": found.confirmation_code_required,
        "warnings": list(found.warnings),
    }


def code_of(address: str, matching_id: str) -> Activation:
    """The code of what a discovery server tells; ``InvalidInput`` when it tells nonsense."""
    try:
        return parse(f"LPA:1${address}${matching_id}")
    except InvalidInput as error:
        raise InvalidInput(f"the discovery server names no usable server: {error.message}", field="discover") from error
