"""A data plane without a kernel: flows of a made-up household over the virtual modems' links.

It takes what the kernel's plane takes, and gives each new flow to the link whose turn it is in the ring of the policy
that matches. What a link carries is what its modem's drive carries: the interface's counters are the flows' sum.
"""

from __future__ import annotations

import contextlib
import random
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from remsim.core.routes import Flow, Loaded, Program, RingSpec
from remsim.core.small_dataclass import dataclass
from remsim.links.plane import USUAL, Addresses, Capability, Cut, LinkRoute, PlaneOptions

SEED = 8
GAP_S = 0.8
"""Between two new flows, on average."""
MOST_FLOWS = 400
Decide = Callable[[Flow, str | None], int]
"""The number of the policy that takes a flow to a name, 0 for none."""


@dataclass(frozen=True, slots=True)
class Habit:
    """Traffic of a kind: whose, where to, for how long, and how much it wants of a link."""

    share: float
    protocol: str
    port: int
    names: tuple[str, ...]
    hosts: tuple[int, ...]
    lasts_s: float
    wants: float
    klass: str = "interactive"


HABITS = (
    Habit(30, "tcp", 443, ("www.example.org", "news.example.net", "shop.example.com"), (20, 21, 22, 23), 4, 1),
    Habit(8, "tcp", 443, ("www.youtube.com", "r4.sn.googlevideo.com"), (21, 24), 90, 12),
    Habit(6, "udp", 5062, ("sip.example.net",), (20,), 60, 0.5),
    Habit(5, "udp", 3478, ("meet.example.com",), (20, 22), 120, 4),
    Habit(3, "tcp", 80, ("downloads.example.org",), (23,), 45, 30, "bulk"),
    Habit(2, "tcp", 22, ("backup.example.net",), (25,), 120, 15, "bulk"),
    Habit(4, "udp", 3074, ("game.example.com",), (24,), 150, 1),
    Habit(10, "udp", 53, ("dns.example.net",), (20, 21, 22, 23, 24, 25), 1, 0.05),
)


@dataclass(slots=True)
class Open:
    """A flow that is under way. ``down`` and ``up`` are the bytes it has had."""

    flow: Flow
    habit: Habit
    name: str
    ends_at: float
    down: float = 0.0
    up: float = 0.0


class SimulatedPlane:
    """A Plane (``links/plane.py``) over the interfaces of a simulated device tree."""

    remade = 0

    def __init__(self, sysfs_root: Path) -> None:
        self._net = sysfs_root / "class" / "net"
        self._random = random.Random(SEED)
        self._links: dict[int, LinkRoute] = {}
        self._rings: dict[str, Sequence[int]] = {}
        self._turns: dict[str, int] = {}
        self._program = Program()
        self._hits: dict[str, int] = {}
        self._counted: dict[int, tuple[int, int]] = {}
        self._open: list[Open] = []
        self._next_at = self._now = time.monotonic()
        self.decide: Decide = lambda flow, name: 0
        self._names: dict[str, str] = {}

    def start(
        self, lan: Sequence[str], *, on_device: Callable[[str], None], options: PlaneOptions = USUAL
    ) -> None:
        """Nothing to clear, nobody to listen to."""

    def stop(self, moving: Sequence[Flow] = ()) -> None:
        """Nothing is left behind."""

    def capabilities(self) -> tuple[Capability, ...]:
        """No kernel is asked."""
        return ()

    def warnings(self) -> list[dict[str, str | None]]:
        """Nothing is wrong with what is not there."""
        return []

    def pressing(self) -> list[dict[str, str | None]]:
        """Nor does it fill up."""
        return []

    def set_links(self, links: Sequence[LinkRoute]) -> None:
        """Carry flows over these."""
        self._links = {link.index: link for link in links}
        self._open = [one for one in self._open if one.flow.link in self._links]

    def addresses(self, device: str) -> Addresses:
        """A carrier's address, as long as the virtual interface is there."""
        if not (self._net / device).exists():
            return Addresses(False)
        number = sum(device.encode()) % 200 + 10
        return Addresses(True, f"10.64.{number}.2", None, f"10.64.{number}.1", None)

    def ensure_route(self, link: LinkRoute) -> bool:
        """There is one where there is an interface."""
        return (self._net / link.device).exists()

    def able(self, family: int) -> Collection[int]:
        """No family is told apart here."""
        return self._links

    def prepare(self, program: Program) -> None:
        """Sets take no time here."""

    def load(self, program: Program, default: Sequence[RingSpec], rings: Mapping[str, Sequence[int]]) -> Loaded:
        """Have new flows asked by these policies."""
        begin = time.monotonic()
        self._program = program
        self._rings = dict(rings)
        self._hits = {f"p_{one.number}": self._hits.get(f"p_{one.number}", 0) for one in program.policies}
        return Loaded(round((time.monotonic() - begin) * 1000, 3))

    def swap(self, rings: Mapping[str, Sequence[int]]) -> None:
        """Give new flows to others."""
        self._rings.update(rings)

    def refill(self, chains: Mapping[int, Sequence[str]]) -> None:
        """Open and close policies."""
        policies = tuple(
            replace(one, is_open=bool(chains[one.number])) if one.number in chains else one
            for one in self._program.policies
        )
        self._program = replace(self._program, policies=policies)

    def add(self, set_name: str, elements: Sequence[str], timeout_s: int | None = None) -> None:
        """Names are known without being learned."""

    def counters(self) -> Mapping[str, tuple[int, int]]:
        """Flows of each policy, octets of each link."""
        found = {name: (hits, 0) for name, hits in self._hits.items()}
        for index, link in self._links.items():
            for way, octets in zip(("rx", "tx"), self._octets(link), strict=True):
                found[f"link_{index}_{way}"] = (0, octets)
        return found

    def flows(self) -> list[Flow]:
        """What is under way now."""
        self._advance(time.monotonic())
        return [replace(one.flow, rx_bytes=int(one.down), tx_bytes=int(one.up)) for one in self._open]

    def ending(self, link: int) -> list[Flow]:
        """The flows of a link."""
        return [flow for flow in self.flows() if flow.link == link]

    def cut(self, link: int, flows: Sequence[Flow], *, only: str | None = None) -> Cut:
        """Have the flows of a link begin again on another."""
        begin = time.monotonic()
        gone = [one for one in self._open if one.flow.link == link and only in (None, one.flow.protocol)]
        self._open = [one for one in self._open if one not in gone]
        for one in gone:
            self._begin(one.habit, one.name, one.flow.source, one.ends_at - begin)
        reset = sum(one.flow.protocol == "tcp" for one in gone)
        return Cut(len(gone), reset, round((time.monotonic() - begin) * 1000, 3))

    def name_of(self, address: str) -> str | None:
        """What the household asked for to come to an address."""
        return self._names.get(address)

    def _advance(self, now: float) -> None:
        """Let time pass: flows move what their link moved, end, and begin."""
        self._now = now
        for index, link in self._links.items():
            octets = self._octets(link)
            before = self._counted.get(index, octets)
            self._counted[index] = octets
            here = [one for one in self._open if one.flow.link == index]
            wanted = sum(one.habit.wants for one in here)
            for one in here:
                one.down += max(0, octets[0] - before[0]) * one.habit.wants / wanted
                one.up += max(0, octets[1] - before[1]) * one.habit.wants / wanted
        self._open = [one for one in self._open if one.ends_at > now]
        while self._next_at < now:
            self._next_at = max(self._next_at, now - 10) + self._random.expovariate(1 / GAP_S)
            if len(self._open) < MOST_FLOWS:
                habit = self._random.choices(HABITS, [one.share for one in HABITS])[0]
                host = f"192.168.1.{self._random.choice(habit.hosts)}"
                self._begin(habit, self._random.choice(habit.names), host, self._random.expovariate(1 / habit.lasts_s))

    def _begin(self, habit: Habit, name: str, host: str, lasts_s: float) -> None:
        """A flow's first packet: the policy that matches decides on its ring, the ring on its link."""
        address = f"198.51.100.{sum(name.encode()) % 250 + 1}"
        self._names[address] = name
        port = self._random.randrange(32768, 61000)
        flow = Flow(habit.protocol, host, port, address, habit.port, 0, klass=habit.klass, is_established=True)
        number = self.decide(flow, name)
        policy = next((one for one in self._program.policies if one.number == number and one.is_open), None)
        ring = habit.klass if policy is None else policy.ring.name
        slots = [slot for slot in self._rings.get(ring) or () if slot in self._links]
        if not slots:
            return
        self._turns[ring] = self._turns.get(ring, -1) + 1
        link = slots[self._turns[ring] % len(slots)]
        if policy is not None:
            self._hits[f"p_{number}"] = self._hits.get(f"p_{number}", 0) + 1
        klass = habit.klass if policy is None else policy.ring.klass
        state = "ESTABLISHED" if habit.protocol == "tcp" else None
        flow = replace(flow, link=link, policy=0 if policy is None else number, klass=klass, state=state)
        self._open.append(Open(flow, habit, name, self._now + lasts_s))

    def _octets(self, link: LinkRoute) -> tuple[int, int]:
        """The counters of a link's interface; 0 where it is gone."""
        counts = [0, 0]
        for at, name in enumerate(("rx_bytes", "tx_bytes")):
            with contextlib.suppress(OSError, ValueError):
                counts[at] = int((self._net / link.device / "statistics" / name).read_text())
        return counts[0], counts[1]


