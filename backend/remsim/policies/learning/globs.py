"""Names with wildcards inside, as in ``*video*.example.com``: what is one, and whether a name that was seen fits.

``*`` is any run of characters, dots too; ``?`` is one character that is no dot. The whole name has to fit; a ``*.`` at
the beginning also takes the name without it, as it does everywhere. dnsmasq knows no such names, so they are matched
against what was seen, and the addresses hold from then on.

Anybody may have names asked for, and who may write policies may write any glob: so wildcards are few, and a name is
searched for their parts one after the other, each from where the one before was found first. Nothing is tried again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Generic, TypeVar

from remsim.core.errors import InvalidInput
from remsim.policies.learning.patterns import MOST_OCTETS, above, ascii_label, is_below, shown

T = TypeVar("T")
MOST_STARS = 8
MOST_GLOBS = 256
"""In all policies: each name that is new is matched against those whose end it has."""
MOST_REMEMBERED = 1024
PART = re.compile(r"[A-Za-z0-9_*?-]+", re.ASCII)


def is_glob(pattern: str) -> bool:
    """Whether a pattern has a wildcard beside ``*.`` at its beginning."""
    rest = pattern.removeprefix("*.")
    return "*" in rest or "?" in rest


def checked_glob(text: str) -> str:
    """The glob in the form in which it is kept: lower case, runs of ``*`` as one. ``InvalidInput`` with a sentence."""
    if len(text) > MOST_OCTETS:
        raise InvalidInput(f"{shown(text)} is longer than {MOST_OCTETS} characters")
    glob = re.sub(r"\*+", "*", text.removesuffix("."))
    glob = ".".join(_part(label, text) for label in glob.split("."))
    if not glob.strip("*?."):
        raise InvalidInput(f"{shown(text)} takes every name", hint="every flow is: match: all")
    if not glob.strip("*?.0123456789"):
        raise InvalidInput(f"{shown(text)} is no name of a domain", hint="match an address with destination")
    if glob.count("*") > MOST_STARS:
        raise InvalidInput(f"{shown(text)} has more than {MOST_STARS} *")
    return glob


def _part(label: str, text: str) -> str:
    """What stands between two dots."""
    if not is_glob(label):
        return ascii_label(label, text)
    if not PART.fullmatch(label):
        raise InvalidInput(
            f"{shown(text)} is no name of a domain: letters, digits, hyphens, * and ? between dots are",
            hint="what stands beside a wildcard is written in ASCII (xn--…)",
        )
    return label.lower()


def takes(pattern: str, name: str) -> bool:
    """Whether a pattern that was checked takes a name."""
    if is_glob(pattern):
        return matcher(pattern)(name)
    return is_below(name, pattern.removeprefix("*."))


def suffix_of(glob: str) -> str:
    """The domain that all names of a glob are below of; empty where its end is open."""
    return re.split(r"[*?]", glob)[-1].partition(".")[2]


def is_within(inner: str, outer: str) -> bool:
    """Whether every name that one pattern takes is taken by another, for certain."""
    if inner == outer:
        return True
    if is_glob(outer):
        return False
    name = suffix_of(inner) if is_glob(inner) else inner.removeprefix("*.")
    return is_below(name, outer.removeprefix("*."))


@lru_cache(MOST_GLOBS)
def matcher(glob: str) -> Callable[[str], bool]:
    """A function that says whether a name fits. Its groups are atomic: what one has found it never looks for anew."""
    first, *others = (re.escape(part).replace(r"\?", "[^.]") for part in glob.split("*"))
    between = "".join(f"(?>.*?{part})" for part in others[:-1])
    fits = re.compile(first + between + (f".*{others[-1]}" if others else "")).fullmatch
    if glob.startswith("*."):
        return lambda name: fits("." + name) is not None
    return lambda name: fits(name) is not None


class Globs(Generic[T]):
    """Which of many globs a name fits, and what belongs to them. Names that come again are remembered."""

    def __init__(self, found: Iterable[tuple[str, T]] = ()) -> None:
        self._by_suffix: dict[str, list[tuple[Callable[[str], bool], T]]] = {}
        for glob, value in found:
            self._by_suffix.setdefault(suffix_of(glob), []).append((matcher(glob), value))
        self._known: dict[str, tuple[T, ...]] = {}

    def __call__(self, name: str) -> tuple[T, ...]:
        """What belongs to the globs that take a name."""
        if not self._by_suffix:
            return ()
        found = self._known.get(name)
        if found is None:
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            found = self._known[name] = tuple(self._look(name))
        return found

    def _look(self, name: str) -> Iterator[T]:
        for domain in (*above(name), ""):
            for fits, value in self._by_suffix.get(domain, ()):
                if fits(name):
                    yield value
