"""What works behind the desk of policies; loaded once there is a policy, or somebody asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from remsim.config.routing import Routing
from remsim.core.aside import Aside
from remsim.core.clock import Clock, iso_utc
from remsim.core.events import Event
from remsim.core.routes import Flow
from remsim.policies import shown
from remsim.policies.changes import Changes
from remsim.policies.engine import Engine
from remsim.policies.facts import Facts, FlowFacts, Traffic
from remsim.policies.flow_sample import FlowSample
from remsim.policies.language.model import FromFile, Value, tests_in
from remsim.policies.store import Store
from remsim.policies.world import World

if TYPE_CHECKING:
    from remsim.policies.questions import Questions

STOP_S = 10.0
"""How long a load that is under way may take at the end."""


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

    @cached_property
    def questions(self) -> Questions:
        """Loaded when somebody asks one: traffic needs none."""
        from remsim.policies.questions import Questions

        return Questions(
            self._engine, self._changes, self._world, self._sample, clock=self._clock, traffic=self._traffic
        )

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
        """The number of the policy that would take a flow. Waits for nobody: the control thread of a simulated router
        asks."""
        from remsim.policies.judging import taker

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
