"""The alphabets of short messages (3GPP 23.038): seven bit codes in bytes, and which alphabet a message has."""

from __future__ import annotations

from collections.abc import Iterable

from remsim.modems.decode.tgpp_ussd import GSM7, GSM7_EXTENSION

ESCAPE = 27
CODES = {letter: (code,) for code, letter in enumerate(GSM7) if code != ESCAPE} | {
    letter: (ESCAPE, code) for code, letter in GSM7_EXTENSION.items()
}
"""The codes of each letter, two for those of the extension table (§6.2.1.1)."""


def codes_of(text: str) -> list[tuple[int, ...]] | None:
    """The codes of a text, letter by letter; None when the default alphabet lacks one of its letters."""
    codes = [CODES.get(letter) for letter in text]
    return None if None in codes else [code for code in codes if code is not None]


def text_of(codes: Iterable[int]) -> str:
    """The letters of codes. What the extension table lacks is the letter of the main table, as §6.2.1.1 wants it."""
    letters: list[str] = []
    is_escaped = False
    for code in codes:
        if is_escaped:
            letters.append(GSM7_EXTENSION.get(code, " " if code == ESCAPE else GSM7[code]))
            is_escaped = False
        elif code == ESCAPE:
            is_escaped = True
        else:
            letters.append(GSM7[code])
    return "".join(letters)


def pack(codes: Iterable[int], fill_bits: int = 0) -> bytes:
    """Codes as packed bytes, the first one behind ``fill_bits``."""
    bits, length = 0, fill_bits
    for code in codes:
        bits |= code << length
        length += 7
    return bits.to_bytes((length + 7) // 8, "little")


def unpack(raw: bytes, count: int, fill_bits: int = 0) -> list[int]:
    """``count`` codes of packed bytes, or as many as there are."""
    bits = int.from_bytes(raw, "little") >> fill_bits
    there = max(0, len(raw) * 8 - fill_bits) // 7
    return [bits >> 7 * at & 0x7F for at in range(min(count, there))]


def alphabet_of(scheme: int) -> str:
    """``gsm7``, ``data`` or ``ucs2`` by a message's data coding scheme (§4); ``packed`` is compressed text.

    Reserved schemes are the default alphabet, as §4 says.
    """
    if scheme < 0x80:
        if scheme & 0x20:
            return "packed"
        return {1: "data", 2: "ucs2"}.get(scheme >> 2 & 3, "gsm7")
    if scheme >> 4 == 0xF:
        return "data" if scheme & 4 else "gsm7"
    return "ucs2" if scheme >> 4 == 0xE else "gsm7"


def is_flash(scheme: int) -> bool:
    """Whether the message is of class 0: meant to be shown at once and not kept."""
    has_class = (scheme < 0x80 and scheme & 0x10) or scheme >> 4 == 0xF
    return bool(has_class) and scheme & 3 == 0
