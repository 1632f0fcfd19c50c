"""A virtual osmo-remsim-bankd: cards in slots, for clients that a server maps to them."""

from __future__ import annotations

import contextlib
import functools
import socket
from collections.abc import Mapping
from typing import Any

from remsim.core.small_dataclass import dataclass
from remsim.remotesim import rspro
from remsim.remotesim.rspro import Message
from remsim.simulator.remsim.card import AUTHENTICATE, AUTHENTICATE_BER, VirtualCard
from remsim.simulator.remsim.link import Dialler, Link, identity
from remsim.simulator.remsim.loop import Loop, listen
from remsim.simulator.remsim.scene import Slot
from remsim.simulator.remsim.server import bank_slot, client_slot

UNMAPPED_S = 0.02
GSMTAP_PORT = 4729
GSMTAP_HEAD = bytes.fromhex("02040400000000000000000000000000")
NO_FLAGS = dict.fromkeys(("headerPresent", "finalPart", "procByteContinueTx", "procByteContinueRx"), False)


@dataclass(slots=True, eq=False)
class Worker:
    """A client's connection; a bank has as many as it has slots."""

    link: Link
    client: Slot | None = None
    bank: Slot | None = None


class VirtualBankd:
    """Cards by slot number; a slot that is not in ``cards`` has none.

    ``answer_s`` and ``authentication_s``: how long cards take. ``gsmtap``: where a datagram for each pair is sent.
    ``source_ip``: the address it dials the server from, which clients are told to dial.
    """

    def __init__(
        self,
        loop: Loop,
        cards: Mapping[int, VirtualCard],
        *,
        bank_id: int = 1,
        slots: int = 8,
        server: tuple[str, int] = ("127.0.0.1", rspro.SERVER_PORT),
        host: str = "127.0.0.1",
        port: int = rspro.BANKD_PORT,
        name: str | None = None,
        source_ip: str | None = None,
        gsmtap: tuple[str, int] | None = None,
        gsmtap_slot: int | None = None,
        answer_s: float = 0.0,
        authentication_s: float = 0.0,
    ) -> None:
        self.cards = dict(cards)
        self.bank_id, self.slots = bank_id, slots
        self.maps: dict[Slot, Slot] = {}
        self._loop = loop
        self._server = server
        self._host, self._port = host, port
        self._who = identity("bankd", name or socket.gethostname())
        self._gsmtap_address, self._gsmtap_slot = gsmtap, gsmtap_slot
        self._gsmtap: list[socket.socket] = []
        self._answer_s, self._authentication_s = answer_s, authentication_s
        self._listener: socket.socket | None = None
        self._workers: dict[Worker, None] = {}
        self._link = Dialler(
            loop,
            hello=lambda: (
                "connectBankReq",
                {"identity": self._who, "bankId": self.bank_id, "numberOfSlots": self.slots},
            ),
            answers_as="server",
            connected=lambda: None,
            lost=lambda: None,
            received=self._ordered,
            source_ip=source_ip,
        )
        self.start()

    @property
    def port(self) -> int:
        """Where clients dial."""
        return self._port

    @property
    def is_running(self) -> bool:
        """Whether it takes clients."""
        return self._listener is not None

    @property
    def server_state(self) -> str:
        """Of the link to the server."""
        return self._link.state

    def start(self) -> None:
        """Begin, with no maps, and dial the server."""
        self._listener = listen(self._host, self._port)
        self._port = self._listener.getsockname()[1]
        if self._gsmtap_address is not None:
            self._open_gsmtap(self._gsmtap_address)
        self._accept_when_free()
        self._link.establish(*self._server)

    def stop(self) -> None:
        """End as a process does."""
        self._link.disconnect()
        for worker in list(self._workers):
            self._drop(worker)
        if self._listener is not None:
            self._loop.forget(self._listener)
            self._listener.close()
            self._listener = None
        for tap in self._gsmtap:
            tap.close()
        self._gsmtap.clear()
        self.maps.clear()

    def lose_server(self) -> None:
        """The link to the server breaks and is dialled again."""
        self._link.establish(*self._server)

    # The server's orders

    def _ordered(self, message: Message) -> None:
        fields = message.fields
        if message.name == "resetStateReq":
            self.maps.clear()
            self._link.send("resetStateRes", {"result": "ok"})
        if message.name not in ("createMappingReq", "removeMappingReq"):
            return
        client = fields["clientSlot"]["clientId"], fields["clientSlot"]["slotNr"]
        bank = fields["bankSlot"]["bankId"], fields["bankSlot"]["slotNr"]
        order = self._create if message.name == "createMappingReq" else self._remove
        self._link.send(message.name.replace("Req", "Res"), {"result": order(client, bank)})

    def _create(self, client: Slot, bank: Slot) -> str:
        if bank[0] != self.bank_id:
            return "illegalBankId"
        if bank[1] >= self.slots:
            return "illegalSlotId"
        if self.maps.get(client) != bank:
            for other, taken in list(self.maps.items()):
                if other == client or taken == bank:
                    self._remove(other, taken)
            self.maps[client] = bank
        return "ok"

    def _remove(self, client: Slot, bank: Slot) -> str:
        if self.maps.get(client) != bank:
            return "unknownSlotmap"
        del self.maps[client]
        for worker in self._workers:
            if worker.client == client and worker.bank is not None:
                worker.bank = None
                # Its thread has to notice: mostly the client has heard of it from the server by then.
                self._loop.after(UNMAPPED_S, functools.partial(self._drop, worker))
        return "ok"

    # Clients

    def _accept_when_free(self) -> None:
        if self._listener is not None:
            if len(self._workers) < self.slots:
                self._loop.watch(self._listener, self._accept)
            else:
                self._loop.forget(self._listener)

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        worker: Worker
        link = Link(
            self._loop,
            connection,
            lambda message: self._take(worker, message),
            lambda: self._drop(worker),
            pings=False,
        )
        worker = Worker(link)
        self._workers[worker] = None
        self._accept_when_free()

    def _drop(self, worker: Worker) -> None:
        worker.link.close()
        self._workers.pop(worker, None)
        self._accept_when_free()

    def _take(self, worker: Worker, message: Message) -> None:
        match message.name:
            case "connectClientReq" if worker.client is None and "clientSlot" in message.fields:
                self._hello(worker, message.fields["clientSlot"])
            case "tpduModemToCard" if worker.bank is not None:
                self._command(worker, message.fields)
            case "clientSlotStatusInd":
                self._status(worker, message.fields["slotPhysStatus"])
            case "setAtrRes":
                pass
            case _:
                self._drop(worker)

    def _hello(self, worker: Worker, slot: dict[str, int]) -> None:
        worker.client = slot["clientId"], slot["slotNr"]
        bank = self.maps.get(worker.client)
        card = self.cards.get(bank[1]) if bank is not None else None
        if card is None or not card.is_open:
            worker.link.send("connectClientRes", {"identity": self._who, "result": "cardNotPresent"})
            return
        worker.bank = bank
        card.reset()
        worker.link.send("connectClientRes", {"identity": self._who, "result": "ok"})
        worker.link.send("setAtrReq", {"clientSlot": slot, "atr": card.atr})

    def _command(self, worker: Worker, fields: Mapping[str, Any]) -> None:
        """A command for the card; who names another slot than its own is put out, as is the client of a dead card."""
        assert worker.bank is not None and worker.client is not None
        ours = fields["bankSlot"] == bank_slot(worker.bank) and fields["clientSlot"] == client_slot(worker.client)
        command = fields["data"]
        card = self.cards.get(worker.bank[1])
        answer = card.transceive(command) if ours and card is not None else None
        if answer is None:
            self._drop(worker)
            return
        is_authentication = command[1:2] in (bytes((AUTHENTICATE,)), bytes((AUTHENTICATE_BER,)))
        wait_s = self._authentication_s if is_authentication else self._answer_s
        if wait_s:
            self._loop.pause(wait_s, lambda: self._answer(worker, command, answer))
        else:
            self._answer(worker, command, answer)

    def _answer(self, worker: Worker, command: bytes, answer: bytes) -> None:
        if worker not in self._workers or worker.bank is None or worker.client is None:
            return
        worker.link.send(
            "tpduCardToModem",
            {
                "bankSlot": bank_slot(worker.bank),
                "clientSlot": client_slot(worker.client),
                "flags": NO_FLAGS,
                "data": answer,
            },
        )
        if self._gsmtap and self._gsmtap_slot in (None, worker.bank[1]):
            with contextlib.suppress(OSError):
                self._gsmtap[0].send(GSMTAP_HEAD + command + answer)

    def _status(self, worker: Worker, status: Mapping[str, Any]) -> None:
        card = self.cards.get(worker.bank[1]) if worker.bank is not None else None
        if card is not None and (status["resetActive"] or status.get("vccPresent") is False):
            card.reset()

    def _open_gsmtap(self, address: tuple[str, int]) -> None:
        """A socket that sends, and where the address is this host's one that takes the port, as the real one does."""
        sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sender.setblocking(False)
        sender.connect(address)
        self._gsmtap.append(sender)
        sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sink.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sink.bind(address)
        except OSError:
            sink.close()
        else:
            self._gsmtap.append(sink)
