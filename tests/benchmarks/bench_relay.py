"""What the relay adds to an APDU: at most 1 ms at the 99th percentile, of the ~100 ms an authentication takes.

The same commands go to the same bank, once directly and once through the relay, in turns, so that whatever else this
machine does meets both alike. The bank is a process that answers at once; every fourth command authenticates.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import tempfile
import time
from pathlib import Path

from measuring import Table, alone_mb, pss_mb
from relays import RelayProcess, running_relay
from remsim.remotesim.rspro import Message

ROUNDS, TURN = 20, 100
BAR_MS = 1.0
AUTHENTICATION_MS = 100.0
SLOTS = {"clientSlot": {"clientId": 5, "slotNr": 0}, "bankSlot": {"bankId": 1, "slotNr": 2}}
FLAGS = dict.fromkeys(("headerPresent", "finalPart", "procByteContinueTx", "procByteContinueRx"), False)
SELECT = bytes.fromhex("00a40004023f00")
AUTHENTICATE = bytes.fromhex("0088008122" + "10" + "a5" * 16 + "10" + "a5" * 16)


def frame(name: str, data: bytes) -> bytes:
    return Message(name, {**SLOTS, "flags": FLAGS, "data": data}).encode()


COMMANDS = [frame("tpduModemToCard", data) for data in (SELECT, SELECT, SELECT, AUTHENTICATE)]
ANSWER = frame("tpduCardToModem", bytes.fromhex("db08" + "00" * 8 + "10" + "00" * 16 + "10" + "00" * 16 + "9000"))


def bank(listener: socket.socket) -> None:
    """Answer each command at once, each client in a process of its own."""
    while True:
        client = listener.accept()[0]
        if os.fork() == 0:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while client.recv(4096):
                client.sendall(ANSWER)
            os._exit(0)
        client.close()


def dialled(address: tuple[str, int]) -> socket.socket:
    sock = socket.create_connection(address, 5)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def turn(sock: socket.socket) -> list[float]:
    """How long each of some commands takes, in ms."""
    found = []
    for number in range(TURN):
        begin = time.perf_counter()
        sock.sendall(COMMANDS[number % 4])
        left = len(ANSWER)
        while left:
            left -= len(sock.recv(left))
        found.append((time.perf_counter() - begin) * 1000)
    return found


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]


def sent_to(relay: RelayProcess, server: socket.socket, bankd: int) -> contextlib.ExitStack:
    """Connect through the relay to the server, which is us, and say where the bank is."""
    stack = contextlib.ExitStack()
    near = stack.enter_context(dialled((relay.address, relay.ports[0])))
    far = stack.enter_context(server.accept()[0])
    place = {"bankSlot": SLOTS["bankSlot"], "bankd": {"ip": "127.0.0.1", "port": bankd}}
    far.sendall(Message("configClientBankReq", place).encode())
    near.recv(1000)
    return stack


def main() -> int:
    table = Table("Relay of a remote SIM's client")
    listener, server = (socket.create_server(("127.0.0.1", 0)) for _ in range(2))
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        bank(listener)
    direct, relayed = list[float](), list[float]()
    port = listener.getsockname()[1]
    try:
        with (
            tempfile.TemporaryDirectory() as directory,
            running_relay(Path(directory), server.getsockname()[1]) as relay,
            sent_to(relay, server, port),
            dialled(("127.0.0.1", port)) as straight,
            dialled((relay.address, relay.ports[1])) as around,
        ):
            for sock in (straight, around):
                turn(sock)
            for _ in range(ROUNDS):
                direct += turn(straight)
                relayed += turn(around)
            table.row("PSS of a relay", pss_mb([relay.process.pid]), "MB")
            table.row("alone on a machine", alone_mb([relay.process.pid]), "MB")
            time.sleep(1.5)
            counts = relay.counts()
    finally:
        os.kill(-pid, 9)
        os.waitpid(pid, 0)
    added = [percentile(relayed, part) - percentile(direct, part) for part in (0.5, 0.99)]
    table.row("APDU without it, median", percentile(direct, 0.5), "ms")
    table.row("APDU without it, 99th percentile", percentile(direct, 0.99), "ms")
    table.row("added by the relay, median", added[0], "ms")
    table.row("added by the relay, 99th percentile", added[1], "ms", at_most=BAR_MS)
    table.row("that is of an authentication's 100 ms", added[1] / AUTHENTICATION_MS * 100, "%")
    wanted = (ROUNDS + 1) * TURN
    table.row("APDUs that were not counted", wanted - counts["tpdu_rx"], "", at_most=0)
    table.row("authentications that were not counted", wanted // 4 - counts["results"]["success"], "", at_most=0)
    return table.status()


if __name__ == "__main__":
    sys.exit(main())
