"""Samples of the modems, from their views."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from remsim.metric_sources.cells import Cells
from remsim.telemetry.metrics.draft import Draft, Labels, labels
from remsim.telemetry.quality import INPUTS, quality_percent

STALE_PERIODS, STALE_S = 3.0, 30.0
"""A reading that is older than so many periods, and than this, tells of the past: it has no samples."""
GONE_S = 3600.0
"""A modem that is unplugged has its state for so long, then nothing at all."""

NAMES = ("name", "vendor", "model", "firmware", "usb_path", "interface")
SIGNALS = {
    f"remsim_signal_{name}": name
    for name in (
        *("rssi_dbm", "rsrp_dbm", "rsrq_db", "sinr_db"),
        *("nr_rsrp_dbm", "nr_rsrq_db", "nr_sinr_db", "rscp_dbm", "ecio_db"),
    )
}
COUNTERS = {"remsim_data_rx_bytes_total": "rx_bytes", "remsim_data_tx_bytes_total": "tx_bytes"}
MEASURED = {
    "remsim_connection_latency_seconds": ("latency_ms", 1000),
    "remsim_connection_jitter_seconds": ("jitter_ms", 1000),
    "remsim_connection_packet_loss_ratio": ("loss_percent", 100),
}
RATES = {"receive": "rx_bits_per_s", "transmit": "tx_bits_per_s"}


def add_modems(draft: Draft, views: Iterable[Mapping[str, Any]], now: float, cells: Cells) -> None:
    """All modems that are there, or were an hour ago."""
    for view in views:
        modem, state = view["id"], view["state"]
        since = epoch_of(view["state_since"])
        if state == "gone" and now - since > GONE_S:
            cells.forget(modem)
            continue
        own = labels(modem=modem)
        draft.add("remsim_modem_state", 1, own + labels(state=state))
        draft.add("remsim_modem_state_timestamp_seconds", since, own)
        draft.add("remsim_connection_status", state == "online", own)
        draft.add("remsim_modem_at_commands_total", view["at_commands_total"], own)
        draft.add("remsim_modem_poll_period_seconds", view["effective_period_s"], own)
        draft.add("remsim_modem_info", 1, own + labels(**{name: view[name] for name in NAMES}))
        reading = view["reading"]
        if reading is None:
            continue
        at = epoch_of(reading["at"])
        draft.add("remsim_modem_reading_timestamp_seconds", at, own)
        if abs(now - at) <= max(STALE_PERIODS * (view["effective_period_s"] or 0.0), STALE_S):
            add_reading(draft, own, reading)
            cell = cells.of(modem, reading, now)
            if cell is not None:
                draft.add("remsim_modem_cell_info", 1, own + labels(**cell))


def add_reading(draft: Draft, own: Labels, reading: Mapping[str, Any]) -> None:
    """What a modem said last; ``own`` are its labels."""
    for name, field in SIGNALS.items():
        draft.add(name, reading[field], own)
    draft.add("remsim_modem_temperature_celsius", reading["temperature_c"], own)
    quality = quality_percent([reading[name] for name in INPUTS])
    draft.add("remsim_modem_quality_ratio", None if quality is None else round(quality / 100, 5), own)
    if reading["registration"] is not None:
        draft.add("remsim_modem_registration", 1, own + labels(registration=reading["registration"]))
    if reading["sim_state"] is not None:
        draft.add("remsim_sim_state", 1, own + labels(state=reading["sim_state"]))
    network = labels(**{name: reading[name] for name in ("operator", "plmn", "rat", "mode")})
    if network:
        draft.add("remsim_modem_network_info", 1, own + network)
    interface = reading["interface"]
    if interface is not None:
        add_traffic(draft, own, interface, reading)


def add_traffic(draft: Draft, own: Labels, interface: str, reading: Mapping[str, Any]) -> None:
    """What its interface carries. The counters are the kernel's, so our restart does not set them back."""
    place = own + labels(interface=interface)
    for name, field in COUNTERS.items():
        draft.add(name, reading[field], place)
    connection = labels(connection=interface) + own
    for name, (field, parts) in MEASURED.items():
        value = reading[field]
        draft.add(name, None if value is None else round(value / parts, 7), connection)
    for direction, field in RATES.items():
        rate = reading[field]
        if rate is not None:
            rated = connection + labels(direction=direction)
            draft.add("remsim_connection_throughput_bytes_per_second", rate / 8, rated)


def epoch_of(iso: str) -> float:
    """Seconds since the epoch of a time of the API."""
    return datetime.fromisoformat(iso).timestamp()
