"""All metrics of a router. What gathers them is loaded when somebody asks first: most routers are never asked."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from socket import gethostname
from typing import TYPE_CHECKING

from remsim.config.metrics import MetricsSettings
from remsim.config.settings import Settings
from remsim.core.bus import Bus
from remsim.core.events import Event
from remsim.metric_sources.counting import EventCounter, Stopwatch

if TYPE_CHECKING:
    from remsim.metric_sources.gathering import Gathering, Owners
    from remsim.telemetry.metrics.draft import Draft, Labels


class Metrics:
    """Asks the owners; any thread may, at any time."""

    def __init__(self, owners: Callable[[], Owners], *, settings: Settings, bus: Bus) -> None:
        self._owners = owners
        self._settings = settings
        self._lock = threading.Lock()
        self._gathering: Gathering | None = None
        self._scrapes = Stopwatch()
        self._events = EventCounter()
        self.stream_clients: Callable[[], int | None] = lambda: None
        bus.listen(Event, self._events.take)

    @property
    def settings(self) -> MetricsSettings:
        """What is set of them."""
        return self._settings.metrics

    @property
    def router_id(self) -> str:
        """What every sample is told to come from."""
        return self.settings.router_id or gethostname()

    def configure(self, settings: Settings) -> None:
        """Put changed settings in force."""
        self._settings = settings

    def text(self, *, openmetrics: bool = False) -> bytes:
        """What a scrape gets."""
        from remsim.telemetry.metrics.text import render

        begun = time.perf_counter()
        text = render(self.draft(), self.router_id, openmetrics=openmetrics, aliases=self.settings.aliases)
        self._scrapes.took(time.perf_counter() - begun)
        return text

    def snapshot(self) -> tuple[tuple[str, Labels, float], ...]:
        """What outputs take: all samples by their main names."""
        from remsim.telemetry.metrics.text import samples

        return tuple(samples(self.draft(), self.router_id))

    def draft(self) -> Draft:
        """All samples of now."""
        with self._lock:
            gathering = self._gathering
            if gathering is None:
                from remsim.metric_sources.gathering import Gathering

                gathering = self._gathering = Gathering(self._owners(), self._events, self._scrapes)
        return gathering.draft(self._settings, self.stream_clients())
