"""What ``mbimcli`` prints, by the names the AT decoders use.

Formats: libmbim's mbimcli 1.18 to 1.34. RSRP and SINR are told from version 1.28 on and only where the modem speaks
MBIMEx 2.0; the tool scales RSRP, so its dBm are taken as they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from remsim.core.errors import AtFormatError
from remsim.modems.decode.identity import iccid
from remsim.modems.decode.outline import Entry, flat, outline
from remsim.modems.decode.text import Values

LONGEST_OUTPUT = 1 << 16
MOST_CELLS = 64

SIM_OF_READY_STATE = {
    "initialized": "READY",
    "not-initialized": "BUSY",
    "sim-not-inserted": "NOT_INSERTED",
    "bad-sim": "FAILURE",
    "failure": "FAILURE",
    "not-activated": "WRONG",
    "device-locked": "SIM PIN",
    "no-esim-profile": "EMPTY_EUICC",
}
"""The state of the SIM in the words of +CPIN; whether a lock is a PIN's or a PUK's is told by the PIN's state."""
LOCK_OF_PIN_TYPE = {"pin1": "SIM PIN", "puk1": "SIM PUK", "pin2": "SIM PIN2", "puk2": "SIM PUK2"}
TRIES_OF_PIN_TYPE = {"pin1": "pin_tries_left", "puk1": "puk_tries_left"}
CREG_STAT = {"deregistered": 0, "home": 1, "searching": 2, "denied": 3, "unknown": 4, "roaming": 5, "partner": 5}
OLDER_CLASSES = (("umts", "UMTS"), ("hsdpa", "UMTS"), ("hsupa", "UMTS"), ("edge", "GSM"), ("gprs", "GSM"))
NO_AREA = (0, 0xFFFE, 0xFFFF, 0xFFFFFE, 0xFFFFFF)
NO_CELL = (0, 0x0FFFFFFF, 0xFFFFFFFF, (1 << 36) - 1)


def decode_mbimcli(action: str, text: str) -> Values:
    """The values of one action's output (``query-signal-state``); ``AtFormatError`` when it is something else."""
    decoder = DECODERS.get(action)
    is_known = re.search(r"^(\[[^\]\s]+\] \S|System type:)", text, re.MULTILINE)
    if decoder is None or len(text) > LONGEST_OUTPUT or is_known is None:
        raise AtFormatError(action, text.strip()[:80])
    return decoder(text)


def decode_signal(text: str) -> Values:
    """query-signal-state: RSSI as +CSQ has it; with MBIMEx 2.0 RSRP and SINR of each technology."""
    root = flat(text)
    csq = root.count("RSSI [0-31,99]", 31)
    values: Values = {"csq": csq, "rssi_dbm": None if csq is None else -113 + 2 * csq}
    found = {
        entry.value: {"rsrp_dbm": entry.number("RSRP", -157, -30), "sinr_db": entry.number("SNR", -30, 50)}
        for entry in outline(text).each("RSRP/SNR info")
    }
    lte = found.get("lte", {})
    nr = next((levels for name, levels in found.items() if name.startswith("5g")), {})
    if lte.get("rsrp_dbm") is not None:
        values |= lte | {"rat": "LTE", "mode": "LTE"}
        return values | ({"nr": nr, "mode": "NSA"} if nr.get("rsrp_dbm") is not None else {})
    if nr.get("rsrp_dbm") is not None:
        values |= nr | {"rat": "NR", "mode": "SA"}
    return values


def decode_registration(text: str) -> Values:
    """query-registration-state: registration and operator."""
    root = flat(text)
    state = root.word("Register state") or "unknown"
    registered = CREG_STAT.get(state) in (1, 5)
    values: Values = {"creg_stat": CREG_STAT.get(state), "registered": registered, "roaming": CREG_STAT.get(state) == 5}
    error = root.word("Network error")
    if error and error != "none" and not registered:
        values["reject_text"] = error
    if registered:
        plmn = re.fullmatch(r"(\d{3})(\d{2,3})", root.word("Provider ID") or "")
        values["operator"] = root.word("Provider name")
        values["rat"] = rat_of_classes(root.word("Available data classes"), None)
        if plmn:
            values |= {"mcc": plmn[1], "mnc": plmn[2], "plmn": plmn[0]}
    return values


def rat_of_classes(classes: str | None, subclass: str | None) -> str | None:
    """The technology of a list of data classes; ``5g`` alone needs its subclass, EN-DC's anchor is LTE."""
    names = [name.strip() for name in (classes or "").split(",")]
    if "lte" in names or "5g-nsa" in names or (subclass or "").startswith("5g-endc"):
        return "LTE"
    if "5g-sa" in names or subclass == "5g-nr":
        return "NR"
    return next((rat for name, rat in OLDER_CLASSES if name in names), None)


def decode_packet_service(text: str) -> Values:
    """query-packet-service-state: attached or not, and with MBIMEx 3.0 the tracking area."""
    root = flat(text)
    state = root.word("Packet service state")
    values: Values = {"ps_attached": {"attached": True, "detached": False}.get(state or "")}
    tac = root.count("TAI  TAC", 0xFFFFFE, *NO_AREA)
    return values | ({} if tac is None else {"tac": tac})


def decode_radio_state(text: str) -> Values:
    """query-radio-state: on, or what switched the radio off."""
    root = flat(text)
    hard, soft = root.word("Hardware radio state"), root.word("Software radio state")
    if "off" not in (hard, soft):
        return {"mode_state": "ONLINE" if soft == "on" else None}
    reasons = [name for name, state in (("hardware switch", hard), ("software", soft)) if state == "off"]
    return {"mode_state": "LOW POWER MODE", "low_power_reasons": reasons}


def decode_subscriber(text: str) -> Values:
    """query-subscriber-ready-status: the SIM's state, IMSI and ICCID."""
    root = flat(text)
    values: Values = {"sim_state": SIM_OF_READY_STATE.get(root.word("Ready state") or "")}
    imsi = re.fullmatch(r"\d{6,15}", root.word("Subscriber ID") or "")
    card = iccid((root.word("SIM ICCID") or "").rstrip("Ff"))
    return values | ({"imsi": imsi[0]} if imsi else {}) | ({"iccid": card} if card else {})


def decode_pin(text: str) -> Values:
    """query-pin-state: which code is wanted, and the tries left for it."""
    root = flat(text)
    kind = root.word("PIN type") or ""
    values: Values = {"pin_lock": None}
    if root.word("PIN state") == "locked":
        values["pin_lock"] = LOCK_OF_PIN_TYPE.get(kind)
    left = root.count("Remaining attempts", 20)
    if kind in TRIES_OF_PIN_TYPE and left is not None:
        values[TRIES_OF_PIN_TYPE[kind]] = left
    return values


def decode_slot(text: str) -> Values:
    """ms-query-device-slot-mappings: the slot in use, counted from 1; the tool counts from 0."""
    match = re.search(r"Executor '0': slot '(\d)'", text)
    return {"sim_slot": int(match[1]) + 1} if match else {}


def decode_caps(text: str) -> Values:
    """query-device-caps: IMEI, firmware and model."""
    root = flat(text)
    imei = re.fullmatch(r"\d{14,16}", root.word("Device ID") or "")
    revision = (root.word("Firmware info") or "").split()
    values: Values = {"imei": imei[0] if imei else None, "revision": revision[0] if revision else None}
    values["model"] = root.word("Hardware info")
    return {name: value for name, value in values.items() if value}


def decode_base_stations(text: str) -> Values:
    """ms-query-base-stations-info: serving cells and neighbours."""
    root = outline(text)
    lte, umts = root.first("LTE Serving cell"), root.first("UMTS Serving cell")
    nr = next((nr_cell(cell) for cell in root.first("Serving NR cells").each("Serving cell [")), {})
    if lte.inner:
        values = lte_cell(lte) | {"rat": "LTE"} | ({"nr": nr} if nr else {})
    elif nr:
        values = nr | {"rat": "NR"}
    elif umts.inner:
        values = umts_cell(umts) | {"rat": "UMTS"}
    else:
        values = {}
    near: list[Values] = []
    for rat, decode in (("LTE", lte_cell), ("NR", nr_cell), ("UMTS", umts_cell)):
        cells = root.first(f"Neighboring {rat} cells").each("Neighboring cell [")
        near += [{"rat": rat} | decode(cell) for cell in cells]
    return values | {"neighbours": [cell for cell in near[:MOST_CELLS] if len(cell) > 1]}


def lte_cell(cell: Entry) -> Values:
    """An LTE cell; what the modem does not know is left out."""
    return known(
        {
            "earfcn": cell.count("EARFCN", 262_143),
            "pci": cell.count("Physical cell id", 503),
            "tac": cell.count("TAC", 0xFFFF, *NO_AREA),
            "cell_id": cell.count("Cell id", 0xFFFFFFF, *NO_CELL),
            "rsrp_dbm": cell.number("RSRP", -157, -30),
            "rsrq_db": cell.number("RSRQ", -43.5, 0),
        }
    )


def nr_cell(cell: Entry) -> Values:
    """A 5G cell; a neighbour's cell id is a word."""
    return known(
        {
            "arfcn": cell.count("NRARFCN", 3_279_165, 0),
            "pci": cell.count("Physical cell id", 1007),
            "tac": cell.count("TAC", 0xFFFFFE, *NO_AREA),
            "cell_id": cell.count("NCI", 1 << 36, *NO_CELL),
            "rsrp_dbm": cell.number("RSRP", -156, -30),
            "rsrq_db": cell.number("RSRQ", -43, 20),
            "sinr_db": cell.number("SINR", -23, 50),
        }
    )


def umts_cell(cell: Entry) -> Values:
    return known(
        {
            "uarfcn": cell.count("UARFCN", 16383),
            "psc": cell.count("Primary Scrambling Code", 511),
            "lac": cell.count("LAC", 0xFFFF, *NO_AREA),
            "cell_id": cell.count("Cell id", 0xFFFFFFF, *NO_CELL),
            "rscp_dbm": cell.number("RSCP", -130, -20),
            "ecio_db": cell.number("ECNO", -32, 0),
        }
    )


def known(values: Values) -> Values:
    return {name: value for name, value in values.items() if value is not None}


DECODERS: dict[str, Callable[[str], Values]] = {
    "query-signal-state": decode_signal,
    "query-registration-state": decode_registration,
    "query-packet-service-state": decode_packet_service,
    "query-radio-state": decode_radio_state,
    "query-subscriber-ready-status": decode_subscriber,
    "query-pin-state": decode_pin,
    "query-device-caps": decode_caps,
    "ms-query-device-slot-mappings": decode_slot,
    "ms-query-base-stations-info": decode_base_stations,
}
"""Which decoder reads which action's output."""
