"""Profiles on a virtual eUICC: what a card lists of them, and which card and network they are to the modem."""

from __future__ import annotations

import contextlib
from dataclasses import field

from remsim.core import tlv
from remsim.core.small_dataclass import dataclass

AID_BASE = bytes.fromhex("A0000005591010FFFFFFFF89")
"""In front of the four octets that number an ISD-P."""
FIRST_ISDP = 0x1000
EVENTS = {"install": 0x80, "enable": 0x40, "disable": 0x20, "delete": 0x10}
CLASSES = ("test", "provisioning", "operational")
POLICY = {"update_control": 0x80, "cannot_disable": 0x40, "cannot_delete": 0x20, "delete_on_disable": 0x10}
REFUSING_PLMNS = {"99903": "denied", "99904": "none"}
"""How the simulated network takes a card, by the first digits of its IMSI; any other is at home."""


@dataclass(slots=True)
class CardProfile:
    """One profile. ``iccid`` are its digits, ``owner`` MCC and MNC in digits, ``gid1`` and ``gid2`` the owner's.

    ``notify`` are events (keys of ``EVENTS``) and the address that wants to hear of them. ``operator`` is the network's
    name as the modem shows it, None for the one of the drive. ``package_sha256`` is of what was loaded.
    """

    iccid: str
    provider: str = ""
    name: str = ""
    nickname: str = ""
    profile_class: str = "operational"
    icon: bytes | None = None
    icon_type: int = 1
    owner: str | None = None
    gid1: bytes | None = None
    gid2: bytes | None = None
    policy: frozenset[str] = frozenset()
    notify: list[tuple[frozenset[str], str]] = field(default_factory=list)
    smdp_oid: bytes | None = None
    size: int = 40_000
    is_enabled: bool = False
    is_preloaded: bool = False
    aid: bytes = b""
    imsi: str = ""
    operator: str | None = None
    package_sha256: str = ""

    @property
    def network(self) -> str:
        """``home`` lets it in, ``denied`` refuses it, ``none`` is never found."""
        return REFUSING_PLMNS.get(self.imsi[:5], "home")


def iccid_octets(digits: str) -> bytes:
    """Ten octets with swapped digits, padded with F: 8949449999999990007 is 989444999999990900F7."""
    return swapped(bytes.fromhex(digits.ljust(20, "F")))


def iccid_digits(octets: bytes) -> str:
    """The digits of ten octets."""
    return swapped(octets).hex().upper().rstrip("F")


def swapped(octets: bytes) -> bytes:
    """The halves of each octet in the other order."""
    return bytes(octet << 4 & 0xF0 | octet >> 4 for octet in octets)


def plmn_octets(plmn: str) -> bytes:
    """MCC and MNC in 24.008's form: 26202 is 62F220. Wildcards are E."""
    mcc, mnc = plmn[:3], plmn[3:]
    third = mnc[2] if len(mnc) > 2 else "F"
    return bytes.fromhex(mcc[1] + mcc[0] + third + mcc[2] + mnc[1] + mnc[0])


def plmn_digits(octets: bytes) -> str:
    """The other way."""
    text = octets.hex().upper()
    return (text[1] + text[0] + text[3] + text[5] + text[4] + text[2]).rstrip("F")


@dataclass(frozen=True, slots=True)
class Named:
    """Whom a profile package says it is; None where it does not. ``iccid`` are the octets of its header."""

    iccid: bytes | None = None
    imsi: str | None = None

    def is_for(self, iccid: str) -> bool:
        """Whether nothing speaks against an ICCID: SAIP has the digits in their order, some packages swap them."""
        octets = iccid_octets(iccid)
        return self.iccid is None or self.iccid in (octets, swapped(octets))


def taken(package: bytes) -> Named:
    """The ICCID of the header and the IMSI of the USIM in a package of SAIP; tests may load anything else."""
    iccid = imsi = None
    with contextlib.suppress(tlv.TlvError):
        for element in tlv.read_all(package):
            if element.tag == 0xA0 and (found := element.find(0x83)) is not None and len(found.value) == 10:
                iccid = iccid or found.value
            if element.tag == 0xB3 and (found := element.find(0xA3, 0x83)) is not None:
                imsi = imsi or imsi_digits(found.value)
    return Named(iccid, imsi)


def imsi_digits(octets: bytes) -> str | None:
    """What EF.IMSI holds: its length, then digits behind a nibble for odd or even."""
    if len(octets) < 2 or octets[0] not in range(1, len(octets)):
        return None
    digits = swapped(octets[1 : 1 + octets[0]]).hex()[1:].rstrip("f")
    return digits if digits.isdecimal() else None
