"""Routes: by which links, in which order."""

from __future__ import annotations

from remsim.core.routes import ALGORITHMS, CRITERIA, Choice
from remsim.policies.language import words
from remsim.policies.language.reader import Reader

MOST_CHOICES = 16
MOST_NAME = 64


def choices_of(reader: Reader) -> tuple[Choice, ...]:
    """``choice { ("then" | ",") choice }``."""
    found = [_choice(reader)]
    while reader.is_mark(",") or reader.is_word("then"):
        reader.take()
        if len(found) == MOST_CHOICES:
            raise reader.wrong(f"a route has at most {MOST_CHOICES} choices")
        found.append(_choice(reader))
    return tuple(found)


def _choice(reader: Reader) -> Choice:
    token = reader.token
    word = token.text.lower()
    if not reader.is_word(*words.ROUTES):
        near = words.closest(word, list(words.ROUTES)) if reader.is_text else None
        hint = f"; did you mean {near}?" if near else ""
        raise reader.wrong(f"{token.shown} is no route{hint}", words.ROUTES)
    reader.take()
    if word == "connection":
        return _connection(reader)
    if word in words.CALLS:
        return _call(reader, word)
    if reader.take_mark("("):
        reader.need_mark(")", word)
    if word == "balance_by_remaining_data":
        return Choice("balance", "remaining_data")
    return Choice("overage" if word == "cheapest_overage_rate" else word)


def _connection(reader: Reader) -> Choice:
    """A link's name, in parentheses or not, and whether it is meant also when it is down."""
    is_called = reader.take_mark("(")
    name = _name(reader, "link")
    if is_called:
        reader.need_mark(")", f"link {name}")
    is_strict = reader.is_word("strict")
    if is_strict:
        reader.take()
    return Choice("connection", name, is_strict)


def _call(reader: Reader, word: str) -> Choice:
    """``word(argument)``."""
    reader.need_mark("(", word)
    kind = words.CALLS[word]
    offered = {"prefer": CRITERIA, "balance": ALGORITHMS}.get(kind)
    if offered is None:
        value = _name(reader, kind)
        if kind == "carrier" and value.lower() == "local":
            value = "local"
    elif reader.is_word(*offered):
        value = reader.take().text.lower()
    else:
        near = words.closest(reader.token.text, list(offered)) if reader.is_text else None
        hint = f"; did you mean {near}?" if near else ""
        what = "criterion" if kind == "prefer" else "algorithm"
        raise reader.wrong(f"{reader.token.shown} is no {what}{hint}", offered)
    reader.need_mark(")", value)
    return Choice(kind, value)


def _name(reader: Reader, what: str) -> str:
    token = reader.token
    text = token.text
    if not reader.is_text or not text.isprintable() or not 0 < len(text.strip()) <= MOST_NAME:
        raise reader.wrong(f"the name of the {what} is missing", ("a name in quotes",))
    return reader.take().text
