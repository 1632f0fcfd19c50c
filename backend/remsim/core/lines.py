"""A line in, a line out: for verbs that decode what programs give them."""

from __future__ import annotations

import sys
from collections.abc import Callable


def answer_lines(answer: Callable[[str], str], *, also_empty: bool = False) -> int:
    """Answer every line of stdin on stdout at once, empty ones if wanted; no line stops it. The exit status.

    Bytes that are not UTF-8 become replacement characters: a line is answered, not fatal.
    """
    lines = open(sys.stdin.fileno(), encoding="utf-8", errors="replace", newline="\n", closefd=False)
    for line in lines:
        if also_empty or line.strip():
            sys.stdout.write(answer(line) + "\n")
            sys.stdout.flush()
    return 0
