"""Policies to copy: plain files. Of the comment at the head the first line is the title, the rest says what for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

ORDER = (
    "streaming",
    "voip",
    "work_calls",
    "backups_at_night",
    "gaming",
    "stay_within_caps",
    "cheapest_first",
    "privacy_split",
)


def presets() -> list[dict[str, Any]]:
    """``name``, ``title``, ``help`` and ``text`` of each."""
    folder = Path(__file__).parent
    return [_read(name, (folder / f"{name}.policy").read_text("utf-8")) for name in ORDER]


def _read(name: str, text: str) -> dict[str, Any]:
    head, _, _ = text.partition("\n\n")
    title, *more = (line.removeprefix("#").strip() for line in head.splitlines())
    return {"name": name, "title": title, "help": " ".join(more), "text": text}
