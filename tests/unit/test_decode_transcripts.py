"""Every decoder against real replies with the values they mean."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from remsim.modems.decode import decode_line

TRANSCRIPTS = Path(__file__).parents[1] / "fixtures" / "at" / "transcripts.jsonl"
ROWS = [json.loads(line) for line in TRANSCRIPTS.read_text().splitlines()]


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Every single value by its path; an empty list or object counts as one."""
    if isinstance(value, dict) and value:
        return {key: leaf for name, item in value.items() for key, leaf in leaves(item, f"{path}.{name}").items()}
    if isinstance(value, list) and value:
        return {key: leaf for at, item in enumerate(value) for key, leaf in leaves(item, f"{path}[{at}]").items()}
    return {path: value}


def judge(row: dict[str, Any]) -> dict[str, list[str]]:
    """Right, wrong and missing paths of one row."""
    asked = {name: row.get(name) for name in ("vendor", "module", "platform", "command", "reply")}
    answer = json.loads(decode_line(json.dumps(asked)))
    found = leaves(answer.get("values", {}))
    result: dict[str, list[str]] = {"right": [], "wrong": [], "missing": []}
    for path, wanted in leaves(row["expected"]).items():
        if path == "":
            continue
        if path in found:
            kind = (
                "right"
                if found[path] == wanted and isinstance(found[path], bool) == isinstance(wanted, bool)
                else "wrong"
            )
            result[kind].append(f"{path}: {found[path]!r} for {wanted!r}")
        else:
            result["right" if wanted is None else "missing"].append(f"{path}: {wanted!r}")
    return result


def test_at_least_98_percent_of_the_values_are_right_and_at_most_half_a_percent_wrong() -> None:
    score: Counter[str] = Counter()
    told = []
    for row in ROWS:
        result = judge(row)
        score.update({kind: len(paths) for kind, paths in result.items()})
        told += [f"{row['id']} {kind} {path}" for kind in ("wrong", "missing") for path in result[kind]]
    total = score.total()
    assert total > 900
    assert score["right"] >= 0.98 * total, "\n".join(told)
    assert score["wrong"] <= 0.005 * total, "\n".join(told)


@pytest.mark.parametrize("row", ROWS, ids=[row["id"] for row in ROWS])
def test_every_line_is_decoded(row: dict[str, Any]) -> None:
    asked = {name: row.get(name) for name in ("vendor", "module", "platform", "command", "reply")}
    assert json.loads(decode_line(json.dumps(asked)))["ok"] is True
