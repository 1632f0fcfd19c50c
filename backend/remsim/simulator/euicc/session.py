"""How a server and a card find each other's names out, common to SM-DP+ and SM-DS (SGP.22 §3.0.1)."""

from __future__ import annotations

import base64
import binascii
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Any

from cryptography import x509

from remsim.core import tlv
from remsim.core.small_dataclass import dataclass
from remsim.core.tlv import Tlv
from remsim.simulator.euicc import pki
from remsim.simulator.euicc.chain import Card, checked_card
from remsim.simulator.euicc.faults import Fault
from remsim.simulator.euicc.orders import Order, Refusal

MOST_SESSIONS = 256
SESSION_S = 86400.0
"""Long, for results of installations may come late."""
Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ServerCredentials:
    """What a server shows and trusts: its certificate for authentication (``auth``), the one for packages (``binding``,
    an SM-DP+ only), its OID, and the roots of cards, the one of its own certificates first."""

    roots: tuple[x509.Certificate, ...]
    oid: str
    auth: pki.Identity
    binding: pki.Identity | None = None

    @property
    def root_ids(self) -> list[bytes]:
        """The key ids of the roots."""
        return [pki.key_id(root) for root in self.roots]


@dataclass(slots=True)
class Session:
    """One transaction with one card. ``is_over``: it is kept only for what the card may still tell of it."""

    transaction: bytes
    address: str
    challenge: bytes
    began_at: float
    card: Card | None = None
    card_signature: bytes = b""
    own_signature: bytes = b""
    order: Order | None = None
    is_over: bool = False


@dataclass(slots=True)
class Call:
    """One request: ``wrong`` is what is to be done wrong in answering it."""

    step: str
    message: Message
    wrong: dict[str, Fault] = field(default_factory=dict)

    def data(self, key: str) -> bytes:
        """A member in base64."""
        try:
            return base64.b64decode("".join(self.text(key).split()), validate=True)
        except binascii.Error as error:
            raise Refusal("1.2.1", "2.1", f"{key} is not base64") from error

    def text(self, key: str) -> str:
        """A member that is text."""
        value = self.message.get(key)
        if not isinstance(value, str):
            raise Refusal("1.2.1", "2.2", f"{key} is missing")
        return value


class Authenticator:
    """The sessions of a server. ``subject`` begins its subject codes: 8.8 for an SM-DP+, 8.9 for an SM-DS."""

    def __init__(self, credentials: ServerCredentials, addresses: Callable[[], Iterable[str]], subject: str) -> None:
        self._credentials = credentials
        self._addresses = addresses
        self._subject = subject
        self._lock = threading.Lock()
        self._sessions: dict[bytes, Session] = {}

    def initiate(self, call: Call, address: str) -> Message:
        """Sign the card's challenge."""
        challenge, info = call.data("euiccChallenge"), read(call.data("euiccInfo1"), 0xBF20)
        if address.lower() not in {one.lower() for one in self._addresses()}:
            raise Refusal(f"{self._subject}.1", "3.8", "that is not this server's address")
        root_id = self._common_root(info)
        session = Session(os.urandom(16), address, os.urandom(16), time.monotonic())
        with self._lock:
            self._forget_old(session.began_at)
            self._sessions[session.transaction] = session
        own = signed_by_server(session, b"\0" * 16 if "wrong_challenge" in call.wrong else challenge, call.wrong)
        signature = self._credentials.auth.sign(own)
        return {
            "transactionId": named(session, call.wrong),
            "serverSigned1": encoded(own),
            "serverSignature1": encoded(signature_object(signature, call.wrong)),
            "euiccCiPKIdToBeUsed": encoded(tlv.encode(0x04, root_id)),
            "serverCertificate": encoded(self._credentials.auth.der),
        }

    def authenticate(self, call: Call) -> tuple[Session, Tlv, Tlv]:
        """The session of a card that has shown who it is, its context and its EUICCInfo2."""
        session = self.session(call)
        answer = accepted(read(call.data("authenticateServerResponse"), 0xBF38))
        own, signature, card, manufacturer = members(answer, 0x30, 0x5F37, 0x30, 0x30)
        session.card = checked_card(card, manufacturer, self._credentials.roots)
        if not pki.verify(session.card.certificate, tlv.read_one(signature).value, own):
            raise Refusal("8.1", "6.1", "the card's signature is wrong")
        told = tlv.read_one(own)
        if value_at(told, 0x80) != session.transaction:
            raise Refusal("8.10.1", "3.9", "the card signed another transaction")
        if value_at(told, 0x84) != session.challenge:
            raise Refusal("8.1", "6.1", "the card signed another challenge")
        if value_at(told, 0x83) != session.address.encode():
            raise Refusal(f"{self._subject}.1", "3.8", "the card signed another address")
        info, context = told.find(0xBF22), told.find(0xA0)
        if info is None or context is None:
            raise Refusal("1.2.1", "2.2", "the card says nothing of itself")
        session.card_signature = signature
        return session, context, info

    def session(self, call: Call) -> Session:
        """The session of a request."""
        try:
            transaction = bytes.fromhex(call.text("transactionId"))
        except ValueError:
            transaction = b""
        with self._lock:
            self._forget_old(time.monotonic())
            found = self._sessions.get(transaction)
        if found is None or found.is_over:
            raise Refusal("8.10.1", "3.9", "there is no such transaction")
        return found

    def named(self, transaction: bytes | None) -> Session | None:
        """The session of a transaction, an ended one too, if it is still known."""
        with self._lock:
            return None if transaction is None else self._sessions.get(transaction)

    def _forget_old(self, now: float) -> None:
        for transaction, session in list(self._sessions.items()):
            if now - session.began_at > SESSION_S or len(self._sessions) >= MOST_SESSIONS:
                del self._sessions[transaction]

    def _common_root(self, info: Tlv) -> bytes:
        """The root that both know: for our certificates, and for the card's."""
        version = value_at(info, 0x82)
        if not version or version[0] < 2:
            raise Refusal(f"{self._subject}.3", "3.1", "the card's version is not supported")
        verifies, signs = (key_ids(info.find(tag)) for tag in (0xA9, 0xAA))
        own = self._credentials.root_ids
        if own[0] not in verifies:
            raise Refusal(f"{self._subject}.2", "3.1", "the card does not know the root of this server")
        usable = [key_id for key_id in signs if key_id in own]
        if not usable:
            raise Refusal(f"{self._subject}.4", "3.7", "this server does not know the root of the card")
        return usable[0]


def signed_by_server(session: Session, challenge: bytes, wrong: Mapping[str, Fault]) -> bytes:
    """serverSigned1."""
    address = "another.example.com" if "wrong_address" in wrong else session.address
    return tlv.encode(
        0x30,
        tlv.encode(0x80, session.transaction),
        tlv.encode(0x81, challenge),
        tlv.encode(0x83, address.encode()),
        tlv.encode(0x84, session.challenge),
    )


def named(session: Session, wrong: Mapping[str, Fault]) -> str:
    """The transaction in JSON."""
    return (bytes(16) if "wrong_transaction" in wrong else session.transaction).hex().upper()


def signature_object(signature: bytes, wrong: Mapping[str, Fault]) -> bytes:
    """A signature in its object, or one that does not fit."""
    if "wrong_signature" in wrong:
        signature = signature[:-1] + bytes((signature[-1] ^ 1,))
    return tlv.encode(0x5F37, signature)


def encoded(data: bytes) -> str:
    """Base64 with padding."""
    return base64.b64encode(data).decode()


def read(data: bytes, tag: int) -> Tlv:
    """The object that must be it."""
    found = tlv.read_one(data)
    if found.tag != tag:
        raise Refusal("1.2.1", "2.1", f"there is {found.tag:X}, not {tag:X}")
    return found


def accepted(answer: Tlv) -> Tlv:
    """What a card says in its good answer."""
    good = answer.find(0xA0)
    if good is None:
        raise Refusal("8.1", "4.2", "the card refused")
    return good


def members(parent: Tlv, *tags: int) -> list[bytes]:
    """The objects inside as they came, whose tags must be these; optional ones are the caller's to find."""
    found, offset = [], 0
    while offset < len(parent.value):
        child, end = tlv.read(parent.value, offset)
        found.append((child.tag, parent.value[offset:end]))
        offset = end
    if [tag for tag, _ in found] != list(tags):
        raise Refusal("1.2.1", "2.1", "the card's answer has another shape")
    return [raw for _, raw in found]


def value_at(parent: Tlv, *tags: int) -> bytes | None:
    """The octets of an object inside."""
    found = parent.find(*tags)
    return None if found is None else found.value


def key_ids(listed: Tlv | None) -> list[bytes]:
    """Key ids in a list of them."""
    return [] if listed is None else [one.value for one in listed.children()]

