"""Operators are told of what was done to their profiles: at once, in their order, and again until they take it.

The card is the queue. What is kept here is how often it was tried, so that pauses grow over restarts, too.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from remsim.core.clock import iso_utc
from remsim.core.errors import Conflict, InvalidInput, RemsimError
from remsim.core.jobs import Job
from remsim.esim.cards import LONGEST_ADDRESS, Card, shown
from remsim.esim.room import Room
from remsim.esim.store import TRY

if TYPE_CHECKING:
    from remsim.esim.engine import Engine
    from remsim.esim.es10.notifications import Notification
    from remsim.esim.holder import Holder

log = logging.getLogger(__name__)

PAUSES_S = (60.0, 300.0, 900.0, 3600.0, 21600.0)
"""Before the next try, the last for all that follow."""
FIRST_S = 60.0
"""After the start: until modems are online."""
CARD_ITSELF = 0
"""Counts tries at a card that could not be opened; the numbers of notifications begin with 1."""
KIND = "esim-notifications"
OPERATIONS = {"install": "the download", "enable": "the enabling", "disable": "the disabling", "delete": "the deletion"}


class Telling:
    """Sends notifications of one card at a time."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._first_at = room.clock.monotonic() + FIRST_S
        self.beginning: threading.Thread | None = None

    def tell(self, engine: Engine, job: Job, holder_id: str, *, is_asked: bool = False) -> int:
        """Send what waits on an open card, each operator's in order; how many are left.

        After a failure that operator's others wait, too: it must hear of them in their order. Raises what the card
        raises.
        """
        if self._room.settings.esim.notifications == "manual" and not is_asked:
            return len(engine.euicc.notifications())
        eid = engine.euicc.eid()
        waiting = sorted(engine.euicc.notifications(), key=lambda one: one.seq)
        self._forget_others(eid, {one.seq for one in waiting})
        closed: set[str] = set()
        left = 0
        for number, one in enumerate(waiting):
            job.report(number / len(waiting), "telling the operator")
            if one.address in closed or job.is_stopping or not self._send(engine, eid, holder_id, one):
                closed.add(one.address)
                left += 1
        return left

    def finish(self, engine: Engine, job: Job, holder_id: str) -> int | None:
        """After a change: tell, and read the card anew; how many are left.

        None where the card cannot be asked any more: what was done is done all the same, and all that is caught up
        with by ``look``, for the card is known as changing.
        """
        try:
            left = self.tell(engine, job, holder_id)
            self._room.cards.read(holder_id, engine, self._room.clock.now())
        except RemsimError as error:
            log.warning("%s: the change is done, but its card cannot be asked any more: %s", holder_id, error.message)
            return None
        return left

    def views(self, card: Card) -> list[dict[str, Any]]:
        """What waits on a card, with how telling went."""
        tries = self._room.store.all(TRY) if card["notifications"] else {}
        return [self._view(one, tries.get(key_of(card["eid"], one["seq"]))) for one in card["notifications"]]

    def look(self) -> None:
        """Begin telling where a try is due."""
        room = self._room
        if room.settings.esim.notifications == "manual" or room.clock.monotonic() < self._first_at:
            return
        waiting = {name: card for name, card in room.cards.all().items() if is_unfinished(card)}
        if not waiting:
            return
        tries, now = room.store.all(TRY), room.clock.now()
        due = []
        for holder_id, card in waiting.items():
            is_reachable = is_due(tries.get(key_of(card["eid"], CARD_ITSELF)), now)
            seqs = [one["seq"] for one in card["notifications"]] or [CARD_ITSELF]
            if is_reachable and any(is_due(tries.get(key_of(card["eid"], seq)), now) for seq in seqs):
                due.append(holder_id)
        if due and (self.beginning is None or not self.beginning.is_alive()):
            self.beginning = threading.Thread(target=self._begin_all, args=(due,), name="esim-look", daemon=True)
            self.beginning.start()  # of its own, for a modem that is busy with its own things is waited for a little

    def _begin_all(self, holder_ids: list[str]) -> None:
        for holder_id in holder_ids:
            with contextlib.suppress(RemsimError):  # away or busy: the next look comes soon
                self.begin(holder_id, actor=None)

    def begin(self, holder_id: str, *, actor: str | None) -> Job:
        """A job that tells operators; ``actor`` is None where the service does it by itself."""

        def work(job: Job, holder: Holder) -> dict[str, int]:
            eid = (self._room.cards.of(holder.id) or {}).get("eid")
            try:
                with self._room.engine(holder) as engine:
                    left = self.tell(engine, job, holder.id, is_asked=actor is not None)
                    self._room.cards.read(holder.id, engine, self._room.clock.now())
            except RemsimError as error:
                self._later(key_of(eid, CARD_ITSELF), error)
                raise
            self._room.store.drop(TRY, key_of(eid, CARD_ITSELF))
            if left and actor is not None:
                self._refuse(holder.id)
            return {"notifications_waiting": left}

        return self._room.begin(KIND, holder_id, "telling operators of changes", work, actor=actor)

    def give_up(self, engine: Engine, holder_id: str, seq: int) -> None:
        """Remove a notification that its operator does not get."""
        found = next((one for one in engine.euicc.notifications() if one.seq == seq), None)
        if found is None:
            raise InvalidInput(f"there is no notification {seq}", field="seq", hint="read the card anew")
        engine.euicc.remove_notification(seq)
        self._room.store.drop(TRY, key_of(engine.euicc.eid(), seq))
        words = f"{operator_of(found)} will not be told of {deed(found)} of a profile"
        self._room.tell("esim_notification", holder_id, f"{words}: the notification was removed", "warning")

    def _send(self, engine: Engine, eid: str, holder_id: str, one: Notification) -> bool:
        """Whether the operator took it."""
        room, key = self._room, key_of(eid, one.seq)
        before = room.store.get(TRY, key) or {"tries": 0}
        what = f"{operator_of(one)} of {deed(one)} of a profile"
        try:
            engine.tell(one)
        except RemsimError as error:
            log.warning("%s: %s could not be told: %s", holder_id, operator_of(one), error.message)
            if self._later(key, error) == 1:
                text = f"{what} could not be told, it is tried again: {error.message}"
                room.tell("esim_notification", holder_id, text, "warning", {"seq": one.seq})
            return False
        engine.euicc.remove_notification(one.seq)
        if before["tries"]:
            room.store.drop(TRY, key)
            room.tell("esim_notification", holder_id, f"{what} was told at last", data={"seq": one.seq})
        return True

    def _later(self, key: str, error: RemsimError) -> int:
        """Put the next try off; how many there were."""
        room = self._room
        tries = int((room.store.get(TRY, key) or {"tries": 0})["tries"]) + 1
        pause_s = PAUSES_S[min(tries, len(PAUSES_S)) - 1]
        problem = {"code": error.code, "message": error.message, "hint": error.hint}
        room.store.put(TRY, key, {"tries": tries, "next_at": room.clock.now() + pause_s, "problem": problem})
        return tries

    def _refuse(self, holder_id: str) -> None:
        """What somebody asked for and did not get done, with the reason."""
        for one in self.views(self._room.cards.of(holder_id) or {"notifications": [], "eid": None}):
            if (problem := one["problem"]) is not None:
                raise Conflict(str(problem["message"]), code=str(problem["code"]), hint=problem["hint"])

    def _forget_others(self, eid: str, waiting: set[int]) -> None:
        """Tries of what is not on the card any more."""
        for key in self._room.store.all(TRY):
            card, _, seq = key.rpartition(":")
            if card == eid and int(seq) not in waiting | {CARD_ITSELF}:
                self._room.store.drop(TRY, key)

    def _view(self, one: Mapping[str, Any], tried: Mapping[str, Any] | None) -> dict[str, Any]:
        is_manual = self._room.settings.esim.notifications == "manual"
        next_at = None if tried is None or is_manual else tried["next_at"]
        return {
            **one,
            "tries": 0 if tried is None else tried["tries"],
            "problem": None if tried is None else tried["problem"],
            "next_try_at": None if next_at is None else iso_utc(next_at),
        }


def is_unfinished(card: Card) -> bool:
    """Whether operators wait for what a card has, or nobody knows since its last change."""
    return bool(card["notifications"] or card.get("is_changing"))


def operator_of(one: Notification) -> str:
    """Whom it is for; a server's word, which may be anything."""
    return shown(one.address, LONGEST_ADDRESS) or "nobody"


def deed(one: Notification) -> str:
    """What was done to a profile."""
    return OPERATIONS.get(one.operation or "", "a change")


def is_due(tried: Mapping[str, Any] | None, now: float) -> bool:
    """Whether to try now. A clock that was set back must not keep anything for ever."""
    return tried is None or not now < tried["next_at"] <= now + PAUSES_S[-1]


def key_of(eid: str | None, seq: int) -> str:
    """What a notification's tries are kept under."""
    return f"{eid}:{seq}"
