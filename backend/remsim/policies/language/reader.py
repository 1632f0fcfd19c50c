"""Tokens in a row: looking, taking, failing with a place, and comments that belong to what was read."""

from __future__ import annotations

from collections.abc import Iterable

from remsim.policies.language.lexer import END, MARK, STRING, WORD, Comment, Token, tokens_of
from remsim.policies.language.model import Comments, Place, Problem

MOST_PROBLEMS = 50


class Wrong(Exception):
    """A problem that ends the statement it is in."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class TooMany(Exception):
    """There are so many problems that the rest would help nobody."""


class Reader:
    """Tokens of a text from the first to the last."""

    def __init__(self, text: str) -> None:
        self._tokens, self._comments, self.problems = tokens_of(text)
        self._at = self._comment_at = 0
        self.first_line = 1
        """Of the comments that were taken last, or of what they stand before."""

    @property
    def token(self) -> Token:
        """The one that is looked at."""
        return self._tokens[self._at]

    @property
    def place(self) -> Place:
        """Where it stands."""
        token = self._tokens[self._at]
        return Place(token.line, token.column)

    @property
    def last(self) -> Token:
        """The one before it."""
        return self._tokens[max(0, self._at - 1)]

    @property
    def position(self) -> int:
        """How far reading has come."""
        return self._at

    def peek(self, ahead: int = 1) -> Token:
        """One that comes later."""
        return self._tokens[min(self._at + ahead, len(self._tokens) - 1)]

    def take(self) -> Token:
        """Go on; returns what was looked at. The end stays."""
        token = self._tokens[self._at]
        if token.kind != END:
            self._at += 1
        return token

    def is_mark(self, *marks: str) -> bool:
        """Whether one of these marks stands here."""
        token = self._tokens[self._at]
        return token.kind == MARK and token.text in marks

    def is_word(self, *words: str) -> bool:
        """Whether one of these words (in lower case) stands here."""
        token = self._tokens[self._at]
        return token.kind == WORD and token.text.lower() in words

    def take_mark(self, mark: str) -> bool:
        """Take a mark if it stands here."""
        if self.is_mark(mark):
            self._at += 1
            return True
        return False

    def need_mark(self, mark: str, after: str) -> None:
        """Take a mark that has to stand here."""
        if not self.take_mark(mark):
            raise self.wrong(f"“{mark}” is missing after {after}", (mark,))

    @property
    def is_text(self) -> bool:
        """Whether a word or a text in quotes stands here."""
        return self._tokens[self._at].kind in (WORD, STRING)

    def wrong(self, message: str, expected: Iterable[str] = (), at: Place | None = None) -> Wrong:
        """A problem here, or at a place."""
        place = at or self.place
        return Wrong(Problem(place.line, place.column, message, tuple(expected)))

    def note(self, problem: Problem) -> None:
        """Remember a problem; ``TooMany`` when it is enough."""
        self.problems.append(problem)
        if len(self.problems) >= MOST_PROBLEMS:
            raise TooMany

    def comments_before(self) -> tuple[str, ...]:
        """Comments up to here that nothing has taken, with an empty one for an empty line between two."""
        found = self._taken(self._at)
        self.first_line = found[0].line if found else self.token.line
        return self._told(found)

    def comments_of(self, before: tuple[str, ...]) -> Comments:
        """Comments of what ends here: those ``before`` it, those within it, and the one beside its end."""
        inside = self._taken(self._at - 1)
        beside = None
        if self._comment_at < len(self._comments):
            found = self._comments[self._comment_at]
            if found.before == self._at and found.line == self.last.line:
                self._comment_at += 1
                beside = found.text
        return Comments(before + self._told(inside), beside)

    def _taken(self, up_to: int) -> list[Comment]:
        begin = self._comment_at
        comments = self._comments
        while self._comment_at < len(comments) and comments[self._comment_at].before <= up_to:
            self._comment_at += 1
        return comments[begin : self._comment_at]

    def _told(self, comments: list[Comment]) -> tuple[str, ...]:
        if not comments:
            return ()
        lines: list[str] = []
        for number, comment in enumerate(comments):
            if comment.is_apart and number:
                lines.append("")
            lines.append(comment.text)
        token = self._tokens[self._at]
        if token.kind != END and comments[-1].before == self._at and token.line > comments[-1].line + 1:
            lines.append("")
        return tuple(lines)
