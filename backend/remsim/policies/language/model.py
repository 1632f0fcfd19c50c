"""What a policy file says, as values. Places in the text are kept beside and do not count when two are compared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import field

from remsim.core.routes import Choice
from remsim.core.small_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: line and column, both from 1; columns count characters."""

    line: int = 1
    column: int = 1


NOWHERE = Place()


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a place: a sentence, and the words that would have been right there."""

    line: int
    column: int
    message: str
    expected: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """As JSON."""
        return {
            "line": self.line,
            "column": self.column,
            "message": self.message,
            "expected": list(self.expected),
        }


@dataclass(frozen=True, slots=True)
class Range:
    """Whole numbers from ``low`` to ``high``, both in it: ports, DSCP, octets."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Span:
    """Addresses from ``first`` to ``last`` of IPv4 or IPv6 (``family`` 4 or 6), both in it, as numbers."""

    family: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Mac:
    """A device by its hardware address: six octets, lower case, with colons."""

    address: str


@dataclass(frozen=True, slots=True)
class Named:
    """A set of addresses that the file defines: ``@name``; or ``router``, the router itself (``name`` empty)."""

    name: str = ""


@dataclass(frozen=True, slots=True)
class FromFile:
    """All addresses of a file (see policies/addresses): ``file "name"``, in sets only."""

    name: str
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Window:
    """Minutes of the day from ``begin`` until before ``end`` on some ``days`` (0 is Monday; all without any).

    ``end`` not after ``begin``: over midnight, the days being those on which it begins.
    """

    begin: int = 0
    end: int = 1440
    days: tuple[int, ...] = ()


Value = str | int | Range | Span | Mac | Named | FromFile | Window


@dataclass(frozen=True, slots=True)
class Test:
    """One condition: any of ``values``, or all flows for kind ``all``.

    ``kind`` is one of ``words.TESTS``; ``word`` as it was written. ``operator``: ``==``, ``!=``, ``<``, ``<=``, ``>``,
    ``>=``. Rates are in octets a second, sizes in octets. For ``link``: ``subject`` is the link's name, ``asked`` what
    of it is asked (``is``, ``latency``, ``loss``, ``remaining``).
    """

    kind: str
    values: tuple[Value, ...] = ()
    operator: str = "=="
    word: str = field(default="", compare=False)
    subject: str = ""
    asked: str = ""
    at: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True, slots=True)
class Not:
    """What must not hold."""

    part: Condition


@dataclass(frozen=True, slots=True)
class And:
    """All of them."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Any of them."""

    parts: tuple[Condition, ...]


Condition = Test | Not | And | Or

def tests_in(condition: Condition) -> Iterator[Test]:
    """All tests of a condition."""
    if isinstance(condition, Test):
        yield condition
        return
    for part in (condition.part,) if isinstance(condition, Not) else condition.parts:
        yield from tests_in(part)


EVERYTHING = Test("all", word="all")


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many octets a second: ``way`` both, download or upload; of the policy, or of each device."""

    octets_per_s: int
    way: str = "both"
    is_each_device: bool = False


@dataclass(frozen=True, slots=True)
class Comments:
    """Comments, with their marks: lines ``before`` something (an empty one is an empty line), one ``beside`` it."""

    before: tuple[str, ...] = ()
    beside: str | None = None


NO_COMMENTS = Comments()


@dataclass(frozen=True, slots=True)
class Policy:
    """One policy.

    ``priority`` orders policies, the lowest first, then the file; ``priority_word`` is how it was written (``high``).
    ``klass`` None: it follows from the rest (see ``klass_of``). ``choices`` are those of ``route`` and then those of
    ``fallback``, which begin at ``fallback_at``. ``comments`` by statement, ``policy`` and ``end``.
    """

    name: str
    match: Condition = EVERYTHING
    choices: tuple[Choice, ...] = ()
    fallback_at: int | None = None
    priority: int = 100
    priority_word: str = ""
    klass: str | None = None
    limits: tuple[Limit, ...] = ()
    dscp: int | None = None
    queue: str | None = None
    persistence: str | None = None
    is_enabled: bool = True
    order: tuple[str, ...] = field(default=(), compare=False)
    comments: tuple[tuple[str, Comments], ...] = ()
    at: Place = field(default=NOWHERE, compare=False)
    end: Place = field(default=NOWHERE, compare=False)
    places: tuple[tuple[str, Place], ...] = field(default=(), compare=False)
    first_line: int = field(default=1, compare=False)
    origin: str = field(default="text", compare=False)

    @property
    def klass_of(self) -> str:
        """The class of its flows: as said, or interactive where it is urgent or wants a short way."""
        if self.klass is not None:
            return self.klass
        first = self.choices[0] if self.choices else Choice("any")
        wants_short = first.kind == "prefer" and first.value in ("lowest_latency", "lowest_loss")
        wants_short = wants_short or (first.kind == "balance" and first.value == "latency")
        return "interactive" if self.priority_word in ("high", "highest") or wants_short else "bulk"


@dataclass(frozen=True, slots=True)
class AddressSet:
    """Addresses under a name: ``set kids { 192.168.1.20, 192.168.1.32/28 }``."""

    name: str
    values: tuple[Value, ...]
    comments: tuple[tuple[str, Comments], ...] = ()
    at: Place = field(default=NOWHERE, compare=False)
    end: Place = field(default=NOWHERE, compare=False)
    first_line: int = field(default=1, compare=False)


@dataclass(frozen=True, slots=True)
class PolicySet:
    """All of a file, in its order; ``after`` are comments behind the last item."""

    items: tuple[Policy | AddressSet, ...] = ()
    after: tuple[str, ...] = ()

    @property
    def policies(self) -> tuple[Policy, ...]:
        """Its policies in the order of the file."""
        return tuple(one for one in self.items if isinstance(one, Policy))

    @property
    def sets(self) -> dict[str, tuple[Value, ...]]:
        """Its sets by name."""
        return {one.name: one.values for one in self.items if isinstance(one, AddressSet)}


@dataclass(frozen=True, slots=True)
class Parsed:
    """What was understood, and what was not. With problems the set holds what could be made of the rest."""

    set: PolicySet
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class Checked:
    """A text that was looked at: its errors keep it from being put in force, its warnings do not."""

    set: PolicySet
    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether it may be put in force."""
        return not self.errors
