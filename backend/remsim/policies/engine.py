"""Keeps policies in force: loads them, opens and closes them as hours and links change, counts what they took."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from remsim.core.clock import Clock
from remsim.core.errors import InvalidInput, RemsimError
from remsim.core.routes import MOST_POLICIES, Program
from remsim.core.small_dataclass import dataclass
from remsim.policies import gates
from remsim.policies.compile import Compiled, CompiledPolicy, compile_set, in_order
from remsim.policies.facts import Facts, Traffic, Wanted
from remsim.policies.language.model import FromFile, Policy, Value, tests_in
from remsim.policies.language.terms import TooManyTerms

log = logging.getLogger(__name__)

RETRY_S = 30.0


@dataclass(frozen=True, slots=True)
class Tapped:
    """Rules that copy packets for learning: of forward, and of postrouting; objects of the table that they name."""

    forward: tuple[str, ...] = ()
    post: tuple[str, ...] = ()
    objects: tuple[str, ...] = ()


class Engine:
    """``traffic`` gives what carries the flows (None while links are off), ``taps`` what learning looks at, ``learn``
    hears what is to be learned once its sets are there, and None when nothing carries flows any more. ``aside`` does
    in another thread what takes its time; False: it has to be asked again. Calls come from any thread, one at a time.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        facts: Callable[[], Facts],
        traffic: Callable[[], Traffic | None],
        numbers: Mapping[str, int],
        taps: Callable[[bool], Tapped],
        learn: Callable[[Sequence[Wanted] | None], None],
        aside: Callable[[Callable[[], None]], bool],
    ) -> None:
        self._clock = clock
        self._facts = facts
        self._traffic = traffic
        self._kept_numbers = dict(numbers)
        self._taps = taps
        self._learn = learn
        self._aside = aside
        self._lock = threading.RLock()
        self._policies: tuple[Policy, ...] = ()
        self._sets: Mapping[str, tuple[Value, ...]] = {}
        self._compiled = Compiled()
        self._gated: list[CompiledPolicy] = []
        self._asks_country = False
        self._named: tuple[str, ...] = ()
        """What policies call the links that they choose."""
        self._files: tuple[str, ...] = ()
        """Files of addresses that sets name."""
        self._given: dict[int, tuple[str, ...]] = {}
        self._steady = gates.Steady()
        self._counted: dict[int, int] = {}
        self._hits: dict[str, int] = {}
        self._seen_world: tuple[object, ...] = ()
        self._retry_at: float | None = None
        self._refused: RemsimError | None = None
        self._remade = 0
        self.state = "off"
        self.problem: RemsimError | None = None

    @property
    def compiled(self) -> Compiled:
        """What is in force, or would be if links were on."""
        return self._compiled

    @property
    def sets(self) -> Mapping[str, tuple[Value, ...]]:
        """Sets of addresses that go with it."""
        return self._sets

    @property
    def numbers(self) -> dict[str, int]:
        """Numbers by name, of gone policies too."""
        return dict(self._kept_numbers)

    def number(self, name: str) -> int | None:
        """A policy's number in marks."""
        return next((one.number for one in self._compiled.policies if one.policy.name == name), None)

    def name(self, number: int) -> str | None:
        """The policy that a number in marks is of."""
        return next((one.policy.name for one in self._compiled.policies if one.number == number), None)

    def put(self, policies: Sequence[Policy], sets: Mapping[str, tuple[Value, ...]]) -> None:
        """Have other policies in force; ``RemsimError`` leaves those that were."""
        with self._lock:
            before = (self._policies, self._sets, self._compiled, dict(self._kept_numbers), self._refused)
            self._policies, self._sets, self._refused = tuple(policies), dict(sets), None
            try:
                self._load()
            except (RemsimError, TooManyTerms):
                self._policies, self._sets, self._compiled, self._kept_numbers, self._refused = before
                raise

    def take(self, policies: Sequence[Policy], sets: Mapping[str, tuple[Value, ...]]) -> None:
        """Have these in force as soon as it can be; what goes wrong is kept as ``problem`` and tried again."""
        with self._lock:
            self._policies, self._sets, self._refused = tuple(policies), dict(sets), None
            self.reload()

    def refuse(self, problem: RemsimError) -> None:
        """Have none in force, because of this."""
        with self._lock:
            self._policies, self._sets, self._refused = (), {}, problem
            self.reload()

    def reload(self) -> None:
        """Load again, as links or lists have changed; what goes wrong is kept as ``problem`` and tried again."""
        with self._lock:
            try:
                self._load()
            except TooManyTerms as error:
                self.state, self.problem = "failed", InvalidInput(str(error), field="text")
                self._retry_at = None
            except RemsimError as error:
                if self.problem is None or self.problem.message != error.message:
                    log.warning("policies cannot be put in force: %s", error.message)
                self.state, self.problem = "failed", error
                self._retry_at = self._clock.monotonic() + RETRY_S

    def look(self) -> None:
        """Open and close what is due; once a second, by the thread that a load waits for: it never waits itself, and
        has others load."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            self._look()
        finally:
            self._lock.release()

    def _look(self) -> None:
        if self._retry_at is not None and self._clock.monotonic() >= self._retry_at:
            self._aside(self.reload)
            return
        self._learn_again()
        if not (self._gated or self._asks_country or self._named or self._files):
            return
        facts = self._facts()
        # What failed is tried again later, not each second: a load of large sets takes long.
        if self._retry_at is None and self._world(facts) != self._seen_world:
            self._aside(self.reload)
            return
        self._refill(self._gated, facts)

    def _learn_again(self) -> None:
        """Sets that lost what was learned get it again."""
        traffic = self._traffic()
        if traffic is None or self.state != "in_force":
            return
        remade, self._remade = self._remade, traffic.remade()
        if remade != self._remade:
            self._learn(self._compiled.wanted)

    def _load(self) -> None:
        facts = self._facts()
        named = (one.name for values in self._sets.values() for one in values if isinstance(one, FromFile))
        files = tuple(dict.fromkeys(named))
        contents = _contents(files, facts)  # before they are used: what comes meanwhile is another load
        self._kept_numbers = assigned(self._policies, self._kept_numbers)
        compiled = compile_set(self._policies, self._sets, facts, self._kept_numbers)
        tapped = self._taps(bool(compiled.wanted))
        program = compiled.program
        program = replace(
            program,
            taps=program.taps + tapped.forward,
            post_taps=program.post_taps + tapped.post,
            objects=program.objects + tapped.objects,
        )
        program = self._steadied(program, compiled, facts)
        traffic = self._traffic()
        if traffic is not None:
            self._count(traffic)
            traffic.load(program)
        self._learn(compiled.wanted if traffic is not None else None)
        self._compiled = replace(compiled, program=program)
        self._gated = [one for one in compiled.policies if one.has_gates]
        self._asks_country = any(_asks_country(one.policy) for one in compiled.policies)
        choices = [choice for one in compiled.policies for choice in one.policy.choices]
        self._named = tuple(dict.fromkeys(one.value for one in choices if one.kind == "connection"))
        self._given = {one.number: one.rules for one in program.policies}
        self._counted = {number: count for number, count in self._counted.items() if number in self._given}
        self._files = files
        self._seen_world = (*self._world(facts)[:-1], contents)
        self._retry_at = None
        self.state = "failed" if self._refused is not None else "off" if traffic is None else "in_force"
        self.problem = self._refused

    def _steadied(self, program: Program, compiled: Compiled, facts: Facts) -> Program:
        """With the rules that are open by figures that have lasted."""
        rules = {one.number: self._rules(one, facts) for one in compiled.policies if one.has_gates}
        policies = tuple(
            replace(one, rules=rules[one.number], is_open=bool(rules[one.number])) if one.number in rules else one
            for one in program.policies
        )
        return replace(program, policies=policies)

    def _rules(self, policy: CompiledPolicy, facts: Facts) -> tuple[str, ...]:
        now = self._clock.monotonic()
        return policy.rules(lambda literal: self._steady.holds(literal, facts, now))

    def _refill(self, gated: Sequence[CompiledPolicy], facts: Facts) -> None:
        wanted = {one.number: self._rules(one, facts) for one in gated}
        changed = {number: rules for number, rules in wanted.items() if self._given.get(number) != rules}
        traffic = self._traffic()
        if not changed or traffic is None:
            return
        try:
            traffic.refill(changed)
        except RemsimError as error:
            log.warning("policies cannot be opened or closed: %s", error.message)
            self._retry_at = self._clock.monotonic() + RETRY_S
            return
        for number, rules in changed.items():
            log.info("policy %s is %s", self.name(number), "open" if rules else "closed")
        self._given.update(changed)

    def rules(self, number: int) -> tuple[str, ...]:
        """The rules of a policy that are in its chain."""
        return self._given.get(number, ())

    def hits(self) -> dict[str, int]:
        """Flows that each policy took since the service began, by name."""
        with self._lock:
            traffic = self._traffic()
            if traffic is not None and self.state == "in_force":
                self._count(traffic)
            return dict(self._hits)

    def _count(self, traffic: Traffic) -> None:
        """Counters begin anew when the table is made anew: only their growth counts."""
        try:
            counters = traffic.counters()
        except RemsimError:
            return
        for one in self._compiled.policies:
            found = counters.get(f"p_{one.number}")
            if found is not None:
                before = self._counted.get(one.number, 0)
                grown = found[0] - before if found[0] >= before else found[0]
                self._hits[one.policy.name] = self._hits.get(one.policy.name, 0) + grown
                self._counted[one.number] = found[0]

    def _world(self, facts: Facts) -> tuple[object, ...]:
        """What rules and rings are made with beside the text."""
        found = (gates.link_of(name, facts.links) for name in self._named)
        names = tuple(None if one is None else one.name for one in found)
        country = facts.router_country if self._asks_country else None
        return (country, names, _contents(self._files, facts))


def _contents(files: Sequence[str], facts: Facts) -> tuple[object, ...]:
    return tuple(facts.files.last(name) for name in files) if facts.files is not None else ()


def _asks_country(policy: Policy) -> bool:
    return any("router_country" in test.values for test in tests_in(policy.match))


def assigned(policies: Sequence[Policy], kept: Mapping[str, int]) -> dict[str, int]:
    """Numbers for all of them by name: the same as before, else one that was never used, else that of the policy that
    went first. Marks of flows under way then name the policy that took them."""
    numbers = dict(kept)
    names = [one.name for one in in_order(policies)]
    for name in names:
        if name in numbers:
            numbers[name] = numbers.pop(name)
    used = set(numbers.values())
    wanted = set(names)
    for name in names:
        if name in numbers:
            continue
        free = next((one for one in range(1, MOST_POLICIES + 1) if one not in used), None)
        if free is None:
            gone = next(one for one in numbers if one not in wanted)
            free = numbers.pop(gone)
        numbers[name] = free
        used.add(free)
    return numbers
