"""What an answer is, and the small ones every table is made of.

A body of ``None`` is ERROR, a number is that ``+CME ERROR``, text is the answer before OK, a ``Final`` ends otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import field
from typing import Any

from remsim.core.small_dataclass import dataclass
from remsim.simulator.encode.errors import NOT_ALLOWED
from remsim.simulator.state import ModemState


@dataclass(frozen=True, slots=True)
class Final:
    """An answer that does not end with OK or ``+CME ERROR``: ``line`` ends it, none at all when it is empty.

    ``prompted`` is for a command that waits for a text behind ``> ``: what to do with the text.
    """

    line: str
    text: str = ""
    prompted: Callable[[str], Body] | None = None


Body = str | int | None | Final
Settings = dict[str, int]
Answer = Callable[[ModemState, Settings], Body]
Setter = Callable[[ModemState, Settings, list[str]], Body]

ARGUMENT = re.compile(r'\s*("(?:[^"]*)"|[^",]*)\s*(?:,|$)')
NEVER = Final("")
"""OK that never comes: the modem leaves the bus instead."""


@dataclass(frozen=True, slots=True)
class Table:
    """Commands known whole, and by ``NAME=`` those that take arguments."""

    whole: dict[str, Answer] = field(default_factory=dict)
    setters: dict[str, Setter] = field(default_factory=dict)

    def __or__(self, other: Table) -> Table:
        return Table(self.whole | other.whole, self.setters | other.setters)


def cms(number: int) -> Final:
    """A ``+CMS ERROR``."""
    return Final(f"+CMS ERROR: {number}")


def arguments(text: str) -> list[str]:
    """The parts between commas, without quotes."""
    found: list[str] = []
    position = 0
    while position <= len(text):
        match = ARGUMENT.match(text, position)
        if match is None:
            return [*found, text[position:]]
        found.append(match[1].strip().strip('"'))
        if match.end() == len(text) and not match[0].endswith(","):
            return found
        position = match.end()
    return found


def constant(text: str) -> Answer:
    """Always the same."""
    return lambda state, settings: text


def of_state(text: Callable[[ModemState], Body]) -> Answer:
    """From the modem's state alone."""
    return lambda state, settings: text(state)


def of_sim(text: Callable[[ModemState], str]) -> Answer:
    """From the SIM, which must be there and not busy."""

    def answer(state: ModemState, settings: Settings) -> Body:
        error = state.sim_error(open_needed=False)
        return text(state) if error is None else error

    return answer


def kept(name: str, default: str, *choices: str) -> tuple[Answer, Setter]:
    """A setting the device keeps: its read form without a prefix, and its set form."""

    def read(state: ModemState, settings: Settings) -> Body:
        return str(state.settings.get(name, default))

    def write(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
        text = ",".join(arguments)
        if choices and text not in choices:
            return None
        state.settings[name] = text
        return ""

    return read, write


def setting(command: str, default: str, *choices: str, blank: str = " ") -> Table:
    """``AT+NAME?`` and ``AT+NAME=`` of a setting that outlives a reset."""
    read, write = kept(command, default, *choices)

    def prefixed(state: ModemState, settings: Settings) -> Body:
        return f"{command}:{blank}{read(state, settings)}"

    return Table({f"AT{command}?": prefixed}, {f"AT{command}=": write})


def refusing(setter: Setter) -> Setter:
    """A setting of the radio, which the fault ``refuses_mode`` makes the modem refuse."""

    def write(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
        return NOT_ALLOWED if "refuses_mode" in state.faults else setter(state, settings, arguments)

    return write


def changes_only(setter: Setter) -> Setter:
    """The same for commands that tell with a name alone and set with more."""
    refused = refusing(setter)
    return lambda state, settings, arguments: (refused if len(arguments) > 1 else setter)(state, settings, arguments)


def bands_of(text: str, separator: str, known: frozenset[int]) -> frozenset[int] | None:
    """A list of bands, all of which the modem has; ``0`` is all of them. None when it is no such list."""
    if text == "0":
        return known
    numbers = text.split(separator)
    if not all(number.isascii() and number.isdigit() for number in numbers):
        return None
    found = frozenset(map(int, numbers))
    return found if found <= known else None


def listed(bands: Any, separator: str = ":") -> str:
    """Bands in order."""
    return separator.join(map(str, sorted(bands)))
