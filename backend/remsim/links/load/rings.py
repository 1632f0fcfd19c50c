"""What a ring gives new flows to: its choices tried in order, with what it has to remember between two looks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace

from remsim.core.routes import ALGORITHMS, CRITERIA, SLOTS, USABLE, Choice, LinkView, RingSpec
from remsim.core.small_dataclass import dataclass
from remsim.links.load import groups, scores, words
from remsim.links.load.balance import LOAD_DRIVEN, Balanced, Reasons, alone, balance
from remsim.links.load.groups import (
    best_tier,
    by_price,
    cheapest_of,
    last_tier,
    of_carrier,
    overage_price,
    price_of,
)
from remsim.links.load.prefer import Preferred
from remsim.links.load.scores import Known
from remsim.links.now import Weight

BLOCKED = (0,) * SLOTS
"""Slots that refuse a flow."""
FAMILIES = (4, 6)
STICKY_S = 30.0
STICKY_SLOTS = 2
"""A ring in which devices keep their link changes by fewer slots than this, or sooner than that, for a dead link only:
each changed slot moves a sixteenth of them."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings say of all rings; ``pages_bps`` is what pages move now, None while there are none."""

    algorithm: str = "adaptive"
    last_resort: str = "keep"
    prefer_low_latency: bool = False
    interactive_link_free: bool = False
    router_country: str = ""
    pages_bps: float | None = None


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a ring gives new flows to: ``slots`` as in RingNow, ``choice`` in words.

    ``is_ordered``: the first slots are the best for the next flows, so a change of order alone is worth a write.
    ``spare`` are slots for flows of IPv4 or IPv6, where links have it but none of those chosen.
    """

    slots: tuple[int, ...]
    links: tuple[LinkView, ...]
    choice: str
    explain: Callable[[], Reasons]
    is_ordered: bool = False
    spare: tuple[int, ...] = ()

    @property
    def written(self) -> tuple[int, ...]:
        """What the kernel is given."""
        return self.slots + self.spare

    def weights(self) -> tuple[Weight, ...]:
        """Every link's part, with the reason, also of those that have none."""
        reasons = self.explain()
        return tuple(
            Weight(one.name, self.slots.count(one.index), *reasons.get(one.index, (None, left_out(one))))
            for one in self.links
        )


@dataclass(slots=True)
class Ring:
    """What is remembered of a ring: what it preferred, which links were full, how its slots lie."""

    spec: RingSpec
    preferred: dict[str, Preferred] = field(default_factory=dict)
    full: set[int] = field(default_factory=set)
    slots: tuple[int, ...] = ()
    changed_at: float = float("-inf")
    families: dict[int, Ring] = field(default_factory=dict)
    """Rings for families that the links it chose do not carry."""

    def choose(self, links: Sequence[LinkView], known: Mapping[int, Known], rules: Rules, at: float) -> Chosen:
        """The slots now (``at`` monotonic)."""
        chosen = self._choose(links, known, rules, at)
        for family in FAMILIES if self.spec.policy is None and any(chosen.slots) else ():
            able = [one for one in links if family in one.families]
            if able and not any(one.index in chosen.slots for one in able):
                ring = self.families.setdefault(family, Ring(self.spec))
                found = ring._choose(able, known, replace(rules, last_resort="unreachable"), at)
                choice = f"{chosen.choice}; IPv{family}: {found.choice}"
                chosen = replace(chosen, choice=choice, spare=chosen.spare + found.slots)
        return chosen

    def _choose(self, links: Sequence[LinkView], known: Mapping[int, Known], rules: Rules, at: float) -> Chosen:
        chosen = self._first_choice(tuple(links), known, rules, at)
        if self.spec.persistence != "none" and any(chosen.slots):
            slots = self._settled(chosen.slots, {one.index for one in links if one.is_usable}, at)
            chosen = replace(chosen, slots=slots, is_ordered=False)
        if chosen.slots != self.slots:
            self.slots, self.changed_at = chosen.slots, at
        return chosen

    def _first_choice(
        self, links: tuple[LinkView, ...], known: Mapping[int, Known], rules: Rules, at: float
    ) -> Chosen:
        missed: list[str] = []
        for choice in self.spec.choices:
            if choice.kind == "next":
                return Chosen((), links, after(missed, "the next policy decides"), dict)
            if choice.kind == "block":
                return Chosen(BLOCKED, links, after(missed, "refused"), dict)
            found = self._links_of(choice, links, known, rules, at)
            if found is not None:
                return made(found, links, after(missed, found.choice))
            missed.append(named(choice))
        if self.spec.policy is not None:
            return Chosen((), links, after(missed, "the next policy decides"), dict)
        group, why = last_tier(links, rules.last_resort)
        if not group:
            return Chosen(() if rules.last_resort == "keep" else BLOCKED, links, why, dict)
        slots = scores.alike(scores.candidates(group, known))
        return made(alone(group, lambda one: "last resort", why, slots), links, why)

    def _links_of(
        self, choice: Choice, links: Sequence[LinkView], known: Mapping[int, Known], rules: Rules, at: float
    ) -> Balanced | None:
        """What a choice gives now; None when it yields no link."""
        klass, kind = self.spec.klass, choice.kind
        if kind == "connection":
            wanted = [one for one in links if one.name == choice.value and (one.is_usable or choice.is_strict)]
            slots = BLOCKED if wanted and wanted[0].device is None else ()
            return alone(wanted, lambda one: "named by the policy", named(choice), slots) if wanted else None
        if kind == "overage":
            works = [one for one in links if one.state in USABLE and one.cap_state != "hard"]
            cheap = cheapest_of(works, overage_price)
            cheap.sort(key=lambda one: (-(one.down_bps or 0.0), one.index))
            return alone(cheap, words.overage, named(choice)) if cheap else None
        group = best_tier(matching(choice, links, rules.router_country))
        if not group:
            return None
        if kind == "prefer":
            return self._prefer(choice, group, known, at)
        algorithm = choice.value if kind == "balance" and choice.value else rules.algorithm
        if rules.prefer_low_latency and klass == "interactive" and algorithm == rules.algorithm:
            algorithm = "latency"
        if rules.interactive_link_free and klass == "bulk" and kind in ("any", "balance"):
            group = without_quickest(group, known)
        is_sticky = self.spec.persistence != "none"
        pages_bps = rules.pages_bps
        found = balance(
            algorithm, group, known, klass=klass, full=self.full, is_sticky=is_sticky, pages_bps=pages_bps
        )
        return found if kind in ("any", "balance") else found.called(f"{named(choice)}: {found.choice}")

    def _prefer(self, choice: Choice, group: Sequence[LinkView], known: Mapping[int, Known], at: float) -> Balanced:
        """The best link, or those that cost the same."""
        criterion = choice.value
        if criterion == "lowest_cost":
            cheap = by_price(group, price_of)[0]
            slots = balance("adaptive", cheap, known, klass=self.spec.klass).slots
            return alone(cheap, words.price, named(choice), slots)
        worse, margin, explain = CRITERIA_NUMBERS[criterion]
        best = self.preferred.setdefault(criterion, Preferred()).best(group, worse, margin, at)
        return alone(group, explain, named(choice), [best.index] * SLOTS)

    def _settled(self, wanted: Sequence[int], usable: set[int], at: float) -> tuple[int, ...]:
        """Slots with as few of them changed as can be, and not often."""
        now = self.slots
        if len(now) != SLOTS or not any(now):
            return tuple(wanted)
        counts = {index: wanted.count(index) for index in set(wanted)}
        differs = max(abs(now.count(index) - counts.get(index, 0)) for index in set(now) | set(counts))
        # A link that takes no new flows leaves at once, and one that is back waits for no more than its time.
        is_sound = all(index in usable or index in counts for index in now)
        if is_sound and (differs < STICKY_SLOTS or at - self.changed_at < STICKY_S):
            return now
        return rearranged(now, counts)


def rearranged(now: Sequence[int], counts: Mapping[int, int]) -> tuple[int, ...]:
    """The slots with these counts that differ in the fewest places."""
    left, slots, open_places = dict(counts), list(now), []
    for place, index in enumerate(now):
        if left.get(index, 0) > 0:
            left[index] -= 1
        else:
            open_places.append(place)
    missing = [index for index, count in sorted(left.items()) for _ in range(count)]
    for place, index in zip(open_places, missing, strict=True):
        slots[place] = index
    return tuple(slots)


def made(found: Balanced, links: tuple[LinkView, ...], choice: str) -> Chosen:
    """The slots of a choice."""
    return Chosen(tuple(found.slots), links, choice, found.explain, found.algorithm in LOAD_DRIVEN)


def left_out(link: LinkView) -> str:
    """Why a link has no part in a ring that does not weigh it."""
    return words.not_used(link) or "not among those chosen"


def matching(choice: Choice, links: Sequence[LinkView], router_country: str) -> list[LinkView]:
    """Links that a choice names."""
    if choice.kind == "carrier":
        return of_carrier(links, choice.value, router_country)
    if choice.kind == "tag":
        return [one for one in links if choice.value in one.tags]
    return list(links)


def without_quickest(group: Sequence[LinkView], known: Mapping[int, Known]) -> list[LinkView]:
    """All but the smallest link on which pages are quick. Of a single link nothing can be left free."""
    if len(group) < 2:
        return list(group)
    kept = scores.quick_when_quiet(scores.candidates(group, known))[0].index
    return [one for one in group if one.index != kept]


def named(choice: Choice) -> str:
    """A choice in words."""
    match choice.kind:
        case "connection":
            return f"{choice.value}{' whatever its state' if choice.is_strict else ''}"
        case "prefer":
            return f"preferred: {CRITERIA[choice.value]}"
        case "carrier":
            return "local carrier" if choice.value == "local" else f"carrier {choice.value}"
        case "tag":
            return f"links tagged {choice.value}"
        case "balance":
            return f"balanced: {ALGORITHMS[choice.value]}" if choice.value else "balanced"
        case "overage":
            return "the cheapest rate above the cap"
        case _:
            return "all links"


def after(missed: Sequence[str], choice: str) -> str:
    """A choice that others were to come before."""
    return f"{choice} (not to be had: {', '.join(missed)})" if missed else choice


CRITERIA_NUMBERS: dict[str, tuple[Callable[[LinkView], float], float, Callable[[LinkView], str]]] = {
    "lowest_latency": (groups.latency, 10.0, words.latency_of),
    "highest_uptime": (groups.missed_percent, 0.05, words.uptime),
    "lowest_loss": (groups.loss, 2.0, words.loss),
    "highest_throughput": (groups.not_free, 500_000.0, words.free_of),
    "most_remaining_data": (groups.not_left, 100e6, words.data_left),
}
"""Of each criterion: a number that is larger for what is worse, the difference that is none, and words for it."""
