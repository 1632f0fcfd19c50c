"""What is said to a SOCKS5 server before it connects (RFC 1928, with the password of RFC 1929). Pure."""

from __future__ import annotations

import socket
from collections.abc import Generator

VERSION, PASSWORD_VERSION, CONNECT = 5, 1, 1
NO_PASSWORD, PASSWORD = 0, 2
IPV4, NAME, IPV6 = 1, 3, 4
REPLIES = {
    1: "it failed",
    2: "it is not allowed",
    3: "the network cannot be reached",
    4: "the host cannot be reached",
    5: "the connection was refused",
    6: "it took too long",
    7: "the server does not know the order",
    8: "the server does not know the kind of address",
}
TARGETS_FAULT = (3, 4, 5, 6)
"""Replies that blame the target: without the server it would be no other."""


class SocksRefused(Exception):
    """The server does not serve. ``is_targets_fault``: it tried, and it is the target that cannot be reached."""

    def __init__(self, why: str, *, is_targets_fault: bool = False) -> None:
        super().__init__(why)
        self.is_targets_fault = is_targets_fault


Talk = Generator[tuple[bytes, int], bytes, None]


def greet(user: str, password: str) -> Talk:
    """The first half of a conversation: each step yields what to say and how many octets to wait for, and is sent
    these. Ends when the server takes orders; ``SocksRefused``."""
    methods = bytes((VERSION, 2, NO_PASSWORD, PASSWORD)) if user else bytes((VERSION, 1, NO_PASSWORD))
    answer = yield methods, 2
    if answer[0] != VERSION:
        raise SocksRefused("it speaks no SOCKS5")
    if answer[1] == PASSWORD and user:
        name, word = user.encode(), password.encode()
        said = bytes((PASSWORD_VERSION, len(name))) + name + bytes((len(word),)) + word
        answer = yield said, 2
        if answer[1] != 0:
            raise SocksRefused("it does not take the password")
    elif answer[1] != NO_PASSWORD:
        raise SocksRefused("it wants a password")


def connect(host: str, port: int) -> Talk:
    """The second half. Ends when the connection stands; ``SocksRefused``."""
    answer = yield order(host, port), 4
    if answer[0] != VERSION or answer[1] != 0:
        why = REPLIES.get(answer[1], f"reply {answer[1]}")
        raise SocksRefused(why, is_targets_fault=answer[1] in TARGETS_FAULT)
    if answer[3] == NAME:
        size = (yield b"", 1)[0]
    elif answer[3] in (IPV4, IPV6):
        size = 4 if answer[3] == IPV4 else 16
    else:
        raise SocksRefused("its answer cannot be read")
    yield b"", size + 2


def order(host: str, port: int) -> bytes:
    """The order to connect to an address."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    kind = IPV6 if family == socket.AF_INET6 else IPV4
    return bytes((VERSION, CONNECT, 0, kind)) + socket.inet_pton(family, host) + port.to_bytes(2, "big")
