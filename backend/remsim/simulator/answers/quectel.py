"""Quectel: RM5xx, EC25/EP06/EM12, BG96, and RM500U on Unisoc's chip."""

from __future__ import annotations

from collections.abc import Callable

from remsim.simulator.answers.base import Body, Settings, Table, constant, of_sim, of_state, setting
from remsim.simulator.answers.common import knows_5g, registration
from remsim.simulator.answers.quectel_config import CONFIG, LTE_CONFIG
from remsim.simulator.answers.quectel_radio import CAPABILITY, CHOICES, NR_RADIO
from remsim.simulator.answers.sim import QUECTEL_SIM
from remsim.simulator.drive import MCC, MNC, PLMN
from remsim.simulator.encode import quectel
from remsim.simulator.encode.errors import BAD_PARAMETERS
from remsim.simulator.models import Model
from remsim.simulator.state import Effect, ModemState

SWITCH_S = 2.0
POWER_OFF_S = 5.0


def qeng(state: ModemState) -> str:
    """The serving cell, or the search for one."""
    if state.camped is None:
        return '+QENG: "servingcell","SEARCH"'
    word = "CONNECT" if state.connected else "NOCONN" if state.registered else "LIMSRV"
    if state.model.family == "unisoc":
        return quectel.qeng_unisoc(state.scene, MCC, MNC, state=word)
    technology = "CAT-M" if state.model.family == "bg96" else "LTE"
    return quectel.qeng(state.scene, MCC, MNC, state=word, is_5g_module=knows_5g(state), technology=technology)


def qnwinfo(state: ModemState) -> str:
    """Technology, band and channel in use."""
    if state.camped is None:
        return "+QNWINFO: No Service"
    if state.model.family == "bg96":
        channel = state.scene.cell.channel
        return f'+QNWINFO: "CAT-M1","{PLMN}","LTE BAND {channel.band}",{channel.number}'
    return quectel.qnwinfo(state.scene, PLMN, is_5g_module=knows_5g(state), is_unisoc=state.model.family == "unisoc")


def qcainfo(state: ModemState) -> str:
    """The carriers in use."""
    if not state.camped:
        return ""
    if state.model.family == "unisoc":
        return quectel.qcainfo_unisoc(state.scene)
    return quectel.qcainfo(state.scene, is_5g_module=knows_5g(state))


def qcsq(state: ModemState) -> str:
    """Four levels, for LTE modules."""
    technology = "CAT-M1" if state.model.family == "bg96" else "LTE"
    return quectel.qcsq(state.scene, technology) if state.camped else '+QCSQ: "NOSERVICE"'


def branches(name: str) -> Callable[[ModemState], Body]:
    """One of the levels by antenna; an error where no LTE or 5G is."""

    def read(state: ModemState) -> str | None:
        if not state.camped or state.scene.mode == "UMTS":
            return None
        return quectel.branches(state.scene, name, is_5g_module=knows_5g(state))

    return read


def neighbours(state: ModemState) -> str:
    """The cells around."""
    if not state.camped:
        return ""
    form = {"unisoc": "unisoc", "rm5xx": "5g"}.get(state.model.family, "lte")
    return quectel.neighbours(state.scene, form)


def qspn(state: ModemState) -> str | None:
    """The network's names."""
    name = state.scene.operator
    return f'+QSPN: "{name}","{name}","{name}",0,"{PLMN}"' if state.registered else None


def power_off(state: ModemState, settings: Settings) -> Body:
    """+QPOWD: OK, POWERED DOWN after a while, then it is gone until somebody turns it on."""
    state.effects.append(Effect("off", POWER_OFF_S, ("POWERED DOWN",)))
    return ""


def choose_slot(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+QUIMSLOT=1 or 2: OK at once, the other card a moment later."""
    if arguments not in [[str(slot + 1)] for slot in range(state.model.slots)]:
        return BAD_PARAMETERS
    wanted = int(arguments[0]) - 1
    if wanted != state.slot:
        state.effects.append(Effect("slot", SWITCH_S, slot=wanted))
    return ""


def choose_dual(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+QDSIM=0 or 1: as +QUIMSLOT, counted from 0."""
    if arguments not in (["0"], ["1"]):
        return BAD_PARAMETERS
    return choose_slot(state, settings, [str(int(arguments[0]) + 1)])


def detection(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+QSIMSTAT=1: say when a card comes or goes."""
    if arguments not in (["0"], ["1"]):
        return BAD_PARAMETERS
    state.settings["simstat"] = arguments[0]
    return ""


QUECTEL = (
    Table(
        {
            "ATI": of_state(lambda s: f"{s.model.manufacturer}\r\n{s.model.name}\r\nRevision: {s.model.firmware}"),
            "AT+QGMR": of_state(lambda s: s.model.firmware),
            "AT+QCCID": of_sim(lambda s: f"+QCCID: {s.iccid}"),
            'AT+QENG="servingcell"': of_state(qeng),
            'AT+QENG="neighbourcell"': of_state(neighbours),
            "AT+QCAINFO": of_state(qcainfo),
            "AT+QNWINFO": of_state(qnwinfo),
            "AT+QSPN": of_state(qspn),
            "AT+QTEMP": of_state(lambda s: quectel.qtemp(s.temperature_c, is_5g_module=knows_5g(s))),
            "AT+QSIMSTAT?": of_state(lambda s: f"+QSIMSTAT: {s.settings.get('simstat', 1)},{int(s.sim_present)}"),
            'AT+QMBNCFG="list"': constant('+QMBNCFG: "List",0,1,1,"ROW_Generic_3GPP",0x0501081F,202307241'),
            "AT+CBC": constant("+CBC: 0,100,3806"),
            "AT+QPOWD": power_off,
            "AT+QPOWD=1": power_off,
            'AT+QURCCFG="urcport"': constant('+QURCCFG: "urcport","usbat"'),
            'AT+QURCCFG="urcport","usbat"': constant(""),
        },
        {"AT+QSIMSTAT=": detection},
    )
    | setting("+QSIMDET", "0,0", "0,0", "0,1", "1,0", "1,1")
    | QUECTEL_SIM
    | CONFIG
)
SLOTS = Table(
    {
        "AT+QUIMSLOT?": of_state(lambda s: f"+QUIMSLOT: {s.slot + 1}"),
        "AT+QUIMSLOT=?": constant("+QUIMSLOT: (1,2)"),
    },
    {"AT+QUIMSLOT=": choose_slot},
)
DUAL_SIM = Table({"AT+QDSIM?": of_state(lambda s: f"+QDSIM: {s.slot}")}, {"AT+QDSIM=": choose_dual})
"""EC25 and EG25 with firmware for two cards."""
BRANCHES = Table({f"AT+{name}": of_state(branches(name)) for name in quectel.UNUSED})
NR = Table({"AT+C5GREG?": registration("+C5GREG")}) | NR_RADIO
LTE = Table({"AT+QCSQ": of_state(qcsq)}) | LTE_CONFIG


def quectel_table(model: Model) -> Table:
    """By the module's family."""
    found = QUECTEL | (LTE if model.is_lte_only else NR)
    if model.family == "rm5xx":
        found |= CAPABILITY | BRANCHES
    if model.family == "lte":
        found |= BRANCHES
    if model.family == "unisoc":
        found |= CHOICES
    if model.slots > 1:
        found |= DUAL_SIM if model.name.startswith("EG25") else SLOTS
    return found
