"""A virtual eUICC without a modem around it, for an LPA in the same process."""

from __future__ import annotations

from pathlib import Path

from remsim.core.errors import NoApplication
from remsim.simulator.euicc import credentials
from remsim.simulator.euicc.card import SwError, VirtualEuicc, at_channel


class VirtualChannel:
    """An application of the card, selected; the channel is put into each class octet."""

    number: int | None = None

    def __init__(self, card: VirtualEuicc, channel: int) -> None:
        self._card = card
        self._channel = channel

    def transmit(self, apdu: bytes, *, timeout_s: float) -> bytes:
        """The card's answer; a virtual card is never late."""
        return self._card.transmit(at_channel(apdu, self._channel))

    def close(self) -> None:
        """Let the channel go."""
        self._card.close(self._channel)


class VirtualWay:
    """The only way to a card in memory."""

    kind = "virtual"
    label = "a virtual card"

    def __init__(self, card: VirtualEuicc) -> None:
        self._card = card

    def open(self, aid: bytes) -> VirtualChannel:
        """Select an application."""
        try:
            return VirtualChannel(self._card, self._card.open(aid))
        except SwError as error:
            raise NoApplication("the virtual card has no such application") from error


def virtual_way(directory: Path, state_file: Path | None) -> VirtualWay:
    """The way to a card with the credentials of a directory, which is made and filled when it is not there."""
    if not directory.exists():
        credentials.fill(directory, credentials.DEFAULT_EID)
    return VirtualWay(VirtualEuicc(credentials.from_directory(directory), state_file=state_file))
