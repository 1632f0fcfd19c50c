"""A virtual eUICC as a modem or a reader sees it: logical channels, SELECT, STORE DATA and GET RESPONSE (ISO 7816-4).

``transmit`` takes and gives whole APDUs; ``open`` and ``close`` are what AT+CCHO and AT+CCHC do. For one thread at a
time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from remsim.core import tlv
from remsim.core.errors import RemsimError
from remsim.core.small_dataclass import dataclass
from remsim.simulator.euicc import loading, memory
from remsim.simulator.euicc.card_faults import CardFaults
from remsim.simulator.euicc.chip import Chip, Personality
from remsim.simulator.euicc.credentials import Credentials
from remsim.simulator.euicc.isdr import Isdr, UnknownTag, WrongState
from remsim.simulator.euicc.profiles import CardProfile
from remsim.simulator.euicc.rsp import WrongData

ISDR_AID = bytes.fromhex("A0000005591010FFFFFFFF8900000100")
ECASD_AID = bytes.fromhex("A0000005591010FFFFFFFF8900000200")
MOST_CHANNELS = 20
MOST_AT_ONCE = 256

OK, PROACTIVE = 0x9000, 0x910B
WRONG_LENGTH, NO_CHANNEL, NOT_NOW, WRONG_DATA = 0x6700, 0x6881, 0x6985, 0x6A80
NOT_SUPPORTED, NO_APPLICATION, WRONG_P1P2, NO_DATA = 0x6A81, 0x6A82, 0x6A86, 0x6A88
NO_INSTRUCTION, NO_CLASS = 0x6D00, 0x6E00
MORE, LAST = 0x11, 0x91
"""P1 of STORE DATA."""
TERMINAL_CAPABILITY, STATUS = 0xAA, 0xF2


class SwError(RemsimError):
    """The card refused to open a channel; ``status`` is its answer as a number, 0x6A82."""

    code = "status_word"

    def __init__(self, status: int) -> None:
        super().__init__(f"the card answered {status:04X}")
        self.status = status


class CardGone(RemsimError):
    """The card is out of its slot: there is no answer."""

    code = "card_gone"


@dataclass(slots=True)
class Channel:
    """A logical channel: its application, the request that is coming in, and what is left of the answer."""

    application: bytes | None = None
    request: bytes = b""
    blocks: int = 0
    answer: bytes = b""


class VirtualEuicc:
    """``answers_directly``: data comes with 9000 where it fits instead of 61xx and GET RESPONSE.

    ``on_refresh`` is called when the card wants its modem to read it anew; the modem then calls ``reset``.
    ``delay_s`` is how much later than at once the last answer is to be given, ``blocks`` counts STORE DATA commands.
    """

    def __init__(
        self,
        credentials: Credentials,
        profiles: Iterable[CardProfile] = (),
        *,
        state_file: Path | None = None,
        faults: CardFaults | None = None,
        personality: Personality | None = None,
        isdr_aid: bytes = ISDR_AID,
        answers_directly: bool = False,
        last_channel: int = 3,
    ) -> None:
        self.faults = faults or CardFaults()
        self.memory = memory.load(state_file, profiles)
        self.on_refresh: Callable[[], None] | None = None
        self.answers_directly = answers_directly
        self.delay_s = 0.0
        self.blocks = 0
        self._credentials = credentials
        self._isdr_aid = isdr_aid
        self._last_channel = min(last_channel, MOST_CHANNELS - 1)
        self._channels = {0: Channel()}
        self._chip = Chip(credentials, self.memory, self.faults, personality or Personality())
        self._isdr = Isdr(self._chip)
        loading.resume(self._chip)

    @property
    def eid(self) -> str:
        """32 digits."""
        return self._credentials.eid

    @property
    def profiles(self) -> list[CardProfile]:
        """Those on the card; at most one is enabled."""
        return self.memory.profiles

    @property
    def enabled(self) -> CardProfile | None:
        """The profile that is the SIM now."""
        return self.memory.enabled

    @property
    def open_channels(self) -> list[int]:
        """Those beside the basic one."""
        return sorted(set(self._channels) - {0})

    def transmit(self, apdu: bytes) -> bytes:
        """The answer, its two status octets last; the channel is in the class octet. ``CardGone``."""
        if self.faults.is_removed:
            raise CardGone("the card is not there")
        self.delay_s = self.faults.delay_s + (self.faults.load_delay_s if self._isdr.is_loading else 0.0)
        if len(apdu) < 4:
            return WRONG_LENGTH.to_bytes(2)
        number = channel_of(apdu[0])
        if number is None:
            return NO_CLASS.to_bytes(2)
        channel = self._channels.get(number)
        if channel is None:
            return NO_CHANNEL.to_bytes(2)
        data, status = self._do(apdu, number, channel)
        answer = data + status.to_bytes(2)
        if self._isdr.manager.wants_refresh and not channel.answer:
            answer = self._refreshed(answer)
        return answer

    def open(self, aid: bytes) -> int:
        """Select an application on a channel of its own, from 1 on. ``SwError`` (6A82 no such, 6A81 no channel)."""
        opened = self.transmit(bytes.fromhex("0070000001"))
        if len(opened) != 3:
            raise SwError(int.from_bytes(opened))
        number = opened[0]
        selected = self.transmit(at_channel(bytes((0x00, 0xA4, 0x04, 0x00, len(aid))) + aid, number))
        status = int.from_bytes(selected[-2:])
        if status != OK and status >> 8 != 0x61:
            self.close(number)
            raise SwError(status)
        self._channels[number].answer = b""
        return number

    def close(self, channel: int) -> None:
        """Let a channel go, also one that is not open."""
        if channel:
            self._channels.pop(channel, None)

    def reset(self) -> None:
        """Off and on again: channels are closed, a package that was loading is lost and said to be interrupted."""
        self._isdr.power_off()
        self._channels = {0: Channel()}

    def remove(self) -> None:
        """Out of the slot: that is without power."""
        self.reset()
        self.faults.is_removed = True

    def insert(self) -> None:
        """Back into the slot."""
        self.faults.is_removed = False

    def _do(self, apdu: bytes, number: int, channel: Channel) -> tuple[bytes, int]:
        instruction, is_proprietary = apdu[1], bool(apdu[0] & 0x80)
        if instruction == 0xC0:
            return self._more(apdu, channel)
        channel.answer = b""
        if instruction == 0x70 and not is_proprietary:
            return self._manage(apdu, number)
        if instruction == 0xA4 and not is_proprietary:
            return self._select(apdu, channel)
        if instruction in (TERMINAL_CAPABILITY, STATUS) and is_proprietary:
            return b"", OK
        if instruction == 0xE2 and channel.application == self._isdr_aid:
            return self._store(apdu, channel) if is_proprietary else (b"", NO_CLASS)
        return b"", NO_INSTRUCTION

    def _manage(self, apdu: bytes, number: int) -> tuple[bytes, int]:
        """MANAGE CHANNEL: open any or a wanted one, or close."""
        wanted = apdu[3]
        if apdu[2] == 0x80:
            closed = wanted or number
            if not closed or self._channels.pop(closed, None) is None:
                return b"", WRONG_P1P2
            return b"", OK
        if apdu[2] != 0x00:
            return b"", WRONG_P1P2
        free = [one for one in range(1, self._last_channel + 1) if one not in self._channels]
        if not free or wanted and wanted not in free:
            return b"", NOT_SUPPORTED
        opened = wanted or free[0]
        self._channels[opened] = Channel()
        return (b"", OK) if wanted else (bytes((opened,)), OK)

    def _select(self, apdu: bytes, channel: Channel) -> tuple[bytes, int]:
        """SELECT by name; the answer tells the ISD-R's version (SGP.22 5.7.1)."""
        aid = body_of(apdu)
        if aid is None:
            return b"", WRONG_LENGTH
        if apdu[2] != 0x04 or aid not in (self._isdr_aid, ECASD_AID):
            return b"", NO_APPLICATION
        channel.application, channel.request, channel.blocks = aid, b"", 0
        if apdu[3] & 0x0C == 0x0C:
            return b"", OK
        found = [tlv.encode(0x84, aid), tlv.encode(0xA5, tlv.encode(0x9F65, b"\xff"))]
        if aid == self._isdr_aid:
            found.append(tlv.encode(0xE0, tlv.encode(0x82, self._chip.personality.svn)))
        return self._answer(channel, tlv.encode(0x6F, *found))

    def _store(self, apdu: bytes, channel: Channel) -> tuple[bytes, int]:
        """STORE DATA: a block of a request, and with the last one its answer."""
        self.blocks += 1
        is_package = self._isdr.is_loading
        if self.faults.is_removed_now(is_package=is_package):
            self.remove()
            raise CardGone("the card was taken out")
        data = body_of(apdu)
        if data is None:
            return b"", WRONG_LENGTH
        if not apdu[3]:
            channel.request, channel.blocks = b"", 0
        status = WRONG_P1P2 if apdu[2] not in (MORE, LAST) or apdu[3] != channel.blocks & 0xFF else OK
        fault = self.faults.due_status(is_package=is_package)
        if fault or status != OK:
            channel.request, channel.blocks = b"", 0
            return b"", fault or status
        channel.request += data
        channel.blocks += 1
        if apdu[2] == MORE:
            return b"", OK
        request, channel.request, channel.blocks = channel.request, b"", 0
        try:
            return self._answer(channel, self._isdr.do(request))
        except UnknownTag:
            return b"", NO_DATA
        except WrongState:
            return b"", NOT_NOW
        except (tlv.TlvError, WrongData):
            return b"", WRONG_DATA

    def _answer(self, channel: Channel, data: bytes) -> tuple[bytes, int]:
        """Data at once, or how much of it waits."""
        if not data or self.answers_directly and len(data) <= MOST_AT_ONCE:
            return data, OK
        channel.answer = data
        return b"", waiting(data)

    def _more(self, apdu: bytes, channel: Channel) -> tuple[bytes, int]:
        """GET RESPONSE."""
        if not channel.answer:
            return b"", NOT_NOW
        wanted = (apdu[4] if len(apdu) > 4 else 0) or MOST_AT_ONCE
        if wanted > len(channel.answer) and apdu[4:5] != b"\0":
            return b"", 0x6C00 | len(channel.answer)
        data, channel.answer = channel.answer[:wanted], channel.answer[wanted:]
        return data, waiting(channel.answer) if channel.answer else OK

    def _refreshed(self, answer: bytes) -> bytes:
        """The answer of a switch was given whole: now the modem hears of it."""
        self._isdr.manager.wants_refresh = False
        if self.faults.loses_channels:
            self._channels = {0: Channel()}
        if self.on_refresh is not None and not self.faults.ignores_refresh:
            self.on_refresh()
        return answer[:-2] + PROACTIVE.to_bytes(2) if self.faults.is_proactive else answer


def channel_of(class_octet: int) -> int | None:
    """The channel in a class octet; None for a class that is none (ISO 7816-4, 5.4.1)."""
    if class_octet == 0xFF or class_octet & 0x60 == 0x20:
        return None
    return 4 + (class_octet & 0x0F) if class_octet & 0x40 else class_octet & 0x03


def at_channel(apdu: bytes, channel: int) -> bytes:
    """A command with another channel in its class octet, as a modem sets it for AT+CGLA."""
    proprietary = apdu[0] & 0x80
    octet = proprietary | channel if channel < 4 else proprietary | 0x40 | channel - 4
    return bytes((octet,)) + apdu[1:]


def body_of(apdu: bytes) -> bytes | None:
    """The data of a short command, perhaps with Le behind it; None when the length is not what Lc says."""
    if len(apdu) < 5:
        return b""
    length = apdu[4]
    return apdu[5 : 5 + length] if len(apdu) - 5 - length in (0, 1) else None


def waiting(data: bytes) -> int:
    """61xx; 6100 for 256 and more."""
    return 0x6100 | (len(data) if len(data) < MOST_AT_ONCE else 0)
