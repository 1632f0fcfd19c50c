"""Grafana's dashboards as tests read them: panels, queries, variables."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "monitoring" / "grafana"
SCHEMA: dict[str, Any] = json.loads((FOLDER / "dashboard.schema.json").read_text("utf-8"))
DASHBOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text("utf-8")) for path in sorted((FOLDER / "dashboards").glob("*.json"))
}
BUILT_IN = {"__rate_interval": "10s", "__interval": "5s", "__range": "1m"}
"""What Grafana puts in by itself, for a Prometheus that scrapes every second."""


def data_panels(dashboard: dict[str, Any]) -> list[dict[str, Any]]:
    """All panels that show something."""
    return [panel for panel in dashboard["panels"] if panel["type"] != "row"]


def expressions(dashboard: dict[str, Any]) -> list[tuple[str, str]]:
    """Where an expression is, and it, as written; those of notes on the time line are not among them."""
    return [
        (f"{panel['title']} ({panel['id']}) {target['refId']}", target["expr"])
        for panel in data_panels(dashboard)
        for target in panel["targets"]
    ]


def variables(dashboard: dict[str, Any]) -> dict[str, str]:
    """Each variable that asks Prometheus, with its query."""
    return {one["name"]: one["definition"] for one in dashboard["templating"]["list"] if one["type"] == "query"}


def filled(expression: str, **values: str) -> str:
    """An expression with the variables put in as Grafana does; ``KeyError`` for one that there is not."""
    known = BUILT_IN | values
    return re.sub(r"\$\{?(\w+)\}?", lambda match: known[match[1]], expression)


def series_of_variable(definition: str) -> str:
    """What a ``label_values(SERIES, LABEL)`` looks through."""
    match = re.fullmatch(r"label_values\((.+), *\w+\)", definition, re.DOTALL)
    assert match is not None, definition
    return match[1]
