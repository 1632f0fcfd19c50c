"""What a bankd sends by GSMTAP, heard at an address that the bankd takes itself."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from remsim.remotesim.gsmtap import GsmtapListener, apdus_in, sockets_at
from remsim.simulator.remsim.bankd import VirtualBankd
from remsim.simulator.remsim.card import VirtualCard
from virtual_remsim import Parts, virtual_client, virtual_remsim, wait_until

HEAD = bytes.fromhex("02040400000000000000000000000000")
AUTHENTICATE = "0088008122" + "10" + "5c" * 16 + "10" + "c5" * 16
Listen = Callable[..., GsmtapListener]


@pytest.fixture
def port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture
def listen(tmp_path: Path, port: int) -> Iterator[Listen]:
    made = []

    def start(address: str = "127.0.0.1") -> GsmtapListener:
        listener = GsmtapListener(address, tmp_path / "gsmtap.json", port=port, look_s=0.05)
        listener.start()
        made.append(listener)
        wait_until(lambda: listener.view()["bound"] or listener.view()["problem"])
        return listener

    yield start
    for listener in made:
        listener.stop()


def send(port: int, *datagrams: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        for datagram in datagrams:
            sock.sendto(datagram, ("127.0.0.1", port))


def test_pairs_are_counted_and_judged(listen: Listen, port: int, tmp_path: Path) -> None:
    listener = listen()
    pairs = [AUTHENTICATE + "6135", "00c0000035" + "db" + "a5" * 52 + "9000", AUTHENTICATE + "9862"]
    send(port, *(HEAD + bytes.fromhex(pair) for pair in pairs))
    wait_until(lambda: listener.view()["tpdu_rx"] == 3)
    view = listener.view()
    assert view["authentications"] == {"success": 1, "resync": 0, "unknown": 0, "failure": {"9862": 1}}
    assert "apdu_seconds" not in view  # there is no time in it
    listener.stop()
    assert b"5c5c" not in (tmp_path / "gsmtap.json").read_bytes()
    assert listen().view()["tpdu_rx"] == 3


def test_what_is_none_of_it_is_not_counted(listen: Listen, port: int) -> None:
    listener = listen()
    others = [b"", HEAD, HEAD[:12] + b"\1" + HEAD[13:] + bytes(20), b"\1" + HEAD[1:] + bytes(20), b"x" * 1024]
    send(port, *others, HEAD + b"\0\x88", HEAD + bytes.fromhex("00f2000000" + "9000"))
    wait_until(lambda: listener.view()["tpdu_rx"] == 1)
    assert listener.view()["authentications"]["failure"] == {}


def test_an_address_that_is_not_ours_is_named(listen: Listen) -> None:
    view = listen("192.0.2.1").view()
    assert not view["bound"]
    assert "192.0.2.1" in view["problem"]


@pytest.mark.parametrize("first", ["bankd", "listener"])
def test_it_hears_a_bankd_that_takes_the_port_itself_and_again_after_its_restart(
    listen: Listen, port: int, first: str
) -> None:
    with virtual_remsim() as parts:
        listener = listen() if first == "listener" else None
        bank = bank_with_gsmtap(parts, port)
        listener = listener or listen()
        with virtual_client(parts.server.port, (5, 0)) as client:
            parts.wait_for_banks()
            assert parts.post((1, 0), (5, 0)) == 201
            assert client.line().startswith("SET_ATR")
            heard_after(listener, lambda: client.apdu("00a40004023f00"))
            parts.do(bank.stop)
            parts.do(bank.start)
            assert client.line().startswith("SET_ATR")
            heard_after(listener, lambda: client.apdu(AUTHENTICATE))


def bank_with_gsmtap(parts: Parts, port: int) -> VirtualBankd:
    made: VirtualBankd = parts.do(
        lambda: VirtualBankd(
            parts.loop,
            {0: VirtualCard()},
            server=("127.0.0.1", parts.server.port),
            port=parts.bank_port,
            gsmtap=("127.0.0.1", port),
        )
    )
    parts.banks[1] = made
    return made


def heard_after(listener: GsmtapListener, command: Callable[[], Any]) -> None:
    """A command is heard, once the listener is the last that came to the port."""
    before = listener.view()["tpdu_rx"]

    def heard() -> bool:
        command()
        return bool(listener.view()["tpdu_rx"] > before)

    wait_until(heard)


@given(st.binary(max_size=200))
def test_any_datagram_is_apdus_or_none(datagram: bytes) -> None:
    for octets in (datagram, HEAD + datagram):
        found = apdus_in(octets)
        assert found is None or octets.endswith(found)


def test_sockets_at_a_port() -> None:
    table = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
  307: 0100007F:1279 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4711 2 0000000000000000 0
  308: 00000000:1280 00000000:0000 07 00000000:00000000 00:00000000 00000000     0        0 4712 2 0000000000000000 0
  309: 00000000:1279 00000000:0000 07
"""
    assert sockets_at(4729, table) == {"4711"}
