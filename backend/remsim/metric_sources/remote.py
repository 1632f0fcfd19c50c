"""Samples of remote SIMs, from the object of ``GET /api/v1/remote-sim``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from remsim.metric_sources.modems import epoch_of
from remsim.telemetry.metrics.draft import Draft, Labels, labels

AUTHENTICATIONS = ("success", "resync", "unknown")
MOST_STATUS_WORDS = 64
"""Of one client; a card has a few."""
MAP_STATES = ("NEW", "UNACKNOWLEDGED", "ACTIVE")
OTHER = "other"
"""Any further state: a label is not for a server to make up."""


def add_remote_sims(draft: Draft, view: Mapping[str, Any], now: float) -> None:
    """Servers, banks, slot maps, clients, the spool, IonMesh."""
    add_servers(draft, view)
    for client in view.get("clients") or ():
        if client.get("name"):
            add_client(draft, client, now)
    add_counts(draft, view.get("gsmtap") or {}, labels(source="gsmtap"))
    spool = view.get("spool") or {}
    draft.add("remsim_spool_waiting", spool.get("waiting"))
    draft.add("remsim_spool_dropped_total", spool.get("dropped"))
    ionmesh = view.get("ionmesh") or {}
    if ionmesh.get("state") not in (None, "off"):
        draft.add("remsim_ionmesh_registered", ionmesh["state"] == "registered")


def add_servers(draft: Draft, view: Mapping[str, Any]) -> None:
    """Each server, its banks and the slot maps there."""
    names: dict[str | None, list[Mapping[str, Any]]] = {}
    for server in view.get("servers") or ():
        own = labels(server=server.get("name"))
        names[server.get("name")] = []
        draft.add("remsim_server_up", server.get("reachable"), own)
        draft.add("remsim_server_restart_timestamp_seconds", epoch_or_none(server.get("restarted_at")), own)
    for bank in view.get("banks") or ():
        own = labels(server=bank.get("server"), bank_id=bank.get("bank_id"))
        draft.add("remsim_bank_connected", bank.get("connected"), own)
        draft.add("remsim_bank_slots", bank.get("slots"), own)
    for one in view.get("slotmaps") or ():
        names.setdefault(one.get("server"), []).append(one)
    for name, maps in names.items():
        add_maps(draft, name, maps)


def add_maps(draft: Draft, server: str | None, maps: list[Mapping[str, Any]]) -> None:
    """How many slot maps there are, and how many are not as wanted."""
    own = labels(server=server)
    desired = [one for one in maps if one.get("desired")]
    states = Counter(one["state"] if one["state"] in MAP_STATES else OTHER for one in maps if one.get("state"))
    for state, count in states.items():
        draft.add("remsim_slot_maps", count, own + labels(state=state))
    draft.add("remsim_slot_maps_desired", len(desired), own)
    draft.add("remsim_slot_maps_missing", sum(one.get("state") != "ACTIVE" for one in desired), own)
    draft.add("remsim_slot_maps_conflicting", sum(bool(one.get("conflict")) for one in maps), own)
    draft.add("remsim_slot_maps_held", sum(bool(one.get("held")) for one in maps), own)


def add_client(draft: Draft, client: Mapping[str, Any], now: float) -> None:
    """One client of this router."""
    process, link, relay = (client.get(part) or {} for part in ("process", "bankd_link", "relay"))
    own = labels(client=client["name"], modem=client.get("modem"))
    told = labels(
        client_slot=client.get("client_slot"), bank_slot=client.get("bank_slot"), program=process.get("program")
    )
    draft.add("remsim_client_info", 1, own + told)
    if client.get("state"):
        draft.add("remsim_client_state", 1, own + labels(state=client["state"]))
    draft.add("remsim_client_state_timestamp_seconds", epoch_or_none(client.get("since")), own)
    draft.add("remsim_client_running", process.get("running"), own)
    draft.add("remsim_client_restarts_total", process.get("restarts"), own)
    draft.add("remsim_client_server_connected", (client.get("server_link") or {}).get("up"), own)
    bank = own + labels(bank_id=str(client.get("bank_slot") or "").partition(":")[0])
    draft.add("remsim_bankd_connected", link.get("up"), bank)
    since = epoch_or_none(link.get("since"))
    if link.get("up") and since is not None:
        draft.add("remsim_bankd_connection_duration_seconds", round(max(now - since, 0.0), 3), bank)
    draft.add("remsim_bankd_reconnects_total", client.get("reconnects"), bank)
    if relay.get("enabled"):
        draft.add("remsim_relay_running", relay.get("running"), labels(client=client["name"]))
    add_counts(draft, client, labels(client=client["name"], source="relay"))


def add_counts(draft: Draft, counted: Mapping[str, Any], own: Labels) -> None:
    """TPDUs and authentications, if they are counted. They begin anew when ``counted_since`` does."""
    since = epoch_or_none(counted.get("counted_since"))
    for direction in ("rx", "tx"):
        draft.add(f"remsim_tpdu_{direction}_total", counted.get(f"tpdu_{direction}"), own, since=since)
    seen = counted.get("authentications")
    if seen is not None:
        for result in AUTHENTICATIONS:
            draft.add(f"remsim_sim_authentication_{result}_total", seen.get(result), own, since=since)
        failures = seen.get("failure") or {}
        draft.add("remsim_sim_authentication_failure_total", sum(failures.values()), own, since=since)
        for word in sorted(failures)[:MOST_STATUS_WORDS]:
            told = own + labels(status_word=word)
            draft.add("remsim_sim_authentication_status_word_total", failures[word], told, since=since)
    times = counted.get("apdu_seconds")
    if times is not None:
        buckets = [(float(bound), int(count)) for bound, count in times["buckets"]]
        draft.add_histogram("remsim_apdu_duration_seconds", buckets, times["sum"], own, since=since)


def epoch_or_none(iso: str | None) -> float | None:
    """Seconds since the epoch of a time of the API, if there is one."""
    return None if iso is None else epoch_of(iso)
