"""Slot maps: which slot of which bank serves which slot of which client; and what a server says of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any

from remsim.config.remote_sim import LARGEST_ID
from remsim.core.errors import InvalidInput
from remsim.core.small_dataclass import dataclass

NEW, UNACKNOWLEDGED, ACTIVE = "NEW", "UNACKNOWLEDGED", "ACTIVE"
"""States of a map: the bankd has not been told, has been told, has answered. None says that there is a card."""
PENDING = (NEW, UNACKNOWLEDGED)
LONGEST_NOTE = 100


@dataclass(frozen=True, slots=True, order=True)
class SlotMap:
    """Bank slot ``bank`` serves client slot ``client``; all four numbers are 0 to 1023."""

    bank_id: int
    bank_slot: int
    client_id: int
    client_slot: int

    @property
    def bank(self) -> tuple[int, int]:
        """The bank's side."""
        return self.bank_id, self.bank_slot

    @property
    def client(self) -> tuple[int, int]:
        """The client's side."""
        return self.client_id, self.client_slot

    def __str__(self) -> str:
        return f"{place_text(self.bank)} for client {place_text(self.client)}"

    def as_dict(self) -> dict[str, int]:
        """The numbers by the names that the API gives them."""
        return {
            "bank_id": self.bank_id,
            "bank_slot": self.bank_slot,
            "client_id": self.client_id,
            "client_slot": self.client_slot,
        }


@dataclass(frozen=True, slots=True)
class Bank:
    """A bankd that is connected to a server; ``slots`` it says to have."""

    bank_id: int
    slots: int
    name: str | None = None
    software: str | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """What a server said last: its maps with their states, the banks and the clients connected to it."""

    maps: Mapping[SlotMap, str] = field(default_factory=dict)
    banks: Mapping[int, Bank] = field(default_factory=dict)
    clients: Mapping[tuple[int, int], str | None] = field(default_factory=dict)
    """Slots of clients, with the names of their machines."""


def place_text(place: tuple[int, int]) -> str:
    """A slot as people write it, ``1:2``."""
    return f"{place[0]}:{place[1]}"


def place_of(text: str, field_name: str) -> tuple[int, int]:
    """The two numbers of ``1:2``; ``InvalidInput`` for what the server would take for another slot."""
    match = re.fullmatch(r"(\d{1,4}):(\d{1,4})", text, re.ASCII)
    if match is None or max(int(match[1]), int(match[2])) > LARGEST_ID:
        raise InvalidInput(f"{text[:40]!r} is not like 1:2, two numbers from 0 to {LARGEST_ID}", field=field_name)
    return int(match[1]), int(match[2])


def is_id(value: Any) -> bool:
    """Whether a value can be the id of a bank, a client or a slot."""
    return type(value) is int and 0 <= value <= LARGEST_ID
