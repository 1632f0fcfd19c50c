"""Rows of a bulk download: read from CSV or JSON, and checked all together before the first code is used."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, field
from typing import TYPE_CHECKING, Any

from remsim.core.errors import InvalidInput, RemsimError
from remsim.core.forms import NO, YES
from remsim.core.masking import mask
from remsim.core.small_dataclass import dataclass
from remsim.esim.activation import Activation, parse
from remsim.esim.codes import masked_token
from remsim.esim.es10.requests import LONGEST_NICKNAME
from remsim.esim.ids import EID_OCTETS, ICCID_DIGITS, is_eid
from remsim.esim.room import Room, check_octets

if TYPE_CHECKING:
    from remsim.esim.ordering import Ordering

COLUMNS = ("target", "code", "order", "confirmation_code", "nickname", "enable", "profile_type", "iccid")
OTHER_NAMES = {
    "eid": "target", "modem": "target", "holder": "target", "activation_code": "code", "lpa": "code",
    "confirmation": "confirmation_code", "name": "nickname",
}  # fmt: skip
MOST_ROWS = 500
LONGEST_CELL = 512
LONGEST_CONFIRMATION = 64
SEPARATORS = ",;\t"
UsedBy = Callable[[str], str | None]
"""Where a code, by its digest, was used or may have been, in words; None when it is free."""


@dataclass(slots=True)
class Row:
    """One download. ``order`` names a server that a code is ordered at when it is the row's turn."""

    number: int
    target: str = ""
    code: str = ""
    order: str = ""
    confirmation_code: str = ""
    nickname: str = ""
    enable: bool = False
    profile_type: str = ""
    iccid: str = ""
    holder: str | None = None
    eid: str | None = None
    server: str | None = None
    hint: str | None = None
    problem: dict[str, str | None] | None = None
    warnings: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For the journal."""
        return asdict(self)

    @property
    def card(self) -> str:
        """What has one operation at a time."""
        return self.eid or self.holder or self.target

    def view(self) -> dict[str, Any]:
        """As a dry run shows it: codes and numbers masked."""
        return {
            "row": self.number,
            "target": shown_target(self.target),
            "holder": self.holder,
            "code": self.hint,
            "smdp_address": self.server,
            "order": self.order or None,
            "nickname": self.nickname or None,
            "enable": self.enable,
            "problem": self.problem,
            "warnings": list(self.warnings),
        }


def read_csv(text: str) -> list[Row]:
    """Rows of CSV, whose first line names the columns; separated by commas, semicolons or tabs."""
    text = text.lstrip("\ufeff")
    head = text.lstrip("\r\n").partition("\n")[0]
    separator = max(SEPARATORS, key=head.count)
    try:
        lines = [line for line in csv.reader(io.StringIO(text), delimiter=separator, strict=True) if any(line)]
    except csv.Error as error:
        raise InvalidInput(f"this is no CSV: {error}", field="csv") from error
    if not lines:
        raise InvalidInput("there are no rows", field="csv")
    names = [name_of(cell) for cell in lines[0]]
    if "target" not in names:
        hint = f"the first line names the columns: {', '.join(COLUMNS)}"
        raise InvalidInput("there is no column target", field="csv", hint=hint)
    unknown = [cell for cell, name in zip(lines[0], names, strict=True) if name is None and cell.strip()]
    if unknown:
        hint = f"columns are {', '.join(COLUMNS)}"
        raise InvalidInput(f"there is no column {unknown[0].strip()[:40]!r}", field="csv", hint=hint)
    found = []
    for number, line in enumerate(lines[1:], 1):
        if len(line) > len(names) and any(cell.strip() for cell in line[len(names) :]):
            raise InvalidInput(f"row {number} has more cells than there are columns", field="csv")
        found.append({name: cell for name, cell in zip(names, line, strict=False) if name})
    return read_rows(found, "csv")


def name_of(cell: str) -> str | None:
    """The column that a head means."""
    word = cell.strip().lower().replace(" ", "_").replace("-", "_")
    word = OTHER_NAMES.get(word, word)
    return word if word in COLUMNS else None


def read_rows(given: Any, place: str = "rows") -> list[Row]:
    """Rows of objects; ``InvalidInput`` names the row that is none."""
    if not isinstance(given, list) or not given:
        raise InvalidInput("there are no rows", field=place)
    if len(given) > MOST_ROWS:
        raise InvalidInput(f"there are {len(given)} rows, and {MOST_ROWS} at most are taken", field=place)
    return [read_row(number, one, place) for number, one in enumerate(given, 1)]


def read_row(number: int, given: Any, place: str) -> Row:
    """One of them."""
    if not isinstance(given, Mapping):
        raise InvalidInput(f"row {number} is not an object", field=place)
    row = Row(number)
    for key, value in given.items():
        name = name_of(str(key))
        if name is None:
            raise InvalidInput(f"row {number}: there is no column {str(key)[:40]!r}", field=place)
        if name == "enable":
            row.enable = flag_of(number, value, place)
            continue
        text = "" if value is None else str(value) if isinstance(value, int | str) else None
        if text is None or len(text) > LONGEST_CELL or not (text.strip().isprintable() or not text.strip()):
            raise InvalidInput(f"row {number}: {name} is not a line of text", field=place)
        setattr(row, name, text.strip())
    row.target = row.target.replace(" ", "")
    return row


def flag_of(number: int, value: Any, place: str) -> bool:
    """Yes or no; nothing is no."""
    if isinstance(value, bool):
        return value
    word = str(value or "").strip().lower()
    if word in (*YES, "y", "x"):
        return True
    if word in (*NO, "n", ""):
        return False
    raise InvalidInput(f"row {number}: enable is neither yes nor no", field=place)


def check_rows(rows: Sequence[Row], room: Room, orders: Callable[[], Ordering], used_by: UsedBy, min_free: int) -> None:
    """Look at all rows, and note on each what is wrong; no card and no server is asked. ``min_free`` in octets."""
    holders = {one.id: one for one in room.all_holders()}
    codes: dict[str, int] = {}
    cards: dict[str, list[int]] = defaultdict(list)
    enabling: dict[str, int] = {}
    for row in rows:
        row.problem, row.warnings = None, []
        try:
            find_card(row, room, holders)
            cards[row.card].append(row.number)
            check_source(row, orders)
            check_texts(row)
            check_twice(row, codes, enabling, used_by)
            check_memory(row, room, len(cards[row.card]), min_free)
        except RemsimError as error:
            row.problem = problem_of(error)
        others = [number for number in cards.get(row.card, []) if number != row.number]
        if others:
            row.warnings.append(f"row {others[0]} is for this card, too")


def find_card(row: Row, room: Room, holders: Mapping[str, Any]) -> None:
    """Which holder has the card that is meant."""
    if not row.target:
        raise InvalidInput("no card is named", field="target", code="target_missing")
    if row.target.isdigit() and len(row.target) > EID_OCTETS:
        if not is_eid(row.target):
            text = "this is not an EID: it has 32 digits, of which the last two check the others"
            raise InvalidInput(text, field="target", code="eid_wrong")
        row.eid = row.target
        having = (name for name, card in room.cards.all().items() if card["eid"] == row.eid and name in holders)
        row.holder = next(having, None)
        if row.holder is None:
            hint = "read the cards first, then check again"
            raise InvalidInput("no card of this EID was read here", field="target", code="eid_unknown", hint=hint)
    elif row.target not in holders:
        text = f"there is no modem or card reader {row.target[:40]!r}"
        raise InvalidInput(text, field="target", code="holder_unknown")
    else:
        row.holder = row.target
    card = room.cards.of(row.holder)
    if card is None or card["eid"] is None:
        if card is not None and card["state"] == "no_euicc":
            raise InvalidInput("the card there is no eUICC", field="target", code="no_euicc")
        row.warnings.append("this card was not read yet: whether it has room is not known")
    else:
        row.eid = card["eid"]


def check_source(row: Row, orders: Callable[[], Ordering]) -> None:
    """A code, or where one is ordered."""
    if bool(row.code) == bool(row.order):
        text = "a code is needed, or the name of a server to order one at" if not row.code else "it has both"
        raise InvalidInput(text, field="code", code="code_missing" if not row.code else "code_and_order")
    if row.iccid and (len(row.iccid.rstrip("Ff")) not in ICCID_DIGITS or not row.iccid.rstrip("Ff").isdigit()):
        raise InvalidInput("an ICCID has 18 to 20 digits", field="iccid")
    if row.order:
        orders().check(wanted_of(row))
        return
    activation = parse(row.code)
    row.server, row.hint = activation.smdp_address, masked_token(activation.matching_id)
    row.warnings.extend(activation.warnings)
    if activation.confirmation_code_required and not row.confirmation_code:
        text = "the operator asks for a confirmation code, and the row has none"
        raise InvalidInput(text, field="confirmation_code", code="confirmation_needed")


def wanted_of(row: Row) -> Any:
    """The order that a row is for."""
    from remsim.esim.ordering import Wanted

    return Wanted(
        row.order,
        eid=row.eid,
        iccid=row.iccid.rstrip("Ff") or None,
        profile_type=row.profile_type or None,
        confirmation_code=row.confirmation_code or None,
    )


def check_texts(row: Row) -> None:
    """What the card and the server have room for."""
    check_octets(row.nickname, LONGEST_NICKNAME, "nickname")
    if len(row.confirmation_code) > LONGEST_CONFIRMATION:
        text = f"a confirmation code has {LONGEST_CONFIRMATION} characters at most"
        raise InvalidInput(text, field="confirmation_code")


def check_twice(row: Row, codes: dict[str, int], enabling: dict[str, int], used_by: UsedBy) -> None:
    """No code twice, in these rows or ever; one profile a card is enabled at most."""
    if row.code:
        digest = digest_of(parse(row.code), row.card)
        if digest in codes:
            raise InvalidInput(f"row {codes[digest]} has this code, too", field="code", code="code_twice")
        codes[digest] = row.number
        if (where := used_by(digest)) is not None:
            hint = "ask the operator for a new one"
            raise InvalidInput(f"this code was used {where}", field="code", code="code_used", hint=hint)
    if row.enable:
        if row.card in enabling:
            text = f"row {enabling[row.card]} enables a profile on this card, and only one can be enabled"
            raise InvalidInput(text, field="enable", code="enable_twice")
        enabling[row.card] = row.number


def check_memory(row: Row, room: Room, count: int, min_free: int) -> None:
    """Room for each profile of the card, as far as its memory is known."""
    card = room.cards.of(row.holder or "")
    free = None if card is None or card["euicc"] is None else card["euicc"].get("free_bytes")
    if free is not None and free < count * min_free:
        text = f"the card has {free // 1024} kB free, and {count} profiles may need {count * min_free // 1024} kB"
        hint = "delete a profile; or allow less with min_free_kb, if the profiles are small"
        raise InvalidInput(text, field="target", code="no_memory", hint=hint)


def digest_of(activation: Activation, card: str) -> str:
    """A code that can be recognised and not used. One without a matching id is an order for its card."""
    whose = "" if activation.matching_id else f"${card}"
    text = f"{activation.smdp_address.lower()}${activation.matching_id}{whose}"
    return hashlib.sha256(text.encode()).hexdigest()


def problem_of(error: RemsimError) -> dict[str, str | None]:
    """What is wrong, for the page."""
    return {"code": error.code, "message": error.message, "hint": error.hint, "field": error.field}


def shown_target(target: str) -> str | None:
    """A modem's id as it is, an EID masked."""
    return mask(target) if target.isdigit() and len(target) > EID_OCTETS else target[:40]
