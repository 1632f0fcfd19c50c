"""Fibocom's own commands on MediaTek (FM350) and Qualcomm (FM150/FM160) platforms.

Scales and bases per facts verified on captures: MediaTek prints channel and PCI in decimal, Qualcomm in hex; TAC and
cell identity are hex on both.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from remsim.modems.decode import fibocom_xmm
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
from remsim.modems.decode.tgpp import known_area, known_cell

USB_MODES = {
    17: "qmi",
    18: "ecm",
    24: "rndis",
    28: "mbim",
    30: "mbim",
    32: "qmi",
    40: "rndis",
    41: "rndis",
}
Number = Callable[[str | None], int | None]

USB_PIDS = {40: "7126", 41: "7127"}


def band_of_code(code: int | None) -> tuple[str, int] | None:
    """Technology and band of a band code: 103 is LTE B3, 5078 is n78, 505 and 5005 are n5, 1..99 are UMTS."""
    if code is None or code <= 0:
        return None
    text = str(code)
    if text.startswith("50") and len(text) in (3, 4):
        return "NR", int(text[2:])
    if code >= 500:
        return None
    return ("LTE", code - 100) if code > 100 else ("UMTS", code)


def bandwidth(code: int | None) -> float | None:
    """MHz of a bandwidth code (MHz times five; 6 is 1.4 MHz, 255 is none)."""
    if code is None or code in (0, 255):
        return None
    return 1.4 if code == 6 else whole(code / 5)


def is_hex_platform(asked: Asked, body: str) -> bool:
    """Whether channel and PCI are hexadecimal: Qualcomm, known by its labels or the module's name."""
    return "service cell" in body.lower() or asked.has("fm150", "fm160", "fm101", "sdx", "qualcomm", "fg150", "fg160")


def decode_gtccinfo(asked: Asked, record: Record) -> Values:
    """+GTCCINFO: rows of serving (1) and neighbour (2) cells; two serving rows are EN-DC."""
    number: Number = to_hex if is_hex_platform(asked, record.body) else to_int
    serving: dict[str, Values] = {}
    neighbours: list[Values] = []
    for line in record.lines:
        fields = split_fields(line)
        if len(fields) < 8 or fields[0] not in ("1", "2"):
            continue
        rat = {"4": "LTE", "9": "NR", "2": "UMTS", "1": "GSM"}.get(fields[1])
        if rat is None:
            continue
        if fields[0] == "1":
            serving[rat] = serving_row(asked, rat, fields, number)
        else:
            neighbours.append(neighbour_row(rat, fields, number))
    values: Values = {}
    if "LTE" in serving:
        values = serving["LTE"] | {"mode": "NSA" if "NR" in serving else "LTE"}
        if "NR" in serving:
            nr = serving["NR"]
            values["nr"] = {name: nr[name] for name in nr if name not in ("rat", "mcc", "mnc")}
    elif "NR" in serving:
        values = serving["NR"] | {"mode": "SA"}
    elif serving:
        rat, row = next(iter(serving.items()))
        values = row | {"mode": rat}
    elif "," in record.body and not neighbours:
        raise unreadable(asked, record.body)
    if neighbours:
        values |= {"neighbours": neighbours, "neighbour_count": len(neighbours)}
    return values


def serving_row(asked: Asked, rat: str, f: list[str], number: Number) -> Values:
    """1, rat, mcc, mnc, tac, cid, arfcn, pci, band, bw, sinr, rxlev, rsrp, rsrq."""
    band = band_of_code(to_int(field(f, 8)))
    values: Values = {
        "rat": rat,
        "mcc": field(f, 2),
        "mnc": field(f, 3),
        "tac" if rat != "UMTS" else "lac": known_area(field(f, 4)),
        "cell_id": known_cell(field(f, 5)),
        "earfcn" if rat == "LTE" else "arfcn": number(field(f, 6)),
        "pci": in_range(number(field(f, 7)), 0, 1007),
        "band": band[1] if band and band[0] == rat else None,
    }
    if rat in ("GSM", "UMTS"):
        return values
    sinr = to_int(field(f, 10))
    if rat == "LTE":
        values["bw_dl_mhz"] = bandwidth(to_int(field(f, 9)))
        values["sinr_db"] = None if sinr is None or not -60 <= sinr <= 80 else sinr / 2
    elif is_hex_platform(asked, ""):
        values["sinr_db"] = index_value(sinr, 0.5, -23.5, 0, 127)
    else:
        # MediaTek's NR SINR here contradicts its manual; AT+CESQ gives it unambiguously.
        values["bw_dl_mhz"] = bandwidth(to_int(field(f, 9)))
    return values | levels(rat, f)


def levels(rat: str, f: list[str]) -> Values:
    """RSRP and RSRQ of the last two index fields."""
    rsrp, rsrq = to_int(field(f, len(f) - 2)), to_int(field(f, len(f) - 1))
    if rat == "NR":
        return {
            "rsrp_dbm": whole(index_value(rsrp, 1, -157, 1, 126)),
            "rsrq_db": index_value(rsrq, 0.5, -43.5, 1, 126),
        }
    return {"rsrp_dbm": whole(index_value(rsrp, 1, -141, 1, 97)), "rsrq_db": index_value(rsrq, 0.5, -20, 1, 34)}


def neighbour_row(rat: str, f: list[str], number: Number) -> Values:
    """2, rat, mcc, mnc, tac, cid, arfcn, pci, , rxlev, rsrp, rsrq: no band and no SINR."""
    values: Values = {
        "rat": rat,
        "earfcn" if rat == "LTE" else "arfcn": number(field(f, 6)),
        "pci": in_range(number(field(f, 7)), 0, 1007),
    }
    return values | {name: value for name, value in levels(rat, f).items() if value is not None}


def decode_gtcainfo(asked: Asked, record: Record) -> Values:
    """+GTCAINFO: PCC and SCC rows; MediaTek ends a PCC with dBm, Qualcomm with an index."""
    values: Values = {}
    carriers: list[Values] = []
    for line in record.lines:
        match = re.match(r"(PCC|SCC)\s*(\d*)\s*:\s*(.*)", line, re.IGNORECASE)
        if match is None:
            continue
        f = [to_int(text) for text in split_fields(match[3])]
        if match[1].upper() == "PCC":
            carrier = component(f)
            carrier |= {"bw_ul_mhz": bandwidth(item(f, 4)), "rsrp_dbm": pcc_rsrp(carrier.get("rat"), f)}
            values["nr_pcc" if carrier.get("rat") == "NR" else "pcc"] = carrier
        else:
            state, uplink = item(f, 0), item(f, 1)
            head: Values = {"state": state, "active": state == 2, "ul_ca": uplink == 1}
            carriers.append(head | component(f[2:]))
    if not values and not carriers:
        return {}
    if "pcc" not in values and "nr_pcc" in values:
        values["pcc"] = values.pop("nr_pcc")
    return values | {"scc": carriers}


def component(f: list[int | None]) -> Values:
    """band, pci, arfcn, dl bandwidth: decimal on every platform."""
    band = band_of_code(item(f, 0))
    rat = band[0] if band else None
    return {
        "rat": rat,
        "band": band[1] if band else None,
        "pci": item(f, 1),
        "arfcn" if rat == "NR" else "earfcn": item(f, 2),
        "bw_dl_mhz": bandwidth(item(f, 3)),
    }


def pcc_rsrp(rat: str | None, f: list[int | None]) -> float | None:
    """The last field of a PCC row: dBm when negative, else the technology's index."""
    last = f[-1] if f else None
    if last is None:
        return None
    if last < 0:
        return in_range(last, -160, -20)
    return whole(index_value(last, 1, -157 if rat == "NR" else -141, 1, 126))


def item(f: list[int | None], index: int) -> int | None:
    """The field or None past the end."""
    return f[index] if index < len(f) else None


def decode_dualsim(asked: Asked, record: Record) -> Values:
    """+GTDUALSIM: slot counted from 0 (0 plastic, 1 built-in eUICC), name, service."""
    if record.body.startswith("("):
        span = [int(text) for text in re.findall(r"\d+", record.body.split(")")[0])]
        return {"sim_slots": list(range(span[0], span[-1] + 1)) if span else []}
    fields = split_fields(record.body.split("\n")[0])
    return {"sim_slot": to_int(field(fields, 0)), "sub": field(fields, 1), "service": field(fields, 2)}


def decode_gtact(asked: Asked, record: Record) -> Values:
    """+GTACT: RAT mode, two preferences, then band codes."""
    numbers = [to_int(text) for text in split_fields(record.body)]
    bands = [band_of_code(code) for code in numbers[3:]]
    return {
        "rat_mode": item(numbers, 0),
        "pref1": item(numbers, 1),
        "pref2": item(numbers, 2),
        "umts_bands": [band[1] for band in bands if band and band[0] == "UMTS"],
        "lte_bands": [band[1] for band in bands if band and band[0] == "LTE"],
        "nr_bands": [band[1] for band in bands if band and band[0] == "NR"],
    }


def decode_usbmode(asked: Asked, record: Record) -> Values:
    """+GTUSBMODE: the composition's number."""
    mode = to_int(record.body.split("\n")[0])
    values: Values = {"usbmode": mode}
    if mode in USB_PIDS:
        values["usb_pid"] = USB_PIDS[mode]
    if mode in USB_MODES:
        values["usb_mode"] = USB_MODES[mode]
    return values


def decode_erat(asked: Asked, record: Record) -> Values:
    """+ERAT: the technology in use first; 255 is none."""
    act = to_int(field(split_fields(record.body), 0), 255)
    return {"registered": act is not None, "act": act}


def decode_sensor(asked: Asked, record: Record) -> Values:
    """+GTSENRDTEMP: sensor, thousandths of a degree; 0 is no sensor. The hottest counts."""
    readings = [to_int(field(split_fields(line), -1 % len(split_fields(line))), 0) for line in record.lines]
    valid = [reading / 1000 for reading in readings if reading is not None and -40_000 <= reading <= 150_000]
    return {"temperature_c": whole(max(valid, default=None)) if valid else None}


def decode_mtsm(asked: Asked, record: Record) -> Values:
    """+MTSM: the last number is degrees Celsius."""
    numbers = [to_int(text) for text in split_fields(record.body.split("\n")[0])]
    return {"temperature_c": in_range(numbers[-1], -40, 125) if numbers else None}


def decode_gtrat(asked: Asked, record: Record) -> Values:
    """+GTRAT: RAT mode and preferences."""
    return {"gtrat": [to_int(text) for text in split_fields(record.body.split("\n")[0])]}


RECORDS: dict[str, Decoder] = {
    "+GTCCINFO": decode_gtccinfo,
    "+GTCAINFO": decode_gtcainfo,
    "+GTDUALSIM": decode_dualsim,
    "+GTACT": decode_gtact,
    "+GTUSBMODE": decode_usbmode,
    "+ERAT": decode_erat,
    "+GTSENRDTEMP": decode_sensor,
    "+MTSM": decode_mtsm,
    "+GTRAT": decode_gtrat,
    **fibocom_xmm.RECORDS,
}
