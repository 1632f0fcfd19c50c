"""Joins links and policies, which do not know each other, and both to the rest of the router."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from remsim.config.routing import Routing
from remsim.config.routing_file import RoutingDesk, load_routing
from remsim.config.settings import Settings
from remsim.core.clock import Clock
from remsim.core.events import Event
from remsim.core.routes import LinkView
from remsim.core.small_dataclass import dataclass
from remsim.links.desk import LinksDesk
from remsim.policies.desk import PolicyDesk

if TYPE_CHECKING:
    from remsim.esim.desk import EsimDesk
    from remsim.link_sources import EsimProfiles, LeaseNames
    from remsim.links.facts import Around
    from remsim.modems.manager import ModemManager
    from remsim.modems.netifd import Netifd
    from remsim.policies.facts import Facts
    from remsim.policies.facts import Traffic as TrafficOfPolicies
    from remsim.telemetry.usage import Usage

FLOWS_SEEN_S = 60.0
"""How often policies are shown what flows there are, of which they keep a sample."""


class Settled(Protocol):
    """Who has the settings that are in force."""

    @property
    def settings(self) -> Settings:
        """All of ``remsim_console``."""


class Of(Protocol):
    """The router that it is a part of."""

    modems: ModemManager
    usage: Usage
    esim: EsimDesk

    @property
    def config(self) -> Settled:
        """Its settings."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the configuration is, and what is kept."""

    config_dir: Path | None
    state_dir: Path
    data_dir: Path


class Traffic:
    """What goes where: ``config`` is ``remsim_routing``, ``links`` carry it, ``policies`` say how.

    ``plane`` is the data plane of a simulated router. ``problems``: what of the configuration cannot be used.
    """

    def __init__(
        self,
        paths: Paths,
        router: Of,
        *,
        netifd: Netifd,
        clock: Clock,
        emit: Callable[[Event], None],
        plane: Any = None,
    ) -> None:
        self._config_dir, self._router, self._netifd, self._clock = paths.config_dir, router, netifd, clock
        self._plane = plane
        self._flows_seen_at = float("-inf")
        self._leases: LeaseNames | None = None
        routing, self.problems = load_routing(paths.config_dir)
        self.config = RoutingDesk(paths.config_dir, paths.state_dir, clock=clock, running=routing)
        self.links = LinksDesk(
            routing=routing,
            state_dir=paths.state_dir,
            clock=clock,
            emit=emit,
            around=self._around,
            usage=router.usage,
            plans=lambda: router.config.settings.sims,
            profiles=self._profiles,
            plane=plane,
            policy_name=lambda number: self.policies.name(number),
            domain_of=self._domain_of,
            host_name=self._host_name,
        )
        self.policies = PolicyDesk(
            state_dir=paths.state_dir,
            data_dir=paths.data_dir,
            clock=clock,
            emit=emit,
            routing=routing,
            facts=self._facts,
            traffic=self._traffic,
            learns=plane is None,
        )
        if plane is not None:
            plane.decide = self.policies.decide
        self.links.subscribe(self._tick)
        self.config.subscribe(self._follow)

    def start(self) -> None:
        """Carry traffic, then say how."""
        self.config.keep_what_is_there()
        self.links.start()
        self.policies.start()

    def stop(self) -> None:
        """Leave the machine as it was found."""
        self.policies.stop()
        self.links.stop()

    def _follow(self, routing: Routing) -> None:
        """Put changed links and policies in force, links first: policies are loaded on them."""
        self.links.configure(routing)
        self.policies.configure(routing)
        self.policies.links_changed()

    def look(self) -> None:
        """Each second, by a thread that may wait for the disk."""
        self.policies.tend()
        if self._clock.monotonic() - self._flows_seen_at >= FLOWS_SEEN_S:
            self._flows_seen_at = self._clock.monotonic()
            self.policies.saw(self.links.seen_flows(), self._domain_of)

    def _tick(self, views: Sequence[LinkView]) -> None:
        """Each second, by the thread that may change the data plane, and may wait for nothing."""
        self.policies.look()

    def _around(self) -> Around:
        from remsim.link_sources import around

        return around(self._router.modems, self._netifd, self._config_dir)

    def _profiles(self) -> EsimProfiles:
        from remsim.link_sources import EsimProfiles

        return EsimProfiles(self._router.esim)

    def _facts(self) -> Facts:
        from remsim.link_sources import facts_of_policies

        return facts_of_policies(self.links, self.config.settings, self._clock)

    def _traffic(self) -> TrafficOfPolicies | None:
        from remsim.link_sources import PolicyTraffic

        return PolicyTraffic(self.links) if self.links.parts is not None else None

    def _host_name(self, address: str) -> str | None:
        """What a device of the LAN calls itself; not in a simulation, whose devices are not those of this machine."""
        if self._plane is not None:
            return None
        if self._leases is None:
            from remsim.link_sources import LeaseNames

            self._leases = LeaseNames(self._config_dir, self._clock)
        return self._leases.name_of(address)

    def _domain_of(self, address: str) -> str | None:
        """The name that an address was asked for by."""
        name = self._plane.name_of(address) if self._plane is not None else self.policies.name_of(address)
        return None if name is None else str(name)
