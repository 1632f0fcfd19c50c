"""Short messages: send, delete, mark as read."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from typing import Any

from marshmallow import ValidationError

from remsim.core.errors import Aborted, AtTimeout, InvalidInput, ModemError, NotFound, NotTaken, RemsimError
from remsim.core.forms import Flag, Form, Text
from remsim.core.jobs import Job
from remsim.core.masking import mask
from remsim.modems.channel import NoPrompt
from remsim.modems.control import message_store
from remsim.modems.control.action import Action
from remsim.modems.control.message_store import list_all, opened, without_card
from remsim.modems.control.target import Target
from remsim.modems.sms.inbox import Slot, messages_of

SEND_S = 60.0
LONGEST_TEXT = 1530
"""What ten parts hold; of other alphabets they hold less."""
IDS = r"[0-9a-f]{12}(,[0-9a-f]{12}){0,254}"


class MessageText(Text):
    """A text of several lines that fits into the messages we send."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(1, LONGEST_TEXT, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("is not text")
        text = value.replace("\r\n", "\n").replace("\r", "\n")
        if any(letter < " " and letter not in "\n\t" or letter == "\x7f" for letter in text):
            raise ValidationError("has control characters in it")
        from remsim.modems.sms.submit import plan_of  # late: most routers never send a message

        try:
            plan_of(text)
        except InvalidInput as error:
            raise ValidationError(f"{error.message}{f' ({error.hint})' if error.hint else ''}") from error
        return text


class Number(Text):
    """Whom to send to."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(2, 30, pattern=r"[+0-9 ()./-]+", told="is no telephone number", **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        from remsim.modems.sms.submit import normalised_number

        text: str = super()._deserialize(value, attr, data, **kwargs)
        try:
            return normalised_number(text)
        except InvalidInput as error:
            raise ValidationError(f"is no telephone number; {error.hint}") from error


class SendForm(Form):
    """Whom, and what."""

    number = Number(
        required=True,
        metadata={"label": "To", "help": "With +country code, or a short code", "private": True},
    )
    text = MessageText(
        required=True,
        metadata={
            "label": "Message",
            "help": "160 letters go into one message, 70 with emoji or other alphabets; up to 10 are sent as one text",
            "private": True,
        },
    )
    report = Flag(
        load_default=False,
        metadata={"label": "Ask for a delivery report", "help": "It comes as a message", "advanced": True},
    )


class SmsSend(Action):
    """Done when the network has taken every part and given each its reference."""

    name = "sms-send"
    label = "Send a message"
    group = "sms"
    help = "Each part is charged as one message."

    def missing(self, target: Target) -> str | None:
        """Takes an AT port and a card."""
        return target.without_at or without_card(target)

    def form(self, target: Target) -> Form:
        """Whom, and what."""
        return SendForm()

    def title(self, target: Target, values: Mapping[str, Any]) -> str:
        """Without the text, and with the last digits of the number only."""
        return f"Send a message to {mask(values['number'])}"

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """Hand over part after part; between two of them it can be aborted."""
        from remsim.modems.sms.submit import encode_submit, plan_of

        plan = plan_of(values["text"])
        reference = secrets.randbelow(256)
        pdus = encode_submit(values["number"], plan, reference=reference, wants_report=values["report"])
        references: list[int] = []
        with target.modem.polling_held():
            target.send("AT+CMGF=0")
            for pdu, octets in pdus:
                number = len(references) + 1
                if job.is_abort_wanted:
                    raise Aborted(f"the message was aborted{already(references)}")
                job.report(len(references) / plan.parts, f"sending part {number} of {plan.parts}", can_abort=number > 1)
                references.append(self._send(target, pdu, octets, references))
        return {"parts": plan.parts, "alphabet": plan.alphabet, "references": references}

    def _send(self, target: Target, pdu: str, octets: int, before: list[int]) -> int:
        """One part; the reference that the network's acceptance is told with."""
        try:
            reply = target.send(f"AT+CMGS={octets}", payload=pdu, timeout_s=SEND_S)
        except NoPrompt as error:
            hint = "restart the modem, or look whether it can send messages at all"
            raise ModemError(f"the message was not sent{already(before)}: {error.message}", hint=hint) from error
        except AtTimeout as error:
            text = f"nobody knows whether the message was sent: no answer within {SEND_S:.0f} s{already(before)}"
            raise ModemError(text, code="outcome_unknown", hint="ask the receiver before you send it again") from error
        except RemsimError as error:
            error.message += already(before)
            raise
        found = re.search(r"\+CMGS ?: ?(\d{1,3})", reply.text)
        if found is None:
            text = f"the modem said OK but gave no reference{already(before)}"
            raise NotTaken(text, hint="ask the receiver before you send it again")
        return int(found[1])


def already(references: list[int]) -> str:
    """What the receiver has got by now, in words."""
    if not references:
        return ""
    return f"; the first {len(references)} parts were sent" if len(references) > 1 else "; the first part was sent"


def message_ids(help: str) -> Text:
    """Messages by their ids."""
    told, metadata = "is not a list of ids of messages, parted by commas", {"label": "Messages", "help": help}
    return Text(0, 255 * 13, pattern=IDS, told=told, load_default="", metadata=metadata)


class WhichForm(Form):
    """Some messages, or all that were read."""

    ids = message_ids("Their ids, parted by commas")
    all = Flag(load_default=False, metadata={"label": "All that were read"})


class SmsDelete(Action):
    """Done when the messages are in no list any more. By what they say, not by place: places are used again."""

    name = "sms-delete"
    label = "Delete messages"
    group = "sms"

    def missing(self, target: Target) -> str | None:
        """Takes an AT port."""
        return target.without_at

    def form(self, target: Target) -> Form:
        """Which ones."""
        return WhichForm()

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """List, delete what is meant, list again."""
        with opened(target) as (_, names):
            slots, _ = list_all(target, names)
            unread = message_store.noted(target.modem, slots)
            gone = [slot for one in meant(slots, unread, values) for slot in one]
            job.report(0.3, f"deleting {len(gone)} entries")
            message_store.delete(target, gone)
            left, stores = list_all(target, names)
        places = {(slot.store, slot.index, slot.key) for slot in left}
        stayed = sum((slot.store, slot.index, slot.key) in places for slot in gone)
        if stayed:
            raise NotTaken(f"{target.id} said OK, but still has {stayed} of {len(gone)} entries")
        return {
            "deleted": len(gone),
            "stores": [{"name": one.name, "used": one.used, "total": one.total} for one in stores],
        }


class SmsRead(Action):
    """Listing does not make a message read here, somebody's reading does."""

    name = "sms-read"
    label = "Mark messages as read"
    group = "sms"
    is_short = True

    def missing(self, target: Target) -> str | None:
        """Takes an AT port."""
        return target.without_at

    def form(self, target: Target) -> Form:
        """Which ones; none named is all."""
        return ReadForm()

    def run(self, target: Target, values: Mapping[str, Any], job: Job) -> Any:
        """In memory only: the modem has called them read since they were listed."""
        if not values["ids"]:
            message_store.mark_read(target.modem)
            return {}
        with opened(target) as (_, names):
            slots, _ = list_all(target, names)
        unread = message_store.noted(target.modem, slots)
        message_store.mark_read(target.modem, [slot.key for one in meant(slots, unread, values) for slot in one])
        return {}


class ReadForm(Form):
    """Some messages, or all."""

    ids = message_ids("Their ids, parted by commas; empty: all")


def meant(slots: list[Slot], unread: frozenset[str], values: Mapping[str, Any]) -> list[list[Slot]]:
    """The slots of each message that is asked for; ``NotFound`` names one that is not there."""
    wanted = [one for one in values["ids"].split(",") if one]
    if bool(wanted) == bool(values.get("all")):
        raise InvalidInput("name messages, or choose all that were read", field="ids")
    by_place = {(slot.store, slot.index): slot for slot in slots}
    messages = messages_of(slots, unread)
    absent = set(wanted) - {one["id"] for one in messages}
    if absent:
        raise NotFound(f"there is no message {min(absent)} any more", field="ids", hint="list the messages again")
    chosen = [one for one in messages if (one["id"] in wanted if wanted else not one["is_unread"])]
    return [[by_place[place["store"], place["index"]] for place in one["slots"]] for one in chosen]
