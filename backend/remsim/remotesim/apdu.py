"""What a card answered to AUTHENTICATE, seen in the exchanges of modem and card. Nothing of their contents is kept.

Source: 3GPP TS 31.102 section 7.1.2, TS 51.011 section 9.2.16.
"""

from __future__ import annotations

SUCCESS, RESYNC, UNKNOWN = "success", "resync", "unknown"
GET_RESPONSE = 0xC0
AUTHENTICATE = (0x88, 0x89)
GSM_CLASS, PROPRIETARY = 0xA0, 0x80
GSM_CONTEXT = 0x80
WITH_DATA = frozenset(
    (*AUTHENTICATE, 0x10, 0x14, 0x20, 0x24, 0x26, 0x28, 0x2A, 0x2C, 0x32)
    + (0xA2, 0xA4, 0xAA, 0xC2, 0xD6, 0xDB, 0xDC, 0xE2)
)
"""Instructions whose command carries P3 octets of data; the answer of any other may."""
HEADER = 5
SRES_AND_KC = 12


class Judge:
    """One card's exchanges in their order; a result that waits is judged with the GET RESPONSE that fetches it."""

    def __init__(self) -> None:
        self._waiting: tuple[int, int] | None = None
        self._channel = 0

    def exchange(self, command: bytes, answer: bytes) -> list[str]:
        """Results that are known now: ``success``, ``resync``, ``unknown``, or the status word of a failure in hex."""
        if len(command) < HEADER or len(answer) < 2:
            return self._lose()
        class_, instruction = command[0], command[1]
        waiting = self._waiting
        if waiting is not None and instruction == GET_RESPONSE and channel_of(class_) == self._channel:
            status = int.from_bytes(answer[-2:])
            if status >> 8 == 0x6C:  # asked for with another length, so it is asked again
                return []
            self._waiting = None
            return [verdict(*waiting, answer[:-2]) if status == 0x9000 or status >> 8 == 0x61 else UNKNOWN]
        found = self._lose()
        if instruction in AUTHENTICATE and (class_ == GSM_CLASS or class_ < PROPRIETARY):
            found += self._authenticated(class_, command[3], answer)
        return found

    def _authenticated(self, class_: int, context: int, answer: bytes) -> list[str]:
        data, status = answer[:-2], int.from_bytes(answer[-2:])
        high = status >> 8
        if high == 0x6C:
            return []
        if high == 0x61 and not data:
            self._waiting, self._channel = (class_, context), channel_of(class_)
            return []
        if status == 0x9000 or high == 0x61:
            return [verdict(class_, context, data)]
        if high == 0x9F:
            return [SUCCESS if status & 0xFF == SRES_AND_KC else UNKNOWN]
        return [UNKNOWN] if high in (0x62, 0x63) else [f"{status:04x}"]

    def _lose(self) -> list[str]:
        """A result that was never fetched."""
        was_waiting, self._waiting = self._waiting, None
        return [UNKNOWN] if was_waiting else []


def verdict(class_: int, context: int, data: bytes) -> str:
    """What the result of an authentication says."""
    if class_ == GSM_CLASS:
        return SUCCESS if len(data) == SRES_AND_KC else UNKNOWN
    if data[:1] == b"\x73":  # instruction 89 puts the result into an object
        data = data[2 if data[1:2] < b"\x80" else 3 :]
    if data[:1] == b"\xdb" or (context == GSM_CONTEXT and data[:1] == b"\x04"):
        return SUCCESS
    return RESYNC if data[:1] == b"\xdc" else UNKNOWN


def channel_of(class_: int) -> int:
    """The logical channel of a class octet."""
    return 4 + (class_ & 0x0F) if class_ & 0xC0 == 0x40 else class_ & 0x03


def split(joined: bytes) -> tuple[bytes, bytes] | None:
    """Command and answer that stand joined without a mark, as bankd's GSMTAP has them; None when they are none."""
    if len(joined) < HEADER + 2:
        return None
    end = HEADER + (joined[4] if joined[1] in WITH_DATA else 0)
    return (joined[:end], joined[end:]) if len(joined) >= end + 2 else None
