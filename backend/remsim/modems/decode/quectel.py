"""Quectel's own commands besides the cell reports: temperature, SIM, configuration, counters."""

from __future__ import annotations

import re

from remsim.modems.decode import quectel_cells
from remsim.modems.decode.radio import bands_of_mask
from remsim.modems.decode.text import Asked, Decoder, Record, Values, field, in_range, split_fields, to_int

USBNET = {0: "qmi", 1: "ecm", 2: "mbim", 3: "rndis", 5: "ncm"}


def decode_qtemp(asked: Asked, record: Record) -> Values:
    """+QTEMP: one line a named sensor, or three numbers pmic, xo, pa; -273 and 255 are no reading."""
    fields = split_fields(record.body.split("\n")[0])
    if len(fields) == 2 and not re.fullmatch(r"-?\d+", fields[0]):
        value = in_range(to_int(field(fields, 1)), -60, 150)
        return {"sensors_c": {fields[0]: value}, "temperature_c": value}
    numbers = [in_range(to_int(text, 255), -60, 150) for text in fields]
    valid = [number for number in numbers if number is not None]
    values: Values = {"temperature_c": max(valid, default=None)}
    if len(numbers) >= 3:
        values |= {"pmic_c": numbers[0], "xo_c": numbers[1], "pa_c": numbers[2]}
    return values


def decode_quimslot(asked: Asked, record: Record) -> Values:
    """+QUIMSLOT: the slot in use, counted from 1."""
    return {"sim_slot": to_int(record.body.split("\n")[0])}


def decode_qdsim(asked: Asked, record: Record) -> Values:
    """+QDSIM: the slot in use, counted from 0."""
    index = to_int(record.body.split("\n")[0])
    return {"sim_slot_index": index, "sim_slot": None if index is None else index + 1}


def decode_qsimstat(asked: Asked, record: Record) -> Values:
    """+QSIMSTAT: reporting switched on, card inserted (0, 1; 2 is not known yet)."""
    inserted = to_int(field(split_fields(record.body), 1), 2)
    return {"sim_inserted": None if inserted is None else inserted == 1}


def decode_qspn(asked: Asked, record: Record) -> Values:
    """+QSPN: full name, short name, SPN, alphabet, PLMN."""
    fields = split_fields(record.body)
    return {"operator": field(fields, 0), "plmn": field(fields, 4)}


def decode_prefcfg(asked: Asked, record: Record) -> Values:
    """+QNWPREFCFG: a named preference; band lists are joined by colons."""
    fields = split_fields(record.body)
    name, value = field(fields, 0), field(fields, 1)
    if name is None:
        return {}
    if name.endswith("band"):
        return {"bands": [int(text) for text in (value or "").split(":") if text.isdigit() and text != "0"]}
    number = to_int(value)
    return {name: value if number is None else number}


def decode_qcfg(asked: Asked, record: Record) -> Values:
    """+QCFG: a named setting; the band setting is a list of bit masks."""
    fields = split_fields(record.body.split("\n")[0])
    name = (field(fields, 0) or "").lower()
    if name == "band":
        mask = (field(fields, 2) or "").lower().removeprefix("0x")
        return {"lte_bands": bands_of_mask(int(mask, 16))} if re.fullmatch(r"[0-9a-f]{1,40}", mask) else {}
    value = to_int(field(fields, 1))
    if name == "usbnet":
        return {"usbnet": value, "usb_mode": USBNET.get(value) if value is not None else None}
    if name and value is not None and len(fields) == 2:
        return {name.replace("/", "_"): value}
    return {}


def decode_counters(asked: Asked, record: Record) -> Values:
    """+QGDCNT: two byte counters whose order differs between platforms, so they stay unnamed."""
    numbers = [to_int(text) for text in split_fields(record.body)]
    return {"counter_bytes": numbers[:2]} if len(numbers) >= 2 and None not in numbers[:2] else {}


def decode_lock(asked: Asked, record: Record) -> Values:
    """+QNWLOCK: the lock's name alone means that nothing is locked."""
    fields = split_fields(record.body)
    return {"locked": any(text not in ("", "0") for text in fields[1:])}


def branches(name: str) -> Decoder:
    """A decoder for +QRSRP and its fellows: a value a receive branch, then the technology."""

    def decode(asked: Asked, record: Record) -> Values:
        fields = split_fields(record.body.split("\n")[0])
        return {name: [in_range(to_int(text, -32768), -200, 100) for text in fields[:4]]}

    return decode


def silent(asked: Asked, record: Record) -> Values:
    """A known answer without a value of ours."""
    return {}


RECORDS: dict[str, Decoder] = {
    "+QENG": quectel_cells.decode_qeng,
    "+QCSQ": quectel_cells.decode_qcsq,
    "+QCAINFO": quectel_cells.decode_qcainfo,
    "+QNWINFO": quectel_cells.decode_qnwinfo,
    "+QTEMP": decode_qtemp,
    "+QUIMSLOT": decode_quimslot,
    "+QUSIMSLOT": decode_quimslot,
    "+QDSIM": decode_qdsim,
    "+QSIMSTAT": decode_qsimstat,
    "+QSPN": decode_qspn,
    "+QNWPREFCFG": decode_prefcfg,
    "+QCFG": decode_qcfg,
    "+QGDCNT": decode_counters,
    "+QGDNRCNT": decode_counters,
    "+QNWLOCK": decode_lock,
    "+QRSRP": branches("rsrp_branches_dbm"),
    "+QRSRQ": branches("rsrq_branches_db"),
    "+QSINR": branches("sinr_branches_db"),
    "+QNWCFG": silent,
    "+QMAP": silent,
    "+QURCCFG": silent,
    "+QSIMDET": silent,
    "+QENDC": silent,
    "+QUSIM": silent,
    "+QIND": silent,
}
