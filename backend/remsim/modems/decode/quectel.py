"""Quectel's commands other than cell reports and settings: temperature, SIM, branches, counters."""

from __future__ import annotations

import re

from remsim.modems.decode import quectel_carriers as carriers
from remsim.modems.decode import quectel_cells as cells
from remsim.modems.decode import quectel_config as config
from remsim.modems.decode.radio import rat_of_word
from remsim.modems.decode.text import (
    Asked,
    Decoder,
    Record,
    Values,
    field,
    in_range,
    split_fields,
    to_float,
    to_int,
    unreadable,
    whole,
)
from remsim.modems.decode.tgpp_sim import tries

SENSOR = re.compile(r'"?\b([A-Za-z][^",\n]{0,39})"?\s*,\s*"?(-?\d{1,6}(?:\.\d+)?)"?')


def decode_qtemp(asked: Asked, record: Record) -> Values:
    """+QTEMP: named sensors, or pmic, xo and pa; ``temperature_c`` is the hottest. -273 and 255 are "no sensor"."""
    sensors = {name: degrees(text) for name, text in SENSOR.findall(record.body)}
    if sensors:
        return {"temperature_c": hottest(sensors), "sensors_c": sensors}
    numbers = [degrees(text) for text in split_fields(record.body.split("\n")[0])]
    if not numbers or not any(ch.isdigit() for ch in record.body):
        raise unreadable(asked, record.body)
    if len(numbers) == 3:
        named = dict(zip(("pmic_c", "xo_c", "pa_c"), numbers, strict=True))
        return {"temperature_c": hottest(named)} | named
    return {"temperature_c": max((number for number in numbers if number is not None), default=None)}


def degrees(text: str) -> float | int | None:
    """Degrees Celsius; thousands of them are thousandths."""
    value = to_float(text)
    if value is not None and abs(value) >= 10_000:
        value /= 1000
    return None if value == 255 else whole(in_range(value, -60, 150))


def hottest(sensors: Values) -> float | int | None:
    """The highest valid sensor."""
    return max((value for value in sensors.values() if value is not None), default=None)


def decode_slot(asked: Asked, record: Record) -> Values:
    """+QUIMSLOT: the slot in use, from 1."""
    if asked.command.endswith("=?"):
        return {"sim_slots": [int(text) for text in re.findall(r"\d", record.body)]}
    return {"sim_slot": to_int(field(split_fields(record.body), 0))}


def decode_qdsim(asked: Asked, record: Record) -> Values:
    """+QDSIM: the slot in use, from 0."""
    index = to_int(field(split_fields(record.body), 0))
    return {"sim_slot_index": index, "sim_slot": index + 1 if index in (0, 1) else None}


def decode_qsimstat(asked: Asked, record: Record) -> Values:
    """+QSIMSTAT: URC switch, inserted (0 no, 1 yes, 2 not known)."""
    f = split_fields(record.body)
    states = {"0": False, "1": True}
    return {"sim_inserted": states.get(field(f, 1) or ""), "sim_status_reports": states.get(field(f, 0) or "")}


def decode_qusim(asked: Asked, record: Record) -> Values:
    """+QUSIM: the URC after a card was initialised."""
    return {"sim_event": "initialised"}


def decode_qspn(asked: Asked, record: Record) -> Values:
    """+QSPN: full and short network name, provider of the SIM, alphabet (1: UCS-2 in hex), PLMN."""
    f = split_fields(record.body.split("\n")[0])
    full, short, provider = (name_text(field(f, i), to_int(field(f, 3))) for i in (0, 1, 2))
    return {
        "operator": full or short or provider,
        "full_name": full,
        "short_name": short,
        "spn": provider,
        "plmn": field(f, 4),
    }


def name_text(text: str | None, alphabet: int | None) -> str | None:
    """A network's name; UCS-2 comes as hex."""
    if text and alphabet == 1 and len(text) % 4 == 0 and re.fullmatch(r"[0-9A-Fa-f]+", text):
        decoded = bytes.fromhex(text).decode("utf-16-be", errors="replace").strip("\0")
        return decoded or None
    return text


def decode_qinistat(asked: Asked, record: Record) -> Values:
    """+QINISTAT: what of the card is ready, a sum of 1 (PIN), 2 (messages), 4 (phone book)."""
    status = to_int(field(split_fields(record.body), 0))
    if status is None:
        return {}
    ready = [word for bit, word in enumerate(("pin", "sms", "phonebook")) if status >> bit & 1]
    return {"sim_init_status": status, "sim_init_done": ready if status < 8 else None}


def decode_qpinc(asked: Asked, record: Record) -> Values:
    """+QPINC: "SC" or "P2", tries left of the PIN and of the PUK."""
    f = split_fields(record.body.split("\n")[0])
    number = {"SC": "", "P2": "2"}.get((field(f, 0) or "").upper())
    if number is None:
        return {}
    return {f"pin{number}_tries_left": tries(field(f, 1)), f"puk{number}_tries_left": tries(field(f, 2))}


def decode_counters(asked: Asked, record: Record) -> Values:
    """+QGDCNT, +QGDNRCNT: two byte counters; which one is received differs between platforms."""
    return {"counter_bytes": [to_int(text) for text in split_fields(record.body)[:2]]}


def branches(measure: str, unit: str, low: int, high: int) -> Decoder:
    """A decoder for +QRSRP, +QRSRQ, +QSINR: a value for each antenna branch, then the technology.

    In EN-DC a line for LTE and one for NR come together; NR alone is the serving cell.
    """

    def row(line: str) -> tuple[str | None, Values]:
        f = split_fields(line)
        rat = rat_of_word(f[-1])
        levels = [whole(in_range(to_float(text), low, high)) for text in (f[:-1] if rat else f)]
        if measure == "rsrp":  # both ends of the range are what unused branches show
            levels = [None if level in (-140, -44) else level for level in levels]
        best = max((level for level in levels if level is not None), default=None)
        return rat, {f"{measure}_{unit}": best, f"{measure}_branches_{unit}": levels}

    def decode(asked: Asked, record: Record) -> Values:
        rows = [row(line) for line in record.lines]
        legs = dict(rows)
        if "NR" in legs and len(legs) > 1:
            return {**next(values for rat, values in rows if rat != "NR"), "nr": legs["NR"]}
        return rows[0][1] if rows else {}

    return decode


def decode_qendc(asked: Asked, record: Record) -> Values:
    """+QENDC: EN-DC offered, upper-layer indication, restricted, NR bearer in use."""
    numbers = [to_int(text) for text in split_fields(record.body)]
    return {"endc_available": numbers[0] == 1 if numbers and numbers[0] is not None else None}


def decode_qmap(asked: Asked, record: Record) -> Values:
    """+QMAP: "WWAN", connected, profile, family, address."""
    f = split_fields(record.body.split("\n")[0])
    if (field(f, 0) or "").upper() != "WWAN":
        return {}
    family, address = (field(f, 3) or "").lower(), field(f, 4)
    none = address is None or re.fullmatch(r"[0.:]+", address)
    return {family: None if none else address} if family in ("ipv4", "ipv6") else {}


def nothing(asked: Asked, record: Record) -> Values:
    """An answer of known form that tells nothing we keep."""
    return {}


RECORDS: dict[str, Decoder] = {
    **config.RECORDS,
    "+QENG": cells.decode_qeng,
    "+QCSQ": cells.decode_qcsq,
    "+QCAINFO": carriers.decode_qcainfo,
    "+QNWINFO": carriers.decode_qnwinfo,
    "+QTEMP": decode_qtemp,
    "+QUIMSLOT": decode_slot,
    "+QUSIMSLOT": decode_slot,
    "+QDSIM": decode_qdsim,
    "+QINISTAT": decode_qinistat,
    "+QPINC": decode_qpinc,
    "+QSIMSTAT": decode_qsimstat,
    "+QUSIM": decode_qusim,
    "+QSPN": decode_qspn,
    "+QGDCNT": decode_counters,
    "+QGDNRCNT": decode_counters,
    "+QRSRP": branches("rsrp", "dbm", -160, -1),
    "+QRSRQ": branches("rsrq", "db", -50, 20),
    "+QSINR": branches("sinr", "db", -30, 50),
    "+QENDC": decode_qendc,
    "+QMAP": decode_qmap,
    "+QIND": nothing,
}
