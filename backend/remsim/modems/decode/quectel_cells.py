"""Quectel's cell reports: QENG (serving and neighbour cells) and QCSQ.

Sources: real replies in tests/fixtures/at; scales per ModemManager and the RG50xQ/RM5xxQ network application note.
"""

from __future__ import annotations

import re

from remsim.modems.decode.radio import LTE_BW_CODE, NR_BW_CODE, coded, rat_of_word, scs_khz
from remsim.modems.decode.text import (
    Asked,
    Record,
    Values,
    field,
    in_range,
    split_fields,
    to_cell_id,
    to_hex,
    to_int,
    unreadable,
)

STATES = frozenset(("SEARCH", "LIMSRV", "NOCONN", "CONNECT"))
DIRECT_DB = ("ec200", "asr", "unisoc", "rm500u", "rg200u", "rg500u", "qdc507")
HALF_STEPS = re.compile(r"\b(rm5[0-9]{2}q|rg5[0-9]{2}q|rm50xq|rg50xq|rm520n|rg520n|rm530n|rm5xxq)", re.IGNORECASE)


def lte_sinr(asked: Asked, text: str | None) -> float | None:
    """SINR of QENG's LTE form: dB directly, or 2 x - 20, depending on the firmware.

    A value that no index can have is dB; otherwise only the families whose scale is documented are decoded,
    the others give None (QCSQ has an unambiguous scale).
    """
    raw = to_int(text, -32768, 32767)
    if raw is None:
        return None
    if raw < 0 or raw > 25 or asked.has(*DIRECT_DB):
        return in_range(raw, -30, 40)
    if HALF_STEPS.search(asked.module):
        return 2.0 * raw - 20
    return None


def nr_bandwidth(asked: Asked, text: str | None) -> float | None:
    """MHz of an NR carrier: an index, but megahertz on Unisoc."""
    code = to_int(text)
    if code is None:
        return None
    return code if asked.has("unisoc", "rm500u", "rg200u", "rg500u") else coded(NR_BW_CODE, text)


def dbm(text: str | None) -> int | None:
    """A level in dBm; sentinels such as -32768 are unknown."""
    return to_int(text) if in_range(to_int(text), -160, -1) is not None else None


def db(text: str | None) -> int | None:
    """A ratio in dB; sentinels are unknown."""
    return to_int(text) if in_range(to_int(text), -50, 50) is not None else None


def decode_qeng(asked: Asked, record: Record) -> Values:
    """+QENG: one line of a serving or neighbour cell report."""
    fields = split_fields(record.body.split("\n")[0])
    head = fields[0].lower() if fields else ""
    if head.startswith("neighbourcell"):
        return {"neighbours": [cell for cell in [neighbour(head, fields[1:])] if cell]}
    values: Values = {}
    if head == "servingcell":
        fields = fields[1:]
        state = field(fields, 0)
        if state in STATES:
            values = {"state": state, "registered": state in ("NOCONN", "CONNECT")}
            fields = fields[1:]
    if not fields or not fields[0]:
        return values
    return values | cell_line(asked, record, fields)


def cell_line(asked: Asked, record: Record, fields: list[str]) -> Values:
    """The fields from the technology's name on."""
    word = fields[0].upper()
    rest = fields[1:]
    if word == "NR5G-SA":
        return sa_cell(asked, rest)
    if word == "NR5G-NSA":
        leg = nsa_cell(asked, rest)
        # An anchor that could have a 5G leg is not 5G: only a measured one is.
        measured = leg["rsrp_dbm"] is not None or leg["sinr_db"] is not None
        return {"mode": "NSA", "nr": leg} if measured else {"nr": leg}
    if word == "LTE" or rat_of_word(word) in ("LTE-M", "NB-IoT"):
        return lte_cell(asked, rat_of_word(word) or "LTE", rest)
    if word == "WCDMA":
        return umts_cell(rest)
    if word == "GSM":
        return gsm_cell(rest)
    raise unreadable(asked, record.body)


def lte_cell(asked: Asked, rat: str, f: list[str]) -> Values:
    """An LTE cell; levels stand behind the TAC, CQI and transmit power are there on 20 field firmware only.

    duplex, mcc, mnc, cell (hex), pci, earfcn, band, ul bw, dl bw, tac (hex), rsrp, rsrq, rssi, sinr[, cqi, tx], srxlev.
    """
    values: Values = {
        "mode": "LTE",
        "rat": rat,
        "duplex": field(f, 0),
        "mcc": field(f, 1),
        "mnc": field(f, 2),
        "cell_id": to_cell_id(field(f, 3)),
        "pci": to_int(field(f, 4)),
        "earfcn": to_int(field(f, 5)),
        "band": to_int(field(f, 6)),
        "bw_ul_mhz": coded(LTE_BW_CODE, field(f, 7)),
        "bw_dl_mhz": coded(LTE_BW_CODE, field(f, 8)),
        "tac": to_hex(field(f, 9)),
        "rsrp_dbm": dbm(field(f, 10)),
        "rsrq_db": db(field(f, 11)),
        "rssi_dbm": dbm(field(f, 12)),
    }
    sinr = lte_sinr(asked, field(f, 13)) if rat == "LTE" or (to_int(field(f, 13)) or 0) < 0 else None
    if sinr is not None:
        values["sinr_db"] = sinr
    if len(f) >= 17:
        cqi, power = to_int(field(f, 14)), to_int(field(f, 15), -32768)
        values["cqi"] = cqi if cqi is not None and 0 <= cqi <= 15 else None
        values["tx_power_dbm"] = None if power is None else power / 10
        values["srxlev"] = to_int(field(f, 16), -32768)
    elif len(f) == 15:
        values["srxlev"] = to_int(field(f, 14), -32768)
    return values


def sa_cell(asked: Asked, f: list[str]) -> Values:
    """duplex, mcc, mnc, cell (hex), pci, tac (hex), arfcn, band, bw, rsrp, rsrq, sinr, scs, srxlev."""
    return {
        "mode": "SA",
        "rat": "NR",
        "duplex": field(f, 0),
        "mcc": field(f, 1),
        "mnc": field(f, 2),
        "cell_id": to_cell_id(field(f, 3)),
        "pci": to_int(field(f, 4)),
        "tac": to_hex(field(f, 5)),
        "arfcn": to_int(field(f, 6)),
        "band": to_int(field(f, 7)),
        "bw_dl_mhz": nr_bandwidth(asked, field(f, 8)),
        "rsrp_dbm": dbm(field(f, 9)),
        "rsrq_db": db(field(f, 10)),
        "sinr_db": db(field(f, 11)),
        "scs_khz": scs_khz(to_int(field(f, 12))),
        "srxlev": to_int(field(f, 13), -32768),
    }


def nsa_cell(asked: Asked, f: list[str]) -> Values:
    """mcc, mnc, pci, rsrp, sinr, rsrq[, arfcn, band, bw, scs]; SINR stands before RSRQ here.

    Early firmware prints no ARFCN and SINR in tenths; there a small number may be either and is not believed.
    """
    sinr = to_int(field(f, 4), -32768)
    value: float | None = sinr
    if sinr is not None and abs(sinr) > 50:
        value = sinr / 10 if abs(sinr) <= 400 else None
    elif len(f) <= 6:
        value = None
    return {
        "mcc": field(f, 0),
        "mnc": field(f, 1),
        "pci": to_int(field(f, 2)),
        "rsrp_dbm": dbm(field(f, 3)),
        "sinr_db": value,
        "rsrq_db": db(field(f, 5)),
        "arfcn": to_int(field(f, 6)),
        "band": to_int(field(f, 7)),
        "bw_dl_mhz": nr_bandwidth(asked, field(f, 8)),
        "scs_khz": scs_khz(to_int(field(f, 9))),
    }


def umts_cell(f: list[str]) -> Values:
    """mcc, mnc, lac (hex), cell (hex), uarfcn, psc, rac, rscp, ecio, …"""
    return {
        "mode": "UMTS",
        "rat": "UMTS",
        "mcc": field(f, 0),
        "mnc": field(f, 1),
        "lac": to_hex(field(f, 2)),
        "cell_id": to_cell_id(field(f, 3)),
        "uarfcn": to_int(field(f, 4)),
        "psc": to_int(field(f, 5)),
        "rscp_dbm": dbm(field(f, 7)),
        "ecio_db": db(field(f, 8)),
    }


def gsm_cell(f: list[str]) -> Values:
    """mcc, mnc, lac (hex), cell (hex), bsic, arfcn, band, rxlev, …"""
    return {
        "mode": "GSM",
        "rat": "GSM",
        "mcc": field(f, 0),
        "mnc": field(f, 1),
        "lac": to_hex(field(f, 2)),
        "cell_id": to_hex(field(f, 3)),
        "bsic": to_int(field(f, 4)),
        "arfcn": to_int(field(f, 5)),
        "rssi_dbm": dbm(field(f, 7)),
    }


def neighbour(head: str, f: list[str]) -> Values | None:
    """A neighbour line; the LTE order is RSRQ, RSRP, RSSI - not the serving cell's."""
    word = (field(f, 0) or "").upper()
    kind = head.removeprefix("neighbourcell").strip() or None
    if word == "LTE":
        return {
            "kind": kind,
            "rat": "LTE",
            "earfcn": to_int(field(f, 1)),
            "pci": to_int(field(f, 2)),
            **levels(field(f, 3), field(f, 4)),
            "rssi_dbm": dbm(field(f, 5)),
            "srxlev": to_int(field(f, 7), -32768),
        }
    if word == "WCDMA":
        return {"kind": kind, "rat": "UMTS", "uarfcn": to_int(field(f, 1))}
    if word in ("NR", "NR5G"):
        return {"kind": kind, "rat": "NR", "arfcn": to_int(field(f, 1)), "pci": to_int(field(f, 2))}
    if word == "GSM":
        return {"kind": kind} | gsm_neighbour(f)
    return None


def gsm_neighbour(f: list[str]) -> Values:
    """A GSM neighbour: PLMN, LAC, cell, BSIC, ARFCN, level while on GSM; ARFCN and priorities while on LTE."""
    if re.fullmatch(r"\d{3}", field(f, 1) or "") and re.fullmatch(r"\d{2,3}", field(f, 2) or ""):
        return {
            "rat": "GSM",
            "mcc": f[1],
            "mnc": f[2],
            "lac": to_hex(field(f, 3)),
            "cell_id": to_hex(field(f, 4)),
            "bsic": to_int(field(f, 5)),
            "arfcn": to_int(field(f, 6)),
            "rssi_dbm": dbm(field(f, 7)),
        }
    return {"rat": "GSM", "arfcn": to_int(field(f, 1))}


def levels(first: str | None, second: str | None) -> Values:
    """RSRQ and RSRP, in this order but for a firmware that has them the other way round: RSRP is the lower one."""
    a, b = to_int(first), to_int(second)
    if a is not None and b is not None and a < -43 <= b:
        first, second = second, first
    return {"rsrq_db": db(first), "rsrp_dbm": dbm(second)}


def decode_qcsq(asked: Asked, record: Record) -> Values:
    """+QCSQ: LTE and CAT-M carry rssi, rsrp, sinr (x/5 - 20), rsrq in this order."""
    if asked.command.rstrip().endswith("=?"):
        return {"sysmodes": split_fields(record.body)}
    f = split_fields(record.body)
    word = (field(f, 0) or "").upper()
    rat = rat_of_word(word)
    if word == "NOSERVICE":
        return {"rat": None}
    if rat in ("LTE", "LTE-M", "NB-IoT"):
        return {
            "rat": rat,
            "rssi_dbm": negative(field(f, 1)),
            "rsrp_dbm": dbm(field(f, 2)),
            "sinr_db": fifth_db(field(f, 3)),
            "rsrq_db": db(field(f, 4)),
        }
    if rat == "NR":
        # Some firmware prints an RSSI before RSRP, SINR and RSRQ; the SINR's scale is not settled.
        at = max(1, len(f) - 3)
        return {"rat": "NR", "rsrp_dbm": dbm(field(f, at)), "rsrq_db": db(field(f, at + 2))}
    if rat == "UMTS":
        values: Values = {"rat": "UMTS", "rssi_dbm": negative(field(f, 1))}
        return values | {"rscp_dbm": dbm(field(f, 2)), "ecio_db": db(field(f, 3))}
    if rat == "GSM":
        return {"rat": "GSM", "rssi_dbm": negative(field(f, 1))}
    raise unreadable(asked, record.body)


def negative(text: str | None) -> int | None:
    """A level that some firmware prints without its minus sign."""
    value = to_int(text)
    return None if value is None or not 1 <= abs(value) <= 130 else -abs(value)


def fifth_db(text: str | None) -> float | None:
    """QCSQ's SINR index 0..250 in dB."""
    index = to_int(text)
    return round(index / 5 - 20, 1) if index is not None and 0 <= index <= 250 else None
