"""Packet data: contexts, their users, their addresses."""

from __future__ import annotations

from remsim.simulator.answers.base import Body, Settings, Table, of_state
from remsim.simulator.encode.errors import BAD_PARAMETERS, NO_NETWORK
from remsim.simulator.state import ModemState, number_of

TYPES = ("IP", "IPV6", "IPV4V6")
LONGEST_APN = 100
MOST_CONTEXTS = 16


def contexts(state: ModemState) -> str:
    """+CGDCONT?: a line a context."""
    return "\r\n".join(
        f'+CGDCONT: {cid},"{kind}","{apn}","0.0.0.0",0,0' for cid, (kind, apn) in sorted(state.contexts.items())
    )


def define(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+CGDCONT=cid[,type[,apn]]: without a type the context is deleted."""
    cid = number_of(arguments[0])
    if cid is None or not 1 <= cid <= MOST_CONTEXTS:
        return BAD_PARAMETERS
    if len(arguments) == 1:
        state.contexts.pop(cid, None)
        return ""
    kind, apn = arguments[1].upper(), arguments[2] if len(arguments) > 2 else ""
    if kind not in TYPES or len(apn) > LONGEST_APN:
        return BAD_PARAMETERS
    state.contexts[cid] = (kind, apn)
    return ""


def activate(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+CGACT=1,cid and =0,cid."""
    cid = number_of(arguments[1]) if len(arguments) > 1 else 1
    if arguments[0] not in ("0", "1") or cid not in state.contexts or cid is None:
        return BAD_PARAMETERS
    if arguments[0] == "0":
        state.active.discard(cid)
        return ""
    if not state.registered:
        return NO_NETWORK
    state.active.add(cid)
    return ""


def authenticate(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+CGAUTH=cid,protocol[,user,password]: 0 none, 1 PAP, 2 CHAP."""
    cid = number_of(arguments[0])
    if cid not in state.contexts or cid is None or arguments[1:2] not in (["0"], ["1"], ["2"]):
        return BAD_PARAMETERS
    user, password = (arguments[2:4] + ["", ""])[:2]
    state.users[cid] = (int(arguments[1]), user, password)
    return ""


def attach(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+CGATT=1 and =0."""
    if arguments not in (["0"], ["1"]):
        return BAD_PARAMETERS
    (state.active.update if arguments == ["1"] else state.active.difference_update)({1})
    return ""


def address(state: ModemState, cid: int = 1) -> str:
    """An address from the blocks for documentation while data may flow, of the kinds the context allows."""
    kind = state.contexts.get(cid, ("IP", ""))[0]
    if not state.registered or cid not in state.active or cid not in state.contexts:
        return f'+CGPADDR: {cid},"0.0.0.0"'
    v4 = [f'"192.0.2.{state.number}"'] if kind != "IPV6" else []
    v6 = [f'"2001:0db8:0000:0000:0000:0000:0000:{state.number:04x}"'] if kind == "IPV6" else []
    return f"+CGPADDR: {cid}," + ",".join(v4 + v6)


def addresses(state: ModemState) -> str:
    """+CGPADDR: all contexts."""
    return "\r\n".join(address(state, cid) for cid in sorted(state.contexts))


def address_of(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+CGPADDR=cid."""
    cid = number_of(arguments[0])
    return address(state, cid) if cid in state.contexts and cid is not None else BAD_PARAMETERS


def dynamic(state: ModemState, cid: int) -> str:
    """+CGCONTRDP of one context in use."""
    apn = state.contexts[cid][1]
    return f'+CGCONTRDP: {cid},5,"{apn}","192.0.2.{state.number}.255.255.255.0","192.0.2.254","192.0.2.53","192.0.2.54"'


def dynamic_of(state: ModemState, settings: Settings, arguments: list[str]) -> Body:
    """+CGCONTRDP=cid; nothing while it is not in use."""
    cid = number_of(arguments[0])
    if cid not in state.contexts or cid is None:
        return BAD_PARAMETERS
    return dynamic(state, cid) if cid in state.active and state.registered else ""


def active(state: ModemState) -> str:
    """+CGACT?: a line a context."""
    return "\r\n".join(
        f"+CGACT: {cid},{int(cid in state.active and state.registered)}" for cid in sorted(state.contexts)
    )


def users(state: ModemState) -> str:
    """+CGAUTH?: no passwords, as most firmware."""
    rows = ((cid, state.users.get(cid, (0, "", ""))) for cid in sorted(state.contexts))
    return "\r\n".join(f'+CGAUTH: {cid},{kind}' + (f',"{user}"' if kind else "") for cid, (kind, user, _) in rows)


DATA = Table(
    {
        "AT+CGATT?": of_state(lambda s: f"+CGATT: {int(s.registered and 1 in s.active)}"),
        "AT+CGACT?": of_state(active),
        "AT+CGDCONT?": of_state(contexts),
        "AT+CGAUTH?": of_state(users),
        "AT+CGPADDR": of_state(addresses),
        "AT+CGCONTRDP": of_state(
            lambda s: "\r\n".join(dynamic(s, cid) for cid in sorted(s.active & set(s.contexts)) if s.registered)
        ),
    },
    {
        "AT+CGDCONT=": define,
        "AT+CGACT=": activate,
        "AT+CGAUTH=": authenticate,
        "AT+CGATT=": attach,
        "AT+CGPADDR=": address_of,
        "AT+CGCONTRDP=": dynamic_of,
    },
)
