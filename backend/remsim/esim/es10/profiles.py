"""What a card tells of its profiles, and a server of one that is to be downloaded: the same tags (SGP.22 §5.7.15)."""

from __future__ import annotations

from collections.abc import Iterable

from remsim.core.small_dataclass import dataclass
from remsim.core.tlv import Tlv, read_integer
from remsim.esim.ids import read_iccid, read_plmn

STATES = ("disabled", "enabled")
CLASSES = ("test", "provisioning", "operational")
ICON_TYPES = ("jpeg", "png")
UNKNOWN = "unknown"
POLICIES = {1: "cannot_disable", 2: "cannot_delete"}
"""Profile policy rules by their bit; bit 0 lets the operator change them later."""
MOST_PROFILES = 256


@dataclass(frozen=True, slots=True)
class Owner:
    """The operator: its network and what tells its brands apart."""

    plmn: str | None
    gid1: str | None = None
    gid2: str | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """One profile. ``iccid_raw`` is sent back as it came, for cards differ in how they fill short numbers up."""

    iccid: str | None = None
    iccid_raw: bytes | None = None
    aid: bytes | None = None
    state: str | None = None
    nickname: str | None = None
    provider: str | None = None
    name: str | None = None
    profile_class: str = "operational"
    icon: bytes | None = None
    icon_type: str | None = None
    owner: Owner | None = None
    policy: frozenset[str] = frozenset()
    addresses: tuple[str, ...] = ()
    """Of the servers that are told of changes."""


def read_profile(members: Iterable[Tlv]) -> Profile:
    """A profile of its members, in any order; what is not known is passed over. ``TlvError`` for what cannot be."""
    found: dict[str, object] = {}
    for tlv in members:
        if tlv.tag == 0x5A:
            found["iccid"], found["iccid_raw"] = read_iccid(tlv.value), tlv.value
        elif tlv.tag == 0x4F:
            found["aid"] = tlv.value
        elif tlv.tag == 0x9F70:
            found["state"] = word(STATES, tlv)
        elif tlv.tag in TEXTS:
            found[TEXTS[tlv.tag]] = text(tlv.value)
        elif tlv.tag == 0x93:
            found["icon_type"] = word(ICON_TYPES, tlv)
        elif tlv.tag == 0x94:
            found["icon"] = tlv.value
        elif tlv.tag == 0x95:
            found["profile_class"] = word(CLASSES, tlv)
        elif tlv.tag == 0xB7:
            found["owner"] = read_owner(tlv)
        elif tlv.tag == 0x99:
            found["policy"] = read_policy(tlv.value)
        elif tlv.tag == 0xB6:
            found["addresses"] = read_addresses(tlv)
    return Profile(**found)  # type: ignore[arg-type]


TEXTS = {0x90: "nickname", 0x91: "provider", 0x92: "name"}


def read_owner(tlv: Tlv) -> Owner:
    """The operator's network and groups."""
    plmn, gid1, gid2 = (tlv.find(tag) for tag in (0x80, 0x81, 0x82))
    return Owner(
        None if plmn is None else read_plmn(plmn.value),
        None if gid1 is None or not gid1.value else gid1.value.hex(),
        None if gid2 is None or not gid2.value else gid2.value.hex(),
    )


def read_policy(value: bytes) -> frozenset[str]:
    """What its operator does not let be done with a profile."""
    return frozenset(name for number, name in POLICIES.items() if number in read_bits(value))


def read_addresses(tlv: Tlv) -> tuple[str, ...]:
    """Servers that want to be told, once each."""
    told = (one.find(0x81) for one in tlv.children())
    return tuple(dict.fromkeys(text(one.value).strip() for one in told if one is not None))


def read_bits(value: bytes) -> frozenset[int]:
    """The numbers of the bits that are set; how many are said to be unused does not matter, for cards differ."""
    return frozenset(
        at * 8 + bit for at, octet in enumerate(value[1:]) for bit in range(8) if octet & 0x80 >> bit and at < 8
    )


def text(value: bytes) -> str:
    """UTF-8; what is none is replaced, for a name must not hide a profile."""
    return value.decode("utf-8", "replace")


def word(words: tuple[str, ...], tlv: Tlv) -> str:
    """The word of a number; one of a later version must not hide a profile either."""
    number = read_integer(tlv.value)
    return words[number] if 0 <= number < len(words) else UNKNOWN
