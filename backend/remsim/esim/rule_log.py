"""What rules decided and why, and the counts that follow from it: kept over restarts, whatever the clock does."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import field
from typing import Any

from remsim.core.clock import FIRST_TRUSTED, Clock, iso_utc
from remsim.core.small_dataclass import dataclass
from remsim.esim.records import Records

KEPT = 400
DAY_S = 86400.0
SWITCHING, SWITCHED, FAILED, WOULD, BLOCKED, BY_HAND = (
    "switching", "switched", "failed", "would_switch", "blocked", "by_hand",
)  # fmt: skip
DONE = (SWITCHING, SWITCHED, FAILED)
"""What counts as a switch of a rule: also one that failed, for it cost the connection."""
RESTS = (*DONE, BY_HAND)


@dataclass(slots=True)
class Entry:
    """One decision. ``monotonic`` is None for one of before the service started."""

    number: int
    at: float
    rule: str
    modem: str
    data: dict[str, Any] = field(default_factory=dict)
    monotonic: float | None = None

    @property
    def decision(self) -> str:
        """What was decided."""
        return str(self.data["decision"])

    def view(self) -> dict[str, Any]:
        """The object of the API."""
        shown = {name: value for name, value in self.data.items() if name != "ended_at"}
        return {"at": iso_utc(self.at), "rule": self.rule or None, "modem": self.modem, **shown}


class RuleLog:
    """The last decisions, oldest first."""

    def __init__(self, records: Records, clock: Clock) -> None:
        self._records, self._clock = records, clock
        self._began = clock.monotonic()
        self._entries: deque[Entry] = deque(maxlen=KEPT)
        select = "SELECT number, at, rule, modem, data FROM decisions ORDER BY number DESC LIMIT ?"
        for number, at, rule, modem, data in reversed(records.rows(select, (KEPT,))):
            try:
                known = json.loads(data)
            except ValueError:
                continue  # of a damaged file
            if isinstance(known, dict) and "decision" in known:
                self._entries.append(Entry(number, at, rule, modem, known))

    def note(self, rule: str, modem: str, data: dict[str, Any]) -> tuple[Entry, bool]:
        """Write a decision down; whether it is on the disk."""
        number = self._entries[-1].number + 1 if self._entries else 1
        entry = Entry(number, self._clock.now(), rule, modem, data, self._clock.monotonic())
        self._entries.append(entry)
        values = (number, entry.at, rule, modem, json.dumps(data))
        return entry, self._records.write(
            ("INSERT OR REPLACE INTO decisions VALUES (?, ?, ?, ?, ?)", values),
            ("DELETE FROM decisions WHERE number <= ?", (number - KEPT,)),
        )

    def change(self, entry: Entry, **data: Any) -> None:
        """What came of it."""
        entry.data.update(data)
        self._records.write(
            ("UPDATE decisions SET data = ? WHERE number = ?", (json.dumps(entry.data), entry.number))
        )

    def ended(self, entry: Entry, decision: str, error: str | None = None) -> None:
        """A switch has ended: the modem rests from now on."""
        entry.monotonic = self._clock.monotonic()
        self.change(entry, decision=decision, error=error, ended_at=self._clock.now())

    def blocked(self, entry: Entry, why: str) -> None:
        """It could not be begun; told once as long as that is so."""
        before = next((one for one in reversed(self._entries) if one.rule == entry.rule and one is not entry), None)
        if before is None or before.decision != BLOCKED or before.data["why"] != why:
            self.change(entry, decision=BLOCKED, why=why)
            return
        self._entries.remove(entry)
        self._records.write(("DELETE FROM decisions WHERE number = ?", (entry.number,)))

    def unsettled(self) -> list[Entry]:
        """Switches of which nobody has written down what came of them."""
        return [one for one in self._entries if one.decision == SWITCHING]

    def last_of(self, rule: str) -> Entry | None:
        """A rule's last decision."""
        return next((one for one in reversed(self._entries) if one.rule == rule), None)

    def rested_s(self, modem: str) -> float | None:
        """How long ago a modem was switched, at least; None: never."""
        last = next((one for one in reversed(self._entries) if one.modem == modem and one.decision in RESTS), None)
        return None if last is None else self._age_s(last)

    def count_of(self, rule: str) -> int:
        """How often a rule switched in the last 24 hours."""
        return sum(one.rule == rule and one.decision in DONE and self._age_s(one) < DAY_S for one in self._entries)

    def views(self) -> list[dict[str, Any]]:
        """Newest first."""
        return [one.view() for one in reversed(self._entries)]

    def _age_s(self, entry: Entry) -> float:
        """By the clock that does not jump; of what was before, by the wall's where it can be right."""
        monotonic, wall = self._clock.monotonic(), self._clock.now()
        if entry.monotonic is not None:
            return monotonic - entry.monotonic
        since_start = monotonic - self._began
        at = float(entry.data.get("ended_at") or entry.at)
        can_be = wall >= FIRST_TRUSTED and at >= FIRST_TRUSTED
        return max(wall - at, since_start) if can_be else since_start
