"""ES9+: what an LPA says to an SM-DP+, and ES11 to an SM-DS, as JSON over HTTPS (SGP.22 §6.5).

Values are taken out of their base64 and left as they are: what is signed is never written anew.
"""

from __future__ import annotations

import binascii
import json
import logging
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, NamedTuple

from remsim.core.clock import Clock
from remsim.esim.errors import EsimError
from remsim.esim.https import ANSWER_S, LARGEST_ANSWER, Https, Reply
from remsim.esim.refusals import SmdpRefused, trouble
from remsim.esim.trust import Trust
from remsim.outbound.way import one_line

log = logging.getLogger(__name__)

PATH = "/gsma/rsp2/es9plus/"
HEADERS = {
    "Content-Type": "application/json",
    "X-Admin-Protocol": "gsma/rsp/v2.2.2",
    "User-Agent": "gsma-rsp-lpad",
}
LARGEST_PACKAGE = 4 << 20
PACKAGE_S, NOTIFICATION_S, CANCEL_S = 180.0, 30.0, 20.0
"""A server may bind a package while we wait; a notification comes again, and nobody waits for a cancel."""
MOST_PARTS = 20_000
MOST_ENTRIES = 100
NUMBER = re.compile(r"[0-9.]{1,20}")
REFUSED = ("Failed", "Expired")


class Started(NamedTuple):
    """A session: ``transaction`` as the server writes it, and what it signed."""

    transaction: str
    transaction_id: bytes
    signed: bytes
    signature: bytes
    key_id: bytes
    certificate: bytes


class Offered(NamedTuple):
    """A profile that the server has for the card."""

    metadata: bytes
    signed: bytes
    signature: bytes
    certificate: bytes


class Entry(NamedTuple):
    """What an SM-DS says waits for a card: where, and under which matching id."""

    smdp_address: str
    event_id: str


class SmdpClient:
    """Asks one server. Errors are ``EsimError``: ``SmdpRefused`` when the server says no, others of ``refusals``."""

    def __init__(self, address: str, *, trust: Trust, hosts: Mapping[str, str], clock: Clock) -> None:
        self.address = address.strip()
        self._https = Https(self.address, trust=trust, hosts=hosts, clock=clock)

    def initiate_authentication(self, challenge: bytes, info1: bytes) -> Started:
        """Begin a session for a card: its challenge, and its BF20."""
        answer = self._ask(
            "initiateAuthentication",
            {"smdpAddress": self.address, "euiccChallenge": encoded(challenge), "euiccInfo1": encoded(info1)},
        )
        return started_of(answer)

    def authenticate_client(self, session: Started, card_answer: bytes) -> Offered | list[Entry]:
        """The card's BF38; what the server has for it. An SM-DS names other servers instead."""
        answer = self._ask(
            "authenticateClient",
            {"transactionId": session.transaction, "authenticateServerResponse": encoded(card_answer)},
        )
        if "eventEntries" in answer:
            return entries_of(answer["eventEntries"])
        return offered_of(answer, session)

    def get_bound_profile_package(self, session: Started, card_answer: bytes) -> bytes:
        """The card's BF21; the package, BF36."""
        answer = self._ask(
            "getBoundProfilePackage",
            {"transactionId": session.transaction, "prepareDownloadResponse": encoded(card_answer)},
            most=LARGEST_PACKAGE,
            within_s=PACKAGE_S,
        )
        check_transaction(answer, session)
        return octets(answer, "boundProfilePackage")

    def handle_notification(self, notification: bytes) -> None:
        """Tell the server what a card did: BF37 or 30, as the card gave it. It was taken when this returns."""
        self._post("handleNotification", {"pendingNotification": encoded(notification)}, within_s=NOTIFICATION_S)

    def cancel_session(self, session: Started, card_answer: bytes) -> None:
        """The card's BF41."""
        message = {"transactionId": session.transaction, "cancelSessionResponse": encoded(card_answer)}
        reply = self._post("cancelSession", message, within_s=CANCEL_S)
        if reply.body:
            check_header(read_json(reply))

    def _ask(
        self, function: str, message: Mapping[str, str], *, most: int = LARGEST_ANSWER, within_s: float = ANSWER_S
    ) -> dict[str, Any]:
        """A function that has an answer."""
        reply = self._post(function, message, most=most, within_s=within_s)
        if not reply.body:
            raise trouble("server_empty", raw=f"HTTP {reply.status}")
        answer = read_json(reply)
        check_header(answer)
        return answer

    def _post(
        self, function: str, message: Mapping[str, str], *, most: int = LARGEST_ANSWER, within_s: float = ANSWER_S
    ) -> Reply:
        log.debug("%s: %s", self._https.host, function)
        body = json.dumps(message).encode()
        reply = self._https.post(PATH + function, body, HEADERS, most=most, within_s=within_s)
        if not 200 <= reply.status < 300:
            raise http_error(reply)
        return reply


def http_error(reply: Reply) -> EsimError:
    """What a status other than success means; some servers put their refusal under one."""
    try:
        check_header(read_json(reply))
    except SmdpRefused as refused:
        return refused
    except EsimError:
        pass
    raw = f"HTTP {reply.status}"
    if 300 <= reply.status < 400:
        return trouble("server_redirect", raw=raw)
    return trouble("server_absent" if reply.status in (404, 405, 410, 501) else "server_fault", raw=raw)


def read_json(reply: Reply) -> dict[str, Any]:
    """An answer's object; bounded, for what is nested or has many parts takes much memory."""
    body = reply.body
    if sum(map(body.count, (b"[", b"{", b","))) <= MOST_PARTS:
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            answer = None
        if isinstance(answer, dict):
            return answer
    is_page = body.lstrip()[:1] == b"<" or "html" in reply.content_type
    raise trouble("server_reply", why="it is a web page" if is_page else "it is not the JSON that is due")


def check_header(answer: Mapping[str, Any]) -> None:
    """``SmdpRefused`` when the answer says so. One without a header is judged by what it holds."""
    header = answer.get("header")
    status = header.get("functionExecutionStatus") if isinstance(header, dict) else None
    if not isinstance(status, dict) or status.get("status") not in REFUSED:
        return
    data = status.get("statusCodeData")
    data = data if isinstance(data, dict) else {}
    subject, reason = (str(data.get(key, "")) for key in ("subjectCode", "reasonCode"))
    if not NUMBER.fullmatch(subject) or not NUMBER.fullmatch(reason):
        subject = reason = "?"
    raise SmdpRefused(subject, reason, one_line(str(data.get("message") or ""))[:160].strip() or None)


def started_of(answer: Mapping[str, Any]) -> Started:
    """The answer to initiateAuthentication."""
    transaction, transaction_id = transaction_of(answer)
    return Started(
        transaction,
        transaction_id,
        octets(answer, "serverSigned1"),
        octets(answer, "serverSignature1"),
        octets(answer, "euiccCiPKIdToBeUsed"),
        octets(answer, "serverCertificate"),
    )


def offered_of(answer: Mapping[str, Any], session: Started) -> Offered:
    """The answer of an SM-DP+ to authenticateClient."""
    check_transaction(answer, session)
    return Offered(
        octets(answer, "profileMetadata"),
        octets(answer, "smdpSigned2"),
        octets(answer, "smdpSignature2"),
        octets(answer, "smdpCertificate"),
    )


def transaction_of(answer: Mapping[str, Any]) -> tuple[str, bytes]:
    """A transaction as it is written, and its 1 to 16 octets."""
    written = answer.get("transactionId")
    try:
        found = bytes.fromhex(written) if isinstance(written, str) else b""
    except ValueError:
        found = b""
    if not isinstance(written, str) or not 1 <= len(found) <= 16:
        raise missing("transactionId")
    return written, found


def check_transaction(answer: Mapping[str, Any], session: Started) -> None:
    """The same as before; some servers name it only at the beginning."""
    if "transactionId" in answer and transaction_of(answer)[1] != session.transaction_id:
        raise trouble("wrong_transaction")


def entries_of(found: Any) -> list[Entry]:
    """What an SM-DS names; what cannot be read is not taken for nothing."""
    if not isinstance(found, list) or len(found) > MOST_ENTRIES:
        raise missing("eventEntries")
    entries = []
    for one in found:
        event, address = (one.get(key) if isinstance(one, dict) else None for key in ("eventId", "rspServerAddress"))
        if not isinstance(event, str) or not isinstance(address, str) or not address.strip():
            raise missing("eventEntries")
        entries.append(Entry(address.strip(), event.strip()))
    return entries


def octets(answer: Mapping[str, Any], key: str) -> bytes:
    """A value out of its base64, which may have line breaks."""
    text = answer.get(key)
    if isinstance(text, str):
        try:
            found = b64decode("".join(text.split()), validate=True)
        except (ValueError, binascii.Error):
            found = b""
        if found:
            return found
    raise missing(key)


def missing(key: str) -> EsimError:
    """An answer without what it is for."""
    return trouble("server_reply", why=f"it has no usable {key}")


def encoded(value: bytes) -> str:
    """In base64, with padding."""
    return b64encode(value).decode()
