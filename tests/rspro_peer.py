"""The other end of a real or virtual osmo-remsim program: a plain socket that a test uses octet by octet."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Mapping
from typing import Any

from remsim.remotesim import rspro
from remsim.remotesim.rspro import FrameReader, Message

WAIT_S = 15.0


def identity(kind: str) -> dict[str, str]:
    """As the programs on this machine name themselves."""
    return {"type": kind, "name": socket.gethostname()[:32], "software": f"remsim-{kind}", "swVersion": "1.2.0"}


def hello(slot: tuple[int, int]) -> bytes:
    """A client's first message."""
    place = {"clientId": slot[0], "slotNr": slot[1]}
    return Message("connectClientReq", {"identity": identity("client"), "clientSlot": place}).encode()


def bank_hello(bank_id: int = 1, slots: int = 8) -> bytes:
    """A bank's first message."""
    fields = {"identity": identity("bankd"), "bankId": bank_id, "numberOfSlots": slots}
    return Message("connectBankReq", fields).encode()


def welcome(kind: str, to: str = "Client", result: str = "ok") -> bytes:
    """The answer of a server or a bank to a hello."""
    tag = 2342 if to == "Client" else 0  # as the stock programs have it
    return Message(f"connect{to}Res", {"identity": identity(kind), "result": result}, tag).encode()


class Peer:
    """One connection. Pings are answered and, like pongs, not given to the test."""

    def __init__(self, connection: socket.socket) -> None:
        connection.settimeout(WAIT_S)
        self.socket = connection
        self.answers_pings = True
        self._reader = FrameReader()
        self._frames: list[rspro.Frame] = []

    @classmethod
    def dial(cls, port: int, host: str = "127.0.0.1") -> Peer:
        """A connection to a program."""
        return cls(socket.create_connection((host, port), WAIT_S))

    def send(self, octets: bytes | str) -> None:
        """Send octets, or hex."""
        self.socket.sendall(bytes.fromhex(octets) if isinstance(octets, str) else octets)

    def say(self, name: str, fields: Mapping[str, Any]) -> None:
        """Send a message."""
        self.send(Message(name, fields).encode())

    def octets(self) -> bytes:
        """The next frame that is no keep-alive; ``EOFError`` when the other end hung up."""
        while True:
            while self._frames:
                frame = self._frames.pop(0)
                if frame.protocol != rspro.IPA:
                    return frame.encode()
                if frame.body == b"\0" and self.answers_pings:
                    self.send(rspro.PONG)
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if not data:
                raise EOFError
            self._frames += self._reader.feed(data)

    def hears(self, name: str) -> Mapping[str, Any]:
        """The fields of the next message, which is that one."""
        message = rspro.decode(next(FrameReader().feed(self.octets())))
        assert message.name == name
        return message.fields

    def is_hung_up(self) -> bool:
        """Whether the other end hangs up, whatever it says before."""
        with contextlib.suppress(EOFError):
            while True:
                self.octets()
        return True

    def close(self) -> None:
        """Hang up."""
        self.socket.close()


@contextlib.contextmanager
def listening(port: int = 0) -> Iterator[socket.socket]:
    """Where a program will dial."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.settimeout(WAIT_S)
        yield listener


def accepted(listener: socket.socket) -> Peer:
    """The next program that dials."""
    return Peer(listener.accept()[0])
