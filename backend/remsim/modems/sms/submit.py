"""Short messages to be sent: a text as one or more SMS-SUBMIT PDUs (3GPP 23.040 §9.2.2.2)."""

from __future__ import annotations

import re

from remsim.core.errors import InvalidInput
from remsim.core.small_dataclass import dataclass
from remsim.modems.sms.alphabet import codes_of, pack

MOST_PARTS = 10
GSM7_ROOM, GSM7_PART_ROOM = 160, 153
UCS2_ROOM, UCS2_PART_ROOM = 140, 134
HEADER_BITS, HEADER_FILL_BITS = 48, 1
SUBMIT, WANTS_REPORT, HAS_HEADER = 0x01, 0x20, 0x40
UCS2 = 0x08
NUMBER = re.compile(r"\+[1-9][0-9]{4,14}|[0-9]{2,15}", re.ASCII)
"""E.164 with its +, or as it is dialled in the country: 15 digits at most; short codes have few."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How a text is sent: in which alphabet, cut into which pieces."""

    alphabet: str
    pieces: tuple[bytes, ...]
    lengths: tuple[int, ...]
    """TP-UDL of each piece without a header: letters of seven bits, or bytes."""
    letters_left: int
    """How many more letters the last part takes: of the default alphabet, or of UCS-2."""

    @property
    def parts(self) -> int:
        """How many messages it takes, and costs."""
        return len(self.pieces)

    def as_dict(self) -> dict[str, int | str]:
        """What a page shows beside the text."""
        return {"alphabet": self.alphabet, "parts": self.parts, "letters_left": self.letters_left}


def plan_of(text: str) -> Plan:
    """Cut a text into parts; ``InvalidInput`` when it is empty or too long. No letter is cut in two."""
    if not text:
        raise InvalidInput("a message needs a text", field="text")
    codes = codes_of(text)
    if codes is not None:
        groups = cut(codes, GSM7_ROOM, GSM7_PART_ROOM)
        fill_bits = HEADER_FILL_BITS if len(groups) > 1 else 0
        room = GSM7_PART_ROOM if len(groups) > 1 else GSM7_ROOM
        flat = [[code for letter in group for code in letter] for group in groups]
        plan = Plan(
            "GSM 7 bit",
            tuple(pack(group, fill_bits) for group in flat),
            tuple(len(group) for group in flat),
            room - len(flat[-1]),
        )
    else:
        try:
            letters = [tuple(letter.encode("utf-16-be")) for letter in text]
        except UnicodeEncodeError as error:
            raise InvalidInput("the text has half a character in it", field="text") from error
        groups = cut(letters, UCS2_ROOM, UCS2_PART_ROOM)
        pieces = [bytes(byte for letter in group for byte in letter) for group in groups]
        room = UCS2_PART_ROOM if len(pieces) > 1 else UCS2_ROOM
        plan = Plan("UCS-2", tuple(pieces), tuple(map(len, pieces)), (room - len(pieces[-1])) // 2)
    if plan.parts > MOST_PARTS:
        text = f"the text takes {plan.parts} messages, {MOST_PARTS} at most are sent"
        hint = None if codes is not None else "letters outside the SMS alphabet, like emoji, double its length"
        raise InvalidInput(text, field="text", hint=hint)
    return plan


def cut(letters: list[tuple[int, ...]], room: int, part_room: int) -> list[list[tuple[int, ...]]]:
    """Groups of letters that fit: one when all fit into ``room``, else parts of ``part_room`` units."""
    if sum(map(len, letters)) <= room:
        return [letters]
    groups: list[list[tuple[int, ...]]] = [[]]
    used = 0
    for letter in letters:
        if used + len(letter) > part_room:
            groups.append([])
            used = 0
        groups[-1].append(letter)
        used += len(letter)
    return groups


def normalised_number(number: str) -> str:
    """A number without the blanks and marks that people write; ``InvalidInput`` when none can be dialled."""
    bare = re.sub(r"[ ()./-]", "", number)
    if NUMBER.fullmatch(bare) is None:
        text = "this is no telephone number"
        raise InvalidInput(text, field="number", hint="write it like +491701234567, or a short code like 22555")
    return bare


def encode_submit(number: str, plan: Plan, *, reference: int = 0, wants_report: bool = False) -> list[tuple[str, int]]:
    """The PDUs in hex, each with its length in octets as AT+CMGS counts it.

    The service centre is the SIM's own. ``reference`` (0 to 255) ties the parts together at the receiver's.
    """
    found = []
    first = SUBMIT | (WANTS_REPORT if wants_report else 0) | (HAS_HEADER if plan.parts > 1 else 0)
    is_ucs2 = plan.alphabet == "UCS-2"
    for at, (piece, length) in enumerate(zip(plan.pieces, plan.lengths, strict=True), 1):
        header = b""
        if plan.parts > 1:
            header = bytes((5, 0, 3, reference, plan.parts, at))
            length += len(header) if is_ucs2 else (HEADER_BITS + HEADER_FILL_BITS) // 7
        body = bytes((first, 0)) + address_of(number) + bytes((0, UCS2 if is_ucs2 else 0, length)) + header + piece
        found.append((f"00{body.hex().upper()}", len(body)))
    return found


def address_of(number: str) -> bytes:
    """TP-DA: its length in digits, its type, and the digits swapped two by two."""
    digits = number.removeprefix("+")
    filled = digits if len(digits) % 2 == 0 else f"{digits}F"
    swapped = "".join(filled[at + 1] + filled[at] for at in range(0, len(filled), 2))
    return bytes((len(digits), 0x91 if number.startswith("+") else 0x81)) + bytes.fromhex(swapped)
