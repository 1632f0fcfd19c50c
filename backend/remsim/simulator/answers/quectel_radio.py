"""The radio of Quectel's 5G modules: QNWPREFCFG and QNWLOCK."""

from __future__ import annotations

import re

from remsim.simulator.answers.base import Body, Settings, Table, bands_of, changes_only, listed, of_state
from remsim.simulator.encode.errors import BAD_PARAMETERS
from remsim.simulator.radio import CellLock
from remsim.simulator.state import ModemState

BAND_LISTS = {"gw_band": "umts", "lte_band": "lte", "nsa_nr5g_band": "nsa", "nr5g_band": "sa"}
MODE_NAMES = {"WCDMA": "UMTS", "LTE": "LTE", "NR5G": "NR"}
TDD = frozenset(range(33, 54))
NR_OFF: dict[str, frozenset[str]] = {"0": frozenset(), "1": frozenset({"SA"}), "2": frozenset({"NSA"})}


def qnwprefcfg(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """AT+QNWPREFCFG="name" reads, with a value it sets; it holds at once and over resets."""
    name, *values = arguments
    if state.model.family == "unisoc" and name in ("nsa_nr5g_band", "nr5g_disable_mode"):
        return None
    if name in BAND_LISTS:
        return band_list(state, name, values)
    if name == "mode_pref":
        return mode_preference(state, values)
    if name == "nr5g_disable_mode":
        return disable_mode(state, values)
    if name == "all_band_reset" and not values:
        state.prefer(bands=state.model.bands)
        return ""
    return None


def band_list(state: ModemState, name: str, values: list[str]) -> Body:
    """Bands with colons between; 0 gives all back."""
    technology = BAND_LISTS[name]
    if not values:
        return f'+QNWPREFCFG: "{name}",{listed(getattr(state.radio.bands, technology))}'
    wanted = bands_of(values[0], ":", getattr(state.model.bands, technology))
    if wanted is None or len(values) > 1:
        return None
    both = {"nsa": wanted} if technology == "sa" and state.model.family == "unisoc" else {}
    state.prefer_bands(**{technology: wanted}, **both)
    return ""


def capability(state: ModemState) -> str:
    """+QGETCAPABILITY: the module's own bands."""
    bands = state.model.bands
    nr, umts = listed(bands.sa, ",n"), listed(bands.umts, ",B")
    fdd = ",".join(f"B{band}" for band in sorted(bands.lte) if band not in TDD)
    tdd = ",".join(f"B{band}" for band in sorted(bands.lte) if band in TDD)
    lines = (f"NR:n{nr}", f"LTE-FDD:{fdd}", f"LTE-TDD:{tdd}", f"WCDMA:B{umts}", "LTE-CATEGORY:CAT16", "LTE-CA:1")
    return "\r\n".join(f"+QGETCAPABILITY:{line}" for line in lines)


def mode_preference(state: ModemState, values: list[str]) -> Body:
    """AUTO, or technologies with colons between."""
    if not values:
        order = [name for name, mode in MODE_NAMES.items() if mode in state.radio.modes]
        text = "AUTO" if state.radio.modes == state.model.modes else ":".join(order)
        return f'+QNWPREFCFG: "mode_pref",{text}'
    words = values[0].upper().split(":")
    modes = state.model.modes if words == ["AUTO"] else frozenset(MODE_NAMES.get(word, "") for word in words)
    if not modes <= state.model.modes:
        return None
    state.prefer(modes=modes)
    return ""


def disable_mode(state: ModemState, values: list[str]) -> Body:
    """0 all of 5G, 1 no standalone, 2 no EN-DC."""
    if not values:
        number = next(number for number, off in NR_OFF.items() if off == state.radio.nr_off)
        return f'+QNWPREFCFG: "nr5g_disable_mode",{number}'
    if values[0] not in NR_OFF:
        return None
    state.prefer(nr_off=NR_OFF[values[0]])
    return ""


def qnwlock(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """AT+QNWLOCK: cells of LTE (count, then EARFCN and PCI each) or the one of NR (PCI, ARFCN, SCS, band)."""
    name, *values = arguments
    if name == "save_ctrl":
        return save_control(state, values)
    if name not in ("common/4g", "common/5g"):
        return None
    rat = "LTE" if name == "common/4g" else "NR"
    others = tuple(lock for lock in state.radio.locks if lock.rat != rat)
    if not values:
        return lock_text(state, name, [lock for lock in state.radio.locks if lock.rat == rat])
    if values == ["0"]:
        state.prefer(locks=others)
        return ""
    if not all(re.fullmatch(r"\d{1,7}", value, re.ASCII) for value in values):
        return BAD_PARAMETERS
    numbers = [int(value) for value in values]
    if rat == "LTE" and len(numbers) == 1 + 2 * numbers[0]:
        pairs = zip(numbers[1::2], numbers[2::2], strict=True)
        state.prefer(locks=(*others, *(CellLock("LTE", channel, pci) for channel, pci in pairs)))
        return ""
    if rat == "NR" and len(numbers) == 4:
        state.settings["nr_lock"] = numbers[2:]
        state.prefer(locks=(*others, CellLock("NR", numbers[1], numbers[0])))
        return ""
    return BAD_PARAMETERS


def lock_text(state: ModemState, name: str, locks: list[CellLock]) -> str:
    """The read form; nothing behind the name when there is no lock."""
    if not locks:
        return f'+QNWLOCK: "{name}"' + (",0" if name == "common/4g" else "")
    if name == "common/4g":
        cells = ",".join(f"{lock.channel},{lock.pci}" for lock in locks)
        return f'+QNWLOCK: "{name}",{len(locks)},{cells}'
    scs, band = state.settings.get("nr_lock", (30, 78))
    return f'+QNWLOCK: "{name}",{locks[0].pci},{locks[0].channel},{scs},{band}'


def save_control(state: ModemState, values: list[str]) -> Body:
    """Whether locks outlive a reset; without it they do not."""
    if not values:
        saved = int(bool(state.settings.get("locks_saved")))
        return f'+QNWLOCK: "save_ctrl",{saved},{saved}'
    if any(value not in ("0", "1") for value in values):
        return BAD_PARAMETERS
    state.settings["locks_saved"] = "1" in values
    return ""


def choices(state: ModemState) -> str:
    """AT+QNWPREFCFG=? of Unisoc's modules, which tells the bands there are."""
    bands = state.model.bands
    return (
        '+QNWPREFCFG: "mode_pref",AUTO:WCDMA:LTE:NR5G:NR5G-SA:NR5G-NSA\r\n'
        f'+QNWPREFCFG: "gw_band",{listed(bands.umts)}\r\n+QNWPREFCFG: "lte_band",{listed(bands.lte)}\r\n'
        f'+QNWPREFCFG: "nr5g_band",{listed(bands.sa)}\r\n+QNWPREFCFG: "all_band_reset"'
    )


CHOICES = Table({"AT+QNWPREFCFG=?": of_state(choices)})
CAPABILITY = Table({"AT+QGETCAPABILITY": of_state(capability), "AT+QGETCAPABILITY?": of_state(capability)})
NR_RADIO = Table(setters={"AT+QNWPREFCFG=": changes_only(qnwprefcfg), "AT+QNWLOCK=": changes_only(qnwlock)})
