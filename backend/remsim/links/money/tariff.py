"""What a link costs. Money is in minor units (cents), a gigabyte is 10^9 bytes as in plans."""

from __future__ import annotations

from remsim.config.routing import LinkSettings
from remsim.config.sims import BYTES_OF_GB, SimSettings
from remsim.core.small_dataclass import dataclass

MEGABYTE = 1_000_000
MINOR = 100
"""Minor units of a plan's prices, which are written in major ones."""
WARN_PERCENT = 80.0
AT_CAP = {"leave": "soft", "slow": "slow", "alert": "warned", "switch": "soft"}
"""What a link at its cap is, by what is wanted then."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """The price of a billing cycle.

    ``per_gb_minor`` is paid for each gigabyte below the cap, or for all where there is none; ``overage_per_gb_minor``
    above it, None: nothing is sold above it. ``counts`` is both or rx.
    """

    flat_minor: float = 0.0
    cap_bytes: int | None = None
    per_gb_minor: float = 0.0
    overage_per_gb_minor: float | None = None
    cycle_day: int = 1
    currency: str = ""
    counts: str = "both"

    def cost_minor(self, counted_bytes: int) -> float:
        """What a cycle costs in which so much was counted. What is not sold is not paid."""
        below = counted_bytes if self.cap_bytes is None else min(counted_bytes, self.cap_bytes)
        above = counted_bytes - below
        return self.flat_minor + (below * self.per_gb_minor + above * (self.overage_per_gb_minor or 0.0)) / BYTES_OF_GB

    def next_gb_minor(self, counted_bytes: int) -> float | None:
        """The price of the next gigabyte; None where none is sold."""
        if self.cap_bytes is None or counted_bytes < self.cap_bytes:
            return self.per_gb_minor
        return self.overage_per_gb_minor

    def counted(self, rx_bytes: int, tx_bytes: int) -> int:
        """The bytes that count."""
        return rx_bytes if self.counts == "rx" else rx_bytes + tx_bytes


def tariff_of(link: LinkSettings, plan: SimSettings | None) -> Tariff | None:
    """A link's tariff: its own where one is written, else the plan of its SIM; None where nothing is known."""
    own = (link.cap_mbytes, link.flat_minor, link.cost_per_gb_minor, link.overage_per_gb_minor)
    if any(one is not None for one in own):
        return Tariff(
            flat_minor=float(link.flat_minor or 0),
            cap_bytes=None if link.cap_mbytes is None else link.cap_mbytes * MEGABYTE,
            per_gb_minor=float(link.cost_per_gb_minor or 0),
            overage_per_gb_minor=None if link.overage_per_gb_minor is None else float(link.overage_per_gb_minor),
            cycle_day=link.cycle_day,
            currency=link.currency,
        )
    if plan is None or (plan.cap_gb, plan.price_cycle, plan.price_gb) == (None, None, None):
        return None
    price = None if plan.price_gb is None else plan.price_gb * MINOR
    return Tariff(
        flat_minor=(plan.price_cycle or 0.0) * MINOR,
        cap_bytes=plan.cap_bytes,
        per_gb_minor=0.0 if plan.cap_bytes is not None else price or 0.0,
        overage_per_gb_minor=price if plan.cap_bytes is not None else None,
        cycle_day=plan.billing_day,
        currency=plan.currency,
        counts=plan.counts,
    )


def is_at_cap(link: LinkSettings, tariff: Tariff, used_bytes: int) -> bool:
    """Whether a link has used its data cap, less the margin."""
    cap = tariff.cap_bytes
    return bool(cap and 100 * used_bytes / cap >= 100 - link.margin_percent)


def cap_state(link: LinkSettings, tariff: Tariff, used_bytes: int) -> str:
    """How a link stands with its cap: ok, warned, slow, soft or hard.

    The cap is near ``margin_percent`` before its end, because operators count otherwise than the kernel.
    """
    if not tariff.cap_bytes:
        return "ok"
    percent = 100 * used_bytes / tariff.cap_bytes
    if percent >= 100 and link.cap_hard:
        return "hard"
    if is_at_cap(link, tariff, used_bytes):
        return AT_CAP.get(link.at_cap, "soft")
    return "warned" if percent >= WARN_PERCENT else "ok"
