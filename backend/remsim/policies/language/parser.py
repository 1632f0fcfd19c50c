"""Text to a PolicySet by recursive descent. What is wrong is told with its place, and reading goes on behind it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field

from remsim.core.allocator import uncollected
from remsim.core.routes import PERSISTENCES, Choice
from remsim.core.small_dataclass import dataclass
from remsim.policies.language import values, words
from remsim.policies.language.conditions import Conditions, one_value
from remsim.policies.language.lexer import END, STRING, WORD
from remsim.policies.language.model import (
    NO_COMMENTS,
    AddressSet,
    Comments,
    Condition,
    FromFile,
    Limit,
    Parsed,
    Place,
    Policy,
    PolicySet,
    Problem,
    Value,
)
from remsim.policies.language.reader import MOST_PROBLEMS, Reader, TooMany, Wrong
from remsim.policies.language.routes import choices_of

MOST_CHARACTERS = 1 << 20
WAYS = ("download", "upload")


def parse(text: str) -> Parsed:
    """Understand as much of a text as can be understood."""
    if len(text) > MOST_CHARACTERS:
        return Parsed(PolicySet(), (Problem(1, 1, "a policy file has at most 1 MiB"),))
    with uncollected():  # a fifth of the time otherwise
        return _Parser(text.removeprefix("\ufeff")).read()


@dataclass(slots=True)
class _Body:
    """What the statements of a policy have said so far."""

    match: Condition | None = None
    route: tuple[Choice, ...] = ()
    fallback: tuple[Choice, ...] = ()
    priority: int = words.PRIORITIES["normal"]
    priority_word: str = ""
    klass: str | None = None
    limits: tuple[Limit, ...] = ()
    dscp: int | None = None
    queue: str | None = None
    persistence: str | None = None
    is_enabled: bool = True
    places: dict[str, Place] = field(default_factory=dict)
    comments: list[tuple[str, Comments]] = field(default_factory=list)


class _Parser:
    """One reading of one text."""

    def __init__(self, text: str) -> None:
        self._reader = Reader(text)
        self._conditions = Conditions(self._reader)
        self._items: list[Policy | AddressSet] = []
        self._statements: dict[str, Callable[[_Body], None]] = {
            "match": self._match,
            "route": self._route,
            "fallback": self._fallback,
            "priority": self._priority,
            "class": self._class,
            "limit": self._limit,
            "dscp": self._dscp,
            "queue": self._queue,
            "persistence": self._persistence,
            "enabled": self._enabled,
        }

    def read(self) -> Parsed:
        reader = self._reader
        after: tuple[str, ...] = ()
        try:
            while reader.token.kind != END:
                try:
                    self._item()
                except Wrong as wrong:
                    reader.note(wrong.problem)
                    self._skip_to_item()
            after = reader.comments_before()
        except TooMany:
            last = reader.problems[-1]
            reader.problems.append(Problem(last.line, last.column, "what follows was not read: too much is wrong"))
        self._refuse_twins()
        problems = sorted(reader.problems, key=lambda one: (one.line, one.column))
        return Parsed(PolicySet(tuple(self._items), after), tuple(problems))

    def _item(self) -> None:
        reader = self._reader
        if reader.is_word("policy"):
            self._policy()
        elif reader.is_word("set"):
            self._set()
        else:
            message = f"{reader.token.shown} is unexpected here: a policy or a set begins"
            raise reader.wrong(message, ("policy", "set"))

    def _policy(self) -> None:
        reader = self._reader
        before = reader.comments_before()
        at, first_line = reader.place, reader.first_line
        reader.take()
        name = self._name("policy")
        reader.need_mark("{", f"the name of policy {name}")
        body = _Body()
        problems = len(reader.problems)
        body.comments.append(("policy", reader.comments_of(before)))
        while not reader.is_mark("}"):
            if reader.token.kind == END or self._is_item_here():
                raise_at = reader.wrong(f"“}}” is missing: policy {name} has no end", ("}",))
                reader.note(raise_at.problem)
                break
            self._guarded_statement(body)
        else:
            ending = reader.comments_before()
            reader.take()
            body.comments.append(("end", reader.comments_of(ending)))
        self._keep(name, body, at, first_line, is_whole=len(reader.problems) == problems)

    def _keep(self, name: str, body: _Body, at: Place, first_line: int, *, is_whole: bool) -> None:
        """Make a policy of what was said. Where something was wrong, what is missing may be that."""
        reader = self._reader
        if is_whole and "match" not in body.places:
            message = f"policy {name} does not say which flows it takes; all of them: “match: all”"
            reader.note(Problem(at.line, at.column, message, ("match",)))
        does = {"route", "limit", "dscp", "queue", "class"} & set(body.places)
        if is_whole and not does:
            message = f"policy {name} does not say where its flows go"
            reader.note(Problem(at.line, at.column, message, ("route",)))
        if body.match is None:
            return
        route = body.route or (Choice("any"),)
        end = Place(reader.last.line, reader.last.column)
        comments = tuple((key, one) for key, one in body.comments if one != NO_COMMENTS)
        self._items.append(
            Policy(
                name,
                body.match,
                route + body.fallback,
                len(route) if body.fallback else None,
                body.priority,
                body.priority_word,
                body.klass,
                body.limits,
                body.dscp,
                body.queue,
                body.persistence,
                body.is_enabled,
                tuple(body.places),
                comments,
                at,
                end,
                tuple(body.places.items()),
                first_line,
            )
        )

    def _guarded_statement(self, body: _Body) -> None:
        reader = self._reader
        begin = reader.position
        try:
            self._statement(body)
        except Wrong as wrong:
            reader.note(wrong.problem)
            if reader.position == begin:
                reader.take()
            self._skip_to_statement()

    def _statement(self, body: _Body) -> None:
        reader = self._reader
        before = reader.comments_before()
        token, at = reader.token, reader.place
        key = token.text.lower()
        if token.kind != WORD or key not in self._statements:
            raise self._no_statement()
        if key in body.places:
            raise reader.wrong(f"{key} is there twice", ())
        reader.take()
        reader.need_mark(":", key)
        body.places[key] = at
        self._statements[key](body)
        is_key = reader.token.kind == WORD and reader.peek().text == ":"  # a wrong one is told as such
        if not (reader.is_mark("}") or is_key or self._is_item_here() or reader.token.kind == END):
            raise self._behind(key)
        comments = reader.comments_of(before)
        if comments != NO_COMMENTS:
            body.comments.append((key, comments))

    def _no_statement(self) -> Wrong:
        reader = self._reader
        token = reader.token
        near = words.closest(token.text, list(words.STATEMENTS)) if token.kind == WORD else None
        hint = f"; did you mean {near}?" if near else ""
        return reader.wrong(f"{token.shown} begins no statement{hint}", (*words.STATEMENTS, "}"))

    def _behind(self, key: str) -> Wrong:
        """Something stands behind a statement that was whole."""
        reader = self._reader
        token = reader.token
        if key == "match":
            hint = ""
            if token.text[:1].isdigit() or token.text[:1] in "*@":
                hint = "; one of several is written { a, b }"
            elif token.kind == WORD and token.text.lower() in words.TEST_WORDS:
                hint = "; conditions are parted by a comma"
            return reader.wrong(f"{token.shown} is unexpected{hint}", (",", "and", "or", "}", *words.STATEMENTS))
        if key in ("route", "fallback"):
            return reader.wrong(f"{token.shown} is unexpected behind a route", ("then", "}", *words.STATEMENTS))
        return reader.wrong(f"{token.shown} is unexpected", ("}", *words.STATEMENTS))

    def _is_statement_here(self) -> bool:
        token, following = self._reader.token, self._reader.peek()
        return token.kind == WORD and following.text == ":" and token.text.lower() in words.STATEMENTS

    def _is_item_here(self) -> bool:
        reader = self._reader
        token = reader.token
        if token.kind != WORD or token.text.lower() not in ("policy", "set"):
            return False
        return reader.peek().kind in (WORD, STRING) and reader.peek(2).text == "{"

    def _skip_to_statement(self) -> None:
        """Behind a problem in a policy: to its next statement, its end, or the next item."""
        reader = self._reader
        depth = 0
        while reader.token.kind != END:
            if self._is_item_here() or self._is_statement_here():
                return
            if reader.is_mark("{"):
                depth += 1
            elif reader.is_mark("}"):
                if depth == 0:
                    return
                depth -= 1
            elif reader.peek().text == ":" and reader.token.kind == WORD and depth == 0:
                return
            reader.take()

    def _skip_to_item(self) -> None:
        reader = self._reader
        reader.take()
        while reader.token.kind != END and not self._is_item_here():
            reader.take()

    def _name(self, what: str) -> str:
        reader = self._reader
        token = reader.token
        if not reader.is_text:
            raise reader.wrong(f"the name of the {what} is missing", ("a name",))
        if not (values.is_name(token.text) if token.kind == WORD else values.is_title(token.text)):
            raise reader.wrong(f"{token.shown} is not {values.TITLE}", ("a name",))
        return reader.take().text

    def _set(self) -> None:
        reader = self._reader
        before = reader.comments_before()
        at, first_line = reader.place, reader.first_line
        reader.take()
        place = reader.place
        name = self._name("set")
        if not values.is_name(name):
            raise reader.wrong("a set's name has letters, digits, _ and -", ("a name",), place)
        reader.need_mark("{", f"the name of set {name}")
        opening = reader.comments_of(before)
        found: list[Value] = []
        while not reader.is_mark("}"):
            if reader.token.kind == END or self._is_item_here():
                raise reader.wrong(f"“}}” is missing: set {name} has no end", ("}",))
            if reader.take_mark(","):
                continue
            if not reader.is_text:
                raise reader.wrong(f"{reader.token.shown} is no address", ("an address", "file", "}"))
            try:
                found.append(self._member())
            except Wrong as wrong:
                reader.note(wrong.problem)
        reader.take()
        closing = reader.comments_of(())
        comments = tuple((key, one) for key, one in (("set", opening), ("end", closing)) if one != NO_COMMENTS)
        end = Place(reader.last.line, reader.last.column)
        self._items.append(AddressSet(name, tuple(found), comments, at, end, first_line))

    def _member(self) -> Value:
        """Something that a set has: an address, or ``file "NAME"``."""
        reader = self._reader
        if not reader.is_word("file"):
            return one_value(reader, values.address_of, "address")
        reader.take()
        at = reader.place
        return FromFile(one_value(reader, values.file_of, "the name of a file in quotes"), at)

    def _match(self, body: _Body) -> None:
        body.match = self._conditions.read()

    def _route(self, body: _Body) -> None:
        body.route = choices_of(self._reader)

    def _fallback(self, body: _Body) -> None:
        body.fallback = choices_of(self._reader)

    def _priority(self, body: _Body) -> None:
        reader = self._reader
        token = reader.token
        word = token.text.lower()
        if word in words.PRIORITIES:
            body.priority, body.priority_word = words.PRIORITIES[word], word
        elif word.isascii() and word.isdigit() and len(word) <= 5 and 1 <= int(word) <= words.MOST_PRIORITY:
            body.priority = int(word)
        else:
            message = f"{token.shown} is no priority: 1 to {words.MOST_PRIORITY}, the lowest first, or a word"
            raise reader.wrong(message, ("a number", *words.PRIORITIES))
        reader.take()

    def _class(self, body: _Body) -> None:
        body.klass = self._one_of(words.CLASS_WORDS, "class")

    def _persistence(self, body: _Body) -> None:
        body.persistence = self._one_of(tuple(PERSISTENCES), "persistence")

    def _enabled(self, body: _Body) -> None:
        body.is_enabled = self._one_of(("yes", "no"), "answer") == "yes"

    def _dscp(self, body: _Body) -> None:
        body.dscp = one_value(self._reader, values.dscp_of, "a DSCP")

    def _queue(self, body: _Body) -> None:
        body.queue = one_value(self._reader, values.queue_of, "a class as in 1:10")

    def _one_of(self, offered: tuple[str, ...], what: str) -> str:
        reader = self._reader
        if not reader.is_word(*offered):
            near = words.closest(reader.token.text, offered) if reader.is_text else None
            hint = f"; did you mean {near}?" if near else ""
            raise reader.wrong(f"{reader.token.shown} is no {what}{hint}", offered)
        return reader.take().text.lower()

    def _limit(self, body: _Body) -> None:
        """``[download|upload] RATE [each device] {, …}``."""
        reader = self._reader
        found: list[Limit] = []
        while True:
            way = reader.take().text.lower() if reader.is_word(*WAYS) else "both"
            place = reader.place
            rate = self._conditions.amount(values.rate_of, "a rate as in 1MB/s")
            if way == "both" and reader.is_word(*WAYS):
                way = reader.take().text.lower()
            is_each = reader.is_word("each", "per") and reader.peek().text.lower() == "device"
            if is_each:
                reader.take()
                reader.take()
            if any("both" in (way, one.way) or way == one.way for one in found):
                raise reader.wrong("a second limit of the same direction", WAYS, place)
            found.append(Limit(rate, way, is_each))
            if not reader.take_mark(","):
                break
        body.limits = tuple(found)

    def _refuse_twins(self) -> None:
        """Two of one name cannot be told apart."""
        seen: dict[tuple[type, str], Place] = {}
        for one in self._items:
            first = seen.setdefault((type(one), one.name), one.at)
            if first is not one.at and len(self._reader.problems) < MOST_PROBLEMS:
                what = "policy" if isinstance(one, Policy) else "set"
                message = f"there is a {what} {one.name} already, in line {first.line}"
                self._reader.problems.append(Problem(one.at.line, one.at.column, message))


