"""A data plane, probes and surroundings without a kernel, for tests of what shares traffic."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from remsim.config.routing import LinkSettings, Routing, RoutingSettings
from remsim.core.routes import Flow, LinkView, Loaded, Program, RingSpec
from remsim.links.facts import Around, ModemFacts
from remsim.links.plane import USUAL, Addresses, Capability, Cut, LinkRoute, PlaneOptions
from remsim.links.probes.plan import UNKNOWN, ProbePlan, ProbeResult, Quality

_ports = count(20000)


@dataclass
class FakePlane:
    """Keeps what it is given; ``calls`` has the names of all calls in order. ``failing`` raises by a call's name."""

    devices: dict[str, Addresses] = field(default_factory=dict)
    open_flows: list[Flow] = field(default_factory=list)
    deleted: list[Flow] = field(default_factory=list)
    counted: dict[str, tuple[int, int]] = field(default_factory=dict)
    failing: dict[str, Exception] = field(default_factory=dict)
    without_route: set[int] = field(default_factory=set)
    unable: set[tuple[int, int]] = field(default_factory=set)
    calls: list[tuple[str, Any]] = field(default_factory=list)
    links: tuple[LinkRoute, ...] = ()
    program: Program = Program()
    rings: dict[str, tuple[int, ...]] = field(default_factory=dict)
    lan: tuple[str, ...] = ()
    remade: int = 0
    troubles: list[dict[str, str | None]] = field(default_factory=list)
    on_device: Callable[[str], None] = lambda device: None

    def start(
        self, lan: Sequence[str], *, on_device: Callable[[str], None], options: PlaneOptions = USUAL
    ) -> None:
        self._called("start", tuple(lan))
        self.lan, self.on_device = tuple(lan), on_device

    def stop(self, moving: Sequence[Flow] = ()) -> None:
        self._called("stop", tuple(moving))

    def capabilities(self) -> tuple[Capability, ...]:
        return ()

    def warnings(self) -> list[dict[str, str | None]]:
        return []

    def pressing(self) -> list[dict[str, str | None]]:
        return list(self.troubles)

    def set_links(self, links: Sequence[LinkRoute]) -> None:
        self._called("set_links", tuple(links))
        self.links = tuple(links)

    def addresses(self, device: str) -> Addresses:
        return self.devices.get(device, Addresses(False))

    def ensure_route(self, link: LinkRoute) -> bool:
        self._called("ensure_route", link.index)
        return link.index not in self.without_route

    def able(self, family: int) -> Collection[int]:
        return [one.index for one in self.links if (one.index, family) not in self.unable]

    def prepare(self, program: Program) -> None:
        """Nothing is large here."""

    def load(self, program: Program, default: Sequence[RingSpec], rings: Mapping[str, Sequence[int]]) -> Loaded:
        self._called("load", program)
        self.program = program
        self.rings = {name: tuple(slots) for name, slots in rings.items()}
        return Loaded(1.0)

    def swap(self, rings: Mapping[str, Sequence[int]]) -> None:
        self._called("swap", {name: tuple(slots) for name, slots in rings.items()})
        self.rings.update({name: tuple(slots) for name, slots in rings.items()})

    def refill(self, chains: Mapping[int, Sequence[str]]) -> None:
        self._called("refill", dict(chains))

    def add(self, set_name: str, elements: Sequence[str], timeout_s: int | None = None) -> None:
        self._called("add", (set_name, tuple(elements), timeout_s))

    def counters(self) -> Mapping[str, tuple[int, int]]:
        return dict(self.counted)

    def flows(self) -> list[Flow]:
        return list(self.open_flows)

    def ending(self, link: int) -> list[Flow]:
        return [flow for flow in (*self.deleted, *self.open_flows) if flow.link == link]

    def cut(self, link: int, flows: Sequence[Flow], *, only: str | None = None) -> Cut:
        self._called("cut", (link, tuple(flows)))
        self.open_flows = [flow for flow in self.open_flows if flow.link != link]
        return Cut(len(flows), sum(flow.protocol == "tcp" for flow in flows), 1.0)

    def names(self) -> list[str]:
        """The names of the calls so far."""
        return [name for name, _ in self.calls]

    def _called(self, name: str, what: Any = None) -> None:
        self.calls.append((name, what))
        if name in self.failing:
            raise self.failing[name]


@dataclass
class FakeProber:
    """Says what a test lets it say."""

    plans: dict[int, ProbePlan] = field(default_factory=dict)
    qualities: dict[int, Quality] = field(default_factory=dict)
    restarted: list[int] = field(default_factory=list)
    on_result: Callable[[int, ProbeResult], None] = lambda index, result: None
    on_portal: Callable[[int, bool | None], None] = lambda index, is_portal: None

    def watch(self, index: int, plan: ProbePlan, kind: str | None = None) -> None:
        self.plans[index] = plan

    def unwatch(self, index: int) -> None:
        self.plans.pop(index, None)

    def restart(self, index: int) -> None:
        self.restarted.append(index)

    def quality(self, index: int) -> Quality:
        return self.qualities.get(index, UNKNOWN)

    def traffic(self, index: int, rx_bytes: int, tx_bytes: int, rx_packets: int, tx_packets: int) -> None:
        """Nothing is made of it."""

    def kinds(self) -> dict[int, str]:
        return {}

    def start(self) -> None:
        """Nothing runs."""

    def stop(self) -> None:
        """Nothing runs."""


def around(
    modems: Mapping[str, ModemFacts] | None = None,
    devices: Mapping[str, str | None] | None = None,
    lan: Sequence[str] = ("br-lan",),
) -> Around:
    """Surroundings in which nothing changes but these mappings."""
    return Around((modems or {}).get, (devices or {}).get, lambda: tuple(lan))


def addresses(index: int) -> Addresses:
    """Of a device that is up."""
    return Addresses(True, f"10.64.{index}.2", None, f"10.64.{index}.1", None)


def routing(count: int = 2, *, links: Sequence[LinkSettings] | None = None, **options: Any) -> Routing:
    """Links ``one``, ``two``… over devices ``sim1``, ``sim2``…"""
    names = ("one", "two", "three", "four", "five", "six", "seven", "eight")
    made = [
        LinkSettings(names[at], device=f"sim{at + 1}", index=at + 1, priority=at + 1, portal_check=False)
        for at in range(count)
    ]
    return Routing(RoutingSettings(enabled=True, **options), tuple(links if links is not None else made))


def view(index: int, **known: Any) -> LinkView:
    """A link that is up."""
    usual = {"state": "up", "device": f"sim{index}", "priority": index}
    return LinkView(index, **{"name": f"link{index}", **usual, **known})


def flow(link: int, klass: str = "bulk", *, rx: int = 0, tx: int = 0, port: int | None = None, **more: Any) -> Flow:
    """An established TCP flow; without ``port`` another than all before."""
    source_port = next(_ports) if port is None else port
    usual = {"state": "ESTABLISHED", "is_established": True, "klass": klass, "rx_bytes": rx, "tx_bytes": tx}
    return Flow("tcp", "192.168.1.20", source_port, "203.0.113.1", 443, link, **{**usual, **more})


def grown(one: Flow, rx: int, tx: int = 0) -> Flow:
    """The same flow after it has moved so many octets more."""
    return replace(one, rx_bytes=(one.rx_bytes or 0) + rx, tx_bytes=(one.tx_bytes or 0) + tx)
