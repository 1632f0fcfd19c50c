"""What operators are to be told: notifications, and the results of loads among them (SGP.22 §5.7.9 to 5.7.11)."""

from __future__ import annotations

from remsim.core.small_dataclass import dataclass
from remsim.core.tlv import Tlv, TlvError, read_integer
from remsim.esim.es10 import codes
from remsim.esim.es10.profiles import read_bits, text
from remsim.esim.es10.requests import OPERATIONS
from remsim.esim.ids import read_iccid

METADATA, INSTALLED, INSTALL_DATA, OTHER = 0xBF2F, 0xBF37, 0xBF27, 0x30


@dataclass(frozen=True, slots=True)
class Notification:
    """One notification. ``raw`` is what its operator is sent, where the card was asked for that."""

    seq: int
    operation: str | None
    address: str
    iccid: str | None = None
    raw: bytes | None = None


@dataclass(frozen=True, slots=True)
class InstallResult:
    """How a load ended. ``command`` and ``reason`` are numbers of ``codes.COMMANDS`` and ``codes.REASONS``."""

    ok: bool
    iccid: str | None
    aid: bytes | None
    command: int | None
    reason: int | None
    notification: Notification
    raw: bytes

    @property
    def detail(self) -> str:
        """The raw names of step and reason."""
        commands = dict(enumerate(codes.COMMANDS))
        step = commands.get(self.command if self.command is not None else -1, str(self.command))
        reason = self.reason if self.reason is not None else codes.UNDEFINED
        return f"{step}/{codes.REASONS[reason][0] if reason in codes.REASONS else reason}"


def read_metadata(tlv: Tlv, raw: bytes | None = None) -> Notification:
    """BF2F; ``TlvError`` without a number, for nothing could be done with such a notification."""
    members = {one.tag: one.value for one in tlv.children()}
    if 0x80 not in members:
        raise TlvError("a notification has no number")
    number = read_integer(members[0x80])
    if number < 0:
        raise TlvError("the number of a notification is below zero")
    iccid = members.get(0x5A)
    return Notification(
        number,
        operation_of(members.get(0x81, b"")),
        text(members.get(0x0C, b"")).strip(),
        None if iccid is None else read_iccid(iccid),
        raw,
    )


def operation_of(value: bytes) -> str | None:
    """The operation of its bit; cards differ in how many bits they say are unused."""
    found = read_bits(value)
    return next((name for number, name in enumerate(OPERATIONS) if number in found), None)


def read_pending(tlv: Tlv) -> Notification:
    """A notification as its operator gets it: BF37 of a load, 30 of anything else."""
    found = tlv.find(INSTALL_DATA, METADATA) if tlv.tag == INSTALLED else tlv.find(METADATA)
    if found is None or tlv.tag not in (INSTALLED, OTHER):
        raise TlvError(f"this is no notification: {tlv.tag:X}")
    return read_metadata(found, tlv.encode())


def read_install_result(tlv: Tlv) -> InstallResult:
    """BF37."""
    data = tlv.find(INSTALL_DATA)
    if tlv.tag != INSTALLED or data is None:
        raise TlvError("this is no result of a load (BF37)")
    metadata, final = data.find(METADATA), data.find(0xA2)
    if metadata is None or final is None:
        raise TlvError("the result of a load is not whole")
    notification = read_metadata(metadata, tlv.encode())
    success = final.find(0xA0)
    if success is not None:
        aid = success.find(0x4F)
        found = None if aid is None else aid.value
        return InstallResult(True, notification.iccid, found, None, None, notification, tlv.encode())
    failure = final.find(0xA1)
    if failure is None:
        raise TlvError("the result of a load says neither yes nor no")
    numbers = {one.tag: one.value for one in failure.children()}
    command, reason = (read_integer(numbers[tag]) if numbers.get(tag) else None for tag in (0x80, 0x81))
    return InstallResult(False, notification.iccid, None, command, reason, notification, tlv.encode())
