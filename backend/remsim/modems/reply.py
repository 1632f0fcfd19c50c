"""Bytes of a tty as lines, and lines as the answer to one command. Pure: no I/O here."""

from __future__ import annotations

import re
from dataclasses import field

from remsim.core.small_dataclass import dataclass
from remsim.modems.decode.text import ALIASES, FINAL, RECORD, URC_PREFIXES, URC_WORDS, command_prefixes

LONGEST_LINE = 8_192
LONGEST_REPLY = 131_072
"""A store of 255 long messages comes to 90 000 characters."""
REGISTRATION_URC = re.compile(r'\+C(5G|E|G)?REG ?: ?\d+(, ?"|$)', re.IGNORECASE)
"""A registration as it comes unasked: without the leading ``<n>`` of the read form."""


@dataclass(frozen=True, slots=True)
class AtReply:
    """The answer to one command: its lines and the result code that ended it."""

    command: str
    lines: tuple[str, ...]
    final: str

    @property
    def ok(self) -> bool:
        return self.final.upper() == "OK"

    @property
    def text(self) -> str:
        """What a decoder reads."""
        return "\n".join((*self.lines, self.final))


class LineSplitter:
    """Cuts a byte stream into lines; what does not end in a newline in time is thrown away, not kept."""

    def __init__(self) -> None:
        self._rest = b""
        self._is_skipping = False
        self.discarded_bytes = 0

    def feed(self, data: bytes) -> list[str]:
        """The lines completed by ``data``, without blank ones."""
        pieces = re.split(rb"[\r\n]+", self._rest + data)
        self._rest = pieces.pop()
        if pieces and self._is_skipping:
            self.discarded_bytes += len(pieces.pop(0))
            self._is_skipping = False
        if len(self._rest) > LONGEST_LINE or (self._is_skipping and self._rest):
            self.discarded_bytes += len(self._rest)
            self._rest = b""
            self._is_skipping = True
        return [text for piece in pieces if (text := readable(piece))]

    @property
    def has_prompt(self) -> bool:
        """Whether the unfinished line is the ``>`` that asks for a payload; no newline follows it."""
        return self._rest.strip() == b">"

    def clear(self) -> None:
        """Forget an unfinished line."""
        self._rest = b""


OPEN_TEXT = re.compile(r'\+CUSD ?: ?\d ?, ?"', re.IGNORECASE)
TEXT_END = re.compile(r'"\s*(?:,\s*\d{1,3}\s*)?$')
MOST_TEXT_LINES = 32


class TextJoiner:
    """Puts an answer of the network together whose text has line ends in it: its lines belong to nothing else."""

    def __init__(self) -> None:
        self._open: list[str] = []

    def feed(self, lines: list[str]) -> list[str]:
        """The lines with such texts as one; what is not closed waits, up to a result code or another record."""
        if not self._open and not any(OPEN_TEXT.match(line) for line in lines):
            return lines
        found: list[str] = []
        for line in lines:
            if self._open and (FINAL.match(line) or RECORD.match(line) or len(self._open) > MOST_TEXT_LINES):
                found.append(self._closed())
            if self._open or (start := OPEN_TEXT.match(line)) and not TEXT_END.search(line, start.end()):
                self._open.append(line)
                if len(self._open) > 1 and TEXT_END.search(line):
                    found.append(self._closed())
            else:
                found.append(line)
        return found

    def _closed(self) -> str:
        text, self._open = "\n".join(self._open), []
        return text


def readable(piece: bytes) -> str:
    """A line as text; bytes outside UTF-8 become replacement characters, control characters go."""
    if len(piece) > LONGEST_LINE:
        return ""
    text = piece.decode("utf-8", "replace")
    if not text.isprintable():
        text = "".join(char for char in text if char.isprintable() or char == "\t")
    return text.strip()


@dataclass(slots=True)
class ReplyCollector:
    """Sorts the lines that come in after a command into answer, unsolicited lines and the end.

    ``expects_echo`` anchors on the echo: a result code before it ended something else. An echo that the modem cut up
    with an unsolicited line is put together again, and one that was lost is made up for by a line of the command's own.
    """

    command: str
    expects_echo: bool = False
    payload: str | None = None
    echoed: bool = False
    lines: list[str] = field(default_factory=list)
    final: str | None = None
    _size: int = 0
    _foreign_ends: int = 0
    _fragments: str = ""
    _prefixes: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.command = self.command.strip().upper()
        own = command_prefixes(self.command)
        wanted = {ALIASES.get(name, name) for name in own}
        self._prefixes = frozenset((*own, *wanted, *(name for name, other in ALIASES.items() if other in wanted)))

    def take(self, line: str) -> bool:
        """Whether the line belongs to the command (its echo included); False means it is unsolicited."""
        if self._is_echo(line):
            self.echoed = True
            self.lines.clear()  # what stood before the echo answered an earlier command
            return True
        if FINAL.match(line):
            self._end(line)
            return True
        if self.payload is not None and line.lstrip("> ") in self.payload.splitlines():
            return True  # the payload's echo
        if not self._belongs(line):
            return False
        self._size += len(line)
        if self._size <= LONGEST_REPLY:
            self.lines.append(line)
        return True

    def skip_end(self) -> None:
        """The next result code ends another command's late answer."""
        self._foreign_ends += 1

    def _end(self, line: str) -> None:
        if self._foreign_ends:
            self._foreign_ends -= 1
        elif self.echoed or not self.expects_echo or any(RECORD.match(own) for own in self.lines):
            self.final = line

    def _is_echo(self, line: str) -> bool:
        """The command itself, perhaps with left-over bytes before it, perhaps in two pieces."""
        upper = line.upper()
        if upper.endswith(self.command):
            return True
        if self.echoed or RECORD.match(line) or upper in URC_WORDS:
            return False
        self._fragments = (self._fragments + upper)[-len(self.command) :]
        return self._fragments == self.command

    def _belongs(self, line: str) -> bool:
        match = RECORD.match(line)
        if match is None:
            return line.upper() not in URC_WORDS
        name = match[1].upper()
        if name not in self._prefixes:
            # A vendor's answer may carry another prefix than its command; known URCs never do.
            return name not in URC_PREFIXES and not self._prefixes
        if name not in URC_PREFIXES:
            return True
        return not (self._is_set_form() or REGISTRATION_URC.match(line))

    def _is_set_form(self) -> bool:
        """``AT+CREG=2`` changes a setting and has no lines of its own."""
        bare = re.sub(r'"[^"]*"?', "", self.command).rstrip()
        return "=" in bare and not bare.endswith("=?") and "?" not in bare.split("=")[-1]
