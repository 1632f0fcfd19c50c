"""A TLS server that says what a test has it say, octet by octet, and certificates good and bad."""

from __future__ import annotations

import contextlib
import datetime
import socket
import ssl
import threading
from collections.abc import Callable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

HOST = "smdp.example.com"
DAY = datetime.timedelta(days=1)
NOW = datetime.datetime.now(datetime.UTC)
Script = Callable[[ssl.SSLSocket, bytes], None]


class Authority:
    """A certificate that signs others, and its key."""

    def __init__(self, name: str, parent: Authority | None = None) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = _signed(name, self.key, parent, ca=True)

    @property
    def name(self) -> x509.Name:
        return self.certificate.subject

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def saved(self, path: Path) -> Path:
        path.write_text(self.pem)
        return path


def _signed(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    parent: Authority | None,
    *,
    ca: bool = False,
    hosts: tuple[str, ...] = (),
    start: datetime.datetime = NOW - DAY,
    end: datetime.datetime = NOW + DAY,
) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(parent.name if parent else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca, None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in hosts]), False)
    return builder.sign(parent.key if parent else key, hashes.SHA256())


def server_context(
    directory: Path,
    authority: Authority | None,
    *,
    hosts: tuple[str, ...] = (HOST,),
    start: datetime.datetime = NOW - DAY,
    end: datetime.datetime = NOW + DAY,
    chain: tuple[Authority, ...] = (),
) -> ssl.SSLContext:
    """For a server of these names, signed by an authority or by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _signed(HOST, key, authority, hosts=hosts, start=start, end=end)
    files = directory / "server.pem", directory / "server_key.pem"
    files[0].write_text(certificate.public_bytes(Encoding.PEM).decode() + "".join(one.pem for one in chain))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*files)
    return context


def saying(answer: bytes) -> Script:
    """Answers at once."""
    return lambda connection, request: connection.sendall(answer)


def http(body: bytes = b"{}", status: str = "200 OK", **headers: str) -> bytes:
    """An answer of HTTP."""
    named = {"Content_Type": "application/json", "Content_Length": str(len(body)), **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in named.items() if value)
    return f"HTTP/1.1 {status}\r\n{head}\r\n".encode() + body


class TlsServer:
    """Listens on loopback. Without a context it speaks no TLS. ``requests`` are those that came whole."""

    def __init__(self, context: ssl.SSLContext | None, script: Script | None = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._context = context
        self._script = script or saying(http())
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.place = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> TlsServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(5)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.settimeout(5)
            with contextlib.suppress(OSError), connection:
                if self._context is None:
                    self._script(connection, b"")  # type: ignore[arg-type]
                    continue
                with self._context.wrap_socket(connection, server_side=True) as secured:
                    request = _whole(secured)
                    if request:
                        self.requests.append(request)
                        self._script(secured, request)


def _whole(connection: ssl.SSLSocket) -> bytes:
    """A request with its body; nothing from a client that only looks."""
    found = b""
    while b"\r\n\r\n" not in found:
        more = connection.recv(4096)
        if not more:
            return b""
        found += more
    head, _, body = found.partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    while lengths and len(body) < int(lengths[0]):
        body += connection.recv(4096)
    return head + b"\r\n\r\n" + body
