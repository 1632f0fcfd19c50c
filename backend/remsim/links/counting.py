"""What links carried: their rates, what is put to their accounts, what it says of their capacity."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from remsim.links.ledger import Ledger
from remsim.links.link import Link
from remsim.links.load.flows import FlowMeter
from remsim.links.plane import Plane
from remsim.links.probes.prober import Prober


class Counting:
    """``counters`` is what the kernel's stood at last; read by other threads. ``simulated``: what links carried is told
    to the prober, which counts by devices where there are any."""

    def __init__(self, plane: Plane, prober: Prober, ledger: Ledger, *, simulated: bool) -> None:
        self._plane, self._prober, self._ledger, self._simulated = plane, prober, ledger, simulated
        self._octets: dict[int, dict[int, int]] = {}
        """What flows moved since the last count, by link and policy."""
        self._counted_at: float | None = None
        self.counters: Mapping[str, tuple[int, int]] = {}

    def flows_moved(self, octets: Mapping[tuple[int, int], int]) -> None:
        """By link and policy, since the last look at flows."""
        for (index, policy), count in octets.items():
            of_link = self._octets.setdefault(index, {})
            of_link[policy] = of_link.get(policy, 0) + count

    def count(self, links: Iterable[Link], meter: FlowMeter, at: float) -> None:
        """Once a second, at monotonic seconds."""
        passed = at - self._counted_at if self._counted_at is not None else 0.0
        self._counted_at = at
        self.counters = self._plane.counters()
        for link in links:
            before = link.counted
            names = [f"link_{link.index}_{side}" for side in ("rx", "tx")]
            if not any(name in self.counters for name in names):
                if before is not None:  # they may come again as they were, or begin anew
                    link.rx_bps = link.tx_bps = 0.0
                continue
            (packets_rx, rx), (packets_tx, tx) = (self.counters.get(name, (0, 0)) for name in names)
            link.counted = (rx, tx)
            if self._simulated:
                self._prober.traffic(link.index, rx, tx, packets_rx, packets_tx)
            if before is None or passed <= 0:
                continue
            down, up = grown(before[0], rx), grown(before[1], tx)
            link.rx_bps, link.tx_bps = down * 8 / passed, up * 8 / passed
            if down or up:
                self._ledger.seen(link.index, down, up, self._octets.pop(link.index, {}))
            learn_capacity(link, at, passed, meter.carries(link.index).busy)


def learn_capacity(link: Link, at: float, passed: float, busy: int) -> None:
    """What its rates say of its capacity: a queue is that of the direction that is filled."""
    down_bps, up_bps = link.rx_bps or 0.0, link.tx_bps or 0.0
    has_queue = link.has_queue(at)
    is_down = down_bps / (link.down.bps or down_bps or 1.0) >= up_bps / (link.up.bps or up_bps or 1.0)
    is_down = is_down if link.down.bps and link.up.bps else down_bps >= up_bps
    link.down.feed(at, down_bps, passed, has_queue and is_down, busy)
    link.up.feed(at, up_bps, passed, has_queue and not is_down, busy)


def grown(before: int, now: int) -> int:
    """By how much a counter grew; one that is lower began again."""
    return now - before if now >= before else now
