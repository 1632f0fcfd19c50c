"""Which network: automatic, by hand, none; the scan; and the radio's switch."""

from __future__ import annotations

from dataclasses import replace

from remsim.simulator.answers.base import NEVER, Body, Settings, Table
from remsim.simulator.answers.common import act
from remsim.simulator.drive import MCC, PLMN
from remsim.simulator.encode import fibocom, tgpp
from remsim.simulator.encode.errors import BAD_PARAMETERS, EMERGENCY_ONLY, NO_NETWORK
from remsim.simulator.state import Effect, ModemState

OTHER, FORBIDDEN = f"{MCC}02", f"{MCC}03"
NAMES = {OTHER: ("Network B", "NetB"), FORBIDDEN: ("Network C", "NetC")}


def name_of(state: ModemState, plmn: str) -> str:
    """A network's long name."""
    return NAMES[plmn][0] if plmn in NAMES else state.scene.operator


def cops(state: ModemState, settings: Settings) -> str:
    """The network in the vendor's form."""
    plmn = state.operator or PLMN
    name = name_of(state, plmn) if state.registered else None
    mode = 0 if state.operator is None else 1 if state.operator else 2
    encode = fibocom.cops if state.model.family == "fm350" else tgpp.cops
    return encode(name, plmn, settings.get("+COPS", 0), act(state), mode)


def scan(state: ModemState, settings: Settings) -> Body:
    """+COPS=?: all networks with their states (1 available, 2 current, 3 forbidden)."""
    if state.low_power:
        return NO_NETWORK
    current = (state.operator or PLMN) if state.registered else None
    code = act(state)
    rows = [] if not state.covered else [(PLMN, state.scene.operator, state.scene.operator[-10:])]
    rows += [(plmn, *names) for plmn, names in NAMES.items()]
    texts = []
    for plmn, long_name, short_name in rows:
        status = 2 if plmn == current else 3 if plmn == FORBIDDEN else 1
        texts.append(f'({status},"{long_name}","{short_name}","{plmn}",{7 if code in (11, 13) else code})')
    return "+COPS: " + ",".join(texts) + ",,(0,1,2,3,4),(0,1,2)"


def choose(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+COPS=0, =2, =1,2,"99902"[,act] and =4,…; 3 chooses the form of the answer and is the port's own."""
    mode = arguments[0]
    if mode in ("0", "2"):
        state.operator = None if mode == "0" else ""
        if mode == "0" and state.model.family == "bg96":
            state.settings.pop("nwscanmode", None)  # its firmware forgets the mode here
            state.prefer(modes=state.model.modes)
        state.effects.append(Effect("retune"))
        return ""
    if mode not in ("1", "4") or len(arguments) < 3:
        return BAD_PARAMETERS
    error = state.sim_error()
    if error is not None:
        return error
    names = {PLMN: PLMN, state.scene.operator: PLMN} | {names[0]: plmn for plmn, names in NAMES.items()}
    plmn = arguments[2] if arguments[1] == "2" else names.get(arguments[2], "")
    if plmn == FORBIDDEN:
        return EMERGENCY_ONLY
    if plmn not in (PLMN, OTHER) or state.camped is None:
        return NO_NETWORK
    state.operator = plmn
    state.effects.append(Effect("retune"))
    return ""


def functionality(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+CFUN=0, 1, 4, and the resets 1,1 and (Fibocom, MediaTek and Intel) 15."""
    model = state.model
    if arguments == ["15"] and model.vendor == "fibocom":
        state.effects.append(Effect("reset", model.drop_s))
        return "" if model.family == "fm350" else NEVER
    if arguments[:1] not in (["0"], ["1"], ["4"]) or len(arguments) > 2 or arguments[1:] not in ([], ["0"], ["1"]):
        return BAD_PARAMETERS
    if arguments[1:] == ["1"]:
        state.effects.append(Effect("reset", model.drop_s))
        return ""
    before, state.functionality = state.functionality, int(arguments[0])
    if state.functionality == 1 and before != 1:
        if state.radio_lock_waits is not None:
            state.radio, state.radio_lock_waits = replace(state.radio, locks=state.radio_lock_waits), None
            state.see(state.air)
        state.effects.append(Effect("sim" if before == 0 else "retune"))
    elif state.functionality != before:
        state.effects.append(Effect("report"))
    return ""


NETWORK = Table({"AT+COPS?": cops, "AT+COPS=?": scan}, {"AT+COPS=": choose, "AT+CFUN=": functionality})
