"""Card readers, through pcscd and its library where they are installed; nothing is loaded before somebody asks.

Source: pcsclite.h and winscard.h of pcsc-lite (names and numbers), ETSI TS 102 221 §11.1.19 (TERMINAL CAPABILITY).
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
import zlib
from collections.abc import Iterator
from typing import Any

from remsim.core.card import AccessPoint, Service
from remsim.core.errors import Conflict, NoApplication, NotTaken, WayFails
from remsim.core.jobs import Job
from remsim.esim.apdu import class_octet, refused
from remsim.esim.errors import EsimError

LIBRARY = "libpcsclite.so.1"
SCOPE_SYSTEM, SHARE_EXCLUSIVE, ANY_PROTOCOL, RESET_CARD = 2, 1, 3, 1
MOST_NAMES, MOST_ANSWER = 4096, 65_538
NO_CARD = (0x8010000C, 0x80100069)
NO_READERS = (0x8010001D, 0x8010002E, 0x8010001E)
"""pcscd does not run, knows no reader, or has just ended."""
ERRORS = {
    0x80100009: "the reader is gone",
    0x8010000B: "another program uses the card",
    0x8010000C: "there is no card in it",
    0x8010000F: "it does not speak the card's protocol",
    0x80100016: "the card's answer did not come whole",
    0x80100017: "the reader is gone",
    0x8010001D: "pcscd does not run",
    0x8010002F: "the reader does not talk to the card",
    0x80100066: "the card does not answer",
    0x80100067: "the card has no power",
    0x80100068: "the card was reset by another program",
    0x80100069: "the card was taken out",
}
HINTS = {
    0x8010000B: "stop that program; osmo-remsim-bankd holds the readers that it serves",
    0x8010000C: "insert the card",
    0x80100066: "take the card out and in again: it may be upside down",
    0x80100069: "insert it again",
}
OPEN_CHANNEL = bytes.fromhex("0070000001")
CAPABILITY = bytes.fromhex("80AA00000AA9088100820101830107")
"""An LPA is on this side: some cards show their profiles only then."""
ABSENT = (0x6A82, 0x6A86, 0x6999, 0x6A88)
PRESENT, EXCLUSIVE, MUTE = 0x20, 0x80, 0x200

_busy: dict[str, str] = {}
"""What goes on, by reader: holders are made anew each time they are asked for."""
_deciding = threading.Lock()


class _Protocol(ctypes.Structure):
    _fields_ = (("protocol", ctypes.c_ulong), ("length", ctypes.c_ulong))


class _State(ctypes.Structure):
    _fields_ = (
        ("reader", ctypes.c_char_p),
        ("data", ctypes.c_void_p),
        ("known", ctypes.c_ulong),
        ("now", ctypes.c_ulong),
        ("atr_length", ctypes.c_ulong),
        ("atr", ctypes.c_ubyte * 33),
    )


class ReaderError(EsimError):
    """Reader or pcscd failed; ``number`` is pcscd's own."""

    code = "reader"

    def __init__(self, name: str, number: int) -> None:
        words = ERRORS.get(number, f"error {number:08X} of pcscd")
        super().__init__(f"{name}: {words}", detail=f"{number:08X}", hint=HINTS.get(number))
        self.number = number


class Library:
    """The functions of libpcsclite, with its errors as ``ReaderError``."""

    def __init__(self) -> None:
        try:
            self._lib = ctypes.CDLL(LIBRARY)
        except OSError as error:
            raise EsimError(f"{LIBRARY} is not installed", code="reader", hint="install pcscd") from error

    def __call__(self, name: str, about: str, *arguments: Any) -> None:
        number = int(getattr(self._lib, name)(*arguments)) & 0xFFFFFFFF
        if number:
            raise ReaderError(about, number)

    @contextlib.contextmanager
    def context(self) -> Iterator[ctypes.c_long]:
        """A talk with pcscd."""
        context = ctypes.c_long()
        self("SCardEstablishContext", "pcscd", ctypes.c_ulong(SCOPE_SYSTEM), None, None, ctypes.byref(context))
        try:
            yield context
        finally:
            self._lib.SCardReleaseContext(context)

    def release(self, context: ctypes.c_long, card: ctypes.c_long | None = None) -> None:
        """Let a card and the talk go; the card is reset."""
        if card is not None:
            self._lib.SCardDisconnect(card, ctypes.c_ulong(RESET_CARD))
        self._lib.SCardReleaseContext(context)


class CardInReader:
    """A card that is ours alone until it is closed."""

    def __init__(self, library: Library, reader: str) -> None:
        self.reader = reader
        self._library = library
        self._context, self._card = ctypes.c_long(), ctypes.c_long()
        protocol = ctypes.c_ulong()
        scope, exclusive, any_of = (ctypes.c_ulong(one) for one in (SCOPE_SYSTEM, SHARE_EXCLUSIVE, ANY_PROTOCOL))
        library("SCardEstablishContext", reader, scope, None, None, ctypes.byref(self._context))
        try:
            name = reader.encode() + b"\0"
            where = ctypes.byref(self._card), ctypes.byref(protocol)
            library("SCardConnect", reader, self._context, name, exclusive, any_of, *where)
        except ReaderError:
            library.release(self._context)
            raise
        self._protocol = _Protocol(protocol.value, ctypes.sizeof(_Protocol))

    def transmit(self, apdu: bytes) -> bytes:
        """One command, one answer, however long the reader lets it take."""
        answer, length = ctypes.create_string_buffer(MOST_ANSWER), ctypes.c_ulong(MOST_ANSWER)
        sent = ctypes.byref(self._protocol), apdu, ctypes.c_ulong(len(apdu))
        self._library("SCardTransmit", self.reader, self._card, *sent, None, answer, ctypes.byref(length))
        return answer.raw[: length.value]

    def close(self) -> None:
        """Let it go, reset."""
        self._library.release(self._context, self._card)


class PcscChannel:
    """A logical channel of a card in a reader."""

    def __init__(self, card: CardInReader, number: int) -> None:
        self.number: int | None = number
        self._card = card

    def transmit(self, apdu: bytes, *, timeout_s: float) -> bytes:
        """One command, one answer; readers have their own time limits."""
        return self._card.transmit(apdu)

    def close(self) -> None:
        """Close the channel and let the card go."""
        with contextlib.suppress(EsimError):
            self._card.transmit(bytes((0x00, 0x70, 0x80, self.number or 0, 0x00)))
        self._card.close()


class PcscWay:
    """The card in a reader of that name."""

    kind = "pcsc"
    label = "PC/SC"

    def __init__(self, reader: str) -> None:
        self._reader = reader

    def open(self, aid: bytes) -> PcscChannel:
        """Open a channel and select an application on it."""
        card = CardInReader(Library(), self._reader)
        try:
            card.transmit(CAPABILITY)  # a card that does not know it says so
            answer = card.transmit(OPEN_CHANNEL)
            status = int.from_bytes(answer[-2:])
            if status != 0x9000 or len(answer) != 3:
                raise WayFails(f"the card opens no channel ({status:04X})")
            select = bytes((class_octet(0x00, answer[0]), 0xA4, 0x04, 0x00, len(aid))) + aid
            status = int.from_bytes(card.transmit(select)[-2:])
            if status in ABSENT:
                raise NoApplication("the card has no such application")
            if status >> 8 not in (0x90, 0x91, 0x61, 0x62, 0x63):
                raise refused(status)
            return PcscChannel(card, answer[0])
        except BaseException:
            card.close()
            raise


class ReaderHolder:
    """A card reader as ``esim.holder.Holder`` has it: a card without a network."""

    kind = "reader"
    interface = None
    imei = None

    def __init__(self, name: str) -> None:
        self.name = name
        self.id = f"reader-{zlib.crc32(name.encode()):08x}"

    def why_not(self) -> str | None:
        """Why there is no card that can be had; the card itself is not asked."""
        try:
            state = state_of(self.name)
        except EsimError as error:
            return f"{error.message}: {error.hint}" if error.hint else error.message
        if not state & PRESENT:
            return f"there is no card in {self.name}"
        if state & MUTE:
            return f"the card in {self.name} does not answer: take it out and in again, it may be upside down"
        if state & EXCLUSIVE and self.name not in _busy:
            return f"another program uses the card in {self.name}: {HINTS[0x8010000B]}"
        return None

    def ways(self) -> list[PcscWay]:
        """The reader itself."""
        return [PcscWay(self.name)]

    @contextlib.contextmanager
    def reserved(self, title: str) -> Iterator[None]:
        """One operation a reader."""
        with _deciding:
            if (other := _busy.get(self.name)) is not None:
                raise Conflict(f"{self.name} is busy: {other}", code="busy", hint="wait for its end or abort it")
            _busy[self.name] = title
        try:
            yield
        finally:
            del _busy[self.name]

    def polling_held(self) -> contextlib.AbstractContextManager[None]:
        """Nobody polls a reader."""
        return contextlib.nullcontext()

    def service(self) -> Service:
        """There is none."""
        return Service()

    def refresh(self, job: Job, *, hard: bool) -> None:
        """A card is reset whenever it is let go."""

    def access_point(self) -> AccessPoint | None:
        """There is none."""

    def set_access_point(self, wanted: AccessPoint, job: Job) -> None:
        """Nothing connects through a reader."""
        raise NotTaken(f"{self.name} has no network connection", hint="the modem that gets the card needs it")

    def wait_registered(self, within_s: float, job: Job, iccid: str | None = None) -> bool:
        """Never."""
        return False


def reader_names() -> list[str]:
    """The readers that pcscd knows; none where there is no pcscd."""
    try:
        library = Library()
        with library.context() as context:
            names, length = ctypes.create_string_buffer(MOST_NAMES), ctypes.c_ulong(MOST_NAMES)
            library("SCardListReaders", "pcscd", context, None, names, ctypes.byref(length))
    except ReaderError as error:
        if error.number in NO_READERS:
            return []
        raise
    except EsimError:
        return []  # the library is not there
    return [name.decode("utf-8", "replace") for name in names.raw[: length.value].split(b"\0") if name]


def state_of(reader: str) -> int:
    """The flags of a reader's state now; ``ReaderError``."""
    library, state = Library(), _State(reader=reader.encode())
    with library.context() as context:
        one = ctypes.c_ulong(1)
        library("SCardGetStatusChange", reader, context, ctypes.c_ulong(0), ctypes.byref(state), one)
    return int(state.now)


def readers() -> list[ReaderHolder]:
    """All card readers, as holders of the cards in them."""
    return [ReaderHolder(name) for name in reader_names()]
