"""Sierra Wireless's choice of technologies and bands: SELRAT, BAND, LTECA.

BAND's masks stand in columns on 9x30 (GW, L, TDS) and 9x50 (GW, L 1, L 2, TDS, L 3, L 4), named by the header, and on
lines of their own on SDX55 and later (``3 - NRNSA: low high``). They appear after AT!ENTERCND only.
"""

from __future__ import annotations

import re

from remsim.modems.decode.radio import bands_of_mask
from remsim.modems.decode.text import Asked, Decoder, Record, Values, unreadable

ENTRY = re.compile(r"(?:^|\s)([0-9A-F]{2})[,:] {0,4}(?=\S)")
NAME_END = re.compile(r"\s{2,}|,|\s[0-9A-F]{16}\b")
"""Where a name in BAND's table ends: at its column's end, or at the first mask."""

COLUMN = re.compile(r"\b(GW|L|TDS) Band Mask(?: ([1-4])\b)?")
MASK = re.compile(r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{16}(?![0-9A-Fa-f])")
LABELLED = re.compile(r"\b\d\s*-\s*(GW|LTE|TDS|NRNSA|NRSA)\s*:((?:\s*[0-9A-Fa-f]{16}(?![0-9A-Fa-f]))+)")

UMTS_BITS = {22: 1, 23: 2, 24: 3, 25: 4, 26: 5, 27: 6, 48: 7, 49: 8, 50: 9, 60: 19, 61: 11}
"""Bits of Qualcomm's GSM and WCDMA mask -> WCDMA bands; checked against what MC7455 and EM7565 have."""

BAND_NAMES = {"LTE": "lte_bands", "NRNSA": "nsa_nr5g_bands", "NRSA": "nr5g_bands"}
RAT_WORDS = (("GSM", r"GSM|2G"), ("UMTS", r"UMTS|WCDMA|3G"), ("LTE", r"LTE"), ("NR", r"NR ?5G|5G"))


def entries(body: str) -> list[tuple[str, str]]:
    """(index, what stands behind it) of a table, however its lines were joined."""
    found = list(ENTRY.finditer(body))
    ends = [match.start() for match in found[1:]] + [len(body)]
    pairs = ((match[1], body[match.end() : end]) for match, end in zip(found, ends, strict=False))
    return [(index, text) for index, text in pairs if not text.startswith("Name")]


def name_of(text: str) -> str:
    """The name an entry begins with."""
    return NAME_END.split(text.strip().split("\n")[0])[0].strip()


def umts_bands(mask: int) -> list[int]:
    """WCDMA bands of a Qualcomm band mask."""
    return sorted(band for bit, band in UMTS_BITS.items() if mask >> bit & 1)


def wide(masks: list[str]) -> int:
    """One number of 64-bit masks, the lowest bands first."""
    return sum(int(text, 16) << 64 * at for at, text in enumerate(masks))


def mask_bands(columns: list[tuple[str, str]], text: str) -> Values:
    """The bands of one entry, by labels or by the header's columns; nothing where masks are not shown."""
    labelled = {label: MASK.findall(masks) for label, masks in LABELLED.findall(text)}
    values: Values = {
        name: bands_of_mask(wide(labelled[label])) for label, name in BAND_NAMES.items() if label in labelled
    }
    if "GW" in labelled:
        values["umts_bands"] = umts_bands(wide(labelled["GW"]))
    if labelled:
        return values
    masks = MASK.findall(text)
    if not masks or len(masks) != len(columns):
        return {}
    lte = 0
    for (kind, number), mask in zip(columns, masks, strict=True):
        if kind == "GW":
            values["umts_bands"] = umts_bands(int(mask, 16))
        elif kind == "L":
            lte |= int(mask, 16) << 64 * (int(number or 1) - 1)
    return values | {"lte_bands": bands_of_mask(lte)}


def decode_band(asked: Asked, record: Record) -> Values:
    """!BAND: the chosen profile with its bands; ``=?`` gives all profiles' names, and their bands where shown.

    A mask that is no profile's is told as "Unknown band mask".
    """
    columns = COLUMN.findall(record.body)
    rows = entries(record.body.partition("Available:")[0])  # EM9291 explains its bits behind the table
    if "nknown band mask" in record.body:
        return {"band_profile": None, "band_profile_name": None} | mask_bands(columns, record.body)
    if not rows:
        raise unreadable(asked, record.body)
    if not asked.command.endswith("=?"):
        index, text = rows[0]
        return {"band_profile": index, "band_profile_name": name_of(text)} | mask_bands(columns, text)
    values: Values = {"band_profile": {index: name_of(text) for index, text in rows}}
    profiles = {index: bands for index, text in rows if (bands := mask_bands(columns, text))}
    return values | ({"band_profiles": profiles} if profiles else {})


def rats_of(name: str) -> list[str]:
    """The technologies a selection's name names: "LTE and NR 5G Only" -> LTE, NR."""
    return [rat for rat, words in RAT_WORDS if re.search(words, name, re.IGNORECASE)]


def decode_selrat(asked: Asked, record: Record) -> Values:
    """!SELRAT: the selection's index, name and technologies, or all of them for ``=?``; the lists differ by family."""
    rows = {index: name_of(text) for index, text in entries(record.body)}
    if "nknown RAT mode" in record.body:
        return {"selrat": None, "selrat_name": None}
    if not rows:
        raise unreadable(asked, record.body)
    if asked.command.endswith("=?"):
        return {"selrat": rows}
    index, name = next(iter(rows.items()))
    values: Values = {"selrat": index, "selrat_name": name}
    if name.lower().startswith("auto"):
        return values | {"rat_auto": True}
    return values | {"rat_auto": False, "rats": rats_of(name)}


def decode_lteca(asked: Asked, record: Record) -> Values:
    """!LTECA: bands that the hardware combines, and those that are permitted, by the primary carrier's band.

    9x30 lists pairs; later families list combinations like ``1A_3A_20A`` and what may carry the uplink.
    """
    hardware, _, rest = record.body.partition("Permitted Bands:")
    permitted = rest.split("Prune_ca_combos:")[0]
    if combinations := re.findall(r"(?<![\w:,])(\d{1,3}[A-F](?:_\d{1,3}[A-F]){0,4}):", hardware):
        return {"ca_combinations": combinations}
    if "Hardware:" not in hardware:
        raise unreadable(asked, record.body)
    return {"ca_hardware": partners(hardware), "ca_permitted": partners(permitted)}


def partners(text: str) -> dict[str, list[int]]:
    """``LTEB2: B5, B12,`` -> {"2": [5, 12]}."""
    rows = re.findall(r"LTEB(\d{1,3})\s*:((?:\s*B\d{1,3}\b,?)*)", text)
    return {band: [int(number) for number in re.findall(r"\d+", others)] for band, others in rows}


def decode_getband(asked: Asked, record: Record) -> Values:
    """!GETBAND: the band in use in words. Unproven: ``LTE B3`` and ``No service`` are the manuals' forms."""
    text = record.body.strip()
    lte = re.search(r"LTE[ _]?B(\d{1,3})\b", text)
    return {"active_band": text or None} | ({"rat": "LTE", "band": int(lte[1])} if lte else {})


RECORDS: dict[str, Decoder] = {
    "!BAND": decode_band,
    "!SELRAT": decode_selrat,
    "!LTECA": decode_lteca,
    "!GETBAND": decode_getband,
}
