"""Thales MV31-W, the same module as Foxconn's T99W175: DEBUG (cells), TEMP, SIM slot, carriers, bands, locks.

The answers have no prefix and software often joins their lines, so every value is found by its own name. Levels are
dBm and dB as they stand; "NA" and -256 are none. Cell identity and TAC are decimal.
"""

from __future__ import annotations

import re

from remsim.modems.decode.text import Asked, Decoder, Record, Values, in_range, to_float, to_int, to_pci, whole

MODES = {"LTE": "LTE", "LTE+NR": "NSA", "NR5G_NSA": "NSA", "NR5G_SA": "SA", "NR": "SA", "WCDMA": "UMTS"}
BAND_LISTS = {"WCDMA": "umts_bands", "LTE": "lte_bands", "NR5G_NSA": "nsa_nr5g_bands", "NR5G_SA": "nr5g_bands"}
NR5G_MODES = {0: "sa_nsa", 1: "nsa", 2: "sa"}
NUMBER = r"(-?\d{1,6}(?:\.\d{1,3})?)"
GLUED = re.compile(r"(?<=[A-Za-z0-9)])(?=(?:lte_|nr_|mcc:|pcell:|scell:|channel:))")
"""Where a name begins right behind a value: some software drops the line ends."""
SENSOR = re.compile(r"\b(PA|Skin ?Sensor|TSENS): ?(-?\d{1,3})C", re.IGNORECASE)
CELL = re.compile(r"(?=\b[ps]cell ?:|\bnr_band ?:)", re.IGNORECASE)
INFO = re.compile(
    r"(PCC|SCC\d?) ?info: ?Band is (LTE|NR5G)_[BN](\d{1,3}), ?Band_width is (\d{1,3}(?:\.\d)?) ?MHz", re.IGNORECASE
)


def decode_text(asked: Asked, record: Record) -> Values:
    """Whatever the text holds: a line of commands gives one text for all of them."""
    body = GLUED.sub("\n", record.body)
    values = temperature(body) | slot(body) | bands(body)
    return values | (debug(body) if re.search(r"\bRAT ?:", body) else carriers(body))


def number(name: str, text: str, low: float, high: float) -> float | int | None:
    """The number behind ``name:``, when it can be true."""
    match = re.search(rf"\b{name} ?: ?{NUMBER}", text, re.IGNORECASE)
    return whole(in_range(to_float(match[1]), low, high)) if match else None


def integer(name: str, text: str) -> int | None:
    """The whole number behind ``name:``."""
    match = re.search(rf"\b{name} ?: ?n?(\d{{1,15}})(?![\d.])", text, re.IGNORECASE)
    return to_int(match[1]) if match else None


def debug(body: str) -> Values:
    """^DEBUG: the serving cell, its secondaries, the 5G leg."""
    word = re.search(r"\bRAT ?: ?(LTE ?\+ ?NR|NR5G_N?SA|LTE|NR|WCDMA)", body, re.IGNORECASE)
    mode = MODES.get(word[1].upper().replace(" ", "")) if word else None
    values: Values = {"mode": mode, "rat": {"NSA": "LTE", "SA": "NR"}.get(mode or "", mode)}
    network = re.search(r"\bmcc ?: ?(\d{3}) ?, ?mnc ?: ?(\d{2,3})", body, re.IGNORECASE)
    if network:
        values |= {"mcc": network[1], "mnc": network[2]}
    head, *parts = CELL.split(body)
    cells = [lte_cell(part) for part in parts if not part.lower().startswith("nr_band")]
    legs = [nr_cell(part) for part in parts if part.lower().startswith("nr_band")]
    generation = "nr" if mode == "SA" else "lte"
    values |= {
        "cell_id": integer(f"{generation}_cell_id", body),
        "tac": integer(f"{generation}_tac", body),
        "tx_power_dbm": number(f"{generation}_tx_pwr", head, -60, 40),
    }
    if mode == "SA":
        return values | (legs[0] if legs else {})
    if cells:
        values |= cells[0]
        values["scc"] = [secondary(cell) for cell in cells[1:]]
    return values | ({"nr": legs[0]} if legs else {})


def secondary(cell: Values) -> Values:
    """A further LTE carrier; captures show 0.0 dB for all of them, which no carrier of them had."""
    return {"rat": "LTE"} | {name: value for name, value in cell.items() if name != "sinr_db"}


def lte_cell(part: str) -> Values:
    """An LTE carrier; older firmware leaves ``lte_`` away from the levels."""
    return {
        "band": integer("lte_band", part),
        "bw_dl_mhz": number("lte_band_width", part, 1.4, 20),
        "earfcn": integer("channel", part),
        "pci": pci("pci", part),
        "rsrp_dbm": number("(?:lte_)?rsrp", part, -160, -20),
        "rsrq_db": number("(?:lte_)?rsrq", part, -45, 25),
        "rssi_dbm": number("(?:lte_)?rssi", part, -130, -10),
        "sinr_db": number("(?:lte_)?snr", part, -30, 60),
    }


def nr_cell(part: str) -> Values:
    """A 5G carrier."""
    return {
        "band": integer("nr_band", part),
        "bw_dl_mhz": number("nr_band_width", part, 5, 400),
        "arfcn": integer("nr_channel", part),
        "pci": pci("nr_pci", part),
        "rsrp_dbm": number("nr_rsrp", part, -160, -20),
        "rsrq_db": number("nr_rsrq", part, -45, 25),
        "sinr_db": number("nr_snr", part, -30, 60),
    }


def pci(name: str, part: str) -> int | None:
    """A physical cell identity."""
    value = integer(name, part)
    return None if value is None else to_pci(str(value))


def temperature(body: str) -> Values:
    """^TEMP: named sensors in degrees."""
    sensors = {match[1].upper().replace(" ", ""): int(match[2]) for match in SENSOR.finditer(body)}
    names = {"PA": "PA", "SKINSENSOR": "Skin Sensor", "TSENS": "TSENS"}
    known = {names[name]: value for name, value in sensors.items() if -60 <= value <= 150}
    return {"temperature_c": max(known.values()), "sensors_c": known} if known else {}


def slot(body: str) -> Values:
    """^SWITCH_SLOT: the slot in use, from 1."""
    match = re.search(r"\bSIM([12]) ENABLE", body)
    return {"sim_slot": int(match[1])} if match else {}


def bands(body: str) -> Values:
    """^BAND_PREF_EXT: the enabled bands by technology, and those it has but not enabled; an empty list is none."""
    found = re.findall(r"\b(WCDMA|LTE|NR5G_N?SA) ?, ?(Enable|Disable) Bands ?:([\d, ]*)", body)
    names = {"Enable": "", "Disable": "disabled_"}
    return {
        f"{names[kind]}{BAND_LISTS[word]}": [int(part) for part in re.findall(r"\d{1,3}", text)]
        for word, kind, text in found
    }


def carriers(body: str) -> Values:
    """^CA_INFO: band and bandwidth of each carrier; a PCC on 5G beside one on LTE is the 5G leg's."""
    values: Values = {}
    for role, rat, band, width in INFO.findall(body):
        is_nr = rat.upper() == "NR5G"
        carrier = {"rat": "NR" if is_nr else "LTE", "band": int(band), "bw_dl_mhz": whole(to_float(width))}
        if role.upper() == "PCC":
            values["nr_pcc" if is_nr and "pcc" in values else "pcc"] = carrier
        else:
            values.setdefault("scc", []).append(carrier)
    if "pcc" in values:
        values.setdefault("scc", [])
    return values


def decode_lock(asked: Asked, record: Record) -> Values:
    """^LTE_LOCK: PCI and channel of each cell; ^NR5G_LOCK: band, numerology, channel, PCI of one."""
    if "not set" in record.body.lower():
        return {"locked": False, "locked_cells": []}
    numbers = [int(text) for text in re.findall(r"\d{1,7}", record.body)]
    if record.name == "^NR5G_LOCK":
        if len(numbers) != 4 or not 0 <= numbers[1] <= 4:
            return {}
        band, numerology, arfcn, cell = numbers
        spacing = 15 << numerology
        return locked([{"rat": "NR", "pci": to_pci(str(cell)), "arfcn": arfcn, "scs_khz": spacing, "band": band}])
    if not numbers or len(numbers) % 2:
        return {}
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return locked([{"rat": "LTE", "earfcn": earfcn, "pci": to_pci(str(cell))} for cell, earfcn in pairs])


def locked(cells: list[Values]) -> Values:
    """The cells the modem is tied to."""
    return {"locked": True, "locked_cells": cells}


def decode_nr5g_mode(asked: Asked, record: Record) -> Values:
    """^NR5G_MODE: 0 both, 1 only beside LTE, 2 only alone."""
    mode = to_int(record.body.split("\n")[0])
    return {"nr5g_mode": None if mode is None else NR5G_MODES.get(mode)}


TEXT_COMMANDS = ("^DEBUG", "^TEMP", "^SWITCH_SLOT", "^CA_INFO", "^BAND_PREF_EXT")
RECORDS: dict[str, Decoder] = {
    **dict.fromkeys(TEXT_COMMANDS, decode_text),
    "^LTE_LOCK": decode_lock,
    "^NR5G_LOCK": decode_lock,
    "^NR5G_MODE": decode_nr5g_mode,
}
TEXT_FORMS = frozenset((*TEXT_COMMANDS, "^LTE_LOCK", "^NR5G_LOCK"))
