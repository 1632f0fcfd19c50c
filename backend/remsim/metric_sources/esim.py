"""Samples of eUICCs, from what was last read of them: no card is asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from remsim.telemetry.metrics.draft import Draft, labels


def add_esims(draft: Draft, counts: Mapping[str, Any]) -> None:
    """Profiles by state, free memory, what operators have not been told."""
    for holder in counts.get("holders") or ():
        own = labels(modem=holder["id"])
        draft.add("remsim_esim_read_timestamp_seconds", holder["read_at"], own)
        draft.add("remsim_esim_free_bytes", holder["free_bytes"], own)
        for state in ("enabled", "disabled"):
            draft.add("remsim_esim_profiles", holder["states"][state], own + labels(state=state))
        draft.add("remsim_esim_notifications_waiting", holder["notifications"], own)
