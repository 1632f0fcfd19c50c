"""Cuts raw replies into records and fields, and reads numbers without believing sentinels."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from remsim.core.errors import AtFormatError

Values = dict[str, Any]

FINAL = re.compile(r"(OK|ERROR|\+CM[ES] ERROR: ?.*|COMMAND NOT SUPPORT|NO CARRIER|ABORTED)$", re.IGNORECASE)
RECORD = re.compile(r"([+!*^][A-Z][A-Z0-9]{1,14}) ?:", re.IGNORECASE)

URC_PREFIXES = frozenset(
    ["+CREG", "+CGREG", "+CEREG", "+C5GREG", "+CGEV", "+CMTI", "+CTZR", "+CTZV", "+CTZE", "+CSCON", "+QIND", "+QUSIM", "+QSIMSTAT", "+ESIMS", "+EDSBP", "+CIREPI", "+EMCFRPT", "+CIREPH", "+EREG", "+CUSD", "+CRING", "+CLIP", "+CIEV", "+SIM", "+PBREADY"]
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


def command_prefixes(command: str) -> list[str]:
    """The prefixes that answers of a command line may carry: ``AT+A?;+B=1`` gives ``+A`` and ``+B``."""
    return [match.upper() for match in re.findall(r"[+!*^][A-Za-z][A-Za-z0-9]*", strip_quoted(command))]


def strip_quoted(command: str) -> str:
    """The command without what stands in quotes."""
    return re.sub(r'"[^"]*"?', "", command)


def cut(command: str, reply: str) -> Reply:
    """Cut a raw reply: echoes go, records are split at own prefixes even where a newline is missing."""
    own = command_prefixes(command)
    text = re.sub(r"[\r\x00]+", "\n", reply)
    records: list[Record] = []
    loose: list[str] = []
    finals: list[str] = []
    for line in text.split("\n"):
        line = without_echo(line.strip(), command)
        if not line:
            continue
        if FINAL.match(line) and not (line.upper() == "ERROR" and not own and not command):
            finals.append(line)
            continue
        for piece in split_joined(line, own):
            match = RECORD.match(piece)
            if match:
                records.append(Record(match[1].upper(), piece[match.end() :].strip()))
            elif records:
                last = records[-1]
                records[-1] = Record(last.name, f"{last.body}\n{piece}")
            else:
                loose.append(piece)
    return Reply(records, loose, finals)


def without_echo(line: str, command: str) -> str:
    """The line without the command's echo, be it alone, with bytes before it, or with the answer behind it."""
    if not command or not line:
        return line
    low, sent = line.lower(), command.strip().lower()
    at = low.find(sent)
    if at >= 0 and sent.startswith("at"):
        return line[at + len(command.strip()) :].strip()
    if re.match(r"at[+!*^&][\w?=]", low) or re.match(r"ate[01]", low):
        return ""
    return line


def split_joined(line: str, own: list[str]) -> list[str]:
    """Split where a record of the asked command starts inside a line (some firmware forgets the newline)."""
    if len(line) > 4000:
        return [line]
    starts = {0}
    for match in RECORD.finditer(line):
        if match[1].upper() in own and line.count('"', 0, match.start()) % 2 == 0:
            starts.add(match.start())
    edges = [*sorted(starts), len(line)]
    return [line[a:b].strip() for a, b in zip(edges, edges[1:], strict=False) if line[a:b].strip()]


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
    if text is None or not re.fullmatch(r"[+-]?[0-9]{1,18}", text.strip()):
        return None
    value = int(text)
    return None if value in unknown else value


def to_float(text: str | None) -> float | None:
    """A decimal number; None for nothing, dashes and words."""
    if text is None or not re.fullmatch(r"[+-]?[0-9]{1,9}(\.[0-9]{1,6})?", text.strip()):
        return None
    return float(text)


def to_hex(text: str | None) -> int | None:
    """A hexadecimal integer with or without ``0x``; all F (from four digits on) means unknown."""
    if text is None:
        return None
    digits = re.sub(r"^0x", "", text.strip(), flags=re.IGNORECASE)
    if not re.fullmatch(r"[0-9A-Fa-f]{1,16}", digits):
        return None
    significant = digits.lstrip("0")
    if len(significant) >= 4 and set(significant.upper()) == {"F"}:
        return None
    return int(digits, 16)


def in_range(value: float | None, low: float, high: float) -> float | None:
    """The value when it can be true."""
    return value if value is not None and low <= value <= high else None


def whole(value: float | None) -> float | int | None:
    """-97.0 as -97, so that equal values print equally."""
    return int(value) if value is not None and float(value).is_integer() else value


def index_value(index: int | None, scale: float, offset: float, low: int, high: int) -> float | None:
    """``index * scale + offset`` for an index within its range, else None."""
    if index is None or not low <= index <= high:
        return None
    return round(index * scale + offset, 2)


def unreadable(asked: Asked, body: str) -> AtFormatError:
    """The error for a reply that is not of its command's form."""
    return AtFormatError(asked.command, body)
