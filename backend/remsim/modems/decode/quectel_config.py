"""Quectel's settings as they are read back: technologies, bands, cell locks, carrier profiles, card detection.

Source: the RG50xQ/RM5xxQ and EC25/BG96 command manuals, and replies in tests/fixtures/at. Names of choices are ours;
the number or word the modem prints stands beside them under the setting's own name.
"""

from __future__ import annotations

import re

from remsim.modems.decode.quectel_scales import is_unisoc_5g, nr_levels
from remsim.modems.decode.radio import bands_of_mask, scs_khz
from remsim.modems.decode.text import Asked, Decoder, Record, Values, field, split_fields, to_int, to_pci

USB_MODES = {0: "qmi", 1: "ecm", 2: "mbim", 3: "rndis", 5: "ncm"}
BAND_LISTS = {
    "gw_band": "umts_bands",
    "lte_band": "lte_bands",
    "nr5g_band": "nr5g_bands",
    "nsa_nr5g_band": "nsa_nr5g_bands",
    "nrdc_nr5g_band": "nrdc_nr5g_bands",
}
NR5G_MODES = {0: "sa_nsa", 1: "nsa", 2: "sa"}
SERVICE_DOMAINS = {0: "cs", 1: "ps", 2: "cs_ps"}
SCAN_MODES = {0: "auto", 1: "gsm", 3: "lte"}
SCAN_MODES_UMTS = {2: "wcdma", 4: "td-scdma", 5: "umts"}
IOT_MODES = {0: "lte-m", 1: "nb-iot", 2: "both"}
SCAN_ORDER_IOT = {"00": "auto", "01": "gsm", "02": "lte-m", "03": "nb-iot"}
SCAN_ORDER = {"00": "auto", "01": "gsm", "02": "td-scdma", "03": "wcdma", "04": "lte", "05": "cdma"}
LEVELS = {0: "low", 1: "high"}


def named(table: dict[int, str], text: str | None) -> str | None:
    """The name of a numbered choice."""
    number = to_int(text)
    return None if number is None else table.get(number)


def decode_qnwprefcfg(asked: Asked, record: Record) -> Values:
    """+QNWPREFCFG: a list of bands (``bands`` when one was asked for), a mode, or another setting.

    "policy_band", "ue_capability_band" and ``=?`` answer with lists of the same names: what the carrier allows, what
    the modem offers to the network, what it has. A list of 0 is empty.
    """
    f = split_fields(record.body.split("\n")[0])
    name, text = field(f, 0), field(f, 1)
    if name is None:
        return {}
    name = name.lower()
    is_test = asked.command.endswith("=?")
    if name.endswith("_band"):
        bands = [band for part in (text or "").split(":") if (band := to_int(part)) is not None and 0 < band < 1024]
        if text is None or (is_test and not bands):
            return {}  # the form of the setting, not a list
        values: Values = {name: bands}
        if name in BAND_LISTS:
            values[BAND_LISTS[name]] = bands
        if asked.command.count('_band"') == 1 and f'"{name}"' in asked.command.lower():
            values["bands"] = bands
        return values
    if is_test:
        words = re.findall(r"[A-Z][A-Z0-9-]+", text or "") if name == "mode_pref" else []
        return {"mode_prefs": words} if words and "RAT1" not in words else {}
    values = {name: setting(text)}
    if name == "nr5g_disable_mode":
        values["nr5g_mode"] = named(NR5G_MODES, text)
    elif name == "srv_domain":
        values["service_domain"] = named(SERVICE_DOMAINS, text)
    return values


def setting(text: str | None) -> str | int | None:
    """A configuration value: a number where it is written as one."""
    if text is not None and re.fullmatch(r"0|-?[1-9]\d{0,9}", text):
        return int(text)
    return text


def decode_qcfg(asked: Asked, record: Record) -> Values:
    """+QCFG: a named setting with one or more values; "band" holds hex masks (GSM/UMTS, LTE, TD-SCDMA or NB-IoT)."""
    f = split_fields(record.body.split("\n")[0])
    name = field(f, 0)
    if name is None or len(f) < 2:
        return {}
    name = name.lower()
    value = field(f, 1)
    if name == "usbnet":
        return {"usbnet": to_int(value), "usb_mode": named(USB_MODES, value)}
    if name == "band":
        return band_masks(asked, f[1:])
    has_more = len(f) > 2 and name not in ("nwscanmode", "nwscanseq", "iotopmode", "servicedomain")
    values: Values = {name: [setting(text) for text in f[1:]] if has_more else setting(value)}
    if name == "nwscanmode":
        values["scan_mode"] = named(SCAN_MODES if is_iot(asked) else SCAN_MODES | SCAN_MODES_UMTS, value)
    elif name == "nwscanseq":
        order = scan_order(asked, value)
        values |= {"nwscanseq": value} | ({"scan_order": order} if order else {})
    elif name == "iotopmode":
        values["iot_mode"] = named(IOT_MODES, value)
    elif name == "servicedomain":
        values["service_domain"] = named(SERVICE_DOMAINS, value)
    return values


def is_iot(asked: Asked) -> bool:
    """Whether the module is one for LTE-M and NB-IoT."""
    return asked.module.upper().startswith("BG")


def band_masks(asked: Asked, texts: list[str]) -> Values:
    """The bands of "band": the second mask is LTE, or LTE-M on a BG module, whose third is NB-IoT."""
    masks = [hex_mask(text) for text in texts]
    lte = masks[1] if len(masks) > 1 else None
    values: Values = {"band_masks": texts, "lte_bands": None if lte is None else bands_of_mask(lte)}
    if is_iot(asked) and len(masks) > 2 and masks[2] is not None:
        values["nbiot_bands"] = bands_of_mask(masks[2])
    return values


def hex_mask(text: str) -> int | None:
    """A bit mask in hex with or without 0x."""
    digits = text.lower().removeprefix("0x")
    return int(digits, 16) if re.fullmatch(r"[0-9a-f]{1,64}", digits) else None


def scan_order(asked: Asked, text: str | None) -> list[str] | None:
    """Technologies in the order they are searched in; two digits each."""
    table = SCAN_ORDER_IOT if is_iot(asked) else SCAN_ORDER
    codes = re.findall(r"\d\d", text or "")
    return [table[code] for code in codes] if codes and all(code in table for code in codes) else None


def decode_qnwlock(asked: Asked, record: Record) -> Values:
    """+QNWLOCK: whether the modem is tied to cells, and to which; no arguments, or a single 0, mean it is free.

    "common/4g" counts its cells and lists channel and PCI of each; "common/5g" is one cell: PCI, channel, subcarrier
    spacing in kHz, band. "save_ctrl" tells whether the two survive a restart.
    """
    f = split_fields(record.body.split("\n")[0])
    name = (field(f, 0) or "").lower()
    numbers = [to_int(text) for text in f[1:]]
    if name == "save_ctrl" and len(numbers) >= 2:
        return {"lock_saved_lte": numbers[0] == 1, "lock_saved_nr5g": numbers[1] == 1}
    if name not in ("common/4g", "common/5g"):
        return {}
    is_locked = len(numbers) > 1 or bool(numbers and numbers[0])
    values: Values = {"locked": is_locked}
    if not is_locked:
        return values | {"locked_cells": []}
    cells = [] if is_unisoc_5g(asked) else lte_locks(numbers) if name == "common/4g" else nr_locks(numbers)
    return values | ({"locked_cells": cells} if cells else {})


def lte_locks(numbers: list[int | None]) -> list[Values]:
    """count, then channel and PCI of each cell."""
    pairs = list(zip(numbers[1::2], numbers[2::2], strict=False))
    if len(pairs) != numbers[0]:
        return []
    return [{"rat": "LTE", "earfcn": earfcn, "pci": to_pci(str(pci))} for earfcn, pci in pairs]


def nr_locks(numbers: list[int | None]) -> list[Values]:
    """PCI, channel, subcarrier spacing, band; some firmware counts the cell first."""
    if len(numbers) == 5 and numbers[0] == 1:
        numbers = numbers[1:]
    if len(numbers) != 4:
        return []
    pci, arfcn, spacing, band = numbers
    if pci is None or arfcn is None or not 0 <= pci <= 1007 < arfcn:
        return []
    return [{"rat": "NR", "pci": pci, "arfcn": arfcn, "scs_khz": scs_khz(spacing), "band": band}]


def decode_qnwcfg(asked: Asked, record: Record) -> Values:
    """+QNWCFG: of many settings the measured 5G cells, and the locks to channels: count, channels (spacing on 5G).

    "nr5g_meas_info" has a line for each cell, the serving one included: 1, channel, PCI, RSRP, RSRQ.
    """
    f = split_fields(record.body.split("\n")[0])
    name = (field(f, 0) or "").lower()
    if name == "nr5g_meas_info":
        if len(f) < 6 or to_int(field(f, 2)) is None:
            return {}
        cell = {"kind": None, "rat": "NR", "arfcn": to_int(field(f, 2)), "pci": to_pci(field(f, 3))}
        return {"neighbours": [cell | nr_levels(f[4:6])]}
    count, numbers = to_int(field(f, 1)), [to_int(part) for part in (field(f, 2) or "").split(":")]
    if name not in ("lte_earfcn_lock", "nr5g_earfcn_lock") or count is None:
        return {}
    if count == 0:
        return {"locked_earfcns" if name.startswith("lte") else "locked_arfcns": []}
    known = [number for number in numbers if number is not None]
    if name == "lte_earfcn_lock":
        return {"locked_earfcns": known} if len(known) == count else {}
    pairs = list(zip(known[::2], known[1::2], strict=False))
    if len(pairs) != count or len(known) != 2 * count:
        return {}
    return {"locked_arfcns": [{"arfcn": arfcn, "scs_khz": scs_khz(spacing)} for arfcn, spacing in pairs]}


def decode_qmbncfg(asked: Asked, record: Record) -> Values:
    """+QMBNCFG: carrier profiles (number, selected, active, name, version, release) and whether the SIM chooses."""
    f = split_fields(record.body.split("\n")[0])
    word = (field(f, 0) or "").lower()
    if word == "autosel":
        return {"carrier_profile_auto": {"0": False, "1": True}.get(field(f, 1) or "")}
    if word == "select":
        return {"carrier_profile": field(f, 1)}
    if word != "list" or field(f, 4) is None:
        return {}
    is_selected, is_active = field(f, 2) == "1", field(f, 3) == "1"
    profile = {"name": field(f, 4), "selected": is_selected, "active": is_active, "version": field(f, 5)}
    return {"carrier_profiles": [profile]} | ({"carrier_profile": f[4]} if is_active else {})


def decode_qsimdet(asked: Asked, record: Record) -> Values:
    """+QSIMDET: whether the card's switch is watched, and the level that means "inserted"; a pair for each slot.

    The second slot's pair is told only by its module; when they differ neither is the answer.
    """
    pairs = re.findall(r"(\d)\s*,\s*(\d)", record.body.split("\n")[0])
    if not pairs or any(pair != pairs[0] for pair in pairs):
        return {}
    return {"sim_detection": pairs[0][0] == "1", "sim_inserted_level": LEVELS.get(int(pairs[0][1]))}


def decode_qurccfg(asked: Asked, record: Record) -> Values:
    """+QURCCFG: the port that unsolicited lines are written to (``usbat``, ``usbmodem``, ``uart1``)."""
    f = split_fields(record.body.split("\n")[0])
    return {"urc_port": field(f, 1)} if (field(f, 0) or "").lower() == "urcport" else {}


def decode_capability(asked: Asked, record: Record) -> Values:
    """+QGETCAPABILITY: the bands of this very module by technology, and the category of its LTE receiver."""
    values: Values = {}
    names = {"NR": "nr5g_bands", "LTE-FDD": "lte_bands", "LTE-TDD": "lte_bands", "WCDMA": "umts_bands"}
    for line in record.lines:
        word, _, rest = line.partition(":")
        bands = [int(band) for band in re.findall(r"(?<![\d.])[BbNn]?(\d{1,3})(?!\d)", rest)]
        if name := names.get(word.strip().upper()):
            values[name] = sorted({*values.get(name, []), *bands})
        elif word.strip().upper() == "LTE-CATEGORY":
            values["lte_category"] = rest.strip() or None
    return values


RECORDS: dict[str, Decoder] = {
    "+QNWPREFCFG": decode_qnwprefcfg,
    "+QCFG": decode_qcfg,
    "+QNWLOCK": decode_qnwlock,
    "+QNWCFG": decode_qnwcfg,
    "+QMBNCFG": decode_qmbncfg,
    "+QSIMDET": decode_qsimdet,
    "+QURCCFG": decode_qurccfg,
    "+QGETCAPABILITY": decode_capability,
}
