"""MQTT: connect, publish and see it acknowledged, disconnect.

That much of MQTT 3.1.1 is a page; a client library would hold a connection nobody needs, bring a thread, and choose the
address it connects to by itself. Source: OASIS MQTT 3.1.1, sections 2.2, 3.1 to 3.4, 3.14.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterable
from contextlib import closing

from remsim.core.small_dataclass import dataclass
from remsim.outbound.reach import connect, over_tls, words_of
from remsim.outbound.way import Broker, Undelivered

CONNECT, CONNACK, PUBLISH, PUBACK, DISCONNECT = 0x10, 0x20, 0x30, 0x40, 0xE0
KEEP_ALIVE_S = 60
MESSAGE_ID = 1
LARGEST_REPLY = 4096
REFUSALS = {
    1: "it does not speak MQTT 3.1.1",
    2: "it does not take the client's name",
    3: "it is not available",
    4: "the user or the password is wrong",
    5: "this user may not connect",
}


@dataclass(frozen=True, slots=True)
class Message:
    """What goes to a topic; a broker keeps the last one for new subscribers where ``retain`` is set."""

    topic: str
    body: bytes
    retain: bool = False


def publish(broker: Broker, messages: Iterable[Message]) -> None:
    """Publish messages over one connection, each with the broker's acknowledgement (QoS 1)."""
    host = broker.host or ""
    is_tls = broker.encryption != "none"
    port = broker.port or (8883 if is_tls else 1883)
    sock = connect(host, port, allow_private=broker.allow_private)
    try:
        with closing(over_tls(sock, host, verify=broker.verify_tls) if is_tls else sock) as link:
            link.sendall(connect_packet(broker.user, broker.password))
            check_reply(link, host, CONNACK, "connection")
            for message in messages:
                link.sendall(publish_packet(message))
                check_reply(link, host, PUBACK, "message")
            link.sendall(bytes((DISCONNECT, 0)))
    except OSError as error:
        raise Undelivered(f"{host} did not take the message: {words_of(error)}") from error


def connect_packet(user: str | None, password: str | None) -> bytes:
    """CONNECT with a clean session and a name of its own."""
    flags = 0x02 | (0x80 if user else 0) | (0x40 if user and password else 0)
    body = text("MQTT") + bytes((4, flags)) + KEEP_ALIVE_S.to_bytes(2) + text(f"remsim-{secrets.token_hex(6)}")
    if user:
        body += text(user) + (text(password) if password else b"")
    return packet(CONNECT, body)


def publish_packet(message: Message) -> bytes:
    """PUBLISH with QoS 1."""
    body = text(message.topic) + MESSAGE_ID.to_bytes(2) + message.body
    return packet(PUBLISH | 0x02 | int(message.retain), body)


def check_reply(link: socket.socket, host: str, kind: int, what: str) -> None:
    """Read the broker's answer to what was sent; ``Undelivered`` when it is another one or a refusal."""
    found, body = read_packet(link)
    if found & 0xF0 != kind or len(body) < 2:
        raise Undelivered(f"{host} does not answer as an MQTT broker does")
    if kind == CONNACK and body[1]:
        raise Undelivered(f"{host} refuses the {what}: {REFUSALS.get(body[1], f'code {body[1]}')}")


def read_packet(link: socket.socket) -> tuple[int, bytes]:
    """One packet: its first byte and its body."""
    kind = exactly(link, 1)[0]
    length = shift = 0
    while True:
        byte = exactly(link, 1)[0]
        length |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            break
        if shift > 21:
            raise ConnectionError("it does not speak MQTT")
    if length > LARGEST_REPLY:
        raise ConnectionError("its answer is too long")
    return kind, exactly(link, length)


def exactly(link: socket.socket, count: int) -> bytes:
    """So many bytes."""
    found = b""
    while len(found) < count:
        more = link.recv(count - len(found))
        if not more:
            raise ConnectionError("it closed the connection")
        found += more
    return found


def text(value: str) -> bytes:
    """A string with its length before it."""
    raw = value.encode()
    return len(raw).to_bytes(2) + raw


def packet(kind: int, body: bytes) -> bytes:
    """A packet with its length, seven bits a byte."""
    length, head = len(body), bytes((kind,))
    while True:
        length, bits = divmod(length, 128)
        head += bytes((bits | (0x80 if length else 0),))
        if not length:
            return head + body
