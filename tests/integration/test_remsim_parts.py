"""The virtual osmo-remsim octet by octet, in whole conversations; the real programs too, where they are on the path.

Debian and OpenWrt's feed have no osmo-remsim: where ``osmo-remsim-server``, ``-bankd`` or ``-client-shell`` is missing,
its tests are skipped and say so.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from http_ask import ask
from remsim.remotesim import rspro
from rspro_peer import Peer, accepted, bank_hello, hello, listening, welcome
from virtual_remsim import free_port, wait_until

MAPPED = "001dee07301a800102810100a212a41030060201050201003006020101020102"
UNMAPPED = "001dee07301a800102810100a212a61030060201050201003006020101020102"
MAPPED_RES, UNMAPPED_RES = "0010ee07300d800102810100a205a5030a0100", "0010ee07300d800102810100a205a7030a0100"
ILLEGAL_SLOT_RES = "0010ee07300d800102810100a205a5030a0103"
BANK_HERE = "0021ee07301e800102810100a216b1143006020101020102300a80047f0000010202270f"
NO_BANK = "0020ee07301d800102810100a215b1133006020101020102300980040000000002 0100"
TOLD_RES = "0010ee07300d800102810100a205b2030a0100"
ATR_REQ = "002dee07302a800102810100a222aa20300602010502010004163b9f96801fc78031a073be21136743200718000001a5"
ATR_RES = "0010ee07300d800102810100a205ab030a0100"
COMMAND = (
    "0034ee073031800102810100a229ac2730060201050201003006020101020102300c0101000101000101000101000407a0a40000027f20"
)
ANSWER = "002fee07302c800102810100a224ad2230060201010201023006020105020100300c01010001010001010001010004029f0d"
REST = "/api/backend/v1"
CLIENT, BANK = (5, 0), (1, 2)


@dataclass
class Program:
    """A running program, virtual or real."""

    is_real: bool
    port: int
    process: subprocess.Popen[bytes]
    rest_port: int = 0

    def order(self, text: str) -> None:
        """Tell a virtual program what to do."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(text.encode() + b"\n")
        self.process.stdin.flush()
        assert json.loads(self.process.stdout.readline())["ok"]

    def rest(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> tuple[int, bytes]:
        """One request to a server."""
        return ask(self.rest_port, method, f"{REST}/{path}", body, kind)

    def post(self, bank: tuple[int, int] = BANK, client: tuple[int, int] = CLIENT) -> int:
        """Make a slot map."""
        sides = {"bank": {"bankId": bank[0], "slotNr": bank[1]}, "client": {"clientId": client[0], "slotNr": client[1]}}
        return self.rest("POST", "slotmaps", sides)[0]

    def states(self) -> list[str]:
        """Of its slot maps."""
        return [one["state"] for one in json.loads(self.rest("GET", "slotmaps")[1])["slotmaps"]]


@contextlib.contextmanager
def started(command: list[str], cwd: Path | None = None, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """A program for as long as a block."""
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, cwd=cwd, **more) as process:
        try:
            yield process
        finally:
            process.kill()


def virtual(part: str, *options: str) -> list[str]:
    return [sys.executable, "-m", "remsim.simulator.remsim", part, *options]


def real(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not on the path")
    return found


def is_free(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
        return True
    return False


@pytest.fixture(params=["virtual", "real"])
def server(request: pytest.FixtureRequest) -> Iterator[Program]:
    if request.param == "real":
        command = [real("osmo-remsim-server")]
        if not (is_free(rspro.SERVER_PORT) and is_free(rspro.REST_PORT)):
            pytest.skip("its ports are taken")
        with started(command) as process:
            program = Program(True, rspro.SERVER_PORT, process, rspro.REST_PORT)
            wait_until(lambda: not is_free(rspro.SERVER_PORT) and not is_free(rspro.REST_PORT))
            yield program
        return
    with started(virtual("server", "--port=0", "--rest-port=0", "--pace=0.02")) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        yield Program(False, said["port"], process, said["rest_port"])


@pytest.fixture(params=["virtual", "real"])
def start_bankd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Program]]:
    with contextlib.ExitStack() as stack:

        def start(server_port: int, *options: str) -> Program:
            port = free_port()
            common = [
                "-i",
                "127.0.0.1",
                "-p",
                str(server_port),
                "-b",
                "1",
                "-n",
                "8",
                "-I",
                "127.0.0.1",
                "-P",
                str(port),
            ]
            if request.param == "real":
                (tmp_path / "bankd_pcsc_slots.csv").write_text('"1","0","no reader has this name"\n')
                process = stack.enter_context(started([real("osmo-remsim-bankd"), *common], tmp_path))
                wait_until(lambda: not is_free(port))
                return Program(True, port, process)
            process = stack.enter_context(started(virtual("bankd", *common, "--cards=2", "--pace=0.02", *options)))
            assert process.stdout is not None
            return Program(False, json.loads(process.stdout.readline())["port"], process)

        yield start


@pytest.fixture(params=["virtual", "real"])
def start_client(request: pytest.FixtureRequest) -> Iterator[Callable[..., Program]]:
    with contextlib.ExitStack() as stack:

        def start(server_port: int, *options: str) -> Program:
            common = ["-i", "127.0.0.1", "-p", str(server_port), "-c", "5", "-n", "0", *options]
            is_real = request.param == "real"
            command = (
                [real("osmo-remsim-client-shell"), *common] if is_real else virtual("client", *common, "--pace=0.02")
            )
            return Program(is_real, 0, stack.enter_context(started(command)))

        yield start


def greeted(server: Program, octets: bytes, answer: bytes) -> Peer:
    """A peer that said hello to a server and is welcome."""
    peer = Peer.dial(server.port)
    peer.send(rspro.PING + octets)
    assert peer.octets() == answer
    return peer


def bank_of(server: Program) -> Peer:
    return greeted(server, bank_hello(), welcome("server", "Bank"))


def client_of(server: Program) -> Peer:
    return greeted(server, hello(CLIENT), welcome("server"))


# The server


def test_a_map_is_told_to_the_bank_and_then_to_its_client(server: Program) -> None:
    bank, client = bank_of(server), client_of(server)
    assert server.post() == 201 and bank.octets().hex() == MAPPED
    bank.send(MAPPED_RES)
    assert client.octets().hex() == BANK_HERE
    client.send(TOLD_RES)
    assert server.states() == ["ACTIVE"]
    assert server.rest("DELETE", "slotmaps/65538") == (200, b"")
    assert server.states() == [] and bank.octets().hex() == UNMAPPED
    bank.send(UNMAPPED_RES)
    assert client.octets().hex() == NO_BANK.replace(" ", "")


def test_a_client_that_comes_later_is_told_its_bank_and_one_without_a_map_nothing(server: Program) -> None:
    bank = bank_of(server)
    server.post()
    bank.octets()
    bank.send(MAPPED_RES)
    assert client_of(server).octets().hex() == BANK_HERE
    stranger = greeted(server, hello((6, 0)), welcome("server"))
    stranger.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        stranger.octets()


def test_a_refused_map_shows_as_active_too(server: Program) -> None:
    bank = bank_of(server)
    server.post()
    bank.octets()
    assert server.states() == ["UNACKNOWLEDGED"]
    bank.send(ILLEGAL_SLOT_RES)
    wait_until(lambda: server.states() == ["ACTIVE"])


def test_maps_of_a_lost_bank_are_new_and_told_again(server: Program) -> None:
    bank, client = bank_of(server), client_of(server)
    server.post()
    bank.octets()
    bank.send(MAPPED_RES)
    client.octets()
    bank.close()
    wait_until(lambda: server.states() == ["NEW"])
    bank = bank_of(server)
    assert bank.octets().hex() == MAPPED
    bank.send(MAPPED_RES)
    wait_until(lambda: server.states() == ["ACTIVE"])
    client.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        client.octets()


def test_who_comes_second_with_the_same_name_is_put_out(server: Program) -> None:
    client, bank = client_of(server), bank_of(server)
    for octets, to in ((hello(CLIENT), "Client"), (bank_hello(), "Bank")):
        assert greeted(server, octets, welcome("server", to, "identityInUse")).is_hung_up()
    assert len(json.loads(server.rest("GET", "clients")[1])["clients"]) == 1
    client.close()
    bank.close()


def test_the_lists_name_who_is_connected(server: Program) -> None:
    bank, client = bank_of(server), client_of(server)
    name = socket.gethostname()[:32]
    who = {"name": name, "swVersion": "1.2.0"}
    assert json.loads(server.rest("GET", "clients")[1])["clients"] == [
        {
            "peer": "C5:0",
            "state": "CONNECTED_CLIENT",
            "component_id": {"type_": "remsimClient", "software": "remsim-client", **who},
        }
    ]
    assert json.loads(server.rest("GET", "banks")[1])["banks"] == [
        {
            "peer": "B1",
            "state": "CONNECTED_BANKD",
            "component_id": {"type_": "remsimBankd", "software": "remsim-bankd", **who},
            "bankId": 1,
            "numberOfSlots": 8,
        }
    ]
    assert json.loads(server.rest("GET", "banks/1")[1])["bankId"] == 1
    assert server.rest("GET", "banks/7") == (200, b"")
    assert server.rest("GET", "banks/70000") == (400, b"")
    # It takes a client's number for a bank's, which is 0.
    assert json.loads(server.rest("GET", "clients/0")[1])["peer"] == "C5:0"
    assert server.rest("GET", "clients/5") == (200, b"")
    client.close()
    bank.close()


@pytest.mark.parametrize(
    "body",
    [
        {"bank": {"bankId": 1, "slotNr": 2}, "client": {"clientId": 6, "slotNr": 0}},
        {"bank": {"bankId": 1, "slotNr": 3}, "client": {"clientId": 5, "slotNr": 0}},
        {"bank": {"bankId": "1", "slotNr": 3}, "client": {"clientId": 6, "slotNr": 0}},
        {"bank": {"bankId": 1, "slotNr": 1024}, "client": {"clientId": 6, "slotNr": 0}},
        {"bank": {"bankId": -1, "slotNr": 3}, "client": {"clientId": 6, "slotNr": 0}},
        {"bank": {"bankId": 1}, "client": {"clientId": 6, "slotNr": 0}},
        [],
        "{half",
    ],
)
def test_what_is_not_taken_is_refused_without_a_word(server: Program, body: Any) -> None:
    server.post()
    assert server.rest("POST", "slotmaps", body) == (400, b"")


def test_its_traps(server: Program) -> None:
    good = {"bank": {"bankId": 3, "slotNr": 0}, "client": {"clientId": 6, "slotNr": 0}}
    assert server.rest("POST", "slotmaps", good, "text/plain") == (400, b"")
    assert server.post((65538, 1), (7, 0)) == 201
    listed = json.loads(server.rest("GET", "slotmaps")[1])["slotmaps"]
    assert listed == [
        {"bank": {"bankId": 2, "slotNr": 1}, "client": {"clientId": 7, "slotNr": 0}, "state": "NEW"},
    ]
    assert server.rest("DELETE", "slotmaps/abc") == (404, b"")
    assert server.post((0, 0), (8, 0)) == 201
    assert server.rest("DELETE", "slotmaps/abc") == (200, b"")
    assert len(server.states()) == 1
    assert server.rest("DELETE", "slotmaps/99999999999999999999999") == (400, b"")
    assert server.rest("GET", "slotmaps/1") == (404, b"Resource not found")
    assert server.rest("PUT", "slotmaps", good) == (404, b"Resource not found")
    assert server.rest("GET", "restart-counter") == (200, b"")
    assert server.rest("POST", "global-reset") == (200, b"") and server.states() == []


def test_a_map_made_at_once_where_one_was_deleted_sticks_until_it_is_deleted_too(server: Program) -> None:
    if server.is_real:
        pytest.skip("with the real server it is luck: 10 of 600")
    bank = bank_of(server)
    server.post()
    bank.octets()
    bank.send(MAPPED_RES)
    wait_until(lambda: server.states() == ["ACTIVE"])
    server.rest("DELETE", "slotmaps/65538")
    assert server.post(client=(6, 0)) == 201
    bank.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        bank.octets()
    assert server.states() == ["NEW"]
    server.rest("DELETE", "slotmaps/65538")
    time.sleep(0.1)
    assert bank.octets().hex() == UNMAPPED and server.post(client=(6, 0)) == 201
    assert bank.hears("createMappingReq")["clientSlot"] == {"clientId": 6, "slotNr": 0}


def test_after_a_restart_it_knows_no_maps_and_tells_a_client_anew(server: Program) -> None:
    if server.is_real:
        pytest.skip("a real server is not restarted here")
    bank, client = bank_of(server), client_of(server)
    server.post()
    bank.octets()
    bank.send(MAPPED_RES)
    assert client.octets().hex() == BANK_HERE
    server.order("restart")
    assert bank.is_hung_up() and client.is_hung_up()
    bank, client = bank_of(server), client_of(server)
    assert server.states() == [] and server.post() == 201
    assert bank.octets().hex() == MAPPED
    bank.send(MAPPED_RES)
    assert client.octets().hex() == BANK_HERE


def test_who_does_not_answer_pings_or_says_no_hello_is_put_out(server: Program) -> None:
    if server.is_real:
        pytest.skip("it takes 40 s")
    silent = client_of(server)
    silent.answers_pings = False
    assert silent.is_hung_up() and Peer.dial(server.port).is_hung_up()
    wait_until(lambda: server.rest("GET", "clients")[1] == b'{"clients":[]}')


@pytest.mark.parametrize("octets", ["ffffee07", "0002aa0000", "474554202f20485454502f312e310d0a0d0a"])
def test_who_speaks_something_else_is_put_out(server: Program, octets: str) -> None:
    peer = Peer.dial(server.port)
    peer.send(octets)
    assert peer.is_hung_up()


@pytest.mark.parametrize("octets", ["0010ee07300d800102810100a205ef030a0100", "0005ee0700010203", MAPPED_RES])
def test_what_it_does_not_understand_harms_nobody(server: Program, octets: str) -> None:
    client = client_of(server)
    client.send(octets)
    bank = bank_of(server)
    assert server.post() == 201 and bank.octets().hex() == MAPPED


@pytest.mark.parametrize(("fault", "answer"), [("html", b"<html>"), ("half", b'{"clients"'[:6])])
def test_faults_of_the_rest_side(server: Program, fault: str, answer: bytes) -> None:
    if server.is_real:
        pytest.skip("a real server has other faults")
    server.order(f"rest {fault}")
    assert server.rest("GET", "clients")[1].startswith(answer)
    server.order("rest right")
    assert server.rest("GET", "clients") == (200, b'{"clients":[]}')


# The bank


def test_a_bank_says_who_it_is_and_judges_maps(start_bankd: Callable[..., Program]) -> None:
    with listening() as listener:
        start_bankd(listener.getsockname()[1])
        server = accepted(listener)
        assert server.octets() == bank_hello()
        server.send(welcome("server", "Bank"))
        server.send(MAPPED)
        assert server.octets().hex() == MAPPED_RES
        for bank, result in (((1, 8), "illegalSlotId"), ((2, 1), "illegalBankId")):
            slots = {"clientSlot": {"clientId": 7, "slotNr": 0}, "bankSlot": {"bankId": bank[0], "slotNr": bank[1]}}
            server.say("createMappingReq", slots)
            assert server.hears("createMappingRes") == {"result": result}
        server.send(UNMAPPED)
        assert server.octets().hex() == UNMAPPED_RES
        server.send(UNMAPPED)
        assert server.hears("removeMappingRes") == {"result": "unknownSlotmap"}


def test_a_client_without_a_card_is_refused(start_bankd: Callable[..., Program]) -> None:
    with listening() as listener:
        bankd = start_bankd(listener.getsockname()[1])
        server = accepted(listener)
        server.octets()
        server.send(welcome("server", "Bank"))
        client = Peer.dial(bankd.port)
        client.send(rspro.PING + hello(CLIENT))
        assert client.octets() == welcome("bankd", result="cardNotPresent")
        server.say(
            "createMappingReq",
            {"clientSlot": {"clientId": 7, "slotNr": 0}, "bankSlot": {"bankId": 1, "slotNr": 0}},
        )
        server.octets()
        client = Peer.dial(bankd.port)
        client.send(hello((7, 0)))
        assert client.octets() == welcome("bankd", result="cardNotPresent")


@contextlib.contextmanager
def mapped_client(start_bankd: Callable[..., Program], *options: str) -> Iterator[tuple[Program, Peer, Peer]]:
    """A bank with a card, the server it dialled, and a client that has the card."""
    with listening() as listener:
        bankd = start_bankd(listener.getsockname()[1], *options)
        if bankd.is_real:
            pytest.skip("a real bank needs a card reader")
        server = accepted(listener)
        server.octets()
        server.send(welcome("server", "Bank") + bytes.fromhex(MAPPED))
        assert server.octets().hex() == MAPPED_RES
        client = Peer.dial(bankd.port)
        client.send(rspro.PING + hello(CLIENT))
        assert client.octets() == welcome("bankd") and client.octets().hex() == ATR_REQ
        client.send(ATR_RES)
        yield bankd, server, client


def test_a_card_answers_its_client(start_bankd: Callable[..., Program]) -> None:
    with mapped_client(start_bankd) as (_, _, client):
        client.send(COMMAND)
        assert client.octets().hex() == ANSWER


def test_a_client_is_put_out_when_its_map_is_gone(start_bankd: Callable[..., Program]) -> None:
    with mapped_client(start_bankd) as (_, server, client):
        server.send(UNMAPPED)
        assert server.octets().hex() == UNMAPPED_RES and client.is_hung_up()


def test_a_client_keeps_its_card_when_the_server_is_lost(start_bankd: Callable[..., Program]) -> None:
    with mapped_client(start_bankd) as (_, server, client):
        server.close()
        client.send(COMMAND)
        assert client.octets().hex() == ANSWER


def test_a_command_for_another_slot_or_a_dead_card_ends_the_connection(start_bankd: Callable[..., Program]) -> None:
    with mapped_client(start_bankd) as (bankd, _, client):
        client.send(COMMAND.replace("3006020101020102", "3006020101020103"))
        assert client.is_hung_up()
        client = Peer.dial(bankd.port)
        client.send(hello(CLIENT))
        assert client.octets() == welcome("bankd")
        bankd.order("card 2 absent")
        client.send(COMMAND)
        assert client.hears("setAtrReq")["atr"] and client.is_hung_up()
        client = Peer.dial(bankd.port)
        client.send(hello(CLIENT))
        assert client.octets() == welcome("bankd", result="cardNotPresent")


@pytest.mark.parametrize(
    ("mode", "answer"), [("ok", "6135"), ("auth_failure", "9862"), ("sync_failure", "6110"), ("wrong_context", "9864")]
)
def test_an_authentication_and_its_datagram(start_bankd: Callable[..., Program], mode: str, answer: str) -> None:
    command = "0088008122" + "10" + "a5" * 16 + "10" + "a5" * 16
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tap:
        tap.settimeout(5)
        tap.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port = free_port()
        with mapped_client(start_bankd, "-g", "127.0.0.1", "--gsmtap-port", str(port)) as (bankd, _, client):
            tap.bind(("127.0.0.1", port))  # after the bank, which took the port: the last one gets all
            bankd.order(f"card 2 {mode}")
            slots = {"clientSlot": {"clientId": 5, "slotNr": 0}, "bankSlot": {"bankId": 1, "slotNr": 2}}
            flags = dict.fromkeys(("headerPresent", "finalPart", "procByteContinueTx", "procByteContinueRx"), False)
            client.say("tpduModemToCard", {**slots, "flags": flags, "data": bytes.fromhex(command)})
            assert client.hears("tpduCardToModem")["data"].hex() == answer
            assert tap.recv(2048).hex() == "02040400" + "00" * 12 + command + answer


# The client


def test_a_client_pings_says_hello_and_goes_where_it_is_sent(start_client: Callable[..., Program]) -> None:
    with listening() as at_server, listening() as at_bank:
        client = start_client(at_server.getsockname()[1])
        server = accepted(at_server)
        first = rspro.PING + hello(CLIENT)
        got = b""
        while len(got) < len(first):
            got += server.socket.recv(len(first) - len(got))
        assert got == first
        server.send(rspro.PONG + welcome("server"))
        port = at_bank.getsockname()[1]
        there = {"bankSlot": {"bankId": 1, "slotNr": 2}, "bankd": {"ip": "127.0.0.1", "port": port}}
        server.say("configClientBankReq", there)
        assert server.octets().hex() == TOLD_RES
        bank = accepted(at_bank)
        assert bank.octets() == hello(CLIENT)
        bank.send(welcome("bankd") + bytes.fromhex(ATR_REQ))
        assert bank.octets().hex() == ATR_RES
        assert client.process.stdin is not None and client.process.stdout is not None
        said = client.process.stdout.readline()
        while b"9f 96" not in said:  # the usual ATR is shown before
            said = client.process.stdout.readline()
        client.process.stdin.write(b"a0a40000027f20\n")
        client.process.stdin.flush()
        assert bank.octets().hex() == COMMAND
        bank.send(ANSWER)
        assert client.process.stdout.readline().strip() == b"R-APDU: 9f 0d"
        bank.close()
        bank = accepted(at_bank)
        assert bank.octets() == hello(CLIENT)
        server.send(NO_BANK)
        assert server.octets().hex() == TOLD_RES and bank.is_hung_up()


def test_a_client_tries_again_where_it_is_refused_or_a_server_calls_itself_a_bank(
    start_client: Callable[..., Program],
) -> None:
    with listening() as at_server:
        start_client(at_server.getsockname()[1])
        for answer in (welcome("server", result="identityInUse"), welcome("server", result="illegalClientId")):
            server = accepted(at_server)
            assert server.octets() == hello(CLIENT)
            server.send(answer)
            assert server.is_hung_up()
        assert accepted(at_server).octets() == hello(CLIENT)


def test_a_client_ends_without_a_host_and_with_a_bad_atr(start_client: Callable[..., Program]) -> None:
    bad = start_client(1, "-a", "3bzz")
    assert bad.process.wait(60) == 2
    lost = start_client(1, "-i", "no-such-host.invalid")
    assert lost.process.wait(60) == 1
