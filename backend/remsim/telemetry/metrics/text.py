"""Samples as text: Prometheus' classic format 0.0.4 and OpenMetrics 1.0.

Sources: prometheus.io, "Exposition formats"; OpenMetrics 1.0.0. Written by hand, for it takes a fifth of what
prometheus_client needs for the same samples (tests/benchmarks/bench_metrics.py).
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from remsim.telemetry.metrics.draft import Draft, Labels, Rows
from remsim.telemetry.metrics.family import Alias

CREATED = "_created"
ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})


def render(draft: Draft, router_id: str, *, openmetrics: bool = False, aliases: bool = True) -> bytes:
    """The whole text. Every sample gets the label ``router_id``; ``aliases`` adds the second names."""
    lines: list[str] = []
    known = Written(router_id)
    for family, rows in draft.families():
        name, kind = (family.base, family.type) if openmetrics else (family.name, family.classic_type)
        lines.append(f"# HELP {name} {family.help}\n# TYPE {name} {kind}\n")
        if openmetrics and family.unit is not None:
            lines.append(f"# UNIT {name} {family.unit}\n")
        for (sample, labels), value in rows.items():
            if openmetrics or not sample.endswith(CREATED):
                lines.append(f"{sample}{known[labels]}{value if type(value) is int else number(value)}\n")
        if aliases and family.alias is not None:
            alias = family.alias
            lines.append(f"# HELP {alias.name} {family.help}; see {family.name}\n# TYPE {alias.name} gauge\n")
            lines += [f"{alias.name}{known[of]}{number(value)}\n" for of, value in aliased(alias, family.name, rows)]
    if openmetrics:
        lines.append("# EOF\n")
    return "".join(lines).encode("utf-8", "replace")


class Written(dict[Labels, str]):
    """Labels as text, with ``router_id`` before them: most are those of several samples."""

    def __init__(self, router_id: str) -> None:
        self._first = f'{{router_id="{escaped(router_id)}"'

    def __missing__(self, labels: Labels) -> str:
        rest = [f',{label}="{escaped(text)}"' for label, text in labels]
        text = self[labels] = f"{self._first}{''.join(rest)}}} "
        return text


def aliased(alias: Alias, name: str, rows: Rows) -> Iterator[tuple[Labels, float]]:
    """The samples of an alias."""
    sums: dict[Labels, float] = {}
    for (sample, labels), value in rows.items():
        if sample == name:
            kept = tuple(label for label in labels if label[0] not in alias.without)
            sums[kept] = sums.get(kept, 0.0) + value * alias.factor
    return ((labels, round(value, 9)) for labels, value in sums.items())


def samples(draft: Draft, router_id: str) -> Iterator[tuple[str, Labels, float]]:
    """All samples by their main names, as outputs take them."""
    first = ("router_id", router_id)
    for _family, rows in draft.families():
        for (sample, labels), value in rows.items():
            if not sample.endswith(CREATED):
                yield sample, (first, *labels), float(value)  # a flag, too: an output sends numbers


def escaped(text: str) -> str:
    """A label's value as both formats write it."""
    return text.translate(ESCAPED) if '"' in text or "\\" in text or "\n" in text else text


def number(value: float) -> str:
    """A value as both formats write it."""
    if isinstance(value, int):
        return str(int(value))
    if math.isfinite(value):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return "NaN" if math.isnan(value) else "+Inf" if value > 0 else "-Inf"
