"""ICCID, EID, IMEI and operators as eUICCs write them (SGP.22 §2.4.2, §4.3; 3GPP TS 24.008 §10.5.1.3)."""

from __future__ import annotations

from remsim.core.errors import InvalidInput

ICCID_OCTETS, EID_OCTETS = 10, 16
ICCID_DIGITS = range(18, 21)
HEX = frozenset("0123456789ABCDEF")


def swapped(octets: bytes) -> str:
    """Digits of octets whose halves are the wrong way round, with what fills them up: ``9844F0`` is 89440F."""
    text = octets.hex().upper()
    return "".join(text[at + 1] + text[at] for at in range(0, len(text), 2))


def read_iccid(octets: bytes) -> str | None:
    """The number of tag 5A; None when there is none. Test cards have hex digits in theirs, so only the end is cut."""
    return swapped(octets).rstrip("F") or None


def encode_iccid(digits: str) -> bytes:
    """Ten octets, filled up with F: an 18-digit number ends with a whole FF. ``InvalidInput`` names ``iccid``."""
    text = digits.strip().upper().rstrip("F")
    if len(text) not in ICCID_DIGITS or not HEX.issuperset(text):
        raise InvalidInput("an ICCID has 18 to 20 digits", field="iccid")
    text = text.ljust(2 * ICCID_OCTETS, "F")
    return bytes.fromhex("".join(text[at + 1] + text[at] for at in range(0, len(text), 2)))


def read_eid(octets: bytes) -> str:
    """32 digits; they are not swapped."""
    return octets.hex().upper()


def is_eid(text: str) -> bool:
    """32 decimal digits of which the last two check the others: the whole modulo 97 is 1 (SGP.29)."""
    return len(text) == 2 * EID_OCTETS and text.isascii() and text.isdigit() and int(text) % 97 == 1


def encode_imei(digits: str) -> bytes:
    """15 digits in 8 octets, the last of which is the check digit and F (SGP.22 §4.2, as Android has it)."""
    if len(digits) != 15 or not (digits.isascii() and digits.isdigit()):
        raise InvalidInput("an IMEI has 15 digits", field="imei")
    body = "".join(digits[at + 1] + digits[at] for at in range(0, 14, 2))
    return bytes.fromhex(body + digits[14] + "F")


def read_plmn(octets: bytes) -> str | None:
    """``262-02`` of three octets; None for what is none."""
    if len(octets) != 3:
        return None
    digits = octets.hex().upper()
    mcc, mnc = digits[1] + digits[0] + digits[3], digits[5] + digits[4] + digits[2].replace("F", "")
    return f"{mcc}-{mnc}" if (mcc + mnc).isdigit() else None
