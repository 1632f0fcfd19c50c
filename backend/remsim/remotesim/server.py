"""One remsim-server: looked at now and then, brought to have the slot maps that are wanted, and told of."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from dataclasses import field
from typing import TYPE_CHECKING, Any

from remsim.core.clock import Clock, Moment, iso_utc
from remsim.core.errors import RemsimError
from remsim.core.events import Event
from remsim.core.small_dataclass import dataclass
from remsim.remotesim.maps import Maps
from remsim.remotesim.reconcile import ADD, CURE, Hold, Kept, Plan, Progress, Step, Verdict, plan
from remsim.remotesim.slotmap import ACTIVE, Bank, Seen, SlotMap, place_text

if TYPE_CHECKING:
    from remsim.remotesim.exposure import Warn
    from remsim.remotesim.rest import Rest

log = logging.getLogger(__name__)

SOON_S = 0.02
"""After a change, to see what became of it; twice as long each time nothing has."""
BANKS_S = 1.0
"""How old the list of banks may be while maps are made."""
WAITS_FOR_BANK_S, MOST_WAITS = 2.0, 150
"""How often it is looked for a bank that maps wait for, and so many times; then as often as for anything else."""
ROUND_S = 0.5
"""What one call may take of its thread, besides a request that is answered late."""
LONGEST_BACK_OFF_S = 30.0
TOLD_AFTER_S = 10.0
"""Away for so long, it is worth an event; a restart is shorter."""
MOST_TOLD = 20
"""Maps named in one event."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen, when, and what there is to say of our maps."""

    seen: Seen
    at: Moment
    verdicts: dict[SlotMap, Verdict] = field(default_factory=dict)


class Server:
    """A server by the name of its section. All but ``view``, ``look``, ``release`` and ``poke`` are of one thread."""

    def __init__(
        self,
        name: str,
        url: str,
        *,
        maps: Maps,
        clock: Clock,
        emit: Callable[[Event], None],
        hold: Hold,
        source_of: Callable[[tuple[int, int]], str],
    ) -> None:
        self.name = name
        self.url = url
        self._maps = maps
        self._clock = clock
        self._emit = emit
        self._hold = hold
        self._source_of = source_of
        self._rest: Rest | None = None
        self._ends: tuple[str, str] | None = None
        self._progress = Progress()
        self._due_at = 0.0
        self._poked = object()
        self._full_at = self._banks_at = 0.0
        self._quiet_rounds = 0
        self._last_states: dict[SlotMap, str] = {}
        self._adding: dict[SlotMap, bool] = {}
        self._removed: set[SlotMap] = set()
        self._missing: set[SlotMap] = set()
        self._conflicts: dict[SlotMap, str] = {}
        self._news: dict[str, list[SlotMap]] = {}
        self._away_since: float | None = None
        self._is_told_away = False
        self._was_away = False
        self._released: set[SlotMap] = set()

        self.look: Look | None = None
        self.known_banks: dict[int, Bank] = {}
        self.reachable: bool | None = None
        self.trouble: RemsimError | None = None
        self.since: Moment | None = None
        self.restarted: Moment | None = None
        self.warnings: tuple[Warn, ...] = ()

    def tick(self, period_s: float) -> float:
        """Do what is due; in how many seconds something is again."""
        now = self._clock.monotonic()
        if now >= self._due_at:
            poked = self._poked
            try:
                self._work(period_s)
            except RemsimError as error:
                self._lose(error, period_s)
            if poked is not self._poked:  # meanwhile, perhaps too late for this look
                self._due_at = 0.0
        return max(self._due_at - self._clock.monotonic(), 0.0)

    def poke(self) -> None:
        """Something is wanted: look now."""
        self._poked = object()
        self._due_at = 0.0

    def release(self, ours: Iterable[SlotMap]) -> None:
        """Restore held maps now."""
        self._released = self._released | set(ours)
        self.poke()

    def close(self) -> None:
        """Hang up."""
        if self._rest is not None:
            self._rest.close()

    def view(self) -> dict[str, Any]:
        """The server in ``GET /api/v1/remote-sim``; what was seen last has its age."""
        look = self.look
        trouble = self.trouble
        return {
            "name": self.name,
            "url": self.url,
            "reachable": self.reachable,
            "problem": None if trouble is None else trouble.message,
            "hint": None if trouble is None else trouble.hint,
            "code": None if trouble is None else trouble.code,
            "since": moment_text(self.since),
            "seen_at": None if look is None else moment_text(look.at),
            "age_s": None if look is None else round(max(self._clock.now() - look.at.wall, 0.0), 1),
            "restarted_at": moment_text(self.restarted),
        }

    def _work(self, period_s: float) -> None:
        """Rounds of looking and changing, until nothing is to be done now or the time is up."""
        until = self._clock.monotonic() + ROUND_S
        while True:
            kept = self._maps.of(self.name)  # before the look: what is removed meanwhile is not taken for gone
            seen = self._looked(period_s)
            now = self._clock.monotonic()
            self._progress.observe(seen, now)
            released, self._released = self._released, set()
            for one in released:
                self._progress.release(one)
            found = plan(kept, seen, self._progress, now, self._hold)
            self._take_in(kept, seen, found)
            self._take(found.steps)
            self._due_at = now + self._pause(found, seen, period_s)
            if not found.is_busy:
                self._tell_news()
            if not found.steps or self._clock.monotonic() > until:
                return
            self._clock.sleep(SOON_S)

    def _looked(self, period_s: float) -> Seen:
        """What the server says: the maps each time, the rest when it has become old."""
        rest = self._connected()
        now = self._clock.monotonic()
        before = None if self.look is None else self.look.seen
        maps = rest.maps()
        if before is None or self._was_away or now >= self._full_at:
            seen = Seen(maps, rest.banks(), rest.clients())
            self._full_at, self._banks_at = now + period_s * 0.9, now + BANKS_S
        elif now >= self._banks_at:
            seen = Seen(maps, rest.banks(), before.clients)
            self._banks_at = now + BANKS_S
        else:
            seen = Seen(maps, before.banks, before.clients)
        if rest.ends is not None and rest.ends != self._ends:
            from remsim.remotesim.exposure import warnings_of  # late: only where there is a server

            self._ends = rest.ends
            self.warnings = warnings_of(self.name, *rest.ends)
        return seen

    def _connected(self) -> Rest:
        if self._rest is None:
            from remsim.remotesim.rest import Rest  # late: a router without a server needs none of it

            self._rest = Rest(self.url)
        return self._rest

    def _take_in(self, kept: tuple[Kept, ...], seen: Seen, found: Plan) -> None:
        """Remember and tell what has changed since the last look."""
        self._come_back()
        ours = {one.map for one in kept}
        self._progress.forget(ours)
        before = self.look
        self.look = Look(seen, Moment(self._clock), found.verdicts)
        self.known_banks = {**self.known_banks, **seen.banks}
        there = [one.map for one in kept if one.is_wanted and not one.was_there and one.map in seen.maps]
        self._maps.mark_there(self.name, there)
        self._maps.drop(self.name, found.gone)
        for one in found.gone:
            self._note_news("removed" if one in self._removed else "vanished", one)
        for one in [one for one in self._adding if seen.maps.get(one) == ACTIVE or one not in ours]:
            is_restore = self._adding.pop(one)
            if one in ours:
                self._note_news("restored" if is_restore else "placed", one)
        self._notice_restart(None if before is None else before.seen, seen)
        self._notice_missing(kept, seen, found)
        self._notice_conflicts(found)
        self._removed &= seen.maps.keys()
        self._was_away = False

    def _take(self, steps: Iterable[Step]) -> None:
        """Make the changes, one a bank."""
        rest = self._connected()
        for step in steps:
            from remsim.remotesim.rest import MapRefused

            if step.action == ADD:
                try:
                    rest.add(step.map)
                except MapRefused:
                    self._progress.refuse(step.map, self._clock.monotonic())
                    continue
                self._adding.setdefault(step.map, step.is_restore)
            else:
                self._removed.add(step.map)
                rest.remove(step.map)
                if step.action == CURE:
                    self._note_news("stuck", step.map)
            self._progress.note(step, self._clock.monotonic())

    def _pause(self, found: Plan, seen: Seen, period_s: float) -> float:
        """Until the next look: soon while something is under way, and ever later while nothing comes of it."""
        if found.steps or dict(seen.maps) != self._last_states:
            self._quiet_rounds = 0
        else:
            self._quiet_rounds += 1
        self._last_states = dict(seen.maps)
        if found.is_busy:
            return float(min(SOON_S * 2 ** min(self._quiet_rounds, 20), period_s))
        waits = any(verdict.kind == "waits" for verdict in found.verdicts.values())
        return min(WAITS_FOR_BANK_S, period_s) if waits and self._quiet_rounds < MOST_WAITS else period_s

    def _lose(self, error: RemsimError, period_s: float) -> None:
        """It does not answer: ask less often the longer that lasts, and keep what was seen."""
        now = self._clock.monotonic()
        if self._away_since is None:
            self._away_since = now
            self.reachable, self.since = False, Moment(self._clock)
        away_s = now - self._away_since
        self.trouble = error
        self._was_away = True
        self._due_at = now + min(max(away_s / 8, period_s), LONGEST_BACK_OFF_S)
        if away_s >= TOLD_AFTER_S and not self._is_told_away:
            self._is_told_away = True
            log.warning("remsim-server %s: %s", self.name, error.message)
            self._tell("remsim_server", f"remsim-server {self.name}: {error.message}", "warning", {"action": "lost"})

    def _come_back(self) -> None:
        if self.reachable:
            return
        self.reachable, self.since, self.trouble, self._away_since = True, Moment(self._clock), None, None
        if self._is_told_away:
            self._is_told_away = False
            log.info("remsim-server %s answers again", self.name)
            self._tell("remsim_server", f"remsim-server {self.name} answers again", "info", {"action": "back"})

    def _notice_restart(self, before: Seen | None, seen: Seen) -> None:
        """A server that restarts has forgotten all maps, of whomever, and knows no bank for a while."""
        if before is None:
            return
        had = before.maps.keys() - self._removed
        is_empty = bool(had) and not had & seen.maps.keys()
        lost_banks = bool(before.banks) and not seen.banks
        if is_empty and (len(had) > 1 or lost_banks or self._was_away):
            self.restarted = Moment(self._clock)

    def _notice_missing(self, kept: tuple[Kept, ...], seen: Seen, found: Plan) -> None:
        """Tell once that maps of ours are gone which nobody here has removed."""
        missing = {one.map for one in kept if one.is_wanted and one.was_there and one.map not in seen.maps}
        missing -= self._removed | self._adding.keys() | self._progress.curing
        new = missing - self._missing
        self._missing = missing
        if not new:
            return
        held = sum(one in found.verdicts and found.verdicts[one].kind == "held" for one in new)
        is_restart = self.restarted is not None and self._clock.now() - self.restarted.wall < 1.0
        cause = "has restarted and forgotten" if is_restart else "does not have any more"
        what = maps_text(new)
        text = f"remsim-server {self.name} {cause} {what}; put back one a bank at a time, each resets its modem"
        if held:
            text += f"; {held} held meanwhile"
        log.warning("%s", text)
        action = "restarted" if is_restart else "missing"
        kind = "remsim_server" if is_restart else "slotmap"
        self._tell(kind, text, "warning", {"action": action, "held": held, **told_maps(new)})

    def _notice_conflicts(self, found: Plan) -> None:
        """Tell each conflict once."""
        conflicts = {one: verdict.text for one, verdict in found.verdicts.items() if verdict.kind == "conflict"}
        new = {one: text for one, text in conflicts.items() if self._conflicts.get(one) != text}
        self._conflicts = conflicts
        for one, text in list(new.items())[:MOST_TOLD]:
            data = {"action": "conflict", **told_maps([one])}
            self._tell("slotmap", f"slot map {one}: {text}", "warning", data, self._source_of(one.client))

    def _note_news(self, action: str, one: SlotMap) -> None:
        self._news.setdefault(action, []).append(one)

    def _tell_news(self) -> None:
        """Tell what was done, in one event a kind, now that there is nothing more to do."""
        news, self._news = self._news, {}
        for action, ours in news.items():
            words = f"{maps_text(ours)} {NEWS[action]} at remsim-server {self.name}"
            source = self._source_of(ours[0].client) if len(ours) == 1 else "remsim"
            log.info("%s", words)
            self._tell("slotmap", words, "info", {"action": action, **told_maps(ours)}, source)

    def _tell(
        self, kind: str, message: str, severity: str, data: dict[str, Any], source: str = "remsim"
    ) -> None:
        self._emit(Event(kind, source, self._clock.now(), message, severity, {"server": self.name, **data}))


NEWS = {
    "placed": "in force",
    "restored": "put back",
    "removed": "removed",
    "vanished": "gone before we removed it: a bankd that was not told serves it until it restarts,",
    "stuck": "stuck, and made again,",
}


def maps_text(ours: Iterable[SlotMap]) -> str:
    """One map by its slots, several by their number."""
    several = list(ours)
    return f"slot map {several[0]}" if len(several) == 1 else f"{len(several)} slot maps"


def told_maps(ours: Iterable[SlotMap]) -> dict[str, Any]:
    """Maps as an event tells them."""
    several = sorted(ours)
    if len(several) == 1:
        return {"bank_slot": place_text(several[0].bank), "client_slot": place_text(several[0].client)}
    return {"count": len(several), "bank_slots": [place_text(one.bank) for one in several[:MOST_TOLD]]}


def moment_text(moment: Moment | None) -> str | None:
    """ISO 8601, or None."""
    return None if moment is None else iso_utc(moment.wall)
