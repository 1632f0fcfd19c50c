"""Sierra Wireless AT!GSTATUS?: a page of labels and values in two columns.

The layout differs by chip (9x30, 9x50, SDX55 and later) and blanks get lost on the way, so the page is read as a
sequence of known labels: a value reaches from its label to the next one or to the end of its line.
"""

from __future__ import annotations

import re

from remsim.modems.decode.radio import band_number, lte_band_of_earfcn
from remsim.modems.decode.text import Asked, Record, Values, in_range, to_float, to_hex, to_int, unreadable, whole

_LABELS = (
    r"Current Time", r"Bootup Time", r"Temperature", r"Thermal Mitigation Level", r"Modem(?:Proc)? Mitigate Level",
    r"Reset Counter", r"System mode", r"Mode", r"PS state", r"IMS mode", r"IMS reg state", r"IMS Srv State",
    r"IMS Emergency [A-Za-z ]+",
    r"LTE S[CS]C\d (?:state|band|bw|chan|Rx chan|Tx chan|UL Configured|UL bw|DL bw)",
    r"LTE (?:band|bw|Rx chan|Tx chan|CA state|dl bw|ul bw|Scell band|Scell bw|Scell chan)",
    r"NR5G(?:\(sub6\)|\(mmWave\))? (?:band|bw|dl bw|ul bw|Rx chan|Tx chan|RSRP \(dBm\)|RSRQ \(dB\)|SINR \(dB\)|TAC"
    r"|Cell ID|MCC-MNC|Carrier ID|CA state|PCI|Tx Power|state|[du]l MIMO"
    r"|Rx[MD0-3]\d? (?:RSRP|RSSI)(?: \(dBm\))?)", r"Connectivity Mode",
    r"(?:WCDMA|GSM|UMTS|TDS) (?:band|channel|chan)", r"Channel", r"Band",
    r"(?:GMM \(PS\)|MM \(CS\)|EMM|RRC|5GMM|MM5G|CM) state",
    r"(?:[PS]CC\d? )?Rx[MD0-3]\d? (?:RSSI|RSRP|RSCP)(?: \(dBm\)| C\d)?", r"RX level (?:Car\d )?\(dBm\)",
    r"RX level C(?:arrier )?\d(?: \(dBm\))?",
    r"RSSI \(dBm\)", r"RSRP \(dBm\)", r"RSRQ \(dB\)", r"SINR \(dB\)", r"RSCP \(dBm\)", r"Ec/?[Ii]o(?: \(dB\))?",
    r"Tx Power", r"TAC", r"LAC", r"Cell ID", r"PCI",
)  # fmt: skip
LABEL = re.compile(r"(?<![\w)])(" + "|".join(_LABELS).replace(" ", r"\s{1,24}") + r")\s{0,8}:[ \t]{0,40}")
BRANCH = re.compile(r"(?:([PS])CC(\d?) )?Rx([MD0-3]\d?) (RSSI|RSRP|RSCP)")
NR_BRANCH = re.compile(r"Rx([MD0-3]\d?) (RSRP|RSSI)")
SCC = re.compile(r"LTE S[CS]C(\d) (.+)")
SCELL = re.compile(r"LTE Scell (band|bw|chan)")
NR_BLOCK = re.compile(r"NR5G(?:\(\w+\))? (.+)")

CELL_ID_IS_PCI = ("em9190", "em9191", "em919x", "em7690", "sdx55")
"""Whose !NRINFO says PCI under "Cell ID": EM91, says the EM9 manual (r14). On EM92 it is the cell's identity."""

MODES = {
    "LTE": ("LTE", "LTE"),
    "ENDC": ("NSA", "LTE"),
    "EN-DC": ("NSA", "LTE"),
    "NR5G": ("SA", "NR"),
    "NR": ("SA", "NR"),
    "WCDMA": ("UMTS", "UMTS"),
    "UMTS": ("UMTS", "UMTS"),
    "GSM": ("GSM", "GSM"),
}


def decode_gstatus(asked: Asked, record: Record) -> Values:
    """The whole page. ``--`` and ``---`` are unknown; a 5G block of nothing but dashes gives ``nr: None``."""
    pairs = labelled(record.body)
    if not pairs:
        raise unreadable(asked, record.body)
    values: Values = {}
    carriers: dict[str, Values] = {}
    nr: Values = {}
    where, branch = values, ""
    for label, text in pairs:
        if match := SCC.fullmatch(label):
            carriers.setdefault(match[1], {})[match[2]] = text
        elif match := SCELL.fullmatch(label):
            carriers.setdefault("", {})[match[1]] = text
        elif match := NR_BLOCK.fullmatch(label):
            nr[match[1]] = text
        elif match := BRANCH.match(label):
            where = carriers.setdefault(match[2], {}) if match[1] == "S" else values
            branch = f"_rx{match[3].lower()}"
            where[f"{match[4].lower()}{branch}_dbm"] = level(text)
        elif label in ("RSRP (dBm)", "RSSI (dBm)"):
            # 9x30 prints one label for all branches; it stands beside its branch's RSSI.
            where[f"{label[:4].lower()}{branch}_dbm"] = level(text)
        else:
            plain(values, label, text)
    if values.get("earfcn") == 0 and values.get("band") != 1:
        values["earfcn"] = None  # 16 bit firmware and a band beyond EARFCN 65535
    add_carriers(values, carriers)
    add_nr(values, nr)
    for kind in ("rsrp", "rssi"):
        branches = [value for name, value in values.items() if name.startswith(f"{kind}_rx") and value is not None]
        if branches:
            values[f"{kind}_dbm"] = max(branches)
    return values


def level(text: str) -> float | int | None:
    """A level in dBm that can be true."""
    return whole(in_range(to_float(text), -160, -10))


def labelled(body: str) -> list[tuple[str, str]]:
    """The labels of the page with their texts, in order."""
    found = list(LABEL.finditer(body))
    ends = [match.start() for match in found[1:]] + [len(body)]
    return [
        (" ".join(match[1].split()), body[match.end() : end].strip().split("\n")[0].strip())
        for match, end in zip(found, ends, strict=False)
    ]


def decode_nrinfo(asked: Asked, record: Record) -> Values:
    """!NRINFO: the 5G block alone; the cell itself on SA, ``nr`` in EN-DC, None without 5G."""
    pairs = labelled(record.body)
    texts = {match[1]: text for label, text in pairs if (match := NR_BLOCK.fullmatch(label))}
    if not texts and "not available" not in record.body.lower():
        raise unreadable(asked, record.body)
    words = dict(pairs)
    values: Values = {}
    pci = None
    if asked.has(*CELL_ID_IS_PCI):
        pci = physical_id(texts.pop("Cell ID", ""))
    if words.get("Connectivity Mode", "").upper().startswith("SA"):
        values = {"mode": "SA", "rat": "NR"}
    add_nr(values, texts)
    cell = values.get("nr", values)
    if pci is not None and isinstance(cell, dict):
        cell.setdefault("pci", pci)
    return values or {"nr": None}


def physical_id(text: str) -> int | None:
    """The PCI where a page calls it cell id: the decimal number in brackets, or digits that no PCI has in hex."""
    match = re.match(r"([0-9A-Fa-f]{1,4})(?:\s*\((\d{1,4})\))?(?:\s|$)", text)
    if match is None:
        return None
    readings = {match[2]} if match[2] else {match[1], str(int(match[1], 16))}
    fitting = {int(reading) for reading in readings if reading.isdecimal() and int(reading) <= 1007}
    return fitting.pop() if len(fitting) == 1 else None


def plain(values: Values, label: str, text: str) -> None:
    """One value outside the blocks of branches, carriers and 5G."""
    if label == "Temperature":
        values["temperature_c"] = whole(in_range(to_float(text), -60, 150))
    elif label == "Mode":
        values["mode_state"] = text or None
    elif label == "System mode":
        values["mode"], values["rat"] = MODES.get(text.split()[0].upper() if text else "", (None, None))
    elif label == "PS state":
        values["ps_attached"] = text.lower().startswith("attached")
    elif label in ("LTE band", "WCDMA band", "GSM band", "UMTS band"):
        values["band"] = band_number(text)
    elif label in ("LTE bw", "LTE dl bw"):
        values["bw_dl_mhz"] = megahertz(text)
    elif label == "LTE ul bw":
        values["bw_ul_mhz"] = megahertz(text)
    elif label == "LTE Rx chan":
        values["earfcn"] = to_int(text)
    elif label == "LTE Tx chan":
        values["ul_earfcn"] = to_int(text)
    elif label == "WCDMA channel":
        values["uarfcn"] = to_int(text)
    elif label == "LTE CA state":
        values["ca_active"] = text.upper() == "ACTIVE"
    elif label in ("EMM state", "5GMM state", "MM5G state", "GMM (PS) state"):
        if text[:1].isalpha():  # a number is another maker's imitation
            values["registered"] = values.get("registered", False) or text.lower().startswith("registered")
    elif label == "TAC":
        values["tac"] = hex_with_decimal(text)
    elif label == "LAC":
        values["lac"] = hex_with_decimal(text)
    elif label == "Cell ID":
        values["cell_id"] = hex_with_decimal(text, 7)
    elif label == "PCI":
        values["pci"] = to_int(text)
    elif label == "RSRQ (dB)":
        values["rsrq_db"] = to_float(text)
    elif label == "SINR (dB)":
        values["sinr_db"] = to_float(text)
    elif label == "Tx Power":
        values["tx_power_dbm"] = whole(to_float(text))
    elif label == "RSCP (dBm)":
        values["rscp_dbm"] = to_float(text)
    elif label.startswith(("RX level (dBm)", "RX level C0", "RX level Carrier 0")):
        values["rssi_dbm"] = level(text)
    elif label.startswith("Ec"):
        values["ecio_db"] = to_float(text)


def megahertz(text: str) -> float | int | None:
    """``20 MHz`` -> 20."""
    return whole(to_float(text.split()[0])) if text else None


def hex_with_decimal(text: str, unknown_from: int = 4) -> int | None:
    """``E2EA (58090)``; the number in brackets must be the same, else nothing is believed."""
    match = re.match(r"([0-9A-Fa-f]+)(?:\s*\((\d+)\))?(?:\s|$)", text)
    if match is None:
        return None
    value = to_hex(match[1], unknown_from)
    return value if match[2] is None or value == to_int(match[2]) else None


def add_carriers(values: Values, carriers: dict[str, Values]) -> None:
    """Secondary carriers: only those with a band are there; ``ca_active`` when one of them is active."""
    if not carriers:
        return
    scc: list[Values] = []
    active = False
    for number, texts in sorted(carriers.items()):
        state = str(texts.get("state", "") if number else "ACTIVE" if values.get("ca_active") else "INACTIVE").upper()
        active = active or state == "ACTIVE"
        band = band_number(texts.get("band"))
        if band is None:
            continue
        carrier: Values = {
            "index": int(number or 1),
            "state": state or None,
            "active": state == "ACTIVE",
            "rat": "LTE",
            "band": band,
            "bw_dl_mhz": megahertz(texts.get("bw", "")),
            "earfcn": to_int(texts.get("Rx chan") or texts.get("chan")),
        }
        if lte_band_of_earfcn(carrier["earfcn"]) not in (None, band):
            carrier["band"] = None  # EM7565 with 01.09 firmware says B2 and B19 where it means B3 and B20
        if "UL Configured" in texts:
            carrier["ul_configured"] = texts["UL Configured"].upper() == "TRUE"
        levels = {name: value for name, value in texts.items() if name.endswith("_dbm")}
        best = [value for name, value in levels.items() if name.startswith("rsrp") and value is not None]
        if best:
            carrier["rsrp_dbm"] = max(best)
        scc.append(carrier | levels)
    values["ca_active"] = values.get("ca_active", False) or active
    if scc:
        values["scc"] = scc


def add_nr(values: Values, texts: Values) -> None:
    """The NR5G block: the serving cell itself in SA, the second leg in EN-DC, None when it is all dashes."""
    if not texts:
        return
    cell: Values = {
        "band": band_number(texts.get("band")),
        "bw_dl_mhz": megahertz(texts.get("dl bw") or texts.get("bw") or ""),
        "arfcn": to_int(texts.get("Rx chan")),
        "rsrp_dbm": level(texts.get("RSRP (dBm)", "")),
        "rsrq_db": whole(in_range(to_float(texts.get("RSRQ (dB)")), -50, 20)),
        "sinr_db": to_float(texts.get("SINR (dB)")),
    }
    if "PCI" in texts:
        cell["pci"] = to_int(texts["PCI"])
    if "ul bw" in texts:
        cell["bw_ul_mhz"] = megahertz(texts["ul bw"])
    if "Tx Power" in texts:
        cell["tx_power_dbm"] = whole(to_float(texts["Tx Power"]))
    branches = {match: level(text) for label, text in texts.items() if (match := NR_BRANCH.match(label))}
    for match, value in branches.items():
        cell[f"{match[2].lower()}_rx{match[1].lower()}_dbm"] = value
    for name in ("rsrp_dbm", "rssi_dbm"):
        known = [value for key, value in cell.items() if key.startswith(f"{name[:4]}_rx") and value is not None]
        if known and cell.get(name) is None:
            cell[name] = max(known)
    if "TAC" in texts:
        cell["tac"] = hex_with_decimal(texts["TAC"])
    if "Cell ID" in texts:
        cell["cell_id"] = hex_with_decimal(texts["Cell ID"], 7)
    if match := re.fullmatch(r"(\d{3})-(\d{2,3})", texts.get("MCC-MNC", "")):
        cell["mcc"], cell["mnc"] = match[1], match[2]
    if all(value is None for value in cell.values()):
        values["nr"] = None
    elif values.get("mode") == "SA":
        values |= cell
    else:
        values["nr"] = cell
