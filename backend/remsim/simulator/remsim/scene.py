"""The remote SIMs of a simulated router: which bank there is, which cards its clients are to have. Data only."""

from __future__ import annotations

from remsim.core.small_dataclass import dataclass

Slot = tuple[int, int]
"""Of a bank or a client: its id, and the slot's number."""
HOST = "127.0.0.1"
SERVER_NAME = "simulated"
BANK_ID, SLOTS = 1, 8


@dataclass(frozen=True, slots=True)
class RemoteCard:
    """A client of the simulated router and the bank slot it is to have."""

    name: str
    client: Slot
    bank: Slot


CARDS = (RemoteCard("remote1", (5, 0), (BANK_ID, 2)), RemoteCard("remote2", (5, 1), (BANK_ID, 3)))
SOMEBODY_ELSES = RemoteCard("", (40, 0), (BANK_ID, 5))
"""A slot map that another router made at this server."""
