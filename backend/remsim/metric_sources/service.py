"""Samples of the service itself: what happened, what is stored, who watches, what is sent on."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from remsim.alerts.alert import SEVERITY_RANK
from remsim.config.outputs import OutputSettings
from remsim.core.events import KINDS, Event
from remsim.telemetry.metrics.draft import Draft, labels


class EventCounter:
    """Counts what happens, from any thread. Every kind is there from the beginning, so that its first one is seen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = Counter(dict.fromkeys(KINDS, 0))

    def take(self, event: Event) -> None:
        """One more."""
        with self._lock:
            self._counts[event.kind] += 1

    def add(self, draft: Draft, since: float) -> None:
        """All counts."""
        with self._lock:
            counts = list(self._counts.items())
        for kind, count in counts:
            draft.add("remsim_events_total", count, labels(kind=kind), since=since)


class Stopwatch:
    """How often something was done, and how long all of it took."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count, self._total_s = 0, 0.0

    def took(self, seconds: float) -> None:
        """Once more."""
        with self._lock:
            self._count += 1
            self._total_s += seconds

    def add(self, draft: Draft, name: str, since: float) -> None:
        """Sum and count."""
        with self._lock:
            count, total_s = self._count, self._total_s
        draft.add_summary(name, round(total_s, 6), count, since=since)


def add_alerts(draft: Draft, counts: Mapping[tuple[str, str], int]) -> None:
    """Alerts that are not over, counted by state and severity."""
    for severity in SEVERITY_RANK:
        draft.add("remsim_alerts_firing", counts.get(("firing", severity), 0), labels(severity=severity))
    draft.add("remsim_alerts_pending", sum(count for (state, _), count in counts.items() if state == "pending"))


def add_outputs(
    draft: Draft, outputs: Iterable[OutputSettings], state_of: Callable[[str], Mapping[str, Any] | None], since: float
) -> None:
    """How each output that is in use does. Its counts are this run's, or since its settings were changed."""
    for output in outputs:
        state = state_of(output.name)
        if state is None:
            continue
        own = labels(output=output.name)
        draft.add("remsim_output_working", state["problem"] is None, own)
        draft.add("remsim_output_sent_samples_total", state["sent_samples"], own, since=since)
        draft.add("remsim_output_dropped_rows_total", state["dropped"], own, since=since)
        draft.add("remsim_output_waiting_bytes", state["waiting_bytes"], own)
