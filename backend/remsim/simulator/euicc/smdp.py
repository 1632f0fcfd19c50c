"""A virtual SM-DP+: what it answers to ES9+ (SGP.22 §5.6), as JSON in and out. The way there is ``tls``'s."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec

from remsim.core import tlv
from remsim.core.tlv import Tlv, TlvError
from remsim.simulator.euicc import bpp, pki
from remsim.simulator.euicc.faults import NOTHING, Fault, Faults, Wrong
from remsim.simulator.euicc.notified import Told, read_notification
from remsim.simulator.euicc.orders import Order, Orders, Refusal
from remsim.simulator.euicc.session import (
    Authenticator,
    Call,
    Message,
    ServerCredentials,
    Session,
    accepted,
    encoded,
    members,
    named,
    read,
    signature_object,
    value_at,
)

END_USER_REJECTION, POSTPONED, TIMEOUT = 0, 1, 2
MOST_CALLS = 1000
OTHER_ICCID = "89001019990000000007"
NOT_TAKEN = {"http_500", "redirect", "silent"}
"""Faults of the way with which a request does not come to the server."""


class Called(NamedTuple):
    """One request and what came of it: ``success`` or ``8.2.6/3.8``."""

    step: str
    outcome: str


class Smdp:
    """One SM-DP+; any thread may call it. ``addresses`` gives the names it may be asked by, its own first.

    ``replaces_keys``: profiles are protected with keys of their own, which the session's keys bring (BPP with A2).
    """

    def __init__(
        self,
        credentials: ServerCredentials,
        orders: Orders,
        *,
        addresses: Callable[[], Iterable[str]],
        faults: Faults | None = None,
        replaces_keys: bool = False,
    ) -> None:
        self.orders = orders
        self.faults = faults or Faults()
        self.calls: deque[Called] = deque(maxlen=MOST_CALLS)
        self.told: deque[Told] = deque(maxlen=MOST_CALLS)
        """Every notification that was taken, in order."""
        self.replaces_keys = replaces_keys
        self._credentials = credentials
        self._addresses = addresses
        self._sessions = Authenticator(credentials, addresses, "8.8")
        self._lock = threading.Lock()
        self._steps: dict[str, Callable[[Call], Message | None]] = {
            "initiateAuthentication": self._initiate,
            "authenticateClient": self._authenticate,
            "getBoundProfilePackage": self._bind,
            "handleNotification": self._notified,
            "cancelSession": self._cancel,
        }

    def answer(self, step: str, message: Message, wrong: Mapping[str, Fault] = NOTHING) -> tuple[Message | None, Wrong]:
        """The answer, None for one without a body, and what is to be done wrong with it on its way.

        ``wrong`` is what is to be done wrong besides. ``Refusal`` as a card's owner sees it; ``KeyError`` for a step
        that there is not.
        """
        call = Call(step, message, {**wrong, **self.faults.at(step)})
        do = self._steps[step]
        with self._lock:
            try:
                answered = do(call)
            except TlvError as error:
                self.calls.append(Called(step, "1.2.1/2.1"))
                raise Refusal("1.2.1", "2.1", error.message) from error
            except Refusal as refusal:
                self.calls.append(Called(step, f"{refusal.subject}/{refusal.reason}"))
                if not call.wrong:
                    raise
                return refused(refusal), call.wrong
        self.calls.append(Called(step, "success"))
        return answered, call.wrong

    def _initiate(self, call: Call) -> Message:
        return self._sessions.initiate(call, call.text("smdpAddress"))

    def _authenticate(self, call: Call) -> Message:
        session, context, info = self._sessions.authenticate(call)
        assert session.card is not None
        matching_id = value_at(context, 0x80)
        order = self.orders.find(matching_id.decode("utf-8", "replace") if matching_id else None, session.card.eid)
        self._spoil(call, order)
        if "hides_size" not in call.wrong and order.offer.size_bytes > free_octets(info):
            raise Refusal("8.1", "4.8", "the card has no room for it")
        session.order = order
        needs_code = b"\xff" if order.needs_code() else b"\0"
        signed = tlv.encode(0x30, tlv.encode(0x80, session.transaction), tlv.encode(0x01, needs_code))
        assert self._credentials.binding is not None
        signature = self._credentials.binding.sign(signed + session.card_signature)
        session.own_signature = tlv.encode(0x5F37, signature)
        return {
            "transactionId": named(session, call.wrong),
            "profileMetadata": encoded(bpp.store_metadata(order.offer, self.address)),
            "smdpSigned2": encoded(signed),
            "smdpSignature2": encoded(signature_object(signature, call.wrong)),
            "smdpCertificate": encoded(self._credentials.binding.der),
        }

    @property
    def address(self) -> str:
        """Its own name."""
        return next(iter(self._addresses()))

    def _bind(self, call: Call) -> Message:
        session = self._sessions.session(call)
        order = session.order
        if order is None or session.card is None:
            raise Refusal("8.10.1", "3.9", "the card is not authenticated in this transaction")
        self._spoil(call, order)
        told, signature = members(accepted(read(call.data("prepareDownloadResponse"), 0xBF21)), 0x30, 0x5F37)
        own = tlv.read_one(told)
        if not pki.verify(session.card.certificate, tlv.read_one(signature).value, told + session.own_signature):
            raise Refusal("8.1", "6.1", "the card's signature is wrong")
        if value_at(own, 0x80) != session.transaction:
            raise Refusal("8.10.1", "3.9", "the card signed another transaction")
        point = value_at(own, 0x5F49)
        if point is None:
            raise Refusal("1.2.1", "2.2", "the card gave no key")
        self.orders.check_code(order, value_at(own, 0x04), session.transaction)
        self.orders.fetch(order, session.card.eid)
        return {
            "transactionId": named(session, call.wrong),
            "boundProfilePackage": encoded(self._package(session, order, point, call.wrong)),
        }

    def _package(self, session: Session, order: Order, point: bytes, wrong: Wrong) -> bytes:
        """The profile, for this card and this transaction only."""
        assert session.card is not None and self._credentials.binding is not None
        key = ec.generate_private_key(self._credentials.binding.key.curve)
        try:
            secret = pki.shared_secret(key, point)
        except ValueError as error:
            raise Refusal("1.2.1", "2.1", "the card's key is not on the curve") from error
        control = (
            tlv.encode(0x80, bytes((bpp.KEY_TYPE,)))
            + tlv.encode(0x81, bytes((bpp.KEY_LENGTH,)))
            + tlv.encode(0x84, bpp.HOST_ID)
        )
        transaction = bytes(16) if "wrong_transaction" in wrong else session.transaction
        channel = (
            tlv.encode(0x82, b"\x01")
            + tlv.encode(0x80, transaction)
            + tlv.encode(0xA6, control)
            + tlv.encode(0x5F49, pki.point_of(key))
        )
        signature = self._credentials.binding.sign(channel + tlv.encode(0x5F49, point))
        iccid = OTHER_ICCID if "wrong_iccid" in wrong else None
        made = bpp.bound_package(
            tlv.encode(0xBF23, channel, signature_object(signature, wrong)),
            bpp.Protection.agreed(secret, bpp.HOST_ID, session.card.eid),
            bpp.store_metadata(order.offer, self.address, iccid),
            bpp.unprotected_profile(order.offer),
            bpp.Protection.random() if self.replaces_keys else None,
        )
        spoilt = wrong.get("wrong_mac")
        return made if spoilt is None else bpp.with_wrong_mac(made, int(spoilt.number or 0))

    def _notified(self, call: Call) -> None:
        told = read_notification(call.data("pendingNotification"), self._sessions.named, self._credentials.roots)
        session = self._sessions.named(told.transaction)
        order = session.order if session is not None else self.orders.get(told.iccid or "")
        if order is not None:
            self._spoil(call, order)
        if not call.wrong.keys() & NOT_TAKEN:
            self.told.append(told)
            if order is not None and told.is_proven:
                self.orders.tell(order, told.event)

    def _cancel(self, call: Call) -> Message:
        session = self._sessions.session(call)
        if session.order is not None:
            self._spoil(call, session.order)
        told, signature = members(accepted(read(call.data("cancelSessionResponse"), 0xBF41)), 0x30, 0x5F37)
        own = tlv.read_one(told)
        if session.card is None or not pki.verify(session.card.certificate, tlv.read_one(signature).value, told):
            raise Refusal("8.1", "6.1", "the card's signature is wrong")
        if value_at(own, 0x80) != session.transaction:
            raise Refusal("8.10.1", "3.9", "the card signed another transaction")
        if value_at(own, 0x81) != pki.oid_octets(self._credentials.oid):
            raise Refusal("8.8", "3.10", "the card signed another server's OID")
        reason = value_at(own, 0x82)
        if session.order is not None:
            self.orders.cancel(session.order, tlv.read_integer(reason) if reason else END_USER_REJECTION)
        session.is_over = True
        return {}

    def _spoil(self, call: Call, order: Order) -> None:
        """An order's own fault comes to those of the server, or its own refusal."""
        if order.fault is not None and order.fault.is_due(call.step):
            call.wrong[order.fault.kind] = order.fault
        if order.refusal is not None and order.refusal[0] == call.step:
            raise Refusal(*order.refusal[1:], "refused on demand")


def refused(refusal: Refusal) -> Message:
    """The header of a refusal, for an answer that is spoilt besides."""
    data = {"subjectCode": refusal.subject, "reasonCode": refusal.reason, "message": refusal.message}
    return {"header": {"functionExecutionStatus": {"status": "Failed", "statusCodeData": data}}}


def free_octets(info: Tlv) -> int:
    """What a card says it has left, without end when it does not say."""
    resource = value_at(info, 0x84)
    if resource is None:
        return 1 << 31
    free = next((one.value for one in tlv.read_all(resource) if one.tag == 0x82), None)
    return 1 << 31 if free is None else int.from_bytes(free)
