"""Every kind of event has a word of its own on the pages, and a group in which it is found there."""

from __future__ import annotations

import re
from pathlib import Path

from remsim.core.events import KINDS, SEVERITIES

PAGES = Path(__file__).parents[2] / "htdocs" / "remsim"


def test_every_kind_of_event_has_a_word_in_one_group() -> None:
    table = re.search(r"KIND_GROUPS = \[(.*?)\n\];", (PAGES / "event-words.js").read_text("utf-8"), re.DOTALL)
    assert table is not None
    words = re.findall(r"(\w+): msg\('", table[1])
    assert len(words) == len(set(words))
    assert set(KINDS) <= set(words), sorted(set(KINDS) - set(words))


def test_every_severity_has_a_shape_and_a_word() -> None:
    text = (PAGES / "alert-words.js").read_text("utf-8")
    for severity in (*SEVERITIES, "critical"):
        assert re.search(rf"\t{severity}: \['.', msg\('\w+'\)\]", text)
