"""Which cells may be labels: a router on the road would make a new series for each cell it passes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

KEPT_S = 86400.0
FIELDS = ("band", "pci", "tac", "cell_id", "nr_band", "nr_arfcn", "nr_pci")


class Cells:
    """The cells each modem was in within a day, ``most`` of them at most. Further ones have no sample."""

    def __init__(self) -> None:
        self.most = 0
        self._seen: dict[str, dict[tuple[Any, ...], float]] = {}

    def of(self, modem: str, reading: Mapping[str, Any], now: float) -> dict[str, Any] | None:
        """The labels of the cell a reading tells of."""
        cell = {"arfcn": reading["arfcn"] if reading["earfcn"] is None else reading["earfcn"]}
        cell |= {name: reading[name] for name in FIELDS}
        if not any(value is not None for value in cell.values()):
            return None
        seen = self._seen.get(modem, {})
        key = tuple(cell.values())
        if key not in seen:
            seen = {one: at for one, at in seen.items() if abs(now - at) < KEPT_S}
            if len(seen) >= self.most:
                return None
        # A new dict, or one with no new key: scrapes of other threads may look at the old one.
        self._seen[modem] = {**seen, key: now} if key not in seen else seen
        seen = self._seen[modem]
        seen[key] = now
        return cell

    def forget(self, modem: str) -> None:
        """A modem is gone."""
        self._seen.pop(modem, None)
