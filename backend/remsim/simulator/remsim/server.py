"""A virtual osmo-remsim-server: who is connected, and the slot maps, which it holds in memory only."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import field
from typing import Any

from remsim.core.small_dataclass import dataclass
from remsim.remotesim import rspro
from remsim.remotesim.rspro import Message
from remsim.simulator.remsim.link import Link, identity
from remsim.simulator.remsim.loop import Loop, Timer, listen
from remsim.simulator.remsim.scene import Slot

HELLO_S, REJECTED_S = 10.0, 1.0
DELETE_WAKE_S = 0.05
NO_BANKD = ("0.0.0.0", 0)


@dataclass(slots=True, eq=False)
class SlotMap:
    """One pair, in a state of the server's."""

    bank: Slot
    client: Slot
    state: str = "NEW"


@dataclass(slots=True, eq=False)
class Peer:
    """A connection; ``kind`` is empty until it said hello, and when it was rejected."""

    link: Link
    kind: str = ""
    who: dict[str, Any] = field(default_factory=dict)
    slot: Slot = (0, 0)
    slots: int = 0
    told: tuple[Slot, tuple[str, int]] = ((0, 0), NO_BANKD)
    timer: Timer | None = None
    # A bank's maps that are not in rest, the oldest first.
    new: list[SlotMap] = field(default_factory=list)
    unacknowledged: list[SlotMap] = field(default_factory=list)
    delete_requests: list[SlotMap] = field(default_factory=list)
    deleting: list[SlotMap] = field(default_factory=list)


class VirtualServer:
    """The RSPRO side and the slot maps; ``rest.Rest`` shows them over HTTP.

    ``bank_port``: what clients are told to dial; the real server says 9999 whatever the bank listens at.
    ``race``: a POST so soon after a DELETE of the same bank that its main loop has not woken yet sticks. The real one
    needs luck for that (10 of 600); this one always does it, within 50 ms.
    """

    def __init__(
        self,
        loop: Loop,
        host: str = "127.0.0.1",
        port: int = rspro.SERVER_PORT,
        *,
        bank_port: int = rspro.BANKD_PORT,
        race: bool = True,
    ) -> None:
        self._loop = loop
        self.bank_port = bank_port
        self._race = race
        self._host, self._port = host, port
        self._who = identity("server", socket.gethostname())
        self._listener: socket.socket | None = None
        self._peers: dict[Peer, None] = {}
        self.banks: dict[int, Peer] = {}
        self.clients: dict[Slot, Peer] = {}
        self.maps: dict[Slot, SlotMap] = {}
        self._clients_mapped: dict[Slot, SlotMap] = {}
        self.start()

    @property
    def port(self) -> int:
        """Where RSPRO is spoken."""
        return self._port

    @property
    def is_running(self) -> bool:
        """Whether it takes connections."""
        return self._listener is not None

    def start(self) -> None:
        """Begin with nothing, as after a restart."""
        self._listener = listen(self._host, self._port)
        self._port = self._listener.getsockname()[1]
        self._loop.watch(self._listener, self._accept)

    def stop(self) -> None:
        """End as a process does: connections and maps are gone."""
        if self._listener is not None:
            self._loop.forget(self._listener)
            self._listener.close()
            self._listener = None
        for peer in list(self._peers):
            self._drop(peer)
        self.maps.clear()
        self._clients_mapped.clear()

    # What the REST side may do

    def create(self, bank: Slot, client: Slot) -> bool:
        """Make a map; False when one of its sides has one."""
        if bank in self.maps or client in self._clients_mapped:
            return False
        made = SlotMap(bank, client)
        self.maps[bank] = self._clients_mapped[client] = made
        peer = self.banks.get(bank[0])
        if peer is not None:
            peer.new.append(made)
        self._loop.after(0.0, self._wake)
        return True

    def delete(self, bank: Slot) -> bool:
        """Take a map away; False when there is none."""
        gone = self.maps.pop(bank, None)
        if gone is None:
            return False
        del self._clients_mapped[gone.client]
        peer = self.banks.get(bank[0])
        if peer is not None:
            if gone.state == "ACTIVE":
                gone.state = "DELETE_REQ"
                peer.delete_requests.append(gone)
            # Not the one that is told but not answered: the bank keeps it.
            for queue in (peer.new, peer.unacknowledged):
                with contextlib.suppress(ValueError):
                    queue.remove(gone)
        self._loop.after(DELETE_WAKE_S if self._race else 0.0, self._wake)
        return True

    def _wake(self) -> None:
        """The main loop learns that maps changed. The real one looks wrongly and passes over a bank with both kinds."""
        for peer in self.banks.values():
            if not peer.new or not peer.delete_requests:
                self._push(peer)

    # Connections

    def _accept(self) -> None:
        assert self._listener is not None
        try:
            connection, _ = self._listener.accept()
        except OSError:
            return
        peer: Peer
        link = Link(self._loop, connection, lambda message: self._take(peer, message), lambda: self._drop(peer))
        peer = Peer(link)
        self._peers[peer] = None
        peer.timer = self._loop.pause(HELLO_S, lambda: self._drop(peer))

    def _drop(self, peer: Peer) -> None:
        peer.link.close()
        if peer.timer is not None:
            peer.timer.cancel()
        self._peers.pop(peer, None)
        if peer.kind == "client":
            del self.clients[peer.slot]
        elif peer.kind == "bankd":
            del self.banks[peer.slot[0]]
            for one in self.maps.values():
                if one.bank[0] == peer.slot[0]:
                    one.state = "NEW"
        peer.kind = ""

    def _take(self, peer: Peer, message: Message) -> None:
        match message.name, peer.kind:
            case ("connectClientReq" | "connectBankReq", ""):
                self._hello(peer, message)
            case "createMappingRes", "bankd":
                self._created(peer)
            case "removeMappingRes", "bankd":
                self._removed(peer)

    def _hello(self, peer: Peer, message: Message) -> None:
        fields = message.fields
        kind = "client" if message.name == "connectClientReq" else "bankd"
        slot = fields.get("clientSlot")
        if fields["identity"]["type"] != kind or (kind == "client" and slot is None):
            self._drop(peer)
            return
        peer.slot = (slot["clientId"], slot["slotNr"]) if slot is not None else (fields["bankId"], 0)
        peer.who, peer.slots = fields["identity"], fields.get("numberOfSlots", 0)
        in_use = peer.slot in self.clients if kind == "client" else peer.slot[0] in self.banks
        result = "identityInUse" if in_use else "ok"
        peer.link.send(message.name.replace("Req", "Res"), {"identity": self._who, "result": result})
        if peer.timer is not None:
            peer.timer.cancel()
        if in_use:
            peer.timer = self._loop.pause(REJECTED_S, lambda: self._drop(peer))
            return
        peer.kind = kind
        if kind == "client":
            self.clients[peer.slot] = peer
            if peer.slot in self._clients_mapped:
                self._tell(self._clients_mapped[peer.slot])
        else:
            self.banks[peer.slot[0]] = peer
            peer.new = [one for one in self.maps.values() if one.bank[0] == peer.slot[0]]
            self._push(peer)

    # Maps

    def _push(self, peer: Peer) -> None:
        """Tell a bank what is new and what is gone."""
        for queue, name, state, then in (
            (peer.new, "createMappingReq", "UNACKNOWLEDGED", peer.unacknowledged),
            (peer.delete_requests, "removeMappingReq", "DELETING", peer.deleting),
        ):
            told, queue[:] = list(queue), []
            for one in told:
                one.state = state
                then.append(one)
                peer.link.send(name, {"clientSlot": client_slot(one.client), "bankSlot": bank_slot(one.bank)})

    def _created(self, peer: Peer) -> None:
        """The bank answered: the oldest one asked is meant, and what the result says is passed over."""
        if peer.unacknowledged:
            one = peer.unacknowledged.pop(0)
            one.state = "ACTIVE"
            self._tell(one)

    def _removed(self, peer: Peer) -> None:
        if peer.deleting:
            self._tell(peer.deleting.pop(0))

    def _tell(self, one: SlotMap) -> None:
        """Tell a map's client where its bank is, if that is news to it."""
        peer = self.clients.get(one.client)
        if peer is None:
            return
        bank = self.banks.get(one.bank[0])
        there = NO_BANKD if one.state == "DELETING" or bank is None else (bank.link.peer_ip, self.bank_port)
        if peer.told != (one.bank, there):
            peer.told = one.bank, there
            peer.link.send(
                "configClientBankReq",
                {"bankSlot": bank_slot(one.bank), "bankd": {"ip": there[0], "port": there[1]}},
            )


def client_slot(slot: Slot) -> dict[str, int]:
    """As RSPRO's messages and the REST interface have it."""
    return {"clientId": slot[0], "slotNr": slot[1]}


def bank_slot(slot: Slot) -> dict[str, int]:
    """As RSPRO's messages and the REST interface have it."""
    return {"bankId": slot[0], "slotNr": slot[1]}
