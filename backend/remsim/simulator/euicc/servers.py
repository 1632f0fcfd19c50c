"""The virtual servers of profiles together: SM-DP+ and SM-DS on one port, ES2+ on another, all on loopback."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterable, Sequence

from cryptography import x509

from remsim.simulator.euicc import pki
from remsim.simulator.euicc.es2 import PREFIX as ES2_PREFIX
from remsim.simulator.euicc.es2 import Es2
from remsim.simulator.euicc.faults import Fault, Faults
from remsim.simulator.euicc.orders import Orders, Refusal
from remsim.simulator.euicc.scene import (
    CERTIFICATES,
    DOWN_HOST,
    ES2_HOST,
    FAULTY_HOSTS,
    SMDP_HOST,
    SMDP_OID,
    SMDS_HOST,
    SMDS_OID,
)
from remsim.simulator.euicc.session import Message, ServerCredentials
from remsim.simulator.euicc.smdp import Smdp, refused
from remsim.simulator.euicc.smds import Event, Smds
from remsim.simulator.euicc.tls import HTML, PAGE, HttpsServer, Reply, Request, certificate_of, context_of, spoilt

PREFIXES = ("/gsma/rsp2/es9plus/", "/gsma/rsp2/es11/")
SUCCESS = {"functionExecutionStatus": {"status": "Executed-Success"}}
NOT_FOUND = Reply(404, PAGE, HTML)
NO_JSON = Reply(400, PAGE, HTML)


class Servers:
    """``ci`` signs all certificates of servers; ``roots`` are of the cards that may come, besides.

    ``smdp_hosts``: the names of the SM-DP+, its own first; the scene's flawed ones come to them. Every part may be
    asked from any thread, and started and stopped again. ``events`` wait at the SM-DS besides those of orders.
    """

    def __init__(
        self,
        ci: pki.Identity,
        orders: Orders,
        *,
        smdp_host: str = SMDP_HOST,
        smds_host: str = SMDS_HOST,
        es2_host: str = ES2_HOST,
        roots: Sequence[x509.Certificate] = (),
        listen: str = "127.0.0.1",
        port: int = 0,
        es2_port: int = 0,
        replaces_keys: bool = False,
        events: Iterable[Event] = (),
    ) -> None:
        self.ci = ci
        self.orders = orders
        self.faults, self.smds_faults = Faults(), Faults()
        """Of the SM-DP+, with its ES2+, and of the SM-DS."""
        self.events = list(events)
        self._smds_host, self._es2_host = smds_host, es2_host
        known = (ci.certificate, *roots)
        server = pki.make_smdp(ci, smdp_host, SMDP_OID)
        self.smdp = Smdp(
            ServerCredentials(known, SMDP_OID, server.auth, server.binding),
            orders,
            addresses=lambda: (smdp_host, *FAULTY_HOSTS),
            faults=self.faults,
            replaces_keys=replaces_keys,
        )
        smds = pki.make_smds(ci, smds_host, SMDS_OID)
        self.smds = Smds(
            ServerCredentials(known, SMDS_OID, smds.auth),
            self._waiting,
            addresses=lambda: (smds_host,),
            faults=self.smds_faults,
        )
        self.es2 = Es2(orders, lambda: smdp_host, lambda: (smds_host,))
        self._right = context_of(server.tls)
        self._contexts = {smdp_host: self._right, smds_host: context_of(smds.tls)}
        self._contexts |= {host: self._context(host) for host in FAULTY_HOSTS}
        self._contexts |= {host: self._context(host, flaw) for host, flaw in CERTIFICATES.items()}
        self._front = HttpsServer(self._contexts, self._answer, host=listen, port=port)
        es2 = {es2_host: context_of(certificate_of(ci, "dp_tls", es2_host, SMDP_OID), ci)}
        self._es2_front = HttpsServer(es2, self._answer_es2, host=listen, port=es2_port)

    @property
    def hosts(self) -> dict[str, str]:
        """Where each host name really is, once started: ``127.0.0.1:8443``."""
        front = dict.fromkeys(self._contexts, self._front.address)
        return {**front, self._es2_host: self._es2_front.address, DOWN_HOST: "127.0.0.1:1"}

    def start(self) -> dict[str, str]:
        """Begin to listen; the ``hosts``."""
        self._front.start()
        self._es2_front.start()
        return self.hosts

    def stop(self) -> None:
        """Refuse connections."""
        self._front.stop()
        self._es2_front.stop()

    def use_certificate(self, flaw: str) -> None:
        """Show an SM-DP+'s certificate with a flaw of ``tls.CERTIFICATES`` from now on, or the right one."""
        host = self.smdp.address
        self._front.contexts[host] = self._right if flaw == "right" else self._context(host, flaw)

    def operator(self, name: str = "operator") -> pki.Identity:
        """A certificate for a client of ES2+."""
        return pki.make_server(self.ci, "dp_tls", name, "2.999.20")

    def _context(self, host: str, flaw: str = "right") -> ssl.SSLContext:
        return context_of(certificate_of(self.ci, "dp_tls", host, SMDP_OID, flaw))

    def _waiting(self) -> list[Event]:
        """Events that were put there, and those of orders that name the SM-DS."""
        ordered = [
            Event(order.eid, order.matching_id, self.smdp.address)
            for order in self.orders.all()
            if order.smds_address is not None and order.state == "released"
        ]
        return self.events + ordered

    def _answer(self, request: Request) -> Reply:
        prefix = next((one for one in PREFIXES if request.path.startswith(one)), None)
        message = parsed(request.body)
        if prefix is None:
            return NOT_FOUND
        if message is None:
            return NO_JSON
        step = request.path[len(prefix) :]
        part: Smdp | Smds = self.smds if request.host == self._smds_host else self.smdp
        wrong: dict[str, Fault] = {}
        own = FAULTY_HOSTS.get(request.host)
        if own is not None and own.step in (None, step):
            wrong[own.kind] = own
        try:
            answered, more = part.answer(step, message, wrong)
        except Refusal as refusal:
            return reply(refused(refusal))
        except KeyError:
            return NOT_FOUND
        if answered is None:
            return spoilt(Reply(204), more)
        return spoilt(reply(answered), more)

    def _answer_es2(self, request: Request) -> Reply:
        message = parsed(request.body)
        if not request.path.startswith(ES2_PREFIX):
            return NOT_FOUND
        if message is None:
            return NO_JSON
        step = request.path[len(ES2_PREFIX) :]
        try:
            answered = self.es2.answer(step, message, request.client)
        except Refusal as refusal:
            answered = refused(refusal)
        except KeyError:
            return NOT_FOUND
        return spoilt(reply(answered), self.faults.at(step))


def parsed(body: bytes) -> Message | None:
    """A JSON object; None for anything else."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def reply(message: Message) -> Reply:
    """With the header of a success, unless it has one."""
    return Reply(200, json.dumps({"header": SUCCESS, **message}).encode())
