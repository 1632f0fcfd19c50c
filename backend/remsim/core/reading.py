"""What one modem said at one moment, named once for JSON, RRD, CSV and Prometheus."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from remsim.core.clock import iso_utc
from remsim.core.small_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ModemReading:
    """One round of polling, decoded. ``None`` is unknown, never a sentinel.

    ``at`` is the time of decoding, seconds since the epoch (UTC). ``rsrp_dbm`` and its fellows are the
    serving cell's (the LTE anchor's in EN-DC); the ``nr_`` values are the 5G leg's in EN-DC only.
    Counters (``rx_bytes`` …) are the interface's own since it came up, so they may restart.
    """

    modem: str
    at: float

    state: str | None = None
    registration: str | None = None  # home, roaming, searching, denied, not_registered, unknown
    rat: str | None = None  # GSM, UMTS, LTE, LTE-M, NB-IoT, NR
    mode: str | None = None  # GSM, UMTS, LTE, NSA, SA
    operator: str | None = None
    plmn: str | None = None

    band: int | None = None
    earfcn: int | None = None
    arfcn: int | None = None
    bw_dl_mhz: float | None = None
    pci: int | None = None
    tac: int | None = None
    cell_id: int | None = None

    rsrp_dbm: float | None = None
    rsrq_db: float | None = None
    sinr_db: float | None = None
    rssi_dbm: float | None = None
    rscp_dbm: float | None = None
    ecio_db: float | None = None

    nr_band: int | None = None
    nr_arfcn: int | None = None
    nr_bw_dl_mhz: float | None = None
    nr_pci: int | None = None
    nr_rsrp_dbm: float | None = None
    nr_rsrq_db: float | None = None
    nr_sinr_db: float | None = None

    temperature_c: float | None = None

    sim_state: str | None = None
    sim_slot: int | None = None
    sim: str | None = None  # keyed hash of the ICCID: the same card, without its number

    interface: str | None = None
    rx_bytes: int | None = None
    tx_bytes: int | None = None
    rx_bits_per_s: float | None = None
    tx_bits_per_s: float | None = None

    latency_ms: float | None = None
    jitter_ms: float | None = None
    loss_percent: float | None = None

    bankd_link_percent: float | None = None  # 100 while a bank serves the modem its card, 0 while none does

    at_commands_total: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """The flat object of the API and the stream; ``at`` as ISO 8601 UTC with milliseconds."""
        values: dict[str, Any] = {name: getattr(self, name) for name in FIELDS}
        values["at"] = iso_utc(self.at)
        return values


FIELDS: tuple[str, ...] = tuple(field.name for field in fields(ModemReading))

STATES = {
    "starting": "found, being identified",
    "online": "registered for data",
    "searching": "looking for a network",
    "denied": "the network refuses this SIM",
    "limited": "camped on a cell, emergency calls only",
    "no_sim": "no SIM inserted",
    "sim_pin": "the SIM wants its PIN",
    "sim_puk": "the SIM is blocked and wants its PUK",
    "sim_error": "the SIM is busy or faulty",
    "low_power": "the radio is off",
    "not_answering": "the modem does not answer",
    "failed": "the modem has not answered for long",
    "boot": "in a boot or download mode",
    "port_busy": "another program holds the AT port",
    "rebooting": "vanished moments ago, probably restarting",
    "gone": "unplugged",
    "paused": "polling is off",
}
"""Every state a modem can be in; pages put them into the user's words."""
