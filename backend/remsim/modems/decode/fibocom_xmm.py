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

ROMAN = {
    name: number
    for number, name in enumerate(("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI"), start=1)
}
SIM_STATES = {
    0: "NOT_INSERTED", 1: "SIM PIN", 2: "READY", 3: "READY", 4: "SIM PUK", 6: "FAILURE", 7: "READY", 8: "FAILURE",
    9: "NOT_INSERTED",
}  # fmt: skip


def decode_xlec(asked: Asked, record: Record) -> Values:
    """+XLEC: n, carriers, a bandwidth code for each, then their bands (L860) or that of the first.

    The secondary carriers wait under ``_scc`` for what +RSRP tells of them.
    """
    fields = split_fields(record.body.split("\n")[0])
    count = to_int(field(fields, 1)) or 0
    codes = [to_int(text, 255) for text in fields[2 : 2 + count]]
    band = re.search(r"BAND_LTE_(\d{1,3})(?!\d)", record.body)
    values: Values = {
        "mode": "LTE",
        "rat": "LTE",
        "carrier_count": count,
        "bw_mhz": [LTE_BW_CODE.get(code) if code is not None else None for code in codes],
    }
    if band:
        values["band"] = int(band[1])
        bands = [int(band[1]), *(other for text in fields[3 + count :] if 0 < (other := to_int(text) or 0) < 256)]
        if 1 < count == len(bands):
            values["carrier_bands"] = bands
            values["_scc"] = [
                {"rat": "LTE", "band": number, "bw_dl_mhz": width}
                for number, width in zip(bands[1:], values["bw_mhz"][1:], strict=True)
            ]
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
    """+XMCI: 4 is the serving LTE cell, 5 a neighbour, 2 the serving WCDMA cell; numbers are quoted hex.

    Unproven: the WCDMA row, whose layout is that of Intel's radio interface; its levels have no known scale.
    """
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
    if kind == 2:
        return {
            "mode": "UMTS",
            "rat": "UMTS",
            "mcc": field(f, 1),
            "mnc": field(f, 2),
            "lac": known(field(f, 3), 0xFFFE),
            "cell_id": known(field(f, 4)),
            "psc": known(field(f, 5)),
            "uarfcn": known(field(f, 6)),
        }
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


def decode_xreg(asked: Asked, record: Record) -> Values:
    """+XREG: reports, a state of its own numbering (``xreg``, raw), band, …"""
    f = split_fields(record.body.split("\n")[0])
    match = re.search(r"BAND_(LTE|UMTS|GSM)_(\d{1,3}|[IVX]{1,6})\b", record.body)
    values: Values = {"xreg": to_int(field(f, 1)), "rat": match[1] if match else None, "band": None}
    if match and match[1] != "GSM":
        values["band"] = int(match[2]) if match[2].isdecimal() else ROMAN.get(match[2])
    return values


def decode_xsimstate(asked: Asked, record: Record) -> Values:
    """+XSIMSTATE, +XSIM: reports, the card's state, phone book ready, messages ready.

    Unproven: the numbers are those of oFono's Intel plugin.
    """
    numbers = [to_int(text) for text in split_fields(record.body.split("\n")[0])]
    state = numbers[1] if len(numbers) > 1 else numbers[0]
    return {"xsim_state": state} | ({"sim_state": SIM_STATES[state]} if state in SIM_STATES else {})


def decode_xuicc(asked: Asked, record: Record) -> Values:
    """+XUICC: 0 a 2G card, 1 a USIM (Intel's radio interface)."""
    return {"sim_type": {"0": "SIM", "1": "USIM"}.get(record.body.strip())}


def settle(values: Values) -> Values:
    """Give the cell lists' values to the serving cell and the carriers on its PCI.

    The serving cell is +XMCI's, else the first of the lists.
    """
    rsrp, rsrq, listed = values.pop("_rsrp", []), values.pop("_rsrq", []), values.pop("_scc", [])
    if cells := rsrp or rsrq:
        values = {"pci": cells[0][0], "earfcn": cells[0][1]} | values
    pci, earfcn = values.get("pci"), values.get("earfcn")
    quality = {(cell, channel): value for cell, channel, value in rsrq}
    if quality.get((pci, earfcn)) is not None:
        values = values | {"rsrq_db": quality[pci, earfcn]}
    if pci is None or not rsrp:
        return ({"scc": listed} if listed else {}) | values
    carriers: list[Values] = []
    for cell, channel, value in rsrp:
        if cell != pci:
            continue
        if channel == earfcn:
            values = values | {"rsrp_dbm": value}
        elif len(carriers) < (values.get("carrier_count") or 1) - 1:
            carrier: Values = {"pci": cell, "earfcn": channel, "band": lte_band_of_earfcn(channel), "rsrp_dbm": value}
            carriers.append(carrier | {"rsrq_db": quality.get((cell, channel))})
    if len(carriers) == 1 and len(values.get("bw_mhz") or ()) == 2:
        carriers[0]["bw_dl_mhz"] = values["bw_mhz"][1]
    return values | ({"scc": joined(carriers, listed)} if carriers or listed else {})


def joined(measured: list[Values], listed: list[Values]) -> list[Values]:
    """The carriers that were listed, in their order, with what was measured on their bands; else the measured ones."""
    if sorted(carrier["band"] or 0 for carrier in measured) != sorted(carrier["band"] for carrier in listed):
        return measured or listed
    by_band: dict[int, list[Values]] = {}
    for carrier in measured:
        by_band.setdefault(carrier["band"], []).append(carrier)
    return [carrier | by_band[carrier["band"]].pop(0) for carrier in listed]


RECORDS: dict[str, Decoder] = {
    "+XLEC": decode_xlec,
    "+RSRP": cell_list("rsrp"),
    "+RSRQ": cell_list("rsrq"),
    "+XMCI": decode_xmci,
    "+XCCINFO": decode_xccinfo,
    "+XCESQ": decode_xcesq,
    "+XREG": decode_xreg,
    "+XSIMSTATE": decode_xsimstate,
    "+XSIM": decode_xsimstate,
    "+XUICC": decode_xuicc,
}
