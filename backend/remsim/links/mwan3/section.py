"""A section of mwan3's configuration (openwrt/packages, net/mwan3), and what could not be carried over of it."""

from __future__ import annotations

import re
from dataclasses import field

from remsim.config.uci import UciSection
from remsim.core.small_dataclass import dataclass

EVERYBODY = {"0.0.0.0/0": "ipv4", "::/0": "ipv6"}
"""Destinations that are all of a family."""


@dataclass(slots=True)
class Notes:
    """Sentences, each once."""

    found: list[str] = field(default_factory=list)

    def add(self, text: str) -> None:
        """Keep a sentence."""
        if text not in self.found:
            self.found.append(text)


def is_on(section: UciSection) -> bool:
    """Rules are in use unless they say otherwise, interfaces only when they say so."""
    usual = "0" if section.type == "interface" else "1"
    return (section.get("enabled") or usual) == "1"


def number(section: UciSection, option: str, usual: int) -> int:
    """A number from 1 to 1000."""
    text = section.get(option) or ""
    return min(1000, max(1, int(text))) if re.fullmatch(r"[0-9]{1,6}", text, re.ASCII) else usual
