"""Fibocom's other GT commands on MediaTek and Qualcomm chips; the Intel ones are in ``fibocom_xmm``."""

from __future__ import annotations

import re

from remsim.modems.decode import fibocom_xmm
from remsim.modems.decode.fibocom_cells import (
    band_of_code,
    decode_gtcainfo,
    decode_gtccinfo,
    family,
    rat_of_band_code,
)
from remsim.modems.decode.text import (
    Asked,
    Decoder,
    Record,
    Values,
    expand_ranges,
    field,
    in_range,
    split_fields,
    to_int,
    unreadable,
)

USB_MODES: dict[str, dict[int, tuple[str | None, str]]] = {
    "mediatek": {40: ("7126", "rndis"), 41: ("7127", "rndis")},
    "qualcomm": {17: (None, "qmi"), 32: (None, "qmi"), 18: (None, "ecm"), 30: (None, "mbim"), 28: (None, "mbim"),
                 24: (None, "rndis")},
    "xmm": {0: (None, "ncm"), 7: (None, "mbim")},
}  # fmt: skip


def decode_gtact(asked: Asked, record: Record) -> Values:
    """+GTACT: allowed technologies, the two preferred ones, and the bands as codes."""
    fields = split_fields(record.body)
    values: Values = {
        "rat_mode": to_int(field(fields, 0)),
        "pref1": to_int(field(fields, 1)),
        "pref2": to_int(field(fields, 2)),
    }
    for name, rat in (("umts_bands", "UMTS"), ("lte_bands", "LTE"), ("nr_bands", "NR")):
        values[name] = [
            band for code in fields[3:] if rat_of_band_code(code) == rat and (band := band_of_code(code)) is not None
        ]
    return values


def decode_gtdualsim(asked: Asked, record: Record) -> Values:
    """+GTDUALSIM: slot from 0 (0 plastic, 1 built in), its subscription and service."""
    if asked.command.endswith("=?"):
        return {"sim_slots": expand_ranges(record.body)}
    fields = split_fields(record.body)
    values: Values = {"sim_slot": to_int(field(fields, 0))}
    for name, index in (("sub", 1), ("service", 2)):
        if field(fields, index) is not None:
            values[name] = field(fields, index)
    return values


def decode_gtsenrdtemp(asked: Asked, record: Record) -> Values:
    """+GTSENRDTEMP: sensor number and thousandths of a degree; 0 is "no sensor"."""
    rows = re.findall(r"(\d{1,3})\s*,\s*(-?\d{1,7})", record.body)
    sensors = {number: celsius(int(text)) for number, text in rows}
    known = [value for value in sensors.values() if value is not None]
    if not sensors:
        raise unreadable(asked, record.body)
    return {"temperature_c": max(known, default=None), "sensors_c": sensors}


def celsius(thousandths: int) -> float | None:
    """Degrees Celsius; 0 and what no chip survives are unknown."""
    value = thousandths / 1000
    return round(value, 3) if thousandths and -60 <= value <= 150 else None


def decode_gtusbmode(asked: Asked, record: Record) -> Values:
    """+GTUSBMODE: the composition number and what it means on this chip."""
    mode = to_int(field(split_fields(record.body), 0))
    if mode is None:
        return {"usbmodes": expand_ranges(record.body)}
    values: Values = {"usbmode": mode}
    known = family(asked)
    for maker, table in USB_MODES.items():
        if mode in table and known in (maker, None):
            pid, name = table[mode]
            values |= {"usb_mode": name} | ({"usb_pid": pid} if pid else {})
    return values


def decode_gtrat(asked: Asked, record: Record) -> Values:
    """+GTRAT: preference numbers as they stand."""
    return {"gtrat": [to_int(text) for text in split_fields(record.body)]}


def decode_erat(asked: Asked, record: Record) -> Values:
    """+ERAT: AcT (255 is none), … ; the rest is MediaTek's own."""
    act = to_int(field(split_fields(record.body), 0))
    return {"registered": act is not None and act != 255, "act": None if act == 255 else act}


def decode_esims(asked: Asked, record: Record) -> Values:
    """+ESIMS: MediaTek's card event; its codes are not documented, so only the event is kept."""
    return {"sim_event": [to_int(text) for text in split_fields(record.body)]}


def decode_ethermal(asked: Asked, record: Record) -> Values:
    """+ETHERMAL: radio technology, degrees Celsius, …"""
    return {"temperature_c": in_range(to_int(field(split_fields(record.body), 1)), -60, 150)}


def decode_simtype(asked: Asked, record: Record) -> Values:
    """+SIMTYPE: 0 a plain card, 1 an eSIM."""
    number = to_int(field(split_fields(record.body), 0))
    return {"sim_type": {0: "USIM", 1: "eSIM"}.get(number if number is not None else -1)}


def decode_mtsm(asked: Asked, record: Record) -> Values:
    """+MTSM: the last number is degrees Celsius; read back on Qualcomm it is the reporting mode (0, 1, 2)."""
    numbers = [to_int(text) for text in split_fields(record.body.split("\n")[0])]
    last = numbers[-1]
    if asked.command.endswith("?") and (family(asked) == "qualcomm" or last in (0, 1, 2)):
        return {}
    return {"temperature_c": in_range(last, -60, 150)}


RECORDS: dict[str, Decoder] = {
    "+GTCCINFO": decode_gtccinfo,
    "+GTCAINFO": decode_gtcainfo,
    "+GTACT": decode_gtact,
    "+GTDUALSIM": decode_gtdualsim,
    "+GTSENRDTEMP": decode_gtsenrdtemp,
    "+GTUSBMODE": decode_gtusbmode,
    "+GTRAT": decode_gtrat,
    "+ERAT": decode_erat,
    "+ESIMS": decode_esims,
    "+SIMTYPE": decode_simtype,
    "+ETHERMAL": decode_ethermal,
    "+MTSM": decode_mtsm,
    **fibocom_xmm.RECORDS,
}

TEXT_FORMS = frozenset(("+GTCAINFO", "+GTCCINFO"))
"""Commands whose answers may come without their prefix."""
