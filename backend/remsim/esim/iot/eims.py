"""EimConfigurationData: who manages a card from afar, and how a first one is made known to it (SGP.32 §2.11.1)."""

from __future__ import annotations

import binascii
from base64 import b64decode
from typing import Any

from remsim.core.errors import InvalidInput
from remsim.core.small_dataclass import dataclass
from remsim.core.tlv import Tlv, TlvError, encode, read_all, read_integer, read_one
from remsim.esim.certificate import read_certificate
from remsim.esim.errors import EsimError
from remsim.esim.es10.profiles import read_bits

ADD_INITIAL, CONFIGURATION = 0xBF57, 0xBF55
LONGEST_BLOB = 16_384
PROTOCOLS = ("HTTPS by retrieval", "CoAPs by retrieval", "HTTPS by injection", "CoAPs by injection", "proprietary")
ID_TYPES = {1: "oid", 2: "fqdn", 3: "proprietary"}
CERTIFICATE, KEY = "certificate", "key"
REFUSALS = {
    1: ("the card has no room for another eIM", "remove one by an eIM that is there"),
    2: ("the card has an eIM already, and takes a further one from that only", "ask who runs it to add yours"),
    3: ("the card does not know the authority of the eIM's certificate", "ask the eIM's operator for another one"),
    5: ("the card does not take the association token", "ask the eIM's operator for another file"),
    6: ("the counter in the file is out of range", "ask the eIM's operator for another file"),
    7: ("the card does not understand the file", "ask the eIM's operator for another file"),
}


@dataclass(frozen=True, slots=True)
class TlsKey:
    """What an eIM's server has to show: ``certificate`` (its own, or one that issued it) or ``key``; in DER."""

    kind: str
    der: bytes


@dataclass(frozen=True, slots=True)
class Eim:
    """One eIM as the card knows it. ``token`` is part of what it signs: not for pages."""

    id: str
    fqdn: str | None = None
    id_type: str | None = None
    counter: int | None = None
    token: bytes | None = None
    has_key: bool = False
    tls: TlsKey | None = None
    protocols: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """Where it is asked; its id where that is its name in the network."""
        return self.fqdn or self.id

    def as_dict(self) -> dict[str, Any]:
        """For the page."""
        return {
            "id": self.id,
            "fqdn": self.fqdn,
            "id_type": self.id_type,
            "counter": self.counter,
            "has_token": self.token is not None,
            "has_key": self.has_key,
            "tls": None if self.tls is None else self.tls.kind,
            "protocols": list(self.protocols),
        }


def read_eims(raw: bytes) -> list[Eim]:
    """The answer to GetEimConfigurationData."""
    outer = read_one(raw)
    listed = outer.find(0xA0)
    if outer.tag != CONFIGURATION or listed is None:
        raise TlvError("this is no eIM configuration data")
    return [read_eim(one) for one in listed.children() if one.tag == 0x30]


def read_eim(tlv: Tlv) -> Eim:
    """One EimConfigurationData."""
    fields = {one.tag: one for one in tlv.children()}
    if 0x80 not in fields or not fields[0x80].value:
        raise TlvError("an eIM has no id")
    protocols = read_bits(fields[0x87].value) if 0x87 in fields else frozenset()
    number = number_in(fields, 0x82)
    return Eim(
        text(fields[0x80]) or "",
        text(fields.get(0x81)),
        None if number is None else ID_TYPES.get(number, str(number)),
        number_in(fields, 0x83),
        fields[0x84].value if 0x84 in fields else None,
        0xA5 in fields,
        tls_key(fields[0xA6]) if 0xA6 in fields else None,
        tuple(name for bit, name in enumerate(PROTOCOLS) if bit in protocols),
    )


def tls_key(tlv: Tlv) -> TlsKey:
    """A key or a certificate. Which of them is said by its tag (A0, A1), or seen where it kept its own (30)."""
    chosen = tlv.children()
    if len(chosen) != 1:
        raise TlvError("an eIM has not one key for TLS")
    der = encode(0x30, chosen[0].value)
    if chosen[0].tag == 0xA0:
        return TlsKey(KEY, der)
    if chosen[0].tag == 0xA1:
        return TlsKey(CERTIFICATE, der)
    try:
        read_certificate(der)
    except TlvError:
        return TlsKey(KEY, der)
    return TlsKey(CERTIFICATE, der)


def add_request(blob: str) -> bytes:
    """AddInitialEim of a file in hex or base64: the whole request, its list, or one eIM. ``InvalidInput`` else."""
    data = octets(blob)
    try:
        objects = list(read_all(data))
        if len(objects) == 1 and objects[0].tag == ADD_INITIAL:
            request, listed = data, objects[0].find(0xA0)
        elif len(objects) == 1 and objects[0].tag == 0xA0:
            request, listed = encode(ADD_INITIAL, data), objects[0]
        else:
            listed = Tlv(0xA0, data)
            request = encode(ADD_INITIAL, listed.encode())
        eims = [read_eim(one) for one in listed.children()] if listed is not None else []
    except TlvError as error:
        raise InvalidInput(f"this is no eIM configuration data: {error.message}", field="blob") from error
    if not eims:
        raise InvalidInput("there is no eIM in this file", field="blob")
    return request


def octets(blob: str) -> bytes:
    """Octets in hex or base64."""
    packed = "".join(blob.split())
    if len(packed) > LONGEST_BLOB:
        raise InvalidInput("the file is too long for eIM configuration data", field="blob")
    try:
        return bytes.fromhex(packed)
    except ValueError:
        pass
    try:
        return b64decode(packed, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput("give the file in hex or base64", field="blob") from error


def check_added(answer: bytes) -> None:
    """The card's word on AddInitialEim; ``EsimError`` when it is no."""
    outer = read_one(answer)
    if outer.tag != ADD_INITIAL:
        raise TlvError("this is no answer to AddInitialEim")
    if outer.find(0xA0) is not None:
        return
    number = next((read_integer(one.value) for one in outer.children() if one.tag in (0x80, 0x81, 0x02)), 127)
    sentence, hint = REFUSALS.get(number, ("the card does not take the eIM", "ask the eIM's operator for another file"))
    raise EsimError(f"{sentence} ({number})", detail=str(number), hint=hint, code="eim_refused")


def number_in(fields: dict[int, Tlv], tag: int) -> int | None:
    """A number that may be there."""
    return read_integer(fields[tag].value) if tag in fields else None


def text(tlv: Tlv | None) -> str | None:
    """A text that may be there."""
    return None if tlv is None else tlv.value.decode("utf-8", "replace").strip() or None
