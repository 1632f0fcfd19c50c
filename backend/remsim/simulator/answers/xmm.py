"""Fibocom's L850 and L860 on Intel's XMM chips."""

from __future__ import annotations

from dataclasses import replace

from remsim.simulator.answers.base import Body, Settings, Table, constant, of_state, refusing
from remsim.simulator.answers.fibocom import USB
from remsim.simulator.drive import MCC, MNC
from remsim.simulator.encode import xmm
from remsim.simulator.encode.errors import BAD_PARAMETERS
from remsim.simulator.radio import Bands
from remsim.simulator.state import ModemState, number_of

RATS: dict[str, tuple[str, ...]] = {"1": ("UMTS",), "2": ("LTE",), "4": ("UMTS", "LTE"), "6": ("UMTS", "LTE")}


def xact(state: ModemState) -> str:
    """AT+XACT?: technologies, the preferred one, bands with LTE from 100 on."""
    modes = state.radio.modes
    rat = "4" if modes == state.model.modes else next(rat for rat, wanted in RATS.items() if frozenset(wanted) == modes)
    bands = state.radio.bands
    return f"+XACT: {rat},{state.settings.get('xact_preferred', '2')},{'1' if rat == '4' else ''},{listed_bands(bands)}"


def listed_bands(bands: Bands) -> str:
    """Bands of 3G as they are, of LTE from 100 on."""
    return ",".join([*map(str, sorted(bands.umts)), *(str(100 + band) for band in sorted(bands.lte))])


def choose_act(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """AT+XACT=rat[,preferred,preferred[,bands]]: 0 is all bands of the named technologies."""
    modes = RATS.get(arguments[0])
    if modes is None:
        return BAD_PARAMETERS
    wanted = [number_of(text) for text in arguments[3:] if text]
    if None in wanted:
        return BAD_PARAMETERS
    lte = frozenset(code - 100 for code in wanted if code is not None and code > 100)
    umts = frozenset(code for code in wanted if code is not None and 0 < code <= 100)
    known = state.model.bands
    if not (lte <= known.lte and umts <= known.umts):
        return BAD_PARAMETERS
    bands = replace(state.radio.bands, lte=lte or state.radio.bands.lte, umts=umts or state.radio.bands.umts)
    if wanted == [0]:
        bands = known
    if arguments[1:2] not in ([], [""]):
        state.settings["xact_preferred"] = arguments[1]
    state.prefer(modes=frozenset(modes), bands=bands)
    return ""


def measure(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """AT+MTSM=2,10 measures every 10 s, which +MTSM? tells then."""
    return "" if arguments[:1] in (["0"], ["1"], ["2"]) else BAD_PARAMETERS


XMM = USB | Table(
    {
        "AT+GMM?": of_state(lambda s: f'+GMM: "{s.model.name[:4]} LTE Module","{s.model.name[:4]}"'),
        "AT+CBC": constant("+CBC: 0,3750"),
        "AT+XCESQ?": of_state(lambda s: xmm.xcesq(s.camped)),
        "AT+XMCI=1": of_state(lambda s: xmm.xmci(s.camped, MCC, MNC)),
        "AT+XMCI=0": of_state(lambda s: xmm.xmci(s.camped, MCC, MNC)),
        "AT+XLEC?": of_state(lambda s: xmm.xlec(s.camped)),
        "AT+XCCINFO?": of_state(lambda s: xmm.xccinfo(s.camped, MCC, MNC)),
        "AT+RSRP?": of_state(lambda s: xmm.cell_list("+RSRP", s.camped)),
        "AT+RSRQ?": of_state(lambda s: xmm.cell_list("+RSRQ", s.camped)),
        "AT+MTSM?": of_state(lambda s: f"+MTSM: {s.temperature_c}"),
        "AT+XACT?": of_state(xact),
        "AT+XACT=?": of_state(lambda s: f"+XACT: (0-6),(0-2),0,900,1800,1900,850,{listed_bands(s.model.bands)}"),
    },
    {"AT+XACT=": refusing(choose_act), "AT+MTSM=": measure},
)
