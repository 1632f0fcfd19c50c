"""The fixtures' replies with the values they mean (tests/fixtures/at/README.md), and how decoded values are judged."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from remsim.modems.decode import decode_line

FIXTURES = Path(__file__).parent / "fixtures" / "at"
TRANSCRIPTS = [json.loads(line) for line in (FIXTURES / "transcripts.jsonl").read_text().splitlines()]
CAPTURES = [json.loads(line) for line in (FIXTURES / "captures.jsonl").read_text().splitlines()]


def decoded(row: dict[str, Any]) -> dict[str, Any]:
    """What ``remsim at decode`` answers to the row without its expectation."""
    asked = {name: row.get(name) for name in ("vendor", "module", "platform", "command", "reply")}
    answer: dict[str, Any] = json.loads(decode_line(json.dumps(asked)))
    return answer


def leaves(value: Any, path: str = "") -> dict[str, Any]:
    """Every single value by its path; an empty list or object counts as one."""
    if isinstance(value, dict) and value:
        return {key: leaf for name, item in value.items() for key, leaf in leaves(item, f"{path}.{name}").items()}
    if isinstance(value, list) and value:
        return {key: leaf for at, item in enumerate(value) for key, leaf in leaves(item, f"{path}[{at}]").items()}
    return {path: value}


def judge(row: dict[str, Any]) -> list[tuple[str, str]]:
    """(verdict, what) of each expected value: right, wrong, or missing when the decoder says nothing or None."""
    found = leaves(decoded(row).get("values", {}))
    verdicts: list[tuple[str, str]] = []
    for path, wanted in leaves(row["expected"]).items():
        if path == "":
            continue
        got = found.get(path)
        if got == wanted and isinstance(got, bool) == isinstance(wanted, bool):
            verdict = "right"
        else:
            verdict = "missing" if got is None else "wrong"
        verdicts.append((verdict, f"{row['id']} {verdict} {path}: {got!r} for {wanted!r}"))
    return verdicts
