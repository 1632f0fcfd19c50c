"""The alerts of a router: a thread that sleeps until something happens or is due, and a door for everybody else."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from remsim.alerts.alert import ROUTER
from remsim.alerts.definitions import rule_of, usable
from remsim.alerts.ledger import QUIET_TYPES, Ledger, note_of
from remsim.alerts.notice import trial_notice
from remsim.alerts.outbox import GATHER_S, Outbox, Send
from remsim.alerts.store import AlertStore
from remsim.alerts.watch import Sources, Watch
from remsim.config.settings import Settings
from remsim.core.bus import Bus, Lagged, Numbered
from remsim.core.clock import FIRST_TRUSTED, SET_S, Clock
from remsim.core.errors import NotFound
from remsim.core.events import Event
from remsim.telemetry.journal import MOST_EVENTS, Journal
from remsim.telemetry.rules.evaluation import Evaluation
from remsim.telemetry.rules.rule import Rule

log = logging.getLogger(__name__)

STOP_S = 1.0
"""What stopping leaves to messages that are on their way."""
FOUND_AFTER_S = 120.0
"""So long after the start every modem that is there has been found."""


class Wake:
    """Put into the queue to have the thread look again."""


class Alerts:
    """Rules in force, their alerts, who is told of them. Any thread may call; ``start`` begins to watch."""

    def __init__(
        self,
        path: Path,
        *,
        settings: Settings,
        bus: Bus,
        clock: Clock,
        journal: Journal,
        emit: Callable[[Event], None],
        sources: Sources,
        send: Send,
        router_name: str,
        start_lane: Callable[[Callable[[], None]], None] | None = None,
        gather_s: float = GATHER_S,
    ) -> None:
        self._bus, self._clock, self._journal, self._emit = bus, clock, journal, emit
        self._send, self._router_name = send, router_name
        self._lock = threading.RLock()
        self._store = AlertStore(path, clock=clock)
        self._evaluation = Evaluation()
        self._watch = Watch(self._evaluation, sources)
        self._outbox = Outbox(
            self._store, clock=clock, send=send, router_name=router_name, on_result=self._note_result,
            on_change=self.wake, start=start_lane, gather_s=gather_s,
        )  # fmt: skip
        self._ledger = Ledger(self._store, self._evaluation, self._outbox, clock)
        self._rules: list[Rule] = []
        self._missing_at: float | None = clock.monotonic() + FOUND_AFTER_S
        self._failing = False
        self._subscription = bus.subscribe("alerts", limit=4000)
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
        self._take_rules(settings)
        alerts, silences, waiting = self._store.load()
        self._ledger.resume(alerts, silences, waiting)
        self._outbox.restore(waiting)
        self._look_again()

    # --- life ---

    def start(self) -> None:
        """Begin to watch. After any fork."""
        self._thread.start()

    def stop(self) -> None:
        """Keep what waits, and end."""
        self._subscription.close()
        self._outbox.stop(STOP_S)
        if self._thread.is_alive():
            self._thread.join(2.0)
        with self._lock:
            self._ledger.flush()
            self._ledger.keep_all()
            self._store.close()

    def configure(self, settings: Settings) -> None:
        """Have other rules and channels, at once."""
        with self._changing():
            self._take_rules(settings)
            self._look_again()
        self.wake()

    def wake(self) -> None:
        """Have the thread look again."""
        self._subscription.put(Wake())

    @property
    def problem(self) -> str | None:
        """What keeps alerts from being stored, in a sentence."""
        return self._store.problem

    # --- what people see and do; the ledger says what it means ---

    def views(self, ended: int = 100) -> list[dict[str, Any]]:
        """Alerts: those that fire, those that wait, the last that ended."""
        with self._lock:
            return self._ledger.views(ended)

    def summary(self) -> dict[str, Any]:
        """``firing``, ``pending`` and the ``worst`` severity that fires."""
        with self._lock:
            return self._ledger.summary()

    def counts(self) -> dict[tuple[str, str], int]:
        """How many there are of each state (``firing``, ``pending``) and severity."""
        with self._lock:
            return self._ledger.counts()

    def silences(self) -> list[dict[str, Any]]:
        """The silences in force."""
        with self._lock:
            return self._ledger.silences()

    def channel_states(self) -> dict[str, dict[str, Any]]:
        """How each channel does."""
        return self._outbox.states()

    def acknowledge(self, number: str, actor: str) -> dict[str, Any]:
        """Somebody takes care of an alert; ``NotFound``, or ``Conflict`` when it does not fire."""
        with self._changing():
            return self._ledger.acknowledge(number, actor)

    def silence(self, rule: str | None, modem: str | None, until: float, comment: str, actor: str) -> dict[str, Any]:
        """Have nobody told of a rule, a modem, both or everything until a time."""
        with self._changing():
            made = self._ledger.silence(rule, modem, until, comment, actor)
        self.wake()
        return made

    def unsilence(self, number: int) -> None:
        """End a silence."""
        with self._changing():
            self._ledger.unsilence(number)
        self.wake()

    def test(self, channel: str) -> None:
        """Send a test by a channel, past the queue; raises what went wrong."""
        settings = self._outbox.channel(channel)
        if settings is None:
            raise NotFound(f"there is no channel {channel[:40]!r}", field="name")
        if settings.type not in QUIET_TYPES:
            self._send(settings, trial_notice(self._router_name, self._clock.now()))

    # --- the thread ---

    def _run(self) -> None:
        self._guarded(self.recall)
        while not self._subscription.closed:
            self._guarded(self.tick)
            messages = self._subscription.get_all(self.sleep_s())
            self._guarded(lambda messages=messages: self.take(messages))  # type: ignore[misc]

    def recall(self) -> None:
        """Count again the events of before the restart; the journal has them. Without a clock, none is new."""
        now, wall = self._clock.monotonic(), self._clock.now()
        counting = [rule for rule in self._rules if rule.source == "event"]
        events: list[Event] = []
        if counting and wall >= FIRST_TRUSTED:
            kinds = sorted({rule.measure for rule in counting})
            start = wall - max(rule.window_s for rule in counting)
            events, _ = self._journal.query(kinds=kinds, start=start, end=wall + SET_S, limit=MOST_EVENTS)
        with self._changing():
            for event in reversed(events):
                at = now - max(wall - event.at, 0.0)
                self._evaluation.recall(event.source, "event", event.kind, at)
            self._ledger.moved(self._evaluation.recount(now))
            self._ledger.moved(self._watch.states(now))

    def take(self, messages: Iterable[Any]) -> None:
        """Messages of the bus."""
        now = self._clock.monotonic()
        with self._changing():
            for message in messages:
                if isinstance(message, Lagged):
                    self._ledger.moved(self._watch.states(now))
                else:
                    self._ledger.moved(self._watch.take(message, now))

    def tick(self) -> None:
        """What time alone changes."""
        now, wall = self._clock.monotonic(), self._clock.now()
        with self._lock:
            wanted = self._watch.wanted(now)
        found = self._watch.ask(wanted) if wanted else {}
        with self._changing():
            self._ledger.moved(self._evaluation.hours_at(wall, now))
            self._ledger.moved(self._watch.asked(found, now))
            self._ledger.moved(self._evaluation.advance(now))
            if self._missing_at is not None and now >= self._missing_at:
                self._missing_at = None
                self._ledger.moved(self._watch.missing(self._ledger.subjects(), now))
            self._ledger.tick()
        self._outbox.run_due()

    def sleep_s(self) -> float | None:
        """How long nothing is due; None: until something happens."""
        now, wall = self._clock.monotonic(), self._clock.now()
        with self._lock:
            due = [self._evaluation.due(), self._watch.due(), self._ledger.due(), self._outbox.due()]
            if self._ledger.subjects():
                due.append(self._missing_at)
            if self._evaluation.has_hours:
                due.append(now + 60 - wall % 60)
        first = min((at for at in due if at is not None), default=None)
        return None if first is None else max(first - now, 0.0)

    def _guarded(self, work: Callable[[], None]) -> None:
        """An unforeseen error must not end the watch: logged each time, told once."""
        try:
            work()
            self._failing = False
        except Exception as error:
            log.exception("alerts failed")
            if not self._failing:
                self._failing = True
                text = f"alerts failed: {type(error).__name__}; the log has the details"
                self._emit(Event("error", ROUTER, self._clock.now(), text, "error"))
            self._clock.sleep(1.0)

    # --- within ---

    def _take_rules(self, settings: Settings) -> None:
        rules = usable(settings.alerts)
        self._rules = [rule_of(one) for one in rules]
        self._outbox.configure(settings.channels)
        self._ledger.take_rules(rules, settings.channels)
        self._ledger.moved(self._evaluation.replace(self._rules, self._clock.monotonic()))
        states = (word for rule in self._rules if rule.measure == "state" for word in rule.words)
        self._watch.rules_changed(frozenset(states))
        self._subscription.accepts = () if self._watch.is_idle else (Numbered, Event)

    def _look_again(self) -> None:
        now = self._clock.monotonic()
        self._ledger.moved(self._evaluation.hours_at(self._clock.now(), now))
        self._ledger.moved(self._watch.states(now))

    @contextmanager
    def _changing(self) -> Iterator[None]:
        """Change something, keep it, and tell of it without the lock: who listens may ask us."""
        with self._lock:
            yield
            told = self._ledger.flush()
        for message in told:
            if isinstance(message, Event):
                self._emit(message)
            else:
                self._bus.publish(message)

    def _note_result(self, numbers: list[int], channel: str, result: str) -> None:
        """What became of a message, in the thread of its lane."""
        with self._changing():
            self._ledger.note(numbers, note_of(channel, result, self._clock.now()))
