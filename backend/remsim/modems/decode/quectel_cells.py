"""Quectel's cell reports: QENG (serving cells; neighbours in quectel_neighbours) and QCSQ."""

from __future__ import annotations

from remsim.modems.decode.quectel_neighbours import neighbour
from remsim.modems.decode.quectel_scales import cell_bandwidth, db, dbm, lte_sinr, nr_bandwidth, nr_levels
from remsim.modems.decode.radio import band_number, rat_of_word, scs_khz
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
    to_pci,
    unreadable,
)

STATES = frozenset(("SEARCH", "LIMSRV", "NOCONN", "CONNECT"))


def decode_qeng(asked: Asked, record: Record) -> Values:
    """+QENG: one line of a serving or neighbour cell report."""
    fields = split_fields(record.body.split("\n")[0])
    head = fields[0].lower() if fields else ""
    if head.startswith("neighbourcell"):
        return {"neighbours": [cell for cell in [neighbour(asked, head, fields[1:])] if cell]}
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
    if (field(f, 5) or "").upper().startswith("EUTRAN-BAND"):
        return named_band_cell(asked, rat, f)
    values: Values = {
        "mode": "LTE",
        "rat": rat,
        "duplex": field(f, 0),
        "mcc": field(f, 1),
        "mnc": field(f, 2),
        "cell_id": lte_cell_id(field(f, 3)),
        "pci": to_pci(field(f, 4)),
        "earfcn": to_int(field(f, 5)),
        "band": to_int(field(f, 6)),
        "bw_ul_mhz": cell_bandwidth(asked, field(f, 7)),
        "bw_dl_mhz": cell_bandwidth(asked, field(f, 8)),
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


def lte_cell_id(text: str | None) -> int | None:
    """An LTE cell's identity has 28 bits."""
    value = to_cell_id(text)
    return value if value is not None and value < 1 << 28 else None


def named_band_cell(asked: Asked, rat: str, f: list[str]) -> Values:
    """The form that names its band: a decimal cell, band, EARFCN, bandwidths, TAC in 0x, levels in tenths.

    Its further fields are not settled.
    """
    cell = to_int(field(f, 3))
    levels = [to_int(field(f, at)) for at in (10, 11, 12)]
    rsrp, rsrq, rssi = (None if level is None else level / 10 for level in levels)
    return {
        "mode": "LTE",
        "rat": rat,
        "duplex": field(f, 0),
        "mcc": field(f, 1),
        "mnc": field(f, 2),
        "cell_id": cell if cell is not None and 0 <= cell < 1 << 28 else None,
        "pci": to_pci(field(f, 4)),
        "band": band_number(field(f, 5)),
        "earfcn": to_int(field(f, 6)),
        "bw_ul_mhz": cell_bandwidth(asked, field(f, 7)),
        "bw_dl_mhz": cell_bandwidth(asked, field(f, 8)),
        "tac": to_hex(field(f, 9)),
        "rsrp_dbm": in_range(rsrp, -160, -20),
        "rsrq_db": in_range(rsrq, -45, 25),
        "rssi_dbm": in_range(rssi, -140, -10),
    }


def sa_cell(asked: Asked, f: list[str]) -> Values:
    """duplex, mcc, mnc, cell (hex), pci, tac (hex), arfcn, band, bw, rsrp, rsrq, sinr, scs, srxlev.

    Unisoc prints sinr, tx power, srxlev, scs at the end and the bandwidth in MHz; early firmware has no SINR.
    """
    is_unisoc, has_sinr = len(f) == 15, len(f) != 13
    return {
        "mode": "SA",
        "rat": "NR",
        "duplex": field(f, 0),
        "mcc": field(f, 1),
        "mnc": field(f, 2),
        "cell_id": to_cell_id(field(f, 3)),
        "pci": to_pci(field(f, 4)),
        "tac": to_hex(field(f, 5)),
        "arfcn": to_int(field(f, 6)),
        "band": to_int(field(f, 7)),
        "bw_dl_mhz": to_int(field(f, 8)) if is_unisoc else nr_bandwidth(asked, field(f, 8)),
        "rsrp_dbm": dbm(field(f, 9)),
        "rsrq_db": db(field(f, 10)),
        "sinr_db": db(field(f, 11)) if has_sinr else None,
        "scs_khz": scs_khz(to_int(field(f, 14 if is_unisoc else 12))) if has_sinr else None,
        "srxlev": to_int(field(f, 13), -32768, 255),
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
        "pci": to_pci(field(f, 2)),
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
        # RSRP, SINR, RSRQ; some firmware prints an RSSI before them. The SINR is dB here, not QCSQ's index: an RM520N
        # told 4 with QENG's 5 in the same second, at an RSRQ of -11.
        at = max(1, len(f) - 3)
        quality = nr_levels([f[at], f[at + 2]]) if len(f) >= 4 else {}
        if quality and len(f) == 4:
            quality["sinr_db"] = in_range(to_int(f[2]), -23, 40)
        return {"rat": "NR"} | quality
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
