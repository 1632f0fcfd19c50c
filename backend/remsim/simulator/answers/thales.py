"""Thales: PLS8 and its kin (Cinterion's commands), and MV31, another maker's module. Unproven as a whole session."""

from __future__ import annotations

from remsim.simulator.answers.base import Body, Settings, Table, bands_of, constant, listed, of_state, refusing
from remsim.simulator.answers.common import registration
from remsim.simulator.answers.sim import THALES_SIM
from remsim.simulator.drive import MCC, MNC
from remsim.simulator.encode import thales
from remsim.simulator.models import Model
from remsim.simulator.state import Effect, ModemState

BAND_LISTS = {"WCDMA": "umts", "LTE": "lte", "NR5G_NSA": "nsa", "NR5G_SA": "sa"}


def ati(state: ModemState) -> str:
    """Maker, model and revision one below the other."""
    return f"{state.model.manufacturer}\r\n{state.model.name}\r\n{state.model.firmware}"


def smoni(state: ModemState) -> str:
    """The serving cell with the connection's state."""
    word = "CONN" if state.connected else "NOCONN" if state.registered else "LIMSRV"
    return thales.smoni(state.camped, MCC, MNC, state=word)


def temperature(state: ModemState) -> str:
    """MV31's sensors."""
    return f"PA: {state.temperature_c}C\r\nSkin Sensor: {state.temperature_c - 1}C\r\nTSENS: {state.temperature_c}C"


def choose_slot(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """AT^SWITCH_SLOT=0 or 1, which the read form calls SIM1 and SIM2."""
    if arguments not in (["0"], ["1"]):
        return None
    if int(arguments[0]) != state.slot:
        state.effects.append(Effect("slot", 1.0, slot=int(arguments[0])))
    return ""


def band_lists(state: ModemState) -> str:
    """AT^BAND_PREF_EXT?: a line for what is on and one for what is off of each technology."""
    lines = []
    for word, name in BAND_LISTS.items():
        on, known = getattr(state.radio.bands, name), getattr(state.model.bands, name)
        lines.append(f"{word},Enable Bands :{listed(on, ',')},")
        lines.append(f"{word},Disable Bands:{listed(known - on, ',')}")
    return "\r\n".join(lines)


def choose_bands(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """AT^BAND_PREF_EXT=LTE,2,3:7: 2 switches these on, 1 off; the others stay as they are."""
    name = BAND_LISTS.get(arguments[0])
    if name is None or arguments[1:2] not in (["1"], ["2"]) or len(arguments) != 3:
        return None
    named = bands_of(arguments[2], ":", getattr(state.model.bands, name))
    if named is None:
        return None
    held = getattr(state.radio.bands, name)
    state.prefer_bands(**{name: held | named if arguments[1] == "2" else held - named})
    return ""


CINTERION = THALES_SIM | Table(
    {
        "ATI": of_state(ati),
        "AT^SMONI": of_state(smoni),
        "AT^SBV": constant("^SBV: 3783"),
        "AT^SCTM?": of_state(lambda s: f"^SCTM: 0,{2 if 'hot' in s.faults else 0},{s.temperature_c}"),
    }
)
MV31 = Table(
    {
        "AT+C5GREG?": registration("+C5GREG"),
        "AT^DEBUG?": of_state(lambda s: thales.debug(s.camped, MCC, MNC)),
        "AT^TEMP?": of_state(temperature),
        "AT^SWITCH_SLOT?": of_state(lambda s: f"SIM{s.slot + 1} ENABLE"),
        "AT^BAND_PREF_EXT?": of_state(band_lists),
    },
    {"AT^SWITCH_SLOT=": choose_slot, "AT^BAND_PREF_EXT=": refusing(choose_bands)},
)


def thales_table(model: Model) -> Table:
    """By the command set."""
    return CINTERION if model.is_lte_only else MV31
