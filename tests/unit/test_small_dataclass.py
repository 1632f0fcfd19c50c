"""Small dataclasses do what Python's do."""

from __future__ import annotations

import copy
import dataclasses
import gc
import weakref

import pytest
from remsim.core.small_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Point:
    """Of a plane."""

    x: int
    y: int = 0
    note: str = dataclasses.field(default="", compare=False, repr=False)


@dataclass(slots=True)
class Counter:
    """Of anything."""

    n: int = 0


@dataclass(frozen=True, slots=True)
class Named:
    """Shows itself by its name."""

    name: str

    def __repr__(self) -> str:
        return f"<{self.name}>"


def test_it_compares_hashes_and_shows_itself_as_pythons_do() -> None:
    assert Point(1, note="a") == Point(1, note="b") != Point(2)
    assert len({Point(1, note="a"), Point(1)}) == 1
    assert repr((Point(1, note="a"), Counter(3))) == "(Point(x=1, y=0), Counter(n=3))"
    assert repr(Named("home")) == "<home>"


def test_what_is_frozen_stays_as_it_is() -> None:
    point = Point(1)
    with pytest.raises(dataclasses.FrozenInstanceError, match="x of Point"):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError, match="y of Point"):
        del point.y  # type: ignore[misc]
    assert not hasattr(point, "__dict__")
    assert point == Point(1)


def test_what_is_not_frozen_changes() -> None:
    counter = Counter()
    counter.n += 2
    assert counter == Counter(2)


def test_it_is_replaced_copied_and_taken_apart() -> None:
    point = dataclasses.replace(Point(1), y=5)
    assert dataclasses.asdict(copy.deepcopy(point)) == {"x": 1, "y": 5, "note": ""}


def test_the_class_that_it_was_made_from_is_let_go() -> None:
    class Plain:
        x: int

    made_from = weakref.ref(Plain)
    small = dataclass(frozen=True, slots=True)(Plain)
    del Plain
    gc.collect()
    assert made_from() is None and small(3) == small(3)  # type: ignore[call-arg]
