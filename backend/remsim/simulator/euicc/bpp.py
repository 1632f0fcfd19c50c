"""Bound profile packages: the profile, its metadata and SCP03t around them (SGP.22 §2.5.4, §5.5)."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF

from remsim.core import tlv
from remsim.core.small_dataclass import dataclass
from remsim.simulator.euicc.orders import Offer

KEY_TYPE, KEY_LENGTH = 0x88, 0x10
HOST_ID = b"remsimDP"
BLOCK = 16
MAC_OCTETS = 8
LARGEST_PIECE = 1007
"""Octets of a profile in one protected piece, before padding: the piece itself has 1020."""
CLASSES = {"test": 0, "provisioning": 1, "operational": 2}
POLICIES = {"cannot_disable": 0x40, "cannot_delete": 0x20}
ALL_OPERATIONS = bytes.fromhex("04F0")
FILLER_ISSUER = bytes.fromhex("883706")


@dataclass(slots=True)
class Protection:
    """Keys of one direction of SCP03t, and where its chain of MACs and its counter of pieces are."""

    chain: bytes
    encryption_key: bytes
    mac_key: bytes
    counter: int = 0

    @classmethod
    def agreed(cls, secret: bytes, host_id: bytes, eid: str) -> Protection:
        """From a shared secret; X9.63 with SHA-256 (SGP.22 annex G)."""
        octets = bytes.fromhex(eid)
        shared = bytes((KEY_TYPE, KEY_LENGTH, len(host_id))) + host_id + bytes((len(octets),)) + octets
        keys = X963KDF(algorithm=hashes.SHA256(), length=3 * BLOCK, sharedinfo=shared).derive(secret)
        return cls(keys[:BLOCK], keys[BLOCK : 2 * BLOCK], keys[2 * BLOCK :])

    @classmethod
    def random(cls) -> Protection:
        """Keys that a profile has of its own."""
        return cls(os.urandom(BLOCK), os.urandom(BLOCK), os.urandom(BLOCK))

    def encrypted(self, tag: int, data: bytes) -> bytes:
        """A piece whose content nobody reads on the way."""
        self.counter += 1
        number = self.counter.to_bytes(BLOCK)
        cipher = algorithms.AES(self.encryption_key)
        first = Cipher(cipher, modes.ECB()).encryptor().update(number)
        padded = data + b"\x80" + bytes(-(len(data) + 1) % BLOCK)
        return self._sealed(tag, Cipher(cipher, modes.CBC(first)).encryptor().update(padded))

    def signed(self, tag: int, data: bytes) -> bytes:
        """A piece that only cannot be changed on the way; it counts too."""
        self.counter += 1
        return self._sealed(tag, data)

    def _sealed(self, tag: int, data: bytes) -> bytes:
        header = tlv.encode_tag(tag) + tlv.encode_length(len(data) + MAC_OCTETS)
        mac = CMAC(algorithms.AES(self.mac_key))
        mac.update(self.chain + header + data)
        self.chain = mac.finalize()
        return header + data + self.chain[:MAC_OCTETS]


def bound_package(
    secure_channel: bytes, protection: Protection, metadata: bytes, profile: bytes, own_keys: Protection | None
) -> bytes:
    """BF36: the signed BF23, then ConfigureISDP, StoreMetadata and the profile.

    ``own_keys``: the profile was protected before anybody knew the card; the session's keys then only bring those.
    """
    configured = protection.encrypted(0x87, tlv.encode(0xBF24))
    described = b"".join(protection.signed(0x88, piece) for piece in pieces(metadata, LARGEST_PIECE))
    parts = [secure_channel, tlv.encode(0xA0, configured), tlv.encode(0xA1, described)]
    if own_keys is not None:
        keys = (
            tlv.encode(0x80, own_keys.chain)
            + tlv.encode(0x81, own_keys.encryption_key)
            + tlv.encode(0x82, own_keys.mac_key)
        )
        parts.append(tlv.encode(0xA2, protection.encrypted(0x87, tlv.encode(0xBF26, keys))))
        protection = own_keys
    loaded = b"".join(protection.encrypted(0x86, piece) for piece in pieces(profile, LARGEST_PIECE))
    return tlv.encode(0xBF36, *parts, tlv.encode(0xA3, loaded))


def with_wrong_mac(package: bytes, number: int) -> bytes:
    """The same, but for a bit in the MAC of a piece of the profile, from 0; of the last one when there are fewer."""
    offset = len(package) - len(tlv.read_one(package).children()[-1].value)
    for position in range(number + 1):
        _, end = tlv.read(package, offset)
        if position == number or end == len(package):
            spoilt = bytearray(package)
            spoilt[end - 1] ^= 1
            return bytes(spoilt)
        offset = end
    raise AssertionError


def pieces(data: bytes, most: int) -> Iterator[bytes]:
    """Data cut into pieces, the last one what is left."""
    for offset in range(0, len(data), most):
        yield data[offset : offset + most]


def store_metadata(offer: Offer, address: str, iccid: str | None = None) -> bytes:
    """BF25: what the user sees before the download. ``address`` is who wants to be told of what happens to it."""
    policy = 0
    for name in offer.policy:
        policy |= POLICIES[name]
    parts = [
        tlv.encode(0x5A, swapped(iccid or offer.iccid, 20)),
        tlv.encode(0x91, offer.provider.encode()),
        tlv.encode(0x92, offer.name.encode()),
    ]
    if offer.icon is not None:
        parts += [tlv.encode(0x93, b"\x01"), tlv.encode(0x94, offer.icon)]
    parts.append(tlv.encode(0x95, bytes((CLASSES[offer.profile_class],))))
    told = tlv.encode(0x30, tlv.encode(0x80, ALL_OPERATIONS) + tlv.encode(0x81, address.encode()))
    parts.append(tlv.encode(0xB6, told))
    if offer.owner is not None:
        parts.append(tlv.encode(0xB7, tlv.encode(0x80, network(offer.owner))))
    if policy:
        unused = (policy & -policy).bit_length() - 1
        parts.append(tlv.encode(0x99, bytes((unused, policy))))
    return tlv.encode(0xBF25, *parts)


def unprotected_profile(offer: Offer) -> bytes:
    """A profile in the shape of SAIP: header, a USIM with its IMSI, filler to about its size.

    The header has the digits of the ICCID in their order, not swapped as everywhere else.
    """
    imsi = bytes((8,)) + swapped(("9" if len(offer.imsi) % 2 else "1") + offer.imsi, 16)
    header = tlv.encode(
        0xA0,
        tlv.encode(0x80, b"\x02"),
        tlv.encode(0x81, b"\x03"),
        tlv.encode(0x82, offer.profile_type.encode()),
        tlv.encode(0x83, bytes.fromhex(offer.iccid.ljust(20, "F"))),
    )
    usim = tlv.encode(0xB3, tlv.encode(0xA0, b""), tlv.encode(0xA3, tlv.encode(0x83, imsi)))
    end = tlv.encode(0xAA, tlv.encode(0xA0, b""))
    room = offer.size_bytes - len(header) - len(usim) - len(end) - 16
    filler = tlv.encode(0xA9, tlv.encode(0xA0, b"") + tlv.encode(0x81, FILLER_ISSUER) + tlv.encode(0x82, noise(room)))
    return header + usim + filler + end


def noise(count: int) -> bytes:
    """Octets that are always the same and do not pack well."""
    state, made = 1, bytearray()
    while len(made) < count:
        state = zlib.crc32(state.to_bytes(4))
        made += state.to_bytes(4)
    return bytes(made[: max(count, 0)])


def swapped(digits: str, nibbles: int) -> bytes:
    """Digits as cards keep them: nibbles swapped, filled up with F."""
    padded = digits.ljust(nibbles, "F")
    return bytes.fromhex("".join(padded[at + 1] + padded[at] for at in range(0, nibbles, 2)))


def network(owner: str) -> bytes:
    """MCC and MNC in the three octets of TS 24.008 §10.5.1.3."""
    third = owner[5] if len(owner) > 5 else "F"
    return bytes.fromhex(owner[1] + owner[0] + third + owner[2] + owner[4] + owner[3])
