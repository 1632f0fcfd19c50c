"""The relay as a process, between a client and virtual parts: all passes, counts are right, nothing is kept."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from relays import RelayProcess, running_relay
from remsim.core import tlv
from remsim.remotesim.rspro import Frame, FrameReader, Message, decode
from virtual_remsim import Client, Parts, virtual_client, virtual_remsim, wait_until

AUTHENTICATE = "0088008122" + "10" + "5c" * 16 + "10" + "c5" * 16
SELECT = "00a40004023f00"


@pytest.fixture
def parts() -> Iterator[Parts]:
    with virtual_remsim(1, slots=4) as made:
        yield made


@pytest.fixture
def relay(parts: Parts, tmp_path: Path) -> Iterator[RelayProcess]:
    with running_relay(tmp_path, parts.server.port) as made:
        yield made


def through(relay: RelayProcess, *options: str, program: str = "osmo-remsim-client-shell") -> Client:
    return Client(relay.ports[0], relay.slot, "-i", relay.address, *options, program=program)


def connected(parts: Parts, relay: RelayProcess, client: Client, slot: int = 0) -> None:
    """Until the card of a slot is there."""
    assert parts.post((1, slot), relay.slot) == 201
    assert client.line().startswith("SET_ATR")


@pytest.fixture
def client(parts: Parts, relay: RelayProcess) -> Iterator[Client]:
    made = through(relay)
    try:
        connected(parts, relay, made)
        yield made
    finally:
        made.stop()


def authentications(relay: RelayProcess) -> tuple[dict[str, int], dict[str, int]]:
    content = relay.counts()
    return content["results"], content["failures"]


def test_apdus_pass_and_are_counted(parts: Parts, relay: RelayProcess, client: Client) -> None:
    assert client.apdu(SELECT).startswith("61")
    waiting = client.apdu(AUTHENTICATE)
    assert client.apdu("00c00000" + waiting[2:]).endswith("9000")
    parts.do(lambda: setattr(parts.banks[1].cards[0], "mode", "auth_failure"))
    assert client.apdu(AUTHENTICATE) == "9862"
    wait_until(lambda: relay.counts()["tpdu_rx"] == 4)
    assert relay.counts()["tpdu_tx"] == 4
    assert sum(relay.counts()["delays"]) == 4
    assert authentications(relay) == ({"success": 1, "resync": 0, "unknown": 0}, {"9862": 1})
    assert relay.counts()["bankd"] == f"127.0.0.1:{parts.bank_port}"
    assert relay.counts()["server_link"] and relay.counts()["bankd_link"]


def test_nothing_of_what_passes_is_kept(parts: Parts, relay: RelayProcess, client: Client, tmp_path: Path) -> None:
    waiting = client.apdu(AUTHENTICATE)
    client.apdu("00c00000" + waiting[2:])
    wait_until(lambda: relay.counts()["tpdu_rx"] == 2)
    command_line = Path(f"/proc/{relay.process.pid}/cmdline").read_bytes()
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()) + command_line
    for secret in ("5c5c", "c5c5", "a5a5"):
        assert bytes.fromhex(secret) not in kept
        assert secret.encode() not in kept.lower()


def test_a_map_to_another_slot_passes(parts: Parts, relay: RelayProcess, client: Client) -> None:
    client.apdu(SELECT)
    wait_until(lambda: relay.counts()["bankd_link"])
    parts.ask("DELETE", "slotmaps/65536")
    wait_until(lambda: not relay.counts()["bankd_link"])
    assert parts.post((1, 2), relay.slot) == 201
    assert client.line().startswith("SET_ATR")
    assert client.apdu(SELECT).startswith("61")
    wait_until(lambda: relay.counts()["tpdu_rx"] == 2)


def test_a_bank_that_restarts_is_found_again(parts: Parts, relay: RelayProcess, client: Client) -> None:
    parts.do(parts.banks[1].stop)
    wait_until(lambda: not relay.counts()["bankd_link"])
    parts.do(parts.banks[1].start)
    assert client.line().startswith("SET_ATR")
    assert client.apdu(SELECT).startswith("61")


def test_without_a_server_the_client_is_sent_away_and_the_card_stays(
    parts: Parts, relay: RelayProcess, client: Client
) -> None:
    parts.stop_server()
    wait_until(lambda: not relay.counts()["server_link"])
    wait_until(lambda: relay.counts()["problem"] is not None)
    assert client.apdu(SELECT).startswith("61")
    parts.start_server()
    wait_until(lambda: relay.counts()["server_link"] and relay.counts()["problem"] is None)


def test_killed_the_card_drops_and_comes_back_with_it_and_counts_go_on(
    parts: Parts, relay: RelayProcess, tmp_path: Path
) -> None:
    heard = tmp_path / "heard"
    script = tmp_path / "script"
    script.write_text(f'#!/bin/sh\necho "$1" >> {heard}\n')
    script.chmod(0o755)
    client = through(relay, "-e", str(script))
    try:
        connected(parts, relay, client)
        client.apdu(SELECT)
        wait_until(lambda: relay.counts()["tpdu_rx"] == 1)
        since = relay.counts()["since"]
        relay.kill()
        wait_until(lambda: "request-card-remove" in heard.read_text())
        relay.start()
        assert client.line().startswith("SET_ATR")
        assert client.apdu(SELECT).startswith("61")
        wait_until(lambda: relay.counts()["tpdu_rx"] == 2)
        assert relay.counts()["since"] == since
        assert heard.read_text().count("request-card-insert") == 2  # a modem is reset once for it
    finally:
        client.stop()


def test_a_relay_that_restarts_knows_the_bank_while_the_server_is_away(
    parts: Parts, relay: RelayProcess, client: Client
) -> None:
    wait_until(lambda: relay.counts()["bankd"] is not None)
    parts.stop_server()
    relay.kill()
    relay.start()
    assert client.line().startswith("SET_ATR")
    assert client.apdu(SELECT).startswith("61")


def test_direct_again_is_the_client_started_anew(parts: Parts, relay: RelayProcess, client: Client) -> None:
    client.apdu(SELECT)
    client.stop()
    with virtual_client(parts.server.port, relay.slot) as direct:
        assert direct.line().startswith("SET_ATR")
        assert direct.apdu(SELECT).startswith("61")
    assert relay.counts()["tpdu_rx"] <= 1


def test_a_modem_that_authenticates_by_itself(parts: Parts, relay: RelayProcess) -> None:
    client = through(relay, program="osmo-remsim-client-st2")
    try:
        assert parts.post((1, 1), relay.slot) == 201
        wait_until(lambda: relay.counts()["results"]["success"] >= 1)
    finally:
        client.stop()


class Pair:
    """A connection of a client's through the relay, and where it comes out."""

    def __init__(self, address: tuple[str, int], server: socket.socket) -> None:
        self.near = socket.create_connection(address, 5)
        self.far = server.accept()[0]
        self.far.settimeout(5)

    def goes(self, octets: bytes, *, up: bool, comes: bytes | None = None) -> bytes:
        source, target = (self.near, self.far) if up else (self.far, self.near)
        source.sendall(octets)
        wanted, found = len(octets if comes is None else comes), b""
        while len(found) < wanted:
            found += target.recv(65536)
        return found


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[tuple[RelayProcess, Pair, socket.socket]]:
    """A relay whose server is the test."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        with running_relay(tmp_path, server.getsockname()[1]) as relay:
            yield relay, Pair((relay.address, relay.ports[0]), server), server


CONFIG = Message(
    "configClientBankReq",
    {"bankSlot": {"bankId": 1, "slotNr": 2}, "bankd": {"ip": "10.0.0.5", "port": 9999}},
    tag=7,
)


def test_only_the_banks_address_is_made_another(plain: tuple[RelayProcess, Pair, socket.socket]) -> None:
    relay, pair, _ = plain
    assert pair.goes(CONFIG.encode(), up=True) == CONFIG.encode()
    place = {"ip": relay.address, "port": relay.ports[1]}
    mine = Message("configClientBankReq", {**CONFIG.fields, "bankd": place}, tag=7)
    assert pair.goes(CONFIG.encode(), up=False) == mine.encode()
    wait_until(lambda: relay.counts()["bankd"] == "10.0.0.5:9999")
    v6 = Message("configClientBankReq", {**CONFIG.fields, "bankd": {"ip": "2001:db8::5", "port": 9999}}, tag=7)
    assert pair.goes(v6.encode(), up=False, comes=mine.encode()) == mine.encode()
    wait_until(lambda: relay.counts()["bankd"] == "[2001:db8::5]:9999")
    none = Message("configClientBankReq", {**CONFIG.fields, "bankd": {"ip": "0.0.0.0", "port": 0}})
    assert pair.goes(none.encode(), up=False) == none.encode()
    wait_until(lambda: relay.counts()["bankd"] is None)


def test_what_follows_in_a_later_version_stays(plain: tuple[RelayProcess, Pair, socket.socket]) -> None:
    relay, pair, _ = plain
    octets, wanted = (
        frame_of(
            tlv.encode(0x80, b"\2"),
            tlv.encode(0x81, b"\0"),
            tlv.encode(
                0xA2,
                tlv.encode(
                    0xB1,
                    tlv.encode(0x30, bytes.fromhex("0201010201028f0142")),
                    tlv.encode(0x30, bytes.fromhex(f"8004{ip}0202{port}850601020304050696820100" + 256 * "5a")),
                    bytes.fromhex("8601ff"),
                ),
            ),
        )
        for ip, port in (("0a000005", "270f"), (socket.inet_aton(relay.address).hex(), f"{relay.ports[1]:04x}"))
    )
    assert pair.goes(octets, up=False) == wanted


def frame_of(*parts: bytes) -> bytes:
    """A frame of a PDU with such parts, right or wrong."""
    return Frame(0xEE, b"\7" + tlv.encode(0x30, *parts)).encode()


@pytest.mark.parametrize(
    "octets",
    [
        bytes.fromhex("0001fe00"),
        bytes.fromhex("0003aa010203"),
        bytes.fromhex("0000ee"),
        bytes.fromhex("0002ee0730"),
        frame_of(bytes.fromhex("800102"), b"\xff\x00"),
        frame_of(tlv.encode(0xA2, tlv.encode(0xB1, tlv.encode(0x30, bytes.fromhex("020101"))))),
        frame_of(tlv.encode(0xA2, tlv.encode(0xB1, tlv.encode(0x30), tlv.encode(0x30, b"\x80\3abc\2\1\5")))),
        frame_of(tlv.encode(0xA2, tlv.encode(0xB1, tlv.encode(0x30), tlv.encode(0x30, b"\x80\4abcd\2\0")))),
        frame_of(tlv.encode(0xA2, tlv.encode(0xBF7F, b"later"))),
        bytes.fromhex("ffffee07") + os.urandom(65534),
        bytes.fromhex("03e8ee07") + bytes(999),
    ],
)
def test_what_is_not_known_or_not_right_passes_untouched(
    plain: tuple[RelayProcess, Pair, socket.socket], octets: bytes
) -> None:
    _, pair, _ = plain
    for up in (True, False):
        assert pair.goes(octets, up=up) == octets
    assert pair.goes(b"\0\1\xfe\1", up=True) == b"\0\1\xfe\1"


def test_frames_in_pieces_arrive_whole(plain: tuple[RelayProcess, Pair, socket.socket]) -> None:
    relay, pair, _ = plain
    for octet in CONFIG.encode():
        pair.far.sendall(bytes((octet,)))
    found = next(iter(FrameReader().feed(pair.near.recv(1000))))
    assert decode(found).fields["bankd"]["port"] == relay.ports[1]


def test_an_end_on_one_side_is_one_on_the_other(plain: tuple[RelayProcess, Pair, socket.socket]) -> None:
    relay, pair, server = plain
    pair.far.close()
    assert pair.near.recv(10) == b""
    again = Pair((relay.address, relay.ports[0]), server)
    again.near.close()
    assert again.far.recv(10) == b""


def test_without_a_bank_nobody_is_let_in(plain: tuple[RelayProcess, Pair, socket.socket]) -> None:
    relay, _, _ = plain
    with socket.create_connection((relay.address, relay.ports[1]), 5) as sock:
        assert sock.recv(10) == b""


def test_octets_that_are_no_frames_break_nothing_on_the_way_to_the_bank(
    plain: tuple[RelayProcess, Pair, socket.socket],
) -> None:
    relay, pair, _ = plain
    with socket.create_server(("127.0.0.1", 0)) as bank:
        bank.settimeout(5)
        place = {"ip": "127.0.0.1", "port": bank.getsockname()[1]}
        pair.goes(Message("configClientBankReq", {**CONFIG.fields, "bankd": place}).encode(), up=False, comes=b"x")
        link = Pair((relay.address, relay.ports[1]), bank)
        for octets in (b"GET / HTTP/1.1\r\n\r\n", bytes.fromhex("0004ee073002ff"), os.urandom(5000), b"\xff" * 70_000):
            for up in (True, False):
                assert link.goes(octets, up=up) == octets


def test_a_wrong_call_says_so(tmp_path: Path, plain: tuple[RelayProcess, Pair, socket.socket]) -> None:
    from remsim.remotesim.relay import main

    relay, _, _ = plain
    assert main([]) == 2
    assert main(["--listen", "127.0.0.1:1", "--server", "nothing", "--counters", str(tmp_path / "x")]) == 2
    taken = f"{relay.address}:{relay.ports[0]}"
    assert main(["--listen", taken, "--server", "127.0.0.1:1", "--counters", str(tmp_path / "x")]) == 1
