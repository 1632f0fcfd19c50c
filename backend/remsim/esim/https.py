"""One POST to a server of profiles, over TLS that is checked: within one time, a bounded answer, to no other place."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse, IncompleteRead
from typing import TYPE_CHECKING, NamedTuple, Protocol

from remsim.core.clock import Clock, iso_utc
from remsim.core.errors import InvalidInput
from remsim.core.tlv import TlvError
from remsim.esim.certificate import Certificate, read_certificate
from remsim.esim.errors import EsimError
from remsim.esim.refusals import trouble
from remsim.esim.trust import places
from remsim.outbound.reach import connect, words_of
from remsim.outbound.timed import TimedSocket, TooLong
from remsim.outbound.way import Undelivered

if TYPE_CHECKING:
    import socket
    from ssl import SSLCertVerificationError, SSLContext, SSLSocket

log = logging.getLogger(__name__)

HTTPS = 443
CONNECT_S, ANSWER_S = 20.0, 60.0
LARGEST_ANSWER = 256 * 1024
"""With an icon and certificates an answer that holds no package has a few kilobytes."""
LARGEST_HEAD = 64 * 1024
CLOCK_DIFFERS_S = 3600.0
ADDRESS = re.compile(r"([A-Za-z0-9_](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?)\.?(?::([0-9]{1,5}))?")

UNTRUSTED = {2, 18, 19, 20, 21, 24, 27}
NOT_YET, EXPIRED = 9, 10
OTHER_NAME = {62, 64}
"""OpenSSL's numbers: X509_V_ERR_…"""


class Reply(NamedTuple):
    """What a server answered."""

    status: int
    content_type: str
    body: bytes


class Shown(NamedTuple):
    """What a server shows to anybody, unchecked: its certificate, and its clock where it tells."""

    certificate: Certificate | None
    now: float | None


class Authorities(Protocol):
    """Who may say that a server is what it calls itself."""

    @property
    def is_lab(self) -> bool:
        """Whether the server may be at a private address."""

    def context(self, *, with_system: bool) -> SSLContext:
        """For a client; ``with_system`` adds the authorities of the web."""


def read_address(address: str) -> tuple[str, int]:
    """Host, in lower case, and port of ``smdp.example.com[:8443]``; ``InvalidInput`` when it is something else."""
    match = ADDRESS.fullmatch(address.strip())
    port = int((match and match[2]) or HTTPS)
    if match is None or not 0 < port < 65536:
        text = f"{address.strip()[:60]!r} is not the address of a server"
        raise InvalidInput(text, field="smdp_address", hint="it is a host's name, as in rsp.example.com")
    return match[1].lower(), port


class Https:
    """One server. ``hosts`` are names that mean another place; the certificate must be of the name all the same."""

    def __init__(self, address: str, *, trust: Authorities, hosts: Mapping[str, str], clock: Clock) -> None:
        self.host, self._port = read_address(address)
        self._trust = trust
        self._place = places(hosts).get(self.host)
        self._clock = clock
        self._with_system = False

    def post(
        self,
        path: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        most: int = LARGEST_ANSWER,
        within_s: float = ANSWER_S,
    ) -> Reply:
        """Send a body and read what is answered, whatever its status; ``EsimError`` when nothing whole comes."""
        timed = TimedSocket(self._secured())
        timed.allow(time.monotonic() + within_s, most + LARGEST_HEAD)
        connection = HTTPConnection(self.host, self._port)
        connection.sock = timed
        connection.auto_open = 0
        name = self.host if self._port == HTTPS else f"{self.host}:{self._port}"
        try:
            connection.request("POST", path, body, {"Host": name, "Connection": "close", **headers})
            answer = connection.getresponse()
            return Reply(answer.status, answer.headers.get_content_type(), whole(answer, most))
        except (OSError, HTTPException, ValueError) as error:
            raise no_answer(error) from error
        finally:
            connection.close()

    def _connected(self) -> socket.socket:
        """A connection to where the server is. Private addresses are a laboratory's."""
        host, port, is_allowed = self.host, self._port, self._trust.is_lab
        if self._place is not None:
            host, _, number = self._place.rpartition(":")
            host, port, is_allowed = host.strip("[]"), int(number), True
        try:
            return connect(host, port, allow_private=is_allowed, timeout_s=CONNECT_S)
        except Undelivered as error:
            code = "smdp_private" if error.code == "private_address" else "smdp_unreachable"
            raise trouble(code, why=None if code == "smdp_private" else error.message) from error

    def _secured(self) -> SSLSocket:
        """TLS with a certificate that is right, under GSMA's roots or else under the web's."""
        import ssl

        try:
            return self._shake_hands()
        except ssl.SSLCertVerificationError as error:
            if self._with_system or error.verify_code not in UNTRUSTED:
                raise self._not_right(error) from error
        self._with_system = True
        try:
            secured = self._shake_hands()
        except ssl.SSLCertVerificationError as error:
            self._with_system = False
            raise self._not_right(error) from error
        log.info("%s has a certificate of the web's authorities, not of GSMA's", self.host)
        return secured

    def _shake_hands(self) -> SSLSocket:
        """``SSLCertVerificationError`` when the certificate is not right, ``EsimError`` for all else."""
        import ssl

        context = self._trust.context(with_system=self._with_system)
        sock = self._connected()
        try:
            secured: SSLSocket = context.wrap_socket(sock, server_hostname=self.host)
        except ssl.SSLCertVerificationError:
            sock.close()
            raise
        except (OSError, ValueError) as error:
            sock.close()
            if isinstance(error, TimeoutError):
                raise trouble("smdp_timeout") from error
            raise trouble("tls_failed", why=words_of(error)) from error
        return secured

    def _not_right(self, error: SSLCertVerificationError) -> EsimError:
        """Why a certificate is not taken, as far as it can be told, and whether our clock is the cause."""
        shown = self._look()
        certificate, code = shown.certificate, error.verify_code
        if code in (NOT_YET, EXPIRED):
            return self._out_of_date(shown, code)
        if code in OTHER_NAME:
            names = "" if certificate is None else ", ".join(certificate.hosts[:3]) or certificate.subject
            return trouble("tls_wrong_host", why=f"for {names}, not for {self.host}" if names else self.host)
        if code in UNTRUSTED:
            return trouble("tls_untrusted", why=None if certificate is None else f"it is of {certificate.issuer}")
        return trouble("tls_failed", why=words_of(error))

    def _out_of_date(self, shown: Shown, code: int) -> EsimError:
        now = self._clock.now()
        own = f"this router's clock says {day(now)}"
        if shown.now is not None and abs(shown.now - now) > CLOCK_DIFFERS_S:
            return trouble("tls_clock", why=f"{own}, the server's {day(shown.now)}")
        if shown.now is not None:
            own += ", and so does the server's"
        kind = "tls_not_yet" if code == NOT_YET else "tls_expired"
        if shown.certificate is None:
            return trouble(kind, why=own)
        if code == NOT_YET:
            return trouble(kind, why=f"it begins on {day(shown.certificate.not_before)}; {own}")
        return trouble(kind, why=f"it ended on {day(shown.certificate.not_after)}; {own}")

    def _look(self) -> Shown:
        """What the server shows to a client that checks nothing, for words only: nothing is told to it."""
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        try:
            with context.wrap_socket(self._connected(), server_hostname=self.host) as secured:
                try:
                    certificate = read_certificate(secured.getpeercert(binary_form=True) or b"")
                except TlvError:
                    certificate = None
                return Shown(certificate, self._time_of(secured))
        except (OSError, ValueError, EsimError):
            return Shown(None, None)

    def _time_of(self, secured: SSLSocket) -> float | None:
        """What the server's clock says."""
        from email.utils import parsedate_to_datetime

        timed = TimedSocket(secured)
        timed.allow(time.monotonic() + CONNECT_S, LARGEST_HEAD)
        connection = HTTPConnection(self.host, self._port)
        connection.sock = timed
        connection.auto_open = 0
        try:
            connection.request("HEAD", "/", headers={"Connection": "close"})
            return parsedate_to_datetime(connection.getresponse().headers.get("Date", "")).timestamp()
        except (OSError, HTTPException, ValueError):
            return None


def whole(answer: HTTPResponse, most: int) -> bytes:
    """All of an answer's body."""
    body = answer.read(most + 1)
    if len(body) > most or (answer.length or 0) > most:
        raise TooLong
    if answer.length:
        raise ConnectionResetError
    return body


def no_answer(error: Exception) -> EsimError:
    """Why there is no whole answer."""
    if isinstance(error, TooLong):
        return trouble("server_too_large")
    if isinstance(error, TimeoutError):
        return trouble("smdp_timeout")
    if isinstance(error, (OSError, IncompleteRead)):  # RemoteDisconnected is an OSError, too
        return trouble("smdp_cut")
    return trouble("server_reply", why="it is not HTTP")


def day(at: float) -> str:
    """A day, for people; a clock may say anything."""
    try:
        return iso_utc(at)[:10]
    except (ValueError, OverflowError, OSError):
        return "nonsense"
