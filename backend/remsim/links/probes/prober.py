"""Probes all links from one thread."""

from __future__ import annotations

from collections.abc import Callable

from remsim.core.clock import Clock
from remsim.links.probes.plan import UNKNOWN, ProbePlan, ProbeResult, Quality


class Prober:
    """Sends the probes of all links and says what comes of them.

    ``on_result`` hears of each answer and miss, ``on_portal`` whether something stands between a link and the Internet
    (None: it could not be told), both by the link's index and in the prober's thread.
    """

    def __init__(
        self,
        clock: Clock,
        on_result: Callable[[int, ProbeResult], None] = lambda index, result: None,
        on_portal: Callable[[int, bool | None], None] = lambda index, is_portal: None,
    ) -> None:
        self._clock = clock
        self.on_result = on_result
        self.on_portal = on_portal

    def watch(self, index: int, plan: ProbePlan) -> None:
        """Probe a link from now on; the same plan again changes nothing."""

    def unwatch(self, index: int) -> None:
        """Stop probing a link and forget it."""

    def restart(self, index: int) -> None:
        """The link's device came, went or changed its address: bind anew and ask at once."""

    def quality(self, index: int) -> Quality:
        """What the last probes say."""
        return UNKNOWN

    def traffic(self, index: int, rx_bytes: int, tx_bytes: int, rx_packets: int, tx_packets: int) -> None:
        """The counters of a link that has no device here (virtual ones); others are read by the prober itself."""

    def kinds(self) -> dict[int, str]:
        """The kind that was chosen for each link."""
        return {}

    def start(self) -> None:
        """Begin probing."""

    def stop(self) -> None:
        """End the thread and close what is open."""
