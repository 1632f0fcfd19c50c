"""The thread that shares traffic: the only one that touches the data plane."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from remsim.config.routing import Routing
from remsim.core.clock import Clock
from remsim.core.events import Event
from remsim.core.routes import LinkView, Loaded, Program
from remsim.links.facts import Around
from remsim.links.ledger import Ledger, NoLedger
from remsim.links.now import LinkNow, LiveFlow, RingNow, Status
from remsim.links.plane import Plane
from remsim.links.probes.prober import Prober
from remsim.links.uptime import Uptime

Tick = Callable[[Sequence[LinkView]], None]


class Control:
    """Reads flows, weighs links, swaps rings, moves flows off a link that fails.

    Every method may be called from any thread. Those that change the plane wait for the control thread to have done it
    and raise what it met (``PlaneError``, ``PlaneRefused``); called by the control thread itself (in a tick) they are
    done at once. Those that read give the last snapshot and never wait.
    """

    def __init__(
        self,
        plane: Plane,
        prober: Prober,
        around: Around,
        clock: Clock,
        emit: Callable[[Event], None],
        *,
        uptime: Uptime | None = None,
        ledger: Ledger | None = None,
        simulated: bool = False,
    ) -> None:
        """``simulated``: links have no device here, and are probed through loopback."""
        self._ledger = ledger or NoLedger()

    def start(self, routing: Routing) -> None:
        """Begin with these links; returns at once, ``status()`` says what became of it."""

    def stop(self) -> None:
        """End the thread and leave the machine as it was found."""

    def configure(self, routing: Routing) -> None:
        """Put changed settings in force: links that stay as they were keep their state and flows."""

    def load(self, program: Program) -> Loaded:
        """Put policies in force."""
        raise NotImplementedError

    def refill(self, chains: Mapping[int, Sequence[str]]) -> None:
        """Open and close policies."""

    def add(self, set_name: str, elements: Sequence[str], timeout_s: int | None = None) -> None:
        """Add elements to a set; does not wait, a failure is logged."""

    def act(self, name: str, action: str) -> None:
        """``enable``, ``disable`` (until the next configure), ``test`` (probe now), ``reset_flows`` of a link."""

    def subscribe(self, tick: Tick) -> None:
        """Have this called about once a second by the control thread, and at once after a link's state changed."""

    def views(self) -> tuple[LinkView, ...]:
        """The links now."""
        return ()

    def links(self) -> tuple[LinkNow, ...]:
        """The links with all that is known of them."""
        return ()

    def rings(self) -> tuple[RingNow, ...]:
        """The rings with their reasons: ``interactive``, ``bulk``, then those of policies."""
        return ()

    def flows(self) -> list[LiveFlow]:
        """The flows as of the last look at them."""
        return []

    def counters(self) -> Mapping[str, tuple[int, int]]:
        """Packets and bytes of each named counter, not older than a second or so."""
        return {}

    def status(self) -> Status:
        """Whether it runs, and what an admin should know."""
        return Status()
