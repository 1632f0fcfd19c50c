"""A card over QMI: messages, and a modem's side of them on a pty and behind a proxy's socket."""

from __future__ import annotations

import os
import socket
import struct
import threading
import tty
from collections.abc import Callable, Iterator

import pytest
from euicc_bench import CI, profile
from hypothesis import given
from hypothesis import strategies as st
from remsim.core.errors import AtTimeout, ModemError, ModemGone, NoApplication, WayFails
from remsim.esim.apdu import open_isdr
from remsim.esim.euicc import Euicc
from remsim.modems.card import qmi, qmux
from remsim.modems.card.qmi import QmiWay, cycle
from remsim.simulator.euicc.card import SwError, VirtualEuicc
from remsim.simulator.euicc.credentials import make

OK = struct.pack("<HH", 0, 0)


def failed(error: int) -> bytes:
    return struct.pack("<HH", 1, error)


class Modem:
    """Answers as a modem whose card is an eUICC; ``said`` are the messages that came, ``errors`` QMI errors by one."""

    def __init__(self, card: VirtualEuicc) -> None:
        self.card = card
        self.said: list[int] = []
        self.errors: dict[int, int] = {}
        self.silent: set[int] = set()
        self.power: list[str] = []

    def answers(self, data: bytes) -> Iterator[bytes]:
        asked = qmux.read(data)
        assert asked is not None
        self.said.append(asked.message)
        if asked.message in self.silent:
            return
        values = {0x02: OK, **self._values(asked)}
        if asked.message in self.errors:
            values = {0x02: failed(self.errors[asked.message])}
        body = b"".join(struct.pack("<BH", tag, len(value)) + value for tag, value in values.items())
        is_ctl = asked.service == qmux.CTL
        head = bytes((1, asked.transaction)) if is_ctl else struct.pack("<BH", 2, asked.transaction)
        message = head + struct.pack("<HH", asked.message, len(body)) + body
        if not is_ctl:  # something unasked comes before it
            told = struct.pack("<BHHH", 4, 0, 0x0032, 0)
            yield struct.pack("<BHBBB", 1, len(told) + 5, 0x80, qmux.UIM, 0xFF) + told
        yield struct.pack("<BHBBB", 1, len(message) + 5, 0x80, asked.service, asked.client) + message

    def _values(self, asked: qmux.Answer) -> dict[int, bytes]:
        given = asked.values
        if asked.message == qmux.ALLOCATE:
            return {0x01: given[0x01] + b"\x07"}
        if asked.message == qmux.OPEN_CHANNEL:
            try:
                return {0x10: bytes((self.card.open(given[0x10][1:]),))}
            except SwError as error:
                return {0x02: failed(3), 0x11: error.status.to_bytes(2)}
        if asked.message == qmux.SEND_APDU:
            answer = self.card.transmit(qmux.octets(given[0x02]))
            return {0x10: struct.pack("<H", len(answer)) + answer}
        if asked.message == qmux.CLOSE_CHANNEL:
            self.card.close(given[0x11][0])
        if asked.message in (qmux.POWER_OFF, qmux.POWER_ON):
            self.power.append("off" if asked.message == qmux.POWER_OFF else "on")
        return {}


def serve(read: Callable[[], bytes], write: Callable[[bytes], object], modem: Modem) -> None:
    rest = b""
    while True:
        try:
            data = read()
        except OSError:
            return
        if not data:
            return
        whole, rest = qmux.split(rest + data)
        for one in whole:
            for answer in modem.answers(one):
                half = len(answer) // 2  # in two pieces
                write(answer[:half])
                write(answer[half:])


@pytest.fixture
def modem() -> Modem:
    return Modem(VirtualEuicc(make(CI), [profile(1, is_enabled=True)]))


@pytest.fixture
def way(modem: Modem, monkeypatch: pytest.MonkeyPatch) -> Iterator[QmiWay]:
    """On the device itself."""
    monkeypatch.setattr(qmi, "PROXY", f"\0no-proxy-{os.getpid()}")
    master, slave = os.openpty()
    tty.setraw(slave)
    path = os.ttyname(slave)
    os.close(slave)
    # A pty without an open slave reads as hung up: the device is opened by whoever asks, after this begins to wait.
    held = threading.Event()

    def work() -> None:
        held.wait()
        serve(lambda: os.read(master, 4096), lambda data: os.write(master, data), modem)

    threading.Thread(target=work, daemon=True).start()
    real = qmi.connect

    def connect(*arguments: object) -> object:
        found = real(*arguments)  # type: ignore[arg-type]
        held.set()
        return found

    monkeypatch.setattr(qmi, "connect", connect)
    yield QmiWay(path, start_proxy=lambda: False)
    held.set()
    os.close(master)


@pytest.fixture
def through_proxy(modem: Modem, monkeypatch: pytest.MonkeyPatch) -> Iterator[QmiWay]:
    """Through the socket of a proxy that begins to listen when it is started."""
    monkeypatch.setattr(qmi, "PROXY", f"\0qmi-proxy-{os.getpid()}")
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)

    def start() -> bool:
        server.bind(qmi.PROXY)
        server.listen()
        threading.Thread(target=work, daemon=True).start()
        return True

    def work() -> None:
        one, _ = server.accept()
        with one:
            serve(lambda: one.recv(4096), one.sendall, modem)

    yield QmiWay("/dev/cdc-wdm9", start_proxy=start)
    server.close()


def test_a_card_is_read_on_the_device_itself(way: QmiWay, modem: Modem) -> None:
    isdr, found = open_isdr([way])
    assert (found.kind, found.label) == ("qmi", "QMI")
    with Euicc(isdr) as euicc:
        assert euicc.eid() == modem.card.eid
        assert euicc.profiles()[0].state == "enabled"
    assert modem.said[0] == qmux.ALLOCATE
    assert modem.said[-2:] == [qmux.CLOSE_CHANNEL, qmux.RELEASE]
    assert modem.card.open_channels == []


def test_where_libqmi_is_its_proxy_is_used(through_proxy: QmiWay, modem: Modem) -> None:
    isdr, _ = open_isdr([through_proxy], block_size=255)
    with Euicc(isdr) as euicc:
        assert euicc.info2().svn == "2.2.2"
    assert modem.said[:3] == [qmux.PROXY_OPEN, qmux.ALLOCATE, qmux.OPEN_CHANNEL]


def test_another_name_is_no_application_and_leaves_no_client_behind(way: QmiWay, modem: Modem) -> None:
    with pytest.raises(NoApplication):
        way.open(b"\xa0" * 16)
    assert modem.said[-1] == qmux.RELEASE


@pytest.mark.parametrize(
    ("message", "error", "kind"),
    [
        (qmux.OPEN_CHANNEL, qmux.UNSUPPORTED, WayFails),
        (qmux.OPEN_CHANNEL, qmux.UNKNOWN_COMMAND, WayFails),
        (qmux.OPEN_CHANNEL, 3, NoApplication),
        (qmux.ALLOCATE, 5, WayFails),
    ],
)
def test_a_modem_that_cannot_says_so(message: int, error: int, kind: type, way: QmiWay, modem: Modem) -> None:
    modem.errors[message] = error
    with pytest.raises(kind):
        way.open(bytes.fromhex("A0000005591010FFFFFFFF8900000100"))


def test_a_command_that_is_not_passed_on_or_answered(
    way: QmiWay, modem: Modem, monkeypatch: pytest.MonkeyPatch
) -> None:
    isdr, _ = open_isdr([way])
    modem.errors[qmux.SEND_APDU] = 3
    with pytest.raises(ModemError, match="internal error"):
        Euicc(isdr).eid()
    modem.silent.add(qmux.SEND_APDU)
    with pytest.raises(AtTimeout):
        isdr.store_data(b"\xbf\x2e\x00", timeout_s=0.1)


def test_the_card_is_switched_off_and_on(way: QmiWay, modem: Modem) -> None:
    pauses: list[float] = []
    cycle(way._path, lambda: False, pauses.append)
    assert (modem.power, pauses) == (["off", "on"], [qmi.POWER_PAUSE_S])


def test_a_device_that_is_not_there_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qmi, "PROXY", f"\0no-proxy-{os.getpid()}")
    with pytest.raises(ModemGone):
        QmiWay("/dev/no-such-device", start_proxy=lambda: False).open(b"\xa0" * 16)


def test_a_message_as_libqmi_writes_it() -> None:
    allocate = qmux.request(qmux.CTL, 0, 1, qmux.ALLOCATE, {0x01: b"\x0b"})
    assert allocate.hex() == "010f00000000" + "0001" + "2200" + "0400" + "0101000b"
    send = qmux.request(qmux.UIM, 7, 2, qmux.SEND_APDU, {0x01: b"\1", 0x10: b"\2"})
    assert send.hex() == "011400000b07" + "000200" + "3b00" + "0800" + "01010001" + "10010002"


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_messages_are_found_in_a_stream_however_it_is_cut(values: list[bytes]) -> None:
    sent = [qmux.request(qmux.UIM, 1, number + 1, 0x3B, {0x02: value}) for number, value in enumerate(values)]
    stream, found, rest = b"".join(sent), [], b""
    for at in range(0, len(stream), 7):
        whole, rest = qmux.split(rest + stream[at : at + 7])
        found += whole
    assert (found, rest) == (sent, b"")
    assert [one.values[0x02] for one in map(qmux.read, found) if one is not None] == values


@given(st.binary(max_size=300))
def test_any_octets_are_messages_or_nothing(data: bytes) -> None:
    whole, rest = qmux.split(data)
    assert sum(map(len, whole)) + len(rest) <= len(data)
    for one in (*whole, data):
        answer = qmux.read(one)
        if answer is not None:
            assert isinstance(answer.error, int)
            assert answer.card_status is None or 0 <= answer.card_status <= 0xFFFF
