"""ESipa in its ASN.1 binding: what an IPA asks an eIM, and what comes back (SGP.32 §5.14, §6.3)."""

from __future__ import annotations

from dataclasses import dataclass

from remsim.core.tlv import Tlv, TlvError, encode, encode_integer, read_all, read_integer, read_one, read_tag

GET_PACKAGE, PROVIDE_RESULT = 0xBF4F, 0xBF50
CARD_PACKAGE, DATA_REQUEST, ACKNOWLEDGEMENTS, DOWNLOAD = 0xBF51, 0xBF52, 0xBF53, 0xBF54
ROLLBACK = 0xBF58
NO_PACKAGE, UNDEFINED = 1, 127
UNKNOWN_PACKAGE = 2
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
    """What an eIM wants to know, by tags of IpaEuiccData."""

    tags: tuple[int, ...]
    transaction: bytes | None


@dataclass(frozen=True, slots=True)
class DownloadOrder:
    """``code`` is an activation code, None for the card's default server."""

    code: str | None
    transaction: bytes | None
    is_supported: bool = True


def get_package(eid: str) -> bytes:
    """Asks for the next package."""
    return encode(GET_PACKAGE, encode(0x5A, bytes.fromhex(eid)))


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


def read_acknowledged(answer: bytes) -> list[int]:
    """Numbers of results that the eIM has, so that the card may forget them."""
    if not answer:
        return []
    outer = read_one(answer)
    found = outer if outer.tag == ACKNOWLEDGEMENTS else outer.find(ACKNOWLEDGEMENTS)
    return [] if found is None else [read_integer(one.value) for one in found.children() if one.tag in (0x80, 0x02)]


def read_data_request(tlv: Tlv) -> DataRequest:
    """BF52."""
    listed, transaction = tlv.find(0x5C), tlv.find(0x83)
    return DataRequest(
        tags_of(b"" if listed is None else listed.value), None if transaction is None else transaction.value
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
    wanted = (known[tag] for tag in sorted(known) if not request.tags or tag in request.tags)
    transaction = b"" if request.transaction is None else encode(0x87, request.transaction)
    return encode(DATA_REQUEST, encode(0xA0, *wanted, transaction))


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
    return encode(ROLLBACK, encode(0x81, b"\xff"))


def is_well(answer: bytes) -> bool:
    """Whether an answer of one number is 0."""
    try:
        children = list(read_all(read_one(answer).value))
        return any(one.tag in (0x02, 0x80) and read_integer(one.value) == 0 for one in children)
    except TlvError:
        return False
