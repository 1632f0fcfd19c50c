"""Fibocom: technologies and bands by GTACT (MediaTek, Qualcomm) or XACT (Intel), cells by GTCELLLOCK or EMMCHLCK.

Sources: =? and ? replies of FM350-GL, FM160 and L850-GL that users posted, ModemManager's xmm helpers.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.modems.drivers.abilities import Answers, Cell, CellLock, RadioPreferences, Values

STATE, CHOICES = "AT+GTACT?", "AT+GTACT=?"
ACT_OF_MODE = {"umts": 1, "lte": 2, "umts_lte": 4, "nr": 14, "umts_nr": 16, "lte_nr": 17}
AUTOMATIC = (20, 10)
"""Everything it has; 10 where there is no 5G."""
PREFERENCES = {"umts_lte": "3,2", "lte_nr": "6,3", "umts_nr": "6,2", "auto": "6,3"}
"""What is preferred where there is a choice: 2 is 3G, 3 LTE, 6 5G."""
RATS_OF_MODE = {
    "auto": ("umts", "lte", "nr"),
    **{mode: tuple(mode.split("_")) for mode in ACT_OF_MODE},
}
FIELD_OF_RAT = {"umts": "umts_bands", "lte": "lte_bands", "nr": "nr_bands"}
PREFIX = {"umts_bands": "", "lte_bands": "1", "nr_bands": "50"}


def codes(field: str, bands: list[int]) -> list[str]:
    """Bands as these modems write them: 3G as it is, LTE from 101 on, 5G with 50 before."""
    return [str(100 + band) if field == "lte_bands" else f"{PREFIX[field]}{band}" for band in bands]


class GtactPreferences(RadioPreferences):
    """FM350, FM150, FM160. The answer holds bands of the chosen technologies only."""

    asks = (CHOICES, STATE)
    steady = frozenset((CHOICES,))

    def choices(self, answers: Answers) -> dict[str, list[str]]:
        """The technologies of its own list."""
        acts = (answers.get(CHOICES) or {}).get("rat_modes") or ()
        modes = ["auto"] if any(act in AUTOMATIC for act in acts) else []
        modes += [mode for mode, act in ACT_OF_MODE.items() if act in acts]
        return {"mode": modes} if modes else {}

    def bands(self, answers: Answers) -> dict[str, list[int]]:
        """The bands of its own list."""
        offered = answers.get(CHOICES) or {}
        return {field: sorted(offered[field]) for field in PREFIX if offered.get(field)}

    def state(self, answers: Answers) -> dict[str, Any]:
        """The technologies, and the bands of those."""
        current = answers.get(STATE) or {}
        act = current.get("rat_mode")
        mode = "auto" if act in AUTOMATIC else next((mode for mode, known in ACT_OF_MODE.items() if known == act), None)
        if mode is None:
            return {}
        known = self.bands(answers)
        fields = [field for rat in RATS_OF_MODE[mode] if (field := FIELD_OF_RAT[rat]) in known]
        return {"mode": mode} | {field: sorted(current.get(field) or []) for field in fields}

    def commands(self, wanted: Values, answers: Answers) -> list[str]:
        """One command for all: technologies, preferences, every band that is to be allowed."""
        known, state = self.bands(answers), self.state(answers)
        mode = wanted.get("mode", state.get("mode", "auto"))
        chosen = []
        for rat in RATS_OF_MODE[mode]:
            field = FIELD_OF_RAT[rat]
            if field in known:
                chosen += codes(field, (wanted[field] if field in wanted else state.get(field)) or known[field])
        return [f"AT+GTACT={self._act(mode, answers)},{PREFERENCES.get(mode, ',')},{','.join(chosen or ['0'])}"]

    def _act(self, mode: str, answers: Answers) -> int:
        if mode in ACT_OF_MODE:
            return ACT_OF_MODE[mode]
        acts = (answers.get(CHOICES) or {}).get("rat_modes") or AUTOMATIC
        return next((act for act in AUTOMATIC if act in acts), AUTOMATIC[0])


class XactPreferences(RadioPreferences):
    """L850 and L860: XACT. The bands of a technology that is not in the list stay as they are."""

    asks = ("AT+XACT=?", "AT+XACT?")
    steady = frozenset(("AT+XACT=?",))
    _ACTS = {"auto": 4, "umts": 1, "lte": 2}
    _BOTH = (4, 6)

    def choices(self, answers: Answers) -> dict[str, list[str]]:
        """3G, LTE or both."""
        return {"mode": list(self._ACTS)} if self._current(answers) else {}

    def bands(self, answers: Answers) -> dict[str, list[int]]:
        """The bands of its own list and those that are set, for some firmware sets more than it lists."""
        told = (answers.get(self.asks[0]) or {}, self._current(answers))
        fields = ("umts_bands", "lte_bands")
        lists = {field: {band for one in told for band in one.get(field) or ()} for field in fields}
        return {field: sorted(bands) for field, bands in lists.items() if bands}

    def state(self, answers: Answers) -> dict[str, Any]:
        """The technologies and all bands."""
        current = self._current(answers)
        act = current.get("rat_mode")
        mode = "auto" if act in self._BOTH else next((mode for mode, known in self._ACTS.items() if known == act), None)
        if mode is None:
            return {}
        return {"mode": mode} | {field: sorted(current[field]) for field in self.bands(answers) if current.get(field)}

    def commands(self, wanted: Values, answers: Answers) -> list[str]:
        """One command for all."""
        known, state = self.bands(answers), self.state(answers)
        act = self._ACTS[wanted.get("mode", state.get("mode", "auto"))]
        chosen = []
        for field, bands in known.items():
            chosen += codes(field, (wanted[field] if field in wanted else state.get(field)) or bands)
        return [f"AT+XACT={act},,,{','.join(chosen or ['0'])}"]

    def _current(self, answers: Answers) -> Values:
        return answers.get(self.asks[1]) or {}


class GtCellLock(CellLock):
    """FM150 and FM160: one cell, from the next restart on; the lock stays in the modem."""

    asks = ("AT+GTCELLLOCK?",)
    has_nr = True
    one_only = True
    restart = "modem"

    def commands(self, wanted: Mapping[str, list[Cell]], held: Mapping[str, list[Cell]]) -> list[str]:
        """Technology (0 LTE, 1 5G), 0 for a cell, channel, PCI; on 5G the spacing's number and the band's code too."""
        for cell in wanted["LTE"]:
            return [f"AT+GTCELLLOCK=1,0,0,{cell.channel},{cell.pci}"]
        for cell in wanted["NR"]:
            spacing = 1 if cell.scs_khz == 30 else 0
            return [f"AT+GTCELLLOCK=1,1,0,{cell.channel},{cell.pci},{spacing},50{cell.band}"]
        return ["AT+GTCELLLOCK=0"]


class MediatekCellLock(CellLock):
    """FM350: one LTE cell; the modem moves there when its radio was off for a moment. Does not hold 5G back."""

    asks = ("AT+EMMCHLCK?",)
    restart = "radio"

    def commands(self, wanted: Mapping[str, list[Cell]], held: Mapping[str, list[Cell]]) -> list[str]:
        """7 is LTE."""
        for cell in wanted["LTE"]:
            return [f"AT+EMMCHLCK=1,7,0,{cell.channel},{cell.pci}"]
        return ["AT+EMMCHLCK=0"]
