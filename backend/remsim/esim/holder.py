"""What may hold an eUICC: a modem or a card reader, as the rest of eSIM needs it. The domains meet in the router."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from remsim.core.card import AccessPoint, Service
from remsim.core.jobs import Job
from remsim.esim.transport import Way

__all__ = ("AccessPoint", "Holder", "Service")


class Holder(Protocol):
    """One modem or reader. Methods block; they are called in the threads of jobs."""

    @property
    def id(self) -> str:
        """What it is called in addresses: ``modem1``."""

    @property
    def name(self) -> str:
        """What it is called by people."""

    @property
    def kind(self) -> str:
        """``modem`` or ``reader``."""

    @property
    def interface(self) -> str | None:
        """The modem's network interface, which a switch cuts; None for a reader."""

    @property
    def imei(self) -> str | None:
        """The modem's serial number, which operators may tie a profile to."""

    def why_not(self) -> str | None:
        """Why its card cannot be asked now, in a sentence (gone, restarting, its slot is another one)."""

    def ways(self) -> Sequence[Way]:
        """The ways to its card, the best first."""

    def reserved(self, title: str) -> AbstractContextManager[None]:
        """Nobody else works on it meanwhile; ``Conflict`` names what goes on."""

    def polling_held(self) -> AbstractContextManager[None]:
        """No round of polling is begun meanwhile: a package loads."""

    def service(self) -> Service:
        """What it says now."""

    def refresh(self, job: Job, *, hard: bool) -> None:
        """Have it read its card anew: softly (SIM reset), or hard by restarting it. Returns when it answers again."""

    def access_point(self) -> AccessPoint | None:
        """The access point in force, its password too where the router's network has it; None where nobody knows."""

    def set_access_point(self, wanted: AccessPoint, job: Job) -> None:
        """Put a profile's access point in force, in the modem and the router's network."""

    def wait_registered(self, within_s: float, job: Job, iccid: str | None = None) -> bool:
        """Whether a network takes it within the time, with the card of that number where one is named."""
