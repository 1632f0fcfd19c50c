"""The stores of a modem's short messages: listed and cleared in PDU mode, the user's choice of store kept."""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

from remsim.core.errors import AtFormatError, CommandRefused, Conflict
from remsim.modems.control.target import Target
from remsim.modems.modem import Modem
from remsim.modems.session import NO_CARD
from remsim.modems.sms.inbox import UNREAD, Slot, Store, messages_of, parse_listing, parse_stores

STORES = ("SM", "ME", "SR")
"""On the SIM, in the modem, reports. MT would be the first two together."""
LIST_S = 30.0
DELETE_S = 15.0
NO_MESSAGE = (321, 21)

_unread: WeakKeyDictionary[Modem, set[str]] = WeakKeyDictionary()
"""Keys of what nobody has read here yet: listing alone makes the modem call a message read (27.005 §3.4.2). After a
restart of the service the modem's word counts."""
_guard = threading.Lock()


def read_inbox(target: Target) -> dict[str, Any]:
    """Every message of every store, and how full they are: the object of ``GET …/sms``."""
    if (why := target.without_at) is not None:
        raise Conflict(why, code="not_offered")
    if (title := target.modem.going_on()) is not None:
        text = f"{target.id} is busy: {title}"
        raise Conflict(text, code="busy", hint="its messages can be read afterwards")
    with opened(target) as (stores, names):
        slots, used = list_all(target, names)
    unread = noted(target.modem, slots)
    messages = messages_of(slots, unread)
    return {
        "modem": target.id,
        "messages": messages,
        "unread": sum(one["is_unread"] for one in messages),
        "storage": {"used": sum(one.used for one in used), "total": sum(one.total for one in used)},
        "stores": [{"name": one.name, "used": one.used, "total": one.total} for one in used],
        "problem": full(used, stores[-1].name),
    }


def without_card(target: Target) -> str | None:
    """Why nothing can be sent, when there is no card to send it for."""
    return "There is no SIM." if target.values.get("sim_state") in NO_CARD else None


def full(stores: Iterable[Store], receiving: str) -> str | None:
    """The sentence about a store without a place for the next message."""
    for store in stores:
        if store.is_full and receiving in (store.name, "MT"):
            return f"The message store is full ({store.used} of {store.total}); new ones are lost. Delete some."
    return None


@contextlib.contextmanager
def opened(target: Target) -> Iterator[tuple[list[Store], list[str]]]:
    """PDU mode, and nobody else at the stores meanwhile: those in use, and the names of all there are to read."""
    with target.modem.polling_held():
        target.send("AT+CMGF=0")
        stores = parse_stores(target.send("AT+CPMS?"))
        try:
            offered = set(re.findall(r'"([A-Z]{2})"', target.send("AT+CPMS=?").text.partition(")")[0]))
        except CommandRefused:
            offered = set()
        try:
            yield stores, [name for name in STORES if name in offered] or [stores[0].name]
        finally:
            select(target, stores[0].name)


def select(target: Target, name: str) -> Store:
    """Have commands read and delete in a store; how full it is."""
    numbers = re.findall(r"\d+", target.send(f'AT+CPMS="{name}"').text.partition(":")[2])
    if len(numbers) < 2:
        raise AtFormatError("AT+CPMS=", "no numbers")
    return Store(name, int(numbers[0]), int(numbers[1]))


def list_all(target: Target, names: Iterable[str]) -> tuple[list[Slot], list[Store]]:
    """The slots of the stores, and the stores. Two names of one store, as some modems have them, are one."""
    slots: list[Slot] = []
    stores: list[Store] = []
    seen: set[frozenset[tuple[int, str]]] = set()
    for name in names:
        store = select(target, name)
        found = list_one(target, store) if store.used else []
        content = frozenset((slot.index, slot.key) for slot in found)
        if content and content in seen:
            continue
        seen.add(content)
        slots += found
        stores.append(store)
    return slots, stores


def list_one(target: Target, store: Store) -> list[Slot]:
    """The slots of the store that is selected."""
    try:
        return parse_listing(store.name, target.send("AT+CMGL=4", timeout_s=LIST_S))
    except CommandRefused as error:
        if error.number in NO_MESSAGE:
            return []
        raise


def delete(target: Target, slots: Iterable[Slot]) -> None:
    """Delete slots, store by store; within ``opened``."""
    selected = None
    for slot in sorted(slots, key=lambda one: (one.store, one.index)):
        if slot.store != selected:
            select(target, slot.store)
            selected = slot.store
        target.send(f"AT+CMGD={slot.index}", timeout_s=DELETE_S)


def noted(modem: Modem, slots: Iterable[Slot]) -> frozenset[str]:
    """Remember which slots were unread; those that are still there and that nobody marked."""
    with _guard:
        before = _unread.get(modem, set())
        now = {slot.key for slot in slots if slot.state == UNREAD or slot.key in before}
        _unread[modem] = now
        return frozenset(now)


def mark_read(modem: Modem, keys: Iterable[str] | None = None) -> None:
    """Somebody has read the slots with these keys, or all."""
    with _guard:
        if keys is None:
            _unread.pop(modem, None)
        else:
            _unread.get(modem, set()).difference_update(keys)
