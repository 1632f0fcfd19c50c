"""Samples of the service itself: what is alerted, and what is sent on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from remsim.alerts.alert import SEVERITY_RANK
from remsim.config.outputs import OutputSettings
from remsim.telemetry.metrics.draft import Draft, labels


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
