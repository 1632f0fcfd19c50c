"""What is wrong with a text beyond its grammar, and what an admin should know of it before it is in force."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from remsim.core.routes import MOST_POLICIES, Choice, LinkView
from remsim.policies.addresses.files import NoFile
from remsim.policies.addresses.reading import MOST_LINES, AddressFileError
from remsim.policies.facts import Facts
from remsim.policies.gates import link_of
from remsim.policies.language import words
from remsim.policies.language.model import (
    AddressSet,
    Checked,
    FromFile,
    Mac,
    Named,
    Place,
    Policy,
    PolicySet,
    Problem,
    Test,
    Value,
    tests_in,
)
from remsim.policies.language.parser import parse
from remsim.policies.language.printer import choice_text, test_text
from remsim.policies.language.terms import Covers, Term, TooManyTerms, is_impossible, terms_of
from remsim.policies.learning.globs import MOST_GLOBS, is_glob

MOST_COMPARED = 200_000
"""So many pairs of alternatives are compared for shadowed policies; a set with more than that is not looked at."""
ONE_PACKET = {"udp", "rtp", "quic", "icmp", "icmpv6"}
"""Protocols whose first packets differ in size."""
BY_PACKETS = {"dns", "sni", "quic"}
"""Ways that tell a name as it was asked for; dnsmasq knows no wildcards."""
FINAL = ("any", "block", "next")


def check(text: str, facts: Facts | None = None) -> Checked:
    """Read a text and look at what it says. Without facts only at the text."""
    parsed = parse(text)
    return check_set(parsed.set, facts or Facts(are_links_known=False), parsed.problems)


def check_set(
    policy_set: PolicySet, facts: Facts, problems: Sequence[Problem] = (), *, is_kept: bool = False
) -> Checked:
    """Look at what was read. ``problems`` are those of reading it. ``is_kept``: it is in force already, so that a file
    that has gone since is no error."""
    checker = _Checker(policy_set, facts)
    wrong_files, told_files = checker.files(is_kept)
    errors = [*problems, *wrong_files, *checker.errors()]
    is_readable = not problems and checker.is_within_limits
    warnings = [*told_files, *checker.warnings()] if is_readable else told_files
    return Checked(policy_set, _ordered(errors), _ordered(warnings))


def _ordered(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(dict.fromkeys(problems), key=lambda one: (one.line, one.column)))


class _Checker:
    """Looks at one set."""

    def __init__(self, policy_set: PolicySet, facts: Facts) -> None:
        self._set = policy_set
        self._facts = facts
        self._sets: Mapping[str, tuple[Value, ...]] = policy_set.sets
        self._terms: dict[str, tuple[Term, ...]] = {}
        self._asks: dict[str, Callable[[Policy, Test], Iterator[Problem]]] = {
            "link": self._of_link,
            "country": self._of_country,
            "router_country": self._of_router_country,
            "application": self._of_application,
            "domain": self._of_domain,
            "interface": self._of_interface,
            "packet_size": self._of_packet_size,
            "time": self._of_time,
        }

    @property
    def is_within_limits(self) -> bool:
        """Whether a router takes so many policies."""
        return sum(one.is_enabled for one in self._set.policies) <= MOST_POLICIES

    def errors(self) -> Iterator[Problem]:
        """What keeps the set from being put in force."""
        policies = self._set.policies
        enabled = [one for one in policies if one.is_enabled]
        if len(enabled) > MOST_POLICIES:
            at = enabled[MOST_POLICIES].at
            yield _problem(at, f"{len(enabled)} policies: a router takes {MOST_POLICIES}")
        for one in self._set.items:
            if isinstance(one, AddressSet):
                yield from self._unknown_sets(one.values, one.at)
        globs = 0
        for policy in policies:
            for test in tests_in(policy.match):
                yield from _of(policy, self._wrong_values(test))
                globs += sum(is_glob(str(one)) for one in test.values) if test.kind == "domain" else 0
                if globs > MOST_GLOBS:
                    yield _problem(test.at, f"a router looks for at most {MOST_GLOBS} names with wildcards inside")
                    return
            if len(enabled) <= MOST_POLICIES:
                yield from _of(policy, self._too_many(policy))

    def files(self, is_kept: bool) -> tuple[list[Problem], list[Problem]]:
        """Errors and warnings of files of addresses, which are read for it."""
        errors: list[Problem] = []
        warnings: list[Problem] = []
        total = 0
        for one in dict.fromkeys(value for values in self._sets.values() for value in values):
            if not isinstance(one, FromFile):
                continue
            if self._facts.files is None:
                warnings.append(_problem(one.at, f"the file {one.name} is not looked at here"))
                continue
            try:
                found = self._facts.files.read(one.name)
            except AddressFileError as error:
                is_told = is_kept or (isinstance(error, NoFile) and not self._facts.are_files_here)
                (warnings if is_told else errors).append(_problem(one.at, error.message))
                continue
            total += len(found)
            if not len(found):
                warnings.append(_problem(one.at, f"the file {one.name} has no address"))
            if total > MOST_LINES:
                errors.append(_problem(one.at, f"files have more than {MOST_LINES} addresses together"))
                break
        return errors, warnings

    def _wrong_values(self, test: Test) -> Iterator[Problem]:
        yield from self._unknown_sets(test.values, test.at)
        if test.kind == "destination" and any(isinstance(value, Mac) for value in test.values):
            yield _problem(test.at, "a destination has no hardware address here: only devices of the LAN do")

    def _unknown_sets(self, values: Sequence[Value], at: Place) -> Iterator[Problem]:
        for value in values:
            if isinstance(value, Named) and value.name and value.name not in self._sets:
                near = words.closest(value.name, list(self._sets))
                hint = f"; did you mean @{near}?" if near else ""
                yield Problem(at.line, at.column, f"there is no set {value.name}{hint}", tuple(self._sets))

    def _too_many(self, policy: Policy) -> Iterator[Problem]:
        from remsim.policies.compile import rule_count
        from remsim.policies.matches import MOST_RULES, TOO_MANY

        try:
            terms = terms_of(policy.match, self._sets, self._facts.applications)
        except TooManyTerms as error:
            yield _problem(_place(policy, "match"), str(error))
            return
        self._terms[policy.name] = terms
        if rule_count(terms) > MOST_RULES:
            yield _problem(_place(policy, "match"), TOO_MANY)

    def warnings(self) -> Iterator[Problem]:
        """What may not be what was meant."""
        for policy in self._set.policies:
            yield from _of(policy, self._of_policy(policy))
        yield from self._unused_sets()
        yield from self._shadowed()

    def _of_policy(self, policy: Policy) -> Iterator[Problem]:
        yield from self._of_choices(policy)
        for test in tests_in(policy.match):
            if test.kind in words.NEXT_FLOW:
                message = f"{test.kind} holds from the next flow on: the flow that is measured stays where it is"
                yield _problem(test.at, message)
            ask = self._asks.get(test.kind)
            if ask is not None:
                yield from ask(policy, test)
        yield from self._of_terms(policy)

    def _of_choices(self, policy: Policy) -> Iterator[Problem]:
        seen: list[Choice] = []
        for number, choice in enumerate(policy.choices):
            is_fallback = policy.fallback_at is not None and number >= policy.fallback_at
            at = _place(policy, "fallback" if is_fallback else "route")
            if seen and (seen[-1].kind in FINAL or seen[-1].is_strict):
                yield _problem(at, f"{choice_text(choice)} is never tried: {choice_text(seen[-1])} comes before it")
                return
            if choice in seen:
                yield _problem(at, f"{choice_text(choice)} is there twice")
            seen.append(choice)
            yield from self._of_choice(choice.kind, choice.value, at)

    def _of_choice(self, kind: str, value: str, at: Place) -> Iterator[Problem]:
        links = self._facts.links
        if not self._facts.are_links_known:
            return
        if kind == "connection" and link_of(value, links) is None:
            yield self._no_link(value, at)
        elif kind == "tag" and not any(value in link.tags for link in links):
            tags = sorted({tag for link in links for tag in link.tags})
            near = words.closest(value, tags)
            hint = f"; did you mean “{near}”?" if near else ""
            yield Problem(at.line, at.column, f"no link has the tag “{value}”{hint}", tuple(tags))
        elif kind == "carrier" and value != "local" and not any(value.lower() in _carriers(link) for link in links):
            known = sorted({link.carrier for link in links if link.carrier})
            near = words.closest(value, known)
            hint = f"; did you mean “{near}”?" if near else ""
            yield Problem(at.line, at.column, f"no link is of the carrier “{value}” now{hint}", tuple(known))
        elif kind == "carrier" and value == "local" and self._facts.router_country is None:
            yield _problem(at, "which carrier is local is not known yet: the router's country is not")

    def _no_link(self, name: str, at: Place) -> Problem:
        names = [link.name for link in self._facts.links]
        near = words.closest(name, names)
        hint = f"; did you mean “{near}”?" if near else ""
        return Problem(at.line, at.column, f"no link is called “{name}”{hint}", tuple(names))

    def _of_link(self, policy: Policy, test: Test) -> Iterator[Problem]:
        del policy
        if self._facts.are_links_known and link_of(test.subject, self._facts.links) is None:
            yield self._no_link(test.subject, test.at)

    def _of_country(self, policy: Policy, test: Test) -> Iterator[Problem]:
        del policy
        countries = self._facts.countries
        if not self._facts.are_links_known:
            return
        for value in test.values:
            code = self._facts.router_country if value == "router_country" else str(value)
            if code is None:
                yield _problem(test.at, "the router's country is not known yet: nothing matches until it is")
            elif countries is None or not countries.codes():
                yield _problem(test.at, "no list of countries was imported: nothing matches until one is")
                return
            elif code not in countries.codes():
                yield _problem(test.at, f"the list of countries has no addresses of {code}")

    def _of_router_country(self, policy: Policy, test: Test) -> Iterator[Problem]:
        del policy
        if self._facts.are_links_known and self._facts.router_country is None:
            yield _problem(test.at, "the router's country is not known yet: nothing matches until it is")

    def _of_application(self, policy: Policy, test: Test) -> Iterator[Problem]:
        del policy
        known = self._facts.applications
        if known is None:
            return
        for value in test.values:
            if str(value) not in known.names():
                near = words.closest(str(value), list(known.names()))
                hint = f"; did you mean {near}?" if near else ""
                yield _problem(test.at, f"no application is called {value}{hint}")
        yield from self._learned(test)

    def _of_domain(self, policy: Policy, test: Test) -> Iterator[Problem]:
        del policy
        ways = self._facts.names_learned
        globs = [str(one) for one in test.values if is_glob(str(one))]
        if globs and ways is not None and not {*ways} & BY_PACKETS:
            message = f"nothing tells names with wildcards inside, as {globs[0]} is; switch on learn_names"
            yield _problem(test.at, message)
        elif globs:
            which = " and ".join(globs) + (" holds" if len(globs) == 1 else " hold")
            message = f"{which} from the next flow on: the flow that names it stays where it is"
            yield _problem(test.at, message)
        if len(globs) < len(test.values):
            yield from self._learned(test)

    def _learned(self, test: Test) -> Iterator[Problem]:
        ways = self._facts.names_learned
        if ways is None or "dnsmasq" in ways:
            return
        if not ways:
            message = f"{test_text(test)}: nothing tells names here; install dnsmasq-full or switch on learn_names"
        else:
            message = f"{test_text(test)} holds from the next flow on: without dnsmasq-full, flows tell names"
        yield _problem(test.at, message)

    def _of_interface(self, policy: Policy, test: Test) -> Iterator[Problem]:
        del policy
        devices = self._facts.devices
        for value in test.values:
            if devices and value not in devices:
                message = f"no traffic comes in by {value}: LAN devices are {', '.join(devices)}"
                yield Problem(test.at.line, test.at.column, message, devices)

    def _of_packet_size(self, policy: Policy, test: Test) -> Iterator[Problem]:
        protocols = [one for one in tests_in(policy.match) if one.kind == "protocol" and one.operator == "=="]
        if not any({str(value) for value in one.values} <= ONE_PACKET for one in protocols):
            message = "packet_size is that of a flow's first packet, which of TCP is always a short one"
            yield _problem(test.at, message)

    def _of_time(self, policy: Policy, test: Test) -> Iterator[Problem]:
        del policy
        if self._facts.are_links_known and self._facts.now is None:
            yield _problem(test.at, "the clock is not set yet: policies with hours stay closed until it is")

    def _of_terms(self, policy: Policy) -> Iterator[Problem]:
        if not policy.is_enabled or policy.name not in self._terms:
            return
        terms = terms_of(policy.match, self._sets)  # without what applications bring along, which nobody wrote
        impossible = [one for one in terms if is_impossible(one)]
        at = _place(policy, "match")
        if len(impossible) == len(terms):
            yield _problem(at, f"policy {policy.name} never takes a flow: its conditions contradict each other")
        elif impossible:
            both = " and ".join(test_text(one.test) for one in impossible[0] if one.test.kind != "all")
            yield _problem(at, f"one of the alternatives can never hold: {both}")
        if any(one.test.kind == "destination" and Named() in one.test.values for term in terms for one in term):
            yield _problem(at, "flows to the router itself are never led by a policy")

    def _unused_sets(self) -> Iterator[Problem]:
        used = {value.name for policy in self._set.policies for value in _named(policy)}
        for one in self._set.items:
            if isinstance(one, AddressSet):
                used |= {value.name for value in one.values if isinstance(value, Named)}
        for one in self._set.items:
            if isinstance(one, AddressSet) and one.name not in used:
                yield _problem(one.at, f"nothing uses set {one.name}")

    def _shadowed(self) -> Iterator[Problem]:
        from remsim.policies.compile import in_order

        left, covers = MOST_COMPARED, Covers()
        before: list[tuple[Policy, Term]] = []
        for policy in in_order(self._set.policies):
            terms = [one for one in self._terms.get(policy.name, ()) if not is_impossible(one)]
            left -= len(before) * len(terms)
            if left < 0:
                return
            by = [next((other for other, wide in before if covers(wide, term)), None) for term in terms]
            if by and None not in by:
                yield self._shadow(policy, [one for one in by if one is not None])
            if policy.choices[:1] and policy.choices[0].kind != "next":
                before += [(policy, term) for term in terms]

    def _shadow(self, policy: Policy, by: list[Policy]) -> Problem:
        others = list(dict.fromkeys(by))
        names = " and ".join(f"{one.name} ({_whereabouts(one)})" for one in others)
        many = len(others) > 1
        word = "policies" if many else "policy"
        if all(one.choices[-1].kind in FINAL[:2] or one.choices[-1].is_strict for one in others):
            tail = f"is never reached: {word} {names} {'take' if many else 'takes'} all of its flows first"
        else:
            tail = f"is only reached while no link of {word} {names} can be used: its flows are taken first"
        return _problem(policy.at, f"policy {policy.name} {tail}")


def _named(policy: Policy) -> Iterator[Named]:
    for test in tests_in(policy.match):
        yield from (value for value in test.values if isinstance(value, Named))


def _carriers(link: LinkView) -> set[str]:
    return {one.lower() for one in (link.carrier, link.plmn, link.home_plmn) if one}


def _place(policy: Policy, key: str) -> Place:
    return dict(policy.places).get(key, policy.at)


def _whereabouts(policy: Policy) -> str:
    return f"line {policy.at.line}" if policy.at.line else "a section of the configuration"


def _of(policy: Policy, problems: Iterable[Problem]) -> Iterator[Problem]:
    """Problems of a policy, with its name where it is a section: that has no line which would tell."""
    for one in problems:
        yield one if policy.at.line else replace(one, message=f"{policy.name}: {one.message}")


def _problem(at: Place, message: str) -> Problem:
    return Problem(at.line, at.column, message)
