"""Answers of 3GPP 27.007 and V.250 commands, as all three families print them."""

from __future__ import annotations

import re

from remsim.modems.decode import tgpp_data, tgpp_operators, tgpp_sim, tgpp_ussd
from remsim.modems.decode.text import (
    Asked,
    Decoder,
    Record,
    Values,
    field,
    index_value,
    split_fields,
    to_cell_id,
    to_hex,
    to_int,
)
from remsim.modems.decode.tgpp_causes import CAUSES
from remsim.modems.decode.tgpp_sim import SIM_COMMANDS, SIM_OF_CME, SIM_OF_CME_TEXT

REGISTERED = frozenset((1, 5, 6, 7, 9, 10))
ROAMING = frozenset((5, 7, 10))
SMS_ONLY = frozenset((6, 7))


def final_values(asked: Asked, final: str) -> Values:
    """What a result code says; nothing for OK."""
    upper = final.upper()
    if upper == "OK":
        return {}
    if upper.startswith("+CM"):
        detail = final.split(":", 1)[1].strip()
        kind = "cme" if upper.startswith("+CME") else "cms"
        values: Values = {"ok": False}
        code = to_int(detail)
        asks_sim = any(name in asked.command.upper() for name in SIM_COMMANDS)
        if code is not None:
            values[f"{kind}_error"] = code
            state = SIM_OF_CME.get(code)
        else:
            values[f"{kind}_error_text"] = detail
            state = SIM_OF_CME_TEXT.get(detail.lower())
        if state and kind == "cme" and (asks_sim or code in (10, 11, 12)):
            values["sim_state"] = state
        return values
    if upper == "ERROR":
        return {"ok": False}
    return {"ok": False, "final": upper}


def decode_csq(asked: Asked, record: Record) -> Values:
    """+CSQ: rssi index 0..31, bit error rate 0..7; 99 is unknown."""
    fields = split_fields(record.body)
    csq = to_int(field(fields, 0))
    csq = csq if csq is not None and 0 <= csq <= 31 else None
    ber = to_int(field(fields, 1))
    return {
        "csq": csq,
        "rssi_dbm": None if csq is None else -113 + 2 * csq,
        "ber": ber if ber is not None and 0 <= ber <= 7 else None,
    }


def decode_cesq(asked: Asked, record: Record) -> Values:
    """+CESQ: rxlev, ber, rscp, ecno, rsrq, rsrp[, ss_rsrq, ss_rsrp, ss_sinr], the lower edge of each range."""
    return quality_indexes([to_int(text) for text in split_fields(record.body)])


def quality_indexes(index: list[int | None]) -> Values:
    """Values of the index list of +CESQ (27.007 §8.69); the technology is the one that has values."""
    index = index + [None] * (9 - len(index))
    rssi = index_value(index[0], 1, -111, 0, 63)
    rscp = index_value(index[2], 1, -121, 0, 96)
    ecio = index_value(index[3], 0.5, -24.5, 0, 49)
    rsrq = index_value(index[4], 0.5, -20, 0, 34)
    rsrp = index_value(index[5], 1, -141, 0, 97)
    nr = {
        "rsrq_db": index_value(index[6], 0.5, -43.5, 0, 126),
        "rsrp_dbm": index_value(index[7], 1, -157, 0, 126),
        "sinr_db": index_value(index[8], 0.5, -23.5, 0, 127),
    }
    values: Values = {"rsrp_dbm": rsrp, "rsrq_db": rsrq}
    if rsrp is not None or rsrq is not None:
        values["rat"] = "LTE"
        if nr["rsrp_dbm"] is not None:
            values["nr"] = nr
    elif nr["rsrp_dbm"] is not None or nr["rsrq_db"] is not None:
        values |= nr | {"rat": "NR"}
    elif rscp is not None or ecio is not None:
        values |= {"rscp_dbm": rscp, "ecio_db": ecio, "rat": "UMTS"}
    elif rssi is not None:
        values |= {"rssi_dbm": rssi, "rat": "GSM"}
    else:
        values["rat"] = None
    return values


def decode_registration(asked: Asked, record: Record) -> Values:
    """+CREG, +CGREG, +CEREG, +C5GREG: the read form begins with <n>, the URC does not."""
    domain = record.name.lstrip("+").lower()
    fields = split_fields(record.lines[0] if record.lines else "")
    raw = re.split(r"\s*,\s*", record.body.split("\n")[0].strip())
    read_form = len(fields) > 1 and not (len(raw) > 1 and raw[1].startswith('"')) and to_int(fields[1]) is not None
    if read_form and len(fields) == 2 and re.fullmatch(r"[0-9A-Fa-f]{4,}", fields[1]):
        read_form = False
    if fields == ["0"] and re.search(rf"\{record.name}\?", asked.command, re.IGNORECASE):
        return {"n": 0}  # reports are off; without a state this says no more
    values: Values = {}
    if read_form:
        values["n"] = to_int(fields[0])
        fields = fields[1:]
    stat = to_int(field(fields, 0))
    values |= {"stat": stat, f"{domain}_stat": stat, "registered": stat in REGISTERED, "roaming": stat in ROAMING}
    values["sms_only"] = stat in SMS_ONLY
    if len(fields) > 1:
        area = "lac" if domain in ("creg", "cgreg") else "tac"
        values[area] = known_area(field(fields, 1))
        values["cell_id"] = known_cell(field(fields, 2))
        act = to_int(field(fields, 3))
        is_camped = stat in REGISTERED or values[area] is not None
        values["act"] = act if act is not None and act < 100 and is_camped else None
        if domain == "cgreg" and field(fields, 4):
            values["rac"] = int(fields[4], 16) if re.fullmatch(r"[0-9A-Fa-f]{1,2}", fields[4]) else None
        values |= refusal(domain, fields)
    return values


CAUSE_AT = {"creg": 4, "cereg": 4, "cgreg": 5, "c5greg": 6}
"""Where the cause's type stands, counted from <stat>: behind the RAC of +CGREG, the slices of +C5GREG."""


def refusal(domain: str, fields: list[str]) -> Values:
    """Why the network refuses, where AT+…REG=3 has it told; a type other than 0 is the maker's own number."""
    at = CAUSE_AT[domain]
    kind, cause = to_int(field(fields, at)), to_int(field(fields, at + 1))
    if kind not in (0, 1) or cause is None or not 0 < cause < 256:
        return {}
    return {"reject_cause": cause, "reject_text": CAUSES[domain].get(cause) if kind == 0 else None}


def known_area(text: str | None) -> int | None:
    """A LAC or TAC in hex; FFFE, FFFF, FFFFFF and zeros only mean unknown."""
    if text is None or not text.strip("0"):
        return None
    return None if text.upper() in ("FFFE", "FFFFFE") else to_hex(text)


def known_cell(text: str | None) -> int | None:
    """A cell identity in hex; all F or only zeros mean unknown."""
    if text is None or not text.strip("0"):
        return None
    return to_cell_id(text)


def decode_cbc(asked: Asked, record: Record) -> Values:
    """+CBC: with three fields the last is millivolts; of two, the second only when it cannot be percent."""
    fields = [to_int(text) for text in split_fields(record.body)]
    last = fields[-1] if len(fields) > 1 else None
    return {"voltage_mv": last} if last is not None and 1000 < last < 100_000 else {}


def decode_cpms(asked: Asked, record: Record) -> Values:
    """+CPMS: storage, used, total of the reading storage."""
    fields = split_fields(record.body)
    if fields[0].isdigit():
        return {"sms_used": to_int(field(fields, 0)), "sms_total": to_int(field(fields, 1))}
    return {
        "sms_storage": field(fields, 0),
        "sms_used": to_int(field(fields, 1)),
        "sms_total": to_int(field(fields, 2)),
    }


def decode_ceer(asked: Asked, record: Record) -> Values:
    """+CEER: cause number and text, or text alone."""
    fields = split_fields(record.body)
    cause = to_int(field(fields, 0))
    if cause is None or (len(fields) == 2 and to_int(fields[1]) is not None):  # a place and a number say no more
        return {"cause": None, "text": record.body.strip().strip('"') or None}
    return {"cause": cause, "text": field(fields, len(fields) - 1) if len(fields) > 1 else None}


def number(name: str, *unknown: int) -> Decoder:
    """A decoder for answers that are one number."""

    def decode(asked: Asked, record: Record) -> Values:
        return {name: to_int(field(split_fields(record.body), 0), *unknown)}

    return decode


def decode_clock(asked: Asked, record: Record) -> Values:
    """+CCLK: the network's time as the modem prints it."""
    return {"modem_time": record.body.strip().strip('"') or None}


def quoted(name: str) -> Decoder:
    """A decoder for answers that are one quoted word."""

    def decode(asked: Asked, record: Record) -> Values:
        return {name: field(split_fields(record.body), 0)}

    return decode


def decode_cnmi(asked: Asked, record: Record) -> Values:
    """+CNMI: how messages are announced: mode, mt, bm, ds, bfr."""
    return {"cnmi": [to_int(text) for text in split_fields(record.body.split("\n")[0])]}


RECORDS: dict[str, Decoder] = {
    "+CSQ": decode_csq,
    "+CESQ": decode_cesq,
    "+CREG": decode_registration,
    "+CGREG": decode_registration,
    "+CEREG": decode_registration,
    "+C5GREG": decode_registration,
    **tgpp_operators.RECORDS,
    **tgpp_sim.RECORDS,
    **tgpp_data.RECORDS,
    **tgpp_ussd.RECORDS,
    "+CBC": decode_cbc,
    "+CPMS": decode_cpms,
    "+CEER": decode_ceer,
    "+CFUN": number("cfun"),
    "+CGATT": number("cgatt"),
    "+CMEE": number("cmee"),
    "+WS46": number("ws46"),
    "+CCLK": decode_clock,
    "+CSCS": quoted("charset"),
    "+CSCA": quoted("sms_center"),
    "+CNMI": decode_cnmi,
    "+CTZR": number("ctzr"),
    "+CTZU": number("ctzu"),
}
