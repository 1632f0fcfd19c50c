"""SCP03t as the card has it: session keys, and protected pieces of a package checked and deciphered (SGP.22 2.6.4)."""

from __future__ import annotations

from cryptography.hazmat.primitives import constant_time, hashes
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF

from remsim.core import tlv
from remsim.core.small_dataclass import dataclass

KEY_TYPE, KEY_LENGTH = 0x88, 0x10
MAC_OCTETS = 8


class Scp03tError(Exception):
    """A piece is not built as it must be, or with ``is_security`` its MAC or its padding is wrong."""

    def __init__(self, text: str, *, is_security: bool = False) -> None:
        super().__init__(text)
        self.is_security = is_security


@dataclass(frozen=True, slots=True)
class Keys:
    """What both ends know: 16 octets each."""

    chaining: bytes
    encryption: bytes
    mac: bytes


def derive_keys(secret: bytes, host_id: bytes, eid: bytes) -> Keys:
    """X9.63 with SHA-256 over the shared secret; ``eid`` are its 16 octets."""
    info = bytes((KEY_TYPE, KEY_LENGTH, len(host_id))) + host_id + bytes((len(eid),)) + eid
    made = X963KDF(algorithm=hashes.SHA256(), length=3 * KEY_LENGTH, sharedinfo=info).derive(secret)
    return Keys(made[:16], made[16:32], made[32:])


class Opener:
    """Takes protected pieces in their order: each is bound to the one before."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._chaining = keys.chaining
        self._count = 0

    def check(self, piece: bytes) -> bytes:
        """What a piece holds that is only protected against changes; ``Scp03tError``."""
        self._count += 1
        found, start = _split(piece)
        if len(found.value) < MAC_OCTETS:
            raise Scp03tError("a piece has no room for its MAC")
        mac = CMAC(algorithms.AES(self._keys.mac))
        mac.update(self._chaining + piece[:-MAC_OCTETS])
        chaining = mac.finalize()
        if not constant_time.bytes_eq(chaining[:MAC_OCTETS], piece[-MAC_OCTETS:]):
            raise Scp03tError("the MAC is wrong", is_security=True)
        self._chaining = chaining
        return piece[start:-MAC_OCTETS]

    def decipher(self, piece: bytes) -> bytes:
        """What an encrypted piece holds; ``Scp03tError``."""
        data = self.check(piece)
        if not data or len(data) % KEY_LENGTH:
            raise Scp03tError("an encrypted piece is not of whole blocks")
        key = algorithms.AES(self._keys.encryption)
        counter = Cipher(key, modes.ECB()).encryptor()  # noqa: S305 - one block, the IV of the next line
        vector = counter.update(self._count.to_bytes(KEY_LENGTH)) + counter.finalize()
        decryptor = Cipher(key, modes.CBC(vector)).decryptor()
        padded = (decryptor.update(data) + decryptor.finalize()).rstrip(b"\0")
        if not padded.endswith(b"\x80"):
            raise Scp03tError("the padding is wrong", is_security=True)
        return padded[:-1]


def _split(piece: bytes) -> tuple[tlv.Tlv, int]:
    """The one object a piece is, and where its value begins."""
    try:
        found = tlv.read_one(piece)
    except tlv.TlvError as error:
        raise Scp03tError(str(error)) from error
    return found, len(piece) - len(found.value)
