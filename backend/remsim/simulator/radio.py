"""What a modem may use of the air: technologies, bands, one cell; and what it then sees of a scene."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from remsim.core.small_dataclass import dataclass
from remsim.simulator.drive import LTE_CHANNELS, NR_LEG, Carrier, Cell, Channel, Neighbour, Scene

SITE_CHANNELS = 3
"""Carriers of one made-up LTE site: the one the drive was on, and the next ones of the list."""
OTHER_CARRIER_DB = 5
"""How much weaker each further carrier is than the one before; made up."""


@dataclass(frozen=True, slots=True)
class CellLock:
    """The one channel a modem may camp on, and the PCI there; no PCI is every cell of it."""

    rat: str  # LTE, NR
    channel: int
    pci: int | None = None


@dataclass(frozen=True, slots=True)
class Bands:
    """Bands by technology, as numbers; ``nsa`` and ``sa`` are NR's."""

    umts: frozenset[int] = frozenset()
    lte: frozenset[int] = frozenset()
    nsa: frozenset[int] = frozenset()
    sa: frozenset[int] = frozenset()

    def fit(self, known: Bands) -> bool:
        """Whether all of them are among ``known`` ones."""
        return self.umts <= known.umts and self.lte <= known.lte and self.nsa <= known.nsa and self.sa <= known.sa


@dataclass(frozen=True, slots=True)
class Radio:
    """A modem's preferences. ``modes`` are of UMTS, LTE and NR; ``nr_off`` of NSA and SA."""

    modes: frozenset[str]
    bands: Bands
    nr_off: frozenset[str] = frozenset()
    locks: tuple[CellLock, ...] = ()

    def tune(self, air: Scene) -> Scene | None:
        """What the modem camps on where ``air`` is what the drive found; None is no service."""
        if air.mode == "UMTS":
            allowed = "UMTS" in self.modes and air.cell.channel.band in self.bands.umts and not self.locks
            return air if allowed else None
        if air.mode == "SA":
            allowed = "NR" in self.modes and air.cell.channel.band in self.bands.sa and "SA" not in self.nr_off
            return air if allowed and self._unlocked("NR", air.cell) else None
        if "LTE" not in self.modes:
            return None
        for scene in site(air):
            if scene.cell.channel.band in self.bands.lte and self._unlocked("LTE", scene.cell):
                return scene if self._may_have_nr_leg(air) else replace(scene, mode="LTE")
        return None

    def carriers(self, scene: Scene, most: int) -> tuple[Carrier, ...]:
        """The secondary LTE carriers of a site, of the allowed bands; a site's number says how many it has."""
        if scene.mode not in ("LTE", "NSA") or scene.rsrp_dbm is None:
            return ()
        others = [one for one in site(scene) if one.cell != scene.cell and one.cell.channel.band in self.bands.lte]
        count = min(most, (scene.cell.cell_id >> 8) % SITE_CHANNELS)
        return tuple(
            Carrier(one.cell.channel, one.cell.pci, one.rsrp_dbm, one.rsrq_db, one.rssi_dbm, one.sinr_db)
            for one in others[:count]
        )

    def _may_have_nr_leg(self, air: Scene) -> bool:
        return (
            air.mode == "NSA" and "NR" in self.modes and NR_LEG.band in self.bands.nsa and "NSA" not in self.nr_off
        )

    def _unlocked(self, rat: str, cell: Cell) -> bool:
        locks = [lock for lock in self.locks if lock.rat == rat]
        return not self.locks or any(
            lock.channel == cell.channel.number and lock.pci in (None, cell.pci) for lock in locks
        )


def site(air: Scene) -> Iterable[Scene]:
    """The LTE carriers of the serving cell's site, the serving one first; made up, the same for the same cell."""
    yield air
    first = LTE_CHANNELS.index(air.cell.channel) if air.cell.channel in LTE_CHANNELS else 0
    for step in range(1, SITE_CHANNELS):
        channel = LTE_CHANNELS[(first + step) % len(LTE_CHANNELS)]
        yield moved(air, channel, step)


def moved(air: Scene, channel: Channel, step: int) -> Scene:
    """The scene on another carrier of the site: its own cell, weaker."""
    cell = Cell(air.cell.cell_id ^ step << 4, (air.cell.pci + 17 * step) % 504, air.cell.tac, channel)
    return replace(
        air,
        cell=cell,
        rsrp_dbm=weaker(air.rsrp_dbm, OTHER_CARRIER_DB * step, -140),
        rsrq_db=weaker(air.rsrq_db, step, -20),
        rssi_dbm=weaker(air.rssi_dbm, OTHER_CARRIER_DB * step, -113),
        sinr_db=weaker(air.sinr_db, 2 * step, -20),
    )


def weaker(value: int | None, by: int, lowest: int) -> int | None:
    """A level that many dB down, within what modems report."""
    return None if value is None else max(value - by, lowest)


def neighbours(scene: Scene) -> tuple[Neighbour, ...]:
    """Cells around the serving one, made up: two on its channel, one on another carrier of LTE."""
    if scene.mode == "UMTS" or scene.rsrp_dbm is None:
        return ()
    cell, top = scene.cell, 1008 if scene.mode == "SA" else 504
    rat = "NR" if scene.mode == "SA" else "LTE"
    found = [
        Neighbour(
            rat,
            cell.channel.number,
            (cell.pci + step) % top,
            weaker(scene.rsrp_dbm, 6 * step, -140),
            weaker(scene.rsrq_db, 3 * step, -20),
            weaker(scene.rssi_dbm, 4 * step, -113),
        )
        for step in (1, 2)
    ]
    if rat == "LTE":
        other = next(one for one in site(scene) if one.cell != cell)
        found.append(
            Neighbour(rat, other.cell.channel.number, other.cell.pci, other.rsrp_dbm, other.rsrq_db, other.rssi_dbm)
        )
    return tuple(found)


def mask_of(bands: frozenset[int]) -> int:
    """A bit a band, band 1 the lowest."""
    return sum(1 << band - 1 for band in bands)


UMTS_BITS = {1: 22, 2: 23, 3: 24, 4: 25, 5: 26, 6: 27, 7: 48, 8: 49, 9: 50, 19: 60, 11: 61}
"""WCDMA bands in Qualcomm's mask of GSM and WCDMA."""


def umts_mask_of(bands: frozenset[int]) -> int:
    """Qualcomm's mask of WCDMA bands."""
    return sum(1 << UMTS_BITS[band] for band in bands)


def umts_numbers_in(mask: int) -> frozenset[int]:
    """The WCDMA bands of Qualcomm's mask; its GSM bits are not simulated."""
    return frozenset(band for band, bit in UMTS_BITS.items() if mask >> bit & 1)


def numbers_in(mask: int) -> frozenset[int]:
    """The bands of a mask."""
    return frozenset(bit + 1 for bit in range(mask.bit_length()) if mask >> bit & 1)
