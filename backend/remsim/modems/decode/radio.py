"""Codes of bandwidths, bands and technologies that several vendors share."""

from __future__ import annotations

import re
from collections.abc import Mapping

LTE_BW_CODE = {0: 1.4, 1: 3, 2: 5, 3: 10, 4: 15, 5: 20}
"""LTE bandwidth codes of Quectel (QENG), Sierra (LTEINFO) and XMM, in MHz."""

LTE_BW_RB = {6: 1.4, 15: 3, 25: 5, 50: 10, 75: 15, 100: 20}
"""LTE bandwidth in resource blocks -> MHz (3GPP 36.101 table 5.6-1)."""

NR_BW_CODE = dict(enumerate((5, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90, 100, 200, 400, 35, 45)))
"""NR bandwidth codes of Quectel, in MHz."""

RAT_OF_WORD = {
    "GSM": "GSM",
    "EDGE": "GSM",
    "GPRS": "GSM",
    "WCDMA": "UMTS",
    "UMTS": "UMTS",
    "HSPA": "UMTS",
    "HSPA+": "UMTS",
    "HSDPA": "UMTS",
    "HSUPA": "UMTS",
    "HSPA&HSUPA": "UMTS",
    "HSDPA&HSUPA": "UMTS",
    "TDSCDMA": "UMTS",
    "LTE": "LTE",
    "FDD LTE": "LTE",
    "TDD LTE": "LTE",
    "CAT-M": "LTE-M",
    "CAT-M1": "LTE-M",
    "EMTC": "LTE-M",
    "CAT-NB": "NB-IoT",
    "CAT-NB1": "NB-IoT",
    "CAT-NB2": "NB-IoT",
    "NBIOT": "NB-IoT",
    "NB-IOT": "NB-IoT",
    "NTN NBIOT": "NB-IoT",
    "NR5G": "NR",
    "FDD NR5G": "NR",
    "TDD NR5G": "NR",
    "NR5G-SA": "NR",
    "NR5G-NSA": "NR",
    "NR": "NR",
}

# First downlink EARFCN of each LTE band and the last one (3GPP 36.101 table 5.7.3-1).
_EARFCN_BANDS = (
    (1, 0, 599), (2, 600, 1199), (3, 1200, 1949), (4, 1950, 2399), (5, 2400, 2649), (7, 2750, 3449),
    (8, 3450, 3799), (9, 3800, 4149), (10, 4150, 4749), (11, 4750, 4949), (12, 5010, 5179), (13, 5180, 5279),
    (14, 5280, 5379), (17, 5730, 5849), (18, 5850, 5999), (19, 6000, 6149), (20, 6150, 6449), (21, 6450, 6599),
    (24, 7700, 8039), (25, 8040, 8689), (26, 8690, 9039), (28, 9210, 9659), (29, 9660, 9769), (30, 9770, 9869),
    (32, 9920, 10359), (34, 36200, 36349), (38, 37750, 38249), (39, 38250, 38649), (40, 38650, 39649),
    (41, 39650, 41589), (42, 41590, 43589), (43, 43590, 45589), (46, 46790, 54539), (48, 55240, 56739),
    (66, 66436, 67335), (71, 68586, 68935),
)  # fmt: skip


def lte_band_of_earfcn(earfcn: int | None) -> int | None:
    """The LTE band a downlink EARFCN lies in."""
    if earfcn is None:
        return None
    return next((band for band, first, last in _EARFCN_BANDS if first <= earfcn <= last), None)


def scs_khz(code: int | None) -> int | None:
    """Subcarrier spacing from 3GPP's numerology 0..4, or kHz as it stands."""
    if code is None:
        return None
    if 0 <= code <= 4:
        return 15 << code
    return code if code in (15, 30, 60, 120, 240) else None


def band_number(name: str | None) -> int | None:
    """``LTE BAND 3``, ``NR5G BAND 78``, ``NR N78``, ``B3``, ``n41`` -> the number."""
    if name is None:
        return None
    match = re.search(r"(?:BAND|[BN])[ _]?([0-9]{1,3})$", name.strip(), re.IGNORECASE)
    return int(match[1]) if match else None


def bands_of_mask(mask: int) -> list[int]:
    """Band numbers of a bit mask whose lowest bit is band 1."""
    return [bit + 1 for bit in range(mask.bit_length()) if mask >> bit & 1]


def coded(table: Mapping[int, float], text: str | None) -> float | None:
    """What a numeric code means in a table; None for no number or an unknown code."""
    return table.get(int(text)) if text is not None and re.fullmatch(r"[0-9]{1,6}", text) else None


def rat_of_word(word: str | None) -> str | None:
    """Our name of a technology in a modem's words."""
    return RAT_OF_WORD.get(word.upper()) if word else None
