"""Quectel: technologies, bands and cells by QNWPREFCFG and QNWLOCK (5G modules) or QCFG (LTE modules).

Sources: the RG50xQ/RM5xxQ network application note, the EC25/EC21 and BG96 command manuals, ModemManager; band tables
are the modules' data sheets, those of EG25-G and EM12-G checked against masks that users read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from remsim.modems.drivers.abilities import Answers, Cell, CellLock, RadioPreferences, Values, mode_of
from remsim.modems.drivers.masks import mask_of

LISTS = {
    "umts_bands": "gw_band",
    "lte_bands": "lte_band",
    "nsa_nr5g_bands": "nsa_nr5g_band",
    "nr5g_bands": "nr5g_band",
}
CAPABILITY, CAPABILITY_OLD, CHOICES = "AT+QGETCAPABILITY", "AT+QGETCAPABILITY?", "AT+QNWPREFCFG=?"
"""What the module has: newer firmware, that of the RM500Q, Unisoc's."""
POLICY, OFFERED = 'AT+QNWPREFCFG="policy_band"', 'AT+QNWPREFCFG="ue_capability_band"'
TELL_BANDS = (CAPABILITY, CAPABILITY_OLD, CHOICES, POLICY, OFFERED)
MODE, NR5G_MODE = 'AT+QNWPREFCFG="mode_pref"', 'AT+QNWPREFCFG="nr5g_disable_mode"'
RATS = {"WCDMA": "UMTS", "LTE": "LTE", "NR5G": "NR"}
WORDS = {"auto": "AUTO", "umts": "WCDMA", "lte": "LTE", "nr": "NR5G", "umts_lte": "WCDMA:LTE", "lte_nr": "LTE:NR5G"}
NR5G_NUMBERS = {"sa_nsa": 0, "nsa": 1, "sa": 2}

BAND, SCAN, IOT = 'AT+QCFG="band"', 'AT+QCFG="nwscanmode"', 'AT+QCFG="iotopmode"'
SCAN_NUMBERS = {"auto": 0, "gsm": 1, "umts": 2, "lte": 3}
IOT_NUMBERS = {"lte-m": 0, "nb-iot": 1, "both": 2}
GSM_MASK, UMTS_MASK = 0xF, 0xFFF0
"""Bits of QCFG="band"'s first mask: four GSM bands, then WCDMA's."""
ANY_LTE = 0x7FFFFFFFFFFFFFFF
"""What the manuals call any LTE band."""

LTE_BANDS = {
    "EC25AFX": (2, 4, 5, 12, 13, 14, 66, 71),
    "EC25AF": (2, 4, 5, 12, 13, 14, 66, 71),
    "EC25AUT": (1, 3, 5, 7, 28),
    "EC25AU": (1, 2, 3, 4, 5, 7, 8, 28, 40),
    "EC25EU": (1, 3, 7, 8, 20, 28, 38, 40, 41),
    "EC25E": (1, 3, 5, 7, 8, 20, 38, 40, 41),
    "EC25A": (2, 4, 12),
    "EC25V": (4, 13),
    "EC25J": (1, 3, 8, 18, 19, 26, 41),
    "EG25G": (1, 2, 3, 4, 5, 7, 8, 12, 13, 18, 19, 20, 25, 26, 28, 38, 39, 40, 41),
    "EP06E": (1, 3, 5, 7, 8, 20, 28, 32, 38, 40, 41),
    "EP06A": (2, 4, 5, 7, 12, 13, 25, 26, 29, 30, 41, 66),
    "EM12G": (1, 2, 3, 4, 5, 7, 8, 9, 12, 13, 14, 17, 18, 19, 20, 21, 25, 26, 28, 29, 30, 32, 38, 39, 40, 41, 66),
    "BG96": (1, 2, 3, 4, 5, 8, 12, 13, 18, 19, 20, 26, 28),
}
"""LTE bands by the beginning of the firmware's name, which tells the variant; AT+CGMM does not."""


class NrPreferences(RadioPreferences):
    """RM5xx: QNWPREFCFG. The modem searches anew at once."""

    asks = (
        *(CAPABILITY, CAPABILITY_OLD, CHOICES, POLICY, OFFERED, MODE, NR5G_MODE),
        *(f'AT+QNWPREFCFG="{name}"' for name in LISTS.values()),
    )

    steady = frozenset((CAPABILITY, CAPABILITY_OLD, CHOICES, POLICY))

    def choices(self, answers: Answers) -> dict[str, list[str]]:
        """Combinations of the technologies it has bands of."""
        bands = self.bands(answers)
        has = {"LTE"} | ({"UMTS"} if bands.get("umts_bands") else set()) | ({"NR"} if self._has_nr(bands) else set())
        modes = [mode for mode in WORDS if mode == "auto" or {part.upper() for part in mode.split("_")} <= has]
        found = {"mode": modes} if answers.get(MODE) else {}
        return found | ({"nr5g_mode": list(NR5G_NUMBERS)} if answers.get(NR5G_MODE) else {})

    def bands(self, answers: Answers) -> dict[str, list[int]]:
        """What it names as its own, what the carrier allows, and what is set; old firmware tells the last only."""
        found: dict[str, list[int]] = {}
        for field, name in LISTS.items():
            own = answers.get(f'AT+QNWPREFCFG="{name}"')
            if own is None:
                continue
            told = [answers.get(command) or {} for command in TELL_BANDS]
            lists = [own.get(field), *(one.get(field) for one in told)]
            if field == "nsa_nr5g_bands":
                lists += [(answers.get(command) or {}).get("nr5g_bands") for command in (CAPABILITY, CAPABILITY_OLD)]
            bands = sorted({band for one in lists for band in one or ()})
            if bands:
                found[field] = bands
        return found

    def state(self, answers: Answers) -> dict[str, Any]:
        """The lists as they are set, whatever the carrier allows of them."""
        found: dict[str, Any] = {}
        word = (answers.get(MODE) or {}).get("mode_pref")
        rats = {RATS.get(part) for part in str(word).upper().split(":")}
        if word == "AUTO" or rats == set(RATS.values()):
            found["mode"] = "auto"
        elif word is not None and None not in rats:
            found["mode"] = mode_of(rats)
        if nr5g_mode := (answers.get(NR5G_MODE) or {}).get("nr5g_mode"):
            found["nr5g_mode"] = nr5g_mode
        for field, name in LISTS.items():
            bands = (answers.get(f'AT+QNWPREFCFG="{name}"') or {}).get(field)
            if bands is not None:
                found[field] = sorted(bands)
        return found

    def commands(self, wanted: Values, answers: Answers) -> list[str]:
        """Bands first, so that the search which a new technology begins already has them."""
        known = self.bands(answers)
        commands = []
        for field, name in LISTS.items():
            if field in wanted:
                bands = wanted[field] or known.get(field, [])
                commands.append(f'AT+QNWPREFCFG="{name}",{":".join(map(str, bands))}')
        if "nr5g_mode" in wanted:
            commands.append(f"{NR5G_MODE},{NR5G_NUMBERS[wanted['nr5g_mode']]}")
        if "mode" in wanted:
            commands.append(f"{MODE},{WORDS[wanted['mode']]}")
        return commands

    def allowed(self, answers: Answers) -> dict[str, list[int]]:
        """The carrier's policy."""
        policy = answers.get(POLICY) or {}
        return {field: list(policy[field]) for field in LISTS if policy.get(field)}

    @staticmethod
    def _has_nr(bands: dict[str, list[int]]) -> bool:
        return bool(bands.get("nr5g_bands") or bands.get("nsa_nr5g_bands"))


class LtePreferences(RadioPreferences):
    """EC2x, EG2x, EP06, EM12: QCFG, effective at once. The masks of GSM, WCDMA and TD-SCDMA stay as they are."""

    asks: ClassVar[tuple[str, ...]] = ("AT+CGMR", BAND, SCAN)
    steady = frozenset(("AT+CGMR",))

    def choices(self, answers: Answers) -> dict[str, list[str]]:
        """2G and 3G where their masks have a band."""
        if answers.get(SCAN) is None:
            return {}
        lower = int(self._masks(answers)[0], 16)
        has = {"auto": True, "gsm": bool(lower & GSM_MASK), "umts": bool(lower & UMTS_MASK), "lte": True}
        return {"mode": [mode for mode, is_there in has.items() if is_there]}

    def bands(self, answers: Answers) -> dict[str, list[int]]:
        """Those of the variant's table and those set."""
        found = (answers.get(BAND) or {}).get("lte_bands")
        return {} if found is None else {"lte_bands": sorted({*found, *self._table(answers)})}

    def state(self, answers: Answers) -> dict[str, Any]:
        """The LTE mask and the search mode."""
        found: dict[str, Any] = {}
        if (mode := (answers.get(SCAN) or {}).get("scan_mode")) in SCAN_NUMBERS:
            found["mode"] = mode
        if (bands := (answers.get(BAND) or {}).get("lte_bands")) is not None:
            found["lte_bands"] = sorted(bands)
        return found

    def commands(self, wanted: Values, answers: Answers) -> list[str]:
        """One command for all masks, with 1 behind them: at once."""
        commands = []
        if any(field in wanted for field in ("lte_bands", "nbiot_bands")):
            masks = self._masks(answers)
            for at, field in ((1, "lte_bands"), (2, "nbiot_bands")):
                if field in wanted:
                    mask = mask_of(wanted[field]) if wanted[field] else mask_of(self._table(answers)) or ANY_LTE
                    masks[at] = f"{mask:x}"
            commands.append(f"{BAND},{','.join(masks)},1")
        if "mode" in wanted:
            commands.append(f"{SCAN},{SCAN_NUMBERS[wanted['mode']]},1")
        return commands

    def _masks(self, answers: Answers) -> list[str]:
        """The three masks as they are, in hex without 0x."""
        texts = [str(text).lower().removeprefix("0x") for text in (answers.get(BAND) or {}).get("band_masks") or ()]
        return (texts + ["0", "0", "0"])[:3]

    def _table(self, answers: Answers) -> tuple[int, ...]:
        """The bands of the firmware's variant; none when it is not known."""
        firmware = str((answers.get("AT+CGMR") or {}).get("revision") or "")
        return next((bands for variant, bands in LTE_BANDS.items() if firmware.startswith(variant)), ())


class IotPreferences(LtePreferences):
    """BG96: the second mask is LTE-M, the third NB-IoT."""

    asks: ClassVar[tuple[str, ...]] = (*LtePreferences.asks, IOT)

    def choices(self, answers: Answers) -> dict[str, list[str]]:
        """2G, LTE-M and NB-IoT."""
        found = {"mode": ["auto", "gsm", "lte"]} if answers.get(SCAN) else {}
        return found | ({"iot_mode": list(IOT_NUMBERS)} if answers.get(IOT) else {})

    def bands(self, answers: Answers) -> dict[str, list[int]]:
        """Both lists."""
        found = super().bands(answers)
        nbiot = (answers.get(BAND) or {}).get("nbiot_bands")
        return found if nbiot is None else found | {"nbiot_bands": sorted({*nbiot, *self._table(answers)})}

    def state(self, answers: Answers) -> dict[str, Any]:
        """With the kind of LTE and NB-IoT's bands."""
        found = super().state(answers)
        if (mode := (answers.get(IOT) or {}).get("iot_mode")) is not None:
            found["iot_mode"] = mode
        if (bands := (answers.get(BAND) or {}).get("nbiot_bands")) is not None:
            found["nbiot_bands"] = sorted(bands)
        return found

    def commands(self, wanted: Values, answers: Answers) -> list[str]:
        """The kind of LTE last."""
        found = super().commands(wanted, answers)
        return [*found, f"{IOT},{IOT_NUMBERS[wanted['iot_mode']]},1"] if "iot_mode" in wanted else found


class NrCellLock(CellLock):
    """RM5xx: QNWLOCK, until the next restart. 5G cells hold on standalone 5G only."""

    asks = ('AT+QNWLOCK="common/4g"', 'AT+QNWLOCK="common/5g"')
    most_lte = 10
    has_nr = True
    help = "A 5G cell holds on standalone 5G only; beside LTE the network chooses it."

    def commands(self, wanted: Mapping[str, list[Cell]], held: Mapping[str, list[Cell]]) -> list[str]:
        """LTE: count, channel and PCI of each; 5G: PCI, channel, spacing, band."""
        lte, nr = self.asks
        commands = []
        if wanted["LTE"] != held["LTE"]:
            cells = "".join(f",{cell.channel},{cell.pci}" for cell in wanted["LTE"])
            commands.append(f"{lte},{len(wanted['LTE'])}{cells}")
        if wanted["NR"] != held["NR"]:
            cells = ",".join(f"{cell.pci},{cell.channel},{cell.scs_khz},{cell.band}" for cell in wanted["NR"][:1])
            commands.append(f"{nr},{cells or 0}")
        return commands
