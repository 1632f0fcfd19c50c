"""A recorded drive as scenes: what a modem would see in each second."""

from __future__ import annotations

import csv
import math
from functools import lru_cache
from pathlib import Path

from remsim.core.small_dataclass import dataclass

DRIVES = Path(__file__).with_name("drives")

MCC, MNC = "999", "01"
PLMN = MCC + MNC
"""A network code for private use (ITU-T E.212): the recordings do not name their networks."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A carrier of made-up cells: band, downlink EARFCN or NR-ARFCN, width."""

    band: int
    number: int
    mhz: float


LTE_CHANNELS = (
    Channel(3, 1300, 20),
    Channel(7, 2850, 20),
    Channel(20, 6300, 10),
    Channel(1, 300, 15),
    Channel(8, 3525, 10),
)
NR_LEG = Channel(78, 636666, 100)
"""The 5G leg of EN-DC; its PCI is ``Cell.nr_pci``."""
SA_CHANNEL = Channel(8, 188000, 10)
"""The private standalone network of ``rural-*`` is on n8."""
UMTS_CHANNEL = Channel(1, 10737, 5)

WARMING_S = 90

RESOURCE_BLOCKS = {5: 25, 10: 50, 15: 75, 20: 100}


@dataclass(frozen=True, slots=True)
class Cell:
    """A serving cell; identity, channel and band are made up from the recording's hash."""

    cell_id: int
    pci: int
    tac: int
    channel: Channel

    @property
    def nr_pci(self) -> int:
        """The PCI of the 5G leg that goes with this anchor."""
        return (self.pci + 300) % 1008


@dataclass(frozen=True, slots=True)
class Carrier:
    """A secondary LTE carrier."""

    channel: Channel
    pci: int
    rsrp_dbm: int | None = None
    rsrq_db: int | None = None
    rssi_dbm: int | None = None
    sinr_db: int | None = None


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A cell a modem hears beside its own; ``rat`` is LTE or NR."""

    rat: str
    number: int
    pci: int
    rsrp_dbm: int | None = None
    rsrq_db: int | None = None
    rssi_dbm: int | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """One second of a drive. ``mode`` is UMTS, LTE, NSA or SA; None is unknown.

    Whose the levels of an NSA scene are the recordings do not say: both legs have them. ``temperature_c`` is made up:
    the modem warms with the rate it carries. The recordings hold the serving cell only: ``carriers`` and
    ``neighbours`` are what the modem's radio makes up around it.
    """

    mode: str
    cell: Cell
    operator: str = "Operator A"
    rsrp_dbm: int | None = None
    rsrq_db: int | None = None
    sinr_db: int | None = None
    rssi_dbm: int | None = None
    rscp_dbm: int | None = None
    cqi: int | None = None
    dl_mbps: float | None = None
    ul_mbps: float | None = None
    rtt_ms: float | None = None
    loss_percent: float | None = None
    temperature_c: int = 36
    carriers: tuple[Carrier, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()


MODES = {"3G": "UMTS", "4G": "LTE", "5G": "NSA", "5G-SA": "SA"}
"""The recordings' technology in 3GPP's terms; the phones of ``ucc-*`` had non-standalone 5G only."""


def made_up_cell(hash_hex: str, mode: str) -> Cell:
    """The same cell for the same hash, always."""
    number = int(hash_hex or "0", 16)
    channel = {"SA": SA_CHANNEL, "UMTS": UMTS_CHANNEL}.get(mode) or LTE_CHANNELS[number % len(LTE_CHANNELS)]
    site = 0x10000 + (number >> 8) % 0x8000
    return Cell(site << 8 | number % 3 + 1, number % 504, 0x1A00 + (number >> 20) % 64, channel)


def rssi_of(rsrp_dbm: int | None, rsrq_db: int | None, mhz: float) -> int | None:
    """RSSI by definition (36.214): RSRQ = N * RSRP / RSSI with N resource blocks.

    The recorded RSSI is below RSRP, which cannot be, so it is not used.
    """
    if rsrp_dbm is None or rsrq_db is None or mhz not in RESOURCE_BLOCKS:
        return None
    return min(round(rsrp_dbm - rsrq_db + 10 * math.log10(RESOURCE_BLOCKS[int(mhz)])), -20)


def warmed(temperature_c: float, dl_mbps: float | None) -> float:
    """A second later: towards what the rate makes of it, in a minute or two."""
    goal_c = 34 + 4 * math.log10(1 + (dl_mbps or 0))
    return temperature_c + (goal_c - temperature_c) / WARMING_S


def number(text: str) -> float | None:
    """A field of the recording."""
    return float(text) if text else None


def level(text: str) -> int | None:
    """A radio value, whole as phones report it."""
    return round(float(text)) if text else None


@lru_cache(maxsize=8)
def load(name: str) -> tuple[Scene, ...]:
    """The scenes of a drive in order: seconds without a row are skipped, round trips hold until the next ping."""
    scenes: list[Scene] = []
    cells: dict[tuple[str, str], Cell] = {}
    rtt_ms: float | None = None
    loss_percent: float | None = None
    rates: tuple[float | None, float | None] = (None, None)
    temperature_c = 36.0
    with (DRIVES / f"{name}.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            mode = MODES[row["technology"]]
            key = (row["cell_id_hash"], mode)
            cell = cells[key] = cells.get(key) or made_up_cell(*key)
            if row["rtt_ms"] or row["loss_pct"]:
                rtt_ms, loss_percent = number(row["rtt_ms"]) or rtt_ms, number(row["loss_pct"])
            if "probe" not in row["event"]:  # the logger paused its own download to ping
                rates = number(row["dl_mbps"]), number(row["ul_mbps"])
            temperature_c = warmed(temperature_c, rates[0])
            rsrp_dbm, rsrq_db = level(row["rsrp_dbm"]), level(row["rsrq_db"])
            scenes.append(
                Scene(
                    mode,
                    cell,
                    f"Operator {row['operator']}",
                    rsrp_dbm,
                    rsrq_db,
                    level(row["sinr_db"]),
                    rssi_of(rsrp_dbm, rsrq_db, cell.channel.mhz) if mode in ("LTE", "NSA") else None,
                    level(row["rscp_dbm"]),
                    level(row["cqi"]),
                    *rates,
                    rtt_ms,
                    loss_percent,
                    round(temperature_c),
                )
            )
    return tuple(scenes)
