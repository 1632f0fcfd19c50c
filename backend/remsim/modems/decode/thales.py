"""Thales (Cinterion, Gemalto): serving cell, supply, temperature, SIM tray, indicators, settings.

Unproven: vendor's documentation, except where a function names a capture. Field orders are those of ModemManager's
and oFono's Cinterion plugins and of the examples in them; MV31's other command set is in ``thales_mv``.
"""

from __future__ import annotations

import re

from remsim.modems.decode.quectel_scales import dbm
from remsim.modems.decode.radio import bands_of_mask
from remsim.modems.decode.text import (
    Asked,
    Decoder,
    Record,
    Values,
    field,
    in_range,
    split_fields,
    to_cell_id,
    to_float,
    to_hex,
    to_int,
    to_pci,
    whole,
)
from remsim.modems.decode.tgpp_sim import tries

STATES = {"NOCONN": True, "CONN": True, "LIMSRV": False, "SEARCH": False}
TEMPERATURE_STATES = {-2: "critical_low", -1: "warn_low", 0: "normal", 1: "warn_high", 2: "critical_high"}
SXRAT = {0: "GSM", 1: "GSM UMTS", 2: "UMTS", 3: "LTE", 4: "UMTS LTE", 5: "GSM LTE", 6: "GSM UMTS LTE"}
INDICATORS = {"service": "registered", "roam": "roaming", "simtray": "sim_inserted", "simdata": "sim_data_ready"}


def decode_smoni(asked: Asked, record: Record) -> Values:
    """^SMONI: the serving cell by technology; levels are dBm and dB as they stand.

    The LTE form is proven by a capture (Singapore, PLS62); 3G by one of an EHS module.
    """
    f = split_fields(record.body.split("\n")[0])
    word = (field(f, 0) or "").upper()
    state = state_word(f)
    values: Values = {"state": state, "registered": STATES[state]} if state else {}
    if state == "SEARCH" or len(f) < 10:
        return values
    if word in ("4G", "CAT.M1", "CAT.NB1", "CAT.NB2"):
        return values | lte_cell(word, f)
    if word == "3G":
        return values | umts_cell(f)
    return values | gsm_cell(f) if word == "2G" else values


def state_word(f: list[str]) -> str | None:
    """The connection's state, last or right behind the technology; a dedicated channel has none."""
    return next((text.upper() for text in (*f[-1:], *f[1:2]) if text.upper() in STATES), None)


def lte_cell(word: str, f: list[str]) -> Values:
    """EARFCN, band, DL and UL bandwidth in MHz, duplex, MCC, MNC, TAC, cell, PCI, Srxlev, RSRP, RSRQ, state.

    In a connection the transmit power stands in Srxlev's place, so that field is left out.
    """
    rat = {"4G": "LTE", "CAT.M1": "LTE-M"}.get(word, "NB-IoT")
    return {
        "mode": "LTE",
        "rat": rat,
        "earfcn": to_int(field(f, 1)),
        "band": to_int(field(f, 2)),
        "bw_dl_mhz": bandwidth(field(f, 3)),
        "bw_ul_mhz": bandwidth(field(f, 4)),
        "duplex": field(f, 5),
        "mcc": field(f, 6),
        "mnc": field(f, 7),
        "tac": to_hex(field(f, 8)),
        "cell_id": to_cell_id(field(f, 9)),
        "pci": to_pci(field(f, 10)),
        "rsrp_dbm": level(field(f, 12), -160, -20),
        "rsrq_db": level(field(f, 13), -45, 25),
    }


def bandwidth(text: str | None) -> float | int | None:
    """A bandwidth in MHz."""
    value = to_float(text)
    return whole(value) if value in (1.4, 3, 5, 10, 15, 20) else None


def level(text: str | None, low: float, high: float) -> float | int | None:
    """A level with or without a decimal, when it can be true."""
    return whole(in_range(to_float(text), low, high))


def umts_cell(f: list[str]) -> Values:
    """UARFCN, PSC, Ec/n0, RSCP, MCC, MNC, LAC, cell, SQual, SRxLev, …"""
    return {
        "mode": "UMTS",
        "rat": "UMTS",
        "uarfcn": to_int(field(f, 1)),
        "psc": to_int(field(f, 2)),
        "ecio_db": level(field(f, 3), -40, 0),
        "rscp_dbm": level(field(f, 4), -140, -20),
        "mcc": field(f, 5),
        "mnc": field(f, 6),
        "lac": to_hex(field(f, 7)),
        "cell_id": to_cell_id(field(f, 8)),
    }


def gsm_cell(f: list[str]) -> Values:
    """ARFCN, BCCH level, MCC, MNC, LAC, cell, …"""
    return {
        "mode": "GSM",
        "rat": "GSM",
        "arfcn": to_int(field(f, 1)),
        "rssi_dbm": dbm(field(f, 2)),
        "mcc": field(f, 3),
        "mnc": field(f, 4),
        "lac": to_hex(field(f, 5)),
        "cell_id": to_hex(field(f, 6)),
    }


def decode_sbv(asked: Asked, record: Record) -> Values:
    """^SBV: the supply's millivolts."""
    millivolts = to_int(field(split_fields(record.body), 0))
    return {"voltage_mv": millivolts if in_range(millivolts, 1000, 20_000) is not None else None}


def decode_sctm(asked: Asked, record: Record) -> Values:
    """^SCTM: warnings on, state from -2 (critically cold) to 2 (critically hot), degrees where they were enabled."""
    f = split_fields(record.body)
    state = to_int(field(f, 1))
    values: Values = {"temperature_state": None if state is None else TEMPERATURE_STATES.get(state)}
    return values | {"temperature_c": level(field(f, 2), -60, 150)} if len(f) > 2 else values


def decode_scks(asked: Asked, record: Record) -> Values:
    """^SCKS: URC switch and tray; alone it is the URC's own state."""
    f = split_fields(record.body)
    inserted = to_int(field(f, 1 if len(f) > 1 else 0))
    return {"sim_inserted": None if inserted not in (0, 1) else inserted == 1}


def decode_cardmode(asked: Asked, record: Record) -> Values:
    """^CARDMODE: no card, a SIM, a USIM."""
    card = field(split_fields(record.body.split("\n")[0]), 0)
    return {"sim_inserted": {"0": False, "1": True, "2": True}.get(card or "")}


def decode_spic(asked: Asked, record: Record) -> Values:
    """^SPIC: tries left of the password asked for, or of the PIN when "SC" was named."""
    f = split_fields(record.body)
    named = re.search(r'\^SPIC\s*=\s*"?([A-Z0-9]{2})', asked.command, re.IGNORECASE)
    if named is None or named[1].upper() != "SC":
        return {"tries_left": tries(field(f, 0))}
    return {"pin_tries_left": tries(field(f, 0))} | ({"puk_tries_left": tries(f[1])} if len(f) > 1 else {})


def decode_sind(asked: Asked, record: Record) -> Values:
    """^SIND: indicator, whether reported, value; proven by a capture of an EHS6 for service, roam, simtray, nitz."""
    f = split_fields(record.body.split("\n")[0])
    name = INDICATORS.get((field(f, 0) or "").lower())
    value = to_int(field(f, 2))
    if name is None or value not in (0, 1):
        return {}
    return {name: value == 1}


def decode_sxrat(asked: Asked, record: Record) -> Values:
    """^SXRAT: technologies allowed, the one preferred; PLS8's numbers, other families have others."""
    if not asked.module.upper().startswith("PLS8"):
        return {"sxrat": to_int(field(split_fields(record.body), 0))}
    numbers = [to_int(text) for text in split_fields(record.body)]
    allowed = SXRAT.get(numbers[0]) if numbers[0] is not None else None
    return {"sxrat": numbers[0], "rats": allowed.split() if allowed else None}


def decode_scfg(asked: Asked, record: Record) -> Values:
    """^SCFG: of many settings the LTE bands and the carrier's provisioning; words may be in UCS-2."""
    f = split_fields(record.body.split("\n")[0])
    name, value = (field(f, 0) or "").lower(), plain(field(f, 1))
    if value is None or value.startswith("("):
        return {}
    if name == "radio/band/4g" and re.fullmatch(r"(0x)?[0-9A-Fa-f]{8}", value):
        # The second word, where there is one, holds the bands from 33 on; without it the list would be a part.
        upper = plain(field(f, 2))
        low = bands_of_mask(int(value, 16))
        if upper is None or not re.fullmatch(r"(0x)?[0-9A-Fa-f]{8}", upper):
            return {"lte_bands": low} if value.lower().startswith("0x") else {}
        return {"lte_bands": low + [band + 32 for band in bands_of_mask(int(upper, 16))]}
    if name == "meopmode/prov/cfg":
        return {"carrier_profile": value}
    if name == "meopmode/prov/autoselect":
        return {"carrier_profile_auto": {"on": True, "off": False}.get(value)}
    return {}


def plain(text: str | None) -> str | None:
    """A word that may be printed as the hex of its UCS-2 letters."""
    if text and len(text) % 4 == 0 and re.fullmatch(r"(?:00[2-7][0-9A-Fa-f])+", text):
        return bytes.fromhex(text).decode("utf-16-be")
    return text


RECORDS: dict[str, Decoder] = {
    "^SMONI": decode_smoni,
    "^SBV": decode_sbv,
    "^SCTM": decode_sctm,
    "^SCKS": decode_scks,
    "^CARDMODE": decode_cardmode,
    "^SPIC": decode_spic,
    "^SIND": decode_sind,
    "^SXRAT": decode_sxrat,
    "^SCFG": decode_scfg,
}
