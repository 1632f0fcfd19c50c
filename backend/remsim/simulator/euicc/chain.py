"""Whether a card is who it says: its certificate, its manufacturer's, and both under a root (SGP.22 §4.5)."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import NameOID

from remsim.core.small_dataclass import dataclass
from remsim.simulator.euicc import pki
from remsim.simulator.euicc.orders import Refusal

MALFORMED = (
    ValueError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What reading a certificate raises, now or when a part of it is looked at."""
WORDS = {"8.1.2": "the manufacturer's certificate", "8.1.3": "the card's certificate"}


@dataclass(frozen=True, slots=True)
class Card:
    """A card whose certificates are right."""

    eid: str
    certificate: x509.Certificate


def checked_card(euicc: bytes, eum: bytes, roots: Iterable[x509.Certificate]) -> Card:
    """The card of two certificates; a ``Refusal`` says which of them is wrong."""
    try:
        return identified(euicc, eum, roots)
    except MALFORMED as error:
        raise Refusal("8.1.3", "6.1", f"a certificate is malformed: {error}") from error


def identified(euicc: bytes, eum: bytes, roots: Iterable[x509.Certificate]) -> Card:
    """The same, but for errors of those who read certificates."""
    manufacturer = parsed(eum, "8.1.2")
    card = parsed(euicc, "8.1.3")
    issuer = next((root for root in roots if root.subject == manufacturer.issuer), None)
    if issuer is None:
        raise Refusal("8.11.1", "3.9", "the root above the manufacturer's certificate is not trusted")
    check(manufacturer, issuer, "eum", "8.1.2")
    check(card, manufacturer, "euicc", "8.1.3")
    eid = named(card, NameOID.SERIAL_NUMBER)
    if eid is None or len(eid) != 32 or not eid.isdecimal():
        raise Refusal("8.1.3", "6.1", "the card's certificate names no EID")
    if not within(card, manufacturer):
        raise Refusal("8.1.4", "6.1", "the EID is not one that the manufacturer may give")
    return Card(eid, card)


def parsed(der: bytes, subject: str) -> x509.Certificate:
    """A certificate with a key on a curve that eUICCs have."""
    try:
        certificate = x509.load_der_x509_certificate(der)
        is_usable = pki.curve_of(certificate) in pki.CURVES
    except ValueError:
        is_usable = False
    if not is_usable:
        raise Refusal(subject, "6.1", f"{WORDS[subject]} cannot be read")
    return certificate


def check(certificate: x509.Certificate, issuer: x509.Certificate, role: str, subject: str) -> None:
    """Signature, time and role of one certificate."""
    words = WORDS[subject]
    if not pki.is_issued_by(certificate, issuer):
        raise Refusal(subject, "6.1", f"{words} is not issued by the one above it")
    if not is_in_time(certificate, datetime.datetime.now(datetime.UTC)):
        raise Refusal(subject, "6.3", f"{words} has expired")
    if not pki.has_role(certificate, role):
        raise Refusal(subject, "6.1", f"{words} is not for that")


def is_in_time(certificate: x509.Certificate, now: datetime.datetime) -> bool:
    """Whether it is valid at a time; before release 42, cryptography only has times without their zone."""
    if not hasattr(certificate, "not_valid_before_utc"):
        naive = now.replace(tzinfo=None)
        return bool(certificate.not_valid_before <= naive <= certificate.not_valid_after)
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def within(card: x509.Certificate, manufacturer: x509.Certificate) -> bool:
    """Whether name and EID are among those the manufacturer may give (its name constraints)."""
    try:
        found = manufacturer.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return True
    permitted = [one.value for one in found.permitted_subtrees or () if isinstance(one, x509.DirectoryName)]
    return not permitted or any(fits(card, limit) for limit in permitted)


def fits(card: x509.Certificate, limit: x509.Name) -> bool:
    """Whether a card's organization is the limit's, and its EID begins as the limit says."""
    eid = named(card, NameOID.SERIAL_NUMBER) or ""
    organizations = [one.value for one in limit.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    prefixes = [str(one.value) for one in limit.get_attributes_for_oid(NameOID.SERIAL_NUMBER)]
    is_organization = all(named(card, NameOID.ORGANIZATION_NAME) == one for one in organizations)
    return is_organization and all(eid.startswith(prefix) for prefix in prefixes)


def named(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str | None:
    """An attribute of the subject."""
    found = certificate.subject.get_attributes_for_oid(oid)
    return str(found[0].value) if found else None
