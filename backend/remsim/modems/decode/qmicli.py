"""What ``qmicli --nas-…`` prints about network, cell and signal, by the names the AT decoders use.

Formats: libqmi's qmicli 1.20 to 1.38. Traps that are met here: PLMNs printed from nibble-swapped digits (three-digit
MNCs come out wrong, so they are not read), 16 bit channels, RSRQ of 5G below the LTE heading, and sentinels.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from remsim.core.errors import AtFormatError
from remsim.modems.decode import qmicli_bands, qmicli_card
from remsim.modems.decode.outline import Entry, headed, outline
from remsim.modems.decode.text import Values

LONGEST_OUTPUT = 1 << 16
MOST_CELLS = 64

RAT_OF_INTERFACE = {"5gnr": "NR", "lte": "LTE", "umts": "UMTS", "td-scdma": "UMTS", "gsm": "GSM"}
"""The best first."""
CREG_STAT = {"not-registered": 0, "not-registered-searching": 2, "registration-denied": 3, "unknown": 4}
NO_AREA = (0, 0xFFFE, 0xFFFF)
NO_NR_AREA = (0, 0xFFFFFE, 0xFFFFFF)
NO_CELL = (0, 0x0FFFFFFF, 0xFFFFFFFF)
NO_NR_CELL = (0, 0xFFFFFFFF, (1 << 36) - 1)


def decode_qmicli(action: str, text: str) -> Values:
    """The values of one action's output (``nas-get-signal-info``); ``AtFormatError`` when it is something else."""
    decoder = DECODERS.get(action)
    if decoder is None or len(text) > LONGEST_OUTPUT or not re.search(r"^\[[^\]\s]+\] \S", text, re.MULTILINE):
        raise AtFormatError(action, text.strip()[:80])
    return decoder(text)


def decode_signal(text: str) -> Values:
    """nas-get-signal-info: one section a technology; 5G beside LTE is the second leg of EN-DC."""
    root = outline(text)
    lte = levels(root.first("LTE"))
    nr = levels(root.first("5G"))
    if lte.get("rsrp_dbm") is not None:
        return lte | {"rat": "LTE"} | ({"nr": nr, "mode": "NSA"} if nr["rsrp_dbm"] is not None else {"mode": "LTE"})
    if nr.get("rsrp_dbm") is not None:
        return nr | {"rat": "NR", "mode": "SA"}
    umts, gsm = root.first("WCDMA"), root.first("GSM")
    if umts.inner:
        values: Values = {"rssi_dbm": rssi(umts), "ecio_db": umts.number("ECIO", -32, 0)}
        return values | {"rscp_dbm": umts.number("RSCP", -130, -20), "rat": "UMTS"}
    return {"rssi_dbm": rssi(gsm), "rat": "GSM"} if gsm.inner else {}


def levels(entry: Entry) -> Values:
    """RSRP, RSRQ, SINR (the tool says SNR) and RSSI of a section."""
    values: Values = {
        "rsrp_dbm": entry.number("RSRP", -157, -30),
        "rsrq_db": entry.number("RSRQ", -43.5, 20),
        "sinr_db": entry.number("SNR", -30, 50),
    }
    return values | ({"rssi_dbm": rssi(entry)} if entry.first("RSSI").value else {})


def rssi(entry: Entry) -> float | None:
    return entry.number("RSSI", -125, -10)


def decode_serving_system(text: str) -> Values:
    """nas-get-serving-system: registration, technology, operator, area and cell."""
    root = headed(text)
    state, roaming = root.word("Registration state") or "unknown", root.word("Roaming status")
    registered = state == "registered"
    stat = (5 if roaming == "on" else 1) if registered else CREG_STAT.get(state)
    values: Values = {"creg_stat": stat, "registered": registered, "roaming": registered and roaming == "on"}
    values["ps_attached"] = {"attached": True, "detached": False}.get(root.word("PS") or "")
    if root.first("Detailed status").word("Status") in ("limited", "limited-regional") and not registered:
        values["state"] = "LIMSRV"
    if not registered:
        return values
    interfaces = [entry.value for entry in root.first("Radio interfaces").inner]
    rat = next((rat for word, rat in RAT_OF_INTERFACE.items() if word in interfaces), None)
    if rat == "NR" and "lte" in interfaces:
        rat = "LTE"  # EN-DC: the anchor's values are the cell's
    area = "tac" if rat in ("LTE", "NR") else "lac"
    values |= {"rat": rat, "cell_id": root.count("3GPP cell ID", 1 << 36, *NO_CELL)}
    values[area] = root.count(
        "LTE tracking area code" if area == "tac" else "3GPP location area code", 0xFFFFFE, *NO_AREA
    )
    return values | network(root)


def network(root: Entry) -> Values:
    """Operator and PLMN; numbers come without their leading zeros."""
    current, full = root.first("Current PLMN"), root.first("Full operator code info")
    mcc = full.count("MCC", 999, 0) or current.count("MCC", 999, 0)
    mnc = current.count("MNC", 999) if full.count("MNC", 999) is None else full.count("MNC", 999)
    values: Values = {"operator": (current.word("Description") or "").replace("[Invalid UTF-8]", "").strip() or None}
    if mcc is not None and mnc is not None:
        digits = 3 if mnc > 99 or full.word("MNC with PCS digit") == "yes" else 2
        values |= {"mcc": f"{mcc:03}", "mnc": f"{mnc:0{digits}}", "plmn": f"{mcc:03}{mnc:0{digits}}"}
    return values


def decode_system_info(text: str) -> Values:
    """nas-get-system-info: whether the cell offers EN-DC, why the network refused, the area of 5G."""
    root = headed(text)
    values: Values = {}
    for name in ("LTE service", "5G SA service", "WCDMA service", "GSM service"):
        reject = root.first(name).first("Registration reject")
        cause = re.search(r"\((\d{1,3})\)", reject.tail)
        if cause:
            values["reject_cause"] = int(cause[1])
            break
    lte = root.first("LTE service")
    for name, label in (("endc_available", "5G NSA Available"), ("dcnr_restricted", "DCNR Restriction")):
        if lte.word(label):
            values[name] = lte.word(label) == "yes"
    tac = root.count("5GNR Tracking Area Code", 0xFFFFFE, *NO_NR_AREA)
    if tac is not None and root.first("5G SA service").word("Status") == "available":
        values["tac"] = tac
    return values


def decode_cells(text: str) -> Values:
    """nas-get-cell-location-info: the serving cell and its neighbours."""
    root = outline(text)
    intra, nr = root.first("Intrafrequency LTE Info"), nr_cell(root)
    if intra.inner:
        values = lte_cell(intra) | ({"nr": nr} if nr else {})
    elif nr:
        values = nr | {"rat": "NR"}
    else:
        values = umts_cell(root)
    found = [*lte_neighbours(root, values), *umts_neighbours(root)]
    delay = root.count("LTE Timing Advance", 10_000)
    return values | {"neighbours": found[:MOST_CELLS]} | ({} if delay is None else {"timing_advance_us": delay})


def lte_cell(intra: Entry) -> Values:
    """The serving LTE cell. Its channel has 16 bits here: of bands beyond 65535 it is unknown."""
    return {
        "rat": "LTE",
        "tac": intra.count("Tracking Area Code", 0xFFFF, *NO_AREA),
        "cell_id": intra.count("Global Cell ID", 0xFFFFFFF, *NO_CELL),
        "earfcn": intra.count("EUTRA Absolute RF Channel Number", 65534),
        "pci": intra.count("Serving Cell ID", 503),
    }


def nr_cell(root: Entry) -> Values:
    """The serving 5G cell, alone or beside LTE; nothing when the output has none."""
    cell, arfcn = root.first("5GNR cell information"), root.count("5GNR ARFCN", 3_279_165, 0)
    values: Values = {} if arfcn is None else {"arfcn": arfcn}
    if cell.inner:
        values |= {"pci": cell.count("Physical Cell ID", 1007)} | levels(cell)
        values["tac"] = cell.count("Tracking Area Code", 0xFFFFFE, *NO_NR_AREA)
        values["cell_id"] = cell.count("Global Cell ID", 1 << 36, *NO_NR_CELL)
    return {name: value for name, value in values.items() if value is not None}


def umts_cell(root: Entry) -> Values:
    """The serving UMTS or GSM cell."""
    umts, gsm = root.first("UMTS Info"), root.first("GERAN Info")
    if umts.inner:
        cell = root.count("UMTS Cell ID", 0xFFFFFFF, *NO_CELL)
        return {
            "rat": "UMTS",
            "lac": umts.count("Location Area Code", 0xFFFF, *NO_AREA),
            "cell_id": cell if cell is not None else umts.count("Cell ID", 0xFFFE, 0),
            "uarfcn": umts.count("UTRA Absolute RF Channel Number", 16383),
            "psc": umts.count("Primary Scrambling Code", 511),
        }
    if gsm.inner and gsm.word("Cell ID"):
        return {
            "rat": "GSM",
            "lac": gsm.count("Location Area Code", 0xFFFF, *NO_AREA),
            "cell_id": gsm.count("Cell ID", 0xFFFE, 0),
            "arfcn": gsm.count("GERAN Absolute RF Channel Number", 1023),
        }
    return {}


def lte_neighbours(root: Entry, serving: Values) -> list[Values]:
    """LTE cells on the serving frequency and on others, without the serving cell itself."""
    intra = root.first("Intrafrequency LTE Info")
    found = [lte_neighbour("intra", serving.get("earfcn"), cell) for cell in intra.each("Cell [")]
    for frequency in root.first("Interfrequency LTE Info").each("Frequency ["):
        channel = frequency.count("EUTRA Absolute RF Channel Number", 65534)
        found += [lte_neighbour("inter", channel, cell) for cell in frequency.each("Cell [")]
    return [cell for cell in found if not (cell["kind"] == "intra" and cell["pci"] == serving.get("pci"))]


def lte_neighbour(kind: str, earfcn: int | None, cell: Entry) -> Values:
    pci = cell.count("Physical Cell ID", 503)
    return {"kind": kind, "rat": "LTE", "earfcn": earfcn, "pci": pci} | {
        "rsrp_dbm": cell.number("RSRP", -157, -30),
        "rsrq_db": cell.number("RSRQ", -43.5, 20),
        "rssi_dbm": rssi(cell),
    }


def umts_neighbours(root: Entry) -> list[Values]:
    """UMTS cells heard from UMTS or LTE."""
    found: list[Values] = []
    for cell in root.first("UMTS Info").each("Cell ["):
        channel = cell.count("UTRA Absolute RF Channel Number", 16383)
        found.append(umts_neighbour(channel, cell, "RSCP", "ECIO"))
    for frequency in root.first("LTE Info Neighboring WCDMA").each("Frequency ["):
        channel = frequency.count("UTRA Absolute RF Channel Number", 16383)
        found += [umts_neighbour(channel, cell, "CPICH RSCP", "CPICH EcNo") for cell in frequency.each("Cell [")]
    return found


def umts_neighbour(uarfcn: int | None, cell: Entry, rscp: str, ecio: str) -> Values:
    return {
        "rat": "UMTS",
        "uarfcn": uarfcn,
        "psc": cell.count("Primary Scrambling Code", 511),
        "rscp_dbm": cell.number(rscp, -130, -20),
        "ecio_db": cell.number(ecio, -32, 0),
    }


DECODERS: dict[str, Callable[[str], Values]] = {
    "nas-get-signal-info": decode_signal,
    "nas-get-serving-system": decode_serving_system,
    "nas-get-system-info": decode_system_info,
    "nas-get-cell-location-info": decode_cells,
    **qmicli_bands.DECODERS,
    **qmicli_card.DECODERS,
}
"""Which decoder reads which action's output."""
