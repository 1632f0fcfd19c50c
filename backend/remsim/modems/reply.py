"""Bytes of a tty as lines, and lines as the answer to one command. Pure: no I/O here."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from remsim.modems.decode.text import FINAL, RECORD, URC_PREFIXES, URC_WORDS, command_prefixes

LONGEST_LINE = 8_192
LONGEST_REPLY = 65_536


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
    """Cuts a byte stream into lines; what never ends in a newline is thrown away, not kept."""

    def __init__(self) -> None:
        self._rest = b""
        self.discarded_bytes = 0

    def feed(self, data: bytes) -> list[str]:
        """The lines completed by ``data``, without blank ones."""
        pieces = re.split(rb"[\r\n]+", self._rest + data)
        self._rest = pieces.pop()
        if len(self._rest) > LONGEST_LINE:
            self.discarded_bytes += len(self._rest)
            self._rest = b""
        return [text for piece in pieces if (text := readable(piece))]

    @property
    def has_prompt(self) -> bool:
        """Whether the unfinished line is the ``>`` that asks for a payload; no newline follows it."""
        return self._rest.strip() == b">"

    def clear(self) -> None:
        """Forget an unfinished line."""
        self._rest = b""


def readable(piece: bytes) -> str:
    """A line as text; bytes outside UTF-8 become replacement characters, control characters go."""
    if len(piece) > LONGEST_LINE:
        return ""
    return "".join(char for char in piece.decode("utf-8", "replace") if char.isprintable() or char == "\t").strip()


@dataclass(slots=True)
class ReplyCollector:
    """Sorts the lines that come in after a command into answer, unsolicited lines and the end."""

    command: str
    lines: list[str] = field(default_factory=list)
    final: str | None = None
    size: int = 0
    _prefixes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._prefixes = command_prefixes(self.command)

    def take(self, line: str) -> bool:
        """Whether the line belongs to the command (its echo included); False means it is unsolicited."""
        if self._is_echo(line):
            self.lines.clear()  # what stood before the echo answered an earlier command
            return True
        if FINAL.match(line):
            self.final = line
            return True
        if not self._belongs(line):
            return False
        self.size += len(line)
        if self.size <= LONGEST_REPLY:
            self.lines.append(line)
        return True

    def _is_echo(self, line: str) -> bool:
        """The command itself, perhaps with left-over bytes before it."""
        return line.upper().endswith(self.command.strip().upper())

    def _belongs(self, line: str) -> bool:
        match = RECORD.match(line)
        if match is None:
            return line.upper() not in URC_WORDS
        name = match[1].upper()
        if name not in self._prefixes:
            # A vendor's answer may carry another prefix than its command; known URCs never do.
            return name not in URC_PREFIXES and not self._prefixes
        return not (name in URC_PREFIXES and self._is_set_form())

    def _is_set_form(self) -> bool:
        """``AT+CREG=2`` changes a setting and has no lines of its own."""
        bare = re.sub(r'"[^"]*"?', "", self.command).rstrip()
        return "=" in bare and not bare.endswith("=?") and "?" not in bare.split("=")[-1]
