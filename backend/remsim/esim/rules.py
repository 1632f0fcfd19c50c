"""Profiles switched by themselves: what the rules say of each modem, which one is heeded, and why.

Of a modem's rules the first in the order of priority that is so decides. One whose reason is to be on its profile
(country, hours, data left) keeps it there: rules behind it wait. What is in use now changes only through the desk's own
switching, with its way back, and never while something is done to the modem.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from remsim.config.esim_rules import EsimRuleSettings
from remsim.config.settings import Settings
from remsim.core.bus import Bus, Numbered, Subscription
from remsim.core.clock import iso_utc
from remsim.core.errors import NotFound, RemsimError
from remsim.core.events import Event
from remsim.core.reading import STATES
from remsim.esim import rule_conditions as conditions
from remsim.esim.plans import has_plan, usage_view
from remsim.esim.records import Records
from remsim.esim.room import Room
from remsim.esim.rule_log import BLOCKED, BY_HAND, FAILED, SWITCHED, SWITCHING, WOULD, Entry, RuleLog
from remsim.telemetry.rules.evaluation import Evaluation
from remsim.telemetry.rules.rule import Track, Value

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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule comes to now. ``decision``: see ``docs/esim.md``."""

    rule: EsimRuleSettings
    decision: str
    why: str
    value: Value = None
    is_so: bool | None = None
    since: float | None = None


class Rules:
    """The rules in force. Any thread may call; times are monotonic, but for what people see."""

    def __init__(
        self, room: Room, work: Callable[[], Work], records: Records, usage: Usage, bus: Bus, settings: Settings
    ) -> None:
        self._room, self._work, self._usage, self._bus = room, work, usage, bus
        self._lock = threading.RLock()
        self._log = RuleLog(records, room.clock)
        self._evaluation = Evaluation()
        self._rules: tuple[EsimRuleSettings, ...] = ()
        self._values: dict[str, dict[str, Value]] = {}
        self._currency: dict[str, str | None] = {}
        self._at = room.clock.monotonic()
        self._plan_at = self._at
        self._put_off: dict[str, float] = {}
        self._jobs: dict[int, Job] = {}
        self._subscription: Subscription | None = None
        self.beginning: threading.Thread | None = None
        self.configure(settings)

    # --- life ---

    def configure(self, settings: Settings) -> None:
        """Have other rules; where one is the same its wait goes on."""
        with self._lock:
            self._rules = tuple(sorted(settings.esim_rules, key=lambda one: (one.priority, one.name)))
            used = [one for one in self._rules if one.enabled]
            self._evaluation.replace([conditions.condition_of(one) for one in used], self._now())
            self._plan_at = self._at
            if used and self._subscription is None:
                self._subscription = self._bus.subscribe("esim-rules", Numbered, Event, limit=MOST_WAITING)
            elif not used:
                self.stop()
            self._hours()
            for modem in self._modems():
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
            now = [one for modem in self._modems(also_off=True) for one in self._verdicts(modem, self._evaluation)]
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
            values = self._values.get(rule.modem, {}) | self._plan_values(rule.modem, (rule,))
            values["clock"] = conditions.clock_value(self._room.clock.now())
            evaluation.feed(rule.modem, conditions.SOURCE, values.get, now)
            found = self._verdicts(rule.modem, evaluation, (rule,))
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
                mine = tuple(one for one in self._rules if one.modem == modem and one.enabled)
                self._values.setdefault(modem, {}).update(self._plan_values(modem, mine))
            self._feed(modem)
        self._evaluation.advance(self._at)

    def _event(self, event: Event) -> None:
        if event.source not in self._modems():
            return
        if event.kind == "esim_switch":
            if not str(event.data.get("actor") or "").startswith(ACTOR) and event.data.get("to"):
                words = {"from": event.data.get("from"), "to": event.data.get("to"), "decision": BY_HAND}
                self._log.note("", event.source, words | {"why": event.message, "label": None, "job": None})
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
        return list(dict.fromkeys(one.modem for one in self._rules if also_off or one.enabled))

    def _plan_values(self, modem: str, rules: Iterable[EsimRuleSettings]) -> dict[str, Value]:
        """Usage and cost, where some rule looks at them."""
        room, found = self._room, dict[str, Value]()
        reasons = {one.when for one in rules}
        enabled = self._enabled(modem)
        if reasons & {"usage", "cost"} and enabled is not None:
            view = usage_view(enabled["id"], room.settings, self._usage, room.clock)
            found |= conditions.plan_values(view)
            self._currency[modem] = None if view is None else view["currency"]
        for rule in rules:
            if rule.when == "unused":
                view = usage_view(rule.profile, room.settings, self._usage, room.clock)
                plan = has_plan(rule.profile, room.settings)
                is_fresh = view is None and plan is not None and plan.cap_bytes is not None
                found[conditions.measure_of(rule)] = 0.0 if is_fresh else conditions.percent_of(view)
        return found

    # --- what it comes to ---

    def _verdicts(
        self, modem: str, evaluation: Evaluation, rules: tuple[EsimRuleSettings, ...] | None = None
    ) -> list[Verdict]:
        """Of a modem's rules, in their order; one at most says ``switches``."""
        found: list[Verdict] = []
        holding: Verdict | None = None
        for rule in rules or tuple(one for one in self._rules if one.modem == modem):
            track = evaluation.track(rule.name, modem) if rule.enabled or rules else None
            verdict = self._verdict(rule, track, holding)
            found.append(verdict)
            if verdict.decision in ("holds", "switches") and holding is None:
                holding = verdict
        return found

    def _verdict(self, rule: EsimRuleSettings, track: Track | None, holding: Verdict | None) -> Verdict:
        room = self._room
        if track is None:
            return Verdict(rule, "off", "the rule is switched off")
        wall, monotonic = room.clock.now(), self._at
        is_so = track.state != "ok" if track.is_known else None
        since = wall - (monotonic - track.since) if track.state != "ok" and track.since is not None else None
        words = conditions.told(rule, track.value if track.is_known else None, self._currency.get(rule.modem))

        def comes_to(decision: str, why: str) -> Verdict:
            return Verdict(rule, decision, why, track.value if track.is_known else None, is_so, since)

        if not conditions.hours_of(rule).contain(wall):
            return comes_to("not_so", "it is not within its hours")
        if is_so is None:
            return comes_to("unknown", words)
        if not is_so:
            return comes_to("not_so", words)
        try:
            name = room.cards.profile(rule.modem, rule.profile)["name"]
        except NotFound:
            return comes_to("blocked", f"{rule.profile} is not on the card of {rule.modem}, as it was last read")
        enabled = self._enabled(rule.modem)
        if enabled is not None and enabled["id"] == rule.profile:
            if rule.when in conditions.LEAVING:
                return comes_to("not_so", f"{words}, but {name} is in use already")
            return comes_to("holds", f"{words}, and {name} is in use")
        if rule.only_from and (enabled is None or enabled["id"] != rule.only_from):
            return comes_to("not_so", f"{words}, but another profile is in use than the rule is for")
        if track.state == "pending":
            left_s = rule.for_s - (monotonic - (track.since or monotonic))
            return comes_to("waits", f"{words}; {conditions.duration(max(left_s, 1))} more, then to {name}")
        if enabled is not None and "cannot_disable" in enabled["policy"]:
            return comes_to("blocked", f"{words}, but the operator of {enabled['name']} does not let it be disabled")
        if holding is not None:
            return comes_to("waits", f"{words}, but {holding.rule.label or holding.rule.name} comes first")
        return comes_to(*self._may(rule, words, name))

    def _may(self, rule: EsimRuleSettings, words: str, name: str) -> tuple[str, str]:
        """Whether a rule that is so may switch now, and why not."""
        rested_s, count = self._log.rested_s(rule.modem), self._log.count_of(rule.name)
        if rule.only_tell:
            return "would_switch", f"{words}; it would switch to {name}"
        if count >= rule.most_per_day:
            return "blocked", f"{words}, but it has switched {count} times in 24 hours, which is its limit"
        if rested_s is not None and rested_s < rule.cooldown_s:
            left = conditions.duration(rule.cooldown_s - rested_s)
            return "waits", f"{words}, but {rule.modem} was switched a while ago and rests for {left} more"
        job = self._room.job_of(rule.modem)
        if job is not None:
            return "waits", f"{words}, but {rule.modem} is busy: {job.title}"
        if self._put_off.get(rule.modem, 0.0) > self._at:
            last = self._log.last_of(rule.name)
            why = last.data["why"] if last is not None and last.decision == BLOCKED else "it could not be begun"
            return "blocked", str(why)
        return "switches", f"{words}: to {name}"

    def _enabled(self, modem: str) -> dict[str, Any] | None:
        """The profile in use, as the card was last read."""
        card = self._room.cards.of(modem)
        return None if card is None else next((one for one in card["profiles"] if one["state"] == "enabled"), None)

    # --- what is done ---

    def _heed(self, modem: str) -> None:
        for verdict in self._verdicts(modem, self._evaluation):
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
            self._put_off[verdict.rule.modem] = self._at + PUT_OFF_S
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
                self._put_off[rule.modem] = self._at + PUT_OFF_S
                self._log.change(entry, decision=BLOCKED, why=f"{verdict.why}, but {error.message}")
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
                enabled = self._enabled(entry.modem)
                is_done = enabled is not None and enabled["id"] == entry.data["to"]
                self._log.change(entry, decision=SWITCHED if is_done else FAILED, error="the service was stopped")
            elif job.is_over:
                del self._jobs[entry.number]
                if job.state == "done":
                    self._log.change(entry, decision=SWITCHED)
                elif not job.is_stopping:
                    self._log.change(entry, decision=FAILED, error=job.error)
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
        enabled = self._enabled(verdict.rule.modem)
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
            unit = self._currency.get(rule.modem)
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
