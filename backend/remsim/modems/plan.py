"""Which commands a round asks: the fast ones always, the slow ones one by one, and how long to wait till the next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.modems.drivers.base import Driver

MOST_BACKOFF_S = 60.0
GOOD_ROUNDS = 5


class PollingPlan:
    """The rounds of one modem. ``period_s`` is the user's wish, ``effective_s`` what the modem stands."""

    def __init__(self, driver: Driver, period_s: float | None) -> None:
        self._driver = driver
        self._due: dict[str, float] = dict.fromkeys(driver.slow_commands, 0.0)
        self._values: dict[str, dict[str, Any]] = {}
        self._good = 0
        self._first = True
        self.period_s = period_s
        self.effective_s = period_s

    def set_period(self, period_s: float | None) -> None:
        """The user's new wish; it also ends a back-off."""
        self.period_s = self.effective_s = period_s
        self._good = 0

    def commands(self, now: float) -> list[str]:
        """This round's commands: the fast ones and one slow one that is due (at first the SIM and registration)."""
        due = [command for command, at in self._due.items() if at <= now]
        slow = due[: 2 if self._first else 1]
        self._first = False
        for command in slow:
            self._due[command] = now + self._driver.slow_every_s
        return [*slow, *self._driver.fast_commands]

    def hasten(self, *words: str) -> None:
        """Ask the slow commands that contain one of ``words`` in the next rounds."""
        for command in self._due:
            if any(word in command for word in words):
                self._due[command] = 0.0

    def learned(self, command: str, values: dict[str, Any] | None) -> None:
        """The values of a command's newest answer; None forgets the old ones."""
        if values is None:
            self._values.pop(command, None)
        else:
            self._values[command] = values

    def merged(self) -> dict[str, Any]:
        """The newest values of all commands; the fast ones win, for they are the newest."""
        merged: dict[str, Any] = {}
        for command in (*self._driver.slow_commands, *self._driver.fast_commands):
            for name, value in self._values.get(command, {}).items():
                if isinstance(value, dict) and isinstance(merged.get(name), dict):
                    merged[name] = merged[name] | {key: item for key, item in value.items() if item is not None}
                elif value is not None or name not in merged or command in self._driver.fast_commands:
                    merged[name] = value
        return merged

    def fast_values(self) -> Mapping[str, Any]:
        """The newest values of the fast commands alone."""
        return {
            name: value
            for command in self._driver.fast_commands
            for name, value in self._values.get(command, {}).items()
        }

    def finished(self, took_s: float, *, failed: bool) -> None:
        """Stretch the period for a modem that answers late, and come back when it answers in time again."""
        if self.period_s is None or self.effective_s is None:
            return
        if failed or took_s > 0.8 * self.effective_s:
            self._good = 0
            self.effective_s = min(max(self.effective_s * 2, self.period_s), max(MOST_BACKOFF_S, self.period_s))
            return
        self._good += 1
        if self._good >= GOOD_ROUNDS and self.effective_s > self.period_s:
            self._good = 0
            self.effective_s = max(self.effective_s / 2, self.period_s)
