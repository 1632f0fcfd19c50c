"""What a client's events mean: the state it is in, from causes in the order that the client meant.

The cause decides, never ``REMSIM_BANKD_STATE``: it still says CONNECTED while the card is taken away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from remsim.remotesim.record import Process, Record, place_of

REMOTE, CONNECTING, LOCAL, UNASSIGNED, UNKNOWN = "remote", "connecting", "local", "unassigned", "unknown"
CAUSES = {
    "event-server-connect": None,
    "event-config-bankd": CONNECTING,
    "request-sim-remote": None,
    "request-card-insert": REMOTE,
    "request-modem-reset": None,
    "event-bankd-connect": REMOTE,
    "request-card-remove": LOCAL,
    "request-sim-local": LOCAL,
    "event-modem-status": None,
}
"""What each cause makes of the state; None: nothing. That of config-bankd depends on the address."""
NOWHERE = ("0.0.0.0:0", "(null):0")
SIGNALS = {"0": False, "1": True}


@dataclass(frozen=True, slots=True)
class ClientState:
    """What is known of one client by what it told.

    ``since_s`` and ``heard_s`` are seconds since boot. ``links`` counts how often the bank took it, ``resets`` how
    often it asked for a reset of the modem. ``uncertain``: the order of what it told last is a guess. ``place`` is that
    of the latest event whose order is none.
    """

    state: str = UNKNOWN
    since_s: float | None = None
    heard_s: float | None = None
    cause: str | None = None
    client: Process | None = None
    bank_slot: str | None = None
    bankd_addr: str | None = None
    server_addr: str | None = None
    version: str | None = None
    vcc: bool | None = None
    rst: bool | None = None
    clk: bool | None = None
    links: int = 0
    resets: int = 0
    uncertain: bool = False
    place: tuple[float, int] | None = None

    @property
    def reconnects(self) -> int:
        """How often the bank took it again."""
        return max(0, self.links - 1)

    def as_dict(self) -> dict[str, Any]:
        """What a restart of the service keeps."""
        made = {name: getattr(self, name) for name in self.__slots__}
        return made | {"client": None if self.client is None else [self.client.start, self.client.pid]}


def state_of(kept: Mapping[str, Any]) -> ClientState:
    """What ``as_dict`` made; ``TypeError`` or ``ValueError`` when it is something else."""
    client, place = kept.get("client"), kept.get("place")
    made = {
        "client": None if client is None else Process(*map(int, client)),
        "place": None if place is None else (float(place[0]), int(place[1])),
    }
    return ClientState(**{**kept, **made})


def applied(before: ClientState, record: Record) -> ClientState:
    """The state after an event. One that was taken in already changes nothing, one that comes late only the counts."""
    if before.client is not None and record.client is not None and before.client != record.client:
        before = ClientState(links=before.links, resets=before.resets)  # another process: it begins anew
    cause = record.cause
    if record.order is not None and before.place is not None and place_of(record) <= before.place:
        return before if place_of(record) == before.place else counted(before, cause)
    wanted = CAUSES.get(cause)
    address = record.value("REMSIM_BANKD_ADDR")
    is_assigned = address is not None and address not in NOWHERE
    if cause == "event-config-bankd" and not is_assigned:
        wanted = UNASSIGNED
    now = replace(
        counted(before, cause),
        heard_s=record.uptime_s,
        cause=cause,
        client=record.client or before.client,
        server_addr=record.value("REMSIM_SERVER_ADDR") or before.server_addr,
        version=record.value("REMSIM_CLIENT_VERSION") or before.version,
        uncertain=record.order is None,
        place=before.place if record.order is None else place_of(record),
        vcc=signal_of(record, "REMSIM_SIM_VCC", before.vcc),
        rst=signal_of(record, "REMSIM_SIM_RST", before.rst),
        clk=signal_of(record, "REMSIM_SIM_CLK", before.clk),
    )
    if wanted is None:
        return now
    if wanted == UNASSIGNED:
        now = replace(now, bank_slot=None, bankd_addr=None)
    elif is_assigned and cause not in ("request-card-remove", "request-sim-local"):
        now = replace(now, bankd_addr=address, bank_slot=record.value("REMSIM_BANKD_SLOT"))
    if wanted != before.state:
        now = replace(now, state=wanted, since_s=record.uptime_s)
    return now


def counted(before: ClientState, cause: str) -> ClientState:
    """The counts after an event."""
    links = before.links + (cause == "event-bankd-connect")
    return replace(before, links=links, resets=before.resets + (cause == "request-modem-reset"))


def signal_of(record: Record, name: str, before: bool | None) -> bool | None:
    """A line of the modem's, where it is told; -1 is unknown."""
    return SIGNALS.get(record.values[name]) if name in record.values else before
