"""The card by QMI's service UIM, for modems without an AT port for it.

Through qmi-proxy where libqmi is installed, for others use the device through it too; else on the device itself, as
uqmi does. A channel lives as long as the client that opened it, so ``qmicli``, which has another one at each run, is no
way (and gives an answer up after ten seconds).
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import time
from collections.abc import Callable
from itertools import count
from typing import Protocol

from remsim.core.errors import AtTimeout, ModemError, ModemGone, NoApplication, PortBusy, WayFails
from remsim.modems.card import qmux
from remsim.modems.card.qmux import Answer
from remsim.modems.holders import holders

PROXY = "\0qmi-proxy"
OPEN_S = 10.0
CLOSE_S = 5.0
SLOT = 1
"""The modem's only logical slot: which card is in it is chosen elsewhere."""
ABSENT = (0x6A82, 0x6A86, 0x6999, 0x6A88)
NO_WAY = (qmux.UNKNOWN_COMMAND, qmux.UNSUPPORTED, qmux.DENIED)
POWER_PAUSE_S = 1.0


class Stream(Protocol):
    """A device or a socket."""

    def fileno(self) -> int:
        """Its descriptor."""

    def close(self) -> None:
        """Let it go."""


class UimClient:
    """A client of the service UIM on one device; one thread uses it at a time."""

    def __init__(self, path: str, *, start_proxy: Callable[[], bool]) -> None:
        self.path = path
        self._numbers = count(1)
        self._rest = b""
        self._client = 0
        self._stream = connect(path, start_proxy)
        try:
            if isinstance(self._stream, socket.socket):
                self._ask(qmux.CTL, qmux.PROXY_OPEN, {0x01: path.encode()}, OPEN_S)
            told = self._ask(qmux.CTL, qmux.ALLOCATE, {0x01: bytes((qmux.UIM,))}, OPEN_S)
            self._client = (told.values.get(0x01) or b"\0\0")[1]
            if told.error or not self._client:
                raise WayFails(f"{path} gives no client for the card: {words(told.error)}")
        except BaseException:
            self._stream.close()
            raise

    def ask(self, message: int, values: dict[int, bytes], timeout_s: float) -> Answer:
        """The modem's answer, errors included; ``AtTimeout``, ``ModemGone``."""
        return self._ask(qmux.UIM, message, {0x01: bytes((SLOT,)), **values}, timeout_s)

    def close(self) -> None:
        """Give the client back, which closes its channels."""
        with contextlib.suppress(ModemError):
            self._ask(qmux.CTL, qmux.RELEASE, {0x01: bytes((qmux.UIM, self._client))}, CLOSE_S)
        with contextlib.suppress(OSError):
            self._stream.close()

    def _ask(self, service: int, message: int, values: dict[int, bytes], timeout_s: float) -> Answer:
        number = next(self._numbers) % 255 + 1
        client = self._client if service == qmux.UIM else 0
        self._write(qmux.request(service, client, number, message, values))
        deadline = time.monotonic() + timeout_s
        while (left_s := deadline - time.monotonic()) > 0:
            for answer in self._read(left_s):
                is_mine = answer.is_response and (answer.service, answer.message) == (service, message)
                if is_mine and answer.transaction == number:
                    return answer
        raise AtTimeout("a QMI command for the card", timeout_s)

    def _write(self, data: bytes) -> None:
        try:
            while data:
                select.select([], [self._stream], [], CLOSE_S)
                data = data[os.write(self._stream.fileno(), data) :]
        except OSError as error:
            raise ModemGone(self.path) from error

    def _read(self, timeout_s: float) -> list[Answer]:
        try:
            ready, _, _ = select.select([self._stream], [], [], timeout_s)
            if not ready:
                return []
            data = os.read(self._stream.fileno(), qmux.LONGEST)
        except BlockingIOError:
            return []
        except (OSError, ValueError) as error:
            raise ModemGone(self.path) from error
        if not data:
            raise ModemGone(self.path)
        whole, self._rest = qmux.split(self._rest + data)
        return [answer for one in whole if (answer := qmux.read(one)) is not None]


class QmiChannel:
    """A logical channel, with the client that it belongs to."""

    def __init__(self, client: UimClient, number: int) -> None:
        self.number: int | None = number
        self._client = client

    def transmit(self, apdu: bytes, *, timeout_s: float) -> bytes:
        """One command and its answer."""
        values = {0x02: len(apdu).to_bytes(2, "little") + apdu, 0x10: bytes((self.number or 0,))}
        told = self._client.ask(qmux.SEND_APDU, values, timeout_s)
        if told.error:
            raise ModemError(f"the modem does not pass a command on to the card: {words(told.error)}")
        return qmux.octets(told.values.get(0x10, b""))

    def close(self) -> None:
        """Close the channel and give the client back."""
        with contextlib.suppress(ModemError):
            self._client.ask(qmux.CLOSE_CHANNEL, {0x11: bytes((self.number or 0,))}, CLOSE_S)
        self._client.close()


class QmiWay:
    """``start_proxy`` has libqmi's proxy run, where that is installed."""

    kind = "qmi"
    label = "QMI"

    def __init__(self, path: str, *, start_proxy: Callable[[], bool]) -> None:
        self._path = path
        self._start_proxy = start_proxy

    def open(self, aid: bytes) -> QmiChannel:
        """Have the modem select an application."""
        client = UimClient(self._path, start_proxy=self._start_proxy)
        try:
            told = client.ask(qmux.OPEN_CHANNEL, {0x10: bytes((len(aid),)) + aid}, OPEN_S)
            number = told.values.get(0x10, b"")
            if not told.error and number and number[0]:
                return QmiChannel(client, number[0])
            if told.error in NO_WAY:
                raise WayFails(f"the modem opens no channel to the card by QMI: {words(told.error)}")
            if told.card_status is None or told.card_status in ABSENT:
                absent = NoApplication(f"the modem finds no such application on the card: {words(told.error)}")
                absent.is_certain = told.card_status is not None
                raise absent
            raise WayFails(f"the card opens no channel by QMI ({told.card_status:04X})")
        except BaseException:
            client.close()
            raise


def cycle(path: str, start_proxy: Callable[[], bool], sleep: Callable[[float], None]) -> None:
    """Switch the card off and on, so that the modem reads it anew."""
    client = UimClient(path, start_proxy=start_proxy)
    try:
        client.ask(qmux.POWER_OFF, {}, OPEN_S)
        sleep(POWER_PAUSE_S)
        client.ask(qmux.POWER_ON, {}, OPEN_S)
    finally:
        client.close()


def words(error: int) -> str:
    """A QMI error in words."""
    return qmux.ERRORS.get(error, f"QMI error {error}")


def connect(path: str, start_proxy: Callable[[], bool]) -> Stream:
    """The proxy where there is one; the device itself where nobody else has it. ``PortBusy``, ``ModemGone``."""
    proxy = to_proxy()
    if proxy is None and start_proxy():
        proxy = to_proxy()
    if proxy is not None:
        return proxy
    others = holders([path])
    if others:
        raise PortBusy(path, str(others[0]), hint=others[0].hint)
    try:
        return open(os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK), "r+b", buffering=0)
    except FileNotFoundError as error:
        raise ModemGone(path) from error
    except OSError as error:
        raise WayFails(f"{path} cannot be opened: {error.strerror}") from error


def to_proxy() -> socket.socket | None:
    """A connection to qmi-proxy, where it runs."""
    one = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        one.connect(PROXY)
    except OSError:
        one.close()
        return None
    return one
