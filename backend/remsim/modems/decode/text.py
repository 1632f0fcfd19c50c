"""Cuts raw replies into records and fields, and reads numbers without believing sentinels."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from remsim.core.errors import AtFormatError
from remsim.core.small_dataclass import dataclass

Values = dict[str, Any]

FINAL = re.compile(r"(OK|ERROR|\+CM[ES] ERROR: ?.*|COMMAND NOT SUPPORT|NO CARRIER|ABORTED)$", re.IGNORECASE)
RECORD = re.compile(r"([+!*^$][A-Z][A-Z0-9_]{1,14}) ?:", re.IGNORECASE)

URC_PREFIXES = frozenset(
    (
        *("+CREG", "+CGREG", "+CEREG", "+C5GREG", "+CGEV", "+CMTI", "+CTZR", "+CTZV", "+CTZE", "+CSCON", "+CUSD"),
        *("+CRING", "+CLIP", "+CIEV", "+QIND", "+QUSIM", "+QSIMSTAT", "+SIM", "+PBREADY"),
        *("+ESIMS", "+EDSBP", "+CIREPI", "+CIREPH", "+EMCFRPT", "+EREG"),
    )
)
URC_WORDS = frozenset(("RING", "RDY", "POWERED DOWN", "SMS DONE", "PB DONE", "SMS READY", "CALL READY", "APP RDY"))


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked of which modem: the context a decoder may need."""

    vendor: str
    module: str
    platform: str
    command: str

    def has(self, *words: str) -> bool:
        """Whether module or platform contain one of ``words`` (lower case)."""
        text = f"{self.module} {self.platform}".lower()
        return any(word in text for word in words)


@dataclass(frozen=True, slots=True)
class Record:
    """One prefixed answer: ``+NAME`` in upper case and what stands behind the colon, further lines included."""

    name: str
    body: str

    @property
    def lines(self) -> list[str]:
        return [line.strip() for line in self.body.split("\n") if line.strip()]


Decoder = Callable[[Asked, Record], Values]


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply cut into its parts; ``text`` is what had no prefix, ``finals`` the result codes in order."""

    records: list[Record]
    text: list[str]
    finals: list[str]
    urcs: list[str]


ALIASES = {
    "+QUSIMSLOT": "+QUIMSLOT",
    "+QCCID": "+CCID",
    "+ICCID": "+CCID",
    "^ICCID": "+CCID",
    "+GSN": "+CGSN",
    "+GMR": "+CGMR",
    "+GMI": "+CGMI",
    "+GMM": "+CGMM",
    "!ICCID": "+CCID",
}
"""Prefixes that answer each other's commands."""

PAGES = frozenset(("+GTCCINFO", "+GTCAINFO", "+QRSRP", "+QRSRQ", "+QSINR", "+QGETCAPABILITY"))
"""Answers that are one page of rows, even where a firmware repeats the prefix on each row."""

_PREFIX = re.compile(r"[+!*^$][A-Za-z][A-Za-z0-9_]*")
_QUOTED = re.compile(r'"[^"]*"?')
_BREAKS = re.compile(r"[\r\x00]+")
_ECHO = re.compile(r"at[+!*^&][\w?=]|at[ei][01]?")
_AT_PREFIX = re.compile(r"at[+!*^]\w{2,20} ?:")
_FLAT_FINAL = re.compile(r"\s(OK|ERROR|\+CM[ES] ERROR: ?[\w -]{1,40})$")


def command_prefixes(command: str) -> list[str]:
    """The prefixes that answers of a command line may carry: ``AT+A?;+B=1`` gives ``+A`` and ``+B``."""
    return [match.upper() for match in _PREFIX.findall(_QUOTED.sub("", command))]


def cut(command: str, reply: str) -> Reply:
    """Cut a raw reply into records, text and result codes.

    Echoes go; a record begins at a prefix of the command even where a newline is missing; lines without a prefix
    continue the record before them. Unsolicited records of other commands are kept apart, as lines.
    """
    own = command_prefixes(command)
    wanted = {ALIASES.get(prefix, prefix) for prefix in own}
    is_asked = bool(own) or command[:2].upper() == "AT"
    answer = Reply([], [], [], [])
    for line in _BREAKS.sub("\n", reply).split("\n"):
        line = without_echo(line.strip().removeprefix("output:").lstrip(), command)  # RouterOS writes "output:"
        if not line:
            continue
        if len(line) < 400 and FINAL.match(line):
            answer.finals.append(line)
            continue
        if is_asked and len(line) < 4000 and (final := _FLAT_FINAL.search(line)):
            line = line[: final.start()].rstrip()
            answer.finals.append(final[1])
        for piece in split_joined(line, wanted):
            match = RECORD.match(piece)
            if match:
                name = match[1].upper()
                if is_asked and ALIASES.get(name, name) not in wanted:
                    if name in URC_PREFIXES:
                        answer.urcs.append(piece.rstrip(" /"))
                    elif not own:
                        answer.text.append(piece)  # a line of ATI
                    continue
                body = piece[match.end() :].strip()
                if name in PAGES and answer.records and answer.records[-1].name == name:
                    answer.records[-1] = Record(name, f"{answer.records[-1].body}\n{body}")
                else:
                    answer.records.append(Record(name, body))
            elif piece.upper() in URC_WORDS:
                continue
            elif answer.records:
                answer.records[-1] = continued(answer.records[-1], piece)
            else:
                answer.text.append(piece)
    return answer


def continued(record: Record, line: str) -> Record:
    """The record with one more line: a further one, or the rest of one that was broken behind a comma."""
    is_broken = record.body.endswith(",") and record.name.startswith("+") and record.name not in PAGES
    return Record(record.name, f"{record.body}{line}" if is_broken or not record.body else f"{record.body}\n{line}")


def without_echo(line: str, command: str) -> str:
    """The line without the command's echo, be it alone, with bytes before it, or with the answer behind it."""
    if not command or not line:
        return line
    low, sent = line.lower(), command.lower()
    at = low.find(sent)
    if at >= 0 and sent.startswith("at") and low[at + len(sent) : at + len(sent) + 1] != ";":
        return line[at + len(sent) :].strip()
    if _AT_PREFIX.match(low):
        return line[2:]  # people write the answer's prefix like the command
    if _ECHO.match(low):
        # The echo of another command of the same log; an answer may stand behind it on a flattened line.
        answer = re.search(r"\s[+!*^][A-Za-z][A-Za-z0-9]+ ?:", line)
        return line[answer.start() :].strip() if answer else ""
    return line


def split_joined(line: str, wanted: set[str]) -> list[str]:
    """Split where a record starts inside a line: firmware forgets newlines, and software joins lines with blanks."""
    if len(line) > 4000:
        return [line]
    starts = [0]
    for match in RECORD.finditer(line, 1):
        name = match[1].upper()
        is_start = ALIASES.get(name, name) in wanted or name in URC_PREFIXES or line[match.start() - 1].isspace()
        if is_start and line.count('"', 0, match.start()) % 2 == 0:
            starts.append(match.start())
    if len(starts) == 1:
        return [line]
    edges = [*starts, len(line)]
    pieces = [line[a:b].strip() for a, b in zip(edges, edges[1:], strict=False)]
    return [piece for piece in pieces if piece]


_INT = re.compile(r"\s*[+-]?[0-9]{1,18}\s*")
_FLOAT = re.compile(r"\s*[+-]?[0-9]{1,9}(\.[0-9]{1,6})?\s*")
_HEX = re.compile(r"\s*(?:0[xX])?([0-9A-Fa-f]{1,16})\s*")


def split_fields(body: str) -> list[str]:
    """Fields between commas outside quotes; quotes and blanks around a field are dropped."""
    if '"' not in body:
        return [field.strip() for field in body.split(",")]
    fields: list[str] = []
    current: list[str] = []
    quoted = False
    for char in body:
        if char == '"':
            quoted = not quoted
        elif char == "," and not quoted:
            fields.append("".join(current).strip())
            current = []
        else:
            current.append(char)
    fields.append("".join(current).strip())
    return fields


def field(fields: list[str], index: int) -> str | None:
    """The field, or None where it is missing, empty or a dash."""
    if index >= len(fields):
        return None
    value = fields[index]
    return None if value in ("", "-", "--", "---") else value


def to_int(text: str | None, *unknown: int) -> int | None:
    """A decimal integer; None for nothing, dashes, words and the named sentinels."""
    if text is None or not _INT.fullmatch(text):
        return None
    value = int(text)
    return None if value in unknown else value


def to_float(text: str | None) -> float | None:
    """A decimal number; None for nothing, dashes and words."""
    if text is None or not _FLOAT.fullmatch(text):
        return None
    return float(text)


def to_hex(text: str | None, unknown_from: int = 4) -> int | None:
    """A hexadecimal integer with or without ``0x``; all F, from ``unknown_from`` digits on, means unknown."""
    match = _HEX.fullmatch(text) if text is not None else None
    if match is None:
        return None
    significant = match[1].lstrip("0")
    if len(significant) >= unknown_from and not significant.strip("Ff"):
        return None
    return int(match[1], 16)


def to_cell_id(text: str | None) -> int | None:
    """A cell identity of 28 or 36 bits in hex: FFFF can be one, FFFFFFF is unknown."""
    return to_hex(text, 7)


def to_pci(text: str | None) -> int | None:
    """A physical cell identity, 0..503 on LTE and to 1007 on 5G; anything else stands in a wrong column."""
    value = to_int(text)
    return value if value is not None and 0 <= value <= 1007 else None


def in_range(value: float | None, low: float, high: float) -> float | None:
    """The value when it can be true."""
    return value if value is not None and low <= value <= high else None


def whole(value: float | None) -> float | int | None:
    """-97.0 as -97, so that equal values print equally."""
    return int(value) if value is not None and float(value).is_integer() else value


def expand_ranges(body: str) -> list[int]:
    """``(0-1),3`` -> [0, 1, 3]."""
    numbers: list[int] = []
    for first, last in re.findall(r"(\d{1,4})(?:\s*-\s*(\d{1,4}))?", body):
        end = int(last) if last else int(first)
        numbers += range(int(first), min(end, int(first) + 255) + 1)
    return numbers


def index_value(index: int | None, scale: float, offset: float, low: int, high: int) -> float | None:
    """``index * scale + offset`` for an index within its range, else None."""
    if index is None or not low <= index <= high:
        return None
    return round(index * scale + offset, 2)


def unreadable(asked: Asked, body: str) -> AtFormatError:
    """The error for a reply that is not of its command's form."""
    return AtFormatError(asked.command, body)
