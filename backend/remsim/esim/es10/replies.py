"""Answers of an eUICC (SGP.22 §5.7): one function each, that gives what the octets say or raises ``Refused``.

``TlvError`` for what is no answer to the request.
"""

from __future__ import annotations

from remsim.core.tlv import Tlv, TlvError, read, read_integer, read_one
from remsim.esim.errors import EsimError
from remsim.esim.es10 import codes, requests
from remsim.esim.es10.info import (
    Addresses,
    EuiccInfo1,
    EuiccInfo2,
    Rule,
    read_addresses,
    read_info1,
    read_info2,
    read_rule,
)
from remsim.esim.es10.notifications import (
    INSTALLED,
    METADATA,
    OTHER,
    InstallResult,
    Notification,
    read_install_result,
    read_metadata,
    read_pending,
)
from remsim.esim.es10.profiles import MOST_PROFILES, Profile, read_profile
from remsim.esim.ids import EID_OCTETS, read_eid

Table = dict[int, tuple[str, str]]
MOST_NOTIFICATIONS = 1024
STATUS_OCTETS = 2
NO_RESULT = 1
CODE_TAGS = (0x80, 0x81, 0x02)
"""Where cards put the number of an error."""


class Refused(EsimError):
    """The card answers with an error; ``number`` and ``name`` are SGP.22's."""

    code = "euicc_refused"

    def __init__(self, number: int, table: Table) -> None:
        name = codes.name_of(table, number)
        super().__init__(codes.text_of(table, number), detail=f"{name} ({number})")
        self.number = number
        self.name = name


def answer(data: bytes, tag: int) -> Tlv:
    """The one object of an answer."""
    tlv = read_one(data)
    if tlv.tag != tag:
        raise TlvError(f"the card answered with {tlv.tag:X}, not with {tag:X}")
    return tlv


def result(data: bytes, tag: int, table: Table) -> None:
    """An answer that is a number only: 0 is yes."""
    inside = {one.tag: one.value for one in answer(data, tag).children()}
    value = next((inside[one] for one in CODE_TAGS if one in inside), None)
    if value is None:
        raise TlvError("the answer has no result")
    number = read_integer(value)
    if number:
        raise Refused(number, table)


def configured_addresses(data: bytes) -> Addresses:
    """ES10a.GetEuiccConfiguredAddresses."""
    return read_addresses(answer(data, requests.CONFIGURED_ADDRESSES))


def eid(data: bytes) -> str:
    """ES10c.GetEID: 32 digits."""
    found = answer(data, requests.EID).find(requests.ICCID)
    if found is None or len(found.value) != EID_OCTETS:
        raise TlvError("the card tells no EID")
    return read_eid(found.value)


def challenge(data: bytes) -> bytes:
    """ES10b.GetEUICCChallenge."""
    found = answer(data, requests.CHALLENGE).find(0x80)
    if found is None:
        raise TlvError("the card gives no challenge")
    return found.value


def info1(data: bytes) -> EuiccInfo1:
    """ES10b.GetEUICCInfo, the short one."""
    return read_info1(answer(data, requests.INFO1))


def info2(data: bytes) -> EuiccInfo2:
    """ES10b.GetEUICCInfo, the long one."""
    return read_info2(answer(data, requests.INFO2))


def profiles(data: bytes) -> list[Profile]:
    """ES10c.GetProfilesInfo."""
    found = listed(data, requests.PROFILES, codes.LIST)
    return [read_profile(one.children()) for one in found[:MOST_PROFILES] if one.tag == 0xE3]


def notifications(data: bytes) -> list[Notification]:
    """ES10b.ListNotification, in the card's order."""
    found = listed(data, requests.LIST_NOTIFICATION, codes.PLAIN)
    return [read_metadata(one) for one in found[:MOST_NOTIFICATIONS] if one.tag == METADATA]


def pending(data: bytes) -> list[Notification]:
    """ES10b.RetrieveNotificationsList, each with what its operator is sent; that there is none is no error."""
    try:
        return retrieved(data)
    except Refused as refused:
        if refused.number == NO_RESULT:
            return []
        raise


def retrieved(data: bytes) -> list[Notification]:
    """The same, in the card's words: ``Refused`` when there is none."""
    found = listed(data, requests.RETRIEVE_NOTIFICATIONS, codes.RETRIEVE)
    return [read_pending(one) for one in found[:MOST_NOTIFICATIONS] if one.tag in (INSTALLED, OTHER)]


def rules(data: bytes) -> list[Rule]:
    """ES10b.GetRAT."""
    found = answer(data, requests.RAT).find(0xA0)
    return [] if found is None else [read_rule(one) for one in found.children() if one.tag == 0x30]


def listed(data: bytes, tag: int, table: Table) -> tuple[Tlv, ...]:
    """The members of a list (A0), or the error in its place, with an arm of its own (A1) or without."""
    outer = answer(data, tag)
    found = outer.find(0xA0)
    if found is not None:
        return found.children()
    children = (outer.find(0xA1) or outer).children()
    for one in children:
        if one.tag in CODE_TAGS:
            raise Refused(read_integer(one.value), table)
    if not children:
        return ()
    raise TlvError("the answer is neither a list nor an error")


def authenticated(data: bytes) -> bytes:
    """ES10b.AuthenticateServer: the whole answer, which goes to the server; ``Refused`` when it is an error."""
    return accepted(data, requests.AUTHENTICATE_SERVER, codes.AUTHENTICATE)


def prepared(data: bytes) -> bytes:
    """ES10b.PrepareDownload."""
    return accepted(data, requests.PREPARE_DOWNLOAD, codes.PREPARE)


def cancelled(data: bytes) -> bytes:
    """ES10b.CancelSession."""
    return accepted(data, requests.CANCEL_SESSION, codes.CANCEL)


def accepted(data: bytes, tag: int, table: Table) -> bytes:
    """An answer that is passed on as it is; its error arm raises."""
    outer = answer(data, tag)
    if outer.find(0xA0) is not None:
        return data
    failure = outer.find(0xA1) or outer
    numbers = [one for one in failure.children() if one.tag in ((0x02, 0x81) if failure.tag == 0xA1 else CODE_TAGS)]
    if not numbers:
        raise TlvError("the answer says neither yes nor why not")
    raise Refused(read_integer(numbers[-1].value), table)


def installed(data: bytes) -> InstallResult:
    """What a load ended with."""
    return read_install_result(read_one(data))


def whole(data: bytes) -> bytes:
    """An answer without the status word that recordings carry behind it."""
    try:
        _, end = read(data)
    except TlvError:
        return data
    return data[:end] if len(data) - end == STATUS_OCTETS else data
