"""Fibocom's cells and carriers on MediaTek and Qualcomm chips: GTCCINFO and GTCAINFO.

MediaTek (FM350) prints channel and PCI in decimal, Qualcomm (FM150, FM160 …) in hex; TAC and cell id are hex on
both. Where the platform is not known the channel must fit the band.
"""

from __future__ import annotations

import re

from remsim.modems.decode.radio import LTE_BW_CODE, coded, lte_band_of_earfcn
from remsim.modems.decode.text import (
    Asked,
    Record,
    Values,
    field,
    in_range,
    index_value,
    split_fields,
    to_cell_id,
    to_hex,
    to_int,
    whole,
)

DECIMAL = ("fm350", "mediatek", "mt6880", "t700", "t7xx")
HEXADECIMAL = ("qualcomm", "sdx", "fm150", "fm160", "fm190", "fm101", "nl668", "nl678", "nl952", "mdm9")
ROW = re.compile(r"(?<![^\s:])[12],[1249],\S*")
"""A row of +GTCCINFO; its line may have lost its end, so it is what has no blank in it."""

RAT_OF_CODE = {1: "GSM", 2: "UMTS", 4: "LTE", 9: "NR"}


def family(asked: Asked) -> str | None:
    """The chip's maker, where module or platform tell it."""
    if asked.has(*DECIMAL):
        return "mediatek"
    if asked.has("xmm", "l850", "l860"):
        return "xmm"
    return "qualcomm" if asked.has(*HEXADECIMAL) else None


def decode_gtccinfo(asked: Asked, record: Record) -> Values:
    """+GTCCINFO: serving (1) and neighbour (2) rows. Two serving rows, LTE and NR, are EN-DC."""
    rows = [split_fields(text) for text in ROW.findall(re.sub(r", +", ",", record.body))]
    hexadecimal = rows_are_hex(asked, record.body, rows)
    values: Values = {}
    neighbours: list[Values] = []
    for row in rows:
        rat = RAT_OF_CODE.get(to_int(field(row, 1)) or 0)
        if rat is None:
            continue
        if row[0] == "2":
            neighbours.append(neighbour_row(rat, row, hexadecimal))
        elif rat == "NR" and values.get("rat") == "LTE":
            values |= {"mode": "NSA", "nr": serving_row(rat, row, hexadecimal)}
        elif rat == "LTE" and values.get("rat") == "NR":
            leg = {name: value for name, value in values.items() if name not in ("rat", "mode")}
            values = {"mode": "NSA", "rat": "LTE", "nr": leg} | serving_row(rat, row, hexadecimal)
        else:
            mode = "SA" if rat == "NR" else rat
            values = {"mode": mode, "rat": rat} | serving_row(rat, row, hexadecimal)
    if neighbours:
        values |= {"neighbours": neighbours, "neighbour_count": len(neighbours)}
    if "PCC" in record.body:  # Qualcomm's +GTCAINFO rows have no prefix: in a chain they follow ours
        values |= decode_gtcainfo(asked, record)
    return values


def rows_are_hex(asked: Asked, body: str, rows: list[list[str]]) -> bool:
    """Whether channel and PCI are in hex: by the chip, by letters in them, by the labels, by the band."""
    known = family(asked)
    if known is not None:
        return known != "mediatek"
    if any(re.search(r"[A-Fa-f]", text) for row in rows for text in row[6:8]):
        return True
    for row in rows:
        band, channel = band_of_code(field(row, 8)), field(row, 6)
        if band is not None and row[1] == "4" and channel is not None:
            fits = [lte_band_of_earfcn(to_hex(channel)) == band, lte_band_of_earfcn(to_int(channel)) == band]
            if fits[0] != fits[1]:
                return fits[0]
    return "service cell" in body


def serving_row(rat: str, row: list[str], hexadecimal: bool) -> Values:
    """1, rat, mcc, mnc, tac, cell, channel, pci, band, bandwidth, sinr, rxlev, rsrp, rsrq.

    The NR SINR of MediaTek's rows is not settled (AT+CESQ has it), nor is the NR bandwidth of Qualcomm's.
    """
    read = to_hex if hexadecimal else to_int
    nr = rat == "NR"
    values: Values = {
        "mcc": field(row, 2),
        "mnc": field(row, 3),
        "tac" if rat in ("LTE", "NR") else "lac": to_hex(field(row, 4)),
        "cell_id": to_cell_id(field(row, 5)),
    }
    if rat == "UMTS":
        return values | {"uarfcn": read(field(row, 6)), "psc": read(field(row, 7)), "band": band_of_code(field(row, 8))}
    if rat == "GSM":
        return values
    values |= {
        "arfcn" if nr else "earfcn": read(field(row, 6)),
        "pci": read(field(row, 7)),
        "band": band_of_code(field(row, 8)),
        "rsrp_dbm": rsrp(rat, field(row, 12)),
        "rsrq_db": rsrq(rat, field(row, 13)),
    }
    if not (nr and hexadecimal):
        values["bw_dl_mhz"] = megahertz(field(row, 9))
    sinr = to_int(field(row, 10))
    if not nr:
        values["sinr_db"] = None if sinr is None else in_range(sinr / 2, -30, 50)
    elif hexadecimal:
        values["sinr_db"] = index_value(sinr, 0.5, -23.5, 0, 127)
    return values


def neighbour_row(rat: str, row: list[str], hexadecimal: bool) -> Values:
    """2, rat, -, -, tac, cell, channel, pci, [band,] rxlev, rsrp, rsrq; an RSRQ index of 0 is "not measured"."""
    read = to_hex if hexadecimal else to_int
    channel = "arfcn" if rat == "NR" else "uarfcn" if rat == "UMTS" else "earfcn"
    values: Values = {"rat": rat, channel: read(field(row, 6))}
    values["psc" if rat == "UMTS" else "pci"] = read(field(row, 7))
    if rat in ("LTE", "NR") and len(row) >= 11:
        level = rsrp(rat, field(row, 10))
        if level is not None:
            values["rsrp_dbm"] = level
        quality = rsrq(rat, field(row, 11))
        if quality is not None and to_int(field(row, 11)) != 0:
            values["rsrq_db"] = quality
    return values


def rsrp(rat: str, text: str | None) -> float | None:
    """dBm of an RSRP index: x - 141 for LTE, x - 157 for NR, where FM350 says 126 of what it has not measured."""
    index = to_int(text)
    value = index_value(index, 1, -157, 0, 125) if rat == "NR" else index_value(index, 1, -141, 0, 97)
    return whole(value)


def rsrq(rat: str, text: str | None) -> float | None:
    """dB of an RSRQ index: x/2 - 20 for LTE, x/2 - 43.5 for NR."""
    index = to_int(text)
    return index_value(index, 0.5, -43.5, 0, 126) if rat == "NR" else index_value(index, 0.5, -20, 0, 34)


def band_of_code(text: str | None) -> int | None:
    """103 is B3, 505, 5005 and 5078 are n5, n5 and n78; below 100 a UMTS band."""
    if text is None or not text.isdecimal() or len(text) > 5:
        return None
    code = int(text)
    if text.startswith("50") and len(text) > 2:
        return int(text[2:]) or None
    return code - 100 if 100 < code < 200 else code if 0 < code < 100 else None


def rat_of_band_code(text: str | None) -> str | None:
    """The technology a band code belongs to."""
    if text is None or not text.isdecimal() or len(text) > 5:
        return None
    return "NR" if text.startswith("50") and len(text) > 2 else "LTE" if 100 < int(text) < 300 else "UMTS"


def megahertz(text: str | None) -> float | int | None:
    """Bandwidth codes are MHz * 5, but 6 (resource blocks) for 1.4 MHz."""
    code = to_int(text)
    if code is None or not 6 <= code <= 2000 or code == 255:
        return None
    return 1.4 if code == 6 else whole(code / 5)


def decode_gtcainfo(asked: Asked, record: Record) -> Values:
    """+GTCAINFO: the primary carriers (one a technology in EN-DC) and the secondary ones."""
    if "CC" not in record.body:
        return xmm_carriers(record)
    values: Values = {}
    primaries: list[Values] = []
    scc: list[Values] = []
    for role, text in re.findall(r"(PCC|SCC)\s*\d*\s*:\s*([-\dA-Fa-f, ]+)", record.body):
        row = split_fields(text.strip(" ,"))
        if role == "PCC":
            primaries.append(primary(row))
        else:
            scc.append(secondary(row))
    for carrier in (*primaries, *scc):
        if carrier["rat"] == "NR" and family(asked) == "qualcomm":
            del carrier["bw_dl_mhz"]  # its code is not settled
    for carrier in primaries:
        both = carrier["rat"] == "NR" and any(other["rat"] == "LTE" for other in primaries)
        values["nr_pcc" if both else "pcc"] = carrier
    if primaries or scc:
        values["scc"] = scc
    return values


def primary(row: list[str]) -> Values:
    """band, pci, channel, dl bw, ul bw, MIMO and modulation, … ; the last is RSRP in dBm, or its index (Qualcomm)."""
    carrier = channel_values(row, 0)
    level = to_int(row[-1]) if len(row) >= 9 else None
    if level is not None and level >= 0:  # 0 is "not measured" in either scale
        carrier["rsrp_dbm"] = rsrp(carrier["rat"] or "LTE", str(level)) if level and len(row) == 9 else None
    else:
        carrier["rsrp_dbm"] = whole(in_range(level, -160, -20))
    return carrier | layers(row, {10: 5, 9: 4}.get(len(row)))


def secondary(row: list[str]) -> Values:
    """state (2 is active), uplink CA, then as a primary; its last field repeats the primary's level."""
    state = to_int(field(row, 0))
    carrier: Values = {"state": state, "active": state == 2}
    uplink = to_int(field(row, 1))
    if uplink in (0, 1):
        carrier["ul_ca"] = uplink == 1
    channel = channel_values(row, 2)
    if channel.get("bw_ul_mhz") is None:
        channel.pop("bw_ul_mhz", None)
    return carrier | channel | layers(row, 7 if len(row) == 12 else None)


def layers(row: list[str], at: int | None) -> Values:
    """MIMO layers down and up from position ``at`` on; None where the row's length is of no known layout."""
    if at is None:
        return {}
    counts = (("dl_mimo", to_int(field(row, at))), ("ul_mimo", to_int(field(row, at + 1))))
    return {name: count for name, count in counts if count is not None and 1 <= count <= 8}


def channel_values(row: list[str], at: int) -> Values:
    """band, pci, channel, dl bw, ul bw from position ``at`` on."""
    rat, band = rat_of_band_code(field(row, at)), band_of_code(field(row, at))
    pci, channel = field(row, at + 1), field(row, at + 2)
    read = to_hex if is_hex_pair(rat, band, pci, channel) else to_int
    carrier: Values = {
        "rat": rat,
        "band": band,
        "pci": read(pci),
        "arfcn" if rat == "NR" else "earfcn": read(channel),
        "bw_dl_mhz": megahertz(field(row, at + 3)),
    }
    uplink = megahertz(field(row, at + 4))
    if uplink is not None:
        carrier["bw_ul_mhz"] = uplink
    return carrier


def is_hex_pair(rat: str | None, band: int | None, pci: str | None, channel: str | None) -> bool:
    """Whether a carrier's PCI and channel are in hex, as some Qualcomm firmware prints them here too."""
    if re.search(r"[A-Fa-f]", f"{pci}{channel}"):
        return True
    fits = lte_band_of_earfcn(to_int(channel)) == band, lte_band_of_earfcn(to_hex(channel)) == band
    return rat == "LTE" and fits == (False, True)


def xmm_carriers(record: Record) -> Values:
    """Intel's +GTCAINFO: how many carriers, then one a line with index and band; the primary names its cell too.

    The fields behind it are pci, rsrp, rsrq and sinr indexes, dl and ul channel, dl and ul bandwidth. A free place in
    the list is all sentinels; a secondary carrier repeats the primary's uplink channel. The primary may come last.
    """
    primary: Values | None = None
    others: list[Values] = []
    for line in record.lines:
        row = split_fields(line)
        if len(row) not in (10, 14):
            continue
        rest = row[-8:]
        if field(rest, 0) == field(rest, 4) == "65535":
            continue
        carrier: Values = {
            "rat": "LTE",
            "band": to_int(field(row, 1)),
            "pci": in_range(to_int(field(rest, 0)), 0, 503),
            "earfcn": to_int(field(rest, 4)),
            "bw_dl_mhz": coded(LTE_BW_CODE, field(rest, 6)),
            "rsrp_dbm": rsrp("LTE", field(rest, 1)),
            "rsrq_db": rsrq("LTE", field(rest, 2)),
            "sinr_db": index_value(to_int(field(rest, 3)), 0.5, 0, -100, 100),
        }
        if len(row) == 14:
            uplink = {"ul_earfcn": to_int(field(rest, 5)), "bw_ul_mhz": coded(LTE_BW_CODE, field(rest, 7))}
            primary = carrier | uplink
        else:
            others.append(carrier)
    return {"pcc": primary, "scc": others} if primary else {"scc": others} if others else {}
