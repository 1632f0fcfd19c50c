"""The modem as an action sees it: commands with their refusals as errors, and waiting for what they bring about."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from remsim.config.settings import ModemSettings
from remsim.core.clock import Clock
from remsim.core.errors import AtTimeout, CommandRefused, Conflict, ModemGone
from remsim.core.jobs import Job
from remsim.core.reading import ModemReading
from remsim.modems.control.means import Means
from remsim.modems.control.refusals import refusal
from remsim.modems.drivers.base import Driver
from remsim.modems.modem import Modem
from remsim.modems.reply import AtReply
from remsim.modems.session import Session

TIMEOUT_S = 10.0
OFFERED_S = 3.0
HURRIED_S = 4.0
"""``TIMEOUT_S`` for what somebody waits for in front of a page; slow modems answer within 3."""
BETWEEN_S = 3.0
TELL_EVERY_S = 5.0


class Target:
    """One modem. Its methods block and are called in the thread of a request or a job, never in the modem's own.

    The session under it changes with every restart of the modem; what is asked goes to the one of that moment.
    """

    def __init__(self, modem: Modem, means: Means, *, usual_s: float = TIMEOUT_S) -> None:
        self.modem = modem
        self.means = means
        self._usual_s = usual_s
        self.clock: Clock = means.clock

    @property
    def id(self) -> str:
        return self.modem.id

    @property
    def driver(self) -> Driver:
        """The driver of the session, or the one of the USB row before there is any."""
        return self.modem.driver

    @property
    def settings(self) -> ModemSettings:
        return self.modem.settings

    @property
    def reading(self) -> ModemReading | None:
        """The last reading."""
        return self.modem.reading

    @property
    def values(self) -> dict[str, Any]:
        """The newest polled values, from memory."""
        return self.modem.values

    @property
    def is_online(self) -> bool:
        return self.modem.state == "online"

    def session(self) -> Session:
        """The session whose port is open; a modem that is between two of them is waited for a moment."""
        try:
            return self.modem.open_session()
        except Conflict as error:
            if error.code != "not_ready" or not self.modem.present:
                raise
        self.modem.wait_until(lambda: is_open(self.modem), BETWEEN_S, lambda: not self.modem.present)
        return self.modem.open_session()

    def send(self, command: str, *, timeout_s: float | None = None, payload: str | None = None) -> AtReply:
        """The answer to a command; ``CommandRefused``, ``AtTimeout``, ``ModemGone``, or ``Conflict`` without a port."""
        reply = self.session().channel.query(command, timeout_s=timeout_s or self._usual_s, payload=payload)
        if not reply.ok:
            raise refusal(reply)
        return reply

    def ask(self, command: str, *, timeout_s: float | None = None) -> dict[str, Any]:
        """The decoded answer to a command; ``AtFormatError`` besides what ``send`` raises."""
        return self.driver.decode(command, self.send(command, timeout_s=timeout_s).text)

    def offered(self, command: str) -> dict[str, Any] | None:
        """The decoded answer, or None when this firmware does not know the command."""
        try:
            return self.ask(command, timeout_s=OFFERED_S)
        except CommandRefused:
            return None

    def said(self, command: str, *, timeout_s: float | None = None) -> dict[str, Any]:
        """What an answer says, refusals included: ``{"ok": False, "cme_error": 10, "sim_state": "NOT_INSERTED"}``."""
        reply = self.session().channel.query(command, timeout_s=timeout_s or self._usual_s)
        return self.driver.decode(command, reply.text)

    def hurried(self) -> Target:
        """The same modem for a request that must not be kept waiting for a dead one."""
        return Target(self.modem, self.means, usual_s=HURRIED_S)

    def unlock(self, password: str | None) -> None:
        """Open commands that a password of the maker protects; a session's own, so nothing stays changed."""
        if password is None:
            return
        try:
            self.send(password)
        except CommandRefused as error:
            error.hint = "its password is not the maker's usual one, so its settings cannot be read or changed"
            raise

    @property
    def without_at(self) -> str | None:
        """Why nothing can be asked by AT commands, if so."""
        manner = getattr(self.modem.session, "manner", None)
        return f"This modem is read {manner}; this takes an AT port." if manner else None

    def send_last(self, command: str, *, timeout_s: float | None = None) -> None:
        """Send what may take the port away before its OK; only a refusal is an error."""
        try:
            self.send(command, timeout_s=timeout_s)
        except (AtTimeout, ModemGone):
            pass  # what it brought about is read back by whoever asked for it

    def send_long(self, command: str, job: Job, *, timeout_s: float, step: str) -> AtReply:
        """A command that takes up to minutes: polling waits, the job tells how long it has been, and can be aborted."""
        session = self.modem.open_session()
        begun = told = self.clock.monotonic()

        def is_cancelled() -> bool:
            nonlocal told
            if (now := self.clock.monotonic()) - told >= TELL_EVERY_S:
                told = now
                job.report(None, f"{step}, {now - begun:.0f} s")
            return job.is_abort_wanted

        job.report(None, step, can_abort=True)
        try:
            with self.modem.polling_held():
                reply = session.channel.query(command, timeout_s=timeout_s, is_cancelled=is_cancelled)
        finally:
            job.report(None, can_abort=False)
        if not reply.ok:
            raise refusal(reply)
        return reply

    def wait_until(self, is_so: Callable[[], bool], within_s: float, job: Job) -> bool:
        """Wait for what polling finds out; ``Aborted`` when the job is."""
        found = self.modem.wait_until(is_so, within_s, lambda: job.is_abort_wanted)
        if job.is_abort_wanted and not found:
            raise job.aborted()
        return found

    def wait_ready(self, within_s: float, job: Job) -> bool:
        """Wait until the modem can be asked, for it may be restarting; False when it cannot, or is gone."""
        self.wait_until(lambda: self.modem.is_ready or self.modem.state == "gone", within_s, job)
        return self.modem.is_ready

    def wait_identified(self, seen: int, within_s: float, job: Job) -> bool:
        """Wait for a session newer than the ``identifications`` seen before: the modem has restarted and answers."""
        return self.wait_until(lambda: self.modem.identifications > seen, within_s, job)

    def pause(self, seconds: float, job: Job) -> None:
        """Wait a while; ``Aborted`` when the job is."""
        self.wait_until(lambda: False, seconds, job)

    def renew(self) -> None:
        """Have the modem set up and identified anew on its port."""
        session = self.modem.session
        if session is not None:
            session.renew()

    def hasten(self, *words: str) -> None:
        """Have polling ask the slow commands that contain one of the words next."""
        session = self.modem.session
        if session is not None:
            session.hasten(*words)


def is_open(modem: Modem) -> bool:
    """Whether its port is open."""
    session = modem.session
    return session is not None and session.channel.is_open
