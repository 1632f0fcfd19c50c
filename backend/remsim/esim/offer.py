"""What an LPA looks at itself in what a server signs, before the card and people spend time on it (SGP.22 §3.1.3).

The card checks signatures. Here is checked that an answer is to this question, from this server, of this session, and
for the profile that was shown: what was recorded or made for somebody else ends here.
"""

from __future__ import annotations

import contextlib
import hashlib

from remsim.core.tlv import Tlv, TlvError, read_integer, read_one
from remsim.esim.bpp import METADATA, PACKAGE, transaction_of
from remsim.esim.certificate import read_certificate
from remsim.esim.errors import EsimError
from remsim.esim.es9 import Offered, Started
from remsim.esim.es10.profiles import Profile, read_profile
from remsim.esim.ids import swapped
from remsim.esim.refusals import trouble

STORE_METADATA, MAC_OCTETS = 0xBF25, 8
RULES = {"cannot_disable": 1, "cannot_delete": 2}
"""Bits of rules that a card has to allow: PPR1 and PPR2."""
ANY_DIGIT = "E"


def check_started(session: Started, *, challenge: bytes, address: str, oid: str | None) -> None:
    """The server signed the card's challenge, its own name and the session that it opened; ``EsimError`` if not."""
    signed = object_of(session.signed, 0x30, "serverSigned1")
    if value_of(signed, 0x81) != challenge:
        raise trouble("wrong_challenge")
    if value_of(signed, 0x80) != session.transaction_id:
        raise trouble("wrong_transaction")
    name = value_of(signed, 0x83).decode("utf-8", "replace")
    asked = address.lower().rstrip(".")
    if name.strip().lower().rstrip(".") not in (asked, asked.partition(":")[0]):  # with its port or without
        shown = "".join(letter if letter.isprintable() else "?" for letter in name)[:80]
        raise trouble("address_mismatch", why=f"it signs as {shown}, not as {address}")
    if oid:
        try:
            oids = read_certificate(session.certificate).oids
        except TlvError as error:
            raise unreadable("serverCertificate") from error
        if oid not in oids:
            raise trouble("oid_mismatch", why=f"{', '.join(oids) or 'none'}, not {oid}")


def needs_code(offered: Offered, session: Started) -> bool:
    """Whether a confirmation code is asked for, of an offer that is of this session."""
    signed = object_of(offered.signed, 0x30, "smdpSigned2")
    if value_of(signed, 0x80) != session.transaction_id:
        raise trouble("wrong_transaction")
    return any(value_of(signed, 0x01))


def read_metadata(raw: bytes) -> Profile:
    """The profile that is offered, as the card would list it once it has it."""
    found = object_of(raw, STORE_METADATA, "profileMetadata")
    try:
        profile = read_profile(found.children())
    except TlvError as error:
        raise unreadable("profileMetadata") from error
    if not profile.iccid:
        raise unreadable("profileMetadata")
    return profile


def check_package(package: bytes, session: Started, shown: Profile) -> None:
    """A package is of this session, and for the profile that was shown."""
    try:
        if object_of(package, PACKAGE, "boundProfilePackage") and transaction_of(package) != session.transaction_id:
            raise trouble("wrong_transaction")
        stored = package_metadata(package)
    except TlvError as error:
        raise unreadable("boundProfilePackage") from error
    if stored is not None and said_of(stored) != said_of(shown):
        raise trouble("metadata_mismatch")


def package_metadata(package: bytes) -> Profile | None:
    """What the package tells the card of the profile, which is not encrypted; None when it cannot be read."""
    part = read_one(package).find(METADATA)
    if part is None:
        return None
    joined = b"".join(piece.value[:-MAC_OCTETS] for piece in part.children())
    with contextlib.suppress(TlvError, EsimError):
        return read_metadata(joined)
    return None


def said_of(profile: Profile) -> tuple[object, ...]:
    """What must not change behind the back of somebody who agreed; servers may spell a name in two ways."""
    return (profile.iccid, profile.profile_class, profile.policy)


def code_hash(code: str, transaction_id: bytes) -> bytes:
    """A confirmation code as the server wants it, good for one session (SGP.22 §5.6.2)."""
    return hashlib.sha256(hashlib.sha256(code.encode()).digest() + transaction_id).digest()


def check_card(answer: bytes, tag: int, meanings: dict[int, str]) -> None:
    """``EsimError`` when the card's answer (BF38, BF21) says no."""
    refused = object_of(answer, tag, "answer of the card").find(0xA1)
    if refused is None:
        return
    number = next((read_integer(one.value) for one in refused.children() if one.tag in (0x02, 0x81)), None)
    raise trouble(meanings.get(number or 0, "card_refused"), raw=f"{tag:X}/{'?' if number is None else number}")


def is_allowed(rat: bytes, profile: Profile) -> bool:
    """Whether a card's table of rules (BF43) lets this operator make the rules of its profile (SGP.22 §2.4.12).

    A table that cannot be read forbids nothing: the card itself has the last word.
    """
    wanted = {bit for name, bit in RULES.items() if name in profile.policy}
    try:
        table = read_one(rat).find(0xA0)
        rows = table.children() if table is not None else ()
        return all(any(row_allows(row, bit, profile) for row in rows) for bit in wanted)
    except TlvError:
        return True


def row_allows(row: Tlv, bit: int, profile: Profile) -> bool:
    """Whether one row is of this rule and of this operator."""
    bits = value_of(row, 0x80)[1:]
    if not bits or not bits[0] & 0x80 >> bit:
        return False
    operators = row.find(0xA1)
    return operators is not None and any(is_operator(one, profile) for one in operators.children())


def is_operator(one: Tlv, profile: Profile) -> bool:
    """Whether an entry means this operator; E stands for any digit, a group that is missing for any."""
    owner = profile.owner
    if owner is None or owner.plmn is None:
        return False
    mcc, _, mnc = owner.plmn.partition("-")
    own, pattern = mcc + mnc.ljust(3, "F"), swapped(value_of(one, 0x80))
    pattern = pattern[:3] + pattern[4:] + pattern[3:4]  # the third digit of the network stands behind the country
    if len(pattern) != len(own) or any(want not in (ANY_DIGIT, have) for want, have in zip(pattern, own, strict=True)):
        return False
    groups = ((0x81, owner.gid1), (0x82, owner.gid2))
    return all(value_of(one, tag).hex() in ("", have or "") for tag, have in groups)


def object_of(raw: bytes, tag: int, name: str) -> Tlv:
    """The one object in there, of a tag; ``EsimError`` when it is not."""
    try:
        found = read_one(raw)
        found.children()
    except TlvError as error:
        raise unreadable(name) from error
    if found.tag != tag:
        raise unreadable(name)
    return found


def value_of(inside: Tlv, tag: int) -> bytes:
    """A member's octets; none when it is not there."""
    found = inside.find(tag)
    return b"" if found is None else found.value


def unreadable(name: str) -> EsimError:
    """An answer whose parts make no sense."""
    return trouble("server_reply", why=f"its {name} makes no sense")
