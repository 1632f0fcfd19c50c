"""The card by AT+CSIM (27.007 §8.17): the modem passes all on, so the channel is ours to open and to set."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from remsim.core.errors import AtFormatError, AtTimeout, CommandRefused, ModemError, NoApplication, WayFails
from remsim.modems.card.cgla import no_card
from remsim.modems.card.replies import octets
from remsim.modems.channel import Channel
from remsim.modems.control.refusals import refusal

OPEN_S = 10.0
CLOSE_S = 5.0
OPEN_CHANNEL = bytes.fromhex("0070000001")
NO_CHANNEL = (0x6881, 0x6A81, 0x6A84, 0x6985)
"""All channels are taken, which may be by somebody who has ended."""
ABSENT = (0x6A82, 0x6A86, 0x6999, 0x6A88)
STALE = (1, 2, 3)
BASIC = 4
"""Channels whose number fits into the two low bits of a class octet; the others have another form (TS 102 221)."""


class CsimChannel:
    """A logical channel of the card; ``number`` is in each class octet already."""

    def __init__(self, channel: Channel, number: int) -> None:
        self.number: int | None = number
        self._channel = channel

    def transmit(self, apdu: bytes, *, timeout_s: float) -> bytes:
        """One command and its answer."""
        return sent(self._channel, apdu, timeout_s)

    def close(self) -> None:
        """Close the channel."""
        with contextlib.suppress(ModemError):
            close_channel(self._channel, self.number or 0)


class CsimWay:
    """``channel`` gives the modem's AT port as it is now."""

    kind = "csim"
    label = "AT+CSIM"

    def __init__(self, channel: Callable[[], Channel]) -> None:
        self._channel = channel

    def open(self, aid: bytes) -> CsimChannel:
        """Open a channel and select an application on it."""
        channel = self._channel()
        number = opened(channel)
        chosen = CsimChannel(channel, number)
        try:
            status = select(channel, number, aid)
        except (CommandRefused, AtTimeout, AtFormatError) as error:
            chosen.close()
            raise WayFails("the modem does not pass the selection of an application on by AT+CSIM") from error
        if status >> 8 in (0x90, 0x91, 0x61, 0x62, 0x63):
            return chosen
        chosen.close()
        if status in ABSENT:
            raise NoApplication("the card has no such application")
        raise WayFails(f"the card does not select an application by AT+CSIM ({status:04X})")


def sent(channel: Channel, apdu: bytes, timeout_s: float) -> bytes:
    """A command by AT+CSIM with what the card answers."""
    text = apdu.hex().upper()
    reply = channel.query(f'AT+CSIM={len(text)},"{text}"', timeout_s=timeout_s)
    if not reply.ok:
        raise refusal(reply)
    return octets(reply)


def opened(channel: Channel) -> int:
    """The number of a channel opened now (MANAGE CHANNEL); those of others are closed when there is none left."""
    answer = managed(channel)
    if int.from_bytes(answer[-2:]) in NO_CHANNEL:
        for number in STALE:
            with contextlib.suppress(CommandRefused, AtFormatError):
                close_channel(channel, number)
        answer = managed(channel)
    status = int.from_bytes(answer[-2:])
    if status != 0x9000 or len(answer) != 3 or not 0 < answer[0] < 20:
        raise WayFails(f"the card opens no channel by AT+CSIM ({status:04X})")
    return answer[0]


def managed(channel: Channel) -> bytes:
    """The card's answer to a wish for a channel; ``WayFails`` where the modem does not pass it on."""
    try:
        return sent(channel, OPEN_CHANNEL, OPEN_S)
    except CommandRefused as error:
        if (away := no_card(error)) is not None:
            raise away from error
        raise WayFails(f"the modem has no AT+CSIM for the card: {error.cause}", hint=error.hint) from error
    except AtTimeout as error:
        raise WayFails("the modem does not answer AT+CSIM") from error


def close_channel(channel: Channel, number: int) -> None:
    """MANAGE CHANNEL, close."""
    sent(channel, bytes((0x00, 0x70, 0x80, number, 0x00)), CLOSE_S)


def select(channel: Channel, number: int, aid: bytes) -> int:
    """The status of the selection of an application by its name."""
    octet = number if number < BASIC else 0x40 | number - BASIC
    return int.from_bytes(sent(channel, bytes((octet, 0xA4, 0x04, 0x00, len(aid))) + aid, OPEN_S)[-2:])
