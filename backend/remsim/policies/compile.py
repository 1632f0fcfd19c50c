"""Policies to a Program for the kernel. Pure; nothing of the text reaches it but numbers, names of our own and words
that were checked letter by letter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace

from remsim.core.routes import POLICY_MASK, POLICY_SHIFT, Choice, PolicyCode, Program, RingSpec, SetCode
from remsim.core.small_dataclass import dataclass
from remsim.policies import gates
from remsim.policies.facts import Facts, Wanted
from remsim.policies.language.model import FromFile, Limit, Policy, Span, Value
from remsim.policies.language.terms import Literal, Term, TooManyTerms, is_impossible, terms_of
from remsim.policies.language.words import NEXT_FLOW
from remsim.policies.matches import MOST_RULES, TOO_MANY, Matches, Unknown, parted

METER = "flags dynamic,timeout; timeout 1m; size 4096;"


@dataclass(frozen=True, slots=True)
class CompiledTerm:
    """Rules that are in the chain while all ``gates`` hold. ``unknown``: why it can never be said to hold now."""

    gates: tuple[Literal, ...]
    rules: tuple[str, ...]
    unknown: str | None = None


@dataclass(frozen=True, slots=True)
class CompiledPolicy:
    """A policy with its number and the alternatives of its condition."""

    policy: Policy
    number: int
    terms: tuple[CompiledTerm, ...]

    @property
    def has_gates(self) -> bool:
        """Whether anything but packets opens or closes it."""
        return any(term.gates for term in self.terms)

    def rules(self, holds: Callable[[Literal], bool | None]) -> tuple[str, ...]:
        """The rules that are in force, given what the daemon knows."""
        return tuple(rule for term in self.terms if all(holds(gate) for gate in term.gates) for rule in term.rules)


@dataclass(frozen=True, slots=True)
class Compiled:
    """A program, what has to be learned for it, and what opens and closes its policies."""

    program: Program = field(default_factory=Program)
    policies: tuple[CompiledPolicy, ...] = ()
    wanted: tuple[Wanted, ...] = ()


def in_order(policies: Iterable[Policy]) -> list[Policy]:
    """Those that are asked, in the order in which they are."""
    return sorted((one for one in policies if one.is_enabled), key=lambda one: one.priority)


def compile_set(
    policies: Iterable[Policy],
    sets: Mapping[str, tuple[Value, ...]],
    facts: Facts,
    numbers: Mapping[str, int] | None = None,
) -> Compiled:
    """All policies that are enabled. ``numbers`` by name; without them they are counted.

    Raises ``TooManyTerms`` (a ``ValueError``), which checking the text finds before.
    """
    matches = Matches(facts)
    compiled: list[CompiledPolicy] = []
    codes: list[PolicyCode] = []
    meters: list[SetCode] = []
    for place, policy in enumerate(in_order(policies), 1):
        number = place if numbers is None else numbers[policy.name]
        terms = terms_of(policy.match, sets, facts.applications)
        found = CompiledPolicy(policy, number, tuple(_terms(terms, number, matches)))
        rules = found.rules(lambda literal: gates.holds(literal, facts))
        ring = ring_of(policy, number, facts)
        forward, more = _limits(policy.limits, number)
        meters += more
        compiled.append(found)
        is_own = any("fib saddr type local" in rule for term in found.terms for rule in term.rules)
        marks = _marks(policy, number)
        codes.append(PolicyCode(number, policy.name, rules, ring, bool(rules), marks, forward, is_own))
    program = Program(tuple(codes), (*matches.sets, *meters), matches.taps)
    return Compiled(program, tuple(compiled), matches.wanted)


def rule_count(terms: Iterable[Term]) -> int:
    """At most how many rules some alternatives make, also in between; needs no facts."""
    total = most = 0
    for term in terms:
        both, four, six = 1, 0, 0
        for literal in sorted(term, key=lambda one: one.test.kind not in ("protocol", "port", "source_port")):
            if gates.is_gate(literal):
                continue
            of_both, of_four, of_six = _options(literal)
            four, six = four * (of_both + of_four) + both * of_four, six * (of_both + of_six) + both * of_six
            both *= of_both
            most = max(most, both + four + six)
        total += both + four + six
    return max(most, total)


def _options(literal: Literal) -> tuple[int, int, int]:
    """How many matches a test becomes: of either family, of IPv4, of IPv6."""
    test, is_negated = literal.test, literal.is_negated
    if test.kind in ("source", "destination"):
        has_file = any(isinstance(one, FromFile) for one in test.values)
        four, six = (
            has_file or any(isinstance(one, Span) and one.family == family for one in test.values) for family in (4, 6)
        )
        others = len({type(one) for one in test.values} - {Span, FromFile})
        if is_negated:
            return (0, 1, 1) if four or six else (1, 0, 0)
        return others, int(four), int(six)
    if test.kind == "country":
        return (0, 1, 1) if is_negated else (0, len(test.values), len(test.values))
    if test.kind in ("domain", "application"):
        return (0, 2, 2) if is_negated else (0, 1, 1)
    if test.kind in ("dscp", *NEXT_FLOW):
        return int(is_negated and test.kind != "dscp"), 1, 1
    if test.kind == "packet_size" and not is_negated:
        return len(parted(test)), 0, 0
    return (2 if is_negated and test.kind in ("port", "source_port") else 1), 0, 0


def ring_of(policy: Policy, number: int, facts: Facts) -> RingSpec:
    """Where its flows go. Links are named by their section, whatever the text calls them."""
    choices = tuple(_by_section(one, facts) for one in policy.choices)
    return RingSpec(f"p_{number}", choices, policy.klass_of, policy.persistence or "none", policy.name)


def _by_section(choice: Choice, facts: Facts) -> Choice:
    if choice.kind != "connection":
        return choice
    link = gates.link_of(choice.value, facts.links)
    return choice if link is None else replace(choice, value=link.name)


def _terms(terms: Sequence[Term], number: int, matches: Matches) -> Iterable[CompiledTerm]:
    count = 0
    for term in terms:
        if is_impossible(term):
            continue
        asked = tuple(one for one in term if gates.is_gate(one))
        try:
            found = matches.rules([one for one in term if not gates.is_gate(one)])
        except Unknown as unknown:
            yield CompiledTerm(asked, (), str(unknown))
            continue
        count += len(found)
        if count > MOST_RULES:
            raise TooManyTerms(TOO_MANY)
        yield CompiledTerm(asked, tuple(f"{one} goto pick_{number}".lstrip() for one in found))


def is_of(number: int) -> str:
    """Matches packets of flows that a policy has taken."""
    return f"ct mark & {POLICY_MASK:#010x} == {number << POLICY_SHIFT:#010x}"


def _marks(policy: Policy, number: int) -> tuple[str, ...]:
    rules: list[str] = []
    if policy.dscp is not None:
        rules += [f"meta nfproto ipv4 {is_of(number)} ip dscp set {policy.dscp:#04x}"]
        rules += [f"meta nfproto ipv6 {is_of(number)} ip6 dscp set {policy.dscp:#04x}"]
    if policy.queue is not None:
        rules.append(f"{is_of(number)} meta priority set {policy.queue}")
    return tuple(rules)


def _limits(limits: tuple[Limit, ...], number: int) -> tuple[tuple[str, ...], list[SetCode]]:
    """Rules that drop what is beyond; a limit without a direction is one for each."""
    rules: list[str] = []
    meters: list[SetCode] = []
    for limit in limits:
        burst = min(max(limit.octets_per_s // 4, 32768), 2**31)
        rate = f"limit rate over {limit.octets_per_s} bytes/second burst {burst} bytes"
        for way in ("download", "upload") if limit.way == "both" else (limit.way,):
            is_down = way == "download"
            of = f"{is_of(number)} ct direction {'reply' if is_down else 'original'}"
            if not limit.is_each_device:
                rules.append(f"{of} {rate} drop")
                continue
            for family, ip in ((4, "ip"), (6, "ip6")):
                name = f"l_{number}_{'down' if is_down else 'up'}{family}"
                key = f"{ip} {'daddr' if is_down else 'saddr'}"
                meters.append(SetCode(name, f"type ipv{family}_addr; {METER}", is_learned=True))
                rules.append(f"meta nfproto ipv{family} {of} update @{name} {{ {key} {rate} }} drop")
    return tuple(rules), meters


def listing(program: Program) -> str:
    """Sets and policies as nft text for a person; the table around them is the links' part."""
    lines = []
    for one in program.sets:
        elements = f" elements = {{ {', '.join(one.elements)} }}" if one.elements else ""
        lines.append(f"set {one.name} {{ {one.declaration}{elements} }}")
    for policy in program.policies:
        lines += [f"chain p_{policy.number} {{  # {policy.name}", *(f"\t{rule}" for rule in policy.rules), "}"]
    for hook, rules in (
        ("forward", (*program.taps, *(rule for one in program.policies for rule in one.forward))),
        ("postrouting", (*(rule for one in program.policies for rule in one.post), *program.post_taps)),
    ):
        if rules:
            lines += [f"chain {hook} {{", *(f"\t{rule}" for rule in rules), "}"]
    return "\n".join([*lines, ""])
