"""All of a router's links, as little of it as it needs: a router that has none only knows that."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remsim.config.routing import Routing
from remsim.config.sims import SimSettings
from remsim.core.clock import Clock
from remsim.core.errors import Conflict, RemsimError
from remsim.core.events import Event
from remsim.core.routes import Flow, LinkView, Program, RingSpec
from remsim.links.note import note_path

if TYPE_CHECKING:
    from remsim.links.facts import Around
    from remsim.links.money.cap_switch import Profiles
    from remsim.links.parts import Parts
    from remsim.links.plane import Plane
    from remsim.telemetry.usage import Usage
log = logging.getLogger(__name__)


def clear_leftovers() -> None:
    """Links are off now, but were not when the service was killed: leave the machine as it was found then."""
    try:
        if note_path().exists():
            from remsim.links.kernel.plane import clear_leftovers

            clear_leftovers()
    except (OSError, RemsimError) as error:
        log.warning("links: what a run has left stays: %s", error)


class LinksDesk:
    """Links that carry traffic, and what is known of them.

    ``around`` is what links ask of the rest of the router (loads it), ``usage`` what SIMs have used, ``plans`` what
    they cost, ``profiles`` changes the profiles of their eUICCs; ``plane`` is the data plane of a simulated router.
    ``policy_name`` gives the policy with a number in marks, ``domain_of`` the name an address was asked for by,
    ``host_name`` what a device of the LAN is called.
    """

    def __init__(
        self,
        *,
        routing: Routing,
        state_dir: Path,
        clock: Clock,
        emit: Callable[[Event], None],
        around: Callable[[], Around],
        usage: Usage,
        plans: Callable[[], tuple[SimSettings, ...]],
        profiles: Callable[[], Profiles],
        plane: Plane | None = None,
        policy_name: Callable[[int], str | None] = lambda number: None,
        domain_of: Callable[[str], str | None] = lambda address: None,
        host_name: Callable[[str], str | None] = lambda address: None,
    ) -> None:
        self._routing = routing
        self._is_simulated = plane is not None
        self._given: dict[str, Any] = {
            "state_dir": state_dir,
            "clock": clock,
            "emit": emit,
            "around": around,
            "usage": usage,
            "plans": plans,
            "profiles": profiles,
            "plane": plane,
            "policy_name": policy_name,
            "domain_of": domain_of,
            "host_name": host_name,
        }
        self._ticks: list[Callable[[Sequence[LinkView]], None]] = []
        self._loading = threading.Lock()
        self._parts: Parts | None = None
        self._is_started = False

    def subscribe(self, tick: Callable[[Sequence[LinkView]], None]) -> None:
        """Have this called about once a second while links carry traffic, by the thread that may change the plane."""
        self._ticks.append(tick)

    def start(self) -> None:
        """Carry traffic, if that is wanted."""
        with self._loading:
            self._is_started = True
            if not (self.is_wanted or self._is_simulated):
                clear_leftovers()
            self._follow()

    def configure(self, routing: Routing) -> None:
        """Put changed settings in force."""
        with self._loading:
            self._routing = routing
            if self._is_started:
                self._follow()

    def stop(self) -> None:
        """Leave the machine as it was found."""
        with self._loading:
            self._is_started = False
            parts, self._parts = self._parts, None
        if parts is not None:
            parts.stop()

    def look(self) -> None:
        """Now and then: begin what is due. Does not wait for it."""
        parts = self._parts
        if parts is not None:
            parts.look()

    @property
    def is_wanted(self) -> bool:
        """Whether links are to carry traffic."""
        routing = self._routing
        return routing.globals.enabled and any(link.enabled for link in routing.links)

    def lan(self) -> tuple[str, ...]:
        """The devices whose traffic is led: as links know them, asked of netifd while they are off."""
        if self._parts is not None:
            return self._parts.control.sharing.lan
        around: Around = self._given["around"]()
        try:
            return self._routing.globals.lan or around.lan()
        except RemsimError:  # netifd is away
            return ()

    @property
    def parts(self) -> Parts | None:
        """What works, None while it does not."""
        return self._parts

    def running(self) -> Parts:
        """What works; ``Conflict`` while links are off."""
        if self._parts is None:
            raise Conflict("links are off", hint="add a link and turn links on", field="links")
        return self._parts

    def link_views(self) -> tuple[LinkView, ...]:
        """The links as policies see them; while off, those that are configured."""
        if self._parts is not None:
            return self._parts.control.views()
        return tuple(
            LinkView(index, link.name, link.title, "off", tags=link.tags, carrier=link.carrier or None)
            for index, link in self._routing.by_number.items()
        )

    def view(self) -> dict[str, Any]:
        """The object of ``GET /api/v1/links``."""
        told = nothing(self._routing) if self._parts is None else self._parts.view()
        return {**overall(self._routing), "is_simulated": self._is_simulated, **told}

    def rings(self) -> dict[str, Any]:
        """What new flows are given to, and why."""
        return {"rings": [] if self._parts is None else self._parts.rings()}

    def flows(
        self, *, limit: int = 200, link: str | None = None, policy: str | None = None, host: str | None = None
    ) -> dict[str, Any]:
        """The flows that links carry now, those that move most first."""
        from remsim.links.live_view import flows_view

        parts = self._parts
        live = [] if parts is None else parts.control.flows()
        names = {} if parts is None else {view.index: view.name for view in parts.control.views()}
        return flows_view(live, names, self._given, limit=limit, link=link, policy=policy, host=host)

    def mptcp(self) -> dict[str, Any]:
        """What MPTCP does, also while links are off."""
        from remsim.links.mptcp.view import mptcp_view

        parts = self._parts
        return mptcp_view(None if parts is None else parts.mptcp)

    def usage(self, days: int) -> dict[str, Any]:
        """Bytes a day, link and policy of the last ``days``, and what several links save this month."""
        from remsim.links.money.saving import saving_of

        return {"days": [], "saving": saving_of((), {})} if self._parts is None else self._parts.usage(days)

    def seen_flows(self) -> list[Flow]:
        """The flows as of the last look at them."""
        return [] if self._parts is None else self._parts.control.known_flows()

    def shares(self, ring: RingSpec, family: int | None = None) -> Mapping[str, float] | None:
        """Percent of new flows that a ring gives each link now, by name: none where it refuses them, None where the
        next policy decides."""
        from remsim.links.asked import percents, shares_of

        if self._parts is None or self._parts.control.status().state != "running":
            return shares_of(ring, self.link_views(), self._routing)
        return percents(self._parts.control.sharing.slots(ring, family), self.link_views())

    def table_text(self, program: Program) -> str:
        """The table of nftables that a program would make now."""
        from remsim.links.asked import table_text

        return table_text(program, self.link_views(), self._routing, self.lan())

    def flows_by_policy(self) -> dict[int, tuple[int, int, int]]:
        """Flows under way, and what they received and sent, by the policy's number."""
        sums: dict[int, tuple[int, int, int]] = {}
        for one in self.seen_flows():
            count, rx, tx = sums.get(one.policy, (0, 0, 0))
            sums[one.policy] = count + 1, rx + (one.rx_bytes or 0), tx + (one.tx_bytes or 0)
        return sums

    def correct(self, name: str, used_bytes: int) -> None:
        """Put right what a link has used in its billing cycle."""
        self.running().correct(name, used_bytes)

    def act(self, name: str, action: str) -> None:
        """``test`` (probe now) or ``reset_flows`` of a link."""
        self.running().control.act(name, action)

    def _follow(self) -> None:
        """Have what works when it is wanted, and only then. Under the lock."""
        if self._parts is not None:
            if self.is_wanted:
                self._parts.configure(self._routing)
            else:
                parts, self._parts = self._parts, None
                parts.stop()
        elif self.is_wanted:
            from remsim.links.parts import Parts

            self._parts = Parts(ticks=self._ticks, **self._given)
            self._parts.start(self._routing)


def overall(routing: Routing) -> dict[str, Any]:
    """What is said of all links together."""
    settings = routing.globals
    return {
        "enabled": settings.enabled,
        "algorithm": settings.algorithm,
        "persistence": settings.persistence,
        "last_resort": settings.last_resort,
    }


def nothing(routing: Routing) -> Mapping[str, Any]:
    """What is shown while links are off: those that are configured, of which nothing is known."""
    from remsim.links.link_view import unknown_link

    return {
        "state": "off",
        "problem": None,
        "warnings": [],
        "capabilities": [],
        "links": [unknown_link(index, link) for index, link in routing.by_number.items()],
        "failovers": 0,
        "last_failover": None,
    }
