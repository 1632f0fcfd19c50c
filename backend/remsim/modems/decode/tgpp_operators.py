"""Operators (27.007 §7.3): the one in use and those that a search found."""

from __future__ import annotations

import re

from remsim.modems.decode.text import Asked, Decoder, Record, Values, field, split_fields, to_int

SELECTION = {0: "automatic", 1: "manual", 2: "deregistered", 4: "manual_then_automatic"}
NETWORK_STATUS = {0: "unknown", 1: "available", 2: "current", 3: "forbidden"}
RAT_OF_ACT = {
    0: "GSM", 1: "GSM", 2: "UMTS", 3: "GSM", 4: "UMTS", 5: "UMTS", 6: "UMTS",
    7: "LTE", 8: "LTE-M", 9: "NB-IoT", 11: "NR", 13: "LTE",
}
"""Technologies of 27.007 as modems use the numbers: 8 is LTE-M, 13 an LTE anchor that may have a 5G leg."""


def decode_cops(asked: Asked, record: Record) -> Values:
    """+COPS: mode, format, operator, AcT; the test form lists operators in brackets."""
    if record.body.startswith("("):
        return {"operators": operator_list(record.body)}
    fields = split_fields(record.body)
    mode = to_int(field(fields, 0))
    values: Values = {"cops_mode": mode, "selection": None if mode is None else SELECTION.get(mode)}
    form, name = to_int(field(fields, 1)), operator_name(field(fields, 2))
    act = to_int(field(fields, 3)) if name else None
    values["act"] = act
    if name is None:
        values["plmn"] = None
    elif form == 2 or (re.fullmatch(r"[0-9]{5,6}", name) and form not in (0, 1)):
        values["plmn"] = name
    else:
        values["operator"] = name
    if act == 11:
        values["mode"] = "SA"
    return values


def operator_name(text: str | None) -> str | None:
    """A network's name; under AT+CSCS="UCS2" it comes as hex of its UTF-16 letters."""
    if not text or len(text) < 8 or len(text) % 4 or not re.fullmatch(r"[0-9A-Fa-f]+", text):
        return text
    letters = bytes.fromhex(text).decode("utf-16-be", errors="replace")
    return letters if letters.isprintable() and "\ufffd" not in letters else text


_GROUP = re.compile(r'\(((?:[^()"]|"[^"]*")*)\)')


def operator_list(body: str) -> list[Values]:
    """The networks of AT+COPS=?; the lists of modes and formats behind them have no PLMN in their fourth place."""
    networks: list[Values] = []
    for text in _GROUP.findall(body):
        fields = split_fields(text)
        plmn = operator_name(field(fields, 3))
        if plmn is None or not re.fullmatch(r"[0-9]{5,6}", plmn):
            continue
        stat = to_int(field(fields, 0))
        act = to_int(field(fields, 5 if len(fields) == 6 else 4))  # FM350 has the area code before it
        networks.append(
            {
                "stat": stat,
                "status": None if stat is None else NETWORK_STATUS.get(stat),
                "long": operator_name(field(fields, 1)),
                "short": operator_name(field(fields, 2)),
                "plmn": plmn,
                "act": act,
                "rat": None if act is None else RAT_OF_ACT.get(act),
            }
        )
    return networks


RECORDS: dict[str, Decoder] = {"+COPS": decode_cops}
