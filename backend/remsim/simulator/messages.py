"""The store of a modem's short messages: whole PDUs of 27.005, in slots numbered from 1."""

from __future__ import annotations

from dataclasses import field

from remsim.core.small_dataclass import dataclass

CAPACITY = 40
UNREAD, READ, UNSENT, SENT = 0, 1, 2, 3


@dataclass(slots=True)
class Stored:
    """One message: its state of 27.005 and its PDU in hex, service centre first."""

    status: int
    pdu: str


@dataclass(slots=True)
class Messages:
    """What is in the store, and what was sent. Both outlive a reset."""

    capacity: int = CAPACITY
    stored: dict[int, Stored] = field(default_factory=dict)
    sent: list[str] = field(default_factory=list)

    @property
    def is_full(self) -> bool:
        """Whether no message fits in any more."""
        return len(self.stored) >= self.capacity

    def add(self, pdu: str, status: int = UNREAD) -> int | None:
        """Keep a message in the lowest free slot, whose number is returned; None when there is none."""
        free = next((index for index in range(1, self.capacity + 1) if index not in self.stored), None)
        if free is not None:
            self.stored[free] = Stored(status, pdu.upper())
        return free

    def read(self, index: int) -> Stored | None:
        """A message as it was; a new one is read from now on."""
        message = self.stored.get(index)
        if message is None:
            return None
        seen = Stored(message.status, message.pdu)
        if message.status == UNREAD:
            message.status = READ
        return seen

    def delete(self, index: int, flag: int) -> bool:
        """+CMGD: one message, or by state (1 read, 2 also sent, 3 also unsent, 4 all); False for an empty slot."""
        gone = {1: (READ,), 2: (READ, SENT), 3: (READ, SENT, UNSENT), 4: (UNREAD, READ, UNSENT, SENT)}.get(flag)
        if gone is None:
            return self.stored.pop(index, None) is not None
        self.stored = {number: one for number, one in self.stored.items() if one.status not in gone}
        return True


def tpdu_octets(pdu: str) -> int | None:
    """Octets of a PDU behind its service centre's address, as +CMGL and +CMGS count; None for what is no PDU."""
    try:
        data = bytes.fromhex(pdu)
    except ValueError:
        return None
    return len(data) - 1 - data[0] if data and len(data) > 1 + data[0] else None
