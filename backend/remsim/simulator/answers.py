"""What a virtual modem answers to which command: one table a vendor over one for all.

A body of ``None`` is ERROR, a number is that ``+CME ERROR``, text is the answer before OK.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from remsim.simulator.encode import fibocom, quectel, sierra, tgpp
from remsim.simulator.profiles import MCC, MNC, ModemState

Body = str | int | None
Answer = Callable[[ModemState, Mapping[str, int]], Body]

NO_SIM = 10
RESETS = ("AT+CFUN=1,1", "AT+CFUN=15", "AT!RESET")
"""Commands that restart the modem after their answer, for those that know them."""

PLMN = MCC + MNC


def constant(text: str) -> Answer:
    """Always the same."""
    return lambda state, settings: text


def of_state(text: Callable[[ModemState], Body]) -> Answer:
    """From the modem's state alone."""
    return lambda state, settings: text(state)


def of_sim(text: Callable[[ModemState], str]) -> Answer:
    """From the SIM; without one it is not inserted."""
    return lambda state, settings: text(state) if state.sim_present else NO_SIM


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
        "+CEREG": mode in ("LTE", "NSA") or (mode == "SA" and state.model.vendor == "fibocom"),
    }.get(name, mode != "SA")
    return state.stat if home or not state.registered else 0


def act(state: ModemState) -> int:
    """The access technology; an LTE module knows no EN-DC."""
    return tgpp.ACT["LTE" if state.scene.mode == "NSA" and state.model.is_lte_only else state.scene.mode]


def knows_5g(state: ModemState) -> bool:
    """Whether the product has a 5G radio."""
    return not state.model.is_lte_only


def cops(state: ModemState, settings: Mapping[str, int]) -> str:
    """The network in the vendor's form."""
    name = state.scene.operator if state.registered else None
    encode = fibocom.cops if state.model.vendor == "fibocom" else tgpp.cops
    return encode(name, PLMN, settings.get("+COPS", 0), act(state))


def address(state: ModemState) -> str:
    """An address from the block for documentation while data may flow."""
    return f'+CGPADDR: 1,"{f"192.0.2.{state.number}" if state.registered else "0.0.0.0"}"'


COMMON: dict[str, Answer] = {
    "AT+CGMI": of_state(lambda s: s.model.manufacturer),
    "AT+CGMM": of_state(lambda s: s.model.name),
    "AT+CGMR": of_state(lambda s: s.model.firmware),
    "AT+CGSN": of_state(lambda s: s.imei),
    "AT+GSN": of_state(lambda s: s.imei),
    "AT+CIMI": of_sim(lambda s: s.imsi),
    "AT+CCID": of_sim(lambda s: f"+CCID: {s.iccid}"),
    "AT+ICCID": of_sim(lambda s: f"+ICCID: {s.iccid}"),
    "ATI": of_state(
        lambda s: (
            f"Manufacturer: {s.model.manufacturer}\r\nModel: {s.model.name}\r\n"
            f"Revision: {s.model.firmware}\r\nIMEI: {s.imei}"
        )
    ),
    "AT+CPIN?": of_sim(lambda s: "+CPIN: READY"),
    "AT+CFUN?": constant("+CFUN: 1"),
    "AT+CFUN=1": constant(""),
    "AT+CFUN=1,1": constant(""),
    "AT+CGATT?": of_state(lambda s: f"+CGATT: {int(s.registered)}"),
    "AT+CGACT?": of_state(lambda s: f"+CGACT: 1,{int(s.registered)}"),
    "AT+CGDCONT?": constant('+CGDCONT: 1,"IPV4V6","internet","0.0.0.0",0,0'),
    "AT+CGPADDR": of_state(address),
    "AT+CGPADDR=1": of_state(address),
    "AT+CPMS?": of_sim(lambda s: '+CPMS: "SM",0,40,"SM",0,40,"SM",0,40'),
    "AT+CSCS?": constant('+CSCS: "GSM"'),
    "AT+COPS?": cops,
    "AT+CSQ": of_state(lambda s: tgpp.csq(s.camped)),
    "AT+CESQ": of_state(lambda s: tgpp.cesq(s.camped, with_nr=knows_5g(s))),
    **{f"AT{name}?": registration(name) for name in ("+CREG", "+CGREG", "+CEREG")},
}


def qeng(state: ModemState) -> str:
    """The serving cell, or the search for one."""
    if state.camped is None:
        return '+QENG: "servingcell","SEARCH"'
    word = "CONNECT" if state.connected else "NOCONN" if state.registered else "LIMSRV"
    return quectel.qeng(state.scene, MCC, MNC, state=word, is_5g_module=knows_5g(state))


def qnwinfo(state: ModemState) -> str:
    """Technology, band and channel in use."""
    if state.camped is None:
        return "+QNWINFO: No Service"
    return quectel.qnwinfo(state.scene, PLMN, is_5g_module=knows_5g(state))


def qspn(state: ModemState) -> str | None:
    """The network's names."""
    name = state.scene.operator
    return f'+QSPN: "{name}","{name}","{name}",0,"{PLMN}"' if state.registered else None


QUECTEL: dict[str, Answer] = {
    "ATI": of_state(lambda s: f"{s.model.manufacturer}\r\n{s.model.name}\r\nRevision: {s.model.firmware}"),
    "AT+QGMR": of_state(lambda s: s.model.firmware),
    "AT+QCCID": of_sim(lambda s: f"+QCCID: {s.iccid}"),
    'AT+QENG="servingcell"': of_state(qeng),
    'AT+QENG="neighbourcell"': constant(""),  # the recordings hold no neighbours
    "AT+QCAINFO": of_state(lambda s: quectel.qcainfo(s.scene, is_5g_module=knows_5g(s)) if s.camped else ""),
    "AT+QNWINFO": of_state(qnwinfo),
    "AT+QSPN": of_state(qspn),
    "AT+QTEMP": of_state(lambda s: quectel.qtemp(s.temperature_c, is_5g_module=knows_5g(s))),
    "AT+QSIMSTAT?": of_state(lambda s: f"+QSIMSTAT: 1,{int(s.sim_present)}"),
    'AT+QCFG="usbnet"': constant('+QCFG: "usbnet",0'),
    'AT+QURCCFG="urcport"': constant('+QURCCFG: "urcport","usbat"'),
    'AT+QURCCFG="urcport","usbat"': constant(""),
}
QUECTEL_5G: dict[str, Answer] = {
    "AT+C5GREG?": registration("+C5GREG"),
    "AT+QUIMSLOT?": constant("+QUIMSLOT: 1"),
    'AT+QNWPREFCFG="mode_pref"': constant('+QNWPREFCFG: "mode_pref",AUTO'),
}
QUECTEL_LTE: dict[str, Answer] = {
    "AT+QCSQ": of_state(lambda s: quectel.qcsq(s.scene) if s.camped else '+QCSQ: "NOSERVICE"'),
    'AT+QCFG="nwscanmode"': constant('+QCFG: "nwscanmode",0'),
}

SIERRA: dict[str, Answer] = {
    "AT!RESET": constant(""),
    "AT!GSTATUS?": of_state(
        lambda s: sierra.gstatus(
            s.camped,
            registered=s.registered,
            temperature_c=s.temperature_c,
            uptime_s=s.uptime_s,
            connected=s.connected,
        )
    ),
    "AT!LTEINFO?": of_state(
        lambda s: sierra.lteinfo(s.scene, MCC, MNC) if s.camped and s.scene.mode in ("LTE", "NSA") else None
    ),
    "AT!UIMS?": constant("!UIMS: 0"),
    "AT!PCTEMP?": of_state(lambda s: f"Temp state: Normal\r\nTemperature: {s.temperature_c}.00"),
    "AT!PCVOLT?": constant("Volt state: Normal\r\nPower supply voltage: 3283 mV (2167 cnt)"),
    "AT!PCINFO?": constant(
        "State: Online\r\nLPM voters - Temp:0, Volt:0, User:0, W_DISABLE:0, IMSWITCH:0, BIOS:0, LWM2M:0, OMADM:0, "
        "FOTA:0\r\nLPM persistence - None"
    ),
    "AT!SELRAT?": constant("!SELRAT: 00, Automatic"),
    "AT!USBCOMP?": constant(
        "Config Index: 1\r\nConfig Type:  3 (Legacy-Generic)\r\nInterface bitmask: 0000010D (diag,nmea,modem,rmnet0)"
    ),
}


def service(state: ModemState) -> str:
    """The technology in the word +GTDUALSIM uses."""
    if not state.registered:
        return "NO SERVICE"
    return {"UMTS": "WCDMA", "LTE": "LTE", "NSA": "NR", "SA": "NR"}[state.scene.mode]


FIBOCOM: dict[str, Answer] = {
    "AT+CGMI?": of_state(lambda s: f'+CGMI: "{s.model.manufacturer}"'),
    "AT+CGMM?": of_state(lambda s: f'+CGMM: "{s.model.name}"'),
    "AT+CGMR?": of_state(lambda s: f'+CGMR: "{s.model.firmware}"'),
    "AT+CGSN?": of_state(lambda s: f'+CGSN: "{s.imei}"'),
    "AT+CIMI?": of_sim(lambda s: f'+CIMI: "{s.imsi}"'),
    "AT+GTPKGVER?": constant('+GTPKGVER: "81600.0000.00.29.22.40_5000.0000.050.000.046_E41"'),
    "AT+CSQ": of_state(lambda s: tgpp.csq(s.camped, blank=" ")),
    "AT+GTCCINFO?": of_state(lambda s: fibocom.gtccinfo(s.camped, MCC, MNC)),
    "AT+GTCAINFO?": of_state(lambda s: fibocom.gtcainfo(s.camped)),
    "AT+GTSENRDTEMP=1": of_state(lambda s: f"+GTSENRDTEMP: 1,{s.temperature_c * 1000 + 628}"),
    "AT+GTDUALSIM?": of_state(lambda s: f'+GTDUALSIM : 0, "SUB1", "{service(s)}"'),
    "AT+GTUSBMODE?": constant("+GTUSBMODE: 41"),
    "AT+CFUN=15": constant(""),
    "AT+SIMTYPE?": constant("+SIMTYPE: 0"),
    "AT+C5GREG?": registration("+C5GREG"),
}


def table(state: ModemState) -> dict[str, Answer]:
    """Every command a modem knows besides the settings of its port."""
    vendor, lte_only = state.model.vendor, state.model.is_lte_only
    if vendor == "quectel":
        return COMMON | QUECTEL | (QUECTEL_LTE if lte_only else QUECTEL_5G)
    return COMMON | (SIERRA if vendor == "sierra" else FIBOCOM)
