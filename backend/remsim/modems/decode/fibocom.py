"""Fibocom's other GT commands on MediaTek and Qualcomm chips; the Intel ones are in ``fibocom_xmm``."""

from __future__ import annotations

import re

from remsim.modems.decode import fibocom_settings, fibocom_xmm
from remsim.modems.decode.fibocom_cells import decode_gtcainfo, decode_gtccinfo, family
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
from remsim.modems.decode.tgpp_sim import SIM_OF_CME


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
    """+ETHERMAL: radio technology, degrees Celsius, …; or the degrees alone."""
    fields = split_fields(record.body)
    return {"temperature_c": in_range(to_int(field(fields, 1 if len(fields) > 1 else 0)), -60, 150)}


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


def decode_gtladc(asked: Asked, record: Record) -> Values:
    """+GTLADC: sensors by name. Unproven: of the line of the CPU users read the first two digits as degrees Celsius.

    Numbers of five digits are taken for thousandths there; all numbers stand raw under ``adc``.
    """
    rows = {name: int(text) for name, text in re.findall(r"([A-Za-z][\w-]{1,31})[\s:,=]+(-?\d{1,7})\b", record.body)}
    if not rows:
        return {}
    degrees = [celsius(value) for name, value in rows.items() if "cpu" in name.lower() and 10_000 <= value < 150_000]
    hottest = max((value for value in degrees if value is not None), default=None)
    return {"adc": rows} | ({"temperature_c": hottest} if hottest is not None else {})


def decode_gtstatis(asked: Asked, record: Record) -> Values:
    """+GTSTATIS: bytes a second received and sent, bytes received and sent."""
    numbers = [to_int(text) for text in split_fields(record.body.split("\n")[0])]
    names = ("rx_bytes_per_s", "tx_bytes_per_s", "rx_bytes", "tx_bytes")
    return dict(zip(names, numbers, strict=True)) if len(numbers) == 4 else {}


def decode_gtusagerec(asked: Asked, record: Record) -> Values:
    """+GTUSAGEREC: a volume and its unit. Unproven: the unit's size is in no source, so the text stands as it is."""
    return {"usage_record": record.body.split("\n")[0].strip() or None}


def decode_eslotsinfo(asked: Asked, record: Record) -> Values:
    """+ESLOTSINFO (MediaTek): a count, then six fields a slot, of which the first tells the card's state."""
    fields = split_fields(record.body.split("\n")[0])
    count = to_int(field(fields, 0))
    if count is None or len(fields) != 1 + 6 * count:
        return {}
    return {"sim_slot_states": [slot_state(text) for text in fields[1::6]]}


def slot_state(text: str) -> str | None:
    """The state of a card from an answer within the answer: ``+CPIN: READY``, ``+CME ERROR: 10``."""
    name, _, detail = text.partition(":")
    if name.strip().upper() == "+CPIN":
        return detail.strip() or None
    code = to_int(detail)
    return SIM_OF_CME.get(code) if code is not None else None


RECORDS: dict[str, Decoder] = {
    "+GTCCINFO": decode_gtccinfo,
    "+GTCAINFO": decode_gtcainfo,
    "+GTDUALSIM": decode_gtdualsim,
    "+GTSENRDTEMP": decode_gtsenrdtemp,
    "+GTRAT": decode_gtrat,
    "+ERAT": decode_erat,
    "+ESIMS": decode_esims,
    "+SIMTYPE": decode_simtype,
    "+ETHERMAL": decode_ethermal,
    "+MTSM": decode_mtsm,
    "+GTLADC": decode_gtladc,
    "+GTSTATIS": decode_gtstatis,
    "+GTUSAGEREC": decode_gtusagerec,
    "+ESLOTSINFO": decode_eslotsinfo,
    **fibocom_settings.RECORDS,
    **fibocom_xmm.RECORDS,
}

TEXT_FORMS = frozenset(("+GTCAINFO", "+GTCCINFO", "+GTLADC"))
"""Commands whose answers may come without their prefix."""
