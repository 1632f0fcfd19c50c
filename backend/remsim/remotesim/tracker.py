"""What a client's events mean: the state it is in, from causes in the order that the client meant.

The cause decides, never ``REMSIM_BANKD_STATE``: it still says CONNECTED while the card is taken away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from remsim.core.small_dataclass import dataclass
from remsim.remotesim.record import Place, Process, Record, compared, place_of

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
RECENT = 32
"""A burst has some ten; of a service that was killed the names of files tell what it has taken in."""
SIGNALS = {"0": False, "1": True}


@dataclass(frozen=True, slots=True)
class ClientState:
    """What is known of one client by what it told.

    ``since_s`` and ``heard_s`` are seconds since boot. ``links`` counts how often the bank took it, ``resets`` how
    often it asked for a reset of the modem. ``uncertain``: the order of what it told last is a guess. ``place`` is that
    of the latest event, ``decided`` that of the one which the state is from, ``recent`` are the last ones taken in.
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
    place: Place | None = None
    decided: Place | None = None
    recent: tuple[Place, ...] = ()

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
    client = kept.get("client")
    made = {
        "client": None if client is None else Process(*map(int, client)),
        "place": place_in(kept.get("place")),
        "decided": place_in(kept.get("decided")),
        "recent": tuple(place for place in map(place_in, kept.get("recent", ())) if place),
    }
    return ClientState(**{**kept, **made})


def place_in(kept: Any) -> Place | None:
    """A place as JSON has it."""
    return None if kept is None else (float(kept[0]), int(kept[1]))


def applied(before: ClientState, record: Record) -> ClientState:
    """The state after an event. One that was taken in already changes nothing, nor one that is older than a burst.

    One that comes late counts; it changes the state only if what came before it did not.
    """
    place = None if record.order is None else place_of(record)
    if place in before.recent or (len(before.recent) == RECENT and is_before(place, before.recent[0])):
        return before
    is_late = is_before(place, before.place)
    counts = counted(before, record.cause, place)
    if is_another(before.client, record.client):
        if is_late:
            return counts  # of a process that another has followed
        counts = ClientState(links=counts.links, resets=counts.resets, recent=counts.recent)  # it begins anew
    now = counts if is_late else heard(counts, record, place)
    return now if is_before(place, counts.decided) else decided(now, record, place)


def heard(before: ClientState, record: Record, place: Place | None) -> ClientState:
    """What the latest event tells besides the state."""
    return replace(
        before,
        heard_s=record.uptime_s,
        cause=record.cause,
        client=before.client if is_same(before.client, record.client) else record.client or before.client,
        server_addr=record.value("REMSIM_SERVER_ADDR") or before.server_addr,
        version=record.value("REMSIM_CLIENT_VERSION") or before.version,
        uncertain=place is None,
        place=place or before.place,
        vcc=signal_of(record, "REMSIM_SIM_VCC", before.vcc),
        rst=signal_of(record, "REMSIM_SIM_RST", before.rst),
        clk=signal_of(record, "REMSIM_SIM_CLK", before.clk),
    )


def decided(now: ClientState, record: Record, place: Place | None) -> ClientState:
    """What an event makes of the state, if anything."""
    cause, address = record.cause, record.value("REMSIM_BANKD_ADDR")
    wanted = CAUSES.get(cause)
    is_assigned = address is not None and address not in NOWHERE
    if cause == "event-config-bankd" and not is_assigned:
        wanted = UNASSIGNED
    if wanted is None:
        return now
    now = replace(now, decided=place or now.decided)
    if wanted == UNASSIGNED:
        now = replace(now, bank_slot=None, bankd_addr=None)
    elif is_assigned and cause not in ("request-card-remove", "request-sim-local"):
        now = replace(now, bankd_addr=address, bank_slot=record.value("REMSIM_BANKD_SLOT"))
    if wanted != now.state:
        now = replace(now, state=wanted, since_s=record.uptime_s)
    return now


def is_before(place: Place | None, other: Place | None) -> bool:
    """Whether one is earlier; no when nobody can tell."""
    return place is not None and other is not None and compared(place, other) < 0


def is_same(known: Process | None, told: Process | None) -> bool:
    """Whether both are one process. One that is gone was told by its number only."""
    return known is not None and told is not None and known.pid == told.pid and told.start in (0, known.start)


def is_another(known: Process | None, told: Process | None) -> bool:
    """Whether they are two."""
    return known is not None and told is not None and not is_same(known, told)


def counted(before: ClientState, cause: str, place: Place | None) -> ClientState:
    """The counts after an event."""
    links = before.links + (cause == "event-bankd-connect")
    recent = before.recent if place is None else (*before.recent, place)[-RECENT:]
    return replace(before, links=links, resets=before.resets + (cause == "request-modem-reset"), recent=recent)


def signal_of(record: Record, name: str, before: bool | None) -> bool | None:
    """A line of the modem's, where it is told; -1 is unknown."""
    return SIGNALS.get(record.values[name]) if name in record.values else before
