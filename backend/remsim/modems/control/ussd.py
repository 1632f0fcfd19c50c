"""Codes of the network (USSD): a code or the answer to a menu, and what the network says to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from weakref import WeakKeyDictionary

from remsim.core.errors import Aborted, CommandRefused, InvalidInput, ModemError, RemsimError
from remsim.core.forms import Form, Text
from remsim.core.jobs import Job
from remsim.modems.control.action import Action
from remsim.modems.control.message_store import without_card
from remsim.modems.control.target import Target
from remsim.modems.session import Session

ANSWER_S = 60.0
SEND_S = 30.0
CODE = r"[0-9*#+]+"
DEFAULT_SCHEME = 15
FAILURES = {
    "terminated": "the network ended the dialogue",
    "other_client": "another program has taken the answer",
    "not_supported": "the network does not support this code",
    "timeout": "the network did not answer in time",
}
NO_USSD = "many networks take codes on 2G and 3G only; choose another technology, or send the code from a phone"

_menus: WeakKeyDictionary[Session, bool] = WeakKeyDictionary()
"""Sessions in which the network waits for an answer. A restart of the modem ends its dialogue too."""


class Ussd(Action):
    """The answer comes by itself, later. Where it is a menu, the next text goes into the same dialogue."""

    name = "ussd"
    label = "Send a code (USSD)"
    group = "sms"
    help = "For a balance or an option, like *100#. Codes can order things that cost money."

    def missing(self, target: Target) -> str | None:
        """Takes an AT port and a card."""
        return target.without_at or without_card(target)

    def form(self, target: Target) -> Form:
        """A code; any text while a menu is open."""
        words = ("Answer", "The network waits for your answer") if has_menu(target) else ("Code", "Digits, * and #")
        code = Text(
            1,
            182,
            pattern=None if has_menu(target) else CODE,
            told="is no code: those have digits, *, # and +",
            required=True,
            metadata={"label": words[0], "help": words[1], "private": True},
        )
        made = Form.from_dict({"code": code}, name="UssdForm")()
        assert isinstance(made, Form)
        return made

    def title(self, target: Target, values: Mapping[str, Any]) -> str:
        """Without the code: it may hold a voucher's number."""
        return "Answer the network's menu" if has_menu(target) else "Send a code to the network"

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """Send, wait for the network's word; ``wants_answer`` says that it is a menu."""
        text, session = values["code"], target.modem.open_session()
        command = f'AT+CUSD=1,"{written(text, charset(target))}",{DEFAULT_SCHEME}'
        seen = max((number for number, _ in target.modem.heard), default=0)
        job.report(0.2, "sending it")
        try:
            target.send(command, timeout_s=SEND_S)
        except CommandRefused as error:
            _menus.pop(session, None)
            raise CommandRefused(error.command, error.cause, number=error.number, hint=error.hint or NO_USSD) from error
        job.report(0.5, "waiting for the network's answer", can_abort=True)
        found = self._answer(target, seen, job)
        status = found.get("ussd_status")
        if status == "reply_wanted":
            _menus[session] = True
        else:
            _menus.pop(session, None)
        if not found.get("ussd_text") and status in FAILURES:
            raise ModemError(FAILURES[status], code="ussd_failed", hint=NO_USSD)
        return {"status": status, "text": found.get("ussd_text"), "wants_answer": status == "reply_wanted"}

    def _answer(self, target: Target, seen: int, job: Job) -> dict[str, Any]:
        """What the modem tells of the dialogue after ``seen``; the dialogue is ended when nothing comes."""

        def news() -> dict[str, Any] | None:
            heard = [told for number, told in list(target.modem.heard) if number > seen]
            return next((told["ussd"] for told in heard if told.get("ussd")), None)

        try:
            target.wait_until(lambda: news() is not None, ANSWER_S, job)
        except Aborted:
            end_dialogue(target)
            raise
        found = news()
        if found is None:
            end_dialogue(target)
            raise ModemError(f"the network did not answer within {ANSWER_S:.0f} s", code="ussd_failed", hint=NO_USSD)
        return found


class UssdEnd(Action):
    """The way out of a menu."""

    name = "ussd-end"
    label = "End the network's menu"
    group = "sms"
    is_short = True

    def missing(self, target: Target) -> str | None:
        """Only an open menu can be ended."""
        return None if has_menu(target) else "No menu of the network is open."

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """The modem has no way to tell whether a dialogue is open; its OK is all there is."""
        end_dialogue(target)
        return {}


def has_menu(target: Target) -> bool:
    """Whether the network waits for an answer."""
    session = target.modem.session
    return session is not None and session.channel.is_open and _menus.get(session, False)


def end_dialogue(target: Target) -> None:
    """Tell the network that nobody answers; a modem without a dialogue may refuse that."""
    if (session := target.modem.session) is not None:
        _menus.pop(session, None)
    try:
        target.send("AT+CUSD=2")
    except RemsimError:
        pass  # there was none, or the modem is gone, which ends it too


def charset(target: Target) -> str:
    """The modem's character set, in which it wants the code. FM350 starts with UCS2."""
    found = target.offered("AT+CSCS?") or {}
    return str(found.get("charset") or "GSM").upper()


def written(text: str, charset: str) -> str:
    """A text as the command has it; ``InvalidInput`` names what cannot be written."""
    if charset == "UCS2":
        return text.encode("utf-16-be").hex().upper()
    if not text.isascii() or '"' in text:
        raise InvalidInput("the answer has letters that this modem cannot send", field="code", hint="use plain ones")
    return text.encode("ascii").hex().upper() if charset == "HEX" else text
