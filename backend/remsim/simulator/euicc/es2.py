"""ES2+ of a virtual SM-DP+: an operator orders, confirms, releases and cancels profiles (SGP.22 §5.3).

Paths and members as pySim's ``es2p.py`` and the open clients of ES2+ have them; docs/esim.md names the sources.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterable

from remsim.simulator.euicc.orders import Offer, Order, Orders, Refusal, hash_of, new_matching_id
from remsim.simulator.euicc.session import Message

PREFIX = "/gsma/rsp2/es2plus/"
FINAL_STATES = ("Available", "Unavailable")
MATCHING_ID = re.compile(r"[0-9A-Za-z-]{1,255}")
CAN_BE_CANCELLED = ("allocated", "linked", "confirmed", "released", "error")


class Es2:
    """``address`` is the SM-DP+'s name that activation codes get; ``smds`` are the SM-DSs it can register events at."""

    def __init__(self, orders: Orders, address: Callable[[], str], smds: Callable[[], Iterable[str]]) -> None:
        self._orders = orders
        self._address = address
        self._smds = smds
        self.calls: deque[tuple[str, str]] = deque(maxlen=1000)
        """Function and who asked, by the name in the certificate."""
        self._functions: dict[str, Callable[[Message], Message]] = {
            "downloadOrder": self._order,
            "confirmOrder": self._confirm,
            "cancelOrder": self._cancel,
            "releaseProfile": self._release,
        }

    def answer(self, function: str, message: Message, client: str | None) -> Message:
        """The answer; ``Refusal``, or ``KeyError`` for a function that there is not."""
        do = self._functions[function]
        self.calls.append((function, client or ""))
        header = message.get("header")
        for key in ("functionRequesterIdentifier", "functionCallIdentifier"):
            if not isinstance(header, dict) or not isinstance(header.get(key), str) or not header[key]:
                raise Refusal("1.2.1", "2.2", f"{key} is missing")
        with self._orders.lock:
            return do(message)

    def _order(self, message: Message) -> Message:
        iccid, kind, eid = text(message, "iccid"), text(message, "profileType"), eid_of(message)
        if iccid is None and kind is None:
            raise Refusal("8.2.1", "2.2", "an ICCID or a profile type is needed")
        offer = self._offer(iccid, kind)
        self._orders.add(Order(offer, eid=eid, state="linked" if eid else "allocated"))
        return {"iccid": offer.iccid}

    def _offer(self, iccid: str | None, kind: str | None) -> Offer:
        """A profile of the stock; of the type only one that is free."""
        stock = self._orders.stock
        if iccid is None:
            found = next((one for one in stock.values() if one.profile_type == kind), None)
            if found is not None:
                return found
            if any(order.offer.profile_type == kind for order in self._orders.all()):
                raise Refusal("8.2.5", "3.7", "there is no profile of the type left")
            raise Refusal("8.2.5", "3.9", "there is no such type")
        digits = iccid.rstrip("Ff")
        if self._orders.get(digits) is not None:
            raise Refusal("8.2.1", "3.3", "the profile is ordered already")
        offer = stock.get(digits)
        if offer is None:
            raise Refusal("8.2.1", "3.9", "there is no such ICCID")
        if kind is not None and offer.profile_type != kind:
            raise Refusal("8.2.5", "3.8", "the profile is of another type")
        return offer

    def _confirm(self, message: Message) -> Message:
        order, eid, smds = self._known(message), eid_of(message), text(message, "smdsAddress")
        matching_id = text(message, "matchingId", is_empty_meant=True)
        if order.state not in ("allocated", "linked"):
            raise Refusal("8.2.1", "3.3", "the order was confirmed already")
        if eid is not None and order.eid is not None and eid != order.eid:
            raise Refusal("8.1.1", "3.10", "the order is for another EID")
        eid = order.eid or eid
        if eid is None and (matching_id == "" or smds is not None):
            raise Refusal("8.1.1", "2.2", "that needs an EID")
        if smds is not None and smds.lower() not in {one.lower() for one in self._smds()}:
            raise Refusal("8.9", "5.1", "there is no such SM-DS")
        if matching_id and not MATCHING_ID.fullmatch(matching_id):
            raise Refusal("8.2.6", "2.1", "a matching id has letters, digits and hyphens")
        if matching_id and any(one.matching_id == matching_id for one in self._orders.all()):
            raise Refusal("8.2.6", "3.3", "the matching id is another order's")
        released = message.get("releaseFlag")
        if not isinstance(released, bool):
            raise Refusal("1.2.1", "2.2", "releaseFlag is missing")
        code = text(message, "confirmationCode")
        order.eid, order.smds_address = eid, smds
        order.matching_id = new_matching_id() if matching_id is None else matching_id
        order.code_hash = None if code is None else hash_of(code)
        order.state = "released" if released else "confirmed"
        answer = {"matchingId": order.matching_id, "smdpAddress": self._address()}
        return answer if eid is None else {**answer, "eid": eid}

    def _cancel(self, message: Message) -> Message:
        order, eid, matching_id = self._known(message), eid_of(message), text(message, "matchingId")
        state = text(message, "finalProfileStatusIndicator")
        if state not in FINAL_STATES:
            raise Refusal("8.2.1", "2.2", "finalProfileStatusIndicator is missing")
        if eid is not None and order.eid is not None and eid != order.eid:
            raise Refusal("8.1.1", "3.10", "the order is for another EID")
        if matching_id is not None and matching_id != order.matching_id:
            raise Refusal("8.2.6", "3.10", "the order has another matching id")
        if order.state not in CAN_BE_CANCELLED:
            raise Refusal("8.2.1", "3.3", "the profile is on a card, or nobody ordered it")
        if state == "Available":
            self._orders.put_back(order.offer)
        else:
            self._orders.add(Order(order.offer, state="unavailable"))
        return {}

    def _release(self, message: Message) -> Message:
        order = self._known(message)
        if order.state != "confirmed":
            raise Refusal("8.2.1", "3.5", "the order is not one that was confirmed and waits")
        order.state = "released"
        return {}

    def _known(self, message: Message) -> Order:
        iccid = text(message, "iccid")
        if iccid is None:
            raise Refusal("8.2.1", "2.2", "iccid is missing")
        order = self._orders.get(iccid.rstrip("Ff"))
        if order is None:
            raise Refusal("8.2.1", "3.9", "there is no such order")
        return order


def text(message: Message, key: str, *, is_empty_meant: bool = False) -> str | None:
    """A member that is text; None when it is not there or says nothing."""
    value = message.get(key)
    if value is not None and not isinstance(value, str):
        raise Refusal("1.2.1", "2.1", f"{key} is not text")
    return value if value or is_empty_meant else None


def eid_of(message: Message) -> str | None:
    """An EID of 32 digits, where one is given."""
    eid = text(message, "eid")
    if eid is not None and (len(eid) != 32 or not eid.isdecimal()):
        raise Refusal("8.1.1", "2.1", "an EID has 32 digits")
    return eid
