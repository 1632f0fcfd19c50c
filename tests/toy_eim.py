"""An eIM for tests: hands out signed packages over HTTPS and keeps what is brought back; the bones of SGP.32."""

from __future__ import annotations

import ssl
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from remsim.core.tlv import encode, encode_integer, read_one
from remsim.simulator.euicc import pki

HOST = "eim.example.com"
NO_TOKEN = bytes.fromhex("840100")


class ToyEim:
    """``waiting`` are packages, handed out one after the other; ``brought`` what came back, ``asked`` the EIDs."""

    def __init__(self, eim_id: str = HOST) -> None:
        self.id = eim_id
        self.ci = pki.make_ci("eIM CI")
        self.identity = pki.make_server(self.ci, "dp_tls", HOST, "2.999.32")
        self.waiting: list[bytes] = []
        self.brought: list[bytes] = []
        self.asked: list[bytes] = []
        self.told_of_changes: list[bool] = []
        self.status = 200
        self.lose_results = 0
        self.acknowledgement: bytes | None = None
        self.counter = 0
        eim = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                pass

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                is_lost = body.startswith(b"\xbf\x50") and eim.lose_results > 0
                eim.lose_results -= is_lost
                answer = b"" if is_lost else eim.answer(self.path, dict(self.headers), body)
                self.send_response(503 if is_lost else eim.status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as name:
            certificate, key = Path(name) / "certificate.pem", Path(name) / "key.pem"
            self.identity.save(certificate, key)
            context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.place = f"127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, path: str, headers: dict[str, str], body: bytes) -> bytes:
        assert path == "/gsma/rsp2/asn1" and headers["Content-Type"] == "application/x-gsma-rsp-asn1"
        message = read_one(body)
        if message.tag == 0xBF4F:
            self.asked.append(message.find(0x5A).value)  # type: ignore[union-attr]
            self.told_of_changes.append(message.find(0x80) is not None)
            waiting = self.waiting.pop(0) if self.waiting else encode(0x02, b"\x01")
            return encode(0xBF4F, waiting)
        self.brought.append(body)
        if self.acknowledgement is not None:
            return self.acknowledgement
        seq = self.sequence_of(body)
        return encode(0xBF50, encode(0xBF53, encode(0x80, encode_integer(seq)))) if seq is not None else b""

    @staticmethod
    def sequence_of(body: bytes) -> int | None:
        """The number under which a card keeps the result of a package."""
        signed = read_one(body).find(0xBF51, 0xA0, 0x30)
        found = None if signed is None else signed.find(0x83)
        return None if found is None else int.from_bytes(found.value)

    def configuration(self, tls: str | None = "certificate") -> bytes:
        """EimConfigurationData, with what its server shows."""
        key = self.identity.certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        shown = {
            "certificate": encode(0xA6, encode(0xA1, read_one(self.identity.der).value)),
            "key": encode(0xA6, encode(0xA0, read_one(key).value)),
            "authority": encode(0xA6, encode(0xA1, read_one(self.ci.der).value)),
            "untagged": encode(0xA6, self.identity.der),
            "other": encode(0xA6, encode(0xA1, read_one(pki.make_ci("Other").der).value)),
            None: b"",
        }[tls]
        return encode(
            0x30,
            encode(0x80, self.id.encode()),
            encode(0x81, HOST.encode()),
            encode(0x82, b"\x02"),
            encode(0x83, b"\x00"),
            encode(0xA5, encode(0xA0, read_one(key).value)),
            shown,
            encode(0x87, b"\x07\x80"),
        )

    def package(self, eid: str, *commands: bytes) -> bytes:
        """A signed package of commands on profiles."""
        self.counter += 1
        signed = encode(
            0x30,
            encode(0x80, self.id.encode()),
            encode(0x5A, bytes.fromhex(eid)),
            encode(0x81, encode_integer(self.counter)),
            encode(0xA0, *commands),
        )
        return encode(0xBF51, signed, encode(0x5F37, self.identity.sign(signed + NO_TOKEN)))
