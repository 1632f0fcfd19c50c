"""The page's words for failures are those of ``esim/refusals.py``, so that what is translated is what is meant."""

from __future__ import annotations

import re
from pathlib import Path

from remsim.esim.refusals import MEANINGS

PAGE = Path(__file__).parents[2] / "htdocs" / "remsim" / "esim-words.js"
TEXT = r"msg\('((?:[^'\\]|\\.)*)'\)"
ROW = re.compile(rf"^\t(\w+): \[{TEXT}, {TEXT}, '(\w+)'\],?$", re.M)


def said(text: str) -> str:
    """A sentence of it."""
    return f"{text[0].upper()}{text[1:]}."


def test_every_failure_has_the_same_words_on_the_page_and_something_to_press() -> None:
    source = PAGE.read_text("utf-8")
    acts = set(re.findall(r"(\w+): msg\(", source.partition("export const ACTS")[2].partition("};")[0]))
    rows = {name: (text, hint) for name, text, hint, act in ROW.findall(source.replace("\\'", "’")) if act in acts}
    wanted = {name: (said(text), said(hint)) for name, (text, hint) in MEANINGS.items()}
    assert rows == {name: tuple(part.replace("'", "’") for part in parts) for name, parts in wanted.items()}
