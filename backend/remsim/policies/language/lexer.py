"""Text to tokens with their places. Comments are told apart, so that none is lost."""

from __future__ import annotations

import re
from typing import NamedTuple

from remsim.policies.language.model import Problem
from remsim.policies.language.words import STATEMENTS

MOST_TOKENS = 120_000
"""Some thousand policies; more of them only cost memory."""
WORD, STRING, MARK, END = "word", "string", "mark", "end"
_PIECE = re.compile(
    r"""[^\S\n]*(?:
    (\n)
    |(\#[^\n]*)
    |"((?:[^"\\\n]|\\.)*)"
    |([^\s{}(),"\#<>=!]+)
    |([=!<>]=|[{}(),<>=])
    |(\S)
    )""",
    re.VERBOSE,
)
_KEY = re.compile(r"([A-Za-z_]+):(.*)", re.DOTALL)
_ESCAPE = re.compile(r"\\(.)")


class Token(NamedTuple):
    """A piece of text; ``text`` of a string is without its quotes."""

    kind: str
    text: str
    line: int
    column: int

    @property
    def shown(self) -> str:
        """How an error names it."""
        if self.kind == END:
            return "the end of the file"
        short = self.text if len(self.text) <= 40 else self.text[:37] + "…"
        return f"“{short}”"


class Comment(NamedTuple):
    """A comment with its mark; ``before`` is the index of the token that follows, ``is_apart`` when an empty line
    is above it."""

    text: str
    line: int
    before: int
    is_apart: bool


class Lexed(NamedTuple):
    """All of a text."""

    tokens: list[Token]
    comments: list[Comment]
    problems: list[Problem]


def tokens_of(text: str) -> Lexed:
    """Cut a text into tokens; the last one is of kind ``end``."""
    tokens: list[Token] = []
    comments: list[Comment] = []
    problems: list[Problem] = []
    line, begin, last_line = 1, 0, 0
    add, new = tokens.append, tuple.__new__  # a third of the time that Token(…) takes
    text = text.rstrip()
    for found in _PIECE.finditer(text):
        group = found.lastindex
        if group == 1:
            line, begin = line + 1, found.end()
            continue
        if len(tokens) >= MOST_TOKENS:
            message = f"the text has more than {MOST_TOKENS} words and marks; the rest is not read"
            problems.append(Problem(line, 1, message))
            break
        column = found.start(group or 0) - begin + 1
        if group == 4:
            word = found[4]
            if ":" in word:
                _add_word(tokens, word, line, column)
            else:
                add(new(Token, (WORD, word, line, column)))
        elif group == 5:
            add(new(Token, (MARK, found[5], line, column)))
        elif group == 3:
            raw = found[3]
            add(new(Token, (STRING, _ESCAPE.sub(r"\1", raw) if "\\" in raw else raw, line, column - 1)))
        elif group == 2:
            comments.append(Comment(found[2].rstrip(), line, len(tokens), 0 < last_line < line - 1))
        elif found[6] == '"':
            problems.append(Problem(line, column, "a text in quotes has no end in its line", ('"',)))
        else:
            problems.append(Problem(line, column, f"{found[6]!r} cannot stand here", ()))
        last_line = line
    add(Token(END, "", line, max(1, len(text) - begin + 1)))
    return Lexed(tokens, comments, problems)


def _add_word(tokens: list[Token], text: str, line: int, column: int) -> None:
    """A word with a colon: one that makes it a key is cut off; the colons of times and addresses stay in it."""
    key = _KEY.match(text)
    if key is not None and (not key[2] or (key[1].lower() in STATEMENTS and key[2] != ":")):
        tokens.append(Token(WORD, key[1], line, column))
        tokens.append(Token(MARK, ":", line, column + len(key[1])))
        if key[2]:
            tokens.append(Token(WORD, key[2], line, column + len(key[1]) + 1))
    elif text[0] == ":" and text[1:2] != ":":
        tokens.append(Token(MARK, ":", line, column))
        if len(text) > 1:
            tokens.append(Token(WORD, text[1:], line, column + 1))
    else:
        tokens.append(Token(WORD, text, line, column))
