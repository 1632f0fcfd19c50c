"""Sierra's AT!BAND: profiles of bands, of which one is in force. Their masks show after AT!ENTERCND only."""

from __future__ import annotations

import re
from dataclasses import replace

from remsim.simulator.answers.base import Body, Settings
from remsim.simulator.radio import Bands, mask_of, numbers_in, umts_mask_of, umts_numbers_in
from remsim.simulator.state import ModemState

ALL = "00"
COLUMNS = {"9x30": ("gw", "lte0", "tds"), "9x50": ("gw", "lte0", "lte1", "tds", "lte2", "lte3")}
HEADS = {
    "9x30": "GW Band Mask     L Band Mask      TDS Band Mask",
    "9x50": "GW Band Mask     L Band Mask 1    L Band Mask 2    TDS Band Mask    L Band Mask 3    L Band Mask 4",
}
KINDS = {"0": "umts", "1": "lte", "3": "nsa", "4": "sa"}
"""Numbers of the kinds of bands on SDX modules: GW, LTE, NRNSA, NRSA."""
MASK = re.compile(r"(0[xX])?[0-9A-Fa-f]{1,16}")

Profiles = dict[str, tuple[str, Bands]]


def profiles_of(state: ModemState) -> Profiles:
    """By index in hex: what the firmware has, and what users defined."""
    bands = state.model.bands
    found: Profiles = {ALL: ("All bands", bands)}
    if bands.umts:
        found["08"] = ("WCDMA ALL", Bands(umts=bands.umts))
    found["09"] = ("LTE ALL", Bands(lte=bands.lte))
    if bands.sa:
        found["0C"] = ("NR5G ALL", Bands(nsa=bands.nsa, sa=bands.sa))
    found |= state.settings.get("profiles", {})
    return found


def words(mask: int, count: int) -> list[str]:
    """A mask in words of 64 bits, the lowest bands first."""
    return [f"{mask >> 64 * at & (1 << 64) - 1:016X}" for at in range(count)]


def entry(state: ModemState, index: str, name: str, bands: Bands, *, with_masks: bool) -> str:
    """One profile: its masks in columns, on SDX modules on lines of their own."""
    columns = COLUMNS.get(state.model.family)
    if columns is None:
        lines = [f"{index}, {name},"]
        if with_masks:
            lines.append(f"0 - GW:    {umts_mask_of(bands.umts):016X}")
            for number, label, own in ((1, "LTE:  ", bands.lte), (3, "NRNSA:", bands.nsa), (4, "NRSA: ", bands.sa)):
                lines.append(f"{number} - {label} {' '.join(words(mask_of(own), 2))}")
        return "\r\n".join(lines)
    if not with_masks:
        return f"{index}, {name}"
    masks = {"gw": f"{umts_mask_of(bands.umts):016X}", "tds": f"{0:016X}"}
    masks |= {f"lte{at}": word for at, word in enumerate(words(mask_of(bands.lte), 4))}
    return f"{index}, {name:<30}{' '.join(masks[column] for column in columns)}"


def table(state: ModemState, settings: Settings, shown: Profiles) -> str:
    """Profiles below their header."""
    with_masks = bool(settings.get("!ENTERCND"))
    head = HEADS.get(state.model.family) if with_masks else None
    lines = ["Index, Name" if head is None else f"{'Index, Name,':<34}{head}"]
    lines += [entry(state, index, name, bands, with_masks=with_masks) for index, (name, bands) in shown.items()]
    return "\r\n".join(lines)


def band(state: ModemState, settings: Settings) -> Body:
    """AT!BAND?: the profile in force."""
    index = state.settings.get("profile", ALL) if state.radio.bands != state.model.bands else ALL
    return table(state, settings, {index: profiles_of(state)[index]})


def band_choices(state: ModemState, settings: Settings) -> Body:
    """AT!BAND=?: all profiles."""
    return table(state, settings, profiles_of(state))


def choose_band(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """AT!BAND=00 takes a profile, with more behind the index it defines one."""
    index = arguments[0].upper().zfill(2)
    if len(arguments) > 1:
        return define(state, index, arguments[1:])
    profile = profiles_of(state).get(index)
    if profile is None:
        return None
    state.settings["profile"] = index
    state.prefer(bands=profile[1])
    return ""


def define(state: ModemState, index: str, arguments: list[str]) -> Body:
    """``"name",mask,…`` for each column; on SDX modules ``1,"name",kind,mask,…`` adds a kind of bands."""
    columns = COLUMNS.get(state.model.family)
    known = state.model.bands
    if columns is not None:
        name, *masks = arguments
        if len(masks) != len(columns) or not all(map(MASK.fullmatch, masks)):
            return None
        numbers = {column: int(mask, 16) for column, mask in zip(columns, masks, strict=True)}
        lte = sum(numbers.get(f"lte{at}", 0) << 64 * at for at in range(4))
        wanted = Bands(umts=umts_numbers_in(numbers["gw"]), lte=numbers_in(lte))
    else:
        if len(arguments) < 4 or arguments[0] != "1" or arguments[2] not in KINDS:
            return None
        name, kind, masks = arguments[1], KINDS[arguments[2]], arguments[3:]
        if not all(map(MASK.fullmatch, masks)):
            return None
        mask = sum(int(text, 16) << 64 * at for at, text in enumerate(masks))
        held = state.settings.get("profiles", {}).get(index, (name, Bands()))[1]
        wanted = replace(held, **{kind: umts_numbers_in(mask) if kind == "umts" else numbers_in(mask)})
    if index in (ALL, "08", "09", "0C") or not wanted.fit(known):
        return None
    state.settings.setdefault("profiles", {})[index] = (name, wanted)
    return ""
