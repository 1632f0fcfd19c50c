"""The applications of the card: +CCHO, +CGLA, +CCHC and +CSIM, each family with the oddities that were met on it.

Sources: public threads of lpac (issues 138, 186, 187, 209, 300, pull requests 139, 238, 445) and openpilot (pull
request 37979). The card is asked as it is; only the channel is the modem's where a session is its own.
"""

from __future__ import annotations

from functools import partial
from typing import Protocol

from remsim.core.errors import RemsimError
from remsim.core.small_dataclass import dataclass
from remsim.simulator.answers.base import NEVER, Answer, Body, Setter, Settings, Table, constant
from remsim.simulator.encode.errors import BAD_PARAMETERS, NO_SIM, NOT_ALLOWED, SIM_BUSY
from remsim.simulator.models import Model
from remsim.simulator.state import ModemState

SIM_FAILURE = 13
"""What is answered when a card has no such application."""
LONGEST_APDU = 261
HANDLE = 0x0385A000
"""Sierra's sessions are numbers of the firmware's own."""
STORE_DATA, LAST = 0xE2, 0x91
PACKAGE = b"\xbf\x36"
BREAKS_AT = 8
"""The number of the block at which EC20 and its kin say ERROR while a package loads."""
URC_EVERY = 7


class CardApplications(Protocol):
    """What this needs of a card: see ``simulator/euicc/card``."""

    delay_s: float

    def open(self, aid: bytes) -> int:
        """The number of a channel with the application; ``RemsimError``."""

    def transmit(self, apdu: bytes) -> bytes:
        """The answer with its status; ``RemsimError`` when there is none."""

    def close(self, channel: int) -> None:
        """Let a channel go."""


class PlainCard:
    """A SIM without applications but its own, which nobody here asks for."""

    delay_s = 0.0

    def open(self, aid: bytes) -> int:
        """There is none of that name."""
        raise RemsimError("no such application")

    def transmit(self, apdu: bytes) -> bytes:
        """A channel may be had, nothing may be selected on it."""
        if apdu[1:3] == b"\x70\x00":
            return b"\x01\x90\x00"
        if apdu[1:2] == b"\x70":
            return b"\x90\x00"
        return b"\x6a\x82" if apdu[1:2] == b"\xa4" else b"\x6d\x00"

    def close(self, channel: int) -> None:
        """There is nothing to be let go."""


@dataclass(frozen=True, slots=True)
class Oddities:
    """How a family differs from 27.007. ``probe``: what it says to ``=?``: OK, ERROR or nothing.

    ``takes_names``: whether an application can be named to it.
    """

    has_ccho: bool = True
    has_cchc: bool = True
    takes_names: bool = True
    has_csim: bool = True
    probe: str = "ok"
    is_session_bare: bool = False
    is_session_handle: bool = False
    quote: str = '"'
    blank: str = " "
    counts_octets: bool = False
    has_urcs: bool = False
    breaks_packages: bool = False


USUAL = Oddities()
BY_FAMILY = {
    "fm350": Oddities(is_session_bare=True, probe="silent", has_csim=False),
    "fm160": Oddities(quote="", has_urcs=True),
    "xmm": Oddities(has_ccho=False, has_csim=False),
    "9x30": Oddities(is_session_handle=True, probe="error"),
    "9x50": Oddities(is_session_handle=True, probe="error"),
    "sdx": Oddities(is_session_handle=True, probe="error"),
    "thales": Oddities(counts_octets=True),
    "generic": Oddities(blank="", quote=""),
}
BY_NAME = {
    "EC2": Oddities(breaks_packages=True),
    "EG2": Oddities(breaks_packages=True),
    "EM919": Oddities(takes_names=False, has_cchc=False, probe="error"),
}
"""By the beginning of a product's name. EM9190 and EM9191 say that the parameters of +CCHO are wrong."""


def oddities(model: Model) -> Oddities:
    """Those of a product."""
    named = (odd for prefix, odd in BY_NAME.items() if model.name.startswith(prefix))
    return next(named, BY_FAMILY.get(model.family, USUAL))


def card_channel_table(model: Model) -> Table:
    """The commands that a product has."""
    odd = oddities(model)
    setters: dict[str, Setter] = {}
    if odd.has_ccho:
        setters |= {"AT+CCHO=": partial(opened, odd), "AT+CGLA=": partial(passed, odd)}
    if odd.has_ccho and odd.has_cchc:
        setters["AT+CCHC="] = partial(closed, odd)
    if odd.has_csim:
        setters["AT+CSIM="] = partial(sent, odd)
    if odd.probe == "error":
        return Table({}, setters)
    probe: Answer = (lambda state, settings: NEVER) if odd.probe == "silent" else constant("")
    return Table({f"{name}?": probe for name in setters}, setters)


def opened(odd: Oddities, state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+CCHO="AID": a session."""
    card = card_of(state)
    if isinstance(card, int):
        return card
    aid = octets_of(arguments[0]) if len(arguments) == 1 else None
    if not aid or len(aid) > 16 or not odd.takes_names:
        return BAD_PARAMETERS
    try:
        channel = card.open(aid)
    except RemsimError:
        return SIM_FAILURE
    settings["package"] = 0
    if odd.is_session_handle:
        return f"+CCHO:{odd.blank}{HANDLE + channel:016x}"
    return str(channel) if odd.is_session_bare else f"+CCHO:{odd.blank}{channel}"


def passed(odd: Oddities, state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+CGLA=session,length,"APDU": the modem sets the channel."""
    card = card_of(state)
    if isinstance(card, int):
        return card
    channel = channel_of(odd, arguments[0])
    apdu = apdu_of(arguments[1:])
    if channel is None or apdu is None:
        return BAD_PARAMETERS
    if odd.breaks_packages and breaks_here(settings, apdu):
        return None
    answer = answered(card, bytes((on_channel(apdu[0], channel),)) + apdu[1:], state)
    return answer if isinstance(answer, int) else told(odd, "+CGLA", answer, settings)


def sent(odd: Oddities, state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+CSIM=length,"APDU": as it is."""
    card = card_of(state)
    if isinstance(card, int):
        return card
    apdu = apdu_of(arguments)
    if apdu is None:
        return BAD_PARAMETERS
    answer = answered(card, apdu, state)
    return answer if isinstance(answer, int) else told(odd, "+CSIM", answer, settings)


def closed(odd: Oddities, state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+CCHC=session."""
    card = card_of(state)
    if isinstance(card, int):
        return card
    channel = channel_of(odd, arguments[0])
    if channel is None or isinstance(card, PlainCard):
        return NOT_ALLOWED
    card.close(channel)
    return ""


def card_of(state: ModemState) -> CardApplications | int:
    """The card in use, or the error of a modem that has none now. One without a profile can be asked all the same."""
    if state.functionality == 0 or state.card is None:
        return NO_SIM
    if state.sim_busy or "sim_busy" in state.faults:
        return SIM_BUSY
    return state.card.euicc or PlainCard()


def answered(card: CardApplications, apdu: bytes, state: ModemState) -> bytes | int:
    """The card's answer, or the error of a modem that gets none; how late it is to come is noted."""
    try:
        answer = card.transmit(apdu)
    except RemsimError:
        return SIM_FAILURE
    state.answer_late_s = card.delay_s
    return answer


def told(odd: Oddities, name: str, answer: bytes, settings: Settings) -> str:
    """An answer in the family's form."""
    text = answer.hex().upper()
    length = len(answer) if odd.counts_octets else len(text)
    line = f"{name}:{odd.blank}{length},{odd.quote}{text}{odd.quote}"
    settings["answers"] = settings.get("answers", 0) + 1
    if odd.has_urcs and settings["answers"] % URC_EVERY == 0:
        line = f'+CREG: 1,"1A2B","01A2B003",7\r\n\r\n{line}'
    return line


def breaks_here(settings: Settings, apdu: bytes) -> bool:
    """Whether a package loads and has come to the block at which this firmware gives up."""
    if apdu[1] != STORE_DATA:
        return False
    if apdu[5:7] == PACKAGE:
        settings["package"] = 1
    return bool(settings.get("package")) and apdu[2] == LAST and apdu[3] >= BREAKS_AT


def channel_of(odd: Oddities, session: str) -> int | None:
    """The channel of a session; None for one that is none."""
    try:
        number = int(session, 16) - HANDLE if odd.is_session_handle else int(session)
    except ValueError:
        return None
    return number if 0 < number < 20 else None


def on_channel(octet: int, channel: int) -> int:
    """A class octet with a channel in it (TS 102 221 §10.1.1)."""
    return octet & 0xFC | channel if channel < 4 else octet & 0xB0 | 0x40 | channel - 4


def apdu_of(arguments: list[str]) -> bytes | None:
    """An APDU whose length in characters stands before it; None when it does not fit."""
    if len(arguments) != 2 or arguments[0] != str(len(arguments[1])):
        return None
    apdu = octets_of(arguments[1])
    return apdu if apdu is not None and 4 <= len(apdu) <= LONGEST_APDU else None


def octets_of(text: str) -> bytes | None:
    """Octets in hex."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None
