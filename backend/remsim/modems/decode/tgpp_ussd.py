"""USSD answers (27.007 §7.15) in the alphabets of 23.038."""

from __future__ import annotations

import re

from remsim.modems.decode.text import Asked, Decoder, Record, Values, field, split_fields, to_int

STATUS = {
    0: "done",
    1: "reply_wanted",
    2: "terminated",
    3: "other_client",
    4: "not_supported",
    5: "timeout",
}

GSM7 = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""The default alphabet of 23.038 §6.2.1, by code."""

GSM7_EXTENSION = {10: "\f", 20: "^", 40: "{", 41: "}", 47: "\\", 60: "[", 61: "~", 62: "]", 64: "|", 101: "€"}


def decode_cusd(asked: Asked, record: Record) -> Values:
    """+CUSD: what becomes of the session, the text and its coding scheme (23.038 §5)."""
    body = record.body
    match = re.match(r'\s*(\d)\s*(?:,\s*"(.*)"\s*(?:,\s*(\d{1,3}))?\s*$)?', body, re.DOTALL)
    if match is None:
        return {}
    status, text, scheme = match[1], match[2], match[3]
    if text is None:
        fields = split_fields(body)
        text, scheme = field(fields, 1), field(fields, 2)
    dcs = to_int(scheme)
    values: Values = {"ussd_status": STATUS.get(int(status)), "ussd_dcs": dcs}
    return values if text is None else values | {"ussd_text": readable(text, dcs)}


def readable(text: str, dcs: int | None) -> str:
    """The text in letters, where the modem printed the network's bytes in hex."""
    if len(text) < 4 or len(text) % 2 or not re.fullmatch(r"[0-9A-Fa-f]+", text):
        return text
    raw = bytes.fromhex(text)
    if dcs is not None and is_ucs2(dcs):
        return raw.decode("utf-16-be", errors="replace") if len(raw) % 2 == 0 else text
    if len(raw) % 2 == 0 and len(raw) >= 4 and not any(raw[::2]):
        return raw.decode("utf-16-be")  # the terminal's character set is UCS-2, whatever the network's was
    if text.isdigit() or len(raw) < 4:
        return text  # a balance or a code may be all digits
    unpacked = unpack_septets(raw)
    return unpacked if all(char.isprintable() or char in "\n\r" for char in unpacked) else text


def is_ucs2(dcs: int) -> bool:
    """Whether a coding scheme of cell broadcast and USSD names UCS-2."""
    return dcs == 0x11 or (0x40 <= dcs <= 0x7F and dcs & 0x0C == 0x08)


def unpack_septets(raw: bytes) -> str:
    """The letters of packed seven bit codes; the filling at the end is dropped."""
    bits = int.from_bytes(raw, "little")
    codes = [bits >> shift & 0x7F for shift in range(0, len(raw) * 8 - 6, 7)]
    if len(raw) % 7 == 0 and codes and codes[-1] in (0, 13):
        codes.pop()  # eight codes fill seven bytes: a CR stands for "no more"
    letters, codes_left = [], iter(codes)
    for code in codes_left:
        letters.append(GSM7_EXTENSION.get(next(codes_left, 0), " ") if code == 27 else GSM7[code])
    return "".join(letters)


RECORDS: dict[str, Decoder] = {"+CUSD": decode_cusd}
