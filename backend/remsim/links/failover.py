"""What becomes of the flows of a link that fails, ends or returns, and the news of it.

Called by Sharing, when rings lead new flows elsewhere already. Times are monotonic seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from remsim.core.clock import Clock, iso_utc
from remsim.core.errors import RemsimError
from remsim.core.events import Event
from remsim.core.routes import Flow
from remsim.links.health import Change
from remsim.links.link import Link
from remsim.links.load.flows import FlowMeter
from remsim.links.plane import Addresses, Plane

log = logging.getLogger(__name__)

SPENT = "its data cap is used up"


class Failover:
    """Moves flows. ``count`` and ``last`` tell of links that failed while others were up."""

    def __init__(self, plane: Plane, meter: FlowMeter, clock: Clock, emit: Callable[[Event], None]) -> None:
        self._plane, self._meter, self._clock, self._emit = plane, meter, clock, emit
        self.count = 0
        self.last: Mapping[str, Any] | None = None

    def fail(self, link: Link, change: Change | None, others: Sequence[str], at: float) -> None:
        """A link is not used any more; ``others`` are the names of those that are."""
        since = change.silent_since if change is not None else None
        ms = round((self._clock.monotonic() - since) * 1000) if since is not None else None
        data = {"ms": ms, "to": list(others)}
        name = link.settings.name
        if link.state == "off" or (link.is_spent and others):
            flows, reset = self.cut(link, at) if others else (0, 0)
            what = "is switched off" if link.state == "off" else f"carries nothing more: {SPENT}"
            self.say("link_state", link, f"{name} {what}", data | {"flows": flows, "reset": reset})
            return
        if not others:
            # Its flows may go on when it comes back; there is nowhere else for them.
            link.is_cut = False
            link.left, link.is_forgotten = self._ending(link, at), is_gone(link.addresses)
            self.say("link_down", link, f"{name} failed{because(link.reason)}; no other link is up", data, "error")
            return
        flows, reset = self.cut(link, at)
        after = f" {ms / 1000:.1f} s after the last sign of it" if ms is not None else ""
        moved = f"{flows} flow{'' if flows == 1 else 's'} moved to {', '.join(others)}{after}"
        self.count += 1
        message = f"{name} failed{because(link.reason)}; {moved}"
        self.last = {"at": iso_utc(self._clock.now()), "link": name, "message": message, "flows": flows}
        self.say("failover", link, message, data | {"flows": flows, "reset": reset}, "warning")

    def back(self, link: Link, links: Iterable[Link], at: float, *, is_lost: bool, is_first: bool) -> None:
        """A link is used again. ``is_lost``: the flows that waited for it are forgotten; ``is_first``: no other is up.

        With no link up, new flows were led to all: those of the ones that are still away begin again too.
        """
        for other in links:
            has_tried = is_first and other.health.failures and not other.was_used
            if is_lost if other is link else has_tried or not other.is_cut:
                self.cut(other, at)
        link.left, link.is_forgotten = [], False
        self.say("link_up", link, f"{link.settings.name} carries traffic", {})

    def cut(self, link: Link, at: float) -> tuple[int, int]:
        """Have a link's flows begin again elsewhere: how many there were, how many were reset."""
        flows = (*link.left, *self._meter.last_on(link.index, at))
        link.is_cut, link.left, link.is_forgotten = True, [], False
        try:
            cut = self._plane.cut(link.index, flows)
        except RemsimError as error:
            log.warning("the flows of %s could not be moved: %s", link.settings.name, error.message)
            return 0, 0
        return cut.flows, cut.reset

    def say(self, kind: str, link: Link, message: str, data: dict[str, Any], severity: str = "info") -> None:
        """Tell what became of a link."""
        link.told = link.state
        source = link.facts.modem if link.facts is not None else "remsim"
        facts = {"link": link.settings.name, "state": link.state, "reason": link.reason} | data
        self._emit(Event(kind, source, self._clock.now(), message, severity, facts))

    def _ending(self, link: Link, at: float) -> list[Flow]:
        """A link's flows, also those that nobody has looked at yet."""
        found = {flow.key: flow for flow in self._meter.last_on(link.index, at)}
        try:
            found |= {flow.key: flow for flow in self._plane.ending(link.index)}
        except RemsimError as error:
            log.warning("the flows of %s could not be listed: %s", link.settings.name, error.message)
        return list(found.values())


def is_gone(addresses: Addresses | None) -> bool:
    """Whether a device is not there, or down."""
    return addresses is None or not addresses.is_up


def because(reason: str | None) -> str:
    """``: it does not answer``."""
    return f": {reason}" if reason else ""
