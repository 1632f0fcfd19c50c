"""Fibocom's Intel XMM modules (L850, L860): XLEC, RSRP, RSRQ, XMCI, XCCINFO, XCESQ."""

from __future__ import annotations

import re

from remsim.modems.decode.radio import LTE_BW_CODE, lte_band_of_earfcn
from remsim.modems.decode.text import (
    Asked,
    Decoder,
    Record,
    Values,
    field,
    index_value,
    split_fields,
    to_cell_id,
    to_hex,
    to_int,
)
from remsim.modems.decode.tgpp import quality_indexes


def decode_xlec(asked: Asked, record: Record) -> Values:
    """+XLEC: n, carriers, a bandwidth code for each, the band of the first."""
    fields = split_fields(record.body.split("\n")[0])
    count = to_int(field(fields, 1)) or 0
    codes = [to_int(text, 255) for text in fields[2 : 2 + count]]
    band = re.search(r"BAND_LTE_(\d+)", record.body)
    values: Values = {
        "mode": "LTE",
        "rat": "LTE",
        "carrier_count": count,
        "bw_mhz": [LTE_BW_CODE.get(code) if code is not None else None for code in codes],
    }
    if band:
        values["band"] = int(band[1])
    return values


def triples(body: str) -> list[tuple[int | None, int | None, float | None]]:
    """pci, earfcn, value of each cell; ``-7.-50`` is how some firmware prints -7.50."""
    f = split_fields(body.split("\n")[0])
    cells = []
    for start in range(0, len(f) - 2, 3):
        match = re.fullmatch(r"(-?\d+)\.-?(\d+)", f[start + 2])
        value = float(f"{match[1]}.{match[2]}") if match else to_int(f[start + 2])
        cells.append((to_int(f[start]), to_int(f[start + 1]), value))
    return cells


def cell_list(name: str) -> Decoder:
    """A decoder for +RSRP and +RSRQ; who is serving is settled when all records are known."""

    def decode(asked: Asked, record: Record) -> Values:
        return {f"_{name}": triples(record.body)}

    return decode


def decode_xmci(asked: Asked, record: Record) -> Values:
    """+XMCI: 4 is the serving LTE cell, 5 a neighbour; numbers are quoted hex."""
    f = split_fields(record.body.split("\n")[0])
    kind = to_int(field(f, 0))
    if kind == 4:
        return {
            "mode": "LTE",
            "rat": "LTE",
            "mcc": field(f, 1),
            "mnc": field(f, 2),
            "tac": known(field(f, 3), 0xFFFE),
            "cell_id": known(field(f, 4)),
            "pci": known(field(f, 5)),
            "earfcn": known(field(f, 6)),
            "ul_earfcn": known(field(f, 7)),
            "rsrp_dbm": index_value(to_int(field(f, 9)), 1, -141, 0, 97),
            "rsrq_db": index_value(to_int(field(f, 10)), 0.5, -20, 0, 34),
            "sinr_db": index_value(to_int(field(f, 11)), 0.5, 0, -100, 100),
        }
    if kind == 5:
        cell: Values = {"rat": "LTE", "pci": known(field(f, 5)), "earfcn": known(field(f, 6))}
        cell["rsrp_dbm"] = index_value(to_int(field(f, 9)), 1, -141, 0, 97)
        cell["rsrq_db"] = index_value(to_int(field(f, 10)), 0.5, -20, 0, 34)
        return {"neighbours": [cell]}
    return {}


def known(text: str | None, *unknown: int) -> int | None:
    """A hex number that is not one of XMM's fillers."""
    value = to_hex(text)
    return None if value in (*unknown, 0x7FFFFFFF) else value


def decode_xccinfo(asked: Asked, record: Record) -> Values:
    """+XCCINFO: mode, mcc, mnc, cell identity (hex), technology, band, LAC, …, RAC, TAC (hex), …; 3 is LTE."""
    f = split_fields(record.body.split("\n")[0])
    if len(f) < 4:
        return {}
    values: Values = {"mcc": field(f, 1), "mnc": field(f, 2), "cell_id": to_cell_id(field(f, 3))}
    band = to_int(field(f, 5))
    if field(f, 4) == "3" and band is not None and 100 < band < 200:
        values |= {"mode": "LTE", "rat": "LTE", "band": band - 100}
        if field(f, 9) not in (None, "FFFF"):
            values["tac"] = to_hex(field(f, 9))
    return values


def decode_xcesq(asked: Asked, record: Record) -> Values:
    """+XCESQ: a mode, then +CESQ's six indexes and RSSNR in half dB."""
    numbers = [to_int(text) for text in split_fields(record.body)]
    values = quality_indexes(numbers[1:7])
    rssnr = numbers[7] if len(numbers) > 7 else None
    if rssnr is not None and -100 <= rssnr <= 100 and values.get("rat") == "LTE":
        values["sinr_db"] = rssnr / 2
    return values


def settle(values: Values) -> Values:
    """Give the cell lists' values to the serving cell and the carriers on its PCI."""
    rsrp, rsrq = values.pop("_rsrp", []), values.pop("_rsrq", [])
    if len(rsrp) == 1 and "pci" not in values:
        values |= {"pci": rsrp[0][0], "earfcn": rsrp[0][1]}  # the only cell is the serving one
    pci, earfcn = values.get("pci"), values.get("earfcn")
    if pci is None or not rsrp:
        return values
    quality = {(cell, channel): value for cell, channel, value in rsrq}
    carriers: list[Values] = []
    for cell, channel, value in rsrp:
        if cell != pci:
            continue
        if channel == earfcn:
            values |= {"rsrp_dbm": value, "rsrq_db": quality.get((cell, channel), values.get("rsrq_db"))}
        elif len(carriers) < (values.get("carrier_count") or 1) - 1:
            carrier: Values = {"pci": cell, "earfcn": channel, "band": lte_band_of_earfcn(channel), "rsrp_dbm": value}
            carriers.append(carrier | {"rsrq_db": quality.get((cell, channel))})
    return values | ({"scc": carriers} if carriers else {})


RECORDS: dict[str, Decoder] = {
    "+XLEC": decode_xlec,
    "+RSRP": cell_list("rsrp"),
    "+RSRQ": cell_list("rsrq"),
    "+XMCI": decode_xmci,
    "+XCCINFO": decode_xccinfo,
    "+XCESQ": decode_xcesq,
}
