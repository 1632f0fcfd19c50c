"""Samples of eUICCs, from the object of ``GET /api/v1/esim``: what was last read, no card is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from remsim.metric_sources.modems import epoch_of
from remsim.telemetry.metrics.draft import Draft, labels


def add_esims(draft: Draft, view: Mapping[str, Any]) -> None:
    """Profiles by state, free memory, what operators have not been told."""
    for holder in view.get("holders") or ():
        if not holder.get("read_at"):
            continue
        own = labels(modem=holder["id"])
        draft.add("remsim_esim_read_timestamp_seconds", epoch_of(holder["read_at"]), own)
        draft.add("remsim_esim_free_bytes", (holder.get("euicc") or {}).get("free_bytes"), own)
        states = Counter(str(profile["state"]) for profile in holder.get("profiles") or ())
        for state in ("enabled", "disabled"):
            draft.add("remsim_esim_profiles", states[state], own + labels(state=state))
        draft.add("remsim_esim_notifications_waiting", len(holder.get("notifications") or ()), own)
