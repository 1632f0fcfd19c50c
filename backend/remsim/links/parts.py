"""What carries traffic over links: the plane, the probes, the thread that decides. Loaded when links are wanted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from remsim.config.routing import Routing
from remsim.core.clock import Clock
from remsim.core.events import Event
from remsim.core.routes import LinkView
from remsim.links.control import Control
from remsim.links.facts import Around
from remsim.links.link_view import link_view, ring_view, shares_of, status_view
from remsim.links.plane import Plane
from remsim.links.probes.prober import Prober
from remsim.links.uptime import Uptime

UPTIME = "link-uptime.json"


class Parts:
    """Everything of links that works."""

    def __init__(
        self,
        *,
        state_dir: Path,
        clock: Clock,
        emit: Callable[[Event], None],
        around: Callable[[], Around],
        plane: Plane | None,
        ticks: Sequence[Callable[[Sequence[LinkView]], None]],
        **_names: Any,
    ) -> None:
        self._around = around()
        self.control = Control(
            plane if plane is not None else kernel_plane(clock),
            Prober(clock),
            self._around,
            clock,
            emit,
            uptime=Uptime(clock, state_dir / UPTIME),
            simulated=plane is not None,
        )
        for tick in ticks:
            self.control.subscribe(tick)

    def start(self, routing: Routing) -> None:
        """Begin; what comes of it is in the view."""
        self.control.start(routing)

    def configure(self, routing: Routing) -> None:
        """Put changed settings in force."""
        self.control.configure(routing)

    def stop(self) -> None:
        """Leave the machine as it was found."""
        self.control.stop()

    def view(self) -> dict[str, Any]:
        """What ``GET /api/v1/links`` has beyond the settings."""
        rings = self.control.rings()
        links = [
            link_view(one, self._around.facts(one.settings), shares_of(rings, one.view), self.cost(one.view))
            for one in self.control.links()
        ]
        return {**status_view(self.control.status()), "links": links}

    def rings(self) -> list[dict[str, Any]]:
        """The rings with their reasons."""
        names = {view.index: view.name for view in self.control.views()}
        return [ring_view(ring, names) for ring in self.control.rings()]

    def cost(self, view: LinkView) -> Mapping[str, Any] | None:
        """What a link costs; None where nothing is known of it."""
        return None


def kernel_plane(clock: Clock) -> Plane:
    """The kernel's plane."""
    from remsim.links.kernel.plane import KernelPlane

    return KernelPlane(clock)
