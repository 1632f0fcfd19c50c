"""The indented text that qmicli and mbimcli print, as a tree of names and values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import field

from remsim.core.small_dataclass import dataclass
from remsim.modems.decode.text import whole

LONGEST_LINE = 1000
NOTHING = frozenset(("", "unknown", "n/a", "unavailable", "(null)"))
"""How the tools write what the modem did not say."""

_DEVICE = re.compile(r"^\[[^\]\s]*/[^\]\s]*\] ?")
_NAMED = re.compile(r"([^':]+?) *(?::\s*(.*))?$")
_NUMBER = re.compile(r"[+-]?[0-9]{1,19}(?:\.[0-9]{1,6})?(?![0-9A-Za-z])")


@dataclass(slots=True)
class Entry:
    """One line: its name, its value without quotes, what stands behind the value, and the lines indented below it."""

    name: str = ""
    value: str = ""
    tail: str = ""
    inner: list[Entry] = field(default_factory=list)

    def each(self, prefix: str) -> Iterator[Entry]:
        """The entries below whose names begin so."""
        return (entry for entry in self.inner if entry.name.startswith(prefix))

    def first(self, name: str) -> Entry:
        """The first entry of a name; an empty one when there is none."""
        return next((entry for entry in self.inner if entry.name == name), NO_ENTRY)

    def word(self, name: str) -> str | None:
        """The value of the first entry of a name; None when it is missing or says that nothing is known."""
        value = self.first(name).value
        return None if value.lower() in NOTHING else value

    def number(self, name: str, low: float, high: float) -> float | None:
        """The number a value begins with (``-97 dBm``), when it can be true: sentinels are out of range."""
        match = _NUMBER.match(self.first(name).value)
        value = float(match[0]) if match else None
        return whole(value) if value is not None and low <= value <= high else None

    def count(self, name: str, high: int, *unknown: int) -> int | None:
        """A whole number from 0 to ``high`` that is none of ``unknown``."""
        value = self.number(name, 0, high)
        return int(value) if value is not None and value not in unknown else None


NO_ENTRY = Entry()


def outline(text: str) -> Entry:
    """The lines of a tool's output below one root, the lines that begin with ``[/dev/…]`` on the first level.

    Lines are indented by tabs; blanks behind tabs only align the names. Text that was posted with blanks for tabs is
    read too, as long as its levels differ.
    """
    root = Entry()
    above: list[tuple[int, Entry]] = [(-1, root)]
    for line in text.splitlines():
        entry = parse_line(line)
        if entry is None:
            continue
        depth = depth_of(line)
        while above[-1][0] >= depth:
            above.pop()
        above[-1][1].inner.append(entry)
        above.append((depth, entry))
    return root


def headed(text: str) -> Entry:
    """The heading that has lines below it: for outputs of one section."""
    return next((entry for entry in outline(text).inner if entry.inner), NO_ENTRY)


def flat(text: str) -> Entry:
    """All lines on one level: for outputs whose blanks only align."""
    entries = (parse_line(line) for line in text.splitlines())
    return Entry(inner=[entry for entry in entries if entry is not None])


def parse_line(line: str) -> Entry | None:
    """``Name: 'value' tail``, ``Name: value`` or ``Name``; None for a line of another form."""
    if len(line) > LONGEST_LINE:
        return None
    match = _NAMED.match(_DEVICE.sub("", line).strip())
    if match is None:
        return None
    name, value = match[1], (match[2] or "").strip()
    if not value.startswith("'") or value.count("'") < 2:
        return Entry(name, value)
    end = value.rindex("'")
    if " '" in value[1:end] and value[1:end].count("'") == 2:  # slot '1', application '1'
        return Entry(name, value)
    return Entry(name, value[1:end].strip(), value[end + 1 :].strip())


def depth_of(line: str) -> int:
    """How far a line is indented: eight for a tab, one for a blank that no tab precedes."""
    tabs = len(line) - len(line.lstrip("\t"))
    return tabs * 8 if tabs else len(line) - len(line.lstrip(" "))
