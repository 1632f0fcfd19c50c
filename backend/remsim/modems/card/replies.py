"""What modems answer to commands for a card's channels. Pure: nothing is sent here.

Written as 27.007 has it by few: blanks and quotes come and go, lengths are wrong, answers have several lines, a session
is a small number (Quectel), sixteen digits in hex (Sierra) or a number without ``+CCHO:`` before it (FM350).
"""

from __future__ import annotations

import re

from remsim.core.errors import AtFormatError
from remsim.modems.masking import shown_command
from remsim.modems.reply import AtReply

_SESSION = re.compile(r'\+CCHO ?: ?"?([0-9A-Fa-f]{1,32})"?(?:$|,)', re.IGNORECASE)
_BARE = re.compile(r'"?([0-9A-Fa-f]{1,32})"?$')
_OCTETS = re.compile(r'(?:\+(?:CGLA|CSIM) ?: ?)?\d+ ?, ?"?([0-9A-Fa-f ]*)"?$', re.IGNORECASE)
_GOES_ON = re.compile(r'"?([0-9A-Fa-f]+)"?$')

ISO_CHANNELS = ("1", "2", "3")


def session_id(reply: AtReply) -> str:
    """The session of +CCHO, to be given back as it is; ``AtFormatError`` when there is none."""
    for pattern in (_SESSION, _BARE):
        for line in reply.lines:
            if match := pattern.match(line):
                return match[1]
    raise _unreadable(reply)


def channel_of(session: str) -> int | None:
    """The channel that a session's number may be; one that is none is the modem's own business."""
    return int(session) if session in ISO_CHANNELS else None


def octets(reply: AtReply) -> bytes:
    """The card's answer in +CGLA or +CSIM; the length before it is not believed. ``AtFormatError``."""
    text: str | None = None
    for line in reply.lines:
        if text is None:
            if match := _OCTETS.match(line):
                text = match[1]
        elif match := _GOES_ON.match(line):
            text += match[1]
    if text is None:
        raise _unreadable(reply)
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise _unreadable(reply) from None


def _unreadable(reply: AtReply) -> AtFormatError:
    """What came is not shown: it may be the content of a card."""
    return AtFormatError(shown_command(reply.command), f"{len(reply.text)} characters")
