"""Sierra Wireless's tables of cells: LTEINFO and the 5G cell identities of NRPCI."""

from __future__ import annotations

import re

from remsim.modems.decode.radio import LTE_BW_CODE, coded
from remsim.modems.decode.text import (
    Asked,
    Record,
    Values,
    field,
    in_range,
    to_cell_id,
    to_float,
    to_int,
    to_pci,
    unreadable,
    whole,
)

SECTION = re.compile(r"(Serving|IntraFreq|InterFreq|CA SCell|GSM|WCDMA|CDMA[ \w]*|NR5G|NR)\s?:")


def decode_lteinfo(asked: Asked, record: Record) -> Values:
    """!LTEINFO: tables by header order; TAC decimal, CID hex, D and U bandwidth codes.

    The first IntraFreq row repeats the serving cell. An SNR below -5 dB beside an RSRP above -80 dBm
    is not believed (seen on a MC7455: -10 at -70.9). Secondary carriers come with EM9 modules.
    """
    values: Values = {}
    neighbours: list[Values] = []
    scc: list[Values] = []
    for name, header, rows in sections(record.body):
        for row in rows:
            cells = dict(zip(header, row, strict=False))
            if name == "Serving" and "mode" not in values:
                values |= serving(cells)
            elif name in ("IntraFreq", "InterFreq") and to_int(cells.get("PCI")) is not None:
                neighbours.append(neighbour(name, cells))
            elif name == "CA SCell" and to_int(cells.get("EARFCN")) is not None:
                scc.append(secondary(cells))
    if not values and not neighbours:
        raise unreadable(asked, record.body)
    own = (values.get("pci"), values.get("earfcn"))
    values["neighbours"] = [
        cell for cell in neighbours if (cell["pci"], cell.get("earfcn", own[1])) != own or own[0] is None
    ]
    return values | ({"scc": scc} if scc else {})


def secondary(cells: dict[str, str]) -> Values:
    """A row of CA SCell. Unproven: the columns are from a program for EM9 modules; ``state`` is the raw number."""
    cells = {name.upper(): text for name, text in cells.items()}
    return {
        "index": to_int(cells.get("SCID")),
        "state": to_int(cells.get("ST")),
        "rat": "LTE",
        "band": to_int(cells.get("BD")),
        "pci": to_pci(cells.get("PCI")),
        "earfcn": to_int(cells.get("EARFCN")),
        "bw_dl_mhz": coded(LTE_BW_CODE, cells.get("D")),
        "rsrp_dbm": in_range(to_float(cells.get("RSRP")), -160, -20),
        "rssi_dbm": in_range(to_float(cells.get("RSSI")), -140, -10),
        "sinr_db": whole(in_range(to_float(cells.get("SINR") or cells.get("SNR")), -30, 50)),
    }


def decode_nrpci(asked: Asked, record: Record) -> Values:
    """!NRPCI: 5G cell identities, the primary carrier's first. Unproven: the form is from the EM9 manual's users."""
    numbers = [to_pci(text) for text in re.findall(r"(?<![\w.-])\d{1,4}(?![\w.])", record.body)]
    return {"nr_pcis": [number for number in numbers if number is not None]}


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
