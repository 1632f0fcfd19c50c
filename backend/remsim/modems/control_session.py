"""The talk with a modem over its QMI or MBIM device, in the place of an AT port's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from remsim.core.clock import Clock
from remsim.core.errors import AtTimeout, PortBusy
from remsim.modems.channel import Channel
from remsim.modems.control_port import UNSUPPORTED, ControlChannel
from remsim.modems.detect import ControlPort
from remsim.modems.drivers.base import Driver
from remsim.modems.drivers.mbim import MbimDriver
from remsim.modems.drivers.qmi import QmiDriver
from remsim.modems.plan import PollingPlan
from remsim.modems.ports import UsbModem
from remsim.modems.session import Session

LEAST_PERIOD_S = 10.0
"""A question is a process: three of them this often are 1 to 3 percent of a slow router."""
HELD_ROUNDS = 3
"""A device that another program has open for so many rounds is told to be in use."""
IDENTIFIERS = ("imsi", "iccid", "eid", "slot_cards")
"""What the identity keeps, masked; it has no place among polled values."""
DRIVERS: dict[str, type[QmiDriver] | type[MbimDriver]] = {"qmi": QmiDriver, "mbim": MbimDriver}


class ControlPlan(PollingPlan):
    """Rounds at most every ten seconds, without what the program or the modem do not know."""

    def __init__(self, driver: QmiDriver | MbimDriver, period_s: float | None, unsupported: set[str]) -> None:
        super().__init__(driver, period_s)
        self._unsupported = unsupported
        self._of_the_cell = driver.of_the_cell
        self._cell: tuple[Any, ...] | None = None
        self._known_once = False
        self.set_period(period_s)

    def set_period(self, period_s: float | None) -> None:
        super().set_period(None if period_s is None else max(period_s, LEAST_PERIOD_S))

    def commands(self, now: float) -> list[str]:
        for command in self._unsupported:
            self._due.pop(command, None)
        asked = super().commands(now)
        if not self._known_once:  # with one slow action a round the picture would take a minute to be whole
            self._known_once = True
            asked = [*self._driver.slow_commands, *self._driver.fast_commands]
            self._due = dict.fromkeys(self._due, now + self._driver.slow_every_s)
        return [command for command in asked if command not in (*self._unsupported, *self._unwanted())]

    def learned(self, command: str, values: dict[str, Any] | None) -> None:
        if values is not None:
            values = {name: value for name, value in values.items() if name not in IDENTIFIERS}
            self._watch_cell(command, values)
        super().learned(command, values)

    def _watch_cell(self, command: str, values: dict[str, Any]) -> None:
        """Forget where the cell is on the air once it is another one, and ask that next."""
        if command != self._driver.fast_commands[0]:
            return
        cell = tuple(values.get(name) for name in ("rat", "plmn", "tac", "lac", "cell_id"))
        if self._cell is not None and cell != self._cell:
            for other in self._of_the_cell:
                super().learned(other, None)
            self.hasten(*self._of_the_cell)
        self._cell = cell


class ControlSession(Session):
    """A session whose commands are a tool's actions."""

    channel: ControlChannel

    def __init__(
        self,
        port: ControlPort,
        row: UsbModem,
        *,
        clock: Clock,
        goes_on: Callable[[], bool],
        on_timeout: Callable[[AtTimeout], None],
    ) -> None:
        self._port = port
        self._unsupported: set[str] = set()
        self._held_rounds = 0
        super().__init__(port.path, row, clock=clock, goes_on=goes_on, on_timeout=on_timeout)

    @property
    def manner(self) -> str:
        return self.channel.manner

    def shake_hands(self) -> None:
        """Nothing to wait for: the device node is there once the modem answers."""

    def round(self, now: float) -> dict[str, Any] | None:
        try:
            values = super().round(now)
        except PortBusy:
            self._held_rounds += 1
            if self._held_rounds >= HELD_ROUNDS:
                raise
            return None
        self._held_rounds = 0
        return values

    def _query(self, command: str, timeout_s: float) -> Any:
        reply = super()._query(command, timeout_s)
        if reply.final == UNSUPPORTED:
            self._unsupported.add(command)
        return reply

    def _learn(self, command: str, text: str) -> None:
        if text in ("ERROR", UNSUPPORTED):
            self.plan.learned(command, None)
        else:
            super()._learn(command, text)

    def _ask(self, command: str) -> dict[str, Any]:
        return {} if command in self._unsupported else super()._ask(command)

    def _channel(self, path: str) -> Channel:
        return ControlChannel(self._port, clock=self._clock, on_urc=self._on_urc)

    def _driver(self, module: str) -> Driver:
        return DRIVERS[self._port.protocol](module, self._row.platform)

    def _plan(self, period_s: float | None) -> PollingPlan:
        assert isinstance(self.driver, QmiDriver | MbimDriver)
        return ControlPlan(self.driver, period_s, self._unsupported)
