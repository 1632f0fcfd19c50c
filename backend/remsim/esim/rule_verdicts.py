"""What each rule comes to: it switches, waits, holds, is blocked, and why.

Of a modem's rules the first in the order of priority that is so decides. One whose reason is to be on its profile
(country, hours, data left) keeps it there: rules behind it wait.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from remsim.config.esim_rules import EsimRuleSettings, wrong_with
from remsim.core.errors import NotFound
from remsim.core.small_dataclass import dataclass
from remsim.esim import rule_conditions as conditions
from remsim.esim.room import Room
from remsim.esim.rule_log import BLOCKED, RuleLog
from remsim.telemetry.rules.evaluation import Evaluation
from remsim.telemetry.rules.rule import Track, Value


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule comes to now. ``decision``: see ``docs/esim.md``."""

    rule: EsimRuleSettings
    decision: str
    why: str
    value: Value = None
    is_so: bool | None = None
    since: float | None = None


class Judge:
    """Judges rules. ``currency`` is that of each modem's plan; until ``put_off`` none of it begins a switch."""

    def __init__(self, room: Room, log: RuleLog) -> None:
        self._room, self._log = room, log
        self.currency: dict[str, str | None] = {}
        self.put_off: dict[str, float] = {}

    def enabled(self, modem: str) -> dict[str, Any] | None:
        """The profile in use, as the card was last read."""
        card = self._room.cards.of(modem)
        return None if card is None else next((one for one in card["profiles"] if one["state"] == "enabled"), None)

    def verdicts(self, rules: Iterable[EsimRuleSettings], evaluation: Evaluation, at: float) -> list[Verdict]:
        """Of a modem's rules, in their order; one at most says ``switches``."""
        found: list[Verdict] = []
        holding: Verdict | None = None
        for rule in rules:
            track = evaluation.track(rule.name, rule.modem) if is_in_use(rule) else None
            verdict = self._verdict(rule, track, holding, at)
            found.append(verdict)
            if verdict.decision in ("holds", "switches") and holding is None:
                holding = verdict
        return found

    def _verdict(
        self, rule: EsimRuleSettings, track: Track | None, holding: Verdict | None, at: float
    ) -> Verdict:
        room = self._room
        if track is None:
            wrong = wrong_with(rule)
            return Verdict(rule, "off", f"it cannot be heeded: {wrong}" if wrong else "the rule is switched off")
        wall = room.clock.now()
        is_so = track.state != "ok" if track.is_known else None
        since = wall - (at - track.since) if track.state != "ok" and track.since is not None else None
        words = conditions.told(rule, track.value if track.is_known else None, self.currency.get(rule.modem))

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
        enabled = self.enabled(rule.modem)
        if enabled is not None and enabled["id"] == rule.profile:
            if rule.when in conditions.LEAVING:
                return comes_to("not_so", f"{words}, but {name} is in use already")
            return comes_to("holds", f"{words}, and {name} is in use")
        if rule.only_from and (enabled is None or enabled["id"] != rule.only_from):
            return comes_to("not_so", f"{words}, but another profile is in use than the rule is for")
        if track.state == "pending":
            left_s = rule.for_s - (at - (track.since or at))
            return comes_to("waits", f"{words}; {conditions.duration(max(left_s, 1))} more, then to {name}")
        if enabled is not None and "cannot_disable" in enabled["policy"]:
            return comes_to("blocked", f"{words}, but the operator of {enabled['name']} does not let it be disabled")
        if holding is not None:
            return comes_to("waits", f"{words}, but {holding.rule.label or holding.rule.name} comes first")
        return comes_to(*self._may(rule, words, name, at))

    def _may(self, rule: EsimRuleSettings, words: str, name: str, at: float) -> tuple[str, str]:
        """Whether a rule that is so may switch now, and why not."""
        rested_s, count = self._log.rested_s(rule.modem), self._log.count_of(rule.name)
        if rule.only_tell:
            return "would_switch", f"{words}; it would switch to {name}"
        if count >= rule.most_per_day:
            return "blocked", f"{words}, but it has switched {count} times in 24 hours, which is its limit"
        job = self._room.job_of(rule.modem)
        if job is not None:
            return "waits", f"{words}, but {rule.modem} is busy: {job.title}"
        if rested_s is not None and rested_s < rule.cooldown_s:
            left = conditions.duration(rule.cooldown_s - rested_s)
            return "waits", f"{words}, but {rule.modem} was switched a while ago and rests for {left} more"
        if self.put_off.get(rule.modem, 0.0) > at:
            last = self._log.last_of(rule.name)
            why = last.data["why"] if last is not None and last.decision == BLOCKED else "it could not be begun"
            return "blocked", str(why)
        return "switches", f"{words}: to {name}"


def is_in_use(rule: EsimRuleSettings) -> bool:
    """Whether a rule is heeded: a file that somebody edited may have one that makes no sense."""
    return rule.enabled and wrong_with(rule) is None
