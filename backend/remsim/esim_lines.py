"""``remsim esim parse-code``, ``decode``, ``encode`` and ``segments``: JSON lines in, JSON lines out.

Names are those of SGP.22's ASN.1 and of lpac, so that one can be held against the other.
"""

from __future__ import annotations

import binascii
import hashlib
import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from typing import Any

from remsim.core import tlv
from remsim.core.errors import InvalidInput, RemsimError
from remsim.core.tlv import TlvError
from remsim.esim import activation, bpp
from remsim.esim.apdu import USUAL_BLOCK, blocks, refused
from remsim.esim.es10 import replies, requests
from remsim.esim.ids import encode_iccid
from remsim.esim_values import Values, decoder_of

STATUS_OCTETS = 2
AID_OCTETS = range(5, 17)


def parse_code(line: str) -> str:
    """The parts of an activation code, or the part that is wrong."""
    try:
        found = activation.parse(line)
    except InvalidInput as error:
        return written({"ok": False, "field": error.field, "error": error.message})
    told: Values = {
        "ok": True,
        "smdp_address": found.smdp_address,
        "matching_id": found.matching_id,
        "oid": found.oid,
        "confirmation_code_required": found.confirmation_code_required,
    }
    return written(told | ({"warnings": list(found.warnings)} if found.warnings else {}))


def decode(line: str) -> str:
    """What an answer of a card says: its values, or its error."""
    try:
        asked = asked_object(line)
        name = text_of(asked, "function")
        data = octets_of(asked, "response")
        decoder = decoder_of(name)
        if len(data) == STATUS_OCTETS and data[0] >> 4 in (6, 9):
            status = int.from_bytes(data)
            if status != 0x9000:
                raise refused(status)
            raise TlvError("the card answered nothing but that it is well")
        return written({"ok": True, "values": decoder(replies.whole(data))})
    except replies.Refused as error:
        return written({"ok": False, "code": error.number, "name": error.name, "error": error.message})
    except RemsimError as error:
        told: Values = {"ok": False, "code": None, "name": None, "error": error.message}
        return written(told | ({"field": error.field} if error.field else {}))


def encode(line: str) -> str:
    """The APDUs of a request."""
    try:
        asked = asked_object(line)
        name = text_of(asked, "function")
        given = {} if asked.get("args") is None else asked["args"]
        if not isinstance(given, dict):
            raise InvalidInput("args is an object", field="args")
        mss, channel = number_of(asked, "mss", USUAL_BLOCK), number_of(asked, "channel", 1)
        request = encoder_of(name)(given)
        return written({"apdus": [apdu.hex().upper() for apdu in blocks(request, block_size=mss, channel=channel)]})
    except RemsimError as error:
        field = "mss" if error.field == "block_size" else error.field
        return written({"ok": False, "field": field, "error": error.message})


def segments(line: str) -> str:
    """The lengths and sums of a package's segments."""
    try:
        package = b64decode("".join(line.split()), validate=True)
        found = bpp.segments(package)
    except (binascii.Error, ValueError):
        return written({"ok": False, "error": "this is not base64"})
    except RemsimError as error:
        return written({"ok": False, "error": error.message})
    return written({"segments": [{"length": len(one), "sha256": hashlib.sha256(one).hexdigest()} for one in found]})


VERBS: dict[str, Callable[[str], str]] = {
    "parse-code": parse_code,
    "decode": decode,
    "encode": encode,
    "segments": segments,
}
"""What answers a line, by the verb."""


def identifier(given: Mapping[str, Any]) -> bytes:
    """A profile by its ``iccid`` or ``aid``, as the object that names it."""
    if given.get("iccid") is not None:
        return tlv.encode(requests.ICCID, encode_iccid(text_of(given, "iccid")))
    if given.get("aid") is not None:
        aid = octets_of(given, "aid")
        if len(aid) not in AID_OCTETS:
            raise InvalidInput("an AID has 5 to 16 octets", field="aid")
        return tlv.encode(requests.AID, aid)
    raise InvalidInput("name the profile by iccid or aid", field="iccid")


def filters(prefix: str, make: Callable[[str | None], bytes]) -> dict[str, Callable[[Mapping[str, Any]], bytes]]:
    """A list's requests: of all, and of each operation."""

    def of(operation: str | None) -> Callable[[Mapping[str, Any]], bytes]:
        return lambda given: make(operation)

    return {f"{prefix}All": of(None)} | {f"{prefix}{one.capitalize()}": of(one) for one in requests.OPERATIONS}


def reset_request(given: Mapping[str, Any]) -> bytes:
    return requests.memory_reset(**{name: flag_of(given, name, False) for name in ("operational", "test", "smdp")})


def authenticate_request(given: Mapping[str, Any]) -> bytes:
    signed, signature, key, certificate, context = (
        octets_of(given, name)
        for name in ("serverSigned1", "serverSignature1", "euiccCiPKIdToBeUsed", "serverCertificate", "ctxParams1")
    )
    return requests.authenticate_server(signed, signature, key, certificate, context)


def prepare_request(given: Mapping[str, Any]) -> bytes:
    signed, signature, certificate = (
        octets_of(given, name) for name in ("smdpSigned2", "smdpSignature2", "smdpCertificate")
    )
    hashed = None if given.get("hashCc") is None else octets_of(given, "hashCc")
    return requests.prepare_download(signed, signature, hashed, certificate)


ENCODERS: dict[str, Callable[[Mapping[str, Any]], bytes]] = {
    "EuiccConfiguredAddresses": lambda given: requests.configured_addresses(),
    "SetDefaultDPAddress": lambda given: requests.set_default_address(text_of(given, "address")),
    "GetEuiccData": lambda given: requests.eid(),
    "GetEuiccInfo1": lambda given: requests.info1(),
    "GetEuiccInfo2": lambda given: requests.info2(),
    "GetEuiccChallenge": lambda given: requests.challenge(),
    "ProfileInfoListAll": lambda given: requests.profiles(),
    "EnableProfile": lambda given: requests.enable(identifier(given), flag_of(given, "refresh", True)),
    "DisableProfile": lambda given: requests.disable(identifier(given), flag_of(given, "refresh", True)),
    "DeleteProfile": lambda given: requests.delete(identifier(given)),
    "SetNickname": lambda given: requests.nickname(encode_iccid(text_of(given, "iccid")), text_of(given, "nickname")),
    "EuiccMemoryReset": reset_request,
    **filters("ListNotification", requests.list_notifications),
    **filters("RetrieveNotificationsList", requests.retrieve_notifications),
    "RetrieveNotificationsListBySequence": lambda given: requests.retrieve_notification(number_of(given, "seq")),
    "NotificationSent": lambda given: requests.notification_sent(number_of(given, "seq")),
    "AuthenticateServer": authenticate_request,
    "PrepareDownload": prepare_request,
    "CancelSession": lambda given: requests.cancel_session(
        octets_of(given, "transactionId"), number_of(given, "reason")
    ),
    "GetRAT": lambda given: requests.rat(),
    "GetCerts": lambda given: requests.certificates(),
    "GetEimConfigurationData": lambda given: requests.eim_configuration(),
}


def encoder_of(name: str) -> Callable[[Mapping[str, Any]], bytes]:
    """By a function's name."""
    known = ENCODERS.get(name) or ENCODERS.get(f"{name}All")
    if known is None:
        raise InvalidInput(f"there is no function {name[:60]!r}", field="function")
    return known


def asked_object(line: str) -> Values:
    """The object of a line."""
    try:
        asked = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidInput("the line is not JSON", field="line") from error
    if not isinstance(asked, dict):
        raise InvalidInput("the line is not a JSON object", field="line")
    return asked


def text_of(given: Mapping[str, Any], name: str) -> str:
    """A text that has to be there."""
    value = given.get(name)
    if not isinstance(value, str):
        raise InvalidInput(f"{name} is a text", field=name)
    return value


def octets_of(given: Mapping[str, Any], name: str) -> bytes:
    """Octets in hex, blanks between them or not."""
    try:
        return bytes.fromhex(text_of(given, name))
    except ValueError as error:
        raise InvalidInput(f"{name} is not hex", field=name) from error


def number_of(given: Mapping[str, Any], name: str, default: int | None = None) -> int:
    """A whole number."""
    value = default if given.get(name) is None else given[name]
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidInput(f"{name} is a whole number", field=name)
    return value


def flag_of(given: Mapping[str, Any], name: str, default: bool) -> bool:
    """Yes or no."""
    value = default if given.get(name) is None else given[name]
    if not isinstance(value, bool):
        raise InvalidInput(f"{name} is true or false", field=name)
    return value


def written(values: Values) -> str:
    """One line of JSON."""
    return json.dumps(values, ensure_ascii=False)
