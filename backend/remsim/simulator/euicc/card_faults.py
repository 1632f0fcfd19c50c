"""What a virtual eUICC can be made to do wrong; each until it is done or cleared."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from remsim.core.small_dataclass import dataclass

SIGNATURES = ("authenticate", "prepare", "result", "notification", "cancel")
BREAKS_AT = 9
"""The block of a package at which it goes wrong on demand: the profile itself has begun."""
SLOW_S = 2.0


@dataclass(slots=True)
class CardFaults:
    """Counts are of how often it still happens; blocks are STORE DATA commands from now on, the next is 1.

    ``status_at`` answers block n with a status instead of doing it, ``removed_at`` takes the card out there; with
    ``in_package`` only blocks of a package count. ``delay_s`` makes every answer late, ``load_delay_s`` those of a
    package. ``mac_failure`` takes the MAC of a package's protected piece n, from 1, for wrong. ``error_reason`` ends
    the next installation with a reason of SGP.22 once its metadata is there: 9 the ICCID exists, 10 no memory, 12, 14,
    15. ``wrong_signature`` is what the card signs wrongly, of ``SIGNATURES``. ``cat_busy`` refuses switches.
    ``refuses_refresh``: a switch with the flag for it fails, without it works; ``ignores_refresh``: the modem is not
    told. ``is_proactive`` ends such an answer with 91xx. ``loses_channels`` closes all of them after a switch.
    """

    status_at: tuple[int, int] | None = None
    removed_at: int | None = None
    in_package: bool = False
    is_removed: bool = False
    cat_busy: int = 0
    delay_s: float = 0.0
    load_delay_s: float = 0.0
    mac_failure: int | None = None
    error_reason: int | None = None
    wrong_signature: str | None = None
    refuses_refresh: bool = False
    ignores_refresh: bool = False
    loses_channels: bool = False
    is_proactive: bool = False

    def clear(self) -> None:
        """Nothing is wrong any more; a card that was taken out is back."""
        for field in fields(self):
            setattr(self, field.name, field.default)

    def set(self, **wanted: Any) -> None:
        """Name some of them."""
        for name, value in wanted.items():
            setattr(self, name, value)

    def is_removed_now(self, *, is_package: bool) -> bool:
        """Count a block; whether the card is taken out with this one."""
        if self.removed_at is None or self.in_package and not is_package:
            return False
        self.removed_at = self.removed_at - 1 if self.removed_at > 1 else None
        return self.removed_at is None

    def due_status(self, *, is_package: bool) -> int | None:
        """Count a block; the status to answer it with, if any."""
        if self.status_at is None or self.in_package and not is_package:
            return None
        number, status = self.status_at
        self.status_at = (number - 1, status) if number > 1 else None
        return status if number <= 1 else None


ON_DEMAND: dict[str, dict[str, Any]] = {
    "euicc_memory_full": {"error_reason": 10},
    "euicc_has_profile": {"error_reason": 9},
    "euicc_bad_profile": {"error_reason": 12},
    "euicc_policy": {"error_reason": 15},
    "euicc_wrong_mac": {"mac_failure": 5},
    "euicc_wrong_signature": {"wrong_signature": "authenticate"},
    "euicc_breaks": {"status_at": (BREAKS_AT, 0x6F00), "in_package": True},
    "euicc_removed": {"removed_at": BREAKS_AT, "in_package": True},
    "euicc_busy": {"cat_busy": 2},
    "euicc_slow": {"load_delay_s": SLOW_S},
    "euicc_refuses_refresh": {"refuses_refresh": True},
    "euicc_ignores_refresh": {"ignores_refresh": True},
    "euicc_loses_channels": {"loses_channels": True},
}
"""What each of ``control.EUICC_FAULTS`` sets."""
