"""Those who are told of alerts, for real: a mail server, a web server, an MQTT broker, a system log."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from free_ports import free_port

TLS = Path(__file__).parent / "fixtures" / "tls"
CERTIFICATE, KEY = TLS / "localhost.crt", TLS / "localhost.key"


def server_context() -> ssl.SSLContext:
    """TLS of a server whose certificate only those trust who are told to."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(CERTIFICATE, KEY)
    return context


@dataclass
class Request:
    """What a web server was asked."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class WebServer:
    """Keeps every POST and answers with ``status``."""

    port: int
    got: list[Request] = field(default_factory=list)
    status: int = 200
    location: str | None = None


@contextlib.contextmanager
def web_server(*, tls: bool = False, address: str = "127.0.0.1") -> Iterator[WebServer]:
    """A server on the loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            kept.got.append(Request(self.path, dict(self.headers), body))
            self.send_response(kept.status)
            if kept.location:
                self.send_header("Location", kept.location)
            self.end_headers()

        def log_message(self, *args: Any) -> None:
            """Tests read ``got``."""

    server = ThreadingHTTPServer((address, 0), Handler)
    if tls:
        server.socket = server_context().wrap_socket(server.socket, server_side=True)
    kept = WebServer(server.server_address[1])
    thread = threading.Thread(target=lambda: server.serve_forever(0.02), daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class MailServer:
    """Keeps every message: sender, recipients, content."""

    port: int
    got: list[tuple[str, list[str], bytes]] = field(default_factory=list)
    refuse: str | None = None


@contextlib.contextmanager
def mail_server(*, security: str = "none", login: tuple[str, str] | None = None) -> Iterator[MailServer]:
    """A server on the loopback, with STARTTLS, TLS from the start, or neither; a login is asked for when given."""
    from aiosmtpd.controller import Controller
    from aiosmtpd.smtp import AuthResult, LoginPassword

    kept = MailServer(free_port())

    class Handler:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            if kept.refuse:
                return kept.refuse
            kept.got.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
            return "250 taken"

    def check(server: Any, session: Any, envelope: Any, mechanism: str, data: Any) -> AuthResult:
        given = (data.login.decode(), data.password.decode()) if isinstance(data, LoginPassword) else None
        return AuthResult(success=given == login, handled=False)

    options: dict[str, Any] = {"hostname": "127.0.0.1", "port": kept.port}
    if security == "tls":
        options["ssl_context"] = server_context()
    if security == "starttls":
        options |= {"tls_context": server_context(), "require_starttls": True}
    if login is not None:
        options |= {"authenticator": check, "auth_required": True, "auth_require_tls": security == "starttls"}
    controller = Controller(Handler(), **options)
    controller.start()
    try:
        yield kept
    finally:
        controller.stop()


@contextlib.contextmanager
def mqtt_broker(directory: Path, *, tls: bool = False, login: tuple[str, str] | None = None) -> Iterator[int]:
    """Mosquitto on the loopback; its port."""
    port = free_port()
    lines = [f"listener {port} 127.0.0.1", f"allow_anonymous {'false' if login else 'true'}", "persistence false"]
    if login is not None:
        passwords = directory / "passwords"
        passwords.touch(0o600)
        subprocess.run(["mosquitto_passwd", "-b", passwords, *login], check=True, capture_output=True, timeout=10)
        passwords.chmod(0o644)
        lines.append(f"password_file {passwords}")
    if tls:
        key = directory / "key"
        key.write_bytes(KEY.read_bytes())
        lines += [f"certfile {CERTIFICATE}", f"keyfile {key}"]
    lines.append(f"user {Path.home().owner()}")  # else it becomes one who may not read these files
    (directory / "mosquitto.conf").write_text("\n".join(lines) + "\n")
    process = subprocess.Popen(["mosquitto", "-c", directory / "mosquitto.conf"], stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert process.poll() is None and time.monotonic() < deadline, "mosquitto does not start"
            time.sleep(0.01)
        yield port
    finally:
        process.terminate()
        process.wait(60)


@contextlib.contextmanager
def log_socket(path: Path) -> Iterator[socket.socket]:
    """What ``/dev/log`` is: a datagram socket."""
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as sock:
        sock.bind(str(path))
        sock.settimeout(5)
        yield sock


@contextlib.contextmanager
def odd_server(answer: bytes | None) -> Iterator[int]:
    """One that says ``answer`` to whoever connects, and then nothing more (None: nothing at all); its port."""
    with contextlib.closing(socket.create_server(("127.0.0.1", 0))) as server:
        clients: list[socket.socket] = []

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    client, _ = server.accept()
                    clients.append(client)
                    if answer is not None:
                        client.sendall(answer)
                        client.shutdown(socket.SHUT_WR)

        threading.Thread(target=serve, daemon=True).start()
        yield int(server.getsockname()[1])
        for client in clients:
            client.close()


@contextlib.contextmanager
def mqtt_subscriber(port: int, user: str | None = None, password: str | None = None) -> Iterator[dict[str, bytes]]:
    """What comes to all topics, by topic, from when this is entered."""
    from remsim.outbound import mqtt

    got: dict[str, bytes] = {}

    def listen() -> None:
        with contextlib.suppress(OSError):
            while True:
                kind, body = mqtt.read_packet(link)
                size = int.from_bytes(body[:2])
                assert kind & 0xF6 == 0x30, "QoS 0 is what was asked for"
                got[body[2 : 2 + size].decode()] = body[2 + size :]

    with socket.create_connection(("127.0.0.1", port), 5) as link:
        link.sendall(mqtt.connect_packet(user, password))
        assert mqtt.read_packet(link) == (0x20, b"\x00\x00")
        link.sendall(bytes([0x82, 6, 0, 1, 0, 1]) + b"#\x00")
        assert mqtt.read_packet(link)[0] == 0x90
        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield got
        link.shutdown(socket.SHUT_RDWR)
        thread.join(5)
