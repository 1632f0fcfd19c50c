"""The SIM: PIN, PUK, tries left, and the lock, in 27.007's commands and each vendor's for the tries."""

from __future__ import annotations

from remsim.simulator.answers.base import Body, Settings, Table, of_sim, of_state
from remsim.simulator.card import PIN_TRIES, PUK_TRIES
from remsim.simulator.encode.errors import BAD_PARAMETERS, NO_SIM
from remsim.simulator.state import Effect, ModemState


def cpin(state: ModemState) -> Body:
    """+CPIN?; only MediaTek says that its eUICC has no profile, to the others there is no SIM."""
    card = state.card
    if card is not None and card.is_empty_euicc and state.functionality and state.model.family == "fm350":
        return "+CPIN: EMPTY_EUICC"
    error = state.sim_error(open_needed=False)
    return error if error is not None or card is None else f"+CPIN: {card.status}"


def enter(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+CPIN="1234", or +CPIN="PUK","1234"."""
    error = state.sim_error(open_needed=False)
    if error is not None or state.card is None:
        return error or NO_SIM
    if not 1 <= len(arguments) <= 2:
        return BAD_PARAMETERS
    refused = state.card.enter(arguments[0], arguments[1] if len(arguments) == 2 else None)
    if refused is None:
        state.effects.append(Effect("opened"))
    return "" if refused is None else refused


def lock(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+CLCK="SC",2 asks, 1 and 0 with the PIN set."""
    error = state.sim_error(open_needed=False)
    if error is not None or state.card is None:
        return error or NO_SIM
    if arguments[:1] != ["SC"] or len(arguments) < 2 or arguments[1] not in ("0", "1", "2"):
        return BAD_PARAMETERS
    if arguments[1] == "2":
        return f"+CLCK: {int(state.card.is_locked)}"
    if len(arguments) < 3:
        return BAD_PARAMETERS
    refused = state.card.lock(arguments[1] == "1", arguments[2])
    return "" if refused is None else refused


def change(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+CPWD="SC",old,new."""
    error = state.sim_error(open_needed=False)
    if error is not None or state.card is None:
        return error or NO_SIM
    if len(arguments) != 3 or arguments[0] != "SC":
        return BAD_PARAMETERS
    refused = state.card.change(arguments[1], arguments[2])
    return "" if refused is None else refused


def tries(state: ModemState) -> tuple[int, int]:
    """Of the PIN and the PUK."""
    return (state.card.pin_tries, state.card.puk_tries) if state.card else (0, 0)


def cpinr(state: ModemState) -> str:
    """+CPINR: a line a password, with the tries there are at most."""
    pin, puk = tries(state)
    first = f"+CPINR: SIM PIN,{pin},{PIN_TRIES}\r\n+CPINR: SIM PUK,{puk},{PUK_TRIES}"
    return f"{first}\r\n+CPINR: SIM PIN2,{PIN_TRIES},{PIN_TRIES}\r\n+CPINR: SIM PUK2,{PUK_TRIES},{PUK_TRIES}"


def qpinc(state: ModemState) -> str:
    """Quectel: SIM PIN and PIN2, PIN then PUK."""
    return '+QPINC: "SC",{},{}\r\n+QPINC: "P2",3,10'.format(*tries(state))


def spic(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """Thales: the tries of the password +CPIN? asks for, or of a named one: "SC" with 0 PIN, 1 PUK."""
    if state.card is None:
        return NO_SIM
    if arguments[:1] != ["SC"] or arguments[1:] not in ([], ["0"], ["1"]):
        return BAD_PARAMETERS
    return f"^SPIC: {tries(state)[arguments[1:] == ['1']]}"


SIM = Table(
    {"AT+CPIN?": of_state(cpin), "AT+CPINR": of_sim(cpinr)},
    {"AT+CPIN=": enter, "AT+CLCK=": lock, "AT+CPWD=": change},
)
QUECTEL_SIM = Table({"AT+QPINC?": of_sim(qpinc)})
SIERRA_SIM = Table({"AT+CPINC?": of_sim(lambda s: "+CPINC: {},3,{},10".format(*tries(s)))})
THALES_SIM = Table(
    {"AT^SPIC": of_state(lambda s: NO_SIM if s.card is None else f"^SPIC: {tries(s)[s.card.status == 'SIM PUK']}")},
    {"AT^SPIC=": spic},
)
