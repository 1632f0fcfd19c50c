"""What may hold an eUICC: a modem or a card reader, as the rest of eSIM needs it. The domains meet in the router."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from remsim.core.jobs import Job
from remsim.esim.transport import Way


@dataclass(frozen=True, slots=True)
class AccessPoint:
    """What a profile's operator wants: see ``modems/control/apn``. ``auth`` is ``none``, ``pap`` or ``chap``."""

    apn: str
    pdp_type: str = "IPV4V6"
    auth: str = "none"
    username: str = ""
    password: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """What a modem says of its card and the network now. ``sim`` is the card's id in history, ``iccid`` digits."""

    sim_state: str | None = None
    iccid: str | None = None
    sim: str | None = None
    is_registered: bool | None = None
    operator: str | None = None
    mcc: str | None = None
    rsrp_dbm: float | None = None


class Holder(Protocol):
    """One modem or reader. Methods block; they are called in the threads of jobs."""

    id: str
    name: str
    kind: str
    """``modem`` or ``reader``."""

    @property
    def interface(self) -> str | None:
        """The modem's network interface, which a switch cuts; None for a reader."""

    @property
    def imei(self) -> str | None:
        """The modem's serial number, which operators may tie a profile to."""

    def why_not(self) -> str | None:
        """Why its card cannot be asked now, in a sentence (gone, restarting, its slot is another one)."""

    def ways(self) -> list[Way]:
        """The ways to its card, the best first."""

    def reserved(self, title: str) -> AbstractContextManager[None]:
        """Nobody else works on it meanwhile; ``Conflict`` names what goes on."""

    def polling_held(self) -> AbstractContextManager[None]:
        """No round of polling is begun meanwhile: a package loads."""

    def service(self) -> Service:
        """What it says now."""

    def refresh(self, job: Job, *, hard: bool) -> None:
        """Have it read its card anew: softly (SIM reset), or hard by restarting it. Returns when it answers again."""

    def set_access_point(self, wanted: AccessPoint, job: Job) -> None:
        """Put a profile's access point in force, in the modem and the router's network."""

    def wait_registered(self, within_s: float, job: Job, iccid: str | None = None) -> bool:
        """Whether a network takes it within the time, with the card of that number where one is named."""
