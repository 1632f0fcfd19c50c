"""What all functions of a virtual eUICC work on: who it is, what it keeps and says of itself, and its signature."""

from __future__ import annotations

from collections.abc import Callable

from remsim.core import tlv
from remsim.core.small_dataclass import dataclass
from remsim.simulator.euicc import der, pki
from remsim.simulator.euicc.card_faults import CardFaults
from remsim.simulator.euicc.credentials import Credentials
from remsim.simulator.euicc.memory import Memory, Notification
from remsim.simulator.euicc.profiles import EVENTS, POLICY, CardProfile, iccid_octets, plmn_octets

FREE_RAM = 10_000
UICC_CAPABILITY = bytes.fromhex("067F36C0")
RSP_CAPABILITY = bytes.fromhex("90")
"""Further profiles and test profiles."""
IOT_VERSION = bytes.fromhex("010000")
IPAD = 0
"""ipaMode: the device asks the eIM, not the card."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the rules authorisation table: who may forbid what; E in an operator is any digit."""

    policy: frozenset[str]
    operators: tuple[str, ...] = ("EEEEEE",)
    is_consent_needed: bool = True


@dataclass(frozen=True, slots=True)
class Personality:
    """What kind of card it is. Versions are three octets; ``is_iot`` has the functions of SGP.32.

    ``is_managed``: once it has an eIM, it lets nobody else switch its profiles.
    """

    profile_version: bytes = b"\x02\x03\x01"
    svn: bytes = b"\x02\x02\x02"
    firmware: bytes = b"\x01\x02\x03"
    toolkit: bytes = b"\x0f\x00\x00"
    global_platform: bytes = b"\x02\x03\x00"
    category: int = 1
    forbidden_policy: frozenset[str] = frozenset()
    protection_profile: bytes = b"\x01\x00\x00"
    sas: str = "SIM-00-00001"
    platform: str | None = None
    rules: tuple[Rule, ...] = (Rule(frozenset({"cannot_disable", "cannot_delete"})),)
    is_iot: bool = False
    is_managed: bool = False


class Chip:
    """``refresh`` tells the modem to read the card anew."""

    def __init__(
        self, credentials: Credentials, memory: Memory, faults: CardFaults, personality: Personality
    ) -> None:
        self.credentials = credentials
        self.memory = memory
        self.faults = faults
        self.personality = personality
        self.refresh: Callable[[], None] = lambda: None

    def signature(self, kind: str, data: bytes) -> bytes:
        """5F37 with the card's signature; ``kind`` is one of ``card_faults.SIGNATURES``."""
        if self.faults.wrong_signature == kind:
            data += b"\0"
        return tlv.encode(0x5F37, self.credentials.euicc.sign(data))

    def certificates(self) -> bytes:
        """The card's and its maker's."""
        return self.credentials.euicc.der + pki.der_of(self.credentials.eum)

    def info1(self) -> bytes:
        """EUICCInfo1."""
        ids = [pki.key_id(root) for root in self.credentials.roots]
        own = [key for key in ids if key == pki.issuer_key_id(self.credentials.eum)]
        lists = (der.key_ids(0xA9, ids), der.key_ids(0xAA, own))
        return tlv.encode(0xBF20, tlv.encode(0x82, self.personality.svn), *lists)

    def info2(self) -> bytes:
        """EUICCInfo2."""
        one, memory = self.personality, self.memory
        resources = (
            tlv.encode(0x81, len(memory.profiles).to_bytes(1)),
            tlv.encode(0x82, memory.free.to_bytes(4)),
            tlv.encode(0x83, FREE_RAM.to_bytes(4)),
        )
        svn, *lists = der.parts(tlv.read_one(self.info1()).value)
        found = [
            tlv.encode(0x81, one.profile_version),
            svn.raw,
            tlv.encode(0x83, one.firmware),
            tlv.encode(0x84, *resources),
            tlv.encode(0x85, UICC_CAPABILITY),
            tlv.encode(0x86, one.toolkit),
            tlv.encode(0x87, one.global_platform),
            der.bits(0x88, RSP_CAPABILITY),
            *(each.raw for each in lists),
            der.integer(0x8B, one.category),
        ]
        if one.forbidden_policy:
            found.append(policy_bits(one.forbidden_policy))
        found += [tlv.encode(0x04, one.protection_profile), der.text(0x0C, one.sas)]
        if one.platform is not None:
            found.append(tlv.encode(0xAC, der.text(0x80, one.platform), der.text(0x81, "dloa.example.com")))
        if one.is_iot:
            found.append(der.integer(0x90, IPAD))
            found.append(tlv.encode(0xB4, tlv.encode(0xA0, tlv.encode(0x04, IOT_VERSION))))
        return tlv.encode(0xBF22, *found)

    def notify(self, event: str, profile: CardProfile) -> None:
        """Queue what the profile's operators want to hear of an event, one for each address."""
        for events, address in profile.notify:
            if event in events:
                seq, metadata = self.numbered(event, address, iccid_octets(profile.iccid))
                signed = metadata + self.signature("notification", metadata) + self.certificates()
                self.queue(Notification(seq, event, address, metadata, tlv.encode(0x30, signed)))

    def numbered(self, event: str, address: str, iccid: bytes | None) -> tuple[int, bytes]:
        """The next number, and the metadata of a notification with it."""
        seq = self.memory.next_seq()
        found = [der.integer(0x80, seq), der.bits(0x81, bytes((EVENTS[event],))), der.text(0x0C, address)]
        if iccid is not None:
            found.append(tlv.encode(0x5A, iccid))
        return seq, tlv.encode(0xBF2F, *found)

    def queue(self, notification: Notification) -> None:
        """Keep one until it is said to be sent."""
        self.memory.notifications.append(notification)

    def allows(self, policy: frozenset[str], owner: str | None) -> bool:
        """Whether the rules let an operator forbid that much, and the card has nothing against it."""
        wanted = policy - {"update_control"}
        if wanted & self.personality.forbidden_policy:
            return False
        return all(
            any(rule in row.policy and _is_listed(owner, row.operators) for row in self.personality.rules)
            for rule in wanted
        )

    def rules_table(self, tag: int = 0xA0) -> bytes:
        """The RulesAuthorisationTable."""
        rows = [
            tlv.encode(
                0x30,
                policy_bits(row.policy, 0x80),
                tlv.encode(0xA1, *(tlv.encode(0x30, tlv.encode(0x80, plmn_octets(one))) for one in row.operators)),
                der.bits(0x82, b"\x80" if row.is_consent_needed else b""),
            )
            for row in self.personality.rules
        ]
        return tlv.encode(tag, *rows)


def policy_bits(policy: frozenset[str], tag: int = 0x99) -> bytes:
    """PprIds."""
    return der.bits(tag, bytes((sum(POLICY[name] for name in policy),)))


def policy_names(value: bytes) -> frozenset[str]:
    """The other way."""
    found = der.first_bits(value)
    return frozenset(name for name, bit in POLICY.items() if found & bit)


def _is_listed(owner: str | None, operators: tuple[str, ...]) -> bool:
    """Whether an operator is one of them; E stands for any digit."""
    digits = (owner or "").ljust(6, "F")
    return any(
        all(wanted in ("E", digit) for wanted, digit in zip(one.ljust(6, "F"), digits, strict=True))
        for one in operators
    )
