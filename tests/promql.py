"""PromQL taken apart as far as tests need it: what a condition compares."""

from __future__ import annotations

import re

TOKEN = re.compile(
    r"""
    (?P<space>\s+|\#[^\n]*)
    |(?P<string>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    |(?P<word>[a-zA-Z_:][a-zA-Z0-9_:]*)
    |(?P<number>[0-9][0-9a-zA-Z.+]*)
    |(?P<operator>=~|!~|==|!=|<=|>=|[-+*/%^<>=@])
    |(?P<mark>[(){}\[\],])
    """,
    re.VERBOSE,
)
CONDITIONS = ("and", "or", "unless", "==", "!=", "<=", ">=", "<", ">")
MODIFIERS = ("on", "ignoring", "group_left", "group_right")
OPEN, CLOSED = "({[", ")}]"


def tokens(expression: str) -> list[str]:
    """The words and marks of an expression, without space; ``ValueError`` where it cannot be read."""
    found, at = [], 0
    while at < len(expression):
        match = TOKEN.match(expression, at)
        if match is None:
            raise ValueError(f"what is {expression[at : at + 20]!r}?")
        if match.lastgroup != "space":
            found.append(match[0])
        at = match.end()
    return found


def compared(expression: str) -> list[str]:
    """The parts of a condition that must have values for it to be decided: both sides of every comparison, no numbers.

    A rule whose condition is false gives nothing, and so does one that looks at a series that is never there; these
    parts tell the two apart.
    """
    return _parts(tokens(expression))


def _parts(words: list[str]) -> list[str]:
    while words and words[0] == "(" and _end(words, 0) == len(words):
        words = words[1:-1]
    pieces: list[list[str]] = [[]]
    at = 0
    while at < len(words):
        if words[at] in CONDITIONS:
            at = _after_modifiers(words, at + 1)
            pieces.append([])
            continue
        end = _end(words, at) if words[at] in OPEN else at + 1
        pieces[-1] += words[at:end]
        at = end
    if len(pieces) > 1:
        return [part for piece in pieces for part in _parts(piece)]
    if all(word == "-" or word[0].isdigit() for word in words):
        return []
    return [" ".join(words)]


def _after_modifiers(words: list[str], at: int) -> int:
    """Behind ``bool``, ``on (…)``, ``group_left (…)``."""
    while at < len(words) and words[at] in ("bool", *MODIFIERS):
        at += 1
        if words[at - 1] in MODIFIERS and at < len(words) and words[at] == "(":
            at = _end(words, at)
    return at


def _end(words: list[str], at: int) -> int:
    """Behind the bracket that closes the one at ``at``."""
    depth = 0
    for position in range(at, len(words)):
        depth += (words[position] in OPEN) - (words[position] in CLOSED)
        if depth == 0:
            return position + 1
    raise ValueError("a bracket is not closed")
