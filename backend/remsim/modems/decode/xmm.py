"""Fibocom modules on Intel's XMM chips (L850-GL, L860-GL): XLEC, XMCI, XCESQ, XCCINFO, RSRP and RSRQ lists."""

from __future__ import annotations

import re

from remsim.modems.decode.radio import LTE_BW_CODE, lte_band_of_earfcn
from remsim.modems.decode.text import (
    Asked,
    Decoder,
    Record,
    Values,
    field,
    in_range,
    index_value,
    split_fields,
    to_hex,
    to_int,
    unreadable,
    whole,
)
from remsim.modems.decode.tgpp import quality_indexes


def decode_xlec(asked: Asked, record: Record) -> Values:
    """+XLEC: number of carriers, a bandwidth code for each, the band's name."""
    fields = split_fields(record.body)
    count = to_int(field(fields, 1))
    if count is None:
        return {}
    codes = [to_int(text) for text in fields[2 : 2 + max(0, min(count, 8))]]
    values: Values = {"carrier_count": count, "bw_mhz": [LTE_BW_CODE.get(code) for code in codes if code is not None]}
    if match := re.search(r"BAND_LTE_(\d{1,3})", record.body):
        values["band"] = int(match[1])
    return values


def decode_xmci(asked: Asked, record: Record) -> Values:
    """+XMCI: one cell; types 0 GSM and 2 UMTS are recognised by name only, 4 is the serving, 5 a neighbour LTE cell."""
    f = split_fields(record.body.split("\n")[0])
    kind = to_int(field(f, 0))
    if kind == 4:
        values: Values = {
            "mode": "LTE",
            "rat": "LTE",
            "mcc": field(f, 1),
            "mnc": field(f, 2),
            "tac": known(to_hex(field(f, 3))),
            "cell_id": known(to_hex(field(f, 4))),
            "pci": known(to_hex(field(f, 5))),
            "earfcn": known(to_hex(field(f, 6))),
            "ul_earfcn": known(to_hex(field(f, 7))),
        }
        values |= levels(f)
        band = lte_band_of_earfcn(values["earfcn"])
        return values | ({"band": band} if band else {})
    if kind == 5:
        cell: Values = {"rat": "LTE", "earfcn": known(to_hex(field(f, 6))), "pci": known(to_hex(field(f, 5)))}
        return {"neighbours": [cell | levels(f, with_sinr=False)]}
    if kind is None:
        raise unreadable(asked, record.body)
    return {}


def known(value: int | None) -> int | None:
    """The value unless it is one of XMM's marks for unknown."""
    return None if value in (0xFFFE, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF) else value


def levels(f: list[str], *, with_sinr: bool = True) -> Values:
    """Indexes of RSRP, RSRQ and (signed half dB) SINR."""
    values: Values = {
        "rsrp_dbm": whole(index_value(to_int(field(f, 9)), 1, -141, 0, 97)),
        "rsrq_db": index_value(to_int(field(f, 10)), 0.5, -20, 0, 34),
    }
    if with_sinr:
        values["sinr_db"] = half_db(field(f, 11))
    return values


def half_db(text: str | None) -> float | None:
    """A signed number of half decibels; 255 and -1 … beyond what exists are unknown."""
    steps = to_int(text, 255)
    return None if steps is None else in_range(steps / 2, -50, 50)


def decode_xcesq(asked: Asked, record: Record) -> Values:
    """+XCESQ: a mode, then as +CESQ up to RSRP, then SINR in signed half decibels."""
    numbers = [to_int(text) for text in split_fields(record.body)]
    if len(numbers) < 7:
        raise unreadable(asked, record.body)
    values = quality_indexes(numbers[1:7])
    sinr = half_db(str(numbers[7])) if len(numbers) > 7 and numbers[7] is not None else None
    if values.get("rat") == "LTE":
        values["sinr_db"] = sinr
    return values


def decode_xccinfo(asked: Asked, record: Record) -> Values:
    """+XCCINFO: mode, mcc, mnc, cell (hex), technology, band code (100 + b), …, TAC (hex) in the tenth field."""
    f = split_fields(record.body.split("\n")[0])
    values: Values = {"mcc": field(f, 1), "mnc": field(f, 2), "cell_id": known(to_hex(field(f, 3)))}
    code = to_int(field(f, 5))
    if code is not None and 100 < code < 200:
        values["band"] = code - 100
    tac = known(to_hex(field(f, 9)))
    return values | ({"tac": tac} if tac is not None else {})


def measured(name: str) -> Decoder:
    """A decoder for ``+RSRP`` and ``+RSRQ``: triples of PCI, channel and value, the serving cell first.

    Several triples of the serving PCI on other channels are its secondary carriers. ``-7.-50`` is a
    firmware's way to print -7.50.
    """

    def decode(asked: Asked, record: Record) -> Values:
        f = [text.replace(".-", ".") for text in split_fields(record.body.replace("\n", ","))]
        cells: list[Values] = []
        for i in range(0, len(f) - 2, 3):
            pci, earfcn, value = to_int(field(f, i)), to_int(field(f, i + 1)), decimal(field(f, i + 2))
            if pci is None or earfcn is None:
                continue
            cell: Values = {"pci": pci, "earfcn": earfcn, name: value}
            if band := lte_band_of_earfcn(earfcn):
                cell["band"] = band
            cells.append(cell)
        if not cells:
            return {}
        first = cells[0]
        return {"measured": cells, "pci": first["pci"], "earfcn": first["earfcn"], name: first[name]}

    return decode


def decimal(text: str | None) -> float | None:
    """A level with decimals."""
    return float(text) if text is not None and re.fullmatch(r"-?\d{1,4}(\.\d{1,4})?", text) else None


def decode_mtsm(asked: Asked, record: Record) -> Values:
    """+MTSM: degrees Celsius."""
    numbers = [to_int(text) for text in split_fields(record.body)]
    value = numbers[-1] if numbers else None
    return {"temperature_c": in_range(value, -60, 150)}


RECORDS: dict[str, Decoder] = {
    "+XLEC": decode_xlec,
    "+XMCI": decode_xmci,
    "+XCESQ": decode_xcesq,
    "+XCCINFO": decode_xccinfo,
    "+RSRP": measured("rsrp_dbm"),
    "+RSRQ": measured("rsrq_db"),
    "+MTSM": decode_mtsm,
}
