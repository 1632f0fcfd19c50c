"""What one metric is: name, type, labels, help."""

from __future__ import annotations

from remsim.core.small_dataclass import dataclass

UNITS = ("bytes_per_second", "seconds", "bytes", "celsius", "ratio", "dbm", "db")
"""Units a name may end with, longer ones first."""


@dataclass(frozen=True, slots=True)
class Family:
    """A metric family. ``name`` is that of its samples: with ``_total`` of a counter, with ``_info`` of an info.

    Every sample has the label ``router_id`` besides ``labels``; one that is not known is left out. ``roadmap`` is the
    name it was promised under, ``alias`` says how that name is made of it where the two differ. ``is_later``: nothing
    measures it yet.
    """

    name: str
    type: str  # gauge, counter, info, histogram, summary
    help: str
    labels: tuple[str, ...] = ()
    roadmap: str | None = None
    alias: Alias | None = None
    is_later: bool = False

    @property
    def base(self) -> str:
        """The family's name in OpenMetrics."""
        end = {"counter": "_total", "info": "_info"}.get(self.type, "")
        return self.name.removesuffix(end)

    @property
    def classic_type(self) -> str:
        """Its type in the classic text format, which has no infos."""
        return "gauge" if self.type == "info" else self.type

    @property
    def unit(self) -> str | None:
        """The unit its name ends with."""
        return next((unit for unit in UNITS if self.base.endswith(f"_{unit}")), None)


@dataclass(frozen=True, slots=True)
class Alias:
    """A second name, as a gauge: the value times ``factor``, summed over the labels in ``without``."""

    name: str
    factor: float = 1.0
    without: tuple[str, ...] = ()
