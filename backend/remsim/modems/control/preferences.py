"""Technologies and bands, in one change that makes the modem search at most once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from remsim.core.errors import Conflict, InvalidInput, NotTaken
from remsim.core.forms import Choice, Form, Several
from remsim.core.jobs import Job
from remsim.modems.control.change import Change, ChangeForm
from remsim.modems.control.target import Target
from remsim.modems.drivers.abilities import BAND_FIELDS, SELECTIONS, Answers, RadioPreferences

WRITE_S = 30.0
FIELD_LABELS = {"mode": "Technology", "nr5g_mode": "Kinds of 5G", "iot_mode": "Kinds of LTE"}
MOST_TOLD = 6
EMPTY_HELP = "None selected: all of them"
STEADY: WeakKeyDictionary[RadioPreferences, dict[str, Any]] = WeakKeyDictionary()
"""Each session's driver has preferences of its own, so they stand for the session."""


class RadioSettings(Change):
    """What a form does not name stays as it is; an empty list of bands means all."""

    name = "radio-settings"
    label = "Choose technology and bands"
    group = "radio"
    help = "The modem looks for a cell anew. A choice without service is undone by itself."
    cuts = "Its connection is gone for 5 to 60 seconds."
    remembers = True

    def missing(self, target: Target) -> str | None:
        """Takes a family whose commands are known, and an AT port."""
        if target.driver.radio_preferences is None:
            return "How this modem chooses technologies and bands is not known."
        return target.without_at

    def form(self, target: Target) -> Form:
        """The choices of this very modem."""
        preferences = preferences_of(target)
        answers = ask(target, preferences)
        choices, bands = preferences.choices(answers), bands_of(target, preferences, answers)
        if not choices and not bands:
            raise Conflict(f"{target.id} does not tell what it can choose from", code="not_offered")
        fields: dict[str, Any] = {}
        for name, offered in choices.items():
            labels = {value: SELECTIONS[name][value] for value in offered}
            fields[name] = Choice(labels, metadata={"label": FIELD_LABELS[name]})
        allowed = preferences.allowed(answers)
        for name, numbers in bands.items():
            metadata = {"label": BAND_FIELDS[name], "help": band_help(numbers, allowed.get(name))}
            fields[name] = Several({number: band_name(name, number) for number in numbers}, metadata=metadata)
        form: Form = ChangeForm.from_dict(fields, name="RadioForm")()  # type: ignore[assignment]
        return form

    def title(self, target: Target, values: Mapping[str, Any]) -> str:
        """What is chosen."""
        told = [self.words(name, value) for name, value in values.items() if name in (*SELECTIONS, *BAND_FIELDS)]
        return f"Choose {', '.join(told)}" if told else self.label

    def words(self, name: str, value: Any) -> str:
        """A choice or a list in words; of a long list how many."""
        if name in SELECTIONS:
            label = FIELD_LABELS[name]
            return f"{label[0].lower()}{label[1:]}: {SELECTIONS[name].get(value, value or 'not told')}"
        if value is None:
            return f"{BAND_FIELDS[name]}: not told"
        if len(value) > MOST_TOLD:
            return f"{len(value)} {BAND_FIELDS[name]}"
        return f"{BAND_FIELDS[name]} {', '.join(map(str, value)) or 'all'}"

    def read(self, target: Target) -> dict[str, Any]:
        """What is in force, and ``every``: the bands there are, to know what all of them means."""
        preferences = preferences_of(target)
        answers = ask(target, preferences)
        state = preferences.state(answers)
        if not state:
            raise NotTaken(f"{target.id} does not tell its technologies and bands")
        return {**state, "every": bands_of(target, preferences, answers)}

    def current(self, target: Target) -> Mapping[str, Any]:
        """The choices and lists alone."""
        return {name: value for name, value in self.read(target).items() if name != "every"}

    def is_taken(self, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
        """An empty list is all bands; of a technology that is not chosen the modem may tell no bands."""
        return all(is_so(name, value, found) for name, value in wanted.items() if name != "every")

    def apply(self, target: Target, values: Mapping[str, Any], job: Job) -> None:
        """Send what differs only."""
        preferences = preferences_of(target)
        answers = ask(target, preferences)
        every = bands_of(target, preferences, answers)
        found = {**preferences.state(answers), "every": every}
        wanted = {name: value for name, value in values.items() if name != "every" and not is_so(name, value, found)}
        if not wanted:
            return
        must_have(preferences.choices(answers), every, wanted)
        told = preferences.bands(answers)
        for name in [name for name, bands in every.items() if wanted.get(name) == [] and bands != told.get(name)]:
            wanted[name] = every[name]  # the modem itself has forgotten what all of them are
        commands = preferences.commands(wanted, answers)
        for number, command in enumerate(commands):
            job.report(0.2 + 0.6 * number / len(commands), "telling the modem")
            target.send(command, timeout_s=WRITE_S)
        target.hasten("REG?", "COPS", "CFUN")

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """As every change; the answer without what was only needed on the way."""
        result = super().run(target, values, job)
        return {name: value for name, value in result.items() if name != "every"}

    def not_taken(self, target: Target, wanted: Mapping[str, Any], found: Mapping[str, Any]) -> NotTaken:
        """With the bands that the carrier's profile allows, when it is at fault."""
        error = super().not_taken(target, wanted, found)
        preferences = preferences_of(target)
        allowed = preferences.allowed(ask(target, preferences))
        for name, bands in allowed.items():
            if set(wanted.get(name) or ()) - set(bands):
                error.hint = f"the carrier's profile allows {BAND_FIELDS[name]} {', '.join(map(str, bands))} only"
        return error


def must_have(choices: Mapping[str, list[str]], bands: Mapping[str, list[int]], wanted: Mapping[str, Any]) -> None:
    """``InvalidInput`` for what this modem has not: another firmware may have less than when it was chosen."""
    for name, value in wanted.items():
        if name in BAND_FIELDS:
            if lacking := sorted(set(value) - set(bands.get(name, ()))):
                raise InvalidInput(f"this modem has no {BAND_FIELDS[name]} {', '.join(map(str, lacking))}", field=name)
        elif value not in choices.get(name, ()):
            raise InvalidInput(f"this modem cannot: {SELECTIONS[name].get(value, str(value))}", field=name)


def is_so(name: str, wanted: Any, found: Mapping[str, Any]) -> bool:
    """Whether one field is as wanted."""
    if name not in BAND_FIELDS:
        return bool(found.get(name) == wanted)
    if name not in found:
        return "mode" in found  # bands of a technology that is off are not told
    if not wanted:
        return set(found[name]) >= set(found["every"].get(name) or found[name])
    return sorted(found[name]) == sorted(wanted)


def ask(target: Target, preferences: RadioPreferences) -> Answers:
    """The answers to everything the family's knowledge rests on; what stays the same is asked once a session."""
    target.unlock(preferences.password)
    known = STEADY.setdefault(preferences, {})
    answers: dict[str, Any] = {}
    for command in preferences.asks:
        answers[command] = known.get(command) or target.offered(command)
        if command in preferences.steady and answers[command] is not None:
            known[command] = answers[command]
    return answers


def bands_of(target: Target, preferences: RadioPreferences, answers: Answers) -> dict[str, list[int]]:
    """The bands that this modem tells now, and those that it told before."""
    return target.means.seen_bands.widened(target.id, target.modem.identity.get("revision"), preferences.bands(answers))


def preferences_of(target: Target) -> RadioPreferences:
    """The ability of a modem that has it."""
    preferences = target.driver.radio_preferences
    assert preferences is not None
    return preferences


def band_name(field: str, number: int) -> str:
    """``B3``, on 5G ``n78``."""
    return f"n{number}" if "nr" in field else f"B{number}"


def band_help(bands: list[int], allowed: list[int] | None) -> str:
    """What an empty list means, and what the carrier's profile leaves out."""
    left_out = sorted(set(bands) - set(allowed)) if allowed else []
    if not left_out:
        return EMPTY_HELP
    return f"{EMPTY_HELP}. The carrier's profile leaves out {', '.join(map(str, left_out))}"
