"""Fibocom's settings as they are read back: technologies and bands, cell locks, USB mode, carrier, data session.

Sources: the FM350 and FM160/FG160 command manuals as quoted by their users, ModemManager's XMM plugin for XACT, and
replies in tests/fixtures/at. The number the modem prints stands beside its meaning.
"""

from __future__ import annotations

import re

from remsim.modems.decode.fibocom_cells import band_of_code, family, rat_of_band_code
from remsim.modems.decode.radio import scs_khz
from remsim.modems.decode.text import (
    Asked,
    Decoder,
    Record,
    Values,
    expand_ranges,
    field,
    split_fields,
    to_int,
    to_pci,
)
from remsim.modems.decode.tgpp_data import address

GTACT_RATS = {
    1: ["UMTS"], 2: ["LTE"], 4: ["UMTS", "LTE"], 10: ["UMTS", "LTE", "NR"], 14: ["NR"], 16: ["UMTS", "NR"],
    17: ["LTE", "NR"], 20: ["UMTS", "LTE", "NR"],
}  # fmt: skip
GTACT_PREFERRED = {2: "UMTS", 3: "LTE", 6: "NR"}
XACT_RATS = {
    0: ["GSM"], 1: ["UMTS"], 2: ["LTE"], 3: ["GSM", "UMTS"], 4: ["UMTS", "LTE"], 5: ["GSM", "LTE"],
    6: ["GSM", "UMTS", "LTE"],
}  # fmt: skip
XACT_PREFERRED = {0: "GSM", 1: "UMTS", 2: "LTE"}

LOCKED = {"0": ("LTE", "earfcn", "pci"), "1": ("NR", "arfcn", "pci"), "2": ("UMTS", "uarfcn", "psc")}

BANDS = (("umts_bands", "UMTS"), ("lte_bands", "LTE"), ("nr_bands", "NR"))
GROUP = re.compile(r"\(([^()]{0,400})\)")

QUALCOMM_MODES: dict[int, tuple[str, str, bool]] = {
    17: ("0104", "qmi", True), 18: ("0105", "ecm", True), 19: ("0106", "ecm", True), 20: ("0107", "none", False),
    21: ("0108", "none", True), 22: ("0109", "qmi", True), 23: ("010A", "ecm", True), 24: ("010B", "rndis", False),
    28: ("010F", "mbim", False), 29: ("0110", "mbim", True), 30: ("0111", "mbim", True), 32: ("0104", "qmi", True),
    33: ("0105", "ecm", True),
}  # fmt: skip
"""Mode -> product id under 2cb7, data connection, whether an AT port is left (Fibocom's dial-up guide, table 1)."""

USB_MODES: dict[str, dict[int, tuple[str, str, bool]]] = {
    "mediatek": {40: ("7126", "rndis", True), 41: ("7127", "rndis", True)},
    "qualcomm": QUALCOMM_MODES,
    "xmm": {0: ("095A", "ncm", True), 7: ("0007", "mbim", True)},
}


def bands_of_codes(codes: list[str]) -> Values:
    """Lists of bands out of one flat list of codes."""
    return {
        name: [band for code in codes if rat_of_band_code(code) == rat and (band := band_of_code(code)) is not None]
        for name, rat in BANDS
    }


def choice(fields: list[str], rats: dict[int, list[str]], preferred: dict[int, str]) -> Values:
    """The three numbers before the bands, and what they mean: allowed technologies, preferred ones in order."""
    mode, first, second = (to_int(field(fields, at)) for at in range(3))
    values: Values = {"rat_mode": mode, "pref1": first, "pref2": second}
    if mode in rats:
        values["rats"] = rats[mode]
    names = [preferred[number] for number in (first, second) if number in preferred]
    return values | {"rat_preferred": list(dict.fromkeys(names))}


def possible(body: str) -> Values:
    """The form of ``=?``: groups of modes and preferences, then bands in groups by technology or as one list."""
    groups = GROUP.findall(body)
    if not groups:
        return {}
    codes = re.findall(r"\d{1,5}", " ".join(groups[3:])) + re.findall(r"\d{1,5}", GROUP.sub(" ", body))
    modes, preferences = expand_ranges(groups[0]), expand_ranges(groups[1]) if len(groups) > 1 else []
    return {"rat_modes": modes, "rat_preferences": preferences} | bands_of_codes(codes)


def decode_gtact(asked: Asked, record: Record) -> Values:
    """+GTACT: allowed technologies, the two preferred ones, and the bands as codes; code 0 alone is "all bands".

    ``=?`` answers with what is possible: ``rat_modes``, ``rat_preferences`` and the same lists of bands.
    """
    if asked.command.endswith("=?"):
        return possible(record.body)
    fields = split_fields(record.body)
    values = choice(fields, GTACT_RATS, GTACT_PREFERRED) | bands_of_codes(fields[3:])
    return values | ({"bands_auto": True} if fields[3:] == ["0"] else {})


def decode_xact(asked: Asked, record: Record) -> Values:
    """+XACT (Intel): as +GTACT with other numbers; codes above 300 are GSM bands in MHz."""
    if asked.command.endswith("=?"):
        values = possible(record.body)
        values.pop("nr_bands", None)
        return values
    fields = split_fields(record.body)
    values = choice(fields, XACT_RATS, XACT_PREFERRED) | bands_of_codes(fields[3:])
    del values["nr_bands"]
    return values


def decode_gtcelllock(asked: Asked, record: Record) -> Values:
    """+GTCELLLOCK: on or off, technology, whether to a channel only, channel, PCI, spacing, band code.

    Numbers are decimal. ``=?`` gives the modes; 2 is in no manual.
    """
    if asked.command.endswith("=?"):
        groups = GROUP.findall(record.body)
        return {"cell_lock_modes": expand_ranges(groups[0])} if groups else {}
    fields = split_fields(record.body.split("\n")[0])
    mode = to_int(field(fields, 0))
    if mode == 0:
        return {"locked": False, "locked_cells": []}
    if mode != 1:
        return {}
    rat, channel, name = LOCKED.get(field(fields, 1) or "", (None, "", ""))
    if rat is None:
        return {"locked": True}
    cell: Values = {"rat": rat, channel: to_int(field(fields, 3))}
    cell[name] = to_pci(field(fields, 4)) if field(fields, 2) == "0" else None
    if rat == "NR":
        cell |= {"scs_khz": scs_khz(to_int(field(fields, 5))), "band": band_of_code(field(fields, 6))}
    return {"locked": True, "locked_cells": [cell]}


def decode_emmchlck(asked: Asked, record: Record) -> Values:
    """+EMMCHLCK (MediaTek): on or off, technology (0 GSM, 2 UMTS, 7 LTE), ?, channel, PCI, ?."""
    fields = split_fields(record.body.split("\n")[0])
    mode = to_int(field(fields, 0))
    if mode == 0:
        return {"locked": False, "locked_cells": []}
    if mode != 1:
        return {}
    if field(fields, 1) != "7":
        return {"locked": True}
    return {
        "locked": True,
        "locked_cells": [{"rat": "LTE", "earfcn": to_int(field(fields, 3)), "pci": to_pci(field(fields, 4))}],
    }


def decode_gtusbmode(asked: Asked, record: Record) -> Values:
    """+GTUSBMODE: the composition number, what it means on this chip, and whether an AT port is left in it."""
    mode = to_int(field(split_fields(record.body), 0))
    if mode is None:
        return {"usbmodes": expand_ranges(record.body)}
    values: Values = {"usbmode": mode}
    known = family(asked)
    for maker, table in USB_MODES.items():
        if mode in table and known in (maker, None):
            pid, name, has_at = table[mode]
            values |= {"usb_mode": name, "usb_pid": pid, "usb_has_at": has_at}
    return values


def decode_session(asked: Asked, record: Record) -> Values:
    """+GTRNDIS, +GTWWAN: whether the module's own data session is up, its context, address and name servers."""
    fields = split_fields(record.body.split("\n")[0])
    state = to_int(field(fields, 0))
    if state not in (0, 1):
        return {}
    if state == 0:
        return {"data_active": False}
    own, servers = address(field(fields, 2) or ""), [server for text in fields[3:5] if (server := address(text))]
    return {"data_active": True, "cid": to_int(field(fields, 1)), "ipv4": own, "dns": servers}


def decode_name_servers(asked: Asked, record: Record) -> Values:
    """+GTDNS, +XDNS: context and its name servers."""
    fields = split_fields(record.body.split("\n")[0])
    cid = to_int(field(fields, 0))
    servers = [server for text in fields[1:3] if (server := address(text))]
    if cid is None or not servers:
        return {}
    return {"pdn": {str(cid): {"apn": None, "address": None, "dns": servers}}}


def decode_gtcurcar(asked: Asked, record: Record) -> Values:
    """+GTCURCAR: the carrier profile in use, number and name; 65535 is none."""
    fields = split_fields(record.body.split("\n")[0])
    return {"carrier_id": to_int(field(fields, 0), 65535), "carrier_profile": field(fields, 1)}


def decode_fcc_status(asked: Asked, record: Record) -> Values:
    """+GTFCCEFFSTATUS: kind of lock (0 none, 1 once, 2 at each start) and whether the radio is free."""
    numbers = [to_int(text) for text in split_fields(record.body.split("\n")[0])]
    values: Values = {"fcc_unlocked": {0: False, 1: True}.get(numbers[-1] if numbers[-1] is not None else -1)}
    return values | ({"fcc_lock_mode": numbers[0]} if len(numbers) > 1 else {})


def flag(name: str) -> Decoder:
    """A decoder for one switch: 0 or 1."""

    def decode(asked: Asked, record: Record) -> Values:
        number = to_int(field(split_fields(record.body.split("\n")[0]), 0))
        return {name: number == 1} if number in (0, 1) else {}

    return decode


def number(name: str) -> Decoder:
    """A decoder for one number as it stands."""

    def decode(asked: Asked, record: Record) -> Values:
        return {name: to_int(field(split_fields(record.body.split("\n")[0]), 0))}

    return decode


def text(name: str) -> Decoder:
    """A decoder for one text, quoted or not."""

    def decode(asked: Asked, record: Record) -> Values:
        return {name: field(split_fields(record.body.split("\n")[0]), 0)}

    return decode


RECORDS: dict[str, Decoder] = {
    "+GTACT": decode_gtact,
    "+XACT": decode_xact,
    "+GTCELLLOCK": decode_gtcelllock,
    "+EMMCHLCK": decode_emmchlck,
    "+GTUSBMODE": decode_gtusbmode,
    "+GTRNDIS": decode_session,
    "+GTWWAN": decode_session,
    "+GTDNS": decode_name_servers,
    "+XDNS": decode_name_servers,
    "+GTCURCAR": decode_gtcurcar,
    "+GTFCCEFFSTATUS": decode_fcc_status,
    "+GTFCCLOCKSTATE": flag("fcc_unlocked"),
    "+GTFCCLOCKMODE": number("fcc_lock_mode"),
    "+GTAUTODHCP": flag("auto_dhcp"),
    "+GTAUTOCONNECT": flag("auto_connect"),
    "+MSMPD": flag("sim_detection"),
    "+E5GOPT": number("e5g_option"),
    "+GTFWFEATVER": text("firmware_feature_version"),
    "+GTRFHWVER": text("rf_hardware"),
    "+GTSIMVER": text("sim_version"),
}
