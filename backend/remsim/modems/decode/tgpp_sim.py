"""The SIM: its state, the tries that are left, locks, own number (27.007 §7 and §8)."""

from __future__ import annotations

import re

from remsim.modems.decode.text import Asked, Decoder, Record, Values, field, in_range, split_fields, to_int

SIM_OF_CME = {
    10: "NOT_INSERTED",
    11: "SIM PIN",
    12: "SIM PUK",
    13: "FAILURE",
    14: "BUSY",
    15: "WRONG",
    17: "SIM PIN2",
    18: "SIM PUK2",
}
SIM_OF_CME_TEXT = {
    "sim not inserted": "NOT_INSERTED",
    "sim pin required": "SIM PIN",
    "sim puk required": "SIM PUK",
    "sim failure": "FAILURE",
    "sim busy": "BUSY",
    "sim wrong": "WRONG",
}
SIM_COMMANDS = ("+CPIN", "+CIMI", "+ICCID", "+CCID", "+QCCID", "+EID", "^SPIC", "^SCID", "+QPINC", "+CLCK")

NO_CARD = ("NOT INSERTED", "SIM REMOVED", "SIM NOT INSERTED")
TRIES = {
    "SIM PIN": "pin_tries_left",
    "SIM PUK": "puk_tries_left",
    "SIM PIN2": "pin2_tries_left",
    "SIM PUK2": "puk2_tries_left",
}


def decode_cpin(asked: Asked, record: Record) -> Values:
    """+CPIN: READY, SIM PIN, SIM PUK, …"""
    state = record.lines[0].strip('"') if record.lines else None
    return {"sim_state": "NOT_INSERTED" if state in NO_CARD else state}


def tries(text: str | None) -> int | None:
    """A number of tries; no card gives more than ten."""
    value = to_int(text)
    return value if in_range(value, 0, 10) is not None else None


def decode_cpinr(asked: Asked, record: Record) -> Values:
    """+CPINR: code, tries left, tries at first. A modem that names no code tells of the one that is asked for now."""
    fields = split_fields(record.body.split("\n")[0])
    name = TRIES.get((field(fields, 0) or "").upper())
    return {} if name is None else {name: tries(field(fields, 1))}


def decode_cpinc(asked: Asked, record: Record) -> Values:
    """+CPINC: tries left of PIN, PIN2, PUK, PUK2 in this order; a PIN never has more than three."""
    left = [tries(text) for text in split_fields(record.body.split("\n")[0])]
    if len(left) < 4 or any(value is None or value > 3 for value in left[:2]):
        return {}
    return dict(zip(("pin_tries_left", "pin2_tries_left", "puk_tries_left", "puk2_tries_left"), left, strict=False))


def decode_clck(asked: Asked, record: Record) -> Values:
    """+CLCK: whether the facility asked about is locked; "SC" is the question for the PIN at each start."""
    facility = re.search(r'\+CLCK\s*=\s*"?([A-Z]{2})"?\s*,\s*2', asked.command, re.IGNORECASE)
    status = to_int(field(split_fields(record.body.split("\n")[0]), 0))
    if facility is None or status not in (0, 1):
        return {}
    name, is_locked = facility[1].upper(), status == 1
    return {"facilities": {name: is_locked}} | ({"pin_enabled": is_locked} if name == "SC" else {})


def decode_cnum(asked: Asked, record: Record) -> Values:
    """+CNUM: name, number, type."""
    return {"msisdn": field(split_fields(record.body), 1)}


RECORDS: dict[str, Decoder] = {
    "+CPIN": decode_cpin,
    "+CPINR": decode_cpinr,
    "+CPINC": decode_cpinc,
    "+CLCK": decode_clck,
    "+CNUM": decode_cnum,
}
