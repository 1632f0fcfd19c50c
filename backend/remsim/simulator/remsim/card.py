"""A SIM card in a bank: enough of one that a modem boots with it. It holds no keys; what it computes is filler."""

from __future__ import annotations

from dataclasses import field

from remsim.core import tlv
from remsim.core.small_dataclass import dataclass

ATR = bytes.fromhex("3b9f96801fc78031a073be21136743200718000001a5")
MODES = {
    "ok": "authenticates",
    "auth_failure": "refuses each authentication: the network's MAC is wrong",
    "sync_failure": "asks for a new sequence number at each authentication",
    "wrong_context": "does not know the context of an authentication",
    "not_allowed": "takes no authentication: its PIN was not given",
    "unresponsive": "is there, but does not answer",
    "absent": "is not there",
}
AUTH_ERRORS = {"auth_failure": "9862", "wrong_context": "9864", "not_allowed": "6982"}
SELECT, GET_RESPONSE, READ_BINARY, STATUS = 0xA4, 0xC0, 0xB0, 0xF2
AUTHENTICATE, AUTHENTICATE_BER = 0x88, 0x89
TAKEN = {0x10, 0x20, 0x24, 0x2C, 0x14, 0xD6, 0xDC, 0xA2, 0xC2}
DONE = bytes.fromhex("9000")
FILLER = 0xA5


@dataclass(slots=True)
class VirtualCard:
    """One card; ``mode`` is of ``MODES``. ``fetches``: its reader fetches waiting answers itself."""

    iccid: str = "8900000000000000000"
    imsi: str = "001010000000000"
    atr: bytes = ATR
    mode: str = "ok"
    fetches: bool = False
    _file: str = "3f00"
    _waiting: bytes = b""
    _files: dict[str, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._files = {
            "3f00": b"",
            "7f20": b"",
            "7fff": b"",
            "2fe2": swapped(self.iccid.ljust(20, "f")),
            "6f07": bytes((8,)) + swapped("9" + self.imsi),
            "6fad": bytes.fromhex("00000002"),
            "6f3e": b"\xff",
        }

    @property
    def is_open(self) -> bool:
        """Whether a reader can open it."""
        return self.mode not in ("absent", "unresponsive")

    def reset(self) -> None:
        """The reader reset it."""
        self._file, self._waiting = "3f00", b""

    def transceive(self, command: bytes) -> bytes | None:
        """The answer to a command, status word last; None when there is none."""
        if not self.is_open:
            return None
        if len(command) < 5:
            return bytes.fromhex("6700")
        waiting, self._waiting = self._waiting, b""
        is_gsm, instruction = command[0] == 0xA0, command[1]
        if instruction == GET_RESPONSE:
            return waiting[: command[4] or 256] + DONE if waiting else bytes.fromhex("6f00")
        if instruction == SELECT:
            return self._select(command[5:], is_gsm)
        if instruction == READ_BINARY:
            return self._files[self._file][: command[4] or 256] + DONE
        if instruction == STATUS:
            return self._template()[: command[4]] + DONE
        if instruction in (AUTHENTICATE, AUTHENTICATE_BER):
            return self._authenticate(command, is_gsm)
        return DONE if instruction in TAKEN else bytes.fromhex("6d00")

    def _select(self, name: bytes, is_gsm: bool) -> bytes:
        wanted = "7fff" if len(name) > 2 else name.hex()
        if wanted not in self._files:
            return bytes.fromhex("9404" if is_gsm else "6a82")
        self._file = wanted
        return self._later(self._template(), is_gsm)

    def _template(self) -> bytes:
        size = tlv.encode(0x80, len(self._files[self._file]).to_bytes(2))
        return tlv.encode(0x62, tlv.encode(0x83, bytes.fromhex(self._file)), tlv.encode(0x8A, b"\5"), size)

    def _authenticate(self, command: bytes, is_gsm: bool) -> bytes:
        if self.mode in AUTH_ERRORS:
            return bytes.fromhex(AUTH_ERRORS[self.mode])
        if is_gsm:
            return self._later(filler(12), is_gsm)
        if command[3] & 0x07 == 0:
            return self._later(prefixed(4) + prefixed(8), is_gsm)
        if self.mode == "sync_failure":
            return self._later(b"\xdc" + prefixed(14), is_gsm)
        return self._later(b"\xdb" + prefixed(8) + prefixed(16) + prefixed(16) + prefixed(8), is_gsm)

    def _later(self, data: bytes, is_gsm: bool) -> bytes:
        """An answer that waits to be fetched."""
        if self.fetches:
            return data + DONE
        self._waiting = data
        return bytes((0x9F if is_gsm else 0x61, len(data)))


def filler(octets: int) -> bytes:
    """What stands where a real card has a secret."""
    return bytes((FILLER,)) * octets


def prefixed(octets: int) -> bytes:
    """Filler behind its length."""
    return bytes((octets,)) + filler(octets)


def swapped(digits: str) -> bytes:
    """Digits as a SIM's files have them, the low nibble first."""
    return bytes.fromhex("".join(digits[at + 1] + digits[at] for at in range(0, len(digits), 2)))
