"""All metrics of a router, gathered when somebody asks."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from socket import gethostname
from typing import Any, Protocol

from remsim.config.metrics import MetricsSettings
from remsim.config.settings import Settings
from remsim.core.bus import Bus
from remsim.core.clock import Clock
from remsim.core.events import Event
from remsim.metric_sources.cells import Cells
from remsim.metric_sources.host import add_host, add_process
from remsim.metric_sources.modems import add_modems
from remsim.metric_sources.remote import add_remote_sims
from remsim.metric_sources.service import EventCounter, Stopwatch, add_alerts, add_outputs
from remsim.metric_sources.sims import Cycles, add_sims
from remsim.telemetry.metrics.draft import Draft, Labels, labels
from remsim.telemetry.metrics.text import render, samples
from remsim.telemetry.usage import Usage

log = logging.getLogger(__name__)

Views = Callable[[], list[dict[str, Any]]]


class OutputStates(Protocol):
    """How an output does."""

    def state_of(self, name: str) -> dict[str, Any] | None:
        """None when it is off."""


class Metrics:
    """Asks the owners; any thread may, at any time. One source that fails costs its own samples only."""

    def __init__(
        self,
        *,
        version: str,
        settings: Settings,
        clock: Clock,
        bus: Bus,
        started_at: Callable[[], float],
        modems: Views,
        remote_sim: Callable[[], Mapping[str, Any]],
        alerts: Callable[[], Mapping[tuple[str, str], int]],
        outputs: OutputStates,
        usage: Usage,
        stores: Callable[[], Mapping[str, str | None]],
        write_errors: Callable[[], int],
        problems: Callable[[], int],
        storages: Mapping[str, Path],
    ) -> None:
        """``stores`` tells what keeps each store from being written, ``storages`` are directories to look after."""
        self._version = version
        self._settings = settings
        self._clock = clock
        self._started_at = started_at
        self._modems, self._remote_sim, self._alerts, self._outputs = modems, remote_sim, alerts, outputs
        self._stores, self._write_errors, self._problems, self._storages = stores, write_errors, problems, storages
        self._cycles = Cycles(usage, clock)
        self._cells = Cells(settings.metrics.cells)
        self._events = EventCounter()
        self._scrapes = Stopwatch()
        self._failures: Counter[str] = Counter()
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
        self._cells.most = settings.metrics.cells

    def text(self, *, openmetrics: bool = False) -> bytes:
        """What a scrape gets."""
        begun = time.perf_counter()
        text = render(self.draft(), self.router_id, openmetrics=openmetrics, aliases=self.settings.aliases)
        self._scrapes.took(time.perf_counter() - begun)
        return text

    def snapshot(self) -> tuple[tuple[str, Labels, float], ...]:
        """What outputs take: all samples by their main names."""
        return tuple(samples(self.draft(), self.router_id))

    def draft(self) -> Draft:
        """All samples of now."""
        draft = Draft()
        self._guarded("service", draft, self._add_service)
        self._guarded("host", draft, lambda to: add_host(to, self._clock.now(), self._storages))
        self._guarded("process", draft, lambda to: add_process(to, self._started_at()))
        self._guarded("outputs", draft, self._add_outputs)
        views: list[dict[str, Any]] = []
        self._guarded("modems", draft, partial(self._add_modems, views))
        remote: dict[str, Any] = {}
        self._guarded("remote_sim", draft, partial(self._add_remote_sims, remote))
        self._guarded("sims", draft, lambda to: self._add_sims(to, views, remote))
        for source in sorted(self._failures):
            failed = self._failures[source]
            draft.add("remsim_scrape_errors_total", failed, labels(source=source), since=self._started_at())
        return draft

    def _guarded(self, source: str, draft: Draft, add: Callable[[Draft], None]) -> None:
        try:
            add(draft)
        except Exception:  # a mistake in one source must not keep the others back; logged once, counted always
            if not self._failures[source]:
                log.exception("the metrics of %s could not be taken", source)
            self._failures[source] += 1

    def _add_service(self, draft: Draft) -> None:
        since = self._started_at()
        draft.add("remsim_build_info", 1, labels(version=self._version))
        for store, problem in self._stores().items():
            draft.add("remsim_store_working", problem is None, labels(store=store))
        draft.add("remsim_problems", self._problems())
        self._events.add(draft, since)
        draft.add("remsim_series_write_errors_total", self._write_errors(), since=since)
        add_alerts(draft, self._alerts())
        draft.add("remsim_stream_clients", self.stream_clients())
        self._scrapes.add(draft, "remsim_scrape_duration_seconds", since)

    def _add_outputs(self, draft: Draft) -> None:
        add_outputs(draft, self._settings.outputs, self._outputs.state_of, self._started_at())

    def _add_modems(self, views: list[dict[str, Any]], draft: Draft) -> None:
        views += self._modems()
        add_modems(draft, views, self._clock.now(), self._cells)

    def _add_remote_sims(self, view: dict[str, Any], draft: Draft) -> None:
        view |= self._remote_sim()
        add_remote_sims(draft, view, self._clock.now())

    def _add_sims(self, draft: Draft, views: list[dict[str, Any]], remote: Mapping[str, Any]) -> None:
        sims = add_sims(draft, views, remote.get("clients") or (), self._settings.sims)
        self._cycles.add(draft, sims, self._settings.sims)
