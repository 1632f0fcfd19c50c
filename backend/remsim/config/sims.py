"""Plans of SIMs: sections of type ``sim`` of ``/etc/config/remsim_console``.

A section is named after the SIM's id in history and usage, which is a keyed hash of its number: ``sim_1a2b3c4d`` for
``sim-1a2b3c4d``, for UCI knows no dash in names.
"""

from __future__ import annotations

from dataclasses import field
from datetime import date

from marshmallow import ValidationError

from remsim.config.fields import Options, SectionType
from remsim.core.forms import Choice, StrictNumber, Text, Whole
from remsim.core.small_dataclass import dataclass

BYTES_OF_GB = 1_000_000_000
COUNTED = {"both": "received and sent", "rx": "received only"}
MOST_SIMS = 64
APN = r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?"
TOLD_APN = "has letters, digits, dots and hyphens only (3GPP TS 23.003)"
LOGIN = r"[ !#-\[\]-~]*"
TOLD_LOGIN = "has letters without accents, digits and signs only, and neither quotes nor backslashes"
PDP_TYPES = {"IPV4V6": "IPv4 and IPv6", "IP": "IPv4", "IPV6": "IPv6"}
AUTHS = {"none": "None", "pap": "PAP", "chap": "CHAP"}


@dataclass(frozen=True, slots=True)
class SimSettings:
    """What is known of one SIM's plan."""

    section: str
    name: str = ""
    billing_day: int = 1
    cap_gb: float | None = None
    counts: str = "both"
    price_cycle: float | None = None
    price_gb: float | None = None
    currency: str = ""
    note: str = ""
    report_channel: str | None = None
    expires: str = ""
    apn: str = ""
    pdp_type: str = "IPV4V6"
    apn_auth: str = "none"
    apn_username: str = ""
    apn_password: str | None = field(default=None, repr=False)

    @property
    def sim(self) -> str:
        """The SIM's id in readings and usage."""
        return self.section.replace("_", "-")

    @property
    def cap_bytes(self) -> int | None:
        """The cap; a gigabyte of a plan is 10^9 bytes."""
        return None if self.cap_gb is None else round(self.cap_gb * BYTES_OF_GB)

    def cost_of(self, counted_bytes: int | None) -> float | None:
        """What a cycle costs in which so much was counted; None when no price, or no volume, is known."""
        if self.price_cycle is None and self.price_gb is None:
            return None
        if self.price_gb is None:
            return self.price_cycle
        if counted_bytes is None:
            return None
        paid_bytes = max(0, counted_bytes - (self.cap_bytes or 0))
        return round((self.price_cycle or 0) + self.price_gb * paid_bytes / BYTES_OF_GB, 2)


def check_day(text: str) -> None:
    """A day, ``2026-12-31``."""
    try:
        if text:
            date.fromisoformat(text)
    except ValueError:
        raise ValidationError("is not a day like 2026-12-31") from None


class SimOptions(Options):
    """Sections of type ``sim``."""

    name = Text(0, 64, metadata={"label": "Name", "help": "What to call this SIM"})
    billing_day = Whole(
        1, 31, metadata={"label": "Billing day", "help": "Of the month; the last day where the month is shorter"}
    )
    cap_gb = StrictNumber(
        0.001, 1_000_000, metadata={"label": "Data cap", "unit": "GB", "help": "A billing cycle; empty: none"}
    )
    counts = Choice(COUNTED, metadata={"label": "What counts"})
    price_cycle = StrictNumber(0, 1_000_000, metadata={"label": "Price of a cycle", "help": "Empty: none"})
    price_gb = StrictNumber(
        0, 1_000_000, metadata={"label": "Price of a GB", "help": "Each, or each above the cap where there is one"}
    )
    currency = Text(
        0, 8, pattern=r"[^\s<>&]*", told="has blanks", metadata={"label": "Currency", "help": "Of the prices, like EUR"}
    )
    note = Text(0, 200, metadata={"label": "Note", "help": "The plan, who pays"})
    report_channel = Text(
        1,
        32,
        pattern=r"[A-Za-z0-9_]+",
        told="is not a channel's name",
        metadata={"label": "Monthly report to", "help": "An e-mail channel; empty: nobody"},
    )
    expires = Text(
        0,
        10,
        pattern=r"[0-9]{4}-[0-9]{2}-[0-9]{2}",
        told="is not a day like 2026-12-31",
        validate=check_day,
        metadata={"label": "Plan ends", "help": "The last day, like 2026-12-31"},
    )
    apn = Text(
        0,
        100,
        pattern=APN,
        told=TOLD_APN,
        metadata={"label": "APN", "help": "Put in force when this eSIM profile is switched to; empty: left as it is"},
    )
    pdp_type = Choice(PDP_TYPES, metadata={"label": "Addresses", "advanced": True})
    apn_auth = Choice(AUTHS, metadata={"label": "Authentication", "advanced": True})
    apn_username = Text(
        0, 64, pattern=LOGIN, told=TOLD_LOGIN, metadata={"label": "User name of the APN", "advanced": True}
    )
    apn_password = Text(
        1,
        64,
        pattern=LOGIN,
        told=TOLD_LOGIN,
        metadata={"label": "Password of the APN", "advanced": True, "secret": True},
    )


SIM = SectionType(
    "sim",
    SimOptions,
    SimSettings,
    "sims",
    "SIM plans",
    "A section is named after the SIM as Usage shows it, with an underscore: sim_1a2b3c4d",
    many=True,
    named_by="section",
    most=MOST_SIMS,
    page="usage",
    live=True,
)
