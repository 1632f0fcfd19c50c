"""Asks every owner for what it has in memory, one after the other."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from remsim.config.settings import Settings
from remsim.core.clock import Clock
from remsim.core.small_dataclass import dataclass
from remsim.metric_sources.cells import Cells
from remsim.metric_sources.counting import EventCounter, Stopwatch
from remsim.metric_sources.esim import add_esims
from remsim.metric_sources.host import add_host, add_process
from remsim.metric_sources.links import add_links, add_policies
from remsim.metric_sources.modems import add_modems
from remsim.metric_sources.remote import add_remote_sims
from remsim.metric_sources.service import add_alerts, add_outputs
from remsim.metric_sources.sims import Cycles, add_sims
from remsim.telemetry.metrics.draft import Draft, labels
from remsim.telemetry.usage import Usage

log = logging.getLogger(__name__)


class OutputStates(Protocol):
    """How an output does."""

    def state_of(self, name: str) -> dict[str, Any] | None:
        """None when it is off."""


@dataclass(frozen=True, slots=True)
class Owners:
    """Whom metrics are asked of.

    ``stores`` tells what keeps each store from being written, ``storages`` are directories to look after, ``alerts``
    counts by state and severity.
    """

    version: str
    clock: Clock
    started_at: Callable[[], float]
    modems: Callable[[], list[dict[str, Any]]]
    remote_sim: Callable[[], Mapping[str, Any]]
    alerts: Callable[[], Mapping[tuple[str, str], int]]
    outputs: OutputStates
    usage: Usage
    stores: Callable[[], Mapping[str, str | None]]
    write_errors: Callable[[], int]
    problems: Callable[[], int]
    storages: Mapping[str, Path]
    esim: Callable[[], Mapping[str, Any]] = dict
    links: Callable[[], Mapping[str, Any]] = dict
    policies: Callable[[], Sequence[Mapping[str, Any]]] = list


class Gathering:
    """Makes drafts. One source that fails costs its own samples only."""

    def __init__(self, owners: Owners, events: EventCounter, scrapes: Stopwatch) -> None:
        self._owners = owners
        self._events = events
        self._scrapes = scrapes
        self._cycles = Cycles(owners.usage, owners.clock)
        self._cells = Cells()
        self._failures: Counter[str] = Counter()

    def draft(self, settings: Settings, stream_clients: int | None) -> Draft:
        """All samples of now."""
        draft, owners = Draft(), self._owners
        now, since = owners.clock.now(), owners.started_at()
        views: list[dict[str, Any]] = []
        remote: dict[str, Any] = {}
        self._cells.most = settings.metrics.cells
        self._guarded("service", self._add_service, draft, since)
        draft.add("remsim_stream_clients", stream_clients)
        self._guarded("host", add_host, draft, now, owners.storages)
        self._guarded("process", add_process, draft, since)
        self._guarded("outputs", add_outputs, draft, settings.outputs, owners.outputs.state_of, since)
        self._guarded("modems", self._add_modems, draft, views, now)
        self._guarded("remote_sim", self._add_remote_sims, draft, remote, now)
        self._guarded("esim", self._add_esims, draft)
        self._guarded("links", self._add_links, draft, since)
        self._guarded("sims", self._add_sims, draft, views, remote, settings)
        for source in sorted(self._failures):
            draft.add("remsim_scrape_errors_total", self._failures[source], labels(source=source), since=since)
        return draft

    def _guarded(self, source: str, add: Callable[..., None], *given: Any) -> None:
        try:
            add(*given)
        except Exception:  # a mistake in one source must not keep the others back; logged once, counted always
            if not self._failures[source]:
                log.exception("the metrics of %s could not be taken", source)
            self._failures[source] += 1

    def _add_service(self, draft: Draft, since: float) -> None:
        owners = self._owners
        draft.add("remsim_build_info", 1, labels(version=owners.version))
        for store, problem in owners.stores().items():
            draft.add("remsim_store_working", problem is None, labels(store=store))
        draft.add("remsim_problems", owners.problems())
        for kind, count in self._events.counts().items():
            draft.add("remsim_events_total", count, labels(kind=kind), since=since)
        draft.add("remsim_series_write_errors_total", owners.write_errors(), since=since)
        add_alerts(draft, owners.alerts())
        count, total_s = self._scrapes.read()
        draft.add_summary("remsim_scrape_duration_seconds", round(total_s, 6), count, since=since)

    def _add_modems(self, draft: Draft, views: list[dict[str, Any]], now: float) -> None:
        views += self._owners.modems()
        add_modems(draft, views, now, self._cells)

    def _add_remote_sims(self, draft: Draft, view: dict[str, Any], now: float) -> None:
        view |= self._owners.remote_sim()
        add_remote_sims(draft, view, now)

    def _add_esims(self, draft: Draft) -> None:
        add_esims(draft, self._owners.esim())

    def _add_links(self, draft: Draft, since: float) -> None:
        add_links(draft, self._owners.links(), since)
        add_policies(draft, self._owners.policies(), since)

    def _add_sims(
        self, draft: Draft, views: list[dict[str, Any]], remote: Mapping[str, Any], settings: Settings
    ) -> None:
        sims = add_sims(draft, views, remote.get("clients") or (), settings.sims)
        self._cycles.add(draft, sims, settings.sims)
