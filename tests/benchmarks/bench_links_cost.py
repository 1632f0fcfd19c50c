"""What a month costs with the algorithm ``thrifty`` against links used alike, by the code that shares traffic.

Tariffs are in ``link_tariffs.json``; flows have Pareto sizes and come by a day curve with a fixed seed. Links are
fluid: flows of a link share what it carries. Bars: at least 40 % cheaper, transfers at most 10 % slower.
"""

from __future__ import annotations

import heapq
import json
import math
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from remsim.config.sims import BYTES_OF_GB
from remsim.core.routes import LinkView
from remsim.links.load.balance import balance
from remsim.links.money.tariff import Tariff

DAYS, DAY_S = 30, 86400.0
SEED = 20
GIGABYTES = 240.0
"""All links together in a month."""
SMALLEST, LARGEST, SHAPE = 400e3, 4e9, 1.25
"""Of flows: Pareto, cut off where nothing is larger."""
CHEAPER, SLOWER = 0.40, 1.10
RING_S = 0.5
"""As often as the control loop sets rings."""


@dataclass(slots=True)
class Link:
    """A link of a fluid: ``flows`` by remaining octets, in virtual octets a flow has had since the link began."""

    index: int
    name: str
    bps: float
    tariff: Tariff
    served: float = 0.0
    at: float = 0.0
    carried: float = 0.0
    flows: list[tuple[float, float, float]] = field(default_factory=list)

    def advance(self, now: float) -> None:
        """Serve all flows alike until ``now``; nothing ends meanwhile."""
        if self.flows:
            self.served += (now - self.at) * self.bps / 8 / len(self.flows)
        self.at = now

    def ends_at(self) -> float:
        """When the next flow ends, if none comes."""
        if not self.flows:
            return math.inf
        return self.at + (self.flows[0][0] - self.served) * len(self.flows) * 8 / self.bps

    def view(self, now: float) -> LinkView:
        """As the control loop sees it."""
        cap, used = self.tariff.cap_bytes, int(self.carried)
        return LinkView(
            self.index,
            self.name,
            state="up",
            down_bps=self.bps,
            busy_flows=len(self.flows),
            cost_per_gb_minor=self.tariff.next_gb_minor(used),
            overage_per_gb_minor=self.tariff.overage_per_gb_minor,
            remaining_bytes=None if cap is None else max(0, cap - used),
            cap_bytes=cap,
            reset_s=DAYS * DAY_S - now,
            cycle_s=DAYS * DAY_S,
        )


Rings = Callable[[Sequence[Link], float], Sequence[int]]


def alike(links: Sequence[Link], now: float) -> Sequence[int]:
    """Each link the same, at random."""
    return [one.index for one in links]


def cheaply(links: Sequence[Link], now: float) -> Sequence[int]:
    """As the control loop fills a ring."""
    return balance("thrifty", [one.view(now) for one in links], {}).slots


def arrivals(chance: random.Random) -> list[tuple[float, float]]:
    """Times and sizes of a month's flows: most in the evening, few at night."""
    mean = SHAPE / (SHAPE - 1) * (SMALLEST**SHAPE * (SMALLEST ** (1 - SHAPE) - LARGEST ** (1 - SHAPE)))
    count = round(GIGABYTES * BYTES_OF_GB / mean)
    found = []
    while len(found) < count:
        at = chance.random() * DAYS * DAY_S
        hour = at % DAY_S / 3600
        if chance.random() < 0.55 + 0.45 * math.cos((hour - 20) / 24 * 2 * math.pi):
            found.append((at, min(LARGEST, SMALLEST * (1 - chance.random()) ** (-1 / SHAPE))))
    return sorted(found)


def month(flows: Sequence[tuple[float, float]], rings: Rings, tariffs: Path) -> tuple[float, float, dict[str, float]]:
    """Euros, the mean time of a flow in seconds, gigabytes of each link."""
    links = [
        Link(number, row["name"], row["mbit_s"] * 1e6, Tariff(**row["tariff"]))
        for number, row in enumerate(json.loads(tariffs.read_text())["links"], start=1)
    ]
    chance = random.Random(SEED + 1)
    ring, ring_at, spent = list(rings(links, 0.0)), 0.0, 0.0

    def finish_until(now: float) -> None:
        nonlocal spent
        for link in links:
            while link.ends_at() <= now:
                link.advance(link.ends_at())
                _, size, begun = heapq.heappop(link.flows)
                spent += link.at - begun
                link.carried += size
            link.advance(now)

    for turn, (at, size) in enumerate(flows):
        finish_until(at)
        if at - ring_at >= RING_S:
            ring, ring_at = list(rings(links, at)), at
        index = chance.choice(ring) if rings is alike else ring[turn % len(ring)]
        link = links[index - 1]
        heapq.heappush(link.flows, (link.served + size, size, at))
    finish_until(DAYS * DAY_S + 1e6)
    cost = sum(one.tariff.cost_minor(int(one.carried)) for one in links) / 100
    return cost, spent / len(flows), {one.name: one.carried / BYTES_OF_GB for one in links}


def main() -> int:
    """Print the table; 1 when a bar is missed."""
    tariffs = Path(__file__).with_name("link_tariffs.json")
    flows = arrivals(random.Random(SEED))
    print(f"{len(flows)} flows, {sum(size for _, size in flows) / BYTES_OF_GB:.0f} GB in {DAYS} days")
    results = {}
    for name, rings in (("alike, at random", alike), ("thrifty", cheaply)):
        cost, mean_s, carried = results[name] = month(flows, rings, tariffs)
        shares = ", ".join(f"{link} {amount:.0f} GB" for link, amount in carried.items())
        print(f"{name:18} {cost:8.2f} EUR  mean {mean_s:6.2f} s  {shares}")
    (equal_cost, equal_s, _), (cost, mean_s, _) = results.values()
    cheaper, slower = 1 - cost / equal_cost, mean_s / equal_s
    print(f"cheaper by {cheaper:.0%} (bar {CHEAPER:.0%}), time {slower:.2f} x (bar {SLOWER:.2f})")
    return 0 if cheaper >= CHEAPER and slower <= SLOWER else 1


if __name__ == "__main__":
    sys.exit(main())
