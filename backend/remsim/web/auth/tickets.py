"""One-time tickets: how something gets in without seeing what opens the door."""

from __future__ import annotations

import secrets
import threading

from remsim.core.clock import Clock
from remsim.core.small_dataclass import dataclass
from remsim.web.auth.identity import Identity

TICKET_S = {"browser": 600.0, "stream": 30.0, "app": 600.0}
MOST_TICKETS = 256
"""Of each purpose."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket opens: for whom, and for which page when it is for a stream (None: no page of another origin)."""

    purpose: str
    holder: Identity
    origin: str | None
    ends: float


class Tickets:
    """One-time tickets in memory: a restart makes them void, which a new one mends."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tickets: dict[str, Ticket] = {}
        self._lock = threading.Lock()

    def issue(
        self, purpose: str, holder: Identity, *, origin: str | None = None, ticket: str | None = None
    ) -> tuple[str, float]:
        """A ticket and the seconds it lives."""
        ticket = ticket or secrets.token_urlsafe(24)
        lives_s = TICKET_S[purpose]
        now = self._clock.monotonic()
        with self._lock:
            self._tickets = {key: one for key, one in self._tickets.items() if one.ends > now}
            alike = [key for key, one in self._tickets.items() if one.purpose == purpose]
            if len(alike) >= MOST_TICKETS:  # who may only watch takes no log-in from others
                del self._tickets[alike[0]]
            self._tickets[ticket] = Ticket(purpose, holder, origin, now + lives_s)
        return ticket, lives_s

    def spend(self, ticket: str, purpose: str) -> Ticket | None:
        """What the ticket opens, if it is good for this; it is gone afterwards."""
        with self._lock:
            found = self._tickets.get(ticket)
            if found is None or found.purpose != purpose:
                return None
            del self._tickets[ticket]
        return found if found.ends > self._clock.monotonic() else None

    def holds(self, ticket: str, purpose: str) -> bool:
        """Whether it could be spent for this."""
        found = self._tickets.get(ticket)
        return found is not None and found.purpose == purpose and found.ends > self._clock.monotonic()
