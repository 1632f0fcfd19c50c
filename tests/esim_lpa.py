"""The least that gets a profile from a server onto a card: for tests of the virtual servers, beside the real LPA."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import socket
import ssl
from collections.abc import Iterator
from typing import Any

from remsim.core import tlv
from remsim.simulator.euicc import pki
from remsim.simulator.euicc.card import ISDR_AID, VirtualEuicc
from remsim.simulator.euicc.servers import Servers

BLOCK = 255
TIMEOUT_S = 10.0
ES9 = "/gsma/rsp2/es9plus/"
ES2 = "/gsma/rsp2/es2plus/"


class Refused(Exception):
    """What a server answers instead, as ``8.2.6/3.8``."""


class Here(http.client.HTTPSConnection):
    """Connects to another place than the name says, and checks the name all the same."""

    def __init__(self, host: str, place: str, context: ssl.SSLContext) -> None:
        super().__init__(host, context=context, timeout=TIMEOUT_S)
        self._place = place
        self._secure = context

    def connect(self) -> None:
        address, port = self._place.split(":")
        plain = socket.create_connection((address, int(port)), TIMEOUT_S)
        self.sock = self._secure.wrap_socket(plain, server_hostname=self.host)


def context_of(servers: Servers) -> ssl.SSLContext:
    """Trusts the test CI only, and checks names."""
    return ssl.create_default_context(cadata=servers.ci.der)


def post(
    servers: Servers, host: str, path: str, body: bytes, context: ssl.SSLContext | None = None
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body."""
    connection = Here(host, servers.hosts[host], context or context_of(servers))
    try:
        headers = {"Content-Type": "application/json", "X-Admin-Protocol": "gsma/rsp/v2.2.2"}
        connection.request("POST", path, body, headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.getheaders()), answer.read()
    finally:
        connection.close()


def call(servers: Servers, host: str, path: str, message: Any, context: ssl.SSLContext | None = None) -> dict[str, Any]:
    """What a function answers; ``Refused`` for what it does not do."""
    status, _headers, body = post(servers, host, path, json.dumps(message).encode(), context)
    if status == 204:
        return {}
    assert status == 200, (status, body[:80])
    answer = dict(json.loads(body))
    execution = answer["header"]["functionExecutionStatus"]
    if execution["status"] != "Executed-Success":
        data = execution["statusCodeData"]
        raise Refused(f"{data['subjectCode']}/{data['reasonCode']}")
    return answer


class Lpa:
    """One card, all servers."""

    def __init__(self, card: VirtualEuicc, servers: Servers) -> None:
        self.card, self.servers = card, servers
        self._channel = card.open(ISDR_AID)

    def ask(self, request: bytes) -> bytes:
        """STORE DATA, and what the card has to say."""
        blocks = [request[at : at + BLOCK] for at in range(0, len(request), BLOCK)]
        answer = b""
        for number, block in enumerate(blocks):
            first = 0x91 if number == len(blocks) - 1 else 0x11
            answer = self._send(bytes((0x80, 0xE2, first, number, len(block))) + block)
        return answer

    def call(self, step: str, host: str, **message: str) -> dict[str, Any]:
        """A function of ES9+."""
        return call(self.servers, host, ES9 + step, message)

    def authenticate(self, host: str, matching_id: str = "") -> dict[str, Any]:
        """Both know each other: the answer of authenticateClient."""
        challenge = tlv.read_one(self.ask(bytes.fromhex("BF2E00"))).find(0x80)
        assert challenge is not None
        info = self.ask(bytes.fromhex("BF2000"))
        first = self.call(
            "initiateAuthentication", host, smdpAddress=host, euiccChallenge=b64(challenge.value), euiccInfo1=b64(info)
        )
        keys = ("serverSigned1", "serverSignature1", "euiccCiPKIdToBeUsed", "serverCertificate")
        named = tlv.encode(0x80, matching_id.encode()) if matching_id else b""
        device = tlv.encode(0xA1, tlv.encode(0x80, bytes.fromhex("35290611")) + tlv.encode(0xA1))
        answer = self.ask(tlv.encode(0xBF38, *(octets(first[key]) for key in keys), tlv.encode(0xA0, named + device)))
        return self.call(
            "authenticateClient",
            host,
            transactionId=first["transactionId"],
            authenticateServerResponse=b64(answer),
        )

    def prepare(self, known: dict[str, Any], code: str | None = None) -> str:
        """The card's answer to PrepareDownload."""
        parts = [octets(known["smdpSigned2"]), octets(known["smdpSignature2"])]
        if code is not None:
            inner = hashlib.sha256(code.encode()).digest()
            parts.append(tlv.encode(0x04, hashlib.sha256(inner + bytes.fromhex(known["transactionId"])).digest()))
        return b64(self.ask(tlv.encode(0xBF21, *parts, octets(known["smdpCertificate"]))))

    def fetch(self, host: str, known: dict[str, Any], code: str | None = None) -> bytes:
        """The package for this card."""
        answer = self.prepare(known, code)
        got = self.call(
            "getBoundProfilePackage", host, transactionId=known["transactionId"], prepareDownloadResponse=answer
        )
        return octets(got["boundProfilePackage"])

    def load(self, package: bytes) -> bytes:
        """Piece by piece, until the card answers: its BF37."""
        for piece in segments(package):
            answer = self.ask(piece)
            if answer:
                return answer
        return b""

    def install(self, matching_id: str, code: str | None = None, host: str | None = None) -> bytes:
        """All of it; the card's result."""
        host = host or self.servers.smdp.address
        return self.load(self.fetch(host, self.authenticate(host, matching_id), code))

    def tell(self, host: str) -> None:
        """Every notification, oldest first; what was taken is removed."""
        listed = tlv.read_one(self.ask(bytes.fromhex("BF2B00"))).find(0xA0)
        for raw in [] if listed is None else [one.encode() for one in listed.children()]:
            found = tlv.read_one(raw)
            metadata = found.find(0xBF2F) or found.find(0xBF27, 0xBF2F)
            assert metadata is not None
            number = metadata.find(0x80)
            assert number is not None
            self.call("handleNotification", host, pendingNotification=b64(raw))
            self.ask(tlv.encode(0xBF30, tlv.encode(0x80, number.value)))

    def cancel(self, host: str, transaction: str, reason: int) -> dict[str, Any]:
        """Give a session up."""
        request = tlv.encode(0x80, bytes.fromhex(transaction)) + tlv.encode(0x81, bytes((reason,)))
        answer = self.ask(tlv.encode(0xBF41, request))
        return self.call("cancelSession", host, transactionId=transaction, cancelSessionResponse=b64(answer))

    def _send(self, apdu: bytes) -> bytes:
        answer = self.card.transmit(bytes((apdu[0] | self._channel,)) + apdu[1:])
        data = answer[:-2]
        while answer[-2] == 0x61:
            answer = self.card.transmit(bytes((0x80 | self._channel, 0xC0, 0, 0, answer[-1])))
            data += answer[:-2]
        assert answer[-2:] == b"\x90\x00" or answer[-2] == 0x91, answer[-2:].hex()
        return data


def segments(package: bytes) -> Iterator[bytes]:
    """A package as a card takes it (SGP.22 §2.5.5)."""
    header = len(package) - len(tlv.read_one(package).value)
    offset, first = header, True
    while offset < len(package):
        part, end = tlv.read(package, offset)
        inner = end - len(part.value)
        if first:
            yield package[:end]
        elif part.tag in (0xA0, 0xA2):
            pieces = list(pieces_of(package, inner, end))
            yield package[offset:inner] + pieces[0]
            yield from pieces[1:]
        else:
            yield package[offset:inner]
            yield from pieces_of(package, inner, end)
        offset, first = end, False


def pieces_of(package: bytes, start: int, end: int) -> Iterator[bytes]:
    """The objects in there, as they came."""
    while start < end:
        _, after = tlv.read(package, start)
        yield package[start:after]
        start = after


def octets(text: str) -> bytes:
    """From base64, maybe in lines."""
    return base64.b64decode("".join(text.split()), validate=True)


def b64(data: bytes) -> str:
    """To base64."""
    return base64.b64encode(data).decode()


def operator_context(servers: Servers, identity: pki.Identity | None, directory: Any) -> ssl.SSLContext:
    """With a certificate of its own, for ES2+."""
    context = context_of(servers)
    if identity is not None:
        identity.save(directory / "operator.pem", directory / "operator_key.pem")
        context.load_cert_chain(directory / "operator.pem", directory / "operator_key.pem")
    return context
