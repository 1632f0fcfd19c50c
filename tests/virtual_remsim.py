"""A virtual osmo-remsim-server with banks for a test: one thread, free ports, orders from the test's own thread."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import queue
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from free_ports import free_port
from remsim.simulator.remsim.bankd import VirtualBankd
from remsim.simulator.remsim.card import VirtualCard
from remsim.simulator.remsim.loop import Loop
from remsim.simulator.remsim.rest import PREFIX, Rest
from remsim.simulator.remsim.server import VirtualServer

PACE = 0.02
WAIT_S = 30.0
Result = TypeVar("Result")


class Parts:
    """The parts and their thread; whatever touches them goes through ``do``."""

    def __init__(self, *, pace: float, bank_port: int, race: bool) -> None:
        self.loop = Loop(pace=pace)
        self.bank_port = bank_port
        self.server = VirtualServer(self.loop, port=0, bank_port=bank_port, race=race)
        self.rest = Rest(self.loop, self.server, port=0)
        self.banks: dict[int, VirtualBankd] = {}
        self.url = f"http://127.0.0.1:{self.rest.port}"
        self._orders: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._bell, self._ear = socket.socketpair()
        self.loop.watch(self._ear, self._hear)
        self._thread = threading.Thread(target=self.loop.run, daemon=True)
        self._thread.start()

    def do(self, action: Callable[[], Result]) -> Result:
        """Do it in the parts' thread and give back what it gives."""
        answers: queue.SimpleQueue[tuple[Any, BaseException | None]] = queue.SimpleQueue()

        def order() -> None:
            try:
                answers.put((action(), None))
            except BaseException as error:
                answers.put((None, error))

        self._orders.put(order)
        self._bell.send(b".")
        result, error = answers.get(timeout=WAIT_S)
        if error is not None:
            raise error
        return result  # type: ignore[no-any-return]

    def add_bank(
        self, bank_id: int = 1, *, slots: int = 8, cards: dict[int, VirtualCard] | None = None
    ) -> VirtualBankd:
        """One more bank. With clients a test has one bank, at ``bank_port``; others listen where nobody looks."""
        taken = any(bank.port == self.bank_port for bank in self.banks.values())
        bank = self.do(
            lambda: VirtualBankd(
                self.loop,
                cards or {},
                bank_id=bank_id,
                slots=slots,
                server=("127.0.0.1", self.server.port),
                port=0 if taken else self.bank_port,
            )
        )
        self.banks[bank_id] = bank
        return bank

    def restart_server(self) -> None:
        """The server dies and is back at once, with nothing in memory."""
        self.stop_server()
        self.start_server()

    def stop_server(self) -> None:
        """The server dies."""
        self.do(lambda: (self.rest.stop(), self.server.stop()))

    def start_server(self) -> None:
        """A server where the dead one was."""
        self.do(lambda: (self.server.start(), self.rest.start()))

    def ask(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        """One request to the REST interface: status and body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.rest.port, timeout=WAIT_S)
        with contextlib.closing(connection):
            headers = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(method, f"{PREFIX}/{path}", None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def slotmaps(self) -> dict[tuple[int, int], tuple[tuple[int, int], str]]:
        """The server's maps: bank slot to client slot and state."""
        return self.do(lambda: {bank: (one.client, one.state) for bank, one in self.server.maps.items()})

    def post(self, bank: tuple[int, int], client: tuple[int, int]) -> int:
        """Make a map as somebody else would; the status."""
        body = {
            "bank": {"bankId": bank[0], "slotNr": bank[1]},
            "client": {"clientId": client[0], "slotNr": client[1]},
        }
        return self.ask("POST", "slotmaps", body)[0]

    def wait_for_banks(self, count: int | None = None) -> None:
        """Until all banks, or so many, are connected to the server."""
        wanted = len(self.banks) if count is None else count
        wait_until(lambda: self.do(lambda: len(self.server.banks)) >= wanted)

    def close(self) -> None:
        """End everything."""
        self.do(lambda: [part.stop() for part in (*self.banks.values(), self.rest, self.server)])
        self.do(self.loop.stop)
        self._thread.join(WAIT_S)
        self._bell.close()
        self._ear.close()
        self.loop.close()

    def _hear(self) -> None:
        self._ear.recv(4096)
        while not self._orders.empty():
            self._orders.get()()


class Client:
    """A virtual client as a process; ``program`` is one of the real ones' names."""

    def __init__(
        self,
        server_port: int,
        slot: tuple[int, int],
        *options: str,
        program: str = "osmo-remsim-client-shell",
        pace: float = PACE,
        env: Mapping[str, str] | None = None,
    ) -> None:
        command = [sys.executable, "-m", "remsim.simulator.remsim", "client", "--program", program, "--pace", str(pace)]
        command += ["-p", str(server_port), "-c", str(slot[0]), "-n", str(slot[1]), *options]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=None if env is None else {**os.environ, **env},
        )

    def line(self) -> str:
        """The next line it prints."""
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().strip()

    def apdu(self, command: str) -> str:
        """What the card answers to a command in hex."""
        assert self.process.stdin is not None
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()
        return self.line().removeprefix("R-APDU:").replace(" ", "")

    def stop(self) -> int:
        """End it with SIGTERM; its exit code."""
        self.process.terminate()
        self.process.communicate(timeout=WAIT_S)
        return self.process.returncode


@contextlib.contextmanager
def virtual_client(server_port: int, slot: tuple[int, int], *options: str, **more: Any) -> Iterator[Client]:
    """A virtual client for as long as a block."""
    client = Client(server_port, slot, *options, **more)
    try:
        yield client
    finally:
        client.stop()


def wait_until(is_so: Callable[[], object], seconds: float = WAIT_S) -> None:
    """Until it is so; the test fails when it takes too long."""
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "it did not come about"
        time.sleep(0.01)


@contextlib.contextmanager
def virtual_remsim(*banks: int, slots: int = 8, pace: float = PACE, race: bool = True) -> Iterator[Parts]:
    """A server, and banks of these ids with a card in each slot."""
    parts = Parts(pace=pace, bank_port=free_port(), race=race)
    try:
        for bank_id in banks:
            parts.add_bank(bank_id, slots=slots, cards={slot: VirtualCard() for slot in range(slots)})
        parts.wait_for_banks()
        yield parts
    finally:
        parts.close()
