"""Commands of 27.007 that every modem answers: who it is, where it is registered, how strong the signal is."""

from __future__ import annotations

from remsim.simulator.answers.base import Answer, Body, Settings, Table, of_sim, of_state
from remsim.simulator.encode import tgpp
from remsim.simulator.state import ModemState


def registration(name: str) -> Answer:
    """The read form of +CREG, +CGREG, +CEREG or +C5GREG."""
    return lambda state, settings: tgpp.registration(
        name, settings.get(name, 0), domain_stat(state, name), state.scene, act(state)
    )


def domain_stat(state: ModemState, name: str) -> int:
    """A domain is registered on its own technologies only; MediaTek's +CEREG follows 5G too."""
    mode = state.scene.mode
    home = {
        "+C5GREG": mode == "SA",
        "+CEREG": mode in ("LTE", "NSA") or (mode == "SA" and state.model.family == "fm350"),
    }.get(name, mode != "SA")
    return state.stat if home or not state.registered else 0


def act(state: ModemState) -> int:
    """The access technology; an LTE module knows no EN-DC, and BG96's LTE is LTE-M."""
    if state.model.family == "bg96":
        return 8
    return tgpp.ACT["LTE" if state.scene.mode == "NSA" and state.model.is_lte_only else state.scene.mode]


def knows_5g(state: ModemState) -> bool:
    """Whether the product has a 5G radio."""
    return not state.model.is_lte_only


def functionality(state: ModemState) -> str:
    """+CFUN?; a modem that something holds in low power says so."""
    return f"+CFUN: {0 if 'low_power' in state.faults and state.functionality == 1 else state.functionality}"


def ati(state: ModemState) -> str:
    """The labelled form."""
    model = state.model
    return (
        f"Manufacturer: {model.manufacturer}\r\nModel: {model.name}\r\nRevision: {model.firmware}\r\nIMEI: {state.imei}"
    )


def charset(state: ModemState, settings: Settings) -> Body:
    """+CSCS?: MediaTek begins with UCS2."""
    return f'+CSCS: "{charset_of(state)}"'


def charset_of(state: ModemState) -> str:
    """The alphabet of texts in commands."""
    return str(state.settings.get("CSCS", "UCS2" if state.model.family == "fm350" else "GSM"))


def set_charset(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+CSCS=."""
    if arguments not in (["GSM"], ["UCS2"], ["IRA"]):
        return None
    state.settings["CSCS"] = arguments[0]
    return ""


COMMON = Table(
    {
        "AT+CGMI": of_state(lambda s: s.model.manufacturer),
        "AT+CGMM": of_state(lambda s: s.model.name),
        "AT+CGMR": of_state(lambda s: s.model.firmware),
        "AT+CGSN": of_state(lambda s: s.imei),
        "AT+GSN": of_state(lambda s: s.imei),
        "AT+CIMI": of_sim(lambda s: s.imsi),
        "AT+CCID": of_sim(lambda s: f"+CCID: {s.iccid}"),
        "AT+ICCID": of_sim(lambda s: f"+ICCID: {s.iccid}"),
        "ATI": of_state(ati),
        "AT+CFUN?": of_state(functionality),
        "AT+CSQ": of_state(lambda s: tgpp.csq(s.camped)),
        "AT+CESQ": of_state(lambda s: tgpp.cesq(s.camped, with_nr=knows_5g(s))),
        "AT+CSCS?": charset,
        **{f"AT{name}?": registration(name) for name in ("+CREG", "+CGREG", "+CEREG")},
    },
    {"AT+CSCS=": set_charset},
)
