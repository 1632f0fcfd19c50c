"""Slot maps as CSV, for a spreadsheet and back: a line a map; ``server`` and ``note`` may be left out."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any

from remsim.core.errors import RemsimError
from remsim.core.small_dataclass import dataclass
from remsim.remotesim.maps import MOST
from remsim.remotesim.reconcile import Kept
from remsim.remotesim.slotmap import LONGEST_NOTE, SlotMap, is_id, place_text
from remsim.telemetry.export import FORMULA_STARTS, csv_line

NUMBERS = ("bank_id", "bank_slot", "client_id", "client_slot")
COLUMNS = ("server", *NUMBERS, "note")
MOST_WRONG = 100

Wanted = tuple[str, Kept]


@dataclass(slots=True)
class Import:
    """What a file would change. ``wrong`` are its lines, by number, that cannot be taken."""

    taken: list[Wanted] = field(default_factory=list)
    added: int = 0
    changed: int = 0
    same: int = 0
    wrong: list[tuple[int, str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """The answer of the API."""
        return {
            "added": self.added,
            "changed": self.changed,
            "same": self.same,
            "wrong": [{"line": line, "message": message} for line, message in self.wrong[:MOST_WRONG]],
        }


def csv_of(wanted: Iterable[Wanted]) -> Iterator[str]:
    """The maps that are wanted."""
    yield csv_line(COLUMNS)
    for server, one in wanted:
        yield csv_line([server, *(str(number) for number in one.map.as_dict().values()), guarded(one.note)])


def read_csv(text: str, wanted: Iterable[Wanted], server_named: Callable[[str | None], str]) -> Import:
    """What a file would change of the maps that are ``wanted``; the same for a map that is in both.

    ``server_named`` gives the name of a server, or that of the only one, and raises for one that is not known.
    """
    found = Import()
    before = {(server, one.map.bank): one for server, one in wanted}
    lines: dict[tuple[str, tuple[int, int]], int] = {}
    after = dict(before)
    for number, row in rows_in(text, found):
        try:
            server = server_named(row.get("server") or None)
            one = kept_of(row)
        except (RemsimError, ValueError) as error:
            found.wrong.append((number, getattr(error, "message", str(error))))
            continue
        key = (server, one.map.bank)
        if key in lines:
            found.wrong.append((number, f"bank slot {place_text(one.map.bank)} is in line {lines[key]}, too"))
            continue
        lines[key] = number
        after[key] = one
    check_clients(after, lines, found)
    for key in lines:
        if key not in before:
            found.added += 1
        elif (before[key].map, before[key].note) == (after[key].map, after[key].note):
            found.same += 1
            continue
        else:
            found.changed += 1
        found.taken.append((key[0], after[key]))
    if len(after) > MOST:
        found.wrong.append((0, f"there would be more than {MOST} slot maps"))
    found.wrong.sort()
    return found


def rows_in(text: str, found: Import) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Lines by number with their cells by name; semicolons may part them, as spreadsheets write in some countries."""
    text = text.removeprefix("\ufeff")
    first = text.partition("\n")[0]
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=";" if ";" in first else ",", strict=True)
    names: list[str] | None = None
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            if names is None:
                names = [cell.lower() for cell in cells]
                if not set(NUMBERS) <= set(names):
                    found.wrong.append((reader.line_num, f"the first line has not the columns {', '.join(NUMBERS)}"))
                    return
            elif len(cells) > len(names):
                found.wrong.append((reader.line_num, "the line has more cells than the first one"))
            else:
                yield reader.line_num, dict(zip(names, cells, strict=False))
    except csv.Error as error:
        found.wrong.append((reader.line_num, f"this is not CSV: {error}"))
    if names is None and not found.wrong:
        found.wrong.append((1, "the file is empty"))


def kept_of(row: Mapping[str, str]) -> Kept:
    """A line as a map; ``ValueError`` with a sentence."""
    ids = []
    for name in NUMBERS:
        text = row.get(name, "")
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else -1
        if not is_id(number):
            raise ValueError(f"{name} is not a number from 0 to 1023")
        ids.append(number)
    note = row.get("note", "")
    if note.startswith("'") and is_formula(note):
        note = note[1:]
    if len(note) > LONGEST_NOTE or not note.isprintable():
        raise ValueError(f"note is not one line of up to {LONGEST_NOTE} characters")
    return Kept(SlotMap(*ids), note=note)


def guarded(note: str) -> str:
    """A note that no spreadsheet takes for a formula, and that comes back as it was."""
    return f"'{note}" if is_formula(note) else note


def is_formula(note: str) -> bool:
    """Whether a spreadsheet could take a note for a formula, however often it is guarded."""
    return note.lstrip("'").startswith(FORMULA_STARTS)


def check_clients(
    after: Mapping[tuple[str, tuple[int, int]], Kept], lines: Mapping[tuple[str, tuple[int, int]], int], found: Import
) -> None:
    """A client's slot has one card: a line that gives it another is wrong."""
    users: dict[tuple[str, tuple[int, int]], tuple[str, tuple[int, int]]] = {}
    for key in sorted(after, key=lambda key: (key in lines, lines.get(key, 0))):
        client = after[key].map.client
        other = users.setdefault((key[0], client), key)
        if other != key:
            where = f"in line {lines[other]}, too" if other in lines else "wanted already"
            text = f"client {place_text(client)} with bank slot {place_text(other[1])} is {where}"
            found.wrong.append((lines.get(key, 0), text))
