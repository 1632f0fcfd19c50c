"""Many rules over many subjects: what is fed is looked at only by the rules it concerns.

Rules on the same value of a subject share a group that knows between which numbers nothing changes for any of them. A
reading within costs one comparison, however many rules there are. What time alone changes waits in a heap.
"""

from __future__ import annotations

import heapq
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import count

from remsim.telemetry.rules.hours import Zone
from remsim.telemetry.rules.rule import Rule, Track, Transition, Value

MOST_SUBJECTS = 256
SPARE = 256
Key = tuple[str, str]
OUTSIDE = "outside its hours"


class Group:
    """The rules on one value of one subject, and the last value."""

    __slots__ = ("high", "is_fed", "low", "measure", "source", "subject", "tracks", "value", "watched")

    def __init__(self, subject: str, source: str, measure: str) -> None:
        self.subject, self.source, self.measure = subject, source, measure
        self.tracks: list[Track] = []
        self.watched: list[Track] = []
        self.value: Value = None
        self.is_fed = False
        self.low = self.high = 0.0

    def settle(self, open_rules: Callable[[Rule], bool]) -> None:
        """Find anew between which numbers nothing changes."""
        self.low, self.high = float("-inf"), float("inf")
        self.watched = [track for track in self.tracks if track.state != "ok"]
        for track in self.tracks:
            if not open_rules(track.rule):
                continue
            between = track.rule.quiet_between(track.is_true)
            if between is None or not track.is_known:
                self.low, self.high = float("inf"), float("-inf")
                return
            self.low, self.high = max(self.low, between[0]), min(self.high, between[1])


class Evaluation:
    """Rules in force and where they stand. One thread at a time; times are the caller's and only rise.

    Feed it what happens; each call gives the transitions it caused. ``due`` says when to call ``advance`` at latest.
    ``hours_at`` tells the wall time, for rules that are looked at in certain hours only.
    """

    def __init__(self, rules: Iterable[Rule] = (), *, zone: Zone = time.localtime) -> None:
        self._zone = zone
        self._rules: dict[str, Rule] = {}
        self._by_key: dict[Key, list[Rule]] = {}
        self._groups: dict[str, dict[Key, Group]] = {}
        self._fed: dict[Key, list[Group]] = {}
        self._tracks: dict[tuple[str, str], Track] = {}
        self._closed: set[str] = set()
        self._minute: int | None = None
        self._wall: float | None = None
        self._heap: list[tuple[float, int, Track]] = []
        self._order = count()
        self.replace(rules, 0.0)

    # --- rules ---

    @property
    def has_hours(self) -> bool:
        """Whether ``hours_at`` needs to be called, each minute."""
        return any(not rule.hours.is_always for rule in self._rules.values())

    def measures(self, source: str) -> tuple[str, ...]:
        """What of a source any rule looks at."""
        return tuple(measure for one, measure in self._by_key if one == source)

    def replace(self, rules: Iterable[Rule], at: float, reason: str = "the rule was changed") -> list[Transition]:
        """Have these rules from now on; where a rule is the same it goes on, the others end and begin anew."""
        new = {rule.name: rule for rule in rules}
        ended: list[Transition] = []
        for (name, _), track in list(self._tracks.items()):
            if new.get(name) != track.rule:
                why = reason if name in new else "the rule was removed or switched off"
                ended += self._end(track, at, why)
                del self._tracks[name, track.subject]
        self._rules, self._by_key = new, {}
        for rule in new.values():
            self._by_key.setdefault((rule.source, rule.measure), []).append(rule)
        self._fed.clear()
        self._closed = self._closed_at(self._wall)
        for groups in self._groups.values():
            for key in [key for key in groups if key not in self._by_key]:
                del groups[key]
            for group in groups.values():
                group.tracks = list(self._tracks_of(group))
                if group.is_fed:
                    ended += self._look(group, at)
        return ended

    def track(self, rule: str, subject: str) -> Track | None:
        """Where a rule stands for a subject; made when there is none yet, None when the rule is not for it."""
        found = self._tracks.get((rule, subject))
        wanted = self._rules.get(rule)
        if found is None and wanted is not None and wanted.subject in (None, subject):
            self._group(subject, wanted.source, wanted.measure)
            found = self._tracks.get((rule, subject))
        return found

    # --- what happens ---

    def feed(self, subject: str, source: str, read: Callable[[str], Value], at: float) -> list[Transition]:
        """Values of a subject: ``read(measure)`` is asked for each that some rule looks at."""
        moved: list[Transition] = []
        for group in self._fed.get((subject, source)) or self._make_groups(subject, source):
            value = read(group.measure)
            before = group.value
            if value == before and group.is_fed:
                continue  # only time can change something, and that has its heap
            if before is not None and isinstance(value, int | float) and group.low < value < group.high:
                group.value = value
                for track in group.watched:
                    track.note(value)
                continue
            moved += self._take(group, value, at)
        return moved

    def feed_one(self, subject: str, source: str, measure: str, value: Value, at: float) -> list[Transition]:
        """One value of a subject, as ``feed``."""
        group = self._group(subject, source, measure) if (source, measure) in self._by_key else None
        if group is None or (value == group.value and group.is_fed):
            return []
        return self._take(group, value, at)

    def count(self, subject: str, source: str, measure: str, at: float) -> list[Transition]:
        """Something happened that rules of ``count_at_least`` count."""
        if (source, measure) not in self._by_key:
            return []
        group = self._group(subject, source, measure)
        moved: list[Transition] = []
        for track in group.tracks if group else ():
            if track.times is not None and track.rule.name not in self._closed:
                track.times.append(at)
                moved += self._counted(track, at)
        return moved

    def unknown(self, subject: str, source: str, at: float, reason: str | None = None) -> list[Transition]:
        """Nothing of a source is known any more. With a ``reason`` alerts on its values end, or else they stay."""
        moved: list[Transition] = []
        for group in self._groups.get(subject, {}).values():
            if group.source != source:
                continue
            if reason is not None:
                for track in group.tracks:
                    if track.rule.comparison != "absent":
                        moved += self._end(track, at, reason)
            moved += self._take(group, None, at)
        return moved

    def forget(self, subject: str, at: float, reason: str) -> list[Transition]:
        """A subject is no more: its alerts end."""
        moved: list[Transition] = []
        self._fed = {key: groups for key, groups in self._fed.items() if key[0] != subject}
        for group in self._groups.pop(subject, {}).values():
            for track in group.tracks:
                moved += self._end(track, at, reason)
                self._tracks.pop((track.rule.name, subject), None)
        return moved

    def subjects(self) -> list[str]:
        """Whom rules were fed of."""
        return list(self._groups)

    def recall(self, subject: str, source: str, measure: str, at: float) -> None:
        """Something happened before a restart; ``recount`` looks at it once all is recalled."""
        group = self._group(subject, source, measure) if (source, measure) in self._by_key else None
        for track in group.tracks if group else ():
            if track.times is not None and track.rule.name not in self._closed:
                track.times.append(at)

    def recount(self, at: float) -> list[Transition]:
        """Count what was recalled: what has enough fires or goes on, and what has not ends."""
        waiting = [track for track in self._tracks.values() if track.times is not None]
        return [moved for track in waiting for moved in self._counted(track, at)]

    # --- time ---

    def due(self) -> float | None:
        """When time alone will change something."""
        while self._heap and self._heap[0][2].due_at != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def advance(self, at: float) -> list[Transition]:
        """What time alone has changed until ``at``, each at its own moment."""
        moved: list[Transition] = []
        while (due := self.due()) is not None and due <= at:
            track = heapq.heappop(self._heap)[2]
            track.due_at = None
            if track.times is not None:
                moved += self._counted(track, due)
            else:
                moved += self._step(track, due, track.advance(due))
                self._settle(track)
        return moved

    def hours_at(self, wall: float, at: float) -> list[Transition]:
        """The clock on the wall: outside its hours a rule is not looked at, and what it had ends."""
        minute = int(wall // 60)
        if minute == self._minute:
            return []
        self._minute, self._wall = minute, wall
        closed = self._closed_at(wall)
        if closed == self._closed:
            return []
        changed, self._closed = closed ^ self._closed, closed
        moved: list[Transition] = []
        for groups in self._groups.values():
            for group in groups.values():
                if not any(track.rule.name in changed for track in group.tracks):
                    continue
                for track in group.tracks:
                    if track.rule.name in closed:
                        moved += self._end(track, at, OUTSIDE)
                        if track.times is not None:
                            track.times.clear()
                moved += self._look(group, at)
        return moved

    # --- within ---

    def _make_groups(self, subject: str, source: str) -> list[Group]:
        found = [self._group(subject, source, measure) for one, measure in self._by_key if one == source]
        groups = [group for group in found if group is not None and group.tracks]
        self._fed[subject, source] = groups
        return groups

    def _group(self, subject: str, source: str, measure: str) -> Group | None:
        if subject not in self._groups and len(self._groups) >= MOST_SUBJECTS:
            return None
        groups = self._groups.setdefault(subject, {})
        key = (source, measure)
        if key not in groups and key in self._by_key:
            groups[key] = Group(subject, source, measure)
            groups[key].tracks = list(self._tracks_of(groups[key]))
            groups[key].settle(self._is_open)
        return groups.get(key)

    def _tracks_of(self, group: Group) -> Iterator[Track]:
        for rule in self._by_key[group.source, group.measure]:
            if rule.subject in (None, group.subject):
                key = (rule.name, group.subject)
                if key not in self._tracks:
                    self._tracks[key] = Track(rule, group.subject)
                yield self._tracks[key]

    def _closed_at(self, wall: float | None) -> set[str]:
        """The rules outside their hours; while the wall time is not told they are looked at."""
        if wall is None:
            return set()
        return {name for name, rule in self._rules.items() if not rule.hours.contain(wall, self._zone)}

    def _is_open(self, rule: Rule) -> bool:
        return rule.name not in self._closed

    def _take(self, group: Group, value: Value, at: float) -> list[Transition]:
        group.value = value
        return self._look(group, at)

    def _look(self, group: Group, at: float) -> list[Transition]:
        """All rules of a group look at its value."""
        group.is_fed = True
        moved: list[Transition] = []
        for track in group.tracks:
            if track.times is None and track.rule.name not in self._closed:
                moved += self._step(track, at, track.observe(group.value, at))
        group.settle(self._is_open)
        return moved

    def _settle(self, track: Track) -> None:
        groups = self._groups.get(track.subject, {})
        group = groups.get((track.rule.source, track.rule.measure))
        if group is not None:
            group.settle(self._is_open)

    def _counted(self, track: Track, at: float) -> list[Transition]:
        """The events of the window, counted; older ones are forgotten."""
        times = track.times
        assert times is not None
        while times and times[0] + track.rule.window_s <= at:
            times.popleft()
        return self._step(track, at, track.observe(len(times), at))

    def _step(self, track: Track, at: float, to: str | None) -> list[Transition]:
        """Note when time will change something, and tell what has changed."""
        due = track.due()
        if track.times and track.is_true:
            leaves = track.times[0] + track.rule.window_s
            due = leaves if due is None else min(due, leaves)
        if due is not None and due != track.due_at:
            heapq.heappush(self._heap, (due, next(self._order), track))
        track.due_at = due
        if len(self._heap) > 2 * len(self._tracks) + SPARE:  # waits that were given up are still in it
            self._heap = [one for one in self._heap if one[2].due_at == one[0]]
            heapq.heapify(self._heap)
        return [] if to is None else [Transition(track, to, at)]

    def _end(self, track: Track, at: float, reason: str) -> list[Transition]:
        state, track.is_known, track.due_at = track.state, False, None
        if state == "ok":
            track.is_true = False
            return []
        to = track.reset("resolved" if state == "firing" else "dropped")
        return [Transition(track, to, at, reason)]
