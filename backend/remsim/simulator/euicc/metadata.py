"""StoreMetadata as the card takes it: a profile's names, icon, class, policy, and whom to tell (SGP.22 5.5.3)."""

from __future__ import annotations

from remsim.simulator.euicc import der
from remsim.simulator.euicc.chip import policy_names
from remsim.simulator.euicc.profiles import CLASSES, EVENTS, CardProfile, iccid_digits, plmn_digits

INCORRECT_VALUES, WRONG_CLASS = 1, 6
LARGEST_ICON = 1024
TAGS = {0x5A, 0x91, 0x92, 0x93, 0x94, 0x95, 0xB6, 0xB7, 0x99, 0xBF76, 0xBF22, 0xBF23}


class Failed(Exception):
    """The installation ends here, for a reason of SGP.22's ErrorReason."""

    def __init__(self, reason: int) -> None:
        super().__init__(str(reason))
        self.reason = reason


def described(found: list[der.Part]) -> CardProfile:
    """A profile from StoreMetadata; ``Failed``."""
    values = {part.tag: part.value for part in found}
    iccid, kind = values.get(0x5A, b""), values.get(0x95, b"\x02")
    if len(iccid) != 10 or any(part.tag not in TAGS for part in found):
        raise Failed(INCORRECT_VALUES)
    if len(kind) != 1 or kind[0] >= len(CLASSES):
        raise Failed(WRONG_CLASS)
    names = [words(values.get(tag, b""), most) for tag, most in ((0x91, 32), (0x92, 64))]
    icon, icon_type = values.get(0x94), values.get(0x93)
    if icon is not None and (icon_type not in (b"\0", b"\1") or len(icon) > LARGEST_ICON):
        raise Failed(INCORRECT_VALUES)
    owner = der.parts(values[0xB7]) if 0xB7 in values else []
    plmn = der.value(owner, 0x80)
    if plmn is not None and len(plmn) != 3:
        raise Failed(INCORRECT_VALUES)
    return CardProfile(
        iccid=iccid_digits(iccid),
        provider=names[0],
        name=names[1],
        profile_class=CLASSES[kind[0]],
        icon=icon,
        icon_type=icon_type[0] if icon_type else 1,
        owner=None if plmn is None else plmn_digits(plmn),
        gid1=der.value(owner, 0x81),
        gid2=der.value(owner, 0x82),
        policy=policy_names(values.get(0x99, b"")),
        notify=[asked(der.parts(part.value)) for part in der.parts(values.get(0xB6, b""))],
    )


def words(octets: bytes, most: int) -> str:
    """UTF-8 of so many octets at most; ``Failed``."""
    try:
        found = octets.decode()
    except UnicodeDecodeError as error:
        raise Failed(INCORRECT_VALUES) from error
    if len(octets) > most:
        raise Failed(INCORRECT_VALUES)
    return found


def asked(found: list[der.Part]) -> tuple[frozenset[str], str]:
    """Which events an address wants to hear of; ``Failed``."""
    events, address = der.value(found, 0x80), der.value(found, 0x81)
    if events is None or address is None:
        raise Failed(INCORRECT_VALUES)
    wanted = der.first_bits(events)
    return frozenset(name for name, bit in EVENTS.items() if wanted & bit), words(address, 255)
