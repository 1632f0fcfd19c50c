"""Samples of SIMs: which serve which modem, and what each has used of its cap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from remsim.config.sims import SimSettings
from remsim.core.clock import FIRST_TRUSTED, Clock
from remsim.telemetry.metrics.draft import Draft, labels
from remsim.telemetry.usage import Usage
from remsim.telemetry.usage_report import DAY, cycle_of, day_at, midnight, plan_of, sim_report

LOOK_S = 60.0
"""Usage is written once a minute, so it is not looked at more often."""
ABSENT = "NOT_INSERTED"


class Cycles:
    """Usage of the billing cycles, looked at once a minute at most: the only samples that come from a file."""

    def __init__(self, usage: Usage, clock: Clock) -> None:
        self._usage = usage
        self._clock = clock
        self._looked: tuple[float, frozenset[str], list[dict[str, Any]]] | None = None

    def add(self, draft: Draft, sims: Iterable[str], plans: tuple[SimSettings, ...]) -> None:
        """The SIMs in the modems, and those that have a plan."""
        wanted = frozenset((*sims, *(plan.sim for plan in plans)))
        now = self._clock.monotonic()
        if self._looked is None or now - self._looked[0] >= LOOK_S or self._looked[1] != wanted:
            self._looked = now, wanted, self._reports(sorted(wanted), plans)
        for report in self._looked[2]:
            own = labels(sim=report["sim"])
            draft.add("remsim_sim_cycle_used_bytes", report["used_bytes"], own)
            draft.add("remsim_sim_cycle_cap_bytes", report["cap_bytes"], own)
            draft.add("remsim_sim_cycle_projected_bytes", report["projected_bytes"], own)
            draft.add("remsim_sim_cycle_cost", report["cost"], own + labels(currency=report["currency"]))
            draft.add("remsim_sim_cycle_end_timestamp_seconds", report["ends_at"], own)

    def _reports(self, sims: list[str], plans: tuple[SimSettings, ...]) -> list[dict[str, Any]]:
        now = self._clock.now()
        if now < FIRST_TRUSTED:
            return []
        found = []
        for sim in sims:
            plan = plan_of(sim, plans)
            cycle = cycle_of(day_at(now), plan.billing_day)
            found.append(sim_report(self._usage, sim, plan, cycle, now) | {"ends_at": midnight(cycle.last + DAY)})
        return found


def add_sims(
    draft: Draft,
    views: Iterable[Mapping[str, Any]],
    clients: Iterable[Mapping[str, Any]],
    plans: tuple[SimSettings, ...],
) -> list[str]:
    """Which SIM serves which modem; the SIMs that are there."""
    remote = {client["modem"]: client for client in clients if client.get("modem")}
    names = {plan.sim: plan.name for plan in plans}
    sims = []
    for view in views:
        if view["state"] == "gone":
            continue
        modem, sim, reading = view["id"], view["sim"], view["reading"]
        if sim is not None:
            sims.append(sim)
            draft.add("remsim_sim_info", 1, labels(modem=modem, sim=sim, name=names.get(sim)))
        client = remote.get(modem)
        serves_remotely = client is not None and client.get("state") == "remote"
        slot = None if reading is None else reading["sim_slot"]
        if client is not None:
            number = str(client.get("client_slot") or "").partition(":")[2] if slot is None else slot
            draft.add("remsim_sim_slot_active", serves_remotely, labels(modem=modem, slot=number, mode="remote"))
        state = None if reading is None else reading["sim_state"]
        if state is not None:
            is_local = state != ABSENT and not serves_remotely
            draft.add("remsim_sim_slot_active", is_local, labels(modem=modem, slot=slot, mode="local"))
    return sims
