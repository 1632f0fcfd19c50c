"""RSPRO connections: frames, keep-alive, and the machine with which clients and banks dial, as in the real programs."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from remsim.core.errors import RemsimError
from remsim.remotesim import rspro
from remsim.remotesim.rspro import FrameReader, Message
from remsim.remotesim.rspro_messages import RsproError
from remsim.simulator.remsim.loop import Loop, Timer

PING_S, PONG_S = 30.0, 10.0
ANSWER_S = 10.0
"""For the answer to a hello, and for a refused TCP connection before the next try."""
PAUSES_S = (0,) * 3 + (1,) * 30 + (2,) * 30 + (4,) * 30 + (8,) * 30 + (16,)
PAUSES_ANEW_S = 32.0
VERSION = "1.2.0"
STOCK_TAGS = {"connectClientRes": 2342}
"""The stock programs number one kind of message, all alike."""
MOST_WAITING = 1 << 20


class NoSuchHost(RemsimError):
    """A host's name does not resolve, of which the real programs end."""

    code = "no_such_host"


def identity(kind: str, name: str) -> dict[str, str]:
    """Who one is: ``kind`` is client, server or bankd."""
    return {"type": kind, "name": name[:32], "software": f"remsim-{kind}", "swVersion": VERSION}


class Link:
    """One connection; ``received`` is called for messages, ``lost`` once when it is over, not after ``close``."""

    def __init__(
        self,
        loop: Loop,
        connection: socket.socket,
        received: Callable[[Message], None],
        lost: Callable[[], None],
        *,
        pings: bool = True,
    ) -> None:
        self._loop = loop
        self._socket = connection
        self._received = received
        self._lost = lost
        self._reader = FrameReader()
        self._waiting = bytearray()
        self._keep_alive: Timer | None = None
        self.is_open = True
        self.answers_pings = True
        connection.setblocking(False)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        loop.watch(connection, self._readable)
        if pings:
            self._ping()

    @property
    def peer_ip(self) -> str:
        """The address the other end is seen to come from."""
        return str(self._socket.getpeername()[0]) if self.is_open else ""

    def send(self, name: str, fields: Mapping[str, Any]) -> None:
        """Send a message; one that repeats another's nonsense ends the connection instead."""
        try:
            self.send_octets(Message(name, fields, STOCK_TAGS.get(name, 0)).encode())
        except RsproError:
            self._loop.after(0.0, self._end)

    def send_octets(self, octets: bytes) -> None:
        """Send frames as they are."""
        if not self.is_open:
            return
        self._waiting += octets
        self._writable()

    def close(self) -> None:
        """Hang up without a word."""
        if self.is_open:
            self.is_open = False
            if self._keep_alive is not None:
                self._keep_alive.cancel()
            self._loop.forget(self._socket)
            self._socket.close()

    def _end(self) -> None:
        if self.is_open:
            self.close()
            self._lost()

    def _ping(self) -> None:
        self.send_octets(rspro.PING)
        if self.is_open:
            self._keep_alive = self._loop.pause(PONG_S, self._end)

    def _pong(self) -> None:
        if self._keep_alive is not None:
            self._keep_alive.cancel()
            self._keep_alive = self._loop.pause(PING_S, self._ping)

    def _writable(self) -> None:
        try:
            sent = self._socket.send(self._waiting)
            del self._waiting[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._waiting.clear()
            self._loop.after(0.0, self._end)
        if len(self._waiting) > MOST_WAITING:
            self._loop.after(0.0, self._end)
        else:
            self._loop.watch(self._socket, self._readable, self._writable if self._waiting else None)

    def _readable(self) -> None:
        try:
            data = self._socket.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._end()
            return
        try:
            for frame in self._reader.feed(data):
                if self.is_open:
                    self._take(frame)
        except RsproError:
            self._end()

    def _take(self, frame: rspro.Frame) -> None:
        if frame.protocol == rspro.IPA:
            if frame.body == b"\0" and self.answers_pings:
                self.send_octets(rspro.PONG)
            elif frame.body == b"\1":
                self._pong()
            return
        try:
            message = rspro.decode(frame)
        except RsproError as error:
            if error.code == "not_rspro":
                raise
            return  # a message it cannot read is passed over
        self._received(message)


class Dialler:
    """The machine of a link that is dialled again whenever it is lost; ``state`` has the names that scripts get."""

    def __init__(
        self,
        loop: Loop,
        *,
        hello: Callable[[], tuple[str, dict[str, Any]]],
        answers_as: str,
        connected: Callable[[], None],
        lost: Callable[[], None],
        received: Callable[[Message], None],
        told: Callable[[str, str], None] = lambda level, text: None,
        source_ip: str | None = None,
    ) -> None:
        self.state = "INIT"
        self.host: str | None = None
        self.port = 0
        self.link: Link | None = None
        self._loop = loop
        self._hello = hello
        self._answers_as = answers_as
        self._connected = connected
        self._was_lost = lost
        self._received = received
        self._told = told
        self._source_ip = source_ip
        self._timer: Timer | None = None
        self._dialling: socket.socket | None = None
        self._step = 0
        self._tried_at: float | None = None

    def establish(self, host: str, port: int) -> None:
        """Dial at once, hanging up whatever there is."""
        self.host, self.port = host, port
        self._step, self._tried_at = 0, None
        self._again()

    def disconnect(self) -> None:
        """Hang up and rest."""
        self._clear()
        self.state = "INIT"

    def send(self, name: str, fields: Mapping[str, Any]) -> None:
        """Send a message, if there is somebody to hear it."""
        if self.link is not None:
            self.link.send(name, fields)

    def _again(self) -> None:
        """Hang up, and dial after the pause that is due."""
        if self.state == "CONNECTED":
            self._was_lost()
        if self.link is not None:
            self._told("NOTICE", f"RSPRO link to {self.host}:{self.port} DOWN")
        self._clear()
        self.state = "REESTABLISH_DELAY"
        since_s = PAUSES_ANEW_S + 1
        if self._tried_at is not None:
            since_s = (time.monotonic() - self._tried_at) / self._loop.pace
        if since_s > PAUSES_ANEW_S:
            self._step = 0
        pause_s = max(PAUSES_S[self._step] - since_s, 0.001)
        self._step = min(self._step + 1, len(PAUSES_S) - 1)
        self._timer = self._loop.pause(pause_s, self._dial)

    def _clear(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self.link is not None:
            self.link.close()
        self._hang_up()
        self.link = self._timer = None

    def _hang_up(self) -> None:
        if self._dialling is not None:
            self._loop.forget(self._dialling)
            self._dialling.close()
            self._dialling = None

    def _dial(self) -> None:
        self._told("INFO", f"Creating TCP connection to server at {self.host}:{self.port}")
        self.state = "REESTABLISH"
        self._tried_at = time.monotonic()
        self._timer = self._loop.pause(ANSWER_S, self._again)
        try:
            address = socket.getaddrinfo(self.host, self.port, socket.AF_INET, socket.SOCK_STREAM)[0][4]
        except socket.gaierror as error:
            raise NoSuchHost(f"{self.host} does not resolve") from error
        self._dialling = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        self._dialling.setblocking(False)
        if self._source_ip is not None:
            self._dialling.bind((self._source_ip, 0))
        with contextlib.suppress(BlockingIOError, OSError):
            self._dialling.connect(address)
        self._loop.watch(self._dialling, None, self._dialled)

    def _dialled(self) -> None:
        """TCP is up, or it was refused and the timer is waited out."""
        connection = self._dialling
        assert connection is not None
        self._loop.forget(connection)
        if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._hang_up()
            return
        self._dialling = None
        self._told("NOTICE", f"RSPRO link to {self.host}:{self.port} UP")
        self.state = "ESTABLISHED"
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.pause(ANSWER_S, self._again)
        self.link = Link(self._loop, connection, self._take, self._again)
        self.send(*self._hello())

    def _take(self, message: Message) -> None:
        if message.name not in ("connectClientRes", "connectBankRes"):
            self._received(message)
            return
        if self.state != "ESTABLISHED":
            return
        if message.fields["result"] != "ok" or message.fields["identity"]["type"] != self._answers_as:
            self._told("ERROR", "Rx RSPRO connectClientRes(result=<invalid>), closing")
            self._again()
            return
        if self._timer is not None:
            self._timer.cancel()
        self.state = "CONNECTED"
        self._connected()
