"""``remsim esim parse-code``, ``decode``, ``encode`` and ``segments``: JSON lines in, JSON lines out.

Names are those of SGP.22's ASN.1 and of lpac, so that one can be held against the other.
"""

from __future__ import annotations

import binascii
import hashlib
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from remsim.core import tlv
from remsim.core.errors import InvalidInput, RemsimError
from remsim.core.tlv import TlvError
from remsim.esim import activation, bpp
from remsim.esim.apdu import USUAL_BLOCK, blocks, refused
from remsim.esim.es10 import codes, replies, requests
from remsim.esim.es10.info import EuiccInfo1, EuiccInfo2
from remsim.esim.es10.notifications import InstallResult, Notification
from remsim.esim.es10.profiles import Profile
from remsim.esim.ids import encode_iccid

Values = dict[str, Any]
STATUS_OCTETS = 2
AID_OCTETS = range(5, 17)


def parse_code(line: str) -> str:
    """The parts of an activation code, or the part that is wrong."""
    try:
        found = activation.parse(line)
    except InvalidInput as error:
        return written({"ok": False, "field": error.field, "error": error.message})
    return written(
        {
            "ok": True,
            "smdp_address": found.smdp_address,
            "matching_id": found.matching_id,
            "oid": found.oid,
            "confirmation_code_required": found.confirmation_code_required,
        }
    )


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


def nothing(tag: int, table: replies.Table) -> Callable[[bytes], Values]:
    """A decoder of answers that are a number only."""

    def read(data: bytes) -> Values:
        replies.result(data, tag, table)
        return {}

    return read


def addresses_values(data: bytes) -> Values:
    found = replies.configured_addresses(data)
    return {"defaultDpAddress": found.default_smdp, "rootDsAddress": found.root_smds}


def info1_values(found: EuiccInfo1) -> Values:
    return {
        "svn": found.svn,
        "euiccCiPKIdListForVerification": list(found.verification_keys),
        "euiccCiPKIdListForSigning": list(found.signing_keys),
    }


def info2_values(found: EuiccInfo2) -> Values:
    """The names of EUICCInfo2."""
    return {
        "profileVersion": found.profile_version,
        "svn": found.svn,
        "euiccFirmwareVer": found.firmware,
        "extCardResource": {
            "installedApplication": found.installed_applications,
            "freeNonVolatileMemory": found.free_bytes,
            "freeVolatileMemory": found.free_ram_bytes,
        },
        "uiccCapability": list(found.capabilities),
        "ts102241Version": found.ts102241_version,
        "globalplatformVersion": found.globalplatform_version,
        "rspCapability": list(found.rsp_capabilities),
        "euiccCiPKIdListForVerification": list(found.verification_keys),
        "euiccCiPKIdListForSigning": list(found.signing_keys),
        "euiccCategory": found.category,
        "forbiddenProfilePolicyRules": list(found.forbidden_policy),
        "ppVersion": found.pp_version,
        "sasAcreditationNumber": found.sas_number,
        "certificationDataObject": {"platformLabel": found.platform_label, "discoveryBaseURL": found.discovery_url},
        "ipaMode": found.ipa_mode,
        "iotVersion": found.iot_version,
    }


def profile_values(found: Profile) -> Values:
    """The names of ProfileInfo."""
    return {
        "iccid": found.iccid,
        "isdpAid": None if found.aid is None else found.aid.hex(),
        "profileState": found.state,
        "profileNickname": found.nickname,
        "serviceProviderName": found.provider,
        "profileName": found.name,
        "iconType": found.icon_type,
        "icon": None if found.icon is None else b64encode(found.icon).decode(),
        "profileClass": found.profile_class,
        "profileOwner": None if found.owner is None else asdict(found.owner),
        "profilePolicyRules": sorted(found.policy),
        "notificationAddresses": list(found.addresses),
    }


def notification_values(found: Notification) -> Values:
    """The names of NotificationMetadata, and what its operator is sent where that was read."""
    told = {
        "seqNumber": found.seq,
        "profileManagementOperation": found.operation,
        "notificationAddress": found.address,
        "iccid": found.iccid,
    }
    return told if found.raw is None else told | {"pendingNotification": b64encode(found.raw).decode()}


def result_values(found: InstallResult) -> Values:
    """A load that ended well; ``Refused`` for the others."""
    if not found.ok:
        raise replies.Refused(codes.UNDEFINED if found.reason is None else found.reason, codes.REASONS)
    return notification_values(found.notification) | {"isdpAid": None if found.aid is None else found.aid.hex()}


DECODERS: dict[str, Callable[[bytes], Values]] = {
    "EuiccConfiguredAddresses": addresses_values,
    "SetDefaultDPAddress": nothing(requests.SET_DEFAULT_ADDRESS, codes.PLAIN),
    "GetEuiccData": lambda data: {"eidValue": replies.eid(data)},
    "GetEuiccInfo1": lambda data: info1_values(replies.info1(data)),
    "GetEuiccInfo2": lambda data: info2_values(replies.info2(data)),
    "GetEuiccChallenge": lambda data: {"euiccChallenge": replies.challenge(data).hex()},
    "ProfileInfoList": lambda data: {"profileInfoList": [profile_values(one) for one in replies.profiles(data)]},
    "EnableProfile": nothing(requests.ENABLE, codes.ENABLE),
    "DisableProfile": nothing(requests.DISABLE, codes.DISABLE),
    "DeleteProfile": nothing(requests.DELETE, codes.DELETE),
    "SetNickname": nothing(requests.NICKNAME, codes.NICKNAME),
    "EuiccMemoryReset": nothing(requests.MEMORY_RESET, codes.RESET),
    "ListNotification": lambda data: {
        "notificationMetadataList": [notification_values(one) for one in replies.notifications(data)]
    },
    "RetrieveNotificationsList": lambda data: {
        "notificationList": [notification_values(one) for one in replies.pending(data)]
    },
    "NotificationSent": nothing(requests.NOTIFICATION_SENT, codes.SENT),
    "AuthenticateServer": lambda data: {"authenticateServerResponse": b64encode(replies.authenticated(data)).decode()},
    "PrepareDownload": lambda data: {"prepareDownloadResponse": b64encode(replies.prepared(data)).decode()},
    "CancelSession": lambda data: {"cancelSessionResponse": b64encode(replies.cancelled(data)).decode()},
    "LoadBoundProfilePackage": lambda data: result_values(replies.installed(data)),
}
LISTS = ("ProfileInfoList", "ListNotification", "RetrieveNotificationsList")
"""Functions that have a name for each choice: ListNotificationInstall."""


def decoder_of(name: str) -> Callable[[bytes], Values]:
    """By a function's name; of lists by that of each choice too."""
    known = DECODERS.get(name) or next((DECODERS[one] for one in LISTS if name.startswith(one)), None)
    if known is None:
        raise InvalidInput(f"there is no function {name[:60]!r}", field="function")
    return known


def identifier(given: Mapping[str, Any]) -> bytes:
    """A profile by its ``iccid`` or ``aid``, as the object that names it."""
    if "iccid" in given:
        return tlv.encode(requests.ICCID, encode_iccid(text_of(given, "iccid")))
    if "aid" in given:
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
    value = given.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool):
        raise InvalidInput(f"{name} is a whole number", field=name)
    return value


def flag_of(given: Mapping[str, Any], name: str, default: bool) -> bool:
    """Yes or no."""
    value = given.get(name, default)
    if not isinstance(value, bool):
        raise InvalidInput(f"{name} is true or false", field=name)
    return value


def written(values: Values) -> str:
    """One line of JSON."""
    return json.dumps(values, ensure_ascii=False)
