"""Quectel's carriers: QCAINFO (which are aggregated) and QNWINFO (which is camped on)."""

from __future__ import annotations

from remsim.modems.decode.quectel_scales import carrier_bandwidth, db, dbm, nr_bandwidth, nr_levels
from remsim.modems.decode.radio import band_number, rat_of_word
from remsim.modems.decode.text import Asked, Record, Values, field, split_fields, to_int, to_pci, unreadable


def decode_qcainfo(asked: Asked, record: Record) -> Values:
    """+QCAINFO: one carrier; the number of fields depends on technology, platform and =1 mode."""
    f = split_fields(record.body.split("\n")[0])
    role = (field(f, 0) or "").upper()
    if role not in ("PCC", "SCC"):
        raise unreadable(asked, record.body)
    name = field(f, 3) or ""
    is_nr = name.upper().startswith("NR")
    carrier: Values = {
        "rat": "NR" if is_nr else "LTE",
        "arfcn" if is_nr else "earfcn": to_int(field(f, 1)),
        "bw_dl_mhz": nr_bandwidth(asked, field(f, 2)) if is_nr else carrier_bandwidth(asked, field(f, 2)),
        "band": band_number(name),
    }
    carrier |= nr_carrier(role, f[4:]) if is_nr else lte_carrier(role, f[4:])
    return {"pcc": carrier, "scc": []} if role == "PCC" else {"scc": [carrier]}


def lte_carrier(role: str, f: list[str]) -> Values:
    """state, pci, rsrp, rsrq, rssi, sinr[, ul_configured, ul_bw, ul_band]; the SINR's scale is not settled."""
    state = to_int(field(f, 0))
    values: Values = {
        "state": field(f, 0) if state is None else state,
        "pci": to_pci(field(f, 1)),
        "rsrp_dbm": dbm(field(f, 2)),
        "rsrq_db": db(field(f, 3)),
        "rssi_dbm": dbm(field(f, 4)),
    }
    if role == "SCC" and to_int(field(f, 6)) is not None:
        values["ul_configured"] = to_int(field(f, 6)) == 1
    return values


def nr_carrier(role: str, f: list[str]) -> Values:
    """pci alone, or pci, rsrp, rsrq, or state, pci and for a secondary ul_configured, …

    Unisoc's carriers are of LTE's form: state, pci, rsrp, rsrq, rssi, sinr.
    """
    first, second = to_int(field(f, 0)), to_int(field(f, 1))
    if second is None or second < 0 or first is None or first > 5:
        return {"pci": to_pci(field(f, 0))} | nr_levels(f[1:3])
    values: Values = {"state": first, "pci": to_pci(field(f, 1))}
    if measured := nr_levels(f[2:4]):
        return values | measured | {"rssi_dbm": dbm(field(f, 4))}
    if role == "SCC" and to_int(field(f, 2)) in (0, 1):
        values["ul_configured"] = to_int(field(f, 2)) == 1
    return values | nr_levels(f[5:7])


def decode_qnwinfo(asked: Asked, record: Record) -> Values:
    """+QNWINFO: technology, PLMN, band, channel."""
    f = split_fields(record.body.split("\n")[0])
    if len(f) < 4:
        return {"carriers": []}
    rat = rat_of_word(field(f, 0))
    carrier: Values = {"act": field(f, 0), "plmn": field(f, 1), "rat": rat}
    band = band_number(field(f, 2))
    if band is not None and rat != "GSM":
        carrier["band"] = band
    else:
        carrier["band_name"] = field(f, 2)
    carrier["earfcn" if rat in ("LTE", "LTE-M", "NB-IoT") else "arfcn"] = to_int(field(f, 3))
    return {"carriers": [carrier]}
