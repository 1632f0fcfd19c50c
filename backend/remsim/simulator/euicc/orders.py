"""What an SM-DP+ knows of its business: profiles it can give out, and who ordered which."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import field

from remsim.core.small_dataclass import dataclass
from remsim.simulator.euicc.faults import Fault

MOST_WRONG_CODES = 3
MOST_ATTEMPTS = 10
GOOD_AFTER = (1, 2, 5)
"""Reasons of a cancelled session after which the order is still good: postponed, timeout, trouble while loading."""
STATES = (
    "available",
    "allocated",
    "linked",
    "confirmed",
    "released",
    "downloaded",
    "installed",
    "error",
    "unavailable",
)
"""Of a profile at its SM-DP+ (SGP.22 §3.1.6). ``linked`` is ``allocated`` to an EID."""


class Refusal(Exception):
    """What a server answers instead: subject and reason code of SGP.22 §5.2.6, and words for who reads a log."""

    def __init__(self, subject: str, reason: str, message: str) -> None:
        super().__init__(f"{subject}/{reason} {message}")
        self.subject = subject
        self.reason = reason
        self.message = message


@dataclass(frozen=True, slots=True)
class Offer:
    """One profile. ``owner`` is MCC and MNC in digits; ``policy`` holds ``cannot_disable`` and ``cannot_delete``."""

    iccid: str
    imsi: str
    name: str
    provider: str
    profile_class: str = "operational"
    owner: str | None = None
    icon: bytes | None = None
    policy: frozenset[str] = frozenset()
    size_bytes: int = 12_000
    profile_type: str = "default"


@dataclass(slots=True)
class Order:
    """Somebody's claim to a profile. ``matching_id`` is empty for a default order, which its EID fetches.

    ``expires_at`` is in seconds since 1970. One that ``is_reusable`` is there again when its profile was deleted and
    that was told, or the user did not want it: for demonstrations. ``refusal``: a step that is always refused, and the
    subject and reason codes. ``smds_address``: where an event waits for the card while it is released.
    """

    offer: Offer
    matching_id: str = ""
    eid: str | None = None
    code_hash: bytes | None = None
    state: str = "released"
    expires_at: float | None = None
    is_reusable: bool = False
    fault: Fault | None = None
    refusal: tuple[str, str, str] | None = None
    wrong_codes: int = 0
    attempts: int = 0
    smds_address: str | None = None
    fetched_by: str | None = None
    told: list[str] = field(default_factory=list)
    """The operations that its card told: install, enable, disable, delete, install_failed, cancelled_N."""

    def needs_code(self) -> bool:
        """Whether a confirmation code is asked for."""
        return self.code_hash is not None


def hash_of(confirmation_code: str) -> bytes:
    """What is kept of a confirmation code."""
    return hashlib.sha256(confirmation_code.encode()).digest()


class Orders:
    """All profiles and orders of one SM-DP+, for any thread. ``stock`` are those nobody ordered yet."""

    def __init__(self, orders: Iterable[Order] = (), stock: Iterable[Offer] = ()) -> None:
        self.lock = threading.RLock()
        self._orders: dict[str, Order] = {}
        self.stock = {offer.iccid: offer for offer in stock}
        for order in orders:
            self.add(order)

    def add(self, order: Order) -> Order:
        """Take an order in; its ICCID is its name."""
        with self.lock:
            self._orders[order.offer.iccid] = order
            self.stock.pop(order.offer.iccid, None)
        return order

    def put_back(self, offer: Offer) -> None:
        """Nobody's order any more: it is in stock again."""
        with self.lock:
            self._orders.pop(offer.iccid, None)
            self.stock[offer.iccid] = offer

    def all(self) -> list[Order]:
        """Every order, the oldest first."""
        with self.lock:
            return list(self._orders.values())

    def get(self, iccid: str) -> Order | None:
        """The order of a profile."""
        with self.lock:
            return self._orders.get(iccid)

    def find(self, matching_id: str | None, eid: str) -> Order:
        """The order that a card asks for, with a matching id or by its EID, ready to be fetched; else a ``Refusal``."""
        with self.lock:
            order = self._named(matching_id) if matching_id else self._default(eid)
            if order.eid is not None and order.eid != eid:
                raise Refusal("8.1.1", "3.8", "the order is reserved for another EID")
            if order.code_hash is not None and order.wrong_codes >= MOST_WRONG_CODES:
                raise Refusal("8.2.7", "6.4", "too many wrong confirmation codes")
            if order.state in ("installed", "error", "unavailable"):
                raise Refusal("8.2.6", "3.8", "the matching id was used")
            if order.state not in ("released", "downloaded"):
                raise Refusal("8.2", "1.2", "the profile is not released yet")
            if order.fetched_by not in (None, eid):
                raise Refusal("8.2.6", "3.8", "another card fetched it")
            if order.expires_at is not None and order.expires_at <= time.time():
                raise Refusal("8.8.5", "4.10", "the order has expired")
            if order.attempts >= MOST_ATTEMPTS:
                raise Refusal("8.8.5", "6.4", "too many attempts to download")
            return order

    def check_code(self, order: Order, code: bytes | None, transaction: bytes) -> None:
        """Compare the hash that came with a download to the order's; a wrong one counts."""
        if order.code_hash is None:
            return
        if order.wrong_codes >= MOST_WRONG_CODES:
            raise Refusal("8.2.7", "6.4", "too many wrong confirmation codes")
        if code is None:
            raise Refusal("8.2.7", "2.2", "a confirmation code is needed")
        wanted = hashlib.sha256(order.code_hash + transaction).digest()
        if hmac.compare_digest(code, wanted):
            return
        with self.lock:
            order.wrong_codes += 1
            if order.wrong_codes >= MOST_WRONG_CODES:
                order.state = "error"
                raise Refusal("8.2.7", "6.4", "too many wrong confirmation codes")
        raise Refusal("8.2.7", "3.8", "the confirmation code is wrong")

    def fetch(self, order: Order, eid: str) -> None:
        """A card gets the package, and nobody else's does from now on."""
        with self.lock:
            order.attempts += 1
            order.fetched_by = eid
            order.state = "downloaded"

    def tell(self, order: Order, event: str) -> None:
        """A card told what became of the profile; the same twice changes nothing."""
        with self.lock:
            order.told.append(event)
            if event in ("install", "enable", "disable"):
                order.state = "installed"
            elif order.state == "downloaded" if event == "install_failed" else order.is_reusable:
                self._release(order)

    def cancel(self, order: Order, reason: int) -> None:
        """The user or the card does not go on, by SGP.22's reason; it is over but for what may come again."""
        with self.lock:
            order.told.append(f"cancelled_{reason}")
            if order.state in ("released", "downloaded") and reason not in GOOD_AFTER and not order.is_reusable:
                order.state = "error"
            elif order.state == "downloaded":
                self._release(order)

    def _release(self, order: Order) -> None:
        order.state = "released"
        order.fetched_by = None
        if order.is_reusable:
            order.attempts = 0

    def _named(self, matching_id: str) -> Order:
        found = next((one for one in self._orders.values() if one.matching_id == matching_id), None)
        if found is None:
            raise Refusal("8.2.6", "3.8", "there is no such matching id")
        return found

    def _default(self, eid: str) -> Order:
        """The order without a matching id that waits for this EID, the oldest that can be fetched first."""
        waiting = [one for one in self._orders.values() if one.eid == eid and not one.matching_id]
        ready = [one for one in waiting if one.state in ("released", "downloaded")]
        if not waiting:
            raise Refusal("8.1.1", "3.8", "nothing waits for this EID")
        return (ready or waiting)[0]


def new_matching_id() -> str:
    """One nobody guesses: three groups of five."""
    signs = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
    return "-".join("".join(secrets.choice(signs) for _ in range(5)) for _ in range(3))
