"""How an LPA reaches a card: what modems, card readers and tests give it."""

from __future__ import annotations

from typing import Protocol


class LogicalChannel(Protocol):
    """An application selected on a logical channel of its own."""

    number: int | None
    """The channel where the sender sets it in the class octet, None where the modem does."""

    def transmit(self, apdu: bytes, *, timeout_s: float) -> bytes:
        """The card's answer, its two status octets last; blocks. ``ModemError`` (``AtTimeout``, ``ModemGone``) or
        ``EsimError`` when there is none. Nothing is repeated or fetched: ``61xx`` is the caller's."""

    def close(self) -> None:
        """Let the channel go; never raises."""


class Way(Protocol):
    """One way to a card's applications."""

    kind: str
    """``cgla``, ``csim``, ``qmi``, ``mbim``, ``pcsc`` or ``virtual``."""
    label: str
    """For people: AT+CGLA."""

    def open(self, aid: bytes) -> LogicalChannel:
        """Select an application. ``NoApplication`` when the card has none of that name, ``WayFails`` when this way
        cannot be gone on this modem, other ``RemsimError`` when it cannot now."""
