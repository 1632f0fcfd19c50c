"""Fibocom on MediaTek (FM350) and Qualcomm (FM150, FM160)."""

from __future__ import annotations

from remsim.simulator.answers.base import (
    NEVER,
    Body,
    Settings,
    Table,
    constant,
    of_sim,
    of_state,
    refusing,
    setting,
)
from remsim.simulator.answers.common import registration
from remsim.simulator.drive import MCC, MNC
from remsim.simulator.encode import fibocom, tgpp
from remsim.simulator.encode.errors import BAD_PARAMETERS
from remsim.simulator.radio import Bands, CellLock
from remsim.simulator.state import Effect, ModemState, number_of

RATS: dict[int, tuple[str, ...]] = {
    1: ("UMTS",),
    2: ("LTE",),
    4: ("UMTS", "LTE"),
    10: (),
    14: ("NR",),
    16: ("UMTS", "NR"),
    17: ("LTE", "NR"),
    20: (),
}
SLOT_DROP_S, SLOT_AWAY_S = 5.0, 75.0
LOCK_RATS = {"0": "LTE", "1": "NR"}


def service(state: ModemState) -> str:
    """The technology in the word +GTDUALSIM uses."""
    if not state.registered:
        return "NO SERVICE"
    return {"UMTS": "WCDMA", "LTE": "LTE", "NSA": "NR", "SA": "NR"}[state.scene.mode]


def choose_slot(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """AT+GTDUALSIM=0 or 1: the modem leaves the bus, often before its OK."""
    if arguments not in (["0"], ["1"]):
        return BAD_PARAMETERS
    wanted = int(arguments[0])
    if wanted == state.slot:
        return ""
    state.slot = wanted
    state.settings["bands_reset"] = True
    lines = ("+ESIMS: 1,29", "+ESIMS: 0,1") if state.model.family == "fm350" else ()
    state.effects.append(Effect("urc", 0.5, lines))
    state.effects.append(Effect("reset", SLOT_DROP_S, away_s=SLOT_AWAY_S))
    return NEVER


def codes(bands: Bands) -> list[str]:
    """Bands as +GTACT prints them: 3G as they are, LTE from 100 on, NR with 50 before."""
    nr = sorted(bands.nsa | bands.sa)
    lte = (str(100 + band) for band in sorted(bands.lte))
    return [*map(str, sorted(bands.umts)), *lte, *(f"50{band}" for band in nr)]


def gtact(state: ModemState) -> str:
    """AT+GTACT?: technologies, the two preferred ones, bands of those technologies."""
    modes = state.radio.modes
    rat = 20 if modes == state.model.modes else next(rat for rat, wanted in RATS.items() if frozenset(wanted) == modes)
    bands = state.radio.bands
    none: frozenset[int] = frozenset()
    shown = Bands(
        bands.umts if "UMTS" in modes else none,
        bands.lte if "LTE" in modes else none,
        bands.nsa if "NR" in modes else none,
        bands.sa if "NR" in modes else none,
    )
    preferred = state.settings.get("gtact_preferred", "6,3" if rat == 20 else ",")
    return f"+GTACT: {rat},{preferred},{','.join(codes(shown))}"


def choose_act(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """AT+GTACT=rat[,preferred,preferred[,bands]]: 0 or nothing is all bands of the named technologies."""
    rat = number_of(arguments[0])
    if rat not in RATS or rat is None or not frozenset(RATS[rat]) <= state.model.modes:
        return BAD_PARAMETERS
    modes = frozenset(RATS[rat]) or state.model.modes
    wanted = [text for text in arguments[3:] if text]
    bands = state.model.bands
    if wanted and wanted != ["0"]:
        chosen = chosen_bands(wanted, bands)
        if chosen is None:
            return BAD_PARAMETERS
        # A technology without a band in the list keeps what it has.
        held = state.radio.bands
        bands = Bands(*(new or old for new, old in zip(chosen, (held.umts, held.lte, held.nsa, held.sa), strict=True)))
    if arguments[1:3]:
        state.settings["gtact_preferred"] = ",".join((arguments[1:3] + [""])[:2])
    state.prefer(modes=modes, bands=bands)
    return ""


def choices(state: ModemState) -> str:
    """AT+GTACT=?: technologies, preferences, then bands by technology."""
    bands = state.model.bands
    umts, lte, nr = (",".join(codes(one)) for one in (Bands(umts=bands.umts), Bands(lte=bands.lte), Bands(sa=bands.sa)))
    return f"+GTACT: ({','.join(map(str, RATS))}),(2,3,6),(2,3,6),(),({umts}),({lte}),(),(),({nr})"


def chosen_bands(texts: list[str], known: Bands) -> tuple[frozenset[int], ...] | None:
    """The bands of a list of codes by technology; None when the modem lacks one."""
    umts, lte, nr = set(), set(), set()
    for text in texts:
        number = number_of(text)
        if number is None:
            return None
        if text.startswith("50") and len(text) > 2 and number > 500:
            nr.add(int(text[2:]))
        elif 100 < number < 200:
            lte.add(number - 100)
        else:
            umts.add(number)
    if not (umts <= known.umts and lte <= known.lte and nr <= known.nsa | known.sa):
        return None
    return frozenset(umts), frozenset(lte), frozenset(nr & known.nsa), frozenset(nr & known.sa)


def cell_lock(state: ModemState) -> str:
    """AT+GTCELLLOCK?: as it was set."""
    return f"+GTCELLLOCK: {state.settings.get('cell_lock', '0')}"


def choose_cell(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """AT+GTCELLLOCK=1,rat,type,channel,pci[,scs,band]: type 0 a cell, 1 a channel. It holds from the next reset on."""
    if arguments == ["0"]:
        locks: tuple[CellLock, ...] = ()
    elif (lock := lock_of(arguments)) is not None:
        locks = (lock,)
    else:
        return BAD_PARAMETERS
    state.cell_lock_waits = locks
    state.settings["cell_lock"] = ",".join(arguments)
    return ""


def lock_of(arguments: list[str]) -> CellLock | None:
    """The cell of +GTCELLLOCK's arguments."""
    if len(arguments) < 4 or arguments[0] != "1" or arguments[1] not in LOCK_RATS or arguments[2] not in ("0", "1"):
        return None
    channel, pci = number_of(arguments[3]), number_of(arguments[4]) if len(arguments) > 4 else None
    if channel is None or (arguments[2] == "0" and pci is None):
        return None
    return CellLock(LOCK_RATS[arguments[1]], channel, pci if arguments[2] == "0" else None)


def mediatek_lock(state: ModemState) -> str:
    """AT+EMMCHLCK?."""
    return f"+EMMCHLCK: {state.settings.get('cell_lock', '0')}"


def choose_mediatek_cell(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """AT+EMMCHLCK=1,7,0,channel,pci: an LTE cell, from when the radio was off for a moment until the next reset."""
    if arguments == ["0"]:
        state.radio_lock_waits = ()
        state.settings.pop("cell_lock", None)
        return ""
    numbers = [number_of(text) for text in arguments]
    if len(arguments) != 5 or arguments[:3] != ["1", "7", "0"] or None in numbers:
        return BAD_PARAMETERS
    state.radio_lock_waits = (CellLock("LTE", numbers[3] or 0, numbers[4]),)
    state.settings["cell_lock"] = ",".join((*arguments, "0"))
    return ""


def choose_usb(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """AT+GTUSBMODE: another composition from the next reset on; 28 and its like lose the AT port."""
    if len(arguments) != 1 or arguments[0] not in state.model.compositions:
        return BAD_PARAMETERS
    state.next_composition = arguments[0]
    return ""


def usb_modes(state: ModemState) -> str:
    """AT+GTUSBMODE=?."""
    return f"+GTUSBMODE: ({','.join(sorted(state.model.compositions))})"


def apn(state: ModemState) -> str:
    """AT+EAPNACT?."""
    return f'+EAPNACT: {int(1 in state.active)},"{state.contexts.get(1, ("", ""))[1]}","default"'


USB = Table(
    {
        "AT+GTUSBMODE?": of_state(lambda s: f"+GTUSBMODE: {s.next_composition or s.composition}"),
        "AT+GTUSBMODE=?": of_state(usb_modes),
    },
    {"AT+GTUSBMODE=": choose_usb},
)
IDENTITY = Table(
    {
        "AT+CGMI?": of_state(lambda s: f'+CGMI: "{s.model.manufacturer}"'),
        "AT+CGMM?": of_state(lambda s: f'+CGMM: "{s.model.name}"'),
        "AT+CGMR?": of_state(lambda s: f'+CGMR: "{s.model.firmware}"'),
        "AT+CGSN?": of_state(lambda s: f'+CGSN: "{s.imei}"'),
        "AT+CIMI?": of_sim(lambda s: f'+CIMI: "{s.imsi}"'),
    }
)
FIBOCOM = (
    IDENTITY
    | USB
    | setting("+MSMPD", "1", "0", "1")
    | Table(
        {
            "AT+GTDUALSIM?": of_state(lambda s: f'+GTDUALSIM : {s.slot}, "SUB{s.slot + 1}", "{service(s)}"'),
            "AT+GTDUALSIM=?": constant("+GTDUALSIM: (0-1)"),
            "AT+GTACT?": of_state(gtact),
            "AT+GTACT=?": of_state(choices),
            "AT+C5GREG?": registration("+C5GREG"),
        },
        {
            "AT+GTDUALSIM=": choose_slot,
            "AT+GTACT=": refusing(choose_act),
        },
    )
)
FM350 = FIBOCOM | Table(
    {
        "AT+EMMCHLCK?": of_state(mediatek_lock),
        "AT+GTPKGVER?": constant('+GTPKGVER: "81600.0000.00.29.22.40_5000.0000.050.000.046_E41"'),
        "AT+CSQ": of_state(lambda s: tgpp.csq(s.camped, blank=" ")),
        "AT+GTCCINFO?": of_state(lambda s: fibocom.gtccinfo(s.camped, MCC, MNC)),
        "AT+GTCAINFO?": of_state(lambda s: fibocom.gtcainfo(s.camped)),
        "AT+GTSENRDTEMP=1": of_state(lambda s: f"+GTSENRDTEMP: 1,{s.temperature_c * 1000 + 628}"),
        "AT+SIMTYPE?": of_state(lambda s: f"+SIMTYPE: {int(s.slot == 1)}"),
        "AT+EAPNACT?": of_state(apn),
        "AT+EID": of_state(lambda s: f"+EID: {'0' * 32}" if s.slot == 1 else None),
    },
    {"AT+EMMCHLCK=": refusing(choose_mediatek_cell)},
)
FM160 = FIBOCOM | Table(
    {
        "AT+GTCCINFO?": of_state(lambda s: fibocom.gtccinfo_hex(s.camped, MCC, MNC)),
        "AT+GTCAINFO?": of_state(lambda s: fibocom.gtcainfo_hex(s.camped)),
        "AT+MTSM=1,6": of_state(lambda s: f"+MTSM: {s.temperature_c}"),
        "AT+MTSM=1": of_state(lambda s: f"+MTSM: {s.temperature_c}"),
        "AT+GTCELLLOCK?": of_state(cell_lock),
    },
    {"AT+GTCELLLOCK=": refusing(choose_cell)},
)
