"""Whom a link asks next, and how. Pure."""

from __future__ import annotations

from remsim.core.small_dataclass import dataclass
from remsim.links.probes.plan import KINDS, ProbePlan
from remsim.outbound.target import Target

PORTS = {"icmp": 0, "dns": 53, "tcp": 443, "http": 80}
ROUND = 3
"""Probes to one target, then the next one's turn."""
CHOICE_S = 1.0
"""After the first answer of any kind a better kind has so long to be answered too."""
FILTERED_S = 15.0
LAST_RESORT = 6
"""Probes without an answer after which HTTP, the dearest kind, is tried too."""
BENCH_LOST, BENCH_S, UNREACHABLE_S = 3, 60.0, 10.0


@dataclass(slots=True)
class Place:
    """A target with what became of it."""

    target: Target
    lost: int = 0
    lost_since: float = 0.0
    benched_until: float = 0.0


class Choice:
    """A target's turn is over after three probes, or when one is lost. One that never answers while others do, or that
    cannot be reached, is left out for a while. The kind is the first that is answered and is kept; while a link is
    odd the others are asked between, for it may be the kind alone that fails."""

    def __init__(self, plan: ProbePlan, kind: str | None = None) -> None:
        self._places = [Place(one) for one in plan.targets]
        self._kinds: tuple[str, ...] = KINDS if plan.kind == "auto" else (plan.kind,)
        self.kind = kind if kind in self._kinds else None
        if len(self._kinds) == 1:
            self.kind = self._kinds[0]
        self._turn = self._asked = self._tried = self._unanswered = 0
        self._answers: dict[str, float] = {}
        self._first_answer_at = 0.0

    def next(self, at: float, *, is_odd: bool) -> Target:
        """Whom to ask now."""
        if is_odd or self._asked >= ROUND:
            self._turn += 1
            self._asked = 0
        self._asked += 1
        self._unanswered += 1
        place = self._open_place(at)
        if place.target.method != "auto":
            return place.target
        method = self._method(is_odd)
        return Target(method, place.target.host, PORTS[method])

    def answered(self, target: Target, at: float) -> None:
        """One was answered."""
        self._unanswered = 0
        if not self._answers:
            self._first_answer_at = at
        self._answers[target.method] = at
        for place in self._places:
            if place.target.host == target.host:
                place.lost, place.benched_until = 0, 0.0
        if self.kind is None:
            best = next(kind for kind in (*KINDS, target.method) if kind in self._answers)
            if best == KINDS[0] or at - self._first_answer_at >= CHOICE_S:
                self.kind = best
        elif len(self._kinds) > 1 and at - self._answers.setdefault(self.kind, at) > FILTERED_S:
            self.kind = target.method  # the old one is filtered: the link is not dead

    def lost(self, target: Target, at: float) -> None:
        """One was not answered."""
        self._asked = ROUND
        for place in self._places:
            if place.target.host == target.host:
                place.lost += 1
                if place.lost == 1:
                    place.lost_since = at
                if place.lost >= BENCH_LOST and max(self._answers.values(), default=0.0) > place.lost_since:
                    place.benched_until = at + BENCH_S

    def unreachable(self, target: Target, at: float) -> None:
        """The kernel has no way to one, such as to IPv6 where the link has none."""
        self._asked = ROUND
        for place in self._places:
            if place.target.host == target.host:
                place.benched_until = at + UNREACHABLE_S

    def forbidden(self, kind: str) -> bool:
        """This program may not ask in this kind; False when no other is left."""
        left = tuple(one for one in self._kinds if one != kind)
        if not left:
            return False
        self._kinds = left
        self.kind = left[0] if len(left) == 1 else None if self.kind == kind else self.kind
        return True

    def _open_place(self, at: float) -> Place:
        places = self._places
        for offset in range(len(places)):
            place = places[(self._turn + offset) % len(places)]
            if place.benched_until <= at:
                self._turn += offset
                return place
        return places[self._turn % len(places)]

    def _method(self, is_odd: bool) -> str:
        if len(self._kinds) == 1:
            return self._kinds[0]
        self._tried += 1
        cheap = [kind for kind in self._kinds if kind != KINDS[-1] or self._unanswered > LAST_RESORT]
        if self.kind is None:
            return cheap[(self._tried - 1) % len(cheap)]
        if not is_odd or self._tried % 2:
            return self.kind
        others = [kind for kind in cheap if kind != self.kind]
        return others[self._tried // 2 % len(others)]
