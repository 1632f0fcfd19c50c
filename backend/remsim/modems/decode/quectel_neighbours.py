"""Quectel's neighbour cells: the lines of QENG="neighbourcell" and of the neighbours a serving cell report adds."""

from __future__ import annotations

import re

from remsim.modems.decode.quectel_scales import db, dbm, is_unisoc_5g, nr_levels
from remsim.modems.decode.text import Asked, Values, field, to_hex, to_int, to_pci


def neighbour(asked: Asked, head: str, f: list[str]) -> Values | None:
    """A neighbour line; what stands in it depends on its technology and on the serving cell's."""
    word = (field(f, 0) or "").upper()
    kind = head.removeprefix("neighbourcell").strip() or None
    if word == "LTE":
        return {"kind": kind} | lte_neighbour(f)
    if word == "WCDMA":
        return {"kind": kind} | umts_neighbour(f)
    if word in ("NR", "NR5G"):
        return {"kind": kind} | nr_neighbour(asked, f)
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


def lte_neighbour(f: list[str]) -> Values:
    """An LTE neighbour: RSRQ, RSRP, RSSI, SINR, srxlev - not in the serving cell's order.

    While on UMTS, and on Unisoc, it is RSRP, RSRQ and other fields behind them; RSRP is the lower of the two.
    """
    cell: Values = {"rat": "LTE", "earfcn": to_int(field(f, 1)), "pci": to_pci(field(f, 2))}
    first, second = to_int(field(f, 3)), to_int(field(f, 4))
    if first is not None and second is not None and first < -43 <= second:
        return cell | {"rsrp_dbm": dbm(field(f, 3)), "rsrq_db": db(field(f, 4))}
    cell |= {"rsrq_db": db(field(f, 3)), "rsrp_dbm": dbm(field(f, 4)), "rssi_dbm": dbm(field(f, 5))}
    return cell | {"srxlev": to_int(field(f, 7), -32768)}


def nr_neighbour(asked: Asked, f: list[str]) -> Values:
    """A 5G neighbour: channel, pci, RSRP, RSRQ; Unisoc's SINR behind them is dB."""
    cell: Values = {"rat": "NR", "arfcn": to_int(field(f, 1)), "pci": to_pci(field(f, 2))} | nr_levels(f[3:5])
    if is_unisoc_5g(asked) and "rsrp_dbm" in cell:
        cell["sinr_db"] = db(field(f, 5))
    return cell


def umts_neighbour(f: list[str]) -> Values:
    """A UMTS neighbour: while on LTE channel, three priorities, psc, RSCP, Ec/No; on UMTS channel, srxqual, psc, ….

    Some firmware prints tenths; a level below -200 tells.
    """
    cell: Values = {"rat": "UMTS", "uarfcn": to_int(field(f, 1))}
    for at in (5, 3):
        psc, rscp, ecio = (to_int(field(f, at + i)) for i in range(3))
        if psc is not None and rscp is not None and ecio is not None and -1400 < rscp < -20 and ecio <= 0:
            scale = 10 if rscp < -200 else 1
            return cell | {"psc": psc, "rscp_dbm": rscp / scale, "ecio_db": ecio / scale}
    return cell
