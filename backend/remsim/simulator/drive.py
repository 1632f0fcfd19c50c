"""A recorded drive as scenes: what a modem would see in each second."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

DRIVES = Path(__file__).with_name("drives")

# Downlink channel of each band used for made-up cells: band -> (EARFCN, bandwidth code, MHz).
LTE_CHANNELS = {3: (1300, 5, 20), 7: (2850, 5, 20), 20: (6300, 3, 10), 1: (300, 4, 15), 8: (3525, 3, 10)}
NR_CHANNELS = {78: (636666, 12, 100), 1: (427250, 3, 20), 28: (156510, 1, 10)}


@dataclass(frozen=True, slots=True)
class Cell:
    """A serving cell; identity, channel and band are made up from the recording's hash."""

    cell_id: int
    pci: int
    tac: int
    band: int
    earfcn: int
    bw_code: int
    bw_mhz: float


@dataclass(frozen=True, slots=True)
class Scene:
    """One second of a drive. ``mode`` is GSM, UMTS, LTE, NSA or SA; None is unknown."""

    mode: str
    cell: Cell
    rsrp_dbm: int | None
    rsrq_db: int | None
    sinr_db: int | None
    rssi_dbm: int | None
    rscp_dbm: int | None
    dl_mbps: float | None
    ul_mbps: float | None
    rtt_ms: float | None
    loss_percent: float | None
    is_gap: bool


def made_up_cell(hash_hex: str, mode: str) -> Cell:
    """The same cell for the same hash, always."""
    number = int(hash_hex or "0", 16)
    channels = NR_CHANNELS if mode == "SA" else LTE_CHANNELS
    band = sorted(channels)[number % len(channels)]
    channel, code, mhz = channels[band]
    site = 0x10000 + (number >> 8) % 0x8000
    return Cell((site << 8) | number % 3 + 1, number % 504, 0x1A00 + (number >> 20) % 64, band, channel, code, mhz)


def mode_of(technology: str) -> str:
    """The recording's technology in 3GPP's terms."""
    generation = technology[:2]
    if technology.startswith("5G-SA"):
        return "SA"
    return {"2G": "GSM", "3G": "UMTS", "4G": "LTE", "5G": "NSA"}[generation]


def number(text: str) -> float | None:
    """A cell of the recording."""
    return float(text) if text else None


def level(text: str) -> int | None:
    """A radio value, whole as phones report it."""
    return round(float(text)) if text else None


@lru_cache(maxsize=8)
def load(name: str) -> tuple[Scene, ...]:
    """The scenes of a drive in order; seconds without a row are skipped, round trips hold until the next."""
    scenes: list[Scene] = []
    rtt: float | None = None
    loss: float | None = None
    with (DRIVES / f"{name}.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            rtt, loss = number(row["rtt_ms"]) or rtt, number(row["loss_pct"])
            mode = mode_of(row["technology"])
            rssi = level(row["rssi_dbm"])
            scenes.append(
                Scene(
                    mode,
                    made_up_cell(row["cell_id_hash"], mode),
                    level(row["rsrp_dbm"]),
                    level(row["rsrq_db"]),
                    level(row["sinr_db"]),
                    # A total below the reference signal's power cannot be; the recording's RSSI is dropped there.
                    rssi if rssi is not None and rssi > (level(row["rsrp_dbm"]) or -150) else None,
                    level(row["rscp_dbm"]),
                    number(row["dl_mbps"]),
                    number(row["ul_mbps"]),
                    rtt,
                    loss,
                    "gap" in row["event"],
                )
            )
    return tuple(scenes)
