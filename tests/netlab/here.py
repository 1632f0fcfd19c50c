"""The kernel's data plane in a lab's router, of this process: what it is told and asked are its own methods."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from remsim.core.clock import SystemClock
from remsim.core.routes import Flow, RingSpec
from remsim.links.kernel.plane import KernelPlane
from remsim.links.plane import USUAL, LinkRoute, PlaneOptions

from netlab.lab import LAN, Lab

DEFAULT = (RingSpec("interactive", (), "interactive"), RingSpec("bulk", ()))


class Here:
    """A plane; each call is made inside the lab's router."""

    def __init__(self, lab: Lab, run_dir: Path, options: PlaneOptions = USUAL) -> None:
        self._lab = lab
        self._plane = self._call(lambda: KernelPlane(SystemClock(), run_dir=run_dir))
        self.start([LAN], on_device=lambda name: None, options=options)

    def __getattr__(self, name: str) -> Callable[..., Any]:
        return lambda *values, **named: self._call(lambda: getattr(self._plane, name)(*values, **named))

    def flows(self) -> list[Flow]:
        """All flows that links carry, read now."""
        return self._call(lambda: list(self._plane.flows()))  # type: ignore[no-any-return]

    def made_anew(self) -> int:
        """How often the table was."""
        return self._plane.remade  # type: ignore[no-any-return]

    def links(self, **more: Any) -> list[LinkRoute]:
        """A link for each of the lab's."""
        return [LinkRoute(one.index, one.device, one.device, **more) for one in self._lab.links]

    def _call(self, work: Callable[[], Any]) -> Any:
        with self._lab.router.entered():
            return work()


def ring(*slots: int) -> dict[str, tuple[int, ...]]:
    """Both rings with these links."""
    return {"interactive": slots, "bulk": slots}
