"""Requests to an eUICC as APDUs: blocks of STORE DATA, answers fetched piece by piece, status words in sentences.

Source: SGP.22 §5.7.2 (transport by STORE DATA), ISO 7816-4 and ETSI TS 102 221 §10 (class octets and status words).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from remsim.core.errors import InvalidInput, ModemError, ModemGone, NoApplication, NoCard, WayFails
from remsim.esim.errors import EsimError, StatusWord
from remsim.esim.transport import LogicalChannel, Way

ISDR_AIDS = tuple(
    bytes.fromhex(aid)
    for aid in (
        "A0000005591010FFFFFFFF8900000100",
        "A0000005591010FFFFFFFF8900050500",
        "A0000005591010000000008900000300",
        "A0000005591010FFFFFFFF8900000177",
        "A000000559104C696E6B736669656C64",
        "A06573746B6D65FFFF4953442D522030",
        "A06573746B6D65FFFFFFFF4953442D52",
    )
)
"""Names of the ISD-R: the standard one, then those of removable cards: 5ber, eSIM.me, Xesim, LinksField, eSTK.me (its
first element, and its older name). Source: the OEM list of Osmocom's eUICC manual, OpenEUICC's defaults."""

LEAST_BLOCK, USUAL_BLOCK, MOST_BLOCK = 6, 120, 255
MOST_BLOCKS = 256
MOST_ANSWER = 1 << 20
"""A card with many profiles and their icons, or a hundred notifications with certificates, says less than this."""
MOST_PIECES = 8192
"""As large an answer in pieces of 128 octets: one that comes octet by octet would take hours."""

TIMEOUT_S = 10.0
LOAD_TIMEOUT_S = 240.0
"""While a package loads a card may be busy for minutes with one command; giving it up would leave half a profile."""

STORE_DATA, GET_RESPONSE = 0xE2, 0xC0
MORE, LAST = 0x11, 0x91
EID = bytes.fromhex("BF3E035C015A")
"""The smallest request that every eUICC answers."""

MEANINGS = {
    0x6281: "part of its answer may be damaged",
    0x6400: "it could not do this, and nothing was changed",
    0x6581: "its memory failed",
    0x6700: "the length of the command is wrong",
    0x6881: "it knows no such logical channel",
    0x6882: "it takes no secured commands here",
    0x6900: "this command is not allowed",
    0x6982: "this is not allowed without authentication",
    0x6985: "it does not allow this as things are",
    0x6999: "the application cannot be selected",
    0x6A80: "it does not understand what was sent",
    0x6A81: "it does not have this function",
    0x6A82: "it has no such application",
    0x6A84: "it has not enough memory",
    0x6A86: "the parameters of the command are wrong",
    0x6A88: "it does not know what was asked for",
    0x6B00: "the parameters of the command are wrong",
    0x6D00: "it does not know this command",
    0x6E00: "it does not know this class of commands",
    0x6F00: "it says no more than that something went wrong",
    0x9300: "it is busy with a command of its own",
}
FAMILIES = {
    0x62: "it warns",
    0x63: "it warns",
    0x65: "its memory failed",
    0x68: "it does not take this on a logical channel",
    0x69: "it does not allow this",
    0x6A: "what was sent is wrong for it",
    0x6F: "something went wrong in it",
}
HINTS = {
    0x6581: "take the card out and in again; if it stays so, the card is worn out",
    0x6881: "restart the modem, so that the channels left open are closed",
    0x6985: "wait a few seconds and try again; if it stays so, restart the modem",
    0x6A82: "it is no eSIM, or its ISD-R has another name: see its names in the settings",
    0x6A84: "delete a profile that you do not need any more",
    0x6F00: "restart the modem and try again",
    0x9300: "wait a few seconds and try again",
}


def refused(status: int) -> StatusWord:
    """A status word as an error."""
    meaning = MEANINGS.get(status) or FAMILIES.get(status >> 8) or "it gives no reason that is known"
    return StatusWord(status, f"the card refuses the command: {meaning} ({status:04X})", hint=HINTS.get(status))


def class_octet(octet: int, channel: int | None) -> int:
    """The class with a channel from 0 to 19 in it; None leaves that to the modem (TS 102 221 §10.1.1)."""
    if channel is None or channel == 0:
        return octet
    if not 0 < channel < 20:
        raise InvalidInput("a logical channel is a number from 0 to 19", field="channel")
    if channel < 4:
        return octet & 0xFC | channel
    return octet & 0xB0 | 0x40 | channel - 4


def blocks(request: bytes, *, block_size: int = USUAL_BLOCK, channel: int | None = None) -> Iterator[bytes]:
    """A request as commands: numbered from 0, the last one marked. ``InvalidInput`` when it takes too many."""
    if not LEAST_BLOCK <= block_size <= MOST_BLOCK:
        raise InvalidInput(f"a block has {LEAST_BLOCK} to {MOST_BLOCK} octets", field="block_size")
    if len(request) > block_size * MOST_BLOCKS:
        raise InvalidInput(
            f"{len(request)} octets are more than {MOST_BLOCKS} blocks of {block_size} hold",
            field="block_size",
            hint="choose larger blocks",
        )
    octet = class_octet(0x80, channel)
    for number, start in enumerate(range(0, len(request) or 1, block_size)):
        data = request[start : start + block_size]
        is_last = start + block_size >= len(request)
        yield bytes((octet, STORE_DATA, LAST if is_last else MORE, number, len(data))) + data


class Isdr:
    """The ISD-R of an eUICC, selected on a channel. One thread uses it at a time.

    ``on_apdu`` is told of each command and its answer; neither may be logged, as codes and keys pass here.
    """

    def __init__(
        self,
        channel: LogicalChannel,
        *,
        block_size: int = USUAL_BLOCK,
        on_apdu: Callable[[bytes, bytes], None] | None = None,
    ) -> None:
        self.block_size = block_size
        self.apdus_sent = 0
        self._channel = channel
        self._is_open = True
        self._on_apdu = on_apdu

    def store_data(
        self,
        request: bytes,
        *,
        timeout_s: float = TIMEOUT_S,
        is_load: bool = False,
        on_block: Callable[[int], None] | None = None,
    ) -> bytes:
        """The card's answer to a request, empty when it has none. ``StatusWord`` when it refuses.

        ``is_load`` waits for minutes. ``on_block`` is told how many octets of the request the card has taken so far.
        """
        timeout_s = LOAD_TIMEOUT_S if is_load else timeout_s
        answer, sent = bytearray(), 0
        for block in blocks(request, block_size=self.block_size, channel=self._channel.number):
            answer += self._exchange(block, timeout_s)
            sent += len(block) - 5
            if on_block is not None:
                on_block(sent)
        return bytes(answer)

    def close(self) -> None:
        """Let the channel go, once: its number may be another's afterwards. Never raises."""
        if self._is_open:
            self._is_open = False
            self._channel.close()

    def _exchange(self, command: bytes, timeout_s: float) -> bytes:
        """One command with all of its answer."""
        data, status = self._send(command, timeout_s)
        if status >> 8 == 0x6C:  # the length of its answer was not asked for as it wants
            data, status = self._send(with_length(command, status & 0xFF), timeout_s)
        if status >> 8 != 0x61:
            return checked(data, status)
        return self._fetch(bytearray(data), status, timeout_s)

    def _fetch(self, answer: bytearray, status: int, timeout_s: float) -> bytes:
        octet = class_octet(0x80, self._channel.number)
        pieces = 0
        while status >> 8 == 0x61:
            pieces += 1
            command = bytes((octet, GET_RESPONSE, 0, 0, status & 0xFF))
            data, status = self._send(command, timeout_s)
            if status >> 8 == 0x6C:
                data, status = self._send(with_length(command, status & 0xFF), timeout_s)
            if not data and status >> 8 == 0x61:
                raise EsimError("the card says that its answer goes on, but does not give the rest", code="esim_reply")
            answer += data
            if len(answer) > MOST_ANSWER or pieces > MOST_PIECES:
                raise EsimError("the card's answer does not end", code="esim_reply")
        return checked(bytes(answer), status)

    def _send(self, command: bytes, timeout_s: float) -> tuple[bytes, int]:
        self.apdus_sent += 1
        answer = self._channel.transmit(command, timeout_s=timeout_s)
        if self._on_apdu is not None:
            self._on_apdu(command, answer)
        if len(answer) < 2:
            raise EsimError("the card's answer has no status word", code="esim_reply", hint="try again")
        return answer[:-2], int.from_bytes(answer[-2:])


def with_length(command: bytes, length: int) -> bytes:
    """A command that asks for so many octets, 0 for 256: behind its data, or in the place of the length it has."""
    return (command[:4] if len(command) == 5 else command) + bytes((length,))


def checked(data: bytes, status: int) -> bytes:
    """What came with a status word that means success: 9000, or 91xx when the card wants something of the modem."""
    if status == 0x9000 or status >> 8 == 0x91:
        return data
    raise refused(status)


def open_isdr(
    ways: Sequence[Way],
    *,
    aids: Sequence[bytes] = (),
    block_size: int = USUAL_BLOCK,
    on_apdu: Callable[[bytes, bytes], None] | None = None,
) -> tuple[Isdr, Way]:
    """The ISD-R by the first way that can be gone and the first name that the card knows.

    ``aids`` are tried before the names that are known of removable cards. A way that opens the card may carry nothing
    else: while there is another one, the card is asked for its EID first. ``NoApplication`` when the card knows none of
    the names, or a modem says so and no other way brings more; ``NoCard`` when there is none to ask; what the first way
    failed with (``WayFails``, ``AtTimeout``, ``ModemGone``, …) when none works.
    """
    absent: NoApplication | None = None
    failed: ModemError | None = None
    for number, way in enumerate(ways, 1):
        try:
            isdr = named(way, tuple(dict.fromkeys((*aids, *ISDR_AIDS))), block_size, on_apdu)
            if number < len(ways):
                prove(isdr)
            return isdr, way
        except NoApplication as error:
            absent = error
            if error.is_certain:
                break
        except NoCard:
            raise
        except ModemError as error:
            failed = failed or error
    if absent is not None:
        text = "the card is no eSIM: it does not have the application that manages profiles"
        raise NoApplication(text, hint=absent.hint or HINTS[0x6A82]) from absent
    if failed is not None:
        raise failed
    raise WayFails("there is no way to this card", hint="the modem has neither AT, QMI nor MBIM for it")


def named(way: Way, aids: Sequence[bytes], block_size: int, on_apdu: Callable[[bytes, bytes], None] | None) -> Isdr:
    """The ISD-R by one way, under the first name that the card knows; the last ``NoApplication`` when it knows none."""
    absent = NoApplication("there is no name to ask for")
    for aid in aids:
        try:
            return Isdr(way.open(aid), block_size=block_size, on_apdu=on_apdu)
        except NoApplication as error:
            absent = error
    raise absent


def prove(isdr: Isdr) -> None:
    """Ask for the EID; ``WayFails``, with the channel closed, when that brings nothing."""
    try:
        isdr.store_data(EID)
    except (EsimError, ModemError) as error:
        isdr.close()
        if isinstance(error, ModemGone):
            raise
        raise WayFails(f"the card opens, but does not answer on this way: {error.message}", hint=error.hint) from error
