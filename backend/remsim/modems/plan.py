"""Which commands a round asks: the fast ones always, the slow ones one by one, and how long to wait till the next.

Some slow ones are asked once a session, for they tell what does not change, and some only while their answer is wanted.
"""

from __future__ import annotations

import math
from typing import Any

from remsim.modems.drivers.base import DOMAINS, Driver

MOST_BACKOFF_S = 60.0
LATE_SHARE = 0.8
TIMEOUT_S = 3.0
PATIENT_TIMEOUT_S = 10.0
REFUSALS = 3
REFUSED_EVERY_S = 600.0
"""A slow command that was refused so often in a row is asked only so often: most likely the module has none such."""
CIRCUMSTANCES = ("sim_state", "cfun", "state", "mode", "rat", *DOMAINS)
"""Once one of these changes, what was refused before may be answered."""
ALWAYS_ASKED = ("AT+CPIN?", "AT+CFUN?")
"""Some modems refuse these until a card or the radio is there, and nothing else tells when that is."""


class PollingPlan:
    """The rounds of one modem. ``period_s`` is the user's wish, ``effective_s`` what the modem stands.

    The period doubles when a round fails or takes most of it, up to a minute; it halves after a round that would have
    fitted into the half, so a modem that is always slow settles and one that recovered is soon back.
    """

    def __init__(self, driver: Driver, period_s: float | None) -> None:
        self._driver = driver
        self._due: dict[str, float] = dict.fromkeys((*driver.slow_commands, *driver.once_commands), 0.0)
        self._due |= dict.fromkeys(driver.occasional_commands, -1.0)  # first of all, once they are wanted
        self._values: dict[str, dict[str, Any]] = {}
        self._refusals: dict[str, int] = {}
        self._is_first = True
        self.period_s = period_s
        self.effective_s = period_s
        self.timeout_s = TIMEOUT_S

    def set_period(self, period_s: float | None) -> None:
        """The user's new wish; it also ends a back-off."""
        self.period_s = self.effective_s = period_s

    def commands(self, now: float) -> list[str]:
        """This round's commands: the fast ones and one slow one that is due (at first the SIM and registration)."""
        unwanted = self._unwanted()
        due = sorted(
            (command for command, at in self._due.items() if at <= now and command not in unwanted),
            key=lambda command: self._due[command],
        )
        slow = due[: 2 if self._is_first else 1]
        self._is_first = False
        for command in slow:
            self._due[command] = now + self._driver.slow_every_s
        return [*slow, *self._driver.fast_commands]

    def hasten(self, *words: str) -> None:
        """Ask the slow commands that contain one of ``words`` in the next rounds."""
        for command in self._due:
            if any(word in command for word in words):
                self._due[command] = -1.0  # before those that were never asked

    def learned(self, command: str, values: dict[str, Any] | None) -> None:
        """The values of a command's newest answer; None forgets the old ones."""
        if command in self._driver.once_commands:
            self._due[command] = math.inf
        before = self._values.get(command)
        if values and before and any(values.get(name) != before.get(name) for name in CIRCUMSTANCES):
            self._pardon()
        self._count_refusals(command, values)
        if values is None:
            self._values.pop(command, None)
        else:
            self._values[command] = values

    def merged(self) -> dict[str, Any]:
        """The newest values of all commands; the fast ones win, for they are the newest."""
        merged: dict[str, Any] = {}
        driver = self._driver
        rarely = (*driver.once_commands, *driver.occasional_commands)
        for command in (*rarely, *driver.slow_commands, *driver.fast_commands):
            for name, value in self._values.get(command, {}).items():
                if isinstance(value, dict) and isinstance(merged.get(name), dict):
                    merged[name] = merged[name] | {key: item for key, item in value.items() if item is not None}
                elif value is not None or name not in merged or command in self._driver.fast_commands:
                    merged[name] = value
        return merged

    def finished(self, took_s: float, slowest_s: float) -> None:
        """A round was answered, in ``took_s``; its slowest answer took ``slowest_s``."""
        if slowest_s < TIMEOUT_S * LATE_SHARE:
            self.timeout_s = TIMEOUT_S
        if self.period_s is None or self.effective_s is None:
            return
        if took_s > LATE_SHARE * self.effective_s:
            self._stretch()
            return
        shorter_s = max(self.effective_s / 2, self.period_s)
        if took_s <= LATE_SHARE * shorter_s:
            self.effective_s = shorter_s

    def failed(self) -> None:
        """An answer did not come in time: ask less often and wait longer, it may only be late."""
        self.timeout_s = PATIENT_TIMEOUT_S
        self._stretch()

    def _unwanted(self) -> set[str]:
        """The commands whose answer nobody wants as things are; what they said before is forgotten."""
        if not self._driver.occasional_commands:
            return set()
        values, is_wanted = self.merged(), self._driver.is_wanted
        unwanted = {command for command in self._driver.occasional_commands if not is_wanted(command, values)}
        for command in unwanted:
            self._values.pop(command, None)
            self._due[command] = -1.0
        return unwanted

    def _count_refusals(self, command: str, values: dict[str, Any] | None) -> None:
        """An error that tells of the SIM is an answer."""
        if not values or values.get("ok") is not False or "sim_state" in values:
            self._refusals.pop(command, None)
        elif command in self._due and command not in ALWAYS_ASKED:
            self._refusals[command] = self._refusals.get(command, 0) + 1
            if self._refusals[command] >= REFUSALS and self._due[command] > 0.0:  # else it was hastened meanwhile
                self._due[command] += REFUSED_EVERY_S - self._driver.slow_every_s

    def _pardon(self) -> None:
        """What was refused is asked as often as the others again."""
        for command, count in self._refusals.items():
            if count >= REFUSALS and self._due.get(command, 0.0) > 0.0:
                self._due[command] -= REFUSED_EVERY_S - self._driver.slow_every_s
        self._refusals.clear()

    def _stretch(self) -> None:
        if self.effective_s is not None:
            self.effective_s = max(self.effective_s, min(self.effective_s * 2, MOST_BACKOFF_S))
