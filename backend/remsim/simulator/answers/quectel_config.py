"""Quectel's AT+QCFG: the network interface on USB on all modules, bands and technology on LTE ones."""

from __future__ import annotations

import re

from remsim.simulator.answers.base import Body, Settings, Table, changes_only
from remsim.simulator.encode.errors import BAD_PARAMETERS, NOT_SUPPORTED
from remsim.simulator.radio import mask_of, numbers_in
from remsim.simulator.state import ModemState

SCAN_MODES: dict[str, tuple[str, ...]] = {"0": (), "1": ("GSM",), "2": ("UMTS",), "3": ("LTE",)}
"""QCFG="nwscanmode": automatic, GSM (which is not simulated), 3G, LTE."""


def usbnet(state: ModemState, arguments: list[str]) -> Body:
    """QCFG="usbnet": another network interface from the next reset on."""
    if not arguments:
        return f'+QCFG: "usbnet",{state.next_composition or state.composition}'
    if arguments[0] not in state.model.compositions:
        return BAD_PARAMETERS
    state.next_composition = arguments[0]
    return ""


def qcfg(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """AT+QCFG="name"[,values] of what is the same on all modules."""
    if arguments[0] == "usbnet":
        return usbnet(state, arguments[1:])
    if arguments[0] == "urc/port" and len(arguments) == 1:
        return '+QCFG: "urc/port",0,"usbat"'
    return NOT_SUPPORTED if state.model.family == "unisoc" else None


def qcfg_lte(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """AT+QCFG of LTE modules: bands as masks, and the technology."""
    name, *values = arguments
    if name == "band":
        return mask_bands(state, values)
    if name == "nwscanmode":
        return scan_mode(state, values)
    return qcfg(state, settings, arguments)


def mask_bands(state: ModemState, values: list[str]) -> Body:
    """QCFG="band": masks of GSM/WCDMA, LTE and TD-SCDMA in hex; 0 leaves one as it is."""
    if not values:
        return f'+QCFG: "band",{state.settings.get("gw_mask", "0x93")},{mask_of(state.radio.bands.lte):#x},0x0'
    if not 2 <= len(values) <= 4 or not all(re.fullmatch(r"(0[xX])?[0-9A-Fa-f]{1,24}", text) for text in values):
        return BAD_PARAMETERS
    gw_mask, lte_mask = (int(text, 16) for text in values[:2])
    wanted = numbers_in(lte_mask)
    if not wanted <= state.model.bands.lte:
        return BAD_PARAMETERS
    if gw_mask:
        state.settings["gw_mask"] = f"{gw_mask:#x}"
    if wanted:
        state.prefer_bands(lte=wanted)
    return ""


def scan_mode(state: ModemState, values: list[str]) -> Body:
    """QCFG="nwscanmode"."""
    if not values:
        return f'+QCFG: "nwscanmode",{state.settings.get("nwscanmode", "0")}'
    modes = SCAN_MODES.get(values[0])
    if modes is None or values[1:] not in ([], ["0"], ["1"]):
        return BAD_PARAMETERS
    state.settings["nwscanmode"] = values[0]
    state.prefer(modes=frozenset(modes) or state.model.modes)
    return ""


CONFIG = Table(setters={"AT+QCFG=": qcfg})
LTE_CONFIG = Table(setters={"AT+QCFG=": changes_only(qcfg_lte)})
