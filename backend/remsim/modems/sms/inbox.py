"""What a modem's message store holds, as messages: parts joined, the newest first. Pure: no I/O here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any

from remsim.core.clock import iso_utc
from remsim.core.errors import AtFormatError
from remsim.core.small_dataclass import dataclass
from remsim.modems.reply import AtReply

if TYPE_CHECKING:
    from remsim.modems.sms.pdu import Message

UNREAD, READ, UNSENT, SENT = 0, 1, 2, 3
"""States of 27.005 §3.1 in PDU mode."""
GAP = " […] "
OUTCOMES = {
    "delivered": "Delivered.",
    "forwarded": "Passed on; nobody can say whether it was delivered.",
    "replaced": "Replaced by a newer message.",
    "waiting": "Not delivered yet; the network goes on trying.",
    "failed": "Could not be delivered.",
}

ROW = re.compile(r"\+CMGL ?: ?(\d{1,5}) ?, ?(\d) ?,[^,\n]*, ?\d{1,3}\s+([0-9A-Fa-f]{2,})(?![^\n])")
STORE = re.compile(r'"([A-Z]{2})" ?, ?(\d{1,5}) ?, ?(\d{1,5})')


@dataclass(frozen=True, slots=True)
class Slot:
    """One place of a store with the PDU in it."""

    store: str
    index: int
    state: int
    pdu: str

    @property
    def key(self) -> str:
        """What tells this PDU from others, wherever it stands. The state is no part of it: listing changes that."""
        return hashlib.sha256(self.pdu.upper().encode()).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Store:
    """A store by its name of 27.005 (SM: on the SIM, ME: in the modem, SR: reports) and how full it is."""

    name: str
    used: int
    total: int

    @property
    def is_full(self) -> bool:
        """Whether the network's next message has no place."""
        return self.total > 0 and self.used >= self.total


def parse_stores(reply: AtReply) -> list[Store]:
    """+CPMS? as the stores for reading, writing and receiving; ``AtFormatError`` when none is named."""
    found = [Store(name, int(used), int(total)) for name, used, total in STORE.findall(reply.text)]
    if not found:
        raise AtFormatError(reply.command, reply.text)
    return found


def parse_listing(store: str, reply: AtReply) -> list[Slot]:
    """+CMGL in PDU mode; rows of another form are left out, for their index is not known."""
    rows = ROW.findall("\n".join(reply.lines))
    return [Slot(store, int(index), int(state), pdu) for index, state, pdu in rows]


def messages_of(slots: Iterable[Slot], unread: Collection[str] = ()) -> list[dict[str, Any]]:
    """The objects of ``GET …/sms``, the newest first, those without a time last.

    ``unread`` are the keys of slots that nobody has read yet, though the modem has marked them by telling them.
    """
    from remsim.modems.sms.pdu import decode_pdu  # late: most routers never read a message

    groups: dict[Any, list[dict[int, tuple[Slot, Message | None]]]] = {}
    for slot in slots:
        try:
            message: Message | None = decode_pdu(slot.pdu)
        except AtFormatError:
            message = None
        part = message.part if message is not None else None
        if part is None or message is None:
            groups[slot] = [{1: (slot, message)}]
            continue
        same = groups.setdefault((slot.store, message.kind, message.number, part.reference, part.of), [])
        group = next((one for one in same if part.number not in one), None)
        if group is None:
            same.append(group := {})
        group[part.number] = (slot, message)
    found = [view(group, unread) for same in groups.values() for group in same]
    return sorted(found, key=lambda one: str(one["at"] or ""), reverse=True)


def view(group: dict[int, tuple[Slot, Message | None]], unread: Collection[str]) -> dict[str, Any]:
    """One message of one or more parts as an object."""
    slots = [slot for slot, _ in group.values()]
    message = next((message for _, message in group.values() if message is not None), None)
    states = {slot.state for slot in slots}
    at = (message.reported_at or message.sent_at) if message else None
    offset = at.utcoffset() if at else None
    kind = message.kind if message else "unreadable"
    return {
        "id": id_of(slots),
        "kind": "draft" if kind == "sent" and states == {UNSENT} else kind,
        "number": message.number if message else None,
        "text": text_of(group),
        "data_bytes": len(message.data) if message and message.text is None and kind != "report" else None,
        "at": iso_utc(at.timestamp()) if at else None,
        "offset_minutes": int(offset.total_seconds()) // 60 if offset is not None else None,
        "is_unread": UNREAD in states or any(slot.key in unread for slot in slots),
        "is_sent": kind == "sent",
        "is_flash": message.is_flash if message else False,
        "parts": message.part.of if message and message.part else 1,
        "missing_parts": missing(group),
        "note": note(message, missing(group)),
        "reference": message.reference if message else None,
        "outcome": message.outcome if message else None,
        "slots": [{"store": slot.store, "index": slot.index} for slot in slots],
    }


def id_of(slots: Iterable[Slot]) -> str:
    """A message's id, of what it says: a place in the store may hold another one by now."""
    keys = "".join(sorted(slot.key for slot in slots))
    return keys if len(keys) == 12 else hashlib.sha256(keys.encode()).hexdigest()[:12]


def text_of(group: dict[int, tuple[Slot, Message | None]]) -> str | None:
    """The parts' texts in their order, with a mark where one is missing; None for data and what cannot be read."""
    from remsim.modems.sms.pdu import joined

    texts: list[str] = []
    messages = {number: message for number, (_, message) in group.items() if message is not None}
    if not messages or any(message.text is None for message in messages.values()):
        return None
    part = next(iter(messages.values())).part
    for number in range(1, (part.of if part else 1) + 1):
        if number in messages:
            texts.append(messages[number].text or "")
        elif not texts or texts[-1] != GAP:
            texts.append(GAP)
    return joined(texts)


def note(message: Message | None, missing_parts: list[int]) -> str | None:
    """What to know of a message besides its text."""
    if message is None:
        return "This entry of the store cannot be read."
    if message.outcome is not None:
        return OUTCOMES[message.outcome]
    if missing_parts:
        return f"{len(missing_parts)} of {message.part.of if message.part else 1} parts are missing."
    return f"{len(message.data)} bytes of data, no text." if message.text is None else None


def missing(group: dict[int, tuple[Slot, Message | None]]) -> list[int]:
    """Numbers of the parts that have not come, or are in no store any more."""
    message = next((message for _, message in group.values() if message is not None), None)
    if message is None or message.part is None:
        return []
    return [number for number in range(1, message.part.of + 1) if number not in group]
