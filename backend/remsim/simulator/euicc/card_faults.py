"""What a virtual eUICC can be made to do wrong; each until it is done or cleared."""

from __future__ import annotations

from dataclasses import dataclass

SIGNATURES = ("authenticate", "prepare", "result", "notification", "cancel")


@dataclass(slots=True)
class CardFaults:
    """Counts are of how often it still happens; blocks are STORE DATA commands from now on, the next is 1.

    ``status_at`` answers block n with a status instead of doing it, ``removed_at`` takes the card out there.
    ``delay_s`` makes every answer late, ``load_delay_s`` those of a package. ``mac_failure`` takes the MAC of a
    package's protected piece n, from 1, for wrong. ``error_reason`` ends the next installation with a reason of
    SGP.22 once its metadata is there: 9 the ICCID exists, 10 no memory, 12, 14, 15. ``wrong_signature`` is what the
    card signs wrongly, of ``SIGNATURES``. ``refuses_refresh``: a switch with the flag for it fails, without it works;
    ``ignores_refresh``: the modem is not told. ``is_proactive`` ends such an answer with 91xx. ``loses_channels``
    closes all of them after a switch.
    """

    status_at: tuple[int, int] | None = None
    removed_at: int | None = None
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

    def is_removed_now(self) -> bool:
        """Count a block; whether the card is taken out with this one."""
        if self.removed_at is None:
            return False
        self.removed_at = self.removed_at - 1 if self.removed_at > 1 else None
        return self.removed_at is None

    def due_status(self) -> int | None:
        """Count a block; the status to answer it with, if any."""
        if self.status_at is None:
            return None
        number, status = self.status_at
        self.status_at = (number - 1, status) if number > 1 else None
        return status if number <= 1 else None
