"""Sierra Wireless: technologies by SELRAT, bands by BAND, both behind AT!ENTERCND.

A profile of bands that fits is taken as it is, else one of our own is defined. On 9x30 and 9x50 its masks follow in the
order of the table's columns, on SDX55 and later each kind of band has a number and a command of its own.
Sources: the EM/MC74xx command manual (4117727), replies of MC7455, EM7565, EM9190 and EM9291 that users posted.
"""

from __future__ import annotations

from typing import Any

from remsim.modems.decode.sierra_bands import UMTS_BITS, rats_of
from remsim.modems.drivers.abilities import BAND_FIELDS, MODES, Answers, RadioPreferences, Values, mode_of
from remsim.modems.drivers.masks import mask_of, words

PASSWORD = 'AT!ENTERCND="A710"'
MODE, MODE_CHOICES = "AT!SELRAT?", "AT!SELRAT=?"
BAND, PROFILES = "AT!BAND?", "AT!BAND=?"
NAME = "remsim"
ALL = "00"
OWN_PROFILES = ("10", "11", "12", "13", "0F", "0E")
"""Indexes, in hex, that firmware leaves to users."""
KINDS = {"umts_bands": 0, "lte_bands": 1, "nsa_nr5g_bands": 3, "nr5g_bands": 4}
"""Numbers of the kinds of bands on SDX modules."""
COLUMNS = {"MDM9x30": ("gw", "lte0", "tds"), "MDM9x50": ("gw", "lte0", "lte1", "tds", "lte2", "lte3")}

OLD_COLUMNS = ("gw", "lte0")


def umts_mask(bands: list[int]) -> int:
    """WCDMA bands as Qualcomm's bits."""
    return sum(1 << bit for bit, band in UMTS_BITS.items() if band in bands)


class SierraPreferences(RadioPreferences):
    """The modem names its technologies and its profiles itself."""

    asks = (MODE_CHOICES, MODE, PROFILES, BAND)
    steady = frozenset((MODE_CHOICES,))
    password = PASSWORD

    def __init__(self, platform: str | None) -> None:
        self._columns = COLUMNS.get(platform or "", OLD_COLUMNS)

    def choices(self, answers: Answers) -> dict[str, list[str]]:
        """The technologies of its own list."""
        modes = [mode for mode in MODES if mode in self._indexes(answers)]
        return {"mode": modes} if modes else {}

    def bands(self, answers: Answers) -> dict[str, list[int]]:
        """The bands of the profile that has all."""
        everything = ((answers.get(PROFILES) or {}).get("band_profiles") or {}).get(ALL) or {}
        return {field: sorted(bands) for field, bands in everything.items() if field in BAND_FIELDS and bands}

    def state(self, answers: Answers) -> dict[str, Any]:
        """The selection, and the bands of the profile in use."""
        index = (answers.get(MODE) or {}).get("selrat")
        modes = [mode for mode, known in self._indexes(answers).items() if known == index]
        found: dict[str, Any] = {"mode": modes[0]} if modes else {}
        current = answers.get(BAND) or {}
        if not any(field in current for field in BAND_FIELDS):
            # Some firmware names the profile only; its masks stand in the table of all.
            profiles = (answers.get(PROFILES) or {}).get("band_profiles") or {}
            current = profiles.get(current.get("band_profile")) or {}
        return found | {field: sorted(current[field]) for field in self.bands(answers) if field in current}

    def commands(self, wanted: Values, answers: Answers) -> list[str]:
        """A profile, then the technologies."""
        commands = []
        if any(field in BAND_FIELDS for field in wanted):
            commands = self._profile(self._lists(wanted, answers), answers)
        if "mode" in wanted:
            commands.append(f"AT!SELRAT={self._indexes(answers)[wanted['mode']]}")
        return commands

    def _lists(self, wanted: Values, answers: Answers) -> dict[str, list[int]]:
        """The list of each kind of band: as wanted, else as it is, for a profile has all of them."""
        known, state = self.bands(answers), self.state(answers)
        return {field: sorted(wanted.get(field, state.get(field, bands)) or bands) for field, bands in known.items()}

    def _profile(self, lists: dict[str, list[int]], answers: Answers) -> list[str]:
        """Take a profile of exactly these bands, or define one."""
        profiles = (answers.get(PROFILES) or {}).get("band_profiles") or {}
        for index, bands in profiles.items():
            if all(sorted(bands.get(field) or []) == wanted for field, wanted in lists.items()):
                return [f"AT!BAND={index}"]
        names = (answers.get(PROFILES) or {}).get("band_profile") or {}
        own = (index for index in OWN_PROFILES if names.get(index, NAME) == NAME)
        index = next(own, OWN_PROFILES[0])
        return [*self._definition(index, lists), f"AT!BAND={index}"]

    def _definition(self, index: str, lists: dict[str, list[int]]) -> list[str]:
        """The commands that define our profile."""
        umts, lte = umts_mask(lists.get("umts_bands", [])), mask_of(lists.get("lte_bands", []))
        if not any(field in lists for field in ("nsa_nr5g_bands", "nr5g_bands")):
            masks = {"gw": f"{umts:016X}", "tds": f"{0:016X}"}
            masks |= {f"lte{at}": word for at, word in enumerate(words(lte, 4))}
            return [f'AT!BAND={index},"{NAME}",{",".join(masks[column] for column in self._columns)}']
        commands = []
        for field, bands in lists.items():
            mask = umts if field == "umts_bands" else mask_of(bands)
            count = 1 if field == "umts_bands" else 4
            commands.append(f'AT!BAND={index},1,"{NAME}",{KINDS[field]},{",".join(words(mask, count))}')
        return commands

    def _indexes(self, answers: Answers) -> dict[str, str]:
        """The index of each technology choice, by the names in the modem's list."""
        found: dict[str, str] = {}
        rows = (answers.get(MODE_CHOICES) or {}).get("selrat")
        for index, name in rows.items() if isinstance(rows, dict) else ():
            mode = "auto" if name.lower().startswith("auto") else mode_of(rats_of(name))
            if mode in MODES:
                found.setdefault(mode, index)
        return found
