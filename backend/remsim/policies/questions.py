"""Questions to policies, of a text or of what is in force: nothing is changed by them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from remsim.core.clock import Clock
from remsim.core.errors import InvalidInput
from remsim.core.routes import Program, RingSpec
from remsim.policies import shown
from remsim.policies.changes import Changes, refuse_errors
from remsim.policies.compile import compile_set, in_order, listing
from remsim.policies.engine import Engine
from remsim.policies.explain import explain
from remsim.policies.facts import Facts, FlowFacts, Share, Traffic
from remsim.policies.flow_sample import FlowSample
from remsim.policies.judging import judge
from remsim.policies.language.checker import check
from remsim.policies.language.model import Checked, Mac
from remsim.policies.language.terms import spelled
from remsim.policies.language.values import address_of, dscp_of, ip_of
from remsim.policies.language.words import HEURISTICS, PROTOCOLS, closest
from remsim.policies.learning.patterns import checked_domain
from remsim.policies.world import World

MOST_SHOWN = 1000
"""Elements of a set that are shown."""
MOST_JUDGED = 40_000
"""Questions to policies in a dry run: of many policies fewer flows are asked."""


class Questions:
    """Answers with the objects of the API."""

    def __init__(
        self,
        engine: Engine,
        changes: Changes,
        world: World,
        sample: FlowSample,
        *,
        clock: Clock,
        traffic: Callable[[], Traffic | None],
    ) -> None:
        self._engine, self._changes, self._world, self._sample = engine, changes, world, sample
        self._clock, self._traffic = clock, traffic

    def check(self, text: str) -> dict[str, Any]:
        """What is wrong with a text."""
        return _checked(check(text, self._world.all_facts()))

    def compile(self, text: str | None) -> dict[str, Any]:
        """The table a text makes."""
        program = self._engine.compiled.program
        if text is not None:
            checked = self._sound(text)
            program = compile_set(checked.set.policies, checked.set.sets, self._world.facts()).program
        traffic = self._traffic()
        program, told = _shortened(program)
        return {"nft": told + (listing(program) if traffic is None else traffic.text_of(program))}

    def explain(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Why a flow goes where."""
        text = asked.get("text")
        checked = self._changes.in_force if text is None else self._sound(str(text))
        flow, notes = self._flow_of(asked)
        numbers = None if text is not None else {one.policy.name: one.number for one in self._engine.compiled.policies}
        traffic = self._traffic()
        shares = None if traffic is None else _shares_of(traffic)
        policies, sets = checked.set.policies, checked.set.sets
        resolver_of = traffic.resolver_of if traffic is not None else lambda address: None
        facts = self._world.all_facts()
        found = explain(policies, sets, facts, flow, shares, numbers, resolver_of).as_dict()
        if traffic is None:
            notes.append("links are off: which would carry it is not known")
        return {**found, "notes": [*notes, *found["notes"]]}  # type: ignore[misc]

    def dry_run(self, text: str) -> dict[str, Any]:
        """What a text would have taken of the flows that were kept."""
        facts = self._world.facts()
        checked = check(text, facts)
        found = _checked(checked)
        day, flows = self._sample.flows(self._clock.now(), facts.zone)
        if not checked.ok or not flows:
            return {**found, "flows": 0, "day": None, "unmatched_percent": None, "note": None}
        policies = [
            (one.name, spelled(one.match, checked.set.sets, facts.applications), one.choices[0].kind == "next")
            for one in in_order(checked.set.policies)
        ]
        flows = flows[: max(100, MOST_JUDGED // max(1, len(policies)))]
        matched: dict[str, int] = {}
        unknown: dict[str, int] = {}
        for flow in flows:
            at = _with_now(facts, flow.at)
            for name, plain, is_next in policies:
                result = judge(plain, at, flow)[0]
                if result == "matches":
                    matched[name] = matched.get(name, 0) + 1
                    if not is_next:
                        break
                elif result == "unknown":
                    unknown[name] = unknown.get(name, 0) + 1
        for one in found["policies"]:
            one["would_match"] = matched.get(one["name"], 0)
            one["would_match_percent"] = round(100 * matched.get(one["name"], 0) / len(flows), 1)
            one["unknown_percent"] = round(100 * unknown.get(one["name"], 0) / len(flows), 1)
        taken = sum(matched.get(name, 0) for name, _, is_next in policies if not is_next)
        left = round(100 * (len(flows) - taken) / len(flows), 1)
        note = f"A sample of the flows of {day}, asked as if links were what they are now."
        return {**found, "flows": len(flows), "day": day, "unmatched_percent": left, "note": note}

    def _sound(self, text: str) -> Checked:
        """A text without errors; ``InvalidInput``."""
        checked = check(text, self._world.all_facts())
        refuse_errors(checked)
        return checked

    def _flow_of(self, asked: Mapping[str, Any]) -> tuple[FlowFacts, list[str]]:
        """What is asked about, and what was filled in."""
        notes: list[str] = []
        source, destination = _address(asked, "source"), _address(asked, "destination")
        is_router = bool(asked.get("is_router")) or asked.get("source") == "router"
        domain = asked.get("domain") or None
        if domain is not None:
            domain = checked_domain(str(domain))
        elif destination is not None and (domain := self._world.name_of(destination)) is not None:
            notes.append(f"{destination} was last known as {domain}")
        if destination is None and domain is not None and (seen := self._world.addresses_of(domain)):
            destination = seen[0]
            notes.append(f"{domain} was last seen at {destination}")
        dscp = asked.get("dscp")
        try:
            mark = None if dscp in (None, "") else dscp_of(str(dscp))
        except ValueError as error:
            raise InvalidInput(str(error), field="dscp") from None
        plain = ("source_port", "port", "interface", "packet_size", "flow_size", "download_rate", "upload_rate", "at")
        country, protocol = asked.get("country"), _protocol(asked)
        flow = FlowFacts(
            source=source,
            source_mac=_mac(asked),
            destination=destination,
            domain=domain,
            dscp=mark,
            protocol=protocol,
            country=str(country).upper() if country else None,
            application=self._application(asked),
            is_router=True if is_router else False if source is not None else None,
            **{name: asked.get(name) for name in plain},
        )
        return flow, notes

    def _application(self, asked: Mapping[str, Any]) -> str | None:
        name, known = str(asked.get("application") or ""), self._world.facts().applications
        if name and known is not None and known.get(name) is None:
            near = closest(name, list(known.names()))
            hint = f"There is {near}." if near else None
            raise InvalidInput(f"nothing is known of an application {name[:40]!r}", field="application", hint=hint)
        return name or None


def _shortened(program: Program) -> tuple[Program, str]:
    """A program for a person to read, and what is left out of it: a million addresses take a router's memory."""
    long = {one.name: len(one.elements) - MOST_SHOWN for one in program.sets if len(one.elements) > MOST_SHOWN}
    sets = tuple(
        replace(one, elements=tuple(one.elements[:MOST_SHOWN])) if one.name in long else one for one in program.sets
    )
    told = "".join(f"# {left} elements of set {name} are left out here\n" for name, left in long.items())
    return replace(program, sets=sets), told


def _shares_of(traffic: Traffic) -> Callable[[RingSpec, int | None], Sequence[Share] | None]:
    return traffic.shares


def _with_now(facts: Facts, at: float | None) -> Facts:
    return facts if at is None else replace(facts, now=at)


def _protocol(asked: Mapping[str, Any]) -> str | None:
    name = str(asked.get("protocol") or "").lower()
    if name in HEURISTICS:
        return "udp"
    if name and name not in PROTOCOLS and not (name.isascii() and name.isdigit() and int(name) <= 255):
        hint = f"say a number or one of {', '.join(PROTOCOLS)}"
        raise InvalidInput(f"protocol: there is none called {name}", field="protocol", hint=hint)
    return name or None


def _address(asked: Mapping[str, Any], field: str) -> str | None:
    text = asked.get(field)
    if text in (None, "", "router"):
        return None
    try:
        ip_of(str(text))
    except ValueError as error:
        raise InvalidInput(f"{field}: {error}", field=field) from None
    return str(text)


def _mac(asked: Mapping[str, Any]) -> str | None:
    text = asked.get("source_mac")
    if text in (None, ""):
        return None
    try:
        found = address_of(str(text))
    except ValueError:
        found = None
    if not isinstance(found, Mac):
        raise InvalidInput(f"source_mac: “{text}” is no hardware address", field="source_mac")
    return found.address


def _checked(checked: Checked) -> dict[str, Any]:
    return {
        "ok": checked.ok,
        "errors": [one.as_dict() for one in checked.errors],
        "warnings": [one.as_dict() for one in checked.warnings],
        "policies": shown.rows(checked.set),
    }
