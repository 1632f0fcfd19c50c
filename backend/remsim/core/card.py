"""What modems and eSIM tell each other about a card's service; neither knows the other."""

from __future__ import annotations

from dataclasses import field

from remsim.core.small_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class AccessPoint:
    """What a profile's operator wants: see ``modems/control/apn``. ``auth`` is ``none``, ``pap`` or ``chap``."""

    apn: str
    pdp_type: str = "IPV4V6"
    auth: str = "none"
    username: str = ""
    password: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Service:
    """What a modem says of its card and the network now. ``sim`` is the card's id in history, ``iccid`` digits."""

    sim_state: str | None = None
    iccid: str | None = None
    sim: str | None = None
    is_registered: bool | None = None
    operator: str | None = None
    mcc: str | None = None
    rsrp_dbm: float | None = None


def is_same_card(one: str | None, other: str | None) -> bool:
    """Whether two numbers are one card's ICCID: modems leave the filler F or the check digit out, or add them."""
    if not one or not other:
        return False
    short, long = sorted((one.upper().rstrip("F"), other.upper().rstrip("F")), key=len)
    return len(short) >= 18 and long.startswith(short) and len(long) - len(short) <= 2
