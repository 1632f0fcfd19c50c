"""ESipa in its ASN.1 binding: what an IPA asks an eIM, and what comes back (SGP.32 §5.14, §6.3)."""

from __future__ import annotations

from remsim.core.small_dataclass import dataclass
from remsim.core.tlv import Tlv, TlvError, encode, encode_integer, read_integer, read_one, read_tag

GET_PACKAGE, PROVIDE_RESULT = 0xBF4F, 0xBF50
CARD_PACKAGE, DATA_REQUEST, ACKNOWLEDGEMENTS, DOWNLOAD = 0xBF51, 0xBF52, 0xBF53, 0xBF54
NOTIFICATIONS, ROLLBACK = 0xBF2B, 0xBF58
NO_PACKAGE, UNDEFINED = 1, 127
INVALID_FORMAT, UNKNOWN_PACKAGE = 1, 2
DATA_TAGS = (0xA0, 0x81, 0xA2, 0xBF20, 0xBF22, 0x83, 0x84, 0xA5, 0xA6, 0x87, 0xA8, 0xA9)
"""The members of IpaEuiccData in their order, which strict readers insist on."""
ABILITIES = encode(0xA8, encode(0x80, b"\x07\x80"), encode(0x81, b"\x07\x80"))
"""IpaCapabilities: downloads from servers directly, and asking by HTTPS."""
ERRORS = {2: "it does not know this card", 3: "it says that the EID is not valid", 4: "it misses the EID"}
KINDS = {CARD_PACKAGE: "package", DATA_REQUEST: "data", DOWNLOAD: "download"}
NAMES_EID_SINCE = (1, 1, 0)
"""From this version on a result may carry the card's EID."""


@dataclass(frozen=True, slots=True)
class Package:
    """What an eIM wants done: ``package`` by the card, ``data`` told, ``download`` by us."""

    kind: str
    tlv: Tlv


@dataclass(frozen=True, slots=True)
class DataRequest:
    """What an eIM wants to know, by tags of IpaEuiccData; ``notifications`` chooses some, as a card takes it."""

    tags: tuple[int, ...]
    transaction: bytes | None
    notifications: bytes = b""


@dataclass(frozen=True, slots=True)
class DownloadOrder:
    """``code`` is an activation code, None for the card's default server."""

    code: str | None
    transaction: bytes | None
    is_supported: bool = True


def get_package(eid: str, *, is_changed: bool = False) -> bytes:
    """Asks for the next package; ``is_changed``: what the eIM knows of the card's profiles may not be so any more."""
    return encode(GET_PACKAGE, encode(0x5A, bytes.fromhex(eid)), encode(0x80) if is_changed else b"")


def read_package(answer: bytes) -> Package | int:
    """A package, or the number of an error: ``NO_PACKAGE`` when there is none."""
    outer = read_one(answer)
    if outer.tag != GET_PACKAGE:
        raise TlvError(f"the eIM answered with {outer.tag:X}")
    for one in outer.children():
        if one.tag in KINDS:
            return Package(KINDS[one.tag], one)
        if one.tag in (0x80, 0x81, 0x02):
            return read_integer(one.value)
    raise TlvError("the eIM answers with a package of a kind that is not known")


def provide_result(result: bytes, eid: str | None) -> bytes:
    """What came of a package."""
    return encode(PROVIDE_RESULT, encode(0x5A, bytes.fromhex(eid)) if eid else b"", result)


def result_error(number: int) -> bytes:
    """In the place of a result."""
    return encode(0xA0, encode(0x02, encode_integer(number)))


def read_acknowledged(answer: bytes) -> list[int] | int:
    """Numbers of results that the eIM has, so that the card may forget them; or the number of an error."""
    if not answer:
        return []
    outer = read_one(answer)
    if outer.tag not in (PROVIDE_RESULT, ACKNOWLEDGEMENTS):
        raise TlvError(f"the eIM answered with {outer.tag:X}")
    found = outer if outer.tag == ACKNOWLEDGEMENTS else outer.find(ACKNOWLEDGEMENTS)
    if found is not None:
        return [read_integer(one.value) for one in found.children() if one.tag in (0x80, 0x02)]
    return next((read_integer(one.value) for one in outer.children() if one.tag in (0x02, 0x80, 0x81)), [])


def results_request() -> bytes:
    """ES10b.RetrieveNotificationsList of the results that eIMs have not acknowledged."""
    return encode(NOTIFICATIONS, encode(0xA0, encode(0x82)))


def read_results(answer: bytes) -> list[bytes]:
    """Them, as they are sent. Cards of version 1.0 may put them beside notifications (A3)."""
    outer = read_one(answer)
    found = outer.find(0xA2) or outer.find(0xA3, 0xA1)
    return [] if found is None else [one.encode() for one in found.children() if one.tag == CARD_PACKAGE]


def eim_of(result: bytes) -> str | None:
    """For which eIM a result is: signed ones say it inside, unsigned ones at once."""
    for arm in read_one(result).children():
        found = arm.find(0x30, 0x80) or arm.find(0x80)
        if found is not None:
            return found.value.decode("utf-8", "replace")
    return None


def read_data_request(tlv: Tlv) -> DataRequest:
    """BF52."""
    listed, chosen, transaction = tlv.find(0x5C), tlv.find(0xA1), tlv.find(0x83)
    return DataRequest(
        tags_of(b"" if listed is None else listed.value),
        None if transaction is None else transaction.value,
        b"" if chosen is None else chosen.value,
    )


def tags_of(octets: bytes) -> tuple[int, ...]:
    """A list of tags, one behind the other."""
    found, at = [], 0
    while at < len(octets):
        tag, at = read_tag(octets, at)
        found.append(tag)
    return tuple(found)


def data_response(request: DataRequest, known: dict[int, bytes]) -> bytes:
    """What is asked for and known, each an object as it is."""
    given = known if request.transaction is None else known | {0x87: encode(0x87, request.transaction)}
    is_wanted = {tag: not request.tags or tag in request.tags or tag == 0x87 for tag in DATA_TAGS}
    return encode(DATA_REQUEST, encode(0xA0, *(given[tag] for tag in DATA_TAGS if is_wanted[tag] and tag in given)))


def read_download(tlv: Tlv) -> DownloadOrder:
    """BF54. What names an SM-DS is not done for an eIM."""
    transaction = tlv.find(0x82)
    said = tlv.find(0xA0)
    own = None if transaction is None else transaction.value
    if said is None:
        return DownloadOrder(None, own)
    for one in said.children():
        if one.tag == 0x80:
            return DownloadOrder(one.value.decode("utf-8", "replace"), own)
        if one.tag == 0x81:
            return DownloadOrder(None, own)
    return DownloadOrder(None, own, is_supported=False)


def download_result(order: DownloadOrder, installed: bytes | None) -> bytes:
    """BF54: the card's signed result (BF37), or that there is none."""
    transaction = b"" if order.transaction is None else encode(0x82, order.transaction)
    failed = encode(0x30, encode(0x80, encode_integer(UNDEFINED)))
    return encode(DOWNLOAD, transaction, installed or failed)


def roll_back() -> bytes:
    """ES10b.ProfileRollback, with a refresh."""
    return encode(ROLLBACK, encode(0x80, b"\xff"))


def read_rolled_back(answer: bytes) -> tuple[bool, bytes | None]:
    """Whether the card went back, and the result that replaces the one which could not be brought."""
    try:
        children = read_one(answer).children()
        result = next((one.encode() for one in children if one.tag == CARD_PACKAGE), None)
        return any(one.tag in (0x02, 0x80) and read_integer(one.value) == 0 for one in children), result
    except TlvError:
        return False, None
