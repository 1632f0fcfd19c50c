"""eSIM: section ``esim`` of ``/etc/config/remsim_console``."""

from __future__ import annotations

import re

from marshmallow import ValidationError

from remsim.config.fields import LONGEST_TEXT, PATH, Lines, Options, SectionType
from remsim.core.forms import Choice, Flag, Text, Whole
from remsim.core.small_dataclass import dataclass

HOST = r"[A-Za-z0-9]([A-Za-z0-9.-]{0,250}[A-Za-z0-9])?(:[0-9]{1,5})?"
LPAC = r"/(usr|opt)(/[A-Za-z0-9_][A-Za-z0-9_.-]*){0,6}/lpac"
"""A program of that name where programs are installed: who may change settings may not have any program run."""
MOST_AIDS = 16
ENGINES = {"own": "this console", "lpac": "lpac, where it is installed"}
NOTIFICATIONS = {"auto": "at once, and again until they are taken", "manual": "when you say so"}


@dataclass(frozen=True, slots=True)
class EsimSettings:
    """How eUICCs are worked with. ``register_minutes``: after a switch, before the way back.

    ``isdr_aids`` are tried before the names that ``esim/apdu`` knows.
    """

    engine: str = "own"
    register_minutes: int = 5
    notifications: str = "auto"
    smds: str = ""
    readers: bool = True
    block_size: int = 120
    isdr_aids: tuple[str, ...] = ()
    lpac_path: str = ""
    ca_file: str = ""


def check_aid(text: str) -> None:
    """An application's name: 5 to 16 octets in hex."""
    if not re.fullmatch(r"([0-9A-Fa-f]{2}){5,16}", text):
        raise ValidationError("is not 5 to 16 octets in hex")


class EsimOptions(Options):
    """Section ``esim``."""

    engine = Choice(ENGINES, metadata={"label": "Profiles are downloaded by"})
    register_minutes = Whole(
        1,
        60,
        metadata={
            "label": "After a switch, wait for the network",
            "unit": "min",
            "help": "Then the profile that was enabled before is enabled again",
        },
    )
    notifications = Choice(
        NOTIFICATIONS,
        metadata={
            "label": "Tell operators of changes",
            "help": "Who is not told of a delete refuses the next download",
        },
    )
    smds = Text(
        0,
        253,
        pattern=HOST,
        told="is not a host's name",
        metadata={"label": "Discovery server", "help": "Empty: the one that the card names, else GSMA's"},
    )
    readers = Flag(metadata={"label": "Use card readers", "help": "Through pcscd, where it runs", "advanced": True})
    block_size = Whole(
        6,
        255,
        metadata={"label": "Octets sent to a card at once", "help": "120 works nearly everywhere", "advanced": True},
    )
    isdr_aids = Lines(
        check_aid,
        MOST_AIDS,
        metadata={
            "label": "Names of the ISD-R",
            "help": "One a line, in hex, tried in this order. Some removable cards have another than the standard's",
            "advanced": True,
        },
    )
    lpac_path = Text(
        0,
        128,
        pattern=LPAC,
        told="is not like /usr/lib/lpac",
        metadata={
            "label": "lpac's program",
            "help": "The program itself, not OpenWrt's script. Empty: looked for where it is installed",
            "advanced": True,
        },
    )
    ca_file = Text(
        0,
        LONGEST_TEXT,
        pattern=PATH,
        told="is not an absolute path",
        metadata={
            "label": "File of other root certificates",
            "help": "PEM; servers of a laboratory are trusted with it, as those under GSMA's roots are",
            "advanced": True,
            "trusted": True,
        },
    )


ESIM = SectionType("esim", EsimOptions, EsimSettings, "esim", "eSIM", live=True)
