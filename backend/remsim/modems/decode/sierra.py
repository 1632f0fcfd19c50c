"""Sierra Wireless: cells (LTEINFO, NRINFO), power, SIM slot, firmware and composition.

These commands answer with labelled lines or tables, some without the prefix; GSTATUS has a module of its own.
"""

from __future__ import annotations

import re

from remsim.modems.decode.radio import LTE_BW_CODE, coded
from remsim.modems.decode.sierra_status import decode_gstatus, decode_nrinfo
from remsim.modems.decode.text import (
    Asked,
    Decoder,
    Record,
    Values,
    expand_ranges,
    field,
    in_range,
    split_fields,
    to_cell_id,
    to_float,
    to_int,
    to_pci,
    unreadable,
    whole,
)
from remsim.modems.decode.tgpp_data import decode_contexts

SECTION = re.compile(r"(Serving|IntraFreq|InterFreq|GSM|WCDMA|CDMA[ \w]*|NR5G|NR):")
MASKS = re.compile(r"\s{2,}|,|\s[0-9A-F]{16}\b")
"""Where a name in !BAND's table ends: at its column's end, or at the first mask."""

SELECTIONS = re.compile(r"(?:^|\s)([0-9A-F]{2})[,:] {0,4}(\S[^\n]*?)(?=\s+[0-9A-F]{2}[,:]|\s*\n|\s*$)")


def decode_lteinfo(asked: Asked, record: Record) -> Values:
    """!LTEINFO: tables by header order; TAC decimal, CID hex, D and U bandwidth codes.

    The first IntraFreq row repeats the serving cell. An SNR below -5 dB beside an RSRP above -80 dBm
    is not believed (seen on a MC7455: -10 at -70.9).
    """
    values: Values = {}
    neighbours: list[Values] = []
    for name, header, rows in sections(record.body):
        for row in rows:
            cells = dict(zip(header, row, strict=False))
            if name == "Serving" and "mode" not in values:
                values |= serving(cells)
            elif name in ("IntraFreq", "InterFreq") and to_int(cells.get("PCI")) is not None:
                neighbours.append(neighbour(name, cells))
    if not values and not neighbours:
        raise unreadable(asked, record.body)
    own = (values.get("pci"), values.get("earfcn"))
    values["neighbours"] = [
        cell for cell in neighbours if (cell["pci"], cell.get("earfcn", own[1])) != own or own[0] is None
    ]
    return values


def sections(body: str) -> list[tuple[str, list[str], list[list[str]]]]:
    """(section, header, rows) of a page, however its lines were joined: a row has as many words as its header."""
    found = list(SECTION.finditer(body))
    ends = [match.start() for match in found[1:]] + [len(body)]
    tables: list[tuple[str, list[str], list[list[str]]]] = []
    for match, end in zip(found, ends, strict=False):
        words = body[match.end() : end].split()
        width = next((i for i, word in enumerate(words) if re.fullmatch(r"-?[\d.]+|--+", word)), len(words))
        header, cells = words[:width], words[width:]
        if width:
            rows = [cells[i : i + width] for i in range(0, len(cells) - width + 1, width)]
            tables.append((match[1], header, rows))
    return tables


def serving(cells: dict[str, str]) -> Values:
    """The serving row."""
    values: Values = {
        "mode": "LTE",
        "rat": "LTE",
        "earfcn": to_int(cells.get("EARFCN")),
        "mcc": field([cells.get("MCC", "")], 0),
        "mnc": field([cells.get("MNC", "")], 0),
        "tac": to_int(cells.get("TAC")),
        "cell_id": to_cell_id(cells.get("CID")),
        "band": to_int(cells.get("Bd")),
        "bw_dl_mhz": coded(LTE_BW_CODE, cells.get("D")),
        "bw_ul_mhz": coded(LTE_BW_CODE, cells.get("U")),
        "pci": to_pci(cells.get("PCI")),
    }
    values |= levels(cells)
    sinr, rsrp = to_float(cells.get("SNR")), values["rsrp_dbm"]
    if sinr is not None and -20 <= sinr <= 35 and not (sinr < -5 and rsrp is not None and rsrp > -80):
        values["sinr_db"] = whole(sinr)
    rxlev = to_int(cells.get("RXLV"))
    if rxlev is not None:
        values["rxlev"] = rxlev
    return values


def levels(cells: dict[str, str]) -> Values:
    """The three levels every row ends with."""
    return {
        "rsrq_db": in_range(to_float(cells.get("RSRQ")), -40, 20),
        "rsrp_dbm": in_range(to_float(cells.get("RSRP")), -160, -20),
        "rssi_dbm": in_range(to_float(cells.get("RSSI")), -140, -10),
    }


def neighbour(section: str, cells: dict[str, str]) -> Values:
    """A row of another cell."""
    values: Values = {"kind": "intra" if section == "IntraFreq" else "inter", "rat": "LTE"}
    if "EARFCN" in cells:
        values["earfcn"] = to_int(cells["EARFCN"])
    return values | {"pci": to_pci(cells.get("PCI"))} | levels(cells)


def decode_pctemp(asked: Asked, record: Record) -> Values:
    """!PCTEMP: temperature in degrees Celsius and the state the modem draws from it."""
    match = re.search(r"Temperature\s*:\s*(-?\d+(?:\.\d+)?)", record.body)
    if match is None:
        raise unreadable(asked, record.body)
    values: Values = {"temperature_c": whole(in_range(float(match[1]), -60, 150))}
    if state := re.search(r"(?:Temp )?State\s*:\s*([^\n]+)", record.body):
        values["temperature_state"] = state[1].strip()
    return values


def decode_pcvolt(asked: Asked, record: Record) -> Values:
    """!PCVOLT: the supply in millivolts."""
    match = re.search(r"voltage\s*:\s*(\d+)\s*mV", record.body, re.IGNORECASE)
    if match is None:
        raise unreadable(asked, record.body)
    values: Values = {"voltage_mv": int(match[1])}
    if state := re.search(r"(?:Volt )?State\s*:\s*([^\n]+)", record.body):
        values["voltage_state"] = state[1].strip()
    return values


def decode_pcinfo(asked: Asked, record: Record) -> Values:
    """!PCINFO: power state and who votes for low power."""
    match = re.search(r"State\s*:\s*(.+?)\s*(?:\n|LPM|$)", record.body)
    if match is None:
        raise unreadable(asked, record.body)
    values: Values = {"power_state": re.sub(r"\d+ \((.+)\)", r"\1", match[1])}
    if voters := re.search(r"LPM (?:force flags|voters)\s*-\s*(\w+:\s?\d+(?:,\s?\w+:\s?\d+)*)", record.body):
        pairs = re.findall(r"(\w+)\s*:\s*(\d+)", voters[1])
        values["lpm_voters"] = {name: int(count) for name, count in pairs}
    if persistence := re.search(r"LPM persistence\s*-\s*([^\n]+)", record.body):
        values["lpm_persistence"] = persistence[1].strip()
    return values


def decode_uims(asked: Asked, record: Record) -> Values:
    """!UIMS: slot from 0; ``sim_slot`` counts from 1. On automatic (3) the second number is the slot in use."""
    if asked.command.endswith("=?"):
        return {"sim_slot_indexes": expand_ranges(record.body)}
    numbers = [to_int(text) for text in split_fields(record.body)]
    index = numbers[0]
    used = numbers[1] if len(numbers) > 1 else index
    if index is None:
        raise unreadable(asked, record.body)
    values: Values = {"sim_slot_index": index, "sim_slot": used + 1 if used in (0, 1) else None}
    if index == 3:
        values["sim_slot_auto"] = True
    return values


def decode_impref(asked: Asked, record: Record) -> Values:
    """!IMPREF: preferred and current firmware, carrier and configuration."""
    names = {"fw version": "fw", "carrier name": "carrier", "config name": "config"}
    values: Values = {}
    for which, what, text in re.findall(
        r"(preferred|current) (fw version|carrier name|config name)\s*:\s*(\S+)", record.body
    ):
        values[f"{which}_{names[what]}"] = text
    if not values:
        raise unreadable(asked, record.body)
    pairs = [(values.get(f"preferred_{name}"), values.get(f"current_{name}")) for name in names.values()]
    said = re.search(r"mismatch", record.body, re.IGNORECASE) is not None
    values["mismatch"] = said or any(None not in pair and pair[0] != pair[1] for pair in pairs)
    return values


def decode_usbpid(asked: Asked, record: Record) -> Values:
    """!USBPID: product ids of application and boot loader."""
    found = dict(re.findall(r"(APP|BOOT)\s*:\s*([0-9A-Fa-f]{4})", record.body))
    if not found:
        raise unreadable(asked, record.body)
    return {f"pid_{name.lower()}": pid.upper() for name, pid in found.items()}


def decode_usbvid(asked: Asked, record: Record) -> Values:
    """!USBVID: the vendor id."""
    match = re.search(r"\b([0-9A-Fa-f]{4})\b", record.body)
    return {"vid": match[1].upper() if match else None}


def decode_priid(asked: Asked, record: Record) -> Values:
    """!PRIID: the product release instance."""
    patterns = {
        "pri_part_number": r"PRI Part Number\s*:\s*(\S+)",
        "pri_revision": r"Revision\s*:\s*(\S+)",
        "customer": r"Customer\s*:\s*(\S+)",
        "carrier_pri": r"Carrier PRI\s*:\s*(\S+)",
    }
    values = {name: match[1] for name, text in patterns.items() if (match := re.search(text, record.body))}
    if not values:
        raise unreadable(asked, record.body)
    return values


def decode_image(asked: Asked, record: Record) -> Values:
    """!IMAGE: how many slots hold what and which firmware runs."""
    counts = {kind: len(re.findall(rf"(?:^|\s){kind}\s+(?:\d+|FF)\s+\w+", record.body)) for kind in ("FW", "PRI")}
    active = re.search(r"Active FW image is at slot (\d+)", record.body)
    if active is None and not any(counts.values()):
        raise unreadable(asked, record.body)
    values: Values = {"fw_images": counts["FW"], "pri_images": counts["PRI"]}
    if active:
        values["active_fw_slot"] = int(active[1])
    return values


def decode_usbcomp(asked: Asked, record: Record) -> Values:
    """!USBCOMP: the composition, or with ``=?`` the types and bits this model knows."""
    if asked.command.endswith("=?"):
        types = re.search(r"<Config Type>\s*-\s*([^\n<]+)", record.body)
        bits = re.findall(r"([A-Z][A-Z0-9_]+)\s*-\s*0x([0-9A-Fa-f]{8})", record.body)
        pairs = re.findall(r"(\d):([^,\n]+)", types[1]) if types else []
        return {
            # On 9x30 a sentence about the types follows the last of them, on a line of its own that may be lost.
            "config_types": {number: name.split(" config type")[0].strip() for number, name in pairs},
            "bits": {name: int(mask, 16) for name, mask in bits},
        }
    match = re.search(
        r"Config Index\s*:\s*(\d+)\s+Config Type\s*:\s*(\d+)\s*\(([^)\n]*)\)\s+Interface bitmask\s*:\s*([0-9A-Fa-f]+)"
        r"(?:\s*\(([^)\n]*)\))?",
        record.body,
    )
    if match is None:
        raise unreadable(asked, record.body)
    names = [name.strip() for name in (match[5] or "").split(",") if name.strip()]
    return {
        "config_index": int(match[1]),
        "config_type": int(match[2]),
        "config_type_name": match[3],
        "interface_bitmask": int(match[4], 16),
        "interfaces": names,
    }


def selection(name: str) -> Decoder:
    """A decoder for ``index, name`` tables: all of them for ``=?``, the chosen one else."""

    def decode(asked: Asked, record: Record) -> Values:
        found = SELECTIONS.findall(record.body)
        rows = {index: MASKS.split(text)[0] for index, text in found if not text.startswith("Name")}
        if not rows:
            raise unreadable(asked, record.body)
        if asked.command.endswith("=?"):
            return {name: rows}
        index, text = next(iter(rows.items()))
        return {name: index, f"{name}_name": text}

    return decode


def decode_cnti(asked: Asked, record: Record) -> Values:
    """*CNTI: the technology in use, or the list of supported ones."""
    return {"cnti": field(split_fields(record.body), 1)}


def decode_hwid(asked: Asked, record: Record) -> Values:
    """!HWID: the hardware's revision."""
    match = re.search(r"(?:Revision|HWID|Hardware)[^:\n]*:\s*(\S+)", record.body)
    return {"hardware": match[1] if match else record.body.strip() or None}


RECORDS: dict[str, Decoder] = {
    "!GSTATUS": decode_gstatus,
    "!LTEINFO": decode_lteinfo,
    "!NRINFO": decode_nrinfo,
    "!PCTEMP": decode_pctemp,
    "!PCVOLT": decode_pcvolt,
    "!PCINFO": decode_pcinfo,
    "!UIMS": decode_uims,
    "!IMPREF": decode_impref,
    "!GOBIIMPREF": decode_impref,
    "!USBPID": decode_usbpid,
    "!USBVID": decode_usbvid,
    "!PRIID": decode_priid,
    "!IMAGE": decode_image,
    "!USBCOMP": decode_usbcomp,
    "!SELRAT": selection("selrat"),
    "!BAND": selection("band_profile"),
    "!SCACT": decode_contexts,
    "!HWID": decode_hwid,
    "*CNTI": decode_cnti,
}

TEXT_FORMS = frozenset(
    ("!GSTATUS", "!LTEINFO", "!NRINFO", "!PCTEMP", "!PCVOLT", "!PCINFO", "!IMPREF", "!USBPID", "!PRIID", "!IMAGE",
     "!USBCOMP", "!SELRAT", "!BAND", "!HWID")
)  # fmt: skip
"""Commands whose answers may come without their prefix."""
