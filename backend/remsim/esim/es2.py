"""ES2+: an operator's client orders, confirms, releases and cancels profiles at an SM-DP+ (SGP.22 §5.3, §6.5).

Written after public sources: SGP.22 v2.5 §5.3.1-5.3.4 for what the functions do, and for paths, members and headers
the open clients that speak it, pySim's ``pySim/esim/es2p.py`` (Osmocom) and the ES2+ client of ostelco-core. The server
knows us by a certificate (mutual TLS). Tested against the simulator's SM-DP+ only; no operator's server was at hand.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from remsim.config.esim_orders import EsimOrdersSettings
from remsim.core.clock import Clock
from remsim.esim.errors import EsimError
from remsim.esim.es9 import check_header as check_refusal
from remsim.esim.es9 import http_error, missing, read_json
from remsim.esim.https import Https
from remsim.esim.refusals import SmdpRefused, trouble
from remsim.esim.trust import Trust

if TYPE_CHECKING:
    from ssl import SSLContext

log = logging.getLogger(__name__)

PATH = "/gsma/rsp2/es2plus/"
HEADERS = {
    "Content-Type": "application/json",
    "Accept": "application/json",
    "X-Admin-Protocol": "gsma/rsp/v2.2.2",
    "User-Agent": "remsim",
}
ICCID = re.compile(r"[0-9]{18,20}")
LONGEST_ICCID = 20
MATCHING_ID = re.compile(r"[0-9A-Za-z-]{0,255}")
WORDS: dict[str, str] = {
    "8.2.1/3.9": "the server has no profile of this ICCID, or no order for it",
    "8.2.1/3.3": "the profile is ordered already, or on a card",
    "8.2.1/3.5": "the profile is not one that was confirmed and waits for its release",
    "8.2.1/1.2": "the profile of this ICCID is not ours to order",
    "8.2.1/2.2": "the server wants an ICCID or a type of profile",
    "8.2.5/3.9": "the server does not know this type of profile",
    "8.2.5/3.7": "no profile of this type is left",
    "8.2.5/3.8": "the profile of this ICCID is of another type",
    "8.2.5/1.2": "this type of profile is not ours to order",
    "8.2.6/2.1": "the server does not take this matching id",
    "8.2.6/3.3": "the matching id is another order's",
    "8.2.6/3.10": "the order has another matching id",
    "8.1.1/3.10": "the order is for another EID",
    "8.1.1/3.8": "the order is for another EID",
    "8.1.1/2.2": "the server wants the EID of the card",
    "8.1.1/2.1": "the server finds the EID wrong",
    "8.9/5.1": "the server does not reach its discovery server",
    "8.9/4.2": "the server's discovery server failed",
    "1.2.1/2.1": "the server finds the request malformed",
    "1.2.1/2.2": "the server misses something in the request",
}
"""What refusals mean in ES2+, by subject and reason."""
HINT = "ask the server's operator; the numbers in brackets are what the server said"
MAY_HAVE_DONE = ("smdp_cut", "smdp_timeout", "server_reply", "server_fault", "server_empty", "server_too_large")
"""Errors after which nobody knows here whether the server has done it."""


class OrderRefused(EsimError):
    """The server does not do it; ``pair`` is what it said, ``8.2.5/3.7``."""

    code = "order_refused"

    def __init__(self, refused: SmdpRefused) -> None:
        told = WORDS.get(refused.pair)
        super().__init__(f"{told} ({refused.pair})" if told else refused.message, detail=refused.pair, hint=HINT)
        self.pair = refused.pair


class Confirmed(NamedTuple):
    """An order that can be downloaded, once released. ``eid`` is the card it is tied to, None: any."""

    matching_id: str
    smdp_address: str
    eid: str | None


class Operator:
    """Whom we trust, and the certificate that says who we are."""

    def __init__(self, connector: EsimOrdersSettings, trust: Trust) -> None:
        self._connector, self._trust = connector, trust

    @property
    def is_lab(self) -> bool:
        """Whether the server may be at a private address."""
        return self._trust.is_lab

    def context(self, *, with_system: bool) -> SSLContext:
        """For a client that shows its certificate."""
        import ssl

        connector, context = self._connector, self._trust.context(with_system=with_system)
        try:
            context.load_cert_chain(connector.certificate, connector.key or None, lambda: connector.key_password or "")
        except ssl.SSLError as error:
            raise no_certificate(connector, "certificate and key do not fit, or the password is wrong") from error
        except (OSError, ValueError) as error:
            raise no_certificate(connector, getattr(error, "strerror", None) or "it cannot be read") from error
        return context


class OrderClient:
    """One SM-DP+. Errors are ``EsimError``: ``OrderRefused`` when the server says no."""

    def __init__(
        self, connector: EsimOrdersSettings, *, trust: Trust, hosts: Mapping[str, str], clock: Clock
    ) -> None:
        self._connector = connector
        self._https = Https(connector.address, trust=Operator(connector, trust), hosts=hosts, clock=clock)

    def download_order(
        self, *, eid: str | None = None, iccid: str | None = None, profile_type: str | None = None
    ) -> str:
        """Have a profile set apart, a certain one or one of a type; its ICCID (§5.3.1)."""
        answer = self._ask("downloadOrder", eid=eid, iccid=padded(iccid), profileType=profile_type)
        found = answer.get("iccid")
        digits = found.rstrip("Ff") if isinstance(found, str) else ""
        if not ICCID.fullmatch(digits):
            raise missing("iccid")
        return digits

    def confirm_order(
        self,
        iccid: str,
        *,
        eid: str | None = None,
        matching_id: str | None = None,
        confirmation_code: str | None = None,
        smds_address: str | None = None,
        is_released: bool = True,
    ) -> Confirmed:
        """Have it made ready, with a code of ours or one that the server makes up (§5.3.2)."""
        answer = self._ask(
            "confirmOrder",
            iccid=padded(iccid),
            eid=eid,
            matchingId=matching_id,
            confirmationCode=confirmation_code,
            smdsAddress=smds_address,
            releaseFlag=is_released,
        )
        found, address, tied_to = (answer.get(key) for key in ("matchingId", "smdpAddress", "eid"))
        if not isinstance(found, str) or not MATCHING_ID.fullmatch(found):
            raise missing("matchingId")
        return Confirmed(
            found,
            address.strip() if isinstance(address, str) and address.strip() else self._https.host,
            tied_to if isinstance(tied_to, str) else None,
        )

    def cancel_order(
        self, iccid: str, *, is_reusable: bool, eid: str | None = None, matching_id: str | None = None
    ) -> None:
        """Give it back, to be ordered again, or never again (§5.3.3)."""
        state = "Available" if is_reusable else "Unavailable"
        self._ask(
            "cancelOrder", iccid=padded(iccid), eid=eid, matchingId=matching_id, finalProfileStatusIndicator=state
        )

    def release_profile(self, iccid: str) -> None:
        """Let what was confirmed be downloaded (§5.3.4)."""
        self._ask("releaseProfile", iccid=padded(iccid))

    def _ask(self, function: str, **members: str | bool | None) -> dict[str, Any]:
        header = {
            "functionRequesterIdentifier": self._connector.requester,
            "functionCallIdentifier": f"remsim-{secrets.token_hex(8)}",
        }
        message = {"header": header} | {key: value for key, value in members.items() if value is not None}
        log.debug("%s: %s", self._https.host, function)
        try:
            reply = self._https.post(PATH + function, json.dumps(message).encode(), HEADERS)
        except EsimError as error:
            if is_of_tls(error):
                raise no_certificate(self._connector, "the server does not take it") from error
            raise
        try:
            if not 200 <= reply.status < 300:
                raise http_error(reply)
            if not reply.body:
                raise trouble("server_empty", raw=f"HTTP {reply.status}")
            answer = read_json(reply)
            check_refusal(answer)
        except SmdpRefused as error:
            raise OrderRefused(error) from error
        check_success(answer)
        return answer


def check_success(answer: Mapping[str, Any]) -> None:
    """An answer without a word that it was done is none: an order is money."""
    header = answer.get("header")
    status = header.get("functionExecutionStatus") if isinstance(header, dict) else None
    if not isinstance(status, dict) or not str(status.get("status", "")).startswith("Executed"):
        raise missing("functionExecutionStatus")


def padded(iccid: str | None) -> str | None:
    """Twenty characters, which servers of before SGP.22 2.2 want."""
    return None if iccid is None else iccid.rstrip("Ff").ljust(LONGEST_ICCID, "F")


def is_of_tls(error: EsimError) -> bool:
    """Whether the server ended the connection by a word of TLS: in TLS 1.3 that is how it refuses a certificate."""
    import ssl

    return error.code == "smdp_cut" and isinstance(error.__cause__, ssl.SSLError)


def no_certificate(connector: EsimOrdersSettings, why: str) -> EsimError:
    """We cannot say who we are."""
    return EsimError(
        f"the certificate of {connector.label or connector.name} ({connector.certificate}): {why}",
        code="order_certificate",
        hint="the server's operator gives certificate and key as files of PEM; both must be readable here",
    )
