"""Profiles switched by themselves: what the rules say of each modem, which one is heeded, and why.

What is in use now changes only through the desk's own switching, with its way back, and never while something is done
to the modem.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from remsim.config.esim_rules import EsimRuleSettings
from remsim.config.settings import Settings
from remsim.core.bus import Bus, Numbered, Subscription
from remsim.core.clock import iso_utc
from remsim.core.errors import RemsimError
from remsim.core.events import Event
from remsim.core.reading import STATES, ModemReading
from remsim.esim import rule_conditions as conditions
from remsim.esim.plans import has_plan, usage_view
from remsim.esim.records import Records
from remsim.esim.room import Room
from remsim.esim.rule_log import BLOCKED, BY_HAND, FAILED, SWITCHED, SWITCHING, WOULD, Entry, RuleLog
from remsim.esim.rule_verdicts import Judge, Verdict, is_in_use
from remsim.telemetry.rules.evaluation import Evaluation
from remsim.telemetry.rules.rule import Value

if TYPE_CHECKING:
    from remsim.core.jobs import Job
    from remsim.esim.work import Work
    from remsim.telemetry.usage import Usage

log = logging.getLogger(__name__)

OLDEST_S = 60.0
"""Readings wait for the next look no longer than that."""
MOST_WAITING = 2000
PLAN_S = 60.0
PUT_OFF_S = 120.0
"""After a switch that could not even begin."""
ACTOR = "the rule"


class Rules:
    """The rules in force. Any thread may call; times are monotonic, but for what people see."""

    def __init__(
        self,
        room: Room,
        work: Callable[[], Work],
        records: Records,
        usage: Usage,
        bus: Bus,
        readings: Callable[[], Mapping[str, ModemReading]],
        settings: Settings,
    ) -> None:
        self._room, self._work, self._usage, self._bus, self._readings = room, work, usage, bus, readings
        self._lock = threading.RLock()
        self._log = RuleLog(records, room.clock)
        self._judge = Judge(room, self._log)
        self._evaluation = Evaluation()
        self._rules: tuple[EsimRuleSettings, ...] = ()
        self._values: dict[str, dict[str, Value]] = {}
        self._at = room.clock.monotonic()
        self._plan_at = self._at
        self._jobs: dict[int, Job] = {}
        self._subscription: Subscription | None = None
        self.beginning: threading.Thread | None = None
        self.configure(settings)

    # --- life ---

    def configure(self, settings: Settings) -> None:
        """Have other rules; where one is the same its wait goes on."""
        with self._lock:
            self._rules = tuple(sorted(settings.esim_rules, key=lambda one: (one.priority, one.name)))
            used = [one for one in self._rules if is_in_use(one)]
            self._evaluation.replace([conditions.condition_of(one) for one in used], self._now())
            self._plan_at = self._at
            if used and self._subscription is None:
                self._subscription = self._bus.subscribe("esim-rules", Numbered, Event, limit=MOST_WAITING)
            elif not used:
                self.stop()
            self._hours()
            for modem in self._modems():
                self._values[modem] = self._last_values(modem) | self._values[modem]
                self._feed(modem)

    def stop(self) -> None:
        """Listen no more."""
        if self._subscription is not None:
            self._subscription.close()
            self._subscription = None

    def look(self) -> None:
        """Now and then: take what was published, and switch where that is due. Does not wait for the switch."""
        with self._lock:
            self._take()
            self._settle()
            for modem in self._modems():
                self._heed(modem)

    # --- what people see ---

    def view(self) -> dict[str, Any]:
        """The rules, what each comes to now, and the log, newest first."""
        with self._lock:
            self._take()
            self._settle()
            now = [one for modem in self._modems(also_off=True) for one in self._verdicts(modem)]
            now.sort(key=lambda one: (one.rule.priority, one.rule.name))
            return {
                "rules": [one.as_dict() for one in self._rules],
                "now": [self._verdict_view(one) for one in now],
                "log": self._log.views(),
            }

    def preview(self, rule: EsimRuleSettings) -> dict[str, Any]:
        """What a rule would come to now, were it the only one; changes nothing."""
        with self._lock:
            self._take()
            evaluation = Evaluation([conditions.condition_of(rule)])
            now = self._now()
            evaluation.hours_at(self._room.clock.now(), now)
            values = self._last_values(rule.modem) | self._values.get(rule.modem, {})
            values |= self._plan_values(rule.modem, (rule,))
            values["clock"] = conditions.clock_value(self._room.clock.now())
            evaluation.feed(rule.modem, conditions.SOURCE, values.get, now)
            found = self._judge.verdicts((rule,), evaluation, self._at)
            return {"now": [self._verdict_view(one, values) for one in found]}

    # --- what happens ---

    def _take(self) -> None:
        """What was published since the last look, each at its own time."""
        for message in self._subscription.get_all(0) if self._subscription is not None else ():
            if isinstance(message, Numbered):
                reading = message.reading
                if reading.modem in self._modems():
                    self._move(self._room.clock.monotonic() - (self._room.clock.now() - reading.at))
                    self._values.setdefault(reading.modem, {}).update(conditions.values_of(reading))
                    self._feed(reading.modem)
            elif isinstance(message, Event):
                self._event(message)
        self._move(self._room.clock.monotonic())
        self._hours()
        is_due = self._at >= self._plan_at
        if is_due:
            self._plan_at = self._at + PLAN_S
        for modem in self._modems():
            if is_due:
                mine = tuple(one for one in self._rules if one.modem == modem and is_in_use(one))
                self._values.setdefault(modem, {}).update(self._plan_values(modem, mine))
            self._feed(modem)
        self._evaluation.advance(self._at)

    def _event(self, event: Event) -> None:
        if event.source not in self._modems():
            return
        if event.kind == "esim_switch":
            actor = str(event.data.get("actor") or "somebody")
            if not actor.startswith(ACTOR) and event.data.get("to"):
                words = {"label": actor, "from": event.data.get("from"), "to": event.data.get("to")}
                self._log.note("", event.source, words | {"decision": BY_HAND, "why": event.message, "job": None})
            self._begin_anew(event.source)
        elif isinstance(state := event.data.get("to"), str) and state in STATES and state != conditions.WITH_SERVICE:
            blank = dict.fromkeys(conditions.UNITS) | {"mcc": None, "service": conditions.service_of(state)}
            self._values.setdefault(event.source, {}).update(blank)
            self._feed(event.source)

    def _begin_anew(self, modem: str) -> None:
        """What was so with the profile from before says nothing of this one."""
        self._evaluation.forget(modem, self._at, "another profile is in use")
        self._values.pop(modem, None)
        self._plan_at = self._at

    def _last_values(self, modem: str) -> dict[str, Value]:
        """What a modem said last, where that is not long ago."""
        reading = self._readings().get(modem)
        is_fresh = reading is not None and abs(self._room.clock.now() - reading.at) <= OLDEST_S
        return conditions.values_of(reading) if reading is not None and is_fresh else {}

    def _move(self, at: float) -> None:
        """Time goes on, and never back."""
        now = self._room.clock.monotonic()
        self._at = max(self._at, min(max(at, now - OLDEST_S), now))
        self._evaluation.advance(self._at)

    def _hours(self) -> None:
        wall = self._room.clock.now()
        self._evaluation.hours_at(wall, self._at)
        for modem in self._modems():
            self._values.setdefault(modem, {})["clock"] = conditions.clock_value(wall)

    def _feed(self, modem: str) -> None:
        self._evaluation.feed(modem, conditions.SOURCE, self._values.setdefault(modem, {}).get, self._at)

    def _now(self) -> float:
        self._at = max(self._at, self._room.clock.monotonic())
        return self._at

    def _modems(self, *, also_off: bool = False) -> list[str]:
        return list(dict.fromkeys(one.modem for one in self._rules if also_off or is_in_use(one)))

    def _plan_values(self, modem: str, rules: Iterable[EsimRuleSettings]) -> dict[str, Value]:
        """Usage and cost, where some rule looks at them."""
        room, found = self._room, dict[str, Value]()
        reasons = {one.when for one in rules}
        enabled = self._judge.enabled(modem)
        if reasons & {"usage", "cost"} and enabled is not None:
            view = usage_view(enabled["id"], room.settings, self._usage, room.clock)
            found |= conditions.plan_values(view)
            self._judge.currency[modem] = None if view is None else view["currency"]
        for rule in rules:
            if rule.when == "unused":
                view = usage_view(rule.profile, room.settings, self._usage, room.clock)
                plan = has_plan(rule.profile, room.settings)
                is_fresh = view is None and plan is not None and plan.cap_bytes is not None
                found[conditions.measure_of(rule)] = 0.0 if is_fresh else conditions.percent_of(view)
        return found

    # --- what is done ---

    def _verdicts(self, modem: str) -> list[Verdict]:
        mine = tuple(one for one in self._rules if one.modem == modem)
        return self._judge.verdicts(mine, self._evaluation, self._at)

    def _heed(self, modem: str) -> None:
        for verdict in self._verdicts(modem):
            if verdict.decision == "switches":
                self._begin(verdict)
            elif verdict.decision in (WOULD, BLOCKED):
                self._note_once(verdict)

    def _begin(self, verdict: Verdict) -> None:
        """Begin a switch that was written down before: a service that crashes must not do it again and again."""
        if self.beginning is not None and self.beginning.is_alive():
            return
        entry, is_kept = self._log.note(verdict.rule.name, verdict.rule.modem, self._data(verdict, SWITCHING))
        if not is_kept:
            self._judge.put_off[verdict.rule.modem] = self._at + PUT_OFF_S
            self._log.change(entry, decision=BLOCKED, why="what it decides cannot be written down")
            return
        self.beginning = threading.Thread(
            target=self._switch, args=(verdict, entry), name="esim-rule", daemon=True
        )
        self.beginning.start()  # of its own, for a modem that is busy with its own things is waited for a little

    def _switch(self, verdict: Verdict, entry: Entry) -> None:
        rule = verdict.rule
        label = rule.label or rule.name
        try:
            job = self._work().enable(rule.modem, rule.profile, minutes=rule.minutes, actor=f"{ACTOR} {label}")
        except RemsimError as error:
            with self._lock:
                self._judge.put_off[rule.modem] = self._at + PUT_OFF_S
                self._log.blocked(entry, f"{verdict.why}, but {error.message}")
            return
        with self._lock:
            self._jobs[entry.number] = job
            self._log.change(entry, job=job.id)
        self._tell(rule, f"{rule.modem}: the rule {label} switches: {verdict.why}")

    def _settle(self) -> None:
        """Write down what came of switches."""
        for entry in self._log.unsettled():
            job = self._jobs.get(entry.number)
            if job is None and (entry.monotonic is not None or self._room.job_of(entry.modem) is not None):
                continue  # it is being begun, or taken up
            if job is None:
                enabled = self._judge.enabled(entry.modem)
                is_done = enabled is not None and enabled["id"] == entry.data["to"]
                error = None if is_done else "the service ended meanwhile"
                self._log.ended(entry, SWITCHED if is_done else FAILED, error)
            elif job.is_over:
                del self._jobs[entry.number]
                if job.state == "done":
                    self._log.ended(entry, SWITCHED)
                elif not job.is_stopping:
                    self._log.ended(entry, FAILED, job.error)
                    self._begin_anew(entry.modem)

    def _note_once(self, verdict: Verdict) -> None:
        """Write down what a rule would do, or what keeps it, once until that changes."""
        rule, last = verdict.rule, self._log.last_of(verdict.rule.name)
        since = 0.0 if verdict.since is None else verdict.since
        if last is not None and last.decision == verdict.decision and last.at >= since:
            return
        self._log.note(rule.name, rule.modem, self._data(verdict, verdict.decision))
        if verdict.decision == WOULD:
            self._tell(rule, f"{rule.modem}: the rule {rule.label or rule.name}: {verdict.why}")

    def _data(self, verdict: Verdict, decision: str) -> dict[str, Any]:
        enabled = self._judge.enabled(verdict.rule.modem)
        return {
            "label": verdict.rule.label or verdict.rule.name,
            "from": None if enabled is None else enabled["id"],
            "to": verdict.rule.profile,
            "decision": decision,
            "why": verdict.why,
            "job": None,
        }

    def _tell(self, rule: EsimRuleSettings, text: str) -> None:
        self._room.tell("esim_rule", rule.modem, text, data={"rule": rule.name, "profile": rule.profile})

    def _verdict_view(self, verdict: Verdict, values: dict[str, Value] | None = None) -> dict[str, Any]:
        rule = verdict.rule
        unit = conditions.UNITS.get("unused" if rule.when == "unused" else conditions.measure_of(rule))
        if rule.when == "cost":
            unit = self._judge.currency.get(rule.modem)
        return {
            "rule": rule.name,
            "label": rule.label or rule.name,
            "modem": rule.modem,
            "profile": rule.profile,
            "value": verdict.value,
            "unit": unit,
            "is_so": verdict.is_so,
            "since": None if verdict.since is None else iso_utc(verdict.since),
            "for_s": 0.0 if rule.when == "time" else rule.for_s,
            "decision": verdict.decision,
            "why": verdict.why,
            "switches_today": self._log.count_of(rule.name),
        }
