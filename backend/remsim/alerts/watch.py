"""What the router publishes, as the evaluation takes it: readings, states, events; other values are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from remsim.alerts.alert import ROUTER
from remsim.core.bus import Numbered
from remsim.core.events import Event
from remsim.core.reading import ModemReading
from remsim.core.small_dataclass import dataclass
from remsim.telemetry.quality import quality_of
from remsim.telemetry.rules.evaluation import Evaluation
from remsim.telemetry.rules.rule import Transition, Value

STATE_KINDS = ("connect", "disconnect", "state", "error", "recovered", "vanished", "appeared", "reboot")
"""Events that may say in ``to`` which state a modem is in from now on."""
PASSING = "starting"
"""A state on the way to another one: a rule that does not name it goes on as before."""
UNHEARD = ("gone", "rebooting", "boot", "not_answering", "failed", "port_busy", "paused", "starting")
"""States in which a modem gives no readings."""
GONE = "the modem is gone"
FORGOTTEN = "the modem was forgotten"
PERIOD_S = {"router": 10.0, "usage": 60.0}
"""How often values that nobody publishes are asked for."""
Values = Callable[[], Mapping[str, Value]]
Usage = Callable[[], Mapping[str, Mapping[str, Value]]]


@dataclass(frozen=True, slots=True)
class Sources:
    """Where what is not published comes from.

    ``states`` are the modems there are and their states; ``router`` the router's own values; ``usage`` values by modem.
    """

    states: Callable[[], Mapping[str, str]]
    router: Values
    usage: Usage


class Watch:
    """Feeds one evaluation. Times are monotonic."""

    def __init__(self, evaluation: Evaluation, sources: Sources) -> None:
        self._evaluation = evaluation
        self._sources = sources
        self._named_states: frozenset[str] = frozenset()
        self._ask_at = dict.fromkeys(PERIOD_S, 0.0)

    def rules_changed(self, named_states: frozenset[str]) -> None:
        """The evaluation has other rules, which name these states."""
        self._named_states = named_states
        self._ask_at = dict.fromkeys(PERIOD_S, 0.0)

    @property
    def is_idle(self) -> bool:
        """Whether nothing of what is published concerns any rule."""
        return not any(self._evaluation.measures(source) for source in ("measure", "state", "event"))

    def take(self, message: Any, now: float) -> list[Transition]:
        """A message of the bus."""
        if isinstance(message, Numbered):
            return self._reading(message.reading, now)
        if isinstance(message, Event):
            return self._event(message, now)
        return []

    def due(self) -> float | None:
        """When values are to be asked for."""
        return min((self._ask_at[source] for source in PERIOD_S if self._evaluation.measures(source)), default=None)

    def wanted(self, now: float) -> list[str]:
        """The sources to ask now."""
        found = [one for one in PERIOD_S if self._evaluation.measures(one) and self._ask_at[one] <= now]
        self._ask_at |= {source: now + PERIOD_S[source] for source in found}
        return found

    def ask(self, sources: list[str]) -> dict[str, Mapping[str, Mapping[str, Value]]]:
        """The values of sources, by subject. It may take a moment, so nobody should have to wait meanwhile."""
        found: dict[str, Mapping[str, Mapping[str, Value]]] = {}
        if "router" in sources:
            found["router"] = {ROUTER: self._sources.router()}
        if "usage" in sources:
            found["usage"] = self._sources.usage()
        return found

    def asked(self, found: Mapping[str, Mapping[str, Mapping[str, Value]]], now: float) -> list[Transition]:
        """Look at the values that were asked for; who has none any more is unknown."""
        moved: list[Transition] = []
        for source, by_subject in found.items():
            for subject, values in by_subject.items():
                moved += self._evaluation.feed(subject, source, values.get, now)
            for subject in self._evaluation.subjects():
                if subject not in by_subject:
                    moved += self._evaluation.unknown(subject, source, now)
        return moved

    def states(self, now: float) -> list[Transition]:
        """The states of all modems, as they are: at the start, after messages were lost, with new rules."""
        moved: list[Transition] = []
        for modem, state in self._sources.states().items():
            moved += self._state(modem, state, now)
        return moved

    def missing(self, subjects: Iterable[str], now: float) -> list[Transition]:
        """Subjects that are no modems of this router (any more, since a restart) are as good as unplugged."""
        known = self._sources.states()
        gone = [subject for subject in subjects if subject != ROUTER and subject not in known]
        return [moved for subject in gone for moved in self._state(subject, "gone", now)]

    def _reading(self, reading: ModemReading, now: float) -> list[Transition]:
        def read(name: str) -> Value:
            found: Value = quality_of(reading) if name == "quality_percent" else getattr(reading, name)
            return found

        moved = self._evaluation.feed(reading.modem, "measure", read, now)
        if reading.state is not None:
            moved += self._evaluation.feed_one(reading.modem, "state", "state", self._named(reading.state), now)
        return moved

    def _event(self, event: Event, now: float) -> list[Transition]:
        moved = self._evaluation.count(event.source, "event", event.kind, now)
        state = event.data.get("to")
        if event.kind in STATE_KINDS and isinstance(state, str):
            moved += self._state(event.source, state, now)
        elif event.kind == "forgotten":
            moved += self._evaluation.forget(event.source, now, FORGOTTEN)
        return moved

    def _state(self, modem: str, state: str, now: float) -> list[Transition]:
        moved = self._evaluation.feed_one(modem, "state", "state", self._named(state), now)
        if state in UNHEARD:
            moved += self._evaluation.unknown(modem, "measure", now, GONE if state == "gone" else None)
        return moved

    def _named(self, state: str) -> Value:
        return None if state == PASSING and PASSING not in self._named_states else state
