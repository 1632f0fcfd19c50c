"""What answers of eUICCs say, as the values of ``remsim esim decode``: by the names of SGP.22's ASN.1 and of lpac."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from remsim.core.errors import InvalidInput
from remsim.esim.es10 import codes, replies, requests
from remsim.esim.es10.info import EuiccInfo1, EuiccInfo2
from remsim.esim.es10.notifications import InstallResult, Notification
from remsim.esim.es10.profiles import Profile

Values = dict[str, Any]


def nothing(tag: int, table: replies.Table) -> Callable[[bytes], Values]:
    """A decoder of answers that are a number only."""

    def read(data: bytes) -> Values:
        replies.result(data, tag, table)
        return {}

    return read


def rules_values(data: bytes) -> Values:
    rules = [
        {
            "pprIds": list(one.policy),
            "allowedOperators": [asdict(operator) for operator in one.operators],
            "pprFlags": ["consentRequired"] if one.is_consent_needed else [],
        }
        for one in replies.rules(data)
    ]
    return {"rulesAuthorisationTable": rules}


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
        "notificationList": [notification_values(one) for one in replies.retrieved(data)]
    },
    "NotificationSent": nothing(requests.NOTIFICATION_SENT, codes.SENT),
    "AuthenticateServer": lambda data: {"authenticateServerResponse": b64encode(replies.authenticated(data)).decode()},
    "PrepareDownload": lambda data: {"prepareDownloadResponse": b64encode(replies.prepared(data)).decode()},
    "CancelSession": lambda data: {"cancelSessionResponse": b64encode(replies.cancelled(data)).decode()},
    "GetRAT": rules_values,
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
