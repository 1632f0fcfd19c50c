"""Short messages as a modem stores them: the PDUs of 3GPP 23.040, read.

Of three kinds are those that a modem keeps: what was received, what was written here, and reports on what was sent.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta, timezone

from remsim.core.errors import AtFormatError
from remsim.core.small_dataclass import dataclass
from remsim.modems.sms.alphabet import alphabet_of, is_flash, text_of, unpack

LONGEST_PDU = 400
DIGITS = "0123456789*#abc"
INTERNATIONAL, ALPHANUMERIC = 1, 5
CONCATENATED, CONCATENATED_16 = 0x00, 0x08


@dataclass(frozen=True, slots=True)
class Part:
    """Which piece of a longer message this is: ``number`` counts from 1 to ``of``."""

    reference: int
    of: int
    number: int


@dataclass(frozen=True, slots=True)
class Message:
    """One PDU. ``kind`` is ``received``, ``sent`` or ``report``.

    ``number`` is the other side's: digits, with + when international, or a name in letters. ``text`` is as it came, for
    ``joined`` to put together; None where the message carries data or compressed text, whose bytes are ``data``. Times
    have the offset that the service centre told.
    """

    kind: str
    service_centre: str | None
    number: str | None
    text: str | None = None
    data: bytes = b""
    sent_at: datetime | None = None
    part: Part | None = None
    is_flash: bool = False
    reference: int | None = None
    reported_at: datetime | None = None
    outcome: str | None = None


class Reader:
    """Takes bytes off a PDU; ``AtFormatError`` when it ends too early."""

    def __init__(self, pdu: str) -> None:
        try:
            self._bytes = bytes.fromhex(pdu) if len(pdu) <= 2 * LONGEST_PDU and pdu.isascii() else b""
        except ValueError:
            self._bytes = b""
        if not self._bytes:
            raise wrong("it is not in hex")
        self._at = 0

    def take(self, count: int) -> bytes:
        """The next bytes."""
        taken = self._bytes[self._at : self._at + count]
        if len(taken) < count:
            raise wrong("it ends too early")
        self._at += count
        return taken

    def byte(self) -> int:
        """The next byte."""
        return self.take(1)[0]

    def address(self) -> str | None:
        """A number or name of TP-OA, TP-DA or TP-RA (§9.1.2.5): its length counts digits."""
        digits = self.byte()
        kind, raw = self.byte(), self.take((digits + 1) // 2)
        return address(kind, raw, digits)

    def time(self) -> datetime | None:
        """A time stamp (§9.2.3.11); None when it is no time, as some service centres write."""
        return time_of(self.take(7))


def wrong(why: str) -> AtFormatError:
    """A PDU that cannot be read. Its bytes are somebody's words and are not repeated."""
    return AtFormatError("for a short message", why)


def decode_pdu(pdu: str) -> Message:
    """A stored message's PDU in hex, service centre first; ``AtFormatError`` when it is none."""
    reader = Reader(pdu)
    length = reader.byte()
    raw = reader.take(length)
    centre = address(raw[0], raw[1:], 2 * (length - 1)) if length > 1 else None
    first = reader.byte()
    if first & 3 == 2:
        return report(reader, centre)
    return submitted(reader, centre, first) if first & 3 == 1 else delivered(reader, centre, first)


def delivered(reader: Reader, centre: str | None, first: int) -> Message:
    """SMS-DELIVER (§9.2.2.1)."""
    number = reader.address()
    reader.byte()  # the protocol: what a fax or pager would need
    scheme = reader.byte()
    sent_at = reader.time()
    text, data, part = user_data(reader, scheme, has_header=bool(first & 0x40))
    return Message("received", centre, number, text, data, sent_at, part, is_flash(scheme))


def submitted(reader: Reader, centre: str | None, first: int) -> Message:
    """SMS-SUBMIT (§9.2.2.2)."""
    reference, number = reader.byte(), reader.address()
    reader.byte()
    scheme = reader.byte()
    reader.take({0: 0, 2: 1}.get(first >> 3 & 3, 7))  # how long it may wait
    text, data, part = user_data(reader, scheme, has_header=bool(first & 0x40))
    return Message("sent", centre, number, text, data, None, part, is_flash(scheme), reference)


def report(reader: Reader, centre: str | None) -> Message:
    """SMS-STATUS-REPORT (§9.2.2.3): what became of a message that was sent with ``reference``."""
    reference, number = reader.byte(), reader.address()
    sent_at, reported_at = reader.time(), reader.time()
    word = outcome(reader.byte())
    return Message("report", centre, number, None, b"", sent_at, None, False, reference, reported_at, word)


def outcome(status: int) -> str:
    """TP-Status (§9.2.3.15) in a word."""
    if status < 0x20:
        return {0: "delivered", 2: "replaced"}.get(status, "forwarded")
    return "waiting" if status < 0x40 else "failed"


def address(kind: int, raw: bytes, digits: int) -> str | None:
    """A number by its type: digits with or without +, or letters."""
    if kind >> 4 & 7 == ALPHANUMERIC:
        return printable(text_of(unpack(raw, digits * 4 // 7))) or None
    halves = [half for byte in raw for half in (byte & 15, byte >> 4)][:digits]
    number = "".join(DIGITS[half] for half in halves if half < len(DIGITS))
    return None if not number else f"+{number}" if kind >> 4 & 7 == INTERNATIONAL else number


def time_of(raw: bytes) -> datetime | None:
    """Seven bytes of swapped digits; the last one is quarters of an hour east of Greenwich, its bit 3 is minus."""
    zone = raw[6]
    values = [10 * (byte & 15) + (byte >> 4) for byte in (*raw[:6], zone & 0xF7)]
    offset = timedelta(minutes=15 * values[6]) * (-1 if zone & 8 else 1)
    try:
        return datetime(2000 + values[0], *values[1:6], tzinfo=timezone(offset) if offset else UTC)  # type: ignore[misc]
    except ValueError:
        return None


def user_data(reader: Reader, scheme: int, *, has_header: bool) -> tuple[str | None, bytes, Part | None]:
    """TP-UDL and TP-UD (§9.2.3.24): the text or None, the bytes of what is no text, and which part it is."""
    length, alphabet = reader.byte(), alphabet_of(scheme)
    raw = reader.take((length * 7 + 7) // 8 if alphabet == "gsm7" else length)
    header = b""
    if has_header:
        header = raw[1 : 1 + raw[0]] if raw else b""
        if not raw or len(header) < raw[0]:
            raise wrong("its header is longer than itself")
    skipped = len(header) + 1 if has_header else 0
    part = part_of(header)
    if alphabet == "gsm7":
        codes = -(-skipped * 8 // 7)
        fill_bits = codes * 7 - skipped * 8
        return text_of(unpack(raw[skipped:], max(0, length - codes), fill_bits)), b"", part
    if alphabet == "ucs2":
        letters = raw[skipped:]
        return letters[: len(letters) & ~1].decode("utf-16-be", "surrogatepass"), b"", part
    return None, raw[skipped:], part


def part_of(header: bytes) -> Part | None:
    """The place of a part, of the elements of a user data header; other elements are left alone."""
    while len(header) >= 2:
        name, length = header[0], header[1]
        value, header = header[2 : 2 + length], header[2 + length :]
        if name == CONCATENATED and len(value) == 3:
            reference, of, number = value
        elif name == CONCATENATED_16 and len(value) == 4:
            reference, of, number = value[0] << 8 | value[1], value[2], value[3]
        else:
            continue
        if 1 <= number <= of:  # else the element is to be ignored (§9.2.3.24.1)
            return Part(reference, of, number)
    return None


def joined(texts: Iterable[str]) -> str:
    """The text of parts. A letter beyond the basic plane may have been cut in two between them."""
    return printable("".join(texts).encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def printable(text: str) -> str:
    """A text with one kind of line end and without control characters."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\f", "\n")
    return "".join(letter for letter in lines if letter >= " " and not "\x7f" <= letter < "\xa0" or letter in "\n\t")
