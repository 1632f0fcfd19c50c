"""All rings: what each should have, what the kernel has, and which of them are worth a write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from remsim.core.routes import SLOTS, Choice, LinkView, Program, RingSpec
from remsim.links.load.rings import Chosen, Ring, Rules
from remsim.links.load.scores import Known
from remsim.links.now import RingNow

DEFAULTS = ("interactive", "bulk")
LAZY_S = 2.0
LAZY_WRITES = 8
"""Rings that nobody used since their last write are written again no sooner, and no more of them at once."""


def default_specs(persistence: str) -> tuple[RingSpec, ...]:
    """The rings of flows that no policy takes."""
    return tuple(RingSpec(name, (Choice("any"),), name, persistence) for name in DEFAULTS)


Key = tuple[tuple[Choice, ...], str, str, bool]


def key_of(spec: RingSpec) -> Key:
    """Rings of one key have the same slots, and are worked out once."""
    return (spec.choices, spec.klass, spec.persistence, spec.policy is None)


class Held:
    """What the kernel has of a ring: its slots as written, how many flows took one since, and when that was."""

    __slots__ = ("slots", "taken", "written_at")

    def __init__(self, slots: tuple[int, ...], at: float) -> None:
        self.slots, self.taken, self.written_at = slots, 0, at

    def upcoming(self) -> tuple[int, ...]:
        """The slots in the order in which the next flows take them."""
        at = self.taken % SLOTS
        slots, spare = self.slots[:SLOTS], self.slots[SLOTS:]
        return slots[at:] + slots[:at] + spare


class Rings:
    """The default rings and those of policies."""

    def __init__(self) -> None:
        self._rings: dict[Key, Ring] = {}
        self._chosen: dict[Key, Chosen] = {}
        self._held: dict[str, Held] = {}
        self._all_at = float("-inf")
        self.set(Program(), "none")

    def set(self, program: Program, persistence: str) -> None:
        """Take the rings of a program; what was remembered of rings that stay is kept."""
        self.defaults = default_specs(persistence)
        self._specs: tuple[RingSpec, ...] = (*self.defaults, *(one.ring for one in program.policies))
        self._of_policy = {one.number: one.ring.name for one in program.policies}
        self._rings = {key: self._rings.get(key) or Ring(spec) for spec in self._specs for key in (key_of(spec),)}
        self._chosen = {key: chosen for key, chosen in self._chosen.items() if key in self._rings}

    def arrived(self, flows: Mapping[tuple[int, str | None], int]) -> None:
        """New flows took slots, by policy and class."""
        for (policy, klass), count in flows.items():
            held = self._held.get(self._of_policy.get(policy, klass or "interactive"))
            if held is not None:
                held.taken += count

    def choose(
        self, links: Sequence[LinkView], known: Mapping[int, Known], rules: Rules, at: float, *, is_quick: bool = False
    ) -> None:
        """Work out what each ring should have. ``is_quick``: those that flows take, the others once in two seconds."""
        rings = self._rings
        if is_quick and at - self._all_at < LAZY_S:
            used = {key_of(spec) for spec in self._specs if spec.policy is None or self._is_used(spec.name)}
            rings = {key: self._rings[key] for key in used}
        else:
            self._all_at = at
        self._chosen = self._chosen | {key: ring.choose(links, known, rules, at) for key, ring in rings.items()}

    def _is_used(self, name: str) -> bool:
        held = self._held.get(name)
        return held is None or held.taken > 0

    def slots_like(self, spec: RingSpec) -> tuple[int, ...] | None:
        """What a ring of its choices has; None where there is none. Any thread may ask."""
        chosen = self._chosen.get(key_of(spec))
        return None if chosen is None else chosen.written

    def slots(self) -> dict[str, tuple[int, ...]]:
        """What each should have, by its name."""
        return {spec.name: self._chosen[key_of(spec)].written for spec in self._specs}

    def due(self, at: float, *, is_urgent: bool = False) -> dict[str, tuple[int, ...]]:
        """What is worth writing. ``is_urgent``: links came or went, so every ring whose links changed is."""
        wanted: dict[str, tuple[int, ...]] = {}
        lazy: list[tuple[float, str, tuple[int, ...]]] = []
        for spec in self._specs:
            chosen, held = self._chosen[key_of(spec)], self._held.get(spec.name)
            if held is None or (is_urgent and set(held.slots) != set(chosen.written)):
                wanted[spec.name] = chosen.written
            elif chosen.written != (held.upcoming() if chosen.is_ordered else held.slots):
                if held.taken or spec.policy is None or not chosen.is_ordered:
                    wanted[spec.name] = chosen.written
                elif at - held.written_at >= LAZY_S:
                    lazy.append((held.written_at, spec.name, chosen.written))
        for _, name, slots in sorted(lazy)[:LAZY_WRITES]:
            wanted[name] = slots
        return wanted

    def written(self, slots: Mapping[str, tuple[int, ...]], at: float) -> None:
        """The kernel has these now."""
        for name, one in slots.items():
            self._held[name] = Held(one, at)

    def loaded(self, at: float) -> None:
        """The kernel has all of them, and none else."""
        self._held = {name: Held(slots, at) for name, slots in self.slots().items()}

    def now(self, wall_offset: float, names: Iterable[str] | None = None) -> tuple[RingNow, ...]:
        """What they have, with the reasons. May be called from another thread."""
        chosen, rings, told = self._chosen, self._rings, []
        for spec in self._specs:
            key = key_of(spec)
            if key in chosen and (names is None or spec.name in names):
                one = chosen[key]
                at = max(rings[key].changed_at, 0.0) + wall_offset
                parts = (spec.name, spec.policy, spec.klass, spec.persistence, one.choice, one.slots, one.weights(), at)
                told.append(RingNow(*parts))
        return tuple(told)
