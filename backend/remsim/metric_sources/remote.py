"""Samples of remote SIMs, from the object of ``GET /api/v1/remote-sim``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from remsim.metric_sources.modems import epoch_of
from remsim.telemetry.metrics.draft import Draft

AUTHENTICATIONS = ("success", "resync", "unknown")
MOST_STATUS_WORDS = 64
"""Of one client; a card has a few."""


def add_remote_sims(draft: Draft, view: Mapping[str, Any], now: float) -> None:
    """Servers, banks, slot maps, clients, the spool, IonMesh."""
    add_servers(draft, view)
    for client in view.get("clients") or ():
        if client.get("name"):
            add_client(draft, client, now)
    add_counts(draft, view.get("gsmtap") or {}, source="gsmtap")
    spool = view.get("spool") or {}
    draft.add("remsim_spool_waiting", spool.get("waiting"))
    draft.add("remsim_spool_dropped_total", spool.get("dropped"))
    ionmesh = view.get("ionmesh") or {}
    if ionmesh.get("state") not in (None, "off"):
        draft.add("remsim_ionmesh_registered", ionmesh["state"] == "registered")


def add_servers(draft: Draft, view: Mapping[str, Any]) -> None:
    """Each server, its banks and the slot maps there."""
    for server in view.get("servers") or ():
        name = server.get("name")
        draft.add("remsim_server_up", server.get("reachable"), server=name)
        restarted = server.get("restarted_at")
        draft.add(
            "remsim_server_restart_timestamp_seconds", None if restarted is None else epoch_of(restarted), server=name
        )
    for bank in view.get("banks") or ():
        labels = {"server": bank.get("server"), "bank_id": bank.get("bank_id")}
        draft.add("remsim_bank_connected", bank.get("connected"), **labels)
        draft.add("remsim_bank_slots", bank.get("slots"), **labels)
    maps: dict[str | None, list[Mapping[str, Any]]] = {}
    for one in view.get("slotmaps") or ():
        maps.setdefault(one.get("server"), []).append(one)
    for name in {server.get("name") for server in view.get("servers") or ()} | set(maps):
        add_maps(draft, name, maps.get(name, ()))


def add_maps(draft: Draft, server: str | None, maps: Iterable[Mapping[str, Any]]) -> None:
    """How many slot maps there are, and how many are not as wanted."""
    maps = list(maps)
    desired = [one for one in maps if one.get("desired")]
    for state, count in Counter(one["state"] for one in maps if one.get("state")).items():
        draft.add("remsim_slot_maps", count, server=server, state=state)
    draft.add("remsim_slot_maps_desired", len(desired), server=server)
    draft.add("remsim_slot_maps_missing", sum(one.get("state") != "ACTIVE" for one in desired), server=server)
    draft.add("remsim_slot_maps_conflicting", sum(bool(one.get("conflict")) for one in maps), server=server)
    draft.add("remsim_slot_maps_held", sum(bool(one.get("held")) for one in maps), server=server)


def add_client(draft: Draft, client: Mapping[str, Any], now: float) -> None:
    """One client of this router."""
    name, process, link = client["name"], client.get("process") or {}, client.get("bankd_link") or {}
    own = {"client": name, "modem": client.get("modem")}
    info = {"client_slot": client.get("client_slot"), "bank_slot": client.get("bank_slot")}
    draft.add("remsim_client_info", 1, **own, **info, program=process.get("program"))
    if client.get("state"):
        draft.add("remsim_client_state", 1, **own, state=client["state"])
    since = client.get("since")
    draft.add("remsim_client_state_timestamp_seconds", None if since is None else epoch_of(since), **own)
    draft.add("remsim_client_running", process.get("running"), **own)
    draft.add("remsim_client_restarts_total", process.get("restarts"), **own)
    draft.add("remsim_client_server_connected", (client.get("server_link") or {}).get("up"), **own)
    bank = {**own, "bank_id": str(client.get("bank_slot") or "").partition(":")[0]}
    draft.add("remsim_bankd_connected", link.get("up"), **bank)
    if link.get("up") and link.get("since"):
        lasts_s = max(now - epoch_of(link["since"]), 0.0)
        draft.add("remsim_bankd_connection_duration_seconds", round(lasts_s, 3), **bank)
    draft.add("remsim_bankd_reconnects_total", client.get("reconnects"), **bank)
    relay = client.get("relay") or {}
    draft.add("remsim_relay_running", relay.get("running") if relay.get("enabled") else None, client=name)
    add_counts(draft, client, source="relay", client=name)


def add_counts(draft: Draft, counted: Mapping[str, Any], *, source: str, client: str | None = None) -> None:
    """TPDUs and authentications, if they are counted. They begin anew when ``counted_since`` does."""
    labels = {"client": client, "source": source}
    since = None if counted.get("counted_since") is None else epoch_of(counted["counted_since"])
    for direction in ("rx", "tx"):
        draft.add(f"remsim_tpdu_{direction}_total", counted.get(f"tpdu_{direction}"), since=since, **labels)
    seen = counted.get("authentications")
    if seen is not None:
        for result in AUTHENTICATIONS:
            draft.add(f"remsim_sim_authentication_{result}_total", seen.get(result), since=since, **labels)
        failures = seen.get("failure") or {}
        draft.add("remsim_sim_authentication_failure_total", sum(failures.values()), since=since, **labels)
        for word in sorted(failures)[:MOST_STATUS_WORDS]:
            draft.add(
                "remsim_sim_authentication_status_word_total", failures[word], since=since, **labels, status_word=word
            )
    times = counted.get("apdu_seconds")
    if times is not None:
        buckets = [(float(bound), int(count)) for bound, count in times["buckets"]]
        draft.add_histogram("remsim_apdu_duration_seconds", buckets, times["sum"], since=since, client=client)
