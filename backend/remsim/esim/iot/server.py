"""An eIM's server: HTTPS with the key or certificate that the card has of it, and no public authority beside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from remsim.core.clock import Clock
from remsim.core.tlv import TlvError, read_one
from remsim.esim.https import Https
from remsim.esim.iot.eims import KEY, Eim, TlsKey
from remsim.esim.refusals import trouble
from remsim.esim.trust import Trust

if TYPE_CHECKING:
    from ssl import SSLContext, SSLSocket

PATH = "/gsma/rsp2/asn1"
HEADERS = {
    "Content-Type": "application/x-gsma-rsp-asn1",
    "X-Admin-Protocol": "gsma/rsp/v2.1.0",
    "User-Agent": "gsma-rsp-ipad",
}
LARGEST = 1 << 20


class Pinned(Https):
    """A server whose certificate or key is known beforehand. Names are checked where a certificate is."""

    def __init__(self, address: str, key: TlsKey, *, hosts: Mapping[str, str], clock: Clock) -> None:
        super().__init__(address, trust=PinnedTrust(key), hosts=hosts, clock=clock)
        self._key = key

    def _shake_hands(self) -> SSLSocket:
        secured = super()._shake_hands()
        if self._key.kind == KEY and key_of(secured.getpeercert(binary_form=True) or b"") != self._key.der:
            secured.close()
            raise trouble("tls_untrusted", why="its key is not the one that the card knows")
        return secured


class PinnedTrust:
    """One certificate, or any for as long as its key is looked at afterwards."""

    is_lab = True
    """An eIM may be in one's own network: who it is, is certain."""

    def __init__(self, key: TlsKey) -> None:
        self._key = key

    def context(self, *, with_system: bool) -> SSLContext:
        """For a client; the system's authorities are never added."""
        import ssl

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self._key.kind == KEY:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            return context
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        try:
            context.load_verify_locations(cadata=self._key.der)
        except (OSError, ValueError) as error:
            raise trouble("eim_key") from error
        return context


class EimServer:
    """One eIM; ``EsimError`` when it does not answer as it should."""

    def __init__(self, eim: Eim, *, trust: Trust, hosts: Mapping[str, str], clock: Clock) -> None:
        if eim.tls is None:
            self._https = Https(eim.address, trust=trust, hosts=hosts, clock=clock)
        else:
            self._https = Pinned(eim.address, eim.tls, hosts=hosts, clock=clock)

    def ask(self, message: bytes) -> bytes:
        """One message and its answer, which is empty where nothing is to be said."""
        reply = self._https.post(PATH, message, HEADERS, most=LARGEST)
        if not 200 <= reply.status < 300:
            raise trouble("server_fault", raw=f"HTTP {reply.status}")
        if reply.body:
            try:
                read_one(reply.body)
            except TlvError as error:
                raise trouble("server_reply", why=error.message) from error
        return reply.body


def key_of(certificate: bytes) -> bytes | None:
    """The SubjectPublicKeyInfo of a certificate, in DER."""
    try:
        signed = [one for one in read_one(certificate).children()[0].children() if one.tag != 0xA0]
        return signed[5].encode()
    except (TlvError, IndexError):
        return None
