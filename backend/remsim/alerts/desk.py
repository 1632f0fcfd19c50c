"""The alerts of a router: a thread that sleeps until something happens or is due, and what people do with alerts."""

from __future__ import annotations

import logging
import threading
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from remsim.alerts.alert import ROUTER, SEVERITY_RANK, Alert, AlertUpdate, Silence
from remsim.alerts.definitions import rule_of, summary_of, unit_of, usable
from remsim.alerts.notice import trial_notice
from remsim.alerts.outbox import Outbox, Send
from remsim.alerts.store import AlertStore, Waiting
from remsim.alerts.watch import Sources, Watch
from remsim.config.alerting import AlertSettings
from remsim.config.channels import ChannelSettings
from remsim.config.settings import Settings
from remsim.core.bus import Bus, Lagged, Numbered
from remsim.core.clock import FIRST_TRUSTED, SET_S, Clock, iso_utc
from remsim.core.errors import Conflict, InvalidInput, NotFound
from remsim.core.events import Event
from remsim.telemetry.journal import MOST_EVENTS, Journal
from remsim.telemetry.rules.evaluation import Evaluation
from remsim.telemetry.rules.rule import Rule, Transition

log = logging.getLogger(__name__)

MOST_ACTIVE = 2000
MOST_SILENCES = 200
KEEP_S = 60.0
"""A wait that is younger than this is not worth a write to flash; older ones outlive a power cut."""
STOP_S = 1.0
"""What stopping leaves to messages that are on their way."""
FOUND_AFTER_S = 120.0
"""So long after the start every modem that is there has been found."""
EVENT_SEVERITY = {"info": "info", "warning": "warning", "critical": "error"}
QUIET_TYPES = ("browser",)
"""Channels that send nothing: the pages hear of alerts on the stream."""
Key = tuple[str, str]


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
        gather_s: float | None = None,
    ) -> None:
        self._bus, self._clock, self._journal, self._emit = bus, clock, journal, emit
        self._router_name = router_name
        self._send = send
        self._lock = threading.RLock()
        self._store = AlertStore(path, clock=clock)
        self._evaluation = Evaluation()
        self._watch = Watch(self._evaluation, sources)
        more = {} if gather_s is None else {"gather_s": gather_s}
        self._outbox = Outbox(
            self._store, clock=clock, send=send, router_name=router_name, on_result=self._note_result,
            on_change=self.wake, start=start_lane, **more,
        )  # fmt: skip
        self._rules: dict[str, AlertSettings] = {}
        self._channels: dict[str, ChannelSettings] = {}
        self._active: dict[Key, Alert] = {}
        self._kept: set[int] = set()
        self._repeat_at: dict[Key, float] = {}
        self._told: list[AlertUpdate | Event] = []
        self._offset = clock.now() - clock.monotonic()
        self._next_keep = clock.monotonic() + KEEP_S
        self._missing_at: float | None = clock.monotonic() + FOUND_AFTER_S
        self._failing = False
        alerts, silences, waiting = self._store.load()
        self._silences = {one.id: one for one in silences}
        self._next_id = max((one.id for one in alerts), default=0) + 1
        self._next_message = max((one.id for one in waiting), default=0) + 1
        self._subscription = bus.subscribe("alerts", limit=4000)
        self._thread = threading.Thread(target=self._run, name="alerts", daemon=True)
        self._take_rules(settings)
        self._resume([one for one in alerts if one.is_active])
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
            self._store.save(self._active.values())
            self._store.close()

    def configure(self, settings: Settings) -> None:
        """Have other rules and channels, at once."""
        with self._lock:
            self._take_rules(settings)
            self._look_again()
        self._tell()
        self.wake()

    def wake(self) -> None:
        """Have the thread look again."""
        self._subscription.put(Wake())

    @property
    def problem(self) -> str | None:
        """What keeps alerts from being stored, in a sentence."""
        return self._store.problem

    # --- what people see ---

    def views(self, ended: int = 100) -> list[dict[str, Any]]:
        """Alerts, those that fire first, the worst first; then the last that ended."""
        with self._lock:
            self._refresh()
            active = sorted(
                self._active.values(),
                key=lambda one: (one.state != "firing", -SEVERITY_RANK[one.severity], -(one.fired_at or one.since)),
            )
            return [one.as_dict() for one in active] + [one.as_dict() for one in self._store.ended(ended)]

    def summary(self) -> dict[str, Any]:
        """How many there are, and how bad the worst that fires is."""
        with self._lock:
            firing = [one for one in self._active.values() if one.state == "firing"]
            pending = len(self._active) - len(firing)
        worst = max((one.severity for one in firing), key=SEVERITY_RANK.__getitem__, default=None)
        return {"firing": len(firing), "pending": pending, "worst": worst}

    def silences(self) -> list[dict[str, Any]]:
        """The silences in force."""
        now = self._clock.now()
        with self._lock:
            return [one.as_dict() for one in self._silences.values() if one.until > now]

    def channel_states(self) -> dict[str, dict[str, Any]]:
        """How each channel does."""
        return self._outbox.states()

    # --- what people do ---

    def acknowledge(self, number: str, actor: str) -> dict[str, Any]:
        """Somebody takes care of it: nobody is told again before it ends."""
        with self._lock:
            alert = next((one for one in self._active.values() if str(one.id) == number), None)
            if alert is None:
                if number.isdecimal() and any(str(one.id) == number for one in self._store.ended(500)):
                    raise Conflict("this alert is over", field="id")
                raise NotFound(f"there is no alert {number[:20]!r}", field="id")
            if alert.state != "firing":
                raise Conflict("this alert does not fire yet", field="id")
            if alert.acknowledged_by is None:
                alert.acknowledged_by, alert.acknowledged_at = actor, self._clock.now()
                self._repeat_at.pop((alert.rule, alert.subject), None)
                self._store.save([alert])
            self._told.append(AlertUpdate(alert.as_dict()))
            made = alert.as_dict()
        self._tell()
        return made

    def silence(self, rule: str | None, modem: str | None, until: float, comment: str, actor: str) -> dict[str, Any]:
        """Have nobody told of some alerts until a time."""
        now = self._clock.now()
        with self._lock:
            if until <= now:
                raise InvalidInput("until is not in the future", field="until")
            if rule is not None and rule not in self._rules:
                raise InvalidInput(f"there is no rule {rule[:40]!r} in use", field="rule")
            if len(self._silences) >= MOST_SILENCES:
                raise Conflict(f"there are {MOST_SILENCES} silences already", field="until", hint="remove some")
            silence = Silence(max(self._silences, default=0) + 1, rule, modem, until, comment, actor)
            self._silences[silence.id] = silence
            self._store.put_silence(silence)
            self._cover()
        self._tell()
        self.wake()
        return silence.as_dict()

    def unsilence(self, number: int) -> None:
        """End a silence: what fires still is told now."""
        with self._lock:
            if self._silences.pop(number, None) is None:
                raise NotFound(f"there is no silence {number}", field="id")
            self._store.drop_silences([number])
            self._cover()
        self._tell()
        self.wake()

    def test(self, channel: str) -> None:
        """Send a test by a channel, past the queue; raises what went wrong."""
        with self._lock:
            settings = self._channels.get(channel)
        if settings is None:
            raise NotFound(f"there is no channel {channel[:40]!r}", field="name")
        if settings.type not in QUIET_TYPES:
            self._send(settings, trial_notice(self._router_name, self._clock.now()))

    # --- the thread ---

    def _run(self) -> None:
        with self._lock:
            self._replay(self._clock.monotonic())
        while not self._subscription.closed:
            self._guarded(self.tick)
            messages = self._subscription.get_all(self._sleep_s())
            self._guarded(lambda messages=messages: self.take(messages))  # type: ignore[misc]

    def take(self, messages: Iterable[Any]) -> None:
        """Messages of the bus."""
        now = self._clock.monotonic()
        with self._lock:
            for message in messages:
                if isinstance(message, Lagged):
                    self._moved(self._watch.states(now))
                else:
                    self._moved(self._watch.take(message, now))
        self._tell()

    def tick(self) -> None:
        """What time alone changes."""
        now, wall = self._clock.monotonic(), self._clock.now()
        with self._lock:
            wanted = self._watch.wanted(now)
        found = self._watch.ask(wanted) if wanted else {}
        with self._lock:
            self._mind_clock(wall - now)
            self._moved(self._evaluation.hours_at(wall, now))
            self._moved(self._watch.asked(found, now))
            self._moved(self._evaluation.advance(now))
            if self._missing_at is not None and now >= self._missing_at:
                self._missing_at = None
                self._moved(self._watch.missing({subject for _, subject in self._active}, now))
            self._mind_silences(wall)
            self._repeat(now)
            if now >= self._next_keep:
                self._next_keep = now + KEEP_S
                self._keep_waits(now)
        self._tell()
        self._outbox.run_due()

    def _sleep_s(self) -> float | None:
        """How long nothing is due; None: until something happens."""
        now, wall = self._clock.monotonic(), self._clock.now()
        with self._lock:
            due = [self._evaluation.due(), self._watch.due(), *self._repeat_at.values()]
            if self._active:
                due += [self._missing_at, self._next_keep]
            if self._silences:
                due.append(now + min(one.until for one in self._silences.values()) - wall)
            if self._evaluation.has_hours:
                due.append(now + 60 - wall % 60)
        due.append(self._outbox.due())
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

    # --- settings and restarts ---

    def _take_rules(self, settings: Settings) -> None:
        now = self._clock.monotonic()
        self._rules = {one.name: one for one in usable(settings.alerts)}
        self._channels = {one.name: one for one in settings.channels}
        self._outbox.configure(settings.channels)
        rules = [rule_of(one) for one in self._rules.values()]
        self._moved(self._evaluation.replace(rules, now))
        self._watch.rules_changed(frozenset(word for rule in rules if rule.measure == "state" for word in rule.words))
        for alert in self._active.values():  # what goes on has the words of today
            rule = self._rules[alert.rule]
            alert.label, alert.severity = rule.label or rule.name, rule.severity
        self._subscription.accepts = () if self._watch.is_idle else (Numbered, Event)

    def _look_again(self) -> None:
        now = self._clock.monotonic()
        self._moved(self._evaluation.hours_at(self._clock.now(), now))
        self._moved(self._watch.states(now))

    def _resume(self, alerts: list[Alert]) -> None:
        """Go on with what was not over; what has no rule any more, or another one, ends."""
        now, wall = self._clock.monotonic(), self._clock.now()
        ended = []
        for alert in alerts:
            settings = self._rules.get(alert.rule)
            track = self._evaluation.track(alert.rule, alert.subject)
            if settings is None or track is None or alert.condition != condition_of(track.rule):
                alert.state, alert.resolved_at = "resolved", wall
                alert.reason = "the rule was changed" if settings else "the rule was removed or switched off"
                ended.append(alert)
                continue
            since = now - max(wall - alert.since, 0.0)
            fired_at = None if alert.fired_at is None else now - max(wall - alert.fired_at, 0.0)
            track.restore(alert.state, since, fired_at, alert.peak)
            key = (alert.rule, alert.subject)
            self._active[key] = alert
            self._kept.add(alert.id)
            if alert.state == "firing" and settings.repeat_s and alert.acknowledged_by is None:
                self._repeat_at[key] = now + settings.repeat_s
        for alert in ended:
            if alert.fired_at is None:
                self._store.drop([alert.id])
            else:
                self._keep(alert)

    def _replay(self, now: float) -> None:
        """Count again the events of before the restart; the journal has them."""
        counting = [rule_of(one) for one in self._rules.values() if one.source == "event"]
        if counting:
            kinds = sorted({rule.measure for rule in counting})
            wall = self._clock.now()
            start = wall - max(rule.window_s for rule in counting)
            events, _ = self._journal.query(kinds=kinds, start=start, limit=MOST_EVENTS)
            for event in reversed(events):
                at = now - max(wall - event.at, 0.0)
                self._evaluation.recall(event.source, "event", event.kind, at)
            self._moved(self._evaluation.recount(now))
        self._moved(self._watch.states(now))

    def _mind_clock(self, offset: float) -> None:
        """When the wall clock was set, what began before gets its true time."""
        jump = offset - self._offset
        self._offset = offset
        if abs(jump) > SET_S:
            for alert in self._active.values():
                if alert.since < FIRST_TRUSTED:
                    alert.since += jump
                if alert.fired_at is not None and alert.fired_at < FIRST_TRUSTED:
                    alert.fired_at += jump

    def _keep_waits(self, now: float) -> None:
        """Write down what has waited for a while, and what a refusing disk did not take."""
        if self._store.problem:
            self._store.save(self._active.values())
        waits = [
            one
            for one in self._active.values()
            if one.state == "pending" and one.id not in self._kept and self._wall(now) - one.since >= KEEP_S
        ]
        self._store.save(waits)
        self._kept.update(one.id for one in waits)

    # --- what has changed ---

    def _moved(self, transitions: Iterable[Transition]) -> None:
        for moved in transitions:
            key = (moved.track.rule.name, moved.track.subject)
            if moved.to == "pending":
                self._begin(key, moved)
            elif moved.to == "firing":
                self._fire(key, self._active.get(key) or self._begin(key, moved), moved)
            elif (alert := self._active.pop(key, None)) is not None:
                self._over(key, alert, moved)

    def _begin(self, key: Key, moved: Transition) -> Alert | None:
        settings = self._rules.get(key[0])
        if settings is None or len(self._active) >= MOST_ACTIVE:
            return None
        alert = Alert(
            self._next_id, settings.name, moved.track.subject, settings.label or settings.name, settings.severity,
            "pending", self._wall(moved.track.since or moved.at), condition_of(moved.track.rule),
            threshold=settings.threshold, unit=unit_of(settings.measure, settings.source),
            source=settings.source, measure=settings.measure,
        )  # fmt: skip
        self._next_id += 1
        self._active[key] = alert
        self._measure(alert, settings)
        self._told.append(AlertUpdate(alert.as_dict()))
        return alert

    def _fire(self, key: Key, alert: Alert | None, moved: Transition) -> None:
        if alert is None:
            return
        settings = self._rules[key[0]]
        alert.state, alert.fired_at = "firing", self._wall(moved.at)
        self._measure(alert, settings)
        self._kept.add(alert.id)
        alert.silenced_by = self._silence_of(alert, self._clock.now())
        self._announce(alert, settings)
        self._event(alert, alert.summary)

    def _over(self, key: Key, alert: Alert, moved: Transition) -> None:
        self._repeat_at.pop(key, None)
        alert.state, alert.resolved_at, alert.reason = "resolved", self._wall(moved.at), moved.reason
        if moved.track.value is not None:
            alert.value = moved.track.value
        alert.peak = moved.track.peak
        if alert.fired_at is None:  # a wait that came to nothing
            if alert.id in self._kept:
                self._store.drop([alert.id])
        else:
            self._keep(alert)
            self._store.trim()
            self._event(alert, f"over: {alert.summary}" + (f" ({alert.reason})" if alert.reason else ""))
        self._kept.discard(alert.id)
        self._told.append(AlertUpdate(alert.as_dict()))

    def _announce(self, alert: Alert, settings: AlertSettings) -> None:
        """Keep a firing alert and have it told, unless it is silenced."""
        self._keep(alert)
        if settings.repeat_s and alert.acknowledged_by is None:
            self._repeat_at[alert.rule, alert.subject] = self._clock.monotonic() + settings.repeat_s
        self._told.append(AlertUpdate(alert.as_dict()))

    def _keep(self, alert: Alert) -> None:
        """Write an alert down with what is to be sent of it, in one go; only then may it be sent."""
        messages = self._messages(alert)
        self._store.save([alert], messages)
        self._outbox.put(messages)

    def _messages(self, alert: Alert) -> list[Waiting]:
        """What is to be sent of an alert as it is now; those who heard of its beginning hear of its end."""
        settings = self._rules.get(alert.rule)
        made: list[Waiting] = []
        if alert.state == "firing" and alert.silenced_by is not None:
            return made
        for channel in self._channels.values():
            if alert.state == "resolved":
                wanted = channel.name in alert.told and channel.send_resolved
            else:
                chosen = settings is not None and (not settings.channels or channel.name in settings.channels)
                wanted = chosen and SEVERITY_RANK[alert.severity] >= SEVERITY_RANK[channel.min_severity]
            if wanted and channel.enabled and channel.type not in QUIET_TYPES:
                if channel.name not in alert.told:
                    alert.told.append(channel.name)
                made.append(Waiting(self._next_message, channel.name, self._clock.now(), alert.as_dict()))
                self._next_message += 1
        return made

    def _repeat(self, now: float) -> None:
        for key, at in list(self._repeat_at.items()):
            if at > now:
                continue
            alert, settings = self._active[key], self._rules[key[0]]
            self._repeat_at[key] = now + settings.repeat_s
            if alert.silenced_by is None:
                self._measure(alert, settings)
                self._announce(alert, settings)

    def _silence_of(self, alert: Alert, wall: float) -> int | None:
        return next((one.id for one in self._silences.values() if one.until > wall and one.covers(alert)), None)

    def _mind_silences(self, wall: float) -> None:
        """Forget silences that are over."""
        over = [number for number, one in self._silences.items() if one.until <= wall]
        for number in over:
            del self._silences[number]
        if over:
            self._store.drop_silences(over)
            self._cover()

    def _cover(self) -> None:
        """The silences have changed: what fires and is covered no more is told now."""
        wall = self._clock.now()
        for alert in self._active.values():
            if alert.state != "firing":
                continue
            before, alert.silenced_by = alert.silenced_by, self._silence_of(alert, wall)
            if before == alert.silenced_by:
                continue
            if alert.silenced_by is None and not alert.told:
                self._announce(alert, self._rules[alert.rule])
            else:
                self._store.save([alert])
                self._told.append(AlertUpdate(alert.as_dict()))

    def _measure(self, alert: Alert, settings: AlertSettings) -> None:
        """Take over what the rule sees now."""
        track = self._evaluation.track(alert.rule, alert.subject)
        if track is not None:
            if track.value is not None:
                alert.value = track.value
            alert.peak = track.peak
        alert.summary = summary_of(settings, alert)

    def _refresh(self) -> None:
        for alert in self._active.values():
            self._measure(alert, self._rules[alert.rule])

    def _note_result(self, numbers: list[int], channel: str, result: str) -> None:
        """What became of a message, in the thread of its lane."""
        note = {"at": iso_utc(self._clock.now()), "channel": channel, "result": result}
        with self._lock:
            for alert in self._active.values():
                if alert.id in numbers:
                    alert.last_notification = note
                    self._told.append(AlertUpdate(alert.as_dict()))
            self._store.note(numbers, note)
        self._tell()

    def _event(self, alert: Alert, text: str) -> None:
        severity = EVENT_SEVERITY[alert.severity] if alert.state == "firing" else "info"
        data = {
            "alert": str(alert.id), "rule": alert.rule, "state": alert.state, "severity": alert.severity,
            "value": alert.value, "threshold": alert.threshold,
        }  # fmt: skip
        self._told.append(Event("alert", alert.subject, self._clock.now(), f"{alert.label}: {text}", severity, data))

    def _tell(self) -> None:
        """Tell what has changed, without the lock: who listens may ask us."""
        with self._lock:
            told, self._told = self._told, []
        for message in told:
            if isinstance(message, Event):
                self._emit(message)
            else:
                self._bus.publish(message)

    def _wall(self, at: float) -> float:
        """The wall time of a monotonic one."""
        return at + self._clock.now() - self._clock.monotonic()


def condition_of(rule: Rule) -> str:
    """What tells two versions of a rule apart, over restarts."""
    hours = sorted(rule.hours.days), rule.hours.start_minute, rule.hours.end_minute
    parts = [getattr(rule, name) for name in Rule.__slots__ if name not in ("hours", "words")]
    return f"{zlib.crc32(repr((parts, sorted(rule.words), hours)).encode()):08x}"
