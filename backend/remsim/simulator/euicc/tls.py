"""HTTPS on loopback for the virtual servers: a certificate a host name, and everything a way can do to an answer."""

from __future__ import annotations

import contextlib
import datetime
import http.server
import json
import socket
import ssl
import tempfile
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from remsim.core.small_dataclass import dataclass
from remsim.simulator.euicc import pki
from remsim.simulator.euicc.faults import SILENT_S, SLOW_S, Fault

CERTIFICATES = ("right", "wrong_host", "untrusted", "expired")
OTHER_HOST = "another.example.com"
EXPIRED_SINCE = datetime.timedelta(days=30)
LARGEST_BODY = 4 << 20
IDLE_S = 30.0
JSON = "application/json;charset=UTF-8"
HTML = "text/html;charset=UTF-8"
PAGE = b"<!doctype html><title>Error</title><h1>Internal Server Error</h1>\n"
PROTOCOL = "gsma/rsp/v2.2.2"


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked: of which host, where, and by whom (the subject's common name of a client's certificate)."""

    host: str
    path: str
    body: bytes
    client: str | None


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered; ``sent`` is how many octets of the body really go out before the server hangs up."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    location: str | None = None
    sent: int | None = None
    delay_s: float = 0.0


Answering = Callable[[Request], Reply]


def spoilt(reply: Reply, wrong: Mapping[str, Fault]) -> Reply:
    """An answer with the faults of its way."""
    delay_s = 0.0
    if "slow" in wrong:
        number = wrong["slow"].number
        delay_s = SLOW_S if number is None else number
    status, body, kind, location, sent = reply.status, reply.body, reply.content_type, None, None
    for name in wrong:
        match name:
            case "cut":
                sent = 0
            case "half":
                sent = max(len(body) // 2, 1)
            case "silent":
                sent, delay_s = 0, SILENT_S
            case "http_500":
                status, body, kind = 500, PAGE, HTML
            case "html":
                status, body, kind = 200, PAGE, HTML
            case "wrong_json":
                status, body = 200, b'{"header": [], "transactionId": 7}'
            case "no_json":
                status, body = 200, body[: max(len(body) - 7, 3)] or b"{"
            case "empty":
                status, body = 204, b""
            case "redirect":
                status, body, location = 302, b"", f"https://{OTHER_HOST}/"
            case "line_breaks":
                body = with_line_breaks(body)
    return Reply(status, body, kind, location, sent, delay_s)


def with_line_breaks(body: bytes) -> bytes:
    """Its texts in lines of 64 characters, as some servers write base64."""
    if not body:
        return body
    message = json.loads(body)
    for key, value in message.items():
        if isinstance(value, str) and key != "transactionId":
            message[key] = "\r\n".join(value[at : at + 64] for at in range(0, len(value), 64))
    return json.dumps(message).encode()


def certificate_of(ci: pki.Identity, role: str, host: str, oid: str, flaw: str = "right") -> pki.Identity:
    """A server's certificate for TLS, with a flaw of ``CERTIFICATES``."""
    if flaw == "wrong_host":
        return pki.make_server(ci, role, OTHER_HOST, oid)
    if flaw == "untrusted":
        return pki.make_server(pki.make_ci("Somebody's CI"), role, host, oid)
    if flaw == "expired":
        ended = datetime.datetime.now(datetime.UTC) - EXPIRED_SINCE
        return pki.make_server(ci, role, host, oid, until=ended)
    return pki.make_server(ci, role, host, oid)


def context_of(identity: pki.Identity, client_roots: pki.Identity | None = None) -> ssl.SSLContext:
    """For a listener; with ``client_roots`` only those may come who have a certificate under them."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    with tempfile.TemporaryDirectory(prefix="remsim-tls-") as directory:
        certificate, key = Path(directory, "certificate.pem"), Path(directory, "key.pem")
        identity.save(certificate, key)
        context.load_cert_chain(certificate, key)
    if client_roots is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(cadata=client_roots.der)
    return context


class HttpsServer:
    """Listens on loopback. ``contexts`` has a certificate a host name; the first is for all others."""

    def __init__(
        self, contexts: Mapping[str, ssl.SSLContext], answer: Answering, *, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self.contexts = dict(contexts)
        self._answer = answer
        self._place = (host, port)
        self._server: _Listener | None = None
        self._thread: threading.Thread | None = None

    @property
    def address(self) -> str:
        """Where it listens, or did last: ``127.0.0.1:8443``."""
        return f"{self._place[0]}:{self._place[1]}"

    @property
    def is_running(self) -> bool:
        """Whether somebody can connect."""
        return self._server is not None

    def start(self) -> str:
        """Begin to listen; at the same place again after ``stop``."""
        if self._server is None:
            self._server = _Listener(self._place, self.contexts, self._answer)
            self._place = (self._place[0], self._server.server_address[1])
            self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
            self._thread.start()
        return self.address

    def stop(self) -> None:
        """Refuse connections, and end those there are."""
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()
        if self._thread is not None:
            self._thread.join()
            self._thread = None


class _Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, place: tuple[str, int], contexts: dict[str, ssl.SSLContext], answer: Answering) -> None:
        self.answer = answer
        self._contexts = contexts
        self._open: set[socket.socket] = set()
        self._ending = threading.Event()
        super().__init__(place, _Handler)

    def server_bind(self) -> None:
        """Bind without asking the DNS for our own name."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        socket.socket.bind(self.socket, self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def secured(self, connection: socket.socket) -> ssl.SSLSocket:
        """Shake hands, in the thread of the connection. Contexts may change while we listen."""
        front = next(iter(self._contexts.values()))

        def choose(secured: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext) -> None:
            chosen = self._contexts.get((name or "").lower())
            if chosen is not None:
                secured.context = chosen

        front.sni_callback = choose
        return front.wrap_socket(connection, server_side=True)

    def sleep(self, seconds: float) -> None:
        """As long, or until the server ends."""
        self._ending.wait(seconds)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """One connection."""
        self._open.add(request)
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._open.discard(request)

    def server_close(self) -> None:
        """Nobody stays."""
        self._ending.set()
        super().server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away, or does not like our certificate, is no news here."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "remsim-simulator"
    sys_version = ""
    timeout = IDLE_S
    server: _Listener

    def setup(self) -> None:
        """TLS first."""
        self.request.settimeout(IDLE_S)
        self.request = self.server.secured(self.request)
        super().setup()

    def finish(self) -> None:
        """Say goodbye where somebody still hears it."""
        with contextlib.suppress(OSError, ValueError):
            super().finish()
        with contextlib.suppress(OSError):
            self.request.close()

    def do_POST(self) -> None:
        """Every function is a POST."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            self.close_connection = True
            self._send(Reply(411 if not length.isdecimal() else 413, PAGE, HTML))
            return
        host = self.headers.get("Host", "").rsplit(":", 1)[0].lower()
        request = Request(host, self.path, self.rfile.read(int(length)), client_name(self.request))
        self._send(self.server.answer(request))

    def do_GET(self) -> None:
        """Nothing is to be read here."""
        self._send(Reply(405, PAGE, HTML))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Silent: what was asked is in the calls of the server."""

    def _send(self, reply: Reply) -> None:
        if reply.delay_s:
            self.server.sleep(reply.delay_s)
        if reply.sent == 0:
            self._hang_up()
            return
        self.send_response(reply.status)
        if reply.status != 204:
            self.send_header("Content-Type", reply.content_type)
            self.send_header("Content-Length", str(len(reply.body)))
        if reply.location is not None:
            self.send_header("Location", reply.location)
        self.send_header("X-Admin-Protocol", PROTOCOL)
        self.end_headers()
        self.wfile.write(reply.body if reply.sent is None else reply.body[: reply.sent])
        if reply.sent is not None:
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.request.shutdown(socket.SHUT_RDWR)


def client_name(connection: ssl.SSLSocket) -> str | None:
    """The common name in a client's certificate."""
    shown: Any = connection.getpeercert()
    for part in (shown or {}).get("subject", ()):
        for key, value in part:
            if key == "commonName":
                return str(value)
    return None


