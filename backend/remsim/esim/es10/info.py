"""What a card tells of itself: EUICCInfo1 and EUICCInfo2 (SGP.22 §5.7.8), the addresses it is set to."""

from __future__ import annotations

from typing import Any

from remsim.core.small_dataclass import dataclass
from remsim.core.tlv import Tlv, read_all, read_integer
from remsim.esim.es10.profiles import Owner, read_bits, read_owner, text

CAPABILITIES = (
    "contactlessSupport", "usimSupport", "isimSupport", "csimSupport", "akaMilenage", "akaCave", "akaTuak128",
    "akaTuak256", "rfu1", "rfu2", "gbaAuthenUsim", "gbaAuthenISim", "mbmsAuthenUsim", "eapClient", "javacard", "multos",
    "multipleUsimSupport", "multipleIsimSupport", "multipleCsimSupport", "berTlvFileSupport", "dfLinkSupport", "catTp",
    "getIdentity", "profile-a-x25519", "profile-b-p256", "suciCalculatorApi", "dns-resolution", "scp11ac",
    "scp11c-authorization-mechanism", "s16mode", "eaka", "iotminimal",
)  # fmt: skip
"""UICCCapability of the eUICC Profile Package specification, by bit."""
RSP_CAPABILITIES = (
    "additionalProfile", "crlSupport", "rpmSupport", "testProfileSupport", "deviceInfoExtensibilitySupport",
    "serviceSpecificDataSupport", "hriServerAddressSupport", "serviceProviderMessageSupport", "lpaProxySupport",
    "enterpriseProfilesSupport", "serviceDescriptionSupport", "deviceChangeSupport", "encryptedDeviceChangeDataSupport",
    "estimatedProfileSizeIndicationSupport", "profileSizeInProfilesInfoSupport", "crlStaplingV3Support",
    "certChainV3VerificationSupport", "signedSmdsResponseV3Support", "euiccRspCapInInfo1", "osUpdateSupport",
    "cancelForEmptySpnPnSupport", "updateNotifConfigInfoSupport", "updateMetadataV3Support",
    "v3ObjectsInCtxParamsCASupport", "pushServiceRegistrationSupport",
)  # fmt: skip
POLICY_RULES = ("pprUpdateControl", "ppr1", "ppr2", "ppr3")
CATEGORIES = ("other", "basicEuicc", "mediumEuicc", "contactlessEuicc")
IPA_MODES = ("IPAd", "IPAe")


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a card is to ask for profiles; None where it does not say."""

    default_smdp: str | None
    root_smds: str | None


@dataclass(frozen=True, slots=True)
class EuiccInfo1:
    """The specification's version it follows, and the roots it trusts and signs for (key ids in hex)."""

    svn: str | None
    verification_keys: tuple[str, ...]
    signing_keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EuiccInfo2:
    """Everything a card tells of itself; memory in octets."""

    profile_version: str | None = None
    svn: str | None = None
    firmware: str | None = None
    installed_applications: int | None = None
    free_bytes: int | None = None
    free_ram_bytes: int | None = None
    capabilities: tuple[str, ...] = ()
    ts102241_version: str | None = None
    globalplatform_version: str | None = None
    rsp_capabilities: tuple[str, ...] = ()
    verification_keys: tuple[str, ...] = ()
    signing_keys: tuple[str, ...] = ()
    category: str | None = None
    forbidden_policy: tuple[str, ...] = ()
    pp_version: str | None = None
    sas_number: str | None = None
    platform_label: str | None = None
    discovery_url: str | None = None
    ipa_mode: str | None = None
    iot_version: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """The ``euicc`` of ``GET /api/v1/esim``, without its addresses."""
        iot = {"version": self.iot_version, "ipa_mode": self.ipa_mode}
        return {
            "svn": self.svn,
            "firmware": self.firmware,
            "profile_version": self.profile_version,
            "free_bytes": self.free_bytes,
            "free_ram_bytes": self.free_ram_bytes,
            "category": self.category,
            "sas": self.sas_number,
            "platform": self.platform_label,
            "capabilities": [*self.capabilities, *self.rsp_capabilities],
            "roots": list(self.verification_keys),
            "forbidden_policy": list(self.forbidden_policy),
            "iot": iot if any(iot.values()) else None,
        }


@dataclass(frozen=True, slots=True)
class Rule:
    """Which policy rules operators may give to profiles on this card; an operator without a network is any."""

    policy: tuple[str, ...]
    operators: tuple[Owner, ...]
    is_consent_needed: bool


def read_rule(tlv: Tlv) -> Rule:
    """One line of the RulesAuthorisationTable."""
    members = {one.tag: one for one in tlv.children()}
    operators = members[0xA1].children() if 0xA1 in members else ()
    flags = members.get(0x82)
    return Rule(
        names(POLICY_RULES, members.get(0x80)),
        tuple(read_owner(one) for one in operators),
        flags is not None and 0 in read_bits(flags.value),
    )


def read_addresses(tlv: Tlv) -> Addresses:
    """BF3C."""
    default, root = tlv.find(0x80), tlv.find(0x81)
    return Addresses(
        None if default is None else text(default.value).strip() or None,
        None if root is None else text(root.value).strip() or None,
    )


def read_info1(tlv: Tlv) -> EuiccInfo1:
    """BF20."""
    members = {one.tag: one for one in tlv.children()}
    return EuiccInfo1(version(members.get(0x82)), keys(members.get(0xA9)), keys(members.get(0xAA)))


def read_info2(tlv: Tlv) -> EuiccInfo2:
    """BF22; members that are not known are passed over."""
    members = {one.tag: one for one in tlv.children()}
    resources = {one.tag: one.value for one in read_all(members[0x84].value)} if 0x84 in members else {}
    label = members.get(0xAC)
    sas = members.get(0x0C)
    return EuiccInfo2(
        profile_version=version(members.get(0x81)),
        svn=version(members.get(0x82)),
        firmware=version(members.get(0x83)),
        installed_applications=size(resources.get(0x81)),
        free_bytes=size(resources.get(0x82)),
        free_ram_bytes=size(resources.get(0x83)),
        capabilities=names(CAPABILITIES, members.get(0x85)),
        ts102241_version=version(members.get(0x86)),
        globalplatform_version=version(members.get(0x87)),
        rsp_capabilities=names(RSP_CAPABILITIES, members.get(0x88)),
        verification_keys=keys(members.get(0xA9)),
        signing_keys=keys(members.get(0xAA)),
        category=chosen(CATEGORIES, members.get(0x8B)),
        forbidden_policy=names(POLICY_RULES, members.get(0x99)),
        pp_version=version(members.get(0x04)),
        sas_number=None if sas is None else text(sas.value),
        platform_label=inside(label, 0x80),
        discovery_url=inside(label, 0x81),
        ipa_mode=chosen(IPA_MODES, members.get(0x90)),
        iot_version=iot_version(members.get(0xB4)),
    )


def version(tlv: Tlv | None) -> str | None:
    """Three numbers, 2.2.2; of another length as many as there are."""
    return None if tlv is None or not tlv.value else ".".join(map(str, tlv.value))


def iot_version(tlv: Tlv | None) -> str | None:
    """The newest version of SGP.32 that a card follows."""
    found = None if tlv is None else tlv.find(0xA0)
    versions = [] if found is None else [one for one in found.children() if one.tag == 0x04]
    return version(max(versions, key=lambda one: one.value)) if versions else None


def keys(tlv: Tlv | None) -> tuple[str, ...]:
    """Key ids."""
    return () if tlv is None else tuple(one.value.hex() for one in tlv.children())


def size(value: bytes | None) -> int | None:
    """A number of octets. Cards write it with and without the sign's bit, and it is never below zero."""
    return None if value is None else read_integer(b"\0" + value)


def names(table: tuple[str, ...], tlv: Tlv | None) -> tuple[str, ...]:
    """Words of the bits that are set; bits of later versions by their number."""
    if tlv is None:
        return ()
    return tuple(table[bit] if bit < len(table) else f"bit{bit}" for bit in sorted(read_bits(tlv.value)))


def chosen(table: tuple[str, ...], tlv: Tlv | None) -> str | None:
    """The word of a number; the number where there is none."""
    if tlv is None:
        return None
    number = read_integer(tlv.value)
    return table[number] if 0 <= number < len(table) else str(number)


def inside(tlv: Tlv | None, tag: int) -> str | None:
    """A text inside an object."""
    found = None if tlv is None else tlv.find(tag)
    return None if found is None else text(found.value) or None
