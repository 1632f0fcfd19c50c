"""Conditions: tests, joined by comma, and, or, not."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

from remsim.policies.language import values, words
from remsim.policies.language.lexer import STRING, WORD, Token
from remsim.policies.language.model import And, Condition, Not, Or, Place, Range, Test, Value, Window
from remsim.policies.language.reader import Reader

DEEPEST = 24
MOST_TESTS = 256
COMPARING = ("==", "!=", "<", "<=", ">", ">=")
_UNIT = re.compile(r"(?!(?:and|or|then|each|per|download|upload)$)[A-Za-z%]+(/[a-z]+)?|/s")
_DIGITS = re.compile(r"[0-9.]+")
_T = TypeVar("_T")
SINGLE: dict[str, Callable[[str], Value]] = {
    "source": values.address_of,
    "destination": values.address_of,
    "port": values.port_of,
    "source_port": values.port_of,
    "packet_size": values.octets_range_of,
    "protocol": values.protocol_of,
    "dscp": lambda text: Range(values.dscp_of(text), values.dscp_of(text)),
    "domain": values.domain_of,
    "interface": values.device_of,
    "country": lambda text: text if text == "router_country" else values.country_of(text),
    "router_country": values.country_of,
    "application": lambda text: _application(text),
}
WHOLE = ("source", "destination")
"""Kinds whose values have a ``/`` of their own: several of them stand in braces only."""
EXAMPLES = {
    "source": "an address",
    "destination": "an address",
    "port": "a port",
    "source_port": "a port",
    "packet_size": "a size",
    "protocol": "a protocol",
    "dscp": "a DSCP",
    "domain": "a domain",
    "interface": "a network device",
    "country": "a country",
    "router_country": "a country",
    "application": "an application",
}


def one_value(reader: Reader, understand: Callable[[str], _T], what: str) -> _T:
    """A single word or text, understood; the place of what is wrong is that of the word."""
    if not reader.is_text:
        raise reader.wrong(f"{what} is missing", (what,))
    place = reader.place
    try:
        return understand(reader.take().text)
    except ValueError as error:
        raise reader.wrong(str(error), (what,), place) from None


class Conditions:
    """Reads what stands behind ``match:``."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._left = MOST_TESTS

    def read(self) -> Condition:
        """``clause { "," clause }``; a comma parts more than ``or`` does."""
        self._left = MOST_TESTS
        return self._clauses(0)

    def _clauses(self, depth: int) -> Condition:
        parts = [self._or(depth)]
        while self._reader.take_mark(","):
            parts.append(self._or(depth))
        return _joined(And, parts)

    def _or(self, depth: int) -> Condition:
        parts = [self._and(depth)]
        while self._reader.is_word("or"):
            self._reader.take()
            parts.append(self._and(depth))
        return _joined(Or, parts)

    def _and(self, depth: int) -> Condition:
        parts = [self._not(depth)]
        while self._reader.is_word("and"):
            self._reader.take()
            parts.append(self._not(depth))
        return _joined(And, parts)

    def _not(self, depth: int) -> Condition:
        reader = self._reader
        is_negated = False
        while reader.is_word("not"):
            reader.take()
            is_negated = not is_negated
        if reader.is_mark("("):
            if depth == DEEPEST:
                raise reader.wrong(f"parentheses are nested deeper than {DEEPEST}")
            reader.take()
            found = self._clauses(depth + 1)
            if not reader.take_mark(")"):
                raise reader.wrong(f"“)” is missing before {reader.token.shown}", (")", ",", "and", "or"))
        else:
            found = self._test()
        if not is_negated:
            return found
        return found.part if isinstance(found, Not) else Not(found)

    def _test(self) -> Condition:
        reader = self._reader
        token = reader.token
        kind = words.TEST_WORDS.get(token.text.lower()) if token.kind == WORD else None
        if kind is None or reader.peek().text == ":":
            raise self._no_test(token)
        self._left -= 1
        if self._left < 0:
            raise reader.wrong(f"a policy has at most {MOST_TESTS} conditions")
        at = reader.place
        reader.take()
        if kind == "all":
            return Test("all", word="all", at=at)
        if kind == "link":
            return self._link(at)
        operator = self._operator(kind)
        if kind == "time":
            return Test(kind, tuple(self._several(self._windows)), operator, token.text, at=at)
        if kind in words.COMPARED and (kind != "packet_size" or operator not in ("==", "!=")):
            return self._compared(kind, operator, token.text, at)
        found = tuple(self._several(lambda: self._listed(kind)))
        return Test(kind, found, operator, token.text, at=at)

    def _no_test(self, token: Token) -> Exception:
        near = words.closest(token.text, list(words.TEST_WORDS)) if token.kind == WORD else None
        hint = f"; did you mean {near}?" if near else ""
        if token.text[:1].isdigit() or token.text[:1] in ("*", "@"):
            hint = "; one of several is written { a, b }"
        return self._reader.wrong(f"{token.shown} is no condition{hint}", words.OFFERED)

    def _operator(self, kind: str) -> str:
        reader = self._reader
        allowed = COMPARING if kind in words.COMPARED else ("==", "!=")
        if reader.is_mark(*allowed):
            return reader.take().text
        if reader.is_mark("="):
            raise reader.wrong("one = is no comparison", ("==",))
        if reader.is_mark(*COMPARING):
            raise reader.wrong(f"{reader.token.shown} cannot be asked of {kind}", allowed)
        if reader.is_word("in"):
            reader.take()
        elif kind in words.COMPARED and kind != "packet_size":
            raise reader.wrong(f"{kind} is compared: write {kind} > …", COMPARING[2:])
        return "=="

    def _several(self, read: Callable[[], list[Value]]) -> list[Value]:
        """What stands in braces, or one without them."""
        reader = self._reader
        if not reader.take_mark("{"):
            return read()
        found: list[Value] = []
        while not reader.is_mark("}"):
            if reader.take_mark(","):
                continue
            if not reader.is_text:
                raise reader.wrong(f"“}}” is missing before {reader.token.shown}", (",", "}"))
            found += read()
        reader.take()
        if not found:
            raise reader.wrong("there is nothing between the braces", ("a value",))
        return found

    def _listed(self, kind: str) -> list[Value]:
        """One value; where it may be, several with ``/`` between them, each of them in quotes or not."""
        reader = self._reader
        understand, what = SINGLE[kind], EXAMPLES[kind]
        found: list[Value] = []
        is_open = True  # at the beginning, and behind a slash
        while is_open or self._is_slash():
            if not reader.is_text or reader.peek().text == ":":
                raise reader.wrong(f"{what} is missing behind {reader.last.text}", (what,))
            if kind in WHOLE and found:
                raise reader.wrong("several addresses are written in braces: { a, b }", (",", "}"))
            if reader.token.kind == STRING:
                found.append(one_value(reader, understand, what))
                is_open = False
                continue
            place = reader.place
            text = self._joined_words(is_slash=kind not in WHOLE)
            offset = 0 if is_open else 1
            parts = [text] if kind in WHOLE else text[offset:].split("/")
            is_open = not parts[-1]
            for part in parts[:-1] if is_open else parts:
                try:
                    found.append(understand(part))
                except ValueError as error:
                    at = Place(place.line, place.column + offset)
                    raise reader.wrong(str(error), (what,), at) from None
                offset += len(part) + 1
        return found

    def _is_slash(self) -> bool:
        token = self._reader.token
        return token.kind == WORD and token.text[0] == "/"

    def _joined_words(self, is_slash: bool = True) -> str:
        """A word, and those that a lone ``-`` or ``/`` joins to it."""
        reader = self._reader
        text = reader.take().text
        joints = ("/", "-") if is_slash else ("-",)
        while reader.token.kind == WORD and (text[-1] in joints or reader.token.text[0] in joints):
            if reader.peek().text == ":":
                break  # the next statement
            text += reader.take().text
        return text

    def _windows(self) -> list[Value]:
        """``[DAYS] [HOURS]`` in either order; hours may be several with ``/`` between them."""
        reader = self._reader
        days: tuple[int, ...] = ()
        hours: list[tuple[int, int]] = []
        begin = reader.position
        while reader.token.kind == WORD and reader.peek().text != ":":
            place = reader.place
            is_hours = reader.token.text[:1].isdigit()
            first = re.split(r"[-/]", reader.token.text.lower(), maxsplit=1)[0]
            is_days = first in words.DAY_WORDS or first in words.DAY_GROUPS
            if (is_hours and hours) or (is_days and days) or not (is_hours or is_days):
                break
            text = self._joined_words()
            try:
                if is_hours:
                    hours = [values.hours_of(part) for part in text.split("/")]
                else:
                    days = values.days_of(text)
            except ValueError as error:
                raise reader.wrong(str(error), ("00:00-06:00", "mon-fri"), place) from None
        if reader.position == begin:
            message = f"{reader.token.shown} is no time; write it as in 00:00-06:00 or mon-fri 08:00-18:00"
            raise reader.wrong(message, ("00:00-06:00", *words.DAYS))
        return [Window(first, last, days) for first, last in hours or [(0, 1440)]]

    def _compared(self, kind: str, operator: str, word: str, at: Place) -> Test:
        """A rate or a size beyond or below something."""
        reader = self._reader
        if operator in ("==", "!="):
            raise reader.wrong(f"{kind} is never just so much: write {kind} > …", COMPARING[2:], at)
        if kind.endswith("rate"):
            return Test(kind, (self.amount(values.rate_of, "a rate as in 1MB/s"),), operator, word, at=at)
        place = reader.place
        size = self.amount(values.octets_of, "a size as in 10MB")
        if kind == "flow_size":
            return Test(kind, (size,), operator, word, at=at)
        low, high = {"<": (1, size - 1), "<=": (1, size), ">": (size + 1, 65535), ">=": (size, 65535)}[operator]
        if low > high or high > 65535:
            raise reader.wrong("no packet has this size: 1 to 65535 octets", (), place)
        return Test(kind, (Range(low, high),), "==", word, at=at)

    def amount(self, understand: Callable[[str], int], what: str) -> int:
        """A number with its unit, which may stand apart."""
        reader = self._reader
        if not reader.is_text or reader.peek().text == ":":
            raise reader.wrong(f"{what} is missing", (what,))
        place = reader.place
        token = reader.take()
        text, following = token.text, reader.token
        is_near = following.kind == WORD and following.line == token.line and reader.peek().text != ":"
        if is_near and _DIGITS.fullmatch(text) and _UNIT.fullmatch(following.text):
            text += reader.take().text
        try:
            return understand(text)
        except ValueError as error:
            raise reader.wrong(str(error), (what,), place) from None

    def _link(self, at: Place) -> Test:
        """``NAME is STATE``, ``NAME latency > 200ms``, ``NAME loss > 5%``, ``NAME remaining < 1GB``."""
        reader = self._reader
        if not reader.is_text:
            raise reader.wrong("the name of the link is missing", ("a name in quotes",))
        name = reader.take().text
        if not 0 < len(name) <= 64 or not name.isprintable():
            raise reader.wrong(f"“{name[:40]}” is no name of a link", ("a name in quotes",), at)
        if not reader.is_word(*words.LINK_WORDS):
            raise reader.wrong(f"{reader.token.shown} cannot be asked of a link", words.LINK_WORDS)
        asked = reader.take().text.lower()
        if asked == "is":
            operator = "!=" if reader.is_word("not") else "=="
            if operator == "!=":
                reader.take()
            states = self._several(self._states)
            return Test("link", tuple(states), operator, "link", name, "is", at)
        if not reader.is_mark("<", ">", "<=", ">="):
            raise reader.wrong(f"{asked} is compared", ("<", ">"))
        operator = reader.take().text[0]
        understand = {"latency": _milliseconds, "loss": _percent, "remaining": values.octets_of}[asked]
        what = {"latency": "200ms", "loss": "5%", "remaining": "1GB"}[asked]
        return Test("link", (self.amount(understand, what),), operator, "link", name, asked, at)

    def _states(self) -> list[Value]:
        reader = self._reader
        place = reader.place
        text = self._joined_words() if reader.is_text else ""
        found = text.lower().split("/")
        wrong = next((one for one in found if one not in words.LINK_STATES), None)
        if wrong is not None:
            raise reader.wrong(f"“{wrong[:40]}” is no state of a link", words.LINK_STATES, place)
        return list(found)


def _joined(kind: type[And] | type[Or], parts: list[Condition]) -> Condition:
    """One condition of several; of its own kind inside it none is left."""
    if len(parts) == 1:
        return parts[0]
    flat: list[Condition] = []
    for part in parts:
        flat += part.parts if isinstance(part, kind) else (part,)
    return kind(tuple(flat))


def _application(text: str) -> str:
    low = text.strip().lower().replace(" ", "_").replace("-", "_")
    if not values.is_name(low):
        raise ValueError(f"“{text[:40]}” is no application")
    return low


def _milliseconds(text: str) -> int:
    return _plain(text, "ms", 60_000, "a time as in 200ms")


def _percent(text: str) -> int:
    return _plain(text, "%", 100, "a share as in 5%")


def _plain(text: str, unit: str, most: int, what: str) -> int:
    number = text.removesuffix(unit).strip()
    if not number.isascii() or not number.isdigit() or len(number) > 6 or not 0 < int(number) <= most:
        raise ValueError(f"“{text[:40]}” is no {what.removeprefix('a ')}: 1 to {most}{unit}")
    return int(number)
