"""One link's sockets: bound to its device, marked as its own, kept open as long as they serve."""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import struct
from collections.abc import Callable

from remsim.outbound.target import (
    DNS_QUESTION,
    Target,
    answered_sequence,
    bind_to,
    echo_request,
    is_device,
    open_socket,
    transmit,
)

OnSocket = Callable[[socket.socket], None]
NO_DEVICE = frozenset((errno.ENODEV, errno.ENXIO))
NO_WAY = frozenset((errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL))
OURS = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT))
BYTES = {
    ("icmp", 4): (44, 44),
    ("icmp", 6): (64, 64),
    ("dns", 4): (45, 256),
    ("dns", 6): (65, 276),
    ("tcp", 4): (100, 60),
    ("tcp", 6): (140, 80),
    ("http", 4): (400, 500),
    ("http", 6): (520, 620),
}
"""What a probe takes out and in, with the headers of IP: echoes and questions by their form, the rest about."""
HTTP_QUESTION = b"HEAD / HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nUser-Agent: remsim\r\n\r\n"


class NotSent(Exception):
    """A probe did not go out. ``cause``: no_device, net_down, no_way (to this target), forbidden (this kind, to us),
    blocked (this packet), or ours."""

    def __init__(self, cause: str, text: str) -> None:
        super().__init__(text)
        self.cause = cause


def cause_of(error: OSError, *, is_sending: bool) -> str:
    """What an error of a socket says about its link."""
    if error.errno in NO_DEVICE:
        return "no_device"
    if error.errno == errno.ENETDOWN:
        return "net_down"
    if error.errno in NO_WAY:
        return "no_way"
    if error.errno is None or error.errno in OURS:
        return "ours"
    return "blocked" if is_sending else "ours"


class Asking:
    """Sends one link's probes and reads their answers. ``on_socket`` is the data of its sockets in the selector."""

    def __init__(self, device: str | None, mark: int, selector: selectors.BaseSelector, on_socket: OnSocket) -> None:
        self._device, self._mark = device, mark
        self._selector, self._on_socket = selector, on_socket
        self._shared: dict[tuple[str, int], socket.socket] = {}
        self._single: dict[socket.socket, tuple[int, Target]] = {}

    def send(self, target: Target, sequence: int) -> bool:
        """Send a probe; True when it is answered already (a refusal by this machine); ``NotSent``."""
        if target.method not in ("icmp", "dns"):
            return self._connect(target, sequence)
        self._send_shared(target, sequence)
        return False

    def receive(self, sock: socket.socket) -> list[int]:
        """The probes that what came in on a socket answers. ``OSError`` is swallowed: what is lost is missed later."""
        if sock in self._single:
            return self._receive_single(sock)
        method = next((key[0] for key, one in self._shared.items() if one is sock), None)
        if method is None:
            return []
        found = []
        try:
            while True:
                sequence = answered_sequence(method, sock.recv(2048))
                if sequence is not None:
                    found.append(sequence)
        except BlockingIOError:
            return found
        except OSError:
            return found  # an error of an earlier probe, told once

    def forget(self, sequence: int) -> None:
        """An answer to this probe is not waited for any more."""
        for sock, (number, _) in list(self._single.items()):
            if number == sequence:
                self._drop(sock)

    def close(self) -> None:
        """Close all, to be bound anew with the next probe."""
        for sock in (*self._shared.values(), *self._single):
            self._drop(sock)

    def _send_shared(self, target: Target, sequence: int) -> None:
        key = (target.method, int(target.family))
        sock = self._shared.get(key)
        if sock is None:
            sock = self._shared[key] = self._opened(target, selectors.EVENT_READ)
        asks_dns = target.method == "dns"
        packet = struct.pack("!H", sequence) + DNS_QUESTION if asks_dns else echo_request(target, sequence)
        for attempt in (0, 1):
            try:
                sock.sendto(packet, (target.host, target.port))
                return
            except BlockingIOError as error:
                raise NotSent("blocked", "the device takes no packet") from error
            except OSError as error:
                if attempt == 0 and error.errno in (errno.EHOSTUNREACH, errno.ECONNREFUSED):
                    continue  # it may be what an earlier probe met, and not this one
                self._drop(sock)
                raise NotSent(cause_of(error, is_sending=True), error.strerror or str(error)) from error

    def _connect(self, target: Target, sequence: int) -> bool:
        sock = self._opened(Target("tcp", target.host, target.port), selectors.EVENT_WRITE)
        self._single[sock] = (sequence, target)
        try:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transmit(sock, Target("tcp", target.host, target.port), sequence)
            return False
        except OSError as error:
            self._drop(sock)
            if error.errno == errno.ECONNREFUSED and target.method == "tcp":
                return True
            raise NotSent(cause_of(error, is_sending=True), error.strerror or str(error)) from error

    def _receive_single(self, sock: socket.socket) -> list[int]:
        sequence, target = self._single[sock]
        try:
            refused = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if target.method == "tcp":
                self._drop(sock)
                return [sequence] if refused in (0, errno.ECONNREFUSED) else []
            if refused:
                self._drop(sock)
                return []
            if self._selector.get_key(sock).events & selectors.EVENT_WRITE:
                host = f"[{target.host}]" if ":" in target.host else target.host
                sock.send(HTTP_QUESTION % host.encode())
                self._selector.modify(sock, selectors.EVENT_READ, self._on_socket)
                return []
            words = sock.recv(64)
        except BlockingIOError:
            return []
        except OSError:
            words = b""
        self._drop(sock)
        return [sequence] if words.startswith(b"HTTP/") else []

    def _opened(self, target: Target, events: int) -> socket.socket:
        try:
            sock = open_socket(target)
        except OSError as error:
            cause = "forbidden" if isinstance(error, PermissionError) else cause_of(error, is_sending=False)
            raise NotSent(cause, f"{target.method}: {error.strerror}") from error
        try:
            bind_to(sock, self._device, target, self._mark)
        except OSError as error:
            sock.close()
            if self._device and not is_device(self._device):
                raise NotSent("no_device", f"there is no device {self._device}") from error
            raise NotSent(cause_of(error, is_sending=False), error.strerror or str(error)) from error
        self._selector.register(sock, events, self._on_socket)
        return sock

    def _drop(self, sock: socket.socket) -> None:
        self._single.pop(sock, None)
        for key in [key for key, one in self._shared.items() if one is sock]:
            del self._shared[key]
        with contextlib.suppress(KeyError, ValueError):
            self._selector.unregister(sock)
        sock.close()

