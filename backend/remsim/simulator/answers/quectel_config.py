"""Quectel's AT+QCFG: the network interface on USB on all modules, bands and technology on LTE ones."""

from __future__ import annotations

import re

from remsim.simulator.answers.base import Body, Settings, Table, changes_only
from remsim.simulator.encode.errors import BAD_PARAMETERS, NOT_SUPPORTED
from remsim.simulator.radio import mask_of, numbers_in
from remsim.simulator.state import ModemState

ANY_LTE = 0x7FFFFFFFFFFFFFFF
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
    if name == "iotopmode" and state.model.family == "bg96":
        return iot_mode(state, values)
    if name == "nwscanmode":
        return scan_mode(state, values)
    return qcfg(state, settings, arguments)


def mask_bands(state: ModemState, values: list[str]) -> Body:
    """QCFG="band": masks of GSM/WCDMA, LTE and a third kind in hex, as firmware keeps them; 0 leaves one as it is.

    The third is TD-SCDMA, on BG96 NB-IoT. All bits of LTE are all of its bands.
    """
    held = state.settings.setdefault("masks", ["93", "", "0"])
    held[1] = f"{mask_of(state.radio.bands.lte):x}"
    if not values:
        return f'+QCFG: "band",0x{held[0]},0x{held[1]},0x{held[2]}'
    if not 2 <= len(values) <= 4 or not all(re.fullmatch(r"(0[xX])?[0-9A-Fa-f]{1,32}", text) for text in values):
        return BAD_PARAMETERS
    masks = [int(text, 16) for text in values[:3]]
    wanted = state.model.bands.lte if masks[1] == ANY_LTE else numbers_in(masks[1])
    if not wanted <= state.model.bands.lte:
        return BAD_PARAMETERS
    for at in (0, 2):
        if masks[at : at + 1] not in ([], [0]):
            held[at] = f"{masks[at]:x}"
    if wanted:
        state.prefer_bands(lte=wanted)
    return ""


def iot_mode(state: ModemState, values: list[str]) -> Body:
    """QCFG="iotopmode" of BG96: 0 LTE-M, 1 NB-IoT, which the recordings do not have, 2 both."""
    if not values:
        return f'+QCFG: "iotopmode",{state.settings.get("iotopmode", "0")}'
    if values[0] not in ("0", "1", "2"):
        return BAD_PARAMETERS
    state.settings["iotopmode"] = values[0]
    state.prefer(modes=frozenset({"NB-IoT"}) if values[0] == "1" else state.model.modes)
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
