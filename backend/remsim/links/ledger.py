"""What links cost and have carried, as the control loop asks for it and tells it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from remsim.core.small_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Money:
    """The costs of a link now: fields of core.routes.LinkView of the same names."""

    cost_per_gb_minor: float | None = None
    overage_per_gb_minor: float | None = None
    currency: str = ""
    remaining_bytes: int | None = None
    reset_s: float | None = None
    cap_state: str = "ok"
    cap_bytes: int | None = None
    cycle_s: float | None = None


UNKNOWN = Money()


class Ledger(Protocol):
    """Keeps books. ``seen`` and ``money`` are called from the control thread, and must not make it wait for a disk:
    what has to be looked up is when ``on_due``, which they call, has had ``keep`` called."""

    on_due: Callable[[], None]

    def seen(self, index: int, rx_bytes: int, tx_bytes: int, policies: Mapping[int, int]) -> None:
        """A link has carried this much more since it was last told; ``policies`` is how much of it each policy's flows
        did, by number (0: no policy), which may be less than all. About once a second, for links that carried."""

    def money(self, index: int) -> Money:
        """What a link costs now, and how it stands with its cap."""

    def keep(self) -> None:
        """Look up and write what is due; called each ten seconds or so from a thread that may wait."""


class NoLedger:
    """Knows no prices and keeps nothing."""

    on_due: Callable[[], None]

    def seen(self, index: int, rx_bytes: int, tx_bytes: int, policies: Mapping[int, int]) -> None:
        """Forget it."""

    def money(self, index: int) -> Money:
        """Nothing is known."""
        return UNKNOWN

    def keep(self) -> None:
        """There is nothing."""
