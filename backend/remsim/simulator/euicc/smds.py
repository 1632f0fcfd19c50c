"""A virtual SM-DS: it tells a card which servers have something for it (ES11, SGP.22 §5.8)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping

from remsim.core.small_dataclass import dataclass
from remsim.core.tlv import TlvError
from remsim.simulator.euicc.faults import NOTHING, Fault, Faults, Wrong
from remsim.simulator.euicc.orders import Refusal
from remsim.simulator.euicc.session import Authenticator, Call, Message, ServerCredentials, named, value_at


@dataclass(frozen=True, slots=True)
class Event:
    """What waits for a card, or for any, at a server or another SM-DS; the id is the matching id there."""

    eid: str | None
    event_id: str
    address: str


class Smds:
    """One SM-DS. ``is_empty``: it has nothing for anybody. ``refuses``: it then says 8.9.5/3.9, not an empty list."""

    def __init__(
        self,
        credentials: ServerCredentials,
        events: Callable[[], Iterable[Event]],
        *,
        addresses: Callable[[], Iterable[str]],
        faults: Faults | None = None,
    ) -> None:
        self.faults = faults or Faults()
        self.is_empty = self.refuses = False
        self._events = events
        self._sessions = Authenticator(credentials, addresses, "8.9")
        self._lock = threading.Lock()

    def answer(self, step: str, message: Message, wrong: Mapping[str, Fault] = NOTHING) -> tuple[Message, Wrong]:
        """As ``Smdp.answer``; there are two steps only."""
        call = Call(step, message, {**wrong, **self.faults.at(step)})
        do = {"initiateAuthentication": self._initiate, "authenticateClient": self._authenticate}[step]
        with self._lock:
            try:
                return do(call), call.wrong
            except TlvError as error:
                raise Refusal("1.2.1", "2.1", error.message) from error

    def _initiate(self, call: Call) -> Message:
        """LPAs name the address as for an SM-DP+, or as the standard has it here."""
        key = "smdpAddress" if "smdpAddress" in call.message else "smdsAddress"
        return self._sessions.initiate(call, call.text(key))

    def _authenticate(self, call: Call) -> Message:
        session, context, _info = self._sessions.authenticate(call)
        assert session.card is not None
        wanted = value_at(context, 0x80)
        waiting = [
            event
            for event in self._events()
            if event.eid in (None, session.card.eid) and wanted in (None, event.event_id.encode()) and not self.is_empty
        ]
        session.is_over = True
        if not waiting and (wanted is not None or self.refuses):
            raise Refusal("8.9.5", "3.9", "nothing waits for this card")
        entries = [{"eventId": event.event_id, "rspServerAddress": event.address} for event in waiting]
        return {"transactionId": named(session, call.wrong), "eventEntries": entries}
