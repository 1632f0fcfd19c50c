"""What flows move: rates and counts of each link from one list of flows after another."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import field

from remsim.core.routes import Flow
from remsim.core.small_dataclass import dataclass
from remsim.links.now import LiveFlow

BUSY_BPS = 160_000.0
"""A flow that moves more than this (20 kB/s) wants more than it gets."""
YOUNG_S = 1.5
"""A bulk flow younger than this counts as busy: it has no rate yet when its siblings arrive."""
SMOOTH_S = 0.5
KEPT_S = 5.0
"""How long flows that are gone are remembered: the kernel deletes those of a device that went before anybody hears."""
SHORTEST_S = 0.05
FEW_OCTETS = 4_000
"""A flow without connections of its own that moved less asks and is answered, and wants nothing more."""
OVER = frozenset(("TIME_WAIT", "CLOSE", "CLOSE_WAIT", "LAST_ACK", "FIN_WAIT"))
"""States of TCP in which a flow takes nothing more of a link."""
SMALL, LARGE = 5_000, 1_000_000
"""Octets of a transfer whose time says how long one of a page takes."""

Key = tuple[str, str, int | None, str, int | None]


@dataclass(slots=True)
class Seen:
    """A flow as it was seen last. ``rx``/``tx`` are its octets then, ``grew_at`` when they last became more."""

    flow: Flow
    first_at: float
    at: float
    rx: int
    tx: int
    grew_at: float
    rx_bps: float | None = None
    tx_bps: float | None = None
    is_measured: bool = False


@dataclass(slots=True)
class LinkLoad:
    """What a link carries: all its flows, those that fill it (``busy``, with the young ones), and their rates."""

    flows: int = 0
    busy: int = 0
    young: int = 0
    rx_bps: float = 0.0
    tx_bps: float = 0.0


@dataclass(frozen=True, slots=True)
class Transfer:
    """A short transfer that is over: on which link, when it began, how much came, how long it took."""

    link: int
    began_at: float
    octets: int
    seconds: float


@dataclass(slots=True)
class Arrivals:
    """What happened between two looks: new flows of each ring (policy, class), octets of each link and policy, those of
    pages (of interactive flows that had few so far), short transfers that ended."""

    flows: dict[tuple[int, str | None], int] = field(default_factory=dict)
    octets: dict[tuple[int, int], int] = field(default_factory=dict)
    pages: int = 0
    transfers: list[Transfer] = field(default_factory=list)


class FlowMeter:
    """Compares each list of flows with the one before."""

    def __init__(self) -> None:
        self._seen: dict[Key, Seen] = {}
        self._gone: deque[tuple[float, list[Flow]]] = deque()
        self._at: float | None = None
        self.links: Mapping[int, LinkLoad] = {}

    def update(self, flows: Iterable[Flow], at: float) -> Arrivals:
        """Take the flows of now (monotonic seconds). Each takes the place of what it was before: there are thousands,
        and never two lists of them. Other threads may look meanwhile."""
        told = Arrivals()
        if self._at is not None and at - self._at < SHORTEST_S:
            return told
        seen = self._seen
        links: dict[int, LinkLoad] = {}
        keep = math.exp(-(at - self._at) / SMOOTH_S) if self._at is not None else 0.0
        # Flows that were there before the first look are of an unknown age, so not young.
        first_at = at if self._at is not None else at - 3600.0
        for flow in flows:
            key = (flow.protocol, flow.source, flow.source_port, flow.destination, flow.destination_port)
            rx, tx = flow.rx_bytes or 0, flow.tx_bytes or 0
            one = seen.get(key)
            load = links.get(flow.link)
            if load is None:
                load = links[flow.link] = LinkLoad()
            if one is None or one.at == at or rx < one.rx or tx < one.tx:
                one = seen[key] = Seen(flow, first_at, at, rx, tx, at - 1.0 if flow.state in OVER else at)
                if first_at == at:
                    ring = (flow.policy, flow.klass)
                    told.flows[ring] = told.flows.get(ring, 0) + 1
                    if flow.klass == "interactive" and rx <= LARGE:
                        told.pages += rx
                    if rx or tx:
                        told.octets[flow.link, flow.policy] = told.octets.get((flow.link, flow.policy), 0) + rx + tx
            else:
                self._grow(one, flow, rx, tx, at, keep, told)
            load.flows += 1
            rate = 0.0
            if one.rx_bps is not None and one.tx_bps is not None:
                load.rx_bps += one.rx_bps
                load.tx_bps += one.tx_bps
                rate = max(one.rx_bps, one.tx_bps)
            if flow.state in OVER and one.grew_at < at:
                continue  # its rate fades out, but it is over
            if flow.klass == "bulk" and at - one.first_at < YOUNG_S and wants_more(flow, one, at):
                load.young += 1
                load.busy += 1
            elif rate >= BUSY_BPS or (flow.rx_bytes is None and flow.klass == "bulk" and flow.state == "ESTABLISHED"):
                load.busy += 1
        self._forget(at)
        self._at, self.links = at, links
        return told

    def _grow(self, one: Seen, flow: Flow, rx: int, tx: int, at: float, keep: float, told: Arrivals) -> None:
        """A flow that was seen before: what it moved since."""
        down, up, passed = rx - one.rx, tx - one.tx, at - one.at
        one.rx_bps = (one.rx_bps or 0.0) * keep + (1 - keep) * down * 8 / passed
        one.tx_bps = (one.tx_bps or 0.0) * keep + (1 - keep) * up * 8 / passed
        if down or up:
            told.octets[flow.link, flow.policy] = told.octets.get((flow.link, flow.policy), 0) + down + up
        if down:
            one.grew_at = at
            if rx <= LARGE and flow.klass == "interactive":
                told.pages += down
        elif not one.is_measured and flow.klass == "interactive":
            one.is_measured = True
            if SMALL <= rx <= LARGE and at - one.first_at < 3600.0:
                told.transfers.append(Transfer(flow.link, one.first_at, rx, max(0.0, one.grew_at - one.first_at)))
        one.flow, one.rx, one.tx, one.at = flow, rx, tx, at

    def _forget(self, at: float) -> None:
        gone = [key for key, one in self._seen.items() if one.at != at]
        if gone:
            self._gone.append((at, [self._seen.pop(key).flow for key in gone]))
        while self._gone and at - self._gone[0][0] > KEPT_S:
            self._gone.popleft()

    def last_on(self, link: int, at: float) -> list[Flow]:
        """A link's flows as last seen, and those that were gone within the last five seconds."""
        found = [one.flow for one in self._seen.values() if one.flow.link == link]
        known = {flow.key for flow in found}
        for when, flows in self._gone:
            if at - when <= KEPT_S:
                found += [flow for flow in flows if flow.link == link and flow.key not in known]
        return found

    def live(self) -> list[LiveFlow]:
        """All flows of the last look. May be called from another thread."""
        at = self._at or 0.0
        return [
            LiveFlow(one.flow, one.rx_bps, one.tx_bps, round(max(0.0, at - one.first_at), 3))
            for one in list(self._seen.values())
        ]

    def known(self) -> list[Flow]:
        """The same without their rates."""
        return [one.flow for one in list(self._seen.values())]

    def carries(self, link: int) -> LinkLoad:
        """What a link carries."""
        return self.links.get(link) or LinkLoad()


def wants_more(flow: Flow, one: Seen, at: float) -> bool:
    """Whether a young flow may become a busy one: TCP, or one that has moved something, and still does."""
    return flow.protocol == "tcp" or (one.rx + one.tx >= FEW_OCTETS and one.grew_at == at)
