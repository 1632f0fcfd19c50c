"""Which values have a history: read from the store definitions in ``rrd/``."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from operator import attrgetter
from pathlib import Path

from remsim.core.errors import InvalidInput
from remsim.core.paths import shared_dir
from remsim.core.reading import ModemReading
from remsim.core.small_dataclass import dataclass
from remsim.telemetry.quality import INPUTS, quality_percent


@dataclass(frozen=True, slots=True)
class Measure:
    """One charted value: a field of the reading, a data source of a store."""

    name: str
    unit: str
    label: str
    store: str
    minimum: float
    maximum: float


@dataclass(frozen=True, slots=True)
class Derived:
    """A measure that is not stored but worked out from stored ones, value by value."""

    measure: Measure
    inputs: tuple[str, ...]
    value_of: Callable[[Sequence[float | None]], float | None]


@dataclass(frozen=True, slots=True)
class Archive:
    """How finely and for how long values are kept."""

    resolution_s: int
    keep_s: int


@dataclass(frozen=True, slots=True)
class Definitions:
    """All stores: their measures in the order of the data sources, and the archives."""

    stores: dict[str, tuple[Measure, ...]]
    archives: tuple[Archive, ...]
    step_s: int
    heartbeat_s: int
    only_if_used: frozenset[str] = frozenset()
    """Stores that most modems have nothing for: their files are made with the first value."""

    @property
    def measures(self) -> dict[str, Measure]:
        """All measures by name."""
        return {measure.name: measure for store in self.stores.values() for measure in store}


def load_definitions(directory: Path) -> Definitions:
    """The definitions in a folder of JSON files."""
    shared = json.loads((directory / "archives.json").read_text())
    read = {path.stem: json.loads(path.read_text()) for path in sorted(directory.glob("*.json"))}
    stores = {
        name: tuple(Measure(store=name, **source) for source in store["sources"])
        for name, store in read.items()
        if name != "archives"
    }
    archives = tuple(Archive(**archive) for archive in shared["archives"])
    only_if_used = frozenset(name for name, store in read.items() if store.get("only_if_used"))
    return Definitions(stores, archives, shared["step_s"], shared["heartbeat_s"], only_if_used)


DEFINITIONS = load_definitions(shared_dir("rrd"))
MEASURES = DEFINITIONS.measures
values_of: Callable[[ModemReading], tuple[float | None, ...]] = attrgetter(*MEASURES)
"""A reading's charted values in the order of ``MEASURES``: the stores' sources one behind the other."""

DERIVED = {
    "quality_percent": Derived(
        Measure("quality_percent", "%", "Connection quality", "", 0, 100), INPUTS, quality_percent
    )
}
SHOWN: dict[str, Measure] = MEASURES | {name: derived.measure for name, derived in DERIVED.items()}
"""Whatever can be asked for: stored and derived measures."""


def measure_named(name: str) -> Measure:
    """The measure, or ``InvalidInput`` that lists them."""
    try:
        return SHOWN[name]
    except KeyError:
        known = ", ".join(SHOWN)
        raise InvalidInput(f"{name[:40]!r} is not a measure", field="measure", hint=f"one of {known}") from None
