"""The talk with one modem over its open AT port: first words, identity, rounds of questions."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from remsim.core.clock import Clock
from remsim.core.errors import AtFormatError, AtTimeout
from remsim.core.masking import masked
from remsim.modems.channel import Channel
from remsim.modems.drivers import driver_for
from remsim.modems.drivers.base import Driver
from remsim.modems.plan import PollingPlan
from remsim.modems.ports import UsbModem

log = logging.getLogger(__name__)

HANDSHAKE_TIMEOUT_S = 1.0
HANDSHAKE_PAUSES_S = (0.3, 30.0)
SLOW_ANSWERS_S = {"AT+COPS?": 10.0}
IDENTITY = ("manufacturer", "model", "revision", "imei", "eid")
SIM_IDENTITY = ("imsi", "iccid")
NO_CARD = ("NOT_INSERTED", "EMPTY_EUICC")
SIM_TRIES = 5
SIM_RETRY_S = 30.0
REPLY_KEPT = 4096


class SessionOver(Exception):
    """The owner wants nothing more to be sent here."""


class Session:
    """One use of a port, from opening to closing. Runs in the modem's thread.

    ``goes_on`` is asked before each command: once it says False nothing more is sent and ``SessionOver`` is raised.
    ``on_timeout`` hears of each answer that did not come, ``on_heard`` of what the modem tells by itself.
    """

    def __init__(
        self,
        path: str,
        row: UsbModem,
        *,
        clock: Clock,
        goes_on: Callable[[], bool],
        on_timeout: Callable[[AtTimeout], None],
        on_heard: Callable[[dict[str, Any]], None] = lambda told: None,
    ) -> None:
        self._row = row
        self._clock = clock
        self.channel = self._channel(path)
        self.driver: Driver = self._driver(row.module)
        self.plan = self._plan(None)
        self.replies: dict[str, str] = {}
        """The newest answer to each polled command as it came, at most ``REPLY_KEPT`` characters."""
        self.identity: dict[str, str | None] = {}
        self.exchanges: int | None = None
        self.last_error: str | None = None
        self.answered_at: float | None = None
        self.retry_at: float | None = None
        self.is_urgent = False
        self.is_identified = False
        self.is_stale = False
        self._missed_answers = 0
        self._goes_on = goes_on
        self._on_timeout = on_timeout
        self._on_heard = on_heard
        self._sim_changed = False
        self._sim_tries = 0
        self._sim_asked_at = 0.0

    @property
    def manner(self) -> str | None:
        """How the modem is read when not by AT, in a few words."""
        return None

    def shake_hands(self) -> None:
        """Wait until the parser works: ttys come back before it does. A silent modem is asked less and less often."""
        pause_s = HANDSHAKE_PAUSES_S[0]
        while True:
            try:
                if self._query("AT", HANDSHAKE_TIMEOUT_S).ok:
                    return
            except AtTimeout as error:
                self._on_timeout(error)
            self.retry_at = self._clock.monotonic() + pause_s
            self.wait(pause_s)
            self.retry_at = None
            pause_s = min(pause_s * 1.5, HANDSHAKE_PAUSES_S[1])

    def identify(self) -> None:
        """Set the modem up and learn who it is."""
        for command in self.driver.setup_commands:
            self._ask(command)
        found: dict[str, Any] = {}
        missed = self._missed_answers
        for command in self.driver.identity_commands:
            found |= self._ask(command)
        self.is_identified = self._missed_answers == missed
        model = found.get("model")
        if model and model != self.driver.module:
            self.driver = self._driver(str(model))
            self.plan = self._plan(self.plan.period_s)
        self.identity = {name: str(found[name]) for name in IDENTITY if found.get(name)}
        self._identify_sim()

    def round(self, now: float) -> dict[str, Any] | None:
        """Ask this round's commands; the newest values of all commands, or None when the modem fell silent."""
        self.is_urgent = False
        if self._sim_changed:
            self._sim_changed, self._sim_tries = False, 0
            self._identify_sim()
        begun, slowest_s = self.channel.commands_sent, 0.0
        try:
            for command in self.plan.commands(now):
                asked_at = self._clock.monotonic()
                reply = self._query(command, max(self.plan.timeout_s, SLOW_ANSWERS_S.get(command, 0.0)))
                slowest_s = max(slowest_s, self._clock.monotonic() - asked_at)
                self.replies[command] = reply.text[:REPLY_KEPT]
                self._learn(command, reply.text)
        except AtTimeout as error:
            self.plan.failed()
            self._on_timeout(error)
            return None
        finally:
            self.exchanges = self.channel.commands_sent - begun
        self.plan.finished(self._clock.monotonic() - now, slowest_s)
        return self.plan.merged()

    def check_sim(self, state: str | None) -> None:
        """Forget a card that was taken out; one that is ready but could not be read is read again, a few times."""
        now = self._clock.monotonic()
        if state == "BUSY":
            self.plan.hasten("CPIN")  # it is ready in a moment
        if state in NO_CARD:
            self.identity |= dict.fromkeys(SIM_IDENTITY)
        if state != "READY":
            self._sim_tries = 0
        elif not self.identity.get("iccid") and self._sim_tries < SIM_TRIES and now - self._sim_asked_at > SIM_RETRY_S:
            self._identify_sim()

    def sim_changed(self) -> None:
        """Read the SIM's identity before the next round."""
        self._sim_changed = True

    def renew(self) -> None:
        """Begin anew on this port: the modem has restarted, or has another card; from any thread."""
        self.is_stale = True
        self._hurry()

    def hasten(self, *words: str) -> None:
        """Ask the slow commands that contain one of the words next; from any thread."""
        self.plan.hasten(*words)
        self._hurry()

    def wait(self, timeout_s: float) -> None:
        """Listen for a while; ends early when something is to be looked at."""
        self.channel.wait_urcs(timeout_s)
        self._check()

    def _channel(self, path: str) -> Channel:
        return Channel(path, clock=self._clock, on_urc=self._on_urc)

    def _driver(self, module: str) -> Driver:
        return driver_for(self._row.vendor, module, self._row.platform)

    def _plan(self, period_s: float | None) -> PollingPlan:
        return PollingPlan(self.driver, period_s)

    def _check(self) -> None:
        if not self._goes_on():
            raise SessionOver

    def _query(self, command: str, timeout_s: float) -> Any:
        self._check()
        reply = self.channel.query(command, timeout_s=timeout_s)
        self.answered_at = self._clock.monotonic()
        return reply

    def _learn(self, command: str, text: str) -> None:
        try:
            self.plan.learned(command, self.driver.decode(command, text))
        except AtFormatError as error:
            self.plan.learned(command, None)
            if self.last_error != masked(error.message):
                self.last_error = masked(error.message)
                log.info("%s: %s", self.channel.path, self.last_error)

    def _identify_sim(self) -> None:
        self._sim_tries += 1
        self._sim_asked_at = self._clock.monotonic()
        found: dict[str, Any] = {}
        for command in self.driver.sim_identity_commands:
            found |= self._ask(command)
        for name in SIM_IDENTITY:
            self.identity[name] = str(found[name]) if found.get(name) else None

    def _ask(self, command: str) -> dict[str, Any]:
        """One question whose failure is no news: not every modem knows every command."""
        try:
            return self.driver.decode(command, self._query(command, self.plan.timeout_s).text)
        except AtTimeout as error:
            self._missed_answers += 1
            self._on_timeout(error)
            log.debug("%s: %s", self.channel.path, error.message)
            return {}
        except AtFormatError as error:
            log.debug("%s: %s", self.channel.path, masked(error.message))
            return {}

    def _on_urc(self, line: str) -> None:
        if self.retry_at is not None:
            self.channel.wake()  # it says something: the next try need not wait
        told = self.driver.handle_urc(line)
        if told.get("registration_changed"):
            self.plan.hasten("REG?")
            self._hurry()
        if told.get("sim_changed"):
            self._sim_changed = True
            self.plan.hasten("CPIN", "SLOT", "UIMS", "DUALSIM")
            self._hurry()
        if told.get("restarted") and self.exchanges is not None:  # before the first round it is the start we wait for
            self.renew()
        self._on_heard(told)

    def _hurry(self) -> None:
        self.is_urgent = True
        self.channel.wake()
