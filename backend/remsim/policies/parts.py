"""What works behind the desk of policies; loaded once there is a policy, or somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from remsim.config.routing import Routing
from remsim.core.aside import Aside
from remsim.core.clock import Clock, iso_utc
from remsim.core.errors import InvalidInput
from remsim.core.events import Event
from remsim.core.routes import Flow, Program, RingSpec
from remsim.policies import shown
from remsim.policies.changes import Changes, refuse_errors
from remsim.policies.compile import compile_set, in_order, listing
from remsim.policies.engine import Engine
from remsim.policies.explain import explain, judge, taker
from remsim.policies.facts import Facts, FlowFacts, Share, Traffic
from remsim.policies.flow_sample import FlowSample
from remsim.policies.language.checker import check
from remsim.policies.language.model import Checked, FromFile, Value, tests_in
from remsim.policies.language.terms import spelled
from remsim.policies.language.values import dscp_of, ip_of
from remsim.policies.learning.patterns import checked_domain
from remsim.policies.store import Store
from remsim.policies.world import World

STOP_S = 10.0
"""How long a load that is under way may take at the end."""
MOST_SHOWN = 1000
"""Elements of a set that are shown."""
MOST_JUDGED = 40_000
"""Questions to policies in a dry run: of many policies fewer flows are asked."""


class Parts:
    """Joins store, engine, what is known of the world, and the answers of the API."""

    def __init__(
        self,
        *,
        routing: Routing,
        folder: Path,
        data_dir: Path,
        clock: Clock,
        emit: Callable[[Event], None],
        facts: Callable[[], Facts],
        traffic: Callable[[], Traffic | None],
        learns: bool,
    ) -> None:
        self._routing = routing
        self._clock = clock
        self._emit = emit
        self._traffic = traffic
        self._world = World(
            folder, clock=clock, facts=facts, traffic=traffic, learns=learns, settings=routing.globals
        )
        store = Store(folder)
        self._store = store
        self._aside = Aside("policies")
        self._engine = Engine(
            clock=clock,
            facts=self._world.facts,
            traffic=traffic,
            numbers=store.numbers(),
            taps=self._world.taps,
            learn=self._world.learn,
            aside=self._aside.begin,
        )
        self._changes = Changes(
            store, self._engine, clock=clock, emit=emit, facts=self._world.all_facts, aside=self._aside.begin
        )
        self._sample = FlowSample(data_dir / "flow-sample.json")

    def start(self) -> None:
        """Put what is kept in force; again when links are set up later."""
        self._changes.start(self._routing.policies)

    def stop(self) -> None:
        """End; the sample of flows is kept."""
        self._changes.stop()
        self._aside.stop(STOP_S)
        self._world.stop()
        self._sample.close(self._clock.now())

    def configure(self, routing: Routing) -> None:
        """Take changed settings."""
        self._routing, self._world.settings = routing, routing.globals
        self._changes.configure(routing.policies)

    def look(self) -> None:
        """Once a second, by the thread that shares traffic."""
        self._engine.look()

    def tend(self) -> None:
        """Once a second, by another."""
        self._changes.look()
        names = [one.name for values in self._engine.sets.values() for one in values if isinstance(one, FromFile)]
        if not names:
            return
        files = self._world.files
        changed = files.changed(names)
        if changed:
            self._aside.begin(lambda: files.read_again(changed))
        for told in files.news(names):
            self._changes.forget_checked()
            severity = "warning" if "stays in force" in told else "info"
            data = {"actor": "remsim", "what": "addresses"}
            self._emit(Event("policies", "remsim", self._clock.now(), f"policies: {told}", severity, data))

    def links_changed(self) -> None:
        """Load again."""
        self._changes.forget_checked()
        self._engine.reload()

    def saw(self, flows: Sequence[Flow], name_of: Callable[[str], str | None]) -> None:
        """Keep a sample of flows."""
        now = self._clock.now()
        self._sample.saw(flows, name_of, now, self._world.facts().zone)

    def name(self, number: int) -> str | None:
        """The policy of a number."""
        return self._engine.name(number)

    def name_of(self, address: str) -> str | None:
        """The name of an address."""
        return self._world.name_of(address)

    def decide(self, flow: Flow, name: str | None) -> int:
        """The number of the policy that would take a flow. Waits for nobody: the control thread asks."""
        facts = self._world.facts()
        asked = FlowFacts(
            source=flow.source,
            source_port=flow.source_port,
            destination=flow.destination,
            port=flow.destination_port,
            protocol=flow.protocol,
            domain=name,
            is_router=not flow.is_forwarded,
        )
        found = taker([one.policy for one in self._engine.compiled.policies], self._engine.sets, facts, asked)
        return 0 if found is None else self._engine.number(found.name) or 0

    def counts(self) -> list[dict[str, Any]]:
        """What metrics count."""
        hits, engine = self._engine.hits(), self._engine
        names = {one.policy.name: one.number for one in engine.compiled.policies}
        return [
            {"name": name, "hits": hits.get(name, 0), "is_open": bool(engine.rules(number))}
            for name, number in names.items()
        ]

    def view(self) -> dict[str, Any]:
        """All that is in force."""
        changes, engine = self._changes, self._engine
        checked, kept = changes.in_force, changes.kept
        traffic = self._traffic()
        flows = traffic.flows_by_policy() if traffic is not None else {}
        problem = engine.problem
        pending = kept.pending
        return {
            "text": kept.texts.in_force,
            "local": kept.texts.local if kept.texts.source == "remote" else None,
            "version": kept.version,
            "etag": kept.texts.etag,
            "source": kept.texts.source,
            "is_overridden": kept.texts.is_overridden,
            "has_remote": kept.texts.remote is not None,
            "pending": None
            if pending is None
            else {"confirm_by": iso_utc(pending.confirm_by), "version": pending.version},
            "policies": shown.rows_in_force(checked.set, engine, self._world.facts(), flows),
            "warnings": [one.as_dict() for one in checked.warnings],
            "state": engine.state,
            "problem": None
            if problem is None
            else {"code": problem.code, "message": problem.message, "hint": problem.hint},
            "matching": self._world.rungs(),
        }

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
        found = explain(policies, sets, self._world.all_facts(), flow, shares, numbers).as_dict()
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

    def apply(self, text: str, *, source: str, actor: str, etag: str | None, confirm_s: int) -> dict[str, Any]:
        """Put a text in force."""
        self._changes.apply(text, source=source, actor=actor, etag=etag, confirm_s=confirm_s)
        return self.view()

    def confirm(self, actor: str) -> dict[str, Any]:
        """Keep a change."""
        self._changes.confirm(actor)
        return self.view()

    def rollback(self, version: int | None, actor: str) -> dict[str, Any]:
        """Take a change back."""
        self._changes.rollback(version, actor)
        return self.view()

    def override(self, is_overridden: bool, actor: str) -> dict[str, Any]:
        """Local over pushed, or not."""
        self._changes.override(is_overridden, actor)
        return self.view()

    def versions(self) -> list[dict[str, Any]]:
        """What was in force before."""
        current = self._changes.kept.version
        return [
            {
                "n": one.number,
                "at": iso_utc(one.at),
                "actor": one.actor,
                "source": one.what[0] if one.what else "local",
                "policies": int(one.what[1]) if len(one.what) > 1 and one.what[1].isdigit() else None,
                "note": one.what[2] if len(one.what) > 2 else "",
                "is_current": one.number == current,
            }
            for one in self._store.versions()
        ]

    def version(self, number: int) -> dict[str, Any]:
        """One of them with its text."""
        text = self._store.version(number).text
        found = next(one for one in self.versions() if one["n"] == number)
        return {**found, "text": text}

    def vocabulary(self) -> dict[str, Any]:
        """Words for completion."""
        return shown.vocabulary(self._world.facts(), self._sets, self._world.files.names())

    def rungs(self) -> list[dict[str, Any]]:
        """How names are told here."""
        return self._world.rungs()

    def countries(self) -> dict[str, Any]:
        """The list of countries."""
        used = {
            str(value)
            for policy in self._changes.in_force.set.policies
            for test in tests_in(policy.match)
            if test.kind == "country"
            for value in test.values
        }
        here = self._world.facts().router_country
        return self._world.countries_view({here or one if one == "router_country" else one for one in used})

    def import_countries(self, file: BinaryIO, *, source: str, attribution: str, date: str | None) -> dict[str, Any]:
        """Replace the list; policies by country are loaded with it."""
        told = self._world.import_countries(file, source, attribution, date)
        self.links_changed()
        return {**self.countries(), **told}

    def remove_countries(self, actor: str) -> dict[str, Any]:
        """Forget the list."""
        del actor
        self._world.remove_countries()
        self.links_changed()
        return self.countries()

    @property
    def _sets(self) -> Mapping[str, tuple[Value, ...]]:
        return self._changes.in_force.set.sets

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
        country, protocol = asked.get("country"), asked.get("protocol")
        flow = FlowFacts(
            source=source,
            source_mac=asked.get("source_mac") or None,
            destination=destination,
            domain=domain,
            dscp=mark,
            protocol=str(protocol).lower() if protocol else None,
            country=str(country).upper() if country else None,
            application=asked.get("application") or None,
            is_router=True if is_router else False if source is not None else None,
            **{name: asked.get(name) for name in plain},
        )
        return flow, notes


def _shortened(program: Program) -> tuple[Program, str]:
    """A program for a person to read, and what is left out of it: a million addresses take a router's memory."""
    long = {one.name: len(one.elements) - MOST_SHOWN for one in program.sets if len(one.elements) > MOST_SHOWN}
    sets = tuple(
        replace(one, elements=tuple(one.elements[:MOST_SHOWN])) if one.name in long else one for one in program.sets
    )
    told = "".join(f"# {left} elements of set {name} are left out here\n" for name, left in long.items())
    return replace(program, sets=sets), told


def _shares_of(traffic: Traffic) -> Callable[[RingSpec], Sequence[Share]]:
    return traffic.shares


def _with_now(facts: Facts, at: float | None) -> Facts:
    return facts if at is None else replace(facts, now=at)


def _address(asked: Mapping[str, Any], field: str) -> str | None:
    text = asked.get(field)
    if text in (None, "", "router"):
        return None
    try:
        ip_of(str(text))
    except ValueError as error:
        raise InvalidInput(f"{field}: {error}", field=field) from None
    return str(text)


def _checked(checked: Checked) -> dict[str, Any]:
    return {
        "ok": checked.ok,
        "errors": [one.as_dict() for one in checked.errors],
        "warnings": [one.as_dict() for one in checked.warnings],
        "policies": shown.rows(checked.set),
    }

