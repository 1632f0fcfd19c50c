"""What is to be done at a server so that it has the slot maps that are wanted. Pure: it asks nobody and does nothing.

The rules come from what osmo-remsim-server (4b36651) was seen to do:

- one change a bank at a time: a map that follows the end of another at once can stay ``NEW`` for ever;
- such a map is deleted and made again, which cures it;
- a map that is ``UNACKNOWLEDGED`` is not deleted: the server would forget it, and the bankd would not;
- the server takes maps to slots that a bank does not have, and shows them as ``ACTIVE``;
- making a map again that a client uses takes its card away and resets its modem, so it is done once and not often.

Maps of others are never in a step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import field

from remsim.core.small_dataclass import dataclass
from remsim.remotesim.slotmap import ACTIVE, NEW, PENDING, Seen, SlotMap, place_text

PAUSE_S = 0.2
"""Between the end of a map and the next change of its bank."""
STUCK_S = 2.0
"""A connected bank takes a map within milliseconds; one that is new for longer stays so."""
SILENT_S = 10.0
REFUSED_S, LONGEST_REFUSED_S = 5.0, 300.0
RESTORE_PAUSES_S = (0.0, 60.0, 300.0, 900.0)
"""Before each restore of one map, counted from the one before: each takes its modem off the network."""
CONTESTED = 3
"""Restores of a map within ``CALM_S`` after which somebody else seems to remove it."""
CALM_S = 1800.0

ADD, REMOVE, CURE = "add", "remove", "cure"
Hold = Callable[[SlotMap], str | None]
"""Why a map may not be restored now, because its modem is in use; None when it may."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A map of ours: wanted, or to be removed. ``was_there``: the server has had it since it is wanted."""

    map: SlotMap
    is_wanted: bool = True
    was_there: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One change: ``add``, ``remove`` or ``cure`` (remove what is stuck; it is added again then)."""

    action: str
    map: SlotMap
    is_restore: bool = False


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why a map is not as it is wanted: it ``waits``, is ``held`` for its modem's sake, or in ``conflict``."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps to take now, one a bank at most, and what there is to say of the maps that are not as wanted.

    ``gone`` are those that were to be removed and are not there. ``is_busy``: look again soon, something is under way.
    """

    steps: tuple[Step, ...]
    verdicts: dict[SlotMap, Verdict]
    gone: tuple[SlotMap, ...]
    is_busy: bool


@dataclass(slots=True)
class Times:
    """How often something was done to a map, and when last (monotonic)."""

    count: int
    at: float


@dataclass(slots=True)
class Progress:
    """What was done and seen before, of one server; times are monotonic."""

    removed_at: dict[int, float] = field(default_factory=dict)
    """Banks, and when a map of theirs was last removed."""
    pending: dict[SlotMap, tuple[str, float]] = field(default_factory=dict)
    """Maps that connected banks have not taken yet: their state, and since when."""
    moved_at: dict[int, float] = field(default_factory=dict)
    """Banks, and when a map of theirs last changed its state."""
    curing: set[SlotMap] = field(default_factory=set)
    cures: dict[SlotMap, Times] = field(default_factory=dict)
    restores: dict[SlotMap, Times] = field(default_factory=dict)
    refusals: dict[SlotMap, Times] = field(default_factory=dict)
    released: set[SlotMap] = field(default_factory=set)
    """Maps that somebody said to restore now, whatever it costs."""

    def observe(self, seen: Seen, now: float) -> None:
        """Take in what the server says now."""
        before = self.pending
        self.pending = {}
        for one, state in seen.maps.items():
            last = before.get(one)
            if last is not None and last[0] != state:
                self.moved_at[one.bank_id] = now
            if state in PENDING and one.bank_id in seen.banks:
                self.pending[one] = last if last is not None and last[0] == state else (state, now)
            elif state == ACTIVE:
                self.curing.discard(one)
                self.released.discard(one)
                self.refusals.pop(one, None)
                self.cures.pop(one, None)
        for one in [one for one, times in self.restores.items() if now - times.at > CALM_S]:
            del self.restores[one]

    def note(self, step: Step, now: float) -> None:
        """Take in what was done."""
        if step.action == ADD:
            if step.is_restore:
                count(self.restores, step.map, now)
        else:
            self.removed_at[step.map.bank_id] = now
        if step.action == CURE:
            self.curing.add(step.map)
            count(self.cures, step.map, now)
        elif step.action == REMOVE:
            self.curing.discard(step.map)

    def refuse(self, one: SlotMap, now: float) -> None:
        """Take in that the server does not take a map."""
        count(self.refusals, one, now)

    def release(self, one: SlotMap) -> None:
        """Restore a map as soon as its bank is there."""
        self.released.add(one)
        self.restores.pop(one, None)
        self.refusals.pop(one, None)

    def forget(self, keep: Iterable[SlotMap]) -> None:
        """Drop what is known of maps that are not ours any more."""
        kept = set(keep)
        for known in (self.cures, self.restores, self.refusals):
            for one in known.keys() - kept:
                del known[one]
        self.curing &= kept
        self.released &= kept


def count(times: dict[SlotMap, Times], one: SlotMap, now: float) -> None:
    """Once more."""
    times[one] = Times(times[one].count + 1 if one in times else 1, now)


def plan(kept: Iterable[Kept], seen: Seen, progress: Progress, now: float, hold: Hold = lambda one: None) -> Plan:
    """What to do now; ``progress`` has observed ``seen``."""
    return _Planner(tuple(kept), seen, progress, now, hold).plan()


class _Planner:
    """One look at everything."""

    def __init__(self, kept: tuple[Kept, ...], seen: Seen, progress: Progress, now: float, hold: Hold) -> None:
        self._kept = kept
        self._seen = seen
        self._progress = progress
        self._now = now
        self._hold = hold
        self._by_bank = {one.bank: one for one in seen.maps}
        self._by_client = {one.client: one for one in seen.maps}
        self._leaving = {one.map for one in kept if not one.is_wanted}
        self._verdicts: dict[SlotMap, Verdict] = {}

    def plan(self) -> Plan:
        steps: dict[int, Step] = {}
        gone = []
        order = {CURE: 0, REMOVE: 1, ADD: 2}
        for one in self._kept:
            if not one.is_wanted and one.map not in self._seen.maps:
                gone.append(one.map)
                continue
            step = self._wanted(one) if one.is_wanted else self._unwanted(one.map)
            if step is not None:
                bank = step.map.bank_id
                if bank not in steps or order[step.action] < order[steps[bank].action]:
                    steps[bank] = step
        busy = self._busy_banks()
        ready = tuple(
            step
            for bank, step in sorted(steps.items())
            if (bank not in busy or self._is_stuck(step.map)) and not self._pauses(bank)
        )
        return Plan(ready, self._verdicts, tuple(gone), bool(steps or busy))

    def _unwanted(self, one: SlotMap) -> Step | None:
        state = self._seen.maps[one]
        if state == ACTIVE or (state == NEW and (one.bank_id not in self._seen.banks or self._is_stuck(one))):
            return Step(REMOVE, one)
        self._say(one, "waits", f"it is removed once bank {one.bank_id} has answered the server about it")
        return None

    def _wanted(self, kept: Kept) -> Step | None:
        one = kept.map
        if one not in self._seen.maps:
            return self._missing(kept)
        state = self._seen.maps[one]
        if state == ACTIVE:
            self._check_slots(one)
        elif one.bank_id not in self._seen.banks:
            self._say(one, "waits", f"bank {one.bank_id} is not connected to the server")
        elif state == NEW:
            self._say(one, "waits", f"the server has not told bank {one.bank_id} yet")
            times = self._progress.cures.get(one)
            pause = STUCK_S * 2 ** min(times.count, 5) if times else 0.0
            if self._is_stuck(one) and (times is None or self._now - times.at >= pause):
                return Step(CURE, one)
        elif self._pending_s(one) > SILENT_S:
            self._say(one, "waits", f"bank {one.bank_id} does not answer the server about it")
        else:
            self._say(one, "waits", f"bank {one.bank_id} has been told")
        return None

    def _missing(self, kept: Kept) -> Step | None:
        one, progress = kept.map, self._progress
        if one.bank_id not in self._seen.banks:
            self._say(one, "waits", f"bank {one.bank_id} is not connected to the server")
            return None
        if not self._check_slots(one) or self._is_taken(one):
            return None
        refused = progress.refusals.get(one)
        if refused is not None:
            pause = min(REFUSED_S * 2 ** min(refused.count - 1, 10), LONGEST_REFUSED_S)
            self._say(one, "conflict", "the server refuses it and does not say why; it is tried again now and then")
            if self._now - refused.at < pause:
                return None
        is_restore = kept.was_there and one not in progress.curing
        if is_restore and one not in progress.released and self._is_held(one):
            return None
        return Step(ADD, one, is_restore)

    def _is_held(self, one: SlotMap) -> bool:
        why = self._hold(one)
        if why is not None:
            self._say(one, "held", why)
            return True
        times = self._progress.restores.get(one)
        if times is None:
            return False
        pause = RESTORE_PAUSES_S[min(times.count, len(RESTORE_PAUSES_S) - 1)]
        left = times.at + pause - self._now
        if left <= 0:
            return False
        if times.count >= CONTESTED:
            text = f"it vanished {times.count} times after it was put back: somebody else removes it, or the server"
            self._say(one, "conflict", f"{text} restarts again and again")
        else:
            self._say(one, "held", "it was put back a moment ago, and each time resets the modem; it follows by itself")
        return True

    def _check_slots(self, one: SlotMap) -> bool:
        bank = self._seen.banks.get(one.bank_id)
        if bank is None or one.bank_slot < bank.slots:
            return True
        self._say(one, "conflict", no_such_slot(bank.bank_id, bank.slots))
        return False

    def _is_taken(self, one: SlotMap) -> bool:
        """Whether another map has one of the two slots; said in words unless it is on its way out."""
        for other, what in (
            (self._by_bank.get(one.bank), f"bank slot {place_text(one.bank)}"),
            (self._by_client.get(one.client), f"client {place_text(one.client)}"),
        ):
            if other is None:
                continue
            if other in self._leaving:
                self._say(one, "waits", f"another map of {what} is removed first")
            else:
                self._say(one, "conflict", f"somebody else has mapped {what}: bank slot {other}")
            return True
        return False

    def _busy_banks(self) -> set[int]:
        """Banks that have not taken their last change: no other until they have."""
        ours = {one.map for one in self._kept}
        pending = self._progress.pending
        return {one.bank_id for one in pending if one in ours or self._pending_s(one) < STUCK_S}

    def _pauses(self, bank_id: int) -> bool:
        at = self._progress.removed_at.get(bank_id)
        return at is not None and self._now - at < PAUSE_S

    def _is_stuck(self, one: SlotMap) -> bool:
        moved_at = self._progress.moved_at.get(one.bank_id)
        return self._pending_s(one) >= STUCK_S and (moved_at is None or self._now - moved_at >= STUCK_S)

    def _pending_s(self, one: SlotMap) -> float:
        known = self._progress.pending.get(one)
        return 0.0 if known is None else self._now - known[1]

    def _say(self, one: SlotMap, kind: str, text: str) -> None:
        self._verdicts[one] = Verdict(kind, text)


def no_such_slot(bank_id: int, slots: int) -> str:
    """What is wrong with a slot that a bank does not have."""
    if slots == 0:
        return f"bank {bank_id} has no slots"
    return f"bank {bank_id} has {slots} slots, 0 to {slots - 1}: there is no card, whatever the server says"
