"""MV31 (T99W175): bands by BAND_PREF_EXT, kinds of 5G by NR5G_MODE, cells by LTE_LOCK and NR5G_LOCK.

Source: users' command notes for the T99W175 and the replies in tests/fixtures/at; SLMODE's numbers are not settled, so
technologies are chosen by their bands.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.modems.drivers.abilities import NR5G_MODES, Answers, Cell, CellLock, RadioPreferences, Values

BANDS, NR5G_MODE = "AT^BAND_PREF_EXT", "AT^NR5G_MODE"
WORDS = {"umts_bands": "WCDMA", "lte_bands": "LTE", "nsa_nr5g_bands": "NR5G_NSA", "nr5g_bands": "NR5G_SA"}
DISABLE, ENABLE = 1, 2
NR5G_NUMBERS = {"sa_nsa": 0, "nsa": 1, "sa": 2}


class MvPreferences(RadioPreferences):
    """Every band is switched on or off by itself, at once."""

    asks = (f"{BANDS}?", f"{NR5G_MODE}?")

    def choices(self, answers: Answers) -> dict[str, list[str]]:
        """The kinds of 5G."""
        return {"nr5g_mode": list(NR5G_MODES)} if answers.get(self.asks[1]) else {}

    def bands(self, answers: Answers) -> dict[str, list[int]]:
        """The bands that are on and those that are off."""
        told = answers.get(self.asks[0]) or {}
        lists = {field: {*(told.get(field) or ()), *(told.get(f"disabled_{field}") or ())} for field in WORDS}
        return {field: sorted(bands) for field, bands in lists.items() if bands}

    def state(self, answers: Answers) -> dict[str, Any]:
        """The bands that are on."""
        told, mode = answers.get(self.asks[0]) or {}, (answers.get(self.asks[1]) or {}).get("nr5g_mode")
        found: dict[str, Any] = {"nr5g_mode": mode} if mode is not None else {}
        return found | {field: sorted(told[field]) for field in self.bands(answers) if field in told}

    def commands(self, wanted: Values, answers: Answers) -> list[str]:
        """First on what is wanted, then off what is not, so that there is always a band left."""
        known, state = self.bands(answers), self.state(answers)
        commands = []
        for field, word in WORDS.items():
            if field not in wanted:
                continue
            on = set(wanted[field] or known.get(field, ()))
            held = set(state.get(field, ()))
            for status, bands in ((ENABLE, on - held), (DISABLE, held - on)):
                if bands:
                    commands.append(f"{BANDS}={word},{status},{':'.join(map(str, sorted(bands)))}")
        if "nr5g_mode" in wanted:
            commands.append(f"{NR5G_MODE}={NR5G_NUMBERS[wanted['nr5g_mode']]}")
        return commands


class MvCellLock(CellLock):
    """Up to eight LTE cells or one 5G cell, from the next restart on; the modem uses that technology only then."""

    asks = ("AT^LTE_LOCK?", "AT^NR5G_LOCK?")
    most_lte = 8
    has_nr = True
    one_only = True
    restart = "modem"
    help = "Tied to LTE the modem uses no 5G, tied to 5G no LTE."

    def commands(self, wanted: Mapping[str, list[Cell]], held: Mapping[str, list[Cell]]) -> list[str]:
        """LTE: PCI and channel of each; 5G: band, number of the spacing, channel, PCI; alone they free the modem."""
        commands = []
        if wanted["LTE"] != held["LTE"]:
            cells = ",".join(f"{cell.pci},{cell.channel}" for cell in wanted["LTE"])
            commands.append(f"AT^LTE_LOCK={cells}" if cells else "AT^LTE_LOCK")
        if wanted["NR"] != held["NR"]:
            cells = ",".join(f"{cell.band},{numerology(cell)},{cell.channel},{cell.pci}" for cell in wanted["NR"][:1])
            commands.append(f"AT^NR5G_LOCK={cells}" if cells else "AT^NR5G_LOCK")
        return commands


def numerology(cell: Cell) -> int:
    """3GPP's number of a spacing: 0 is 15 kHz."""
    return ((cell.scs_khz or 15) // 15).bit_length() - 1
