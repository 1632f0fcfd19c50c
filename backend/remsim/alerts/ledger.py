"""What fires and what waits: begun, told, silenced, acknowledged, ended, and kept so that a restart changes nothing.

What one look changes is written in one transaction, alerts and the messages about them together; only then is it told.
"""

from __future__ import annotations

import zlib
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from remsim.alerts.alert import SEVERITY_RANK, Alert, AlertUpdate, Silence
from remsim.alerts.definitions import summary_of, unit_of
from remsim.alerts.outbox import Outbox
from remsim.alerts.store import AlertStore, Waiting, is_news
from remsim.config.alerting import AlertSettings
from remsim.config.channels import ChannelSettings
from remsim.core.clock import FIRST_TRUSTED, SET_S, Clock, iso_utc
from remsim.core.errors import Conflict, InvalidInput, NotFound
from remsim.core.events import Event
from remsim.telemetry.rules.evaluation import Evaluation
from remsim.telemetry.rules.rule import Rule, Transition

MOST_ACTIVE = 2000
MOST_SILENCES = 200
KEEP_S = 60.0
"""A wait that is younger than this is not worth a write to flash; older ones outlive a power cut."""
TELL_S = 2.0
"""A wait that is younger is told on no page: a value on the edge begins one each second."""
EVENT_SEVERITY = {"info": "info", "warning": "warning", "critical": "error"}
QUIET_TYPES = ("browser",)
"""Channels that send nothing: the pages hear of alerts on the stream."""
CHANGED, REMOVED = "the rule was changed", "the rule was removed or switched off"
Key = tuple[str, str]


class Ledger:
    """Alerts and silences. One thread at a time; after each change ``flush`` keeps it and says what is to be told."""

    def __init__(self, store: AlertStore, evaluation: Evaluation, outbox: Outbox, clock: Clock) -> None:
        self._store, self._evaluation, self._outbox, self._clock = store, evaluation, outbox, clock
        self._rules: dict[str, AlertSettings] = {}
        self._channels: dict[str, ChannelSettings] = {}
        self._active: dict[Key, Alert] = {}
        self._silences: dict[int, Silence] = {}
        self._repeat_at: dict[Key, float] = {}
        self._kept: set[int] = set()
        self._young: deque[tuple[float, Key, int]] = deque()
        self._shown: set[int] = set()
        self._unsaved: dict[int, Alert] = {}
        self._unsent: list[Waiting] = []
        self._dropped: list[int] = []
        self._told: list[AlertUpdate | Event] = []
        self._offset = clock.now() - clock.monotonic()
        self._keep_at = clock.monotonic() + KEEP_S
        self._next_id = self._next_message = 1

    # --- rules and restarts ---

    def take_rules(self, rules: Iterable[AlertSettings], channels: Iterable[ChannelSettings]) -> None:
        """Have these from now on. What goes on has the words of today; what is ended by it comes with ``moved``."""
        self._rules = {one.name: one for one in rules}
        self._channels = {one.name: one for one in channels}
        for alert in self._active.values():
            if (settings := self._rules.get(alert.rule)) is not None:
                alert.label, alert.severity = settings.label or settings.name, settings.severity

    def resume(self, alerts: list[Alert], silences: Iterable[Silence], waiting: Iterable[Waiting]) -> None:
        """Go on from the file: what was not over goes on, or ends when its rule is not what it was."""
        self._silences = {one.id: one for one in silences}
        self._next_id = max((one.id for one in alerts), default=0) + 1
        self._next_message = max((one.id for one in waiting), default=0) + 1
        now, wall = self._clock.monotonic(), self._clock.now()
        for alert in alerts:
            if not alert.is_active:
                continue
            self._kept.add(alert.id)
            self._shown.add(alert.id)
            settings, track = self._rules.get(alert.rule), self._evaluation.track(alert.rule, alert.subject)
            if settings is None or track is None or alert.condition != condition_of(track.rule):
                self._end(alert, wall, CHANGED if settings else REMOVED)
                continue
            since = now - max(wall - alert.since, 0.0)
            fired_at = None if alert.fired_at is None else now - max(wall - alert.fired_at, 0.0)
            track.restore(alert.state, since, fired_at, alert.peak)
            self._active[alert.rule, alert.subject] = alert
            self._plan_repeat(alert, settings)

    def flush(self) -> list[AlertUpdate | Event]:
        """Keep what has changed, in one go; only then may it be sent, and told."""
        unsent, self._unsent = self._unsent, []
        has_ended = any(not one.is_active for one in self._unsaved.values())
        self._store.save(self._unsaved.values(), unsent)
        self._store.drop(self._dropped)
        if has_ended:
            self._store.trim()
        self._unsaved, self._dropped = {}, []
        self._outbox.put(unsent)
        told, self._told = self._told, []
        return told

    def keep_all(self) -> None:
        """The service ends: waits are kept too, however young."""
        self._store.save(self._active.values())

    # --- what the evaluation says ---

    def moved(self, transitions: Iterable[Transition]) -> None:
        """Rules have moved on."""
        for one in transitions:
            key = (one.track.rule.name, one.track.subject)
            if one.to == "pending":
                self._begin(key, one)
            elif one.to == "firing":
                self._fire(self._active.get(key) or self._begin(key, one), one)
            elif (alert := self._active.pop(key, None)) is not None:
                self._repeat_at.pop(key, None)
                if one.track.value is not None:
                    alert.value = one.track.value
                alert.peak = one.track.peak
                self._end(alert, self._wall(one.at), one.reason)

    def _begin(self, key: Key, moved: Transition) -> Alert | None:
        settings = self._rules.get(key[0])
        if settings is None or len(self._active) >= MOST_ACTIVE:
            return None
        alert = Alert(
            self._next_id, settings.name, key[1], settings.label or settings.name, settings.severity, "pending",
            self._wall(moved.track.since or moved.at), condition_of(moved.track.rule), threshold=settings.threshold,
            unit=unit_of(settings.measure, settings.source), source=settings.source, measure=settings.measure,
        )  # fmt: skip
        self._next_id += 1
        self._active[key] = alert
        self._young.append((self._clock.monotonic() + TELL_S, key, alert.id))
        return alert

    def _fire(self, alert: Alert | None, moved: Transition) -> None:
        if alert is None:
            return
        settings = self._rules[alert.rule]
        alert.state, alert.fired_at = "firing", self._wall(moved.at)
        self._kept.add(alert.id)
        alert.silenced_by = self._silence_of(alert)
        self._announce(alert, settings)
        self._tell_journal(alert, alert.summary)

    def _end(self, alert: Alert, wall: float, reason: str | None) -> None:
        """It is over; a wait that came to nothing is forgotten."""
        alert.state, alert.resolved_at, alert.reason = "resolved", wall, reason
        if alert.fired_at is not None:
            self._keep(alert)
            self._tell_journal(alert, f"over: {alert.summary}" + (f" ({reason})" if reason else ""))
        elif alert.id in self._kept:
            self._dropped.append(alert.id)
        self._kept.discard(alert.id)
        if alert.id in self._shown:
            self._shown.discard(alert.id)
            self._told.append(AlertUpdate(alert.as_dict()))

    def _show(self, alert: Alert) -> None:
        """Have the pages hear of an alert."""
        self._shown.add(alert.id)
        self._told.append(AlertUpdate(alert.as_dict()))

    # --- who is told ---

    def _announce(self, alert: Alert, settings: AlertSettings) -> None:
        """Have a firing alert kept and told as it is now."""
        self._measure(alert, settings)
        self._keep(alert)
        self._plan_repeat(alert, settings)
        self._show(alert)

    def _keep(self, alert: Alert) -> None:
        self._unsent += self._messages(alert)
        self._unsaved[alert.id] = alert

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

    def _plan_repeat(self, alert: Alert, settings: AlertSettings) -> None:
        if settings.repeat_s and alert.state == "firing" and alert.acknowledged_by is None:
            self._repeat_at[alert.rule, alert.subject] = self._clock.monotonic() + settings.repeat_s

    def _repeat(self, now: float) -> None:
        for key in [key for key, at in self._repeat_at.items() if at <= now]:
            del self._repeat_at[key]
            self._announce(self._active[key], self._rules[key[0]])

    def note(self, numbers: list[int], note: dict[str, Any]) -> None:
        """What became of the last message about alerts."""
        over = set(numbers)
        for alert in self._active.values():
            if alert.id in over:
                over.discard(alert.id)
                if is_news(note, alert.last_notification):  # a receiver that is off all day wears no flash
                    self._unsaved[alert.id] = alert
                alert.last_notification = note
                self._told.append(AlertUpdate(alert.as_dict()))
        self._store.note(over, note)

    def _tell_journal(self, alert: Alert, text: str) -> None:
        severity = EVENT_SEVERITY[alert.severity] if alert.state == "firing" else "info"
        data = {
            "alert": str(alert.id), "rule": alert.rule, "state": alert.state, "severity": alert.severity,
            "value": alert.value, "threshold": alert.threshold,
        }  # fmt: skip
        self._told.append(Event("alert", alert.subject, self._clock.now(), f"{alert.label}: {text}", severity, data))

    # --- what people do ---

    def acknowledge(self, number: str, actor: str) -> dict[str, Any]:
        """Somebody takes care of it: nobody is told again before it ends."""
        alert = next((one for one in self._active.values() if str(one.id) == number), None)
        if alert is None:
            if any(str(one.id) == number for one in self._store.ended()):
                raise Conflict("this alert is over", field="id")
            raise NotFound(f"there is no alert {number[:20]!r}", field="id")
        if alert.state != "firing":
            raise Conflict("this alert does not fire yet", field="id")
        if alert.acknowledged_by is None:
            alert.acknowledged_by, alert.acknowledged_at = actor, self._clock.now()
            self._repeat_at.pop((alert.rule, alert.subject), None)
            self._unsaved[alert.id] = alert
        self._told.append(AlertUpdate(alert.as_dict()))
        return alert.as_dict()

    def silence(self, rule: str | None, modem: str | None, until: float, comment: str, actor: str) -> dict[str, Any]:
        """Have nobody told of some alerts until a time."""
        if until <= self._clock.now():
            raise InvalidInput("until is not in the future", field="until")
        if rule is not None and rule not in self._rules:
            raise InvalidInput(f"there is no rule {rule[:40]!r} in use", field="rule")
        if len(self._silences) >= MOST_SILENCES:
            raise Conflict(f"there are {MOST_SILENCES} silences already", field="until", hint="remove some")
        silence = Silence(max(self._silences, default=0) + 1, rule, modem, until, comment, actor)
        self._silences[silence.id] = silence
        self._store.put_silence(silence)
        self._cover()
        return silence.as_dict()

    def unsilence(self, number: int) -> None:
        """End a silence: what fires still is told now."""
        if self._silences.pop(number, None) is None:
            raise NotFound(f"there is no silence {number}", field="id")
        self._store.drop_silences([number])
        self._cover()

    def _silence_of(self, alert: Alert) -> int | None:
        wall = self._clock.now()
        return next((one.id for one in self._silences.values() if one.until > wall and one.covers(alert)), None)

    def _cover(self) -> None:
        """The silences have changed: what fires and is covered no more is told now, unless it was before."""
        for alert in self._active.values():
            if alert.state != "firing":
                continue
            before, alert.silenced_by = alert.silenced_by, self._silence_of(alert)
            if before is not None and alert.silenced_by is None and not alert.told:
                self._announce(alert, self._rules[alert.rule])
            elif before != alert.silenced_by:
                self._unsaved[alert.id] = alert
                self._told.append(AlertUpdate(alert.as_dict()))

    # --- time ---

    def tick(self) -> None:
        """What time alone changes: repeats, silences that are over, waits worth keeping, a clock that was set."""
        now, wall = self._clock.monotonic(), self._clock.now()
        self._mind_clock(wall - now)
        over = [number for number, one in self._silences.items() if one.until <= wall]
        if over:
            for number in over:
                del self._silences[number]
            self._store.drop_silences(over)
            self._cover()
        self._repeat(now)
        while self._young and self._young[0][0] <= now:
            _, key, number = self._young.popleft()
            alert = self._active.get(key)
            if alert is not None and alert.id == number and alert.state == "pending":
                self._measure(alert, self._rules[alert.rule])
                self._show(alert)
        if now >= self._keep_at:
            self._keep_at = now + KEEP_S
            self._keep_waits(now)

    def due(self) -> float | None:
        """When ``tick`` has something to do."""
        now, wall = self._clock.monotonic(), self._clock.now()
        times = [*self._repeat_at.values(), *(now + one.until - wall for one in self._silences.values())]
        if self._active:
            times.append(self._keep_at)
        if self._young:
            times.append(self._young[0][0])
        return min(times, default=None)

    def _keep_waits(self, now: float) -> None:
        """Write down what has waited for a while, and what a refusing disk did not take."""
        for alert in self._active.values():
            is_old = alert.id not in self._kept and self._wall(now) - alert.since >= KEEP_S
            if is_old or self._store.problem:
                self._unsaved[alert.id] = alert
                self._kept.add(alert.id)

    def _mind_clock(self, offset: float) -> None:
        """When the wall clock was set, what began before gets its true time, and silences theirs."""
        jump, self._offset = offset - self._offset, offset
        if abs(jump) <= SET_S or self._clock.now() < FIRST_TRUSTED:
            return
        for alert in self._active.values():
            if alert.since < FIRST_TRUSTED:
                alert.since += jump
            if alert.fired_at is not None and alert.fired_at < FIRST_TRUSTED:
                alert.fired_at += jump
        for silence in list(self._silences.values()):
            if silence.until < FIRST_TRUSTED:
                self._silences[silence.id] = replace(silence, until=silence.until + jump)
                self._store.put_silence(self._silences[silence.id])

    def _wall(self, at: float) -> float:
        """The wall time of a monotonic one."""
        return at + self._clock.now() - self._clock.monotonic()

    # --- what people see ---

    def views(self, ended: int) -> list[dict[str, Any]]:
        """Those that fire first, the worst first; then those that wait, and the last that ended."""
        for alert in self._active.values():
            self._measure(alert, self._rules[alert.rule])
        active = sorted(
            self._active.values(),
            key=lambda one: (one.state != "firing", -SEVERITY_RANK[one.severity], -(one.fired_at or one.since)),
        )
        return [one.as_dict() for one in (*active, *self._store.ended(ended))]

    def summary(self) -> dict[str, Any]:
        """How many there are, and how bad the worst that fires is."""
        severities = [one.severity for one in self._active.values() if one.state == "firing"]
        worst = max(severities, key=SEVERITY_RANK.__getitem__, default=None)
        return {"firing": len(severities), "pending": len(self._active) - len(severities), "worst": worst}

    def counts(self) -> dict[tuple[str, str], int]:
        """How many there are of each state (``firing``, ``pending``) and severity."""
        return Counter((one.state, one.severity) for one in self._active.values())

    def silences(self) -> list[dict[str, Any]]:
        """The silences in force."""
        now = self._clock.now()
        return [one.as_dict() for one in self._silences.values() if one.until > now]

    def subjects(self) -> set[str]:
        """Whom alerts are about."""
        return {subject for _, subject in self._active}

    def _measure(self, alert: Alert, settings: AlertSettings) -> None:
        """Take over what the rule sees now."""
        track = self._evaluation.track(alert.rule, alert.subject)
        if track is not None:
            if track.value is not None:
                alert.value = track.value
            alert.peak = track.peak
        alert.summary = summary_of(settings, alert)


def condition_of(rule: Rule) -> str:
    """What tells two versions of a rule apart, over restarts."""
    hours = sorted(rule.hours.days), rule.hours.start_minute, rule.hours.end_minute
    parts = [getattr(rule, name) for name in Rule.__slots__ if name not in ("hours", "words")]
    return f"{zlib.crc32(repr((parts, sorted(rule.words), hours)).encode()):08x}"


def note_of(channel: str, result: str, wall: float) -> dict[str, Any]:
    """What became of a message."""
    return {"at": iso_utc(wall), "channel": channel, "result": result}
