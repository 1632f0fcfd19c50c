"""A virtual eUICC on a bench, and the server's side of a session by hand: each message may be wrong on purpose."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from remsim.core import tlv
from remsim.simulator.euicc import pki
from remsim.simulator.euicc.bpp import Protection, bound_package
from remsim.simulator.euicc.card import ISDR_AID, VirtualEuicc
from remsim.simulator.euicc.credentials import make
from remsim.simulator.euicc.profiles import EVENTS, CardProfile, iccid_octets

ADDRESS = "testsmdpplus1.example.com"
OID = "2.999.10"
HOST_ID = b"mahlzeit"
DEVICE = bytes.fromhex("A108800435290611A100")
NEW_ICCID = "8949449999999990007"
CI = pki.make_ci()
SMDP = pki.make_smdp(CI, ADDRESS, OID)


def profile(number: int, **more: Any) -> CardProfile:
    """One of the card's own, whose operator wants to hear everything."""
    told = [(frozenset(EVENTS), f"op{number}.example.com")]
    return CardProfile(
        f"890000000000000000{number}", f"Provider {number}", f"Profile {number}", **{"notify": told, **more}
    )


class Bench:
    """A card with an open channel; ``ask`` does what an LPA does for a request."""

    def __init__(self, profiles: Iterable[CardProfile] = (), *, block_size: int = 120, **options: Any) -> None:
        self.card = VirtualEuicc(make(CI), profiles, **options)
        self.block_size = block_size
        self.status = 0
        self.channel = self.card.open(ISDR_AID)
        self.transaction = os.urandom(16)
        self.challenge = b""
        self.signature1 = b""
        self.one_time_point = b""

    def ask(self, request: bytes | str) -> bytes:
        """The whole answer; ``status`` is the last status."""
        octets = bytes.fromhex(request) if isinstance(request, str) else request
        blocks = [octets[at : at + self.block_size] for at in range(0, len(octets), self.block_size)]
        found = b""
        for number, block in enumerate(blocks):
            last = 0x91 if number == len(blocks) - 1 else 0x11
            found = self._send(bytes((0x80, 0xE2, last, number, len(block))) + block)
            if self.status not in (0x9000, 0x910B):
                return found
        return found

    def hex(self, request: str) -> str:
        """The same in hex."""
        return self.ask(request).hex().upper()

    def _send(self, apdu: bytes) -> bytes:
        found = b""
        answer = self.card.transmit(bytes((apdu[0] | self.channel,)) + apdu[1:])
        while answer[-2] == 0x61:
            found += answer[:-2]
            answer = self.card.transmit(bytes((0x80 | self.channel, 0xC0, 0, 0, answer[-1])))
        self.status = int.from_bytes(answer[-2:])
        return found + answer[:-2]

    def start(self) -> None:
        """A challenge."""
        self.challenge = tlv.read_one(self.ask("BF2E00")).children()[0].value

    def server_signed(self, **other: bytes) -> bytes:
        """serverSigned1; name what is to be other than right."""
        return tlv.encode(
            0x30,
            tlv.encode(0x80, other.get("transaction", self.transaction)),
            tlv.encode(0x81, other.get("challenge", self.challenge)),
            tlv.encode(0x83, ADDRESS.encode()),
            tlv.encode(0x84, bytes(16)),
        )

    def authenticate(self, **other: Any) -> tlv.Tlv:
        """AuthenticateServer."""
        identity = other.get("identity", SMDP.auth)
        signed = self.server_signed(**{name: value for name, value in other.items() if name in SIGNED})
        signature = tlv.encode(0x5F37, other.get("signature") or identity.sign(signed))
        root = tlv.encode(0x04, other.get("root", pki.key_id(CI.certificate)))
        context = tlv.encode(0xA0, tlv.encode(0x80, b"CODE"), DEVICE)
        answer = self.ask(tlv.encode(0xBF38, signed, signature, root, other.get("der", identity.der), context))
        found = tlv.read_one(answer)
        if (arm := found.find(0xA0)) is not None:
            self.signature1 = arm.children()[1].encode()
        return found

    def prepare(self, **other: Any) -> tlv.Tlv:
        """PrepareDownload."""
        identity = other.get("identity", SMDP.binding)
        bound = tlv.encode(0x5F49, other["bound"]) if "bound" in other else b""
        signed = tlv.encode(
            0x30, tlv.encode(0x80, other.get("transaction", self.transaction)), tlv.encode(0x01, b"\0"), bound
        )
        signature = tlv.encode(0x5F37, other.get("signature") or identity.sign(signed + self.signature1))
        code = tlv.encode(0x04, other["code"]) if "code" in other else b""
        found = tlv.read_one(self.ask(tlv.encode(0xBF21, signed, signature, code, identity.der)))
        if (point := found.find(0xA0, 0x30, 0x5F49)) is not None:
            self.one_time_point = point.value
        return found

    def ready(self) -> None:
        """All up to where a package is due."""
        self.start()
        self.authenticate()
        self.prepare()

    def package(self, metadata: bytes = b"", package: bytes = b"\x01" * 3000, **other: Any) -> bytes:
        """A bound profile package for the session."""
        own = other.get("key") or ec.generate_private_key(pki.CURVE)
        point = pki.point_of(own)
        parts = (
            tlv.encode(0x82, other.get("operation", b"\x01")),
            tlv.encode(0x80, other.get("transaction", self.transaction)),
            other.get("crt") or tlv.encode(0xA6, b"\x80\x01\x88\x81\x01\x10" + tlv.encode(0x84, HOST_ID)),
            tlv.encode(0x5F49, other.get("point", point)),
        )
        binding = SMDP.binding
        assert binding is not None
        signature = other.get("signature") or binding.sign(b"".join(parts) + tlv.encode(0x5F49, self.one_time_point))
        secret = pki.shared_secret(own, self.one_time_point)
        protection = Protection.agreed(secret, HOST_ID, self.card.eid)
        channel = tlv.encode(0xBF23, *parts, tlv.encode(0x5F37, signature))
        keys = Protection(b"\1" * 16, b"\2" * 16, b"\3" * 16) if other.get("replaces_keys") else None
        return bound_package(channel, protection, metadata or described(), package, keys)

    def load(self, package: bytes) -> bytes:
        """Segment by segment; the result, or nothing."""
        for segment in segments(package):
            answer = self.ask(segment)
            if answer or self.status != 0x9000:
                return answer
        return b""

    def install(self, metadata: bytes = b"", package: bytes = b"\x01" * 3000) -> tlv.Tlv:
        """A whole download; BF37."""
        self.transaction = os.urandom(16)
        self.ready()
        return tlv.read_one(self.load(self.package(metadata, package)))


SIGNED = ("transaction", "challenge")


def described(iccid: str = NEW_ICCID, **more: bytes) -> bytes:
    """StoreMetadata."""
    told = tlv.encode(0x30, bytes.fromhex("800204F0"), tlv.encode(0x81, ADDRESS.encode()))
    return tlv.encode(
        0xBF25,
        tlv.encode(0x5A, iccid_octets(iccid)),
        tlv.encode(0x91, b"OsmocomSPN"),
        tlv.encode(0x92, b"TS48"),
        tlv.encode(0x95, more.get("kind", b"\x02")),
        tlv.encode(0xB6, told),
        more.get("policy", b""),
    )


def segments(package: bytes) -> list[bytes]:
    """As SGP.22 2.5.5 wants a package cut."""
    outer = tlv.read_one(package)
    channel, *rest = outer.children()
    head = package[: len(package) - len(outer.value)]
    found = [head + channel.encode()]
    for container in rest:
        start = tlv.encode_tag(container.tag) + tlv.encode_length(len(container.value))
        pieces = [piece.encode() for piece in container.children()]
        if container.tag in (0xA0, 0xA2):
            pieces[0] = start + pieces[0]
        else:
            pieces.insert(0, start)
        found += pieces
    return found


def reason(result: tlv.Tlv) -> tuple[int, int] | None:
    """Command and reason of an installation that failed; None of one that did not."""
    failed = result.find(0xBF27, 0xA2, 0xA1)
    if failed is None:
        return None
    command, why = failed.children()[:2]
    return tlv.read_integer(command.value), tlv.read_integer(why.value)


def code_of(answer: tlv.Tlv) -> int:
    """The error of AuthenticateServer or PrepareDownload."""
    found = answer.find(0xA1, 0x02)
    assert found is not None
    return tlv.read_integer(found.value)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
