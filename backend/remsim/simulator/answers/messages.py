"""Short messages in PDU mode (27.005), and USSD."""

from __future__ import annotations

from collections.abc import Callable

from remsim.simulator.answers.base import Body, Final, Settings, Table, cms, of_sim, of_state
from remsim.simulator.answers.common import charset_of
from remsim.simulator.encode.errors import (
    BAD_PARAMETERS,
    CMS_BAD_INDEX,
    CMS_BAD_PDU,
    CMS_FULL,
    CMS_NO_NETWORK,
    CMS_NO_SIM,
    CMS_PIN_REQUIRED,
    NO_NETWORK,
    NO_SIM,
)
from remsim.simulator.messages import SENT, tpdu_octets
from remsim.simulator.state import Effect, ModemState, number_of

CMS_NOT_SUPPORTED = 303
USSD_S = 2.0
USSD: dict[str, tuple[int, str]] = {
    "*100#": (0, "Your balance is 12.34 EUR."),
    "*101#": (1, "1 Data left\n2 Valid until\n0 Back"),
}
MENU = {"1": (0, "You have 5120 MB left."), "2": (0, "Valid until 31.12."), "0": (1, USSD["*101#"][1])}


def refusal(state: ModemState) -> Final | None:
    """Why the store cannot be had now."""
    error = state.sim_error()
    if error is None:
        return None
    return cms(CMS_NO_SIM if error == NO_SIM else CMS_PIN_REQUIRED)


def stored(answer: Callable[[ModemState, list[str]], Body]) -> Callable[[ModemState, Settings, list[str]], Body]:
    """A command on the store: with a card, and in PDU mode."""

    def command(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
        return refusal(state) or (cms(CMS_NOT_SUPPORTED) if state.message_format else answer(state, arguments))

    return command


def row(index: int | None, status: int, pdu: str) -> str:
    """The two lines of a message."""
    head = f"+CMGL: {index},{status},," if index is not None else f"+CMGR: {status},,"
    return f"{head}{tpdu_octets(pdu)}\r\n{pdu}"


def listing(state: ModemState, arguments: list[str]) -> Body:
    """+CMGL=4 is all, 0 to 3 those of a state."""
    wanted = number_of(arguments[0]) if arguments and arguments[0] else 0
    if wanted is None or not 0 <= wanted <= 4:
        return cms(CMS_BAD_PDU)
    rows = []
    for index in sorted(state.messages.stored):
        if wanted in (4, state.messages.stored[index].status) and (message := state.messages.read(index)):
            rows.append(row(index, message.status, message.pdu))
    return "\r\n".join(rows)


def read(state: ModemState, arguments: list[str]) -> Body:
    """+CMGR=index."""
    message = state.messages.read(number_of(arguments[0]) or 0)
    return cms(CMS_BAD_INDEX) if message is None else row(None, message.status, message.pdu)


def delete(state: ModemState, arguments: list[str]) -> Body:
    """+CMGD=index[,flag]."""
    index, flag = number_of(arguments[0]), number_of(arguments[1]) if len(arguments) > 1 else 0
    if index is None or flag is None or flag > 4 or not state.messages.delete(index, flag):
        return cms(CMS_BAD_INDEX)
    return ""


def send(state: ModemState, arguments: list[str]) -> Body:
    """+CMGS=octets: the PDU follows behind the prompt."""
    octets = number_of(arguments[0])
    if octets is None:
        return cms(CMS_BAD_PDU)

    def sent(pdu: str) -> Body:
        if tpdu_octets(pdu) != octets:
            return cms(CMS_BAD_PDU)
        if not state.registered:
            return cms(CMS_NO_NETWORK)
        state.messages.sent.append(pdu.upper())
        return f"+CMGS: {len(state.messages.sent) % 256}"

    return Final("", prompted=sent)


def write(state: ModemState, arguments: list[str]) -> Body:
    """+CMGW=octets: as +CMGS, into the store."""
    octets = number_of(arguments[0])

    def written(pdu: str) -> Body:
        if octets is None or tpdu_octets(pdu) != octets:
            return cms(CMS_BAD_PDU)
        index = state.messages.add(pdu, SENT)
        return cms(CMS_FULL) if index is None else f"+CMGW: {index}"

    return Final("", prompted=written)


def storage(state: ModemState) -> str:
    """Three stores, all the same one."""
    used, total = len(state.messages.stored), state.messages.capacity
    return ",".join([f'"SM",{used},{total}'] * 3)


def set_storage(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+CPMS="SM"[,"SM","SM"]: the modem's own store is the same one here."""
    if not arguments or any(name not in ("SM", "ME", "MT") for name in arguments):
        return cms(CMS_NOT_SUPPORTED)
    used, total = len(state.messages.stored), state.messages.capacity
    return refusal(state) or "+CPMS: " + ",".join([f"{used},{total}"] * 3)


def set_format(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+CMGF: 0 PDU, 1 text, whose commands this modem does not have."""
    if arguments not in (["0"], ["1"]):
        return cms(CMS_NOT_SUPPORTED)
    state.message_format = int(arguments[0])
    return ""


def set_notification(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+CNMI: with mt = 1 the arrival of a message is told."""
    state.notify = arguments[1:2] == ["1"]
    return ""


def ussd(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+CUSD=1,code[,15]: OK at once, the network's answer later; =2 ends a menu."""
    if arguments[0] == "2":
        state.menu_open = False
        return ""
    if arguments[0] not in ("0", "1"):
        return BAD_PARAMETERS
    if len(arguments) < 2:
        return ""
    error = state.sim_error()
    if error is not None or not state.registered:
        return NO_NETWORK if error is None else error
    code = from_wire(state, arguments[1])
    if code is None:
        return BAD_PARAMETERS
    more, text = MENU.get(code, (2, "")) if state.menu_open else USSD.get(code, (4, ""))
    state.menu_open = more == 1
    line = f'+CUSD: {more},"{to_wire(state, text)}",15' if text else f"+CUSD: {more}"
    state.effects.append(Effect("urc", USSD_S, (line,)))
    return ""


def from_wire(state: ModemState, text: str) -> str | None:
    """A text as AT+CSCS has it."""
    if charset_of(state) != "UCS2":
        return text
    try:
        return bytes.fromhex(text).decode("utf-16-be")
    except ValueError:
        return None


def to_wire(state: ModemState, text: str) -> str:
    """The same the other way."""
    return text.encode("utf-16-be").hex().upper() if charset_of(state) == "UCS2" else text


MESSAGES = Table(
    {
        "AT+CMGF?": of_state(lambda s: f"+CMGF: {s.message_format}"),
        "AT+CPMS?": of_sim(lambda s: f"+CPMS: {storage(s)}"),
        "AT+CPMS=?": of_state(lambda s: '+CPMS: ("SM","ME"),("SM","ME"),("SM","ME")'),
        "AT+CNMI?": of_state(lambda s: f"+CNMI: 2,{int(s.notify)},0,0,0"),
        "AT+CSCA?": of_sim(lambda s: '+CSCA: "+99900000000",145'),
        "AT+CMGL": lambda state, settings: stored(listing)(state, settings, ["0"]),
        "AT+CUSD?": of_state(lambda s: "+CUSD: 1"),
    },
    {
        "AT+CMGF=": set_format,
        "AT+CPMS=": set_storage,
        "AT+CNMI=": set_notification,
        "AT+CMGL=": stored(listing),
        "AT+CMGR=": stored(read),
        "AT+CMGD=": stored(delete),
        "AT+CMGS=": stored(send),
        "AT+CMGW=": stored(write),
        "AT+CUSD=": ussd,
    },
)
