"""What cards tell an SM-DP+: results of installations, and that a profile was enabled, disabled or deleted."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from cryptography import x509

from remsim.core import tlv
from remsim.core.small_dataclass import dataclass
from remsim.core.tlv import Tlv
from remsim.simulator.euicc import pki
from remsim.simulator.euicc.chain import checked_card
from remsim.simulator.euicc.orders import Refusal
from remsim.simulator.euicc.session import Session, members, value_at

EVENTS = {0x80: "install", 0x40: "enable", 0x20: "disable", 0x10: "delete"}


@dataclass(frozen=True, slots=True)
class Told:
    """One notification. ``event`` is ``install``, ``install_failed``, ``enable``, ``disable`` or ``delete``.

    ``is_proven``: its signature is that of a card we know. ``error`` is BPP command and reason of a failed one, which
    may not know the ICCID yet; ``transaction`` is that of a result.
    """

    event: str
    iccid: str | None
    sequence: int
    is_proven: bool
    error: tuple[int, int] | None = None
    transaction: bytes | None = None


def read_notification(
    data: bytes, session_of: Callable[[bytes | None], Session | None], roots: Iterable[x509.Certificate]
) -> Told:
    """Read one; a session tells which card signed the result of an installation. ``TlvError``, ``Refusal``."""
    whole = tlv.read_one(data)
    if whole.tag == 0xBF37:
        return _read_result(whole, session_of)
    if whole.tag != 0x30:
        raise Refusal("1.2.1", "2.1", "that is no notification")
    metadata, signature, card, manufacturer = members(whole, 0xBF2F, 0x5F37, 0x30, 0x30)
    event, iccid, sequence = _read_metadata(tlv.read_one(metadata))
    try:
        known = checked_card(card, manufacturer, roots)
        is_proven = pki.verify(known.certificate, tlv.read_one(signature).value, metadata)
    except Refusal:
        is_proven = False
    return Told(event, iccid, sequence, is_proven)


def _read_result(whole: Tlv, session_of: Callable[[bytes | None], Session | None]) -> Told:
    result, signature = members(whole, 0xBF27, 0x5F37)
    body = tlv.read_one(result)
    metadata, final = body.find(0xBF2F), body.find(0xA2)
    if metadata is None or final is None:
        raise Refusal("1.2.1", "2.2", "the result is not whole")
    transaction = value_at(body, 0x80)
    session = session_of(transaction)
    card = session.card if session is not None else None
    is_proven = card is not None and pki.verify(card.certificate, tlv.read_one(signature).value, result)
    _event, iccid, sequence = _read_metadata(metadata)
    failed = final.find(0xA1)
    if failed is None:
        return Told("install", iccid, sequence, is_proven, None, transaction)
    command, reason = value_at(failed, 0x80) or b"\x7f", value_at(failed, 0x81) or b"\x7f"
    error = tlv.read_integer(command), tlv.read_integer(reason)
    return Told("install_failed", iccid, sequence, is_proven, error, transaction)


def _read_metadata(metadata: Tlv) -> tuple[str, str | None, int]:
    """Event, ICCID and sequence number."""
    operation, iccid, sequence = (value_at(metadata, tag) for tag in (0x81, 0x5A, 0x80))
    event = EVENTS.get(operation[1]) if operation and len(operation) > 1 else None
    if event is None or not sequence:
        raise Refusal("1.2.1", "2.2", "the notification is not whole")
    return event, digits(iccid) if iccid else None, tlv.read_integer(sequence)


def digits(octets: bytes) -> str:
    """The digits of an ICCID."""
    text = octets.hex().upper()
    return "".join(text[at + 1] + text[at] for at in range(0, len(text), 2)).rstrip("F")
