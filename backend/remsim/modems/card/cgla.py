"""The card by AT+CCHO, AT+CGLA and AT+CCHC (27.007 §8.43-8.46): the modem keeps the channel."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

from remsim.core.errors import AtTimeout, CommandRefused, ModemError, NoApplication, NoCard, WayFails
from remsim.modems.card.replies import ISO_CHANNELS, channel_of, octets, session_id
from remsim.modems.channel import Channel
from remsim.modems.control.refusals import refusal
from remsim.modems.reply import AtReply

OPEN_S = 10.0
CLOSE_S = 5.0
PROBE_S = 2.0
TRIES, PAUSE_S = 10, 0.25
"""After the card was read anew the first tries may fail."""
NOT_SUPPORTED, NO_CARD, BUSY = (4, 303), (10, 310), (14, 314)
WANTS_CODE = (11, 12, 311, 312)


class CglaChannel:
    """A session of the modem with an application."""

    def __init__(self, channel: Channel, session: str) -> None:
        self.number = channel_of(session)
        self._channel = channel
        self._session = session

    def transmit(self, apdu: bytes, *, timeout_s: float) -> bytes:
        """One command and its answer; the modem puts its own channel into the class octet."""
        text = apdu.hex().upper()
        reply = self._channel.query(f'AT+CGLA={self._session},{len(text)},"{text}"', timeout_s=timeout_s)
        if not reply.ok:
            raise refusal(reply)
        return octets(reply)

    def close(self) -> None:
        """End the session."""
        with contextlib.suppress(ModemError):
            self._channel.query(f"AT+CCHC={self._session}", timeout_s=CLOSE_S)


class CglaWay:
    """``channel`` gives the modem's AT port as it is now, ``sleep`` waits between tries; one operation has one way."""

    kind = "cgla"
    label = "AT+CGLA"

    def __init__(self, channel: Callable[[], Channel], sleep: Callable[[float], None]) -> None:
        self._channel = channel
        self._sleep = sleep
        self._tries = TRIES
        self._is_cleared = False

    def open(self, aid: bytes) -> CglaChannel:
        """Have the modem select an application."""
        channel = self._channel()
        if not self._is_cleared:
            self._is_cleared = True
            close_stale(channel)
        while True:
            reply = channel.query(f'AT+CCHO="{aid.hex().upper()}"', timeout_s=OPEN_S)
            if reply.ok:
                return CglaChannel(channel, session_id(reply))
            error = refusal(reply)
            if error.number in (*NOT_SUPPORTED, *NO_CARD, *WANTS_CODE) or self._tries <= 0:
                raise self._cannot(channel, reply, error)
            self._tries -= 1
            self._sleep(PAUSE_S)

    def _cannot(self, channel: Channel, reply: AtReply, error: CommandRefused) -> ModemError:
        """What a refusal means: about the card, the application, or this way."""
        if (away := no_card(error)) is not None:
            return away
        if error.number in (*NOT_SUPPORTED, *WANTS_CODE) or error.number is None and not is_known(channel):
            return WayFails(f"the modem opens no channel to the card by AT+CCHO: {error.cause}", hint=error.hint)
        absent = NoApplication(f"the modem finds no such application on the card: {error.cause}")
        absent.is_certain = False
        return absent


def no_card(error: CommandRefused) -> NoCard | None:
    """The error of a modem that has no card to ask, whatever the command."""
    if error.number in NO_CARD:
        return NoCard("there is no card in the modem's slot", hint="insert it, or choose another slot")
    if error.number in BUSY:
        return NoCard("the modem is still busy with its card", hint="try again in some seconds", code="card_busy")
    return None


def close_stale(channel: Channel) -> None:
    """Close what somebody who has ended left open; that there is nothing to close is no error."""
    for number in ISO_CHANNELS:
        reply = channel.query(f"AT+CCHC={number}", timeout_s=CLOSE_S)
        if not reply.ok and refusal(reply).number in NOT_SUPPORTED:
            return


def is_known(channel: Channel) -> bool:
    """Whether the modem says that it has the command. That it does not say so proves nothing: FM350 is silent."""
    try:
        return channel.query("AT+CCHO=?", timeout_s=PROBE_S).ok
    except AtTimeout:
        return False
