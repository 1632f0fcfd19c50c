"""``/api/v1/esim/bulk``: many downloads one after another; ``/api/v1/esim/inventory``: every profile that was seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, request
from marshmallow import ValidationError, validates_schema
from marshmallow import fields as ma

from remsim.core.errors import InvalidInput
from remsim.core.forms import Choice, Flag, Form, Long, StrictNumber, Text, Whole
from remsim.web.auth import actor, identity, not_audited, requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.errors import Forbidden
from remsim.web.esim import begun
from remsim.web.fields import Query, load_body, load_query

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from remsim.esim.bulk import Bulk
    from remsim.esim.bulk_rows import Row

bp = Blueprint("esim_bulk", __name__)

LARGEST_BODY = 512 * 1024
KILO = 1024
LONGEST_NUMBER = 6


class RowList(ma.Raw):
    """Rows as objects, checked by who reads them."""

    json = {"type": "array", "items": {"type": "object"}}


class BulkForm(Form):
    """Rows as CSV or as objects. ``check``: only look at them."""

    csv = Long(LARGEST_BODY, allow_none=True, metadata={"label": "Rows as CSV", "private": True})
    rows = RowList(allow_none=True, metadata={"label": "Rows", "private": True})
    check = Flag(load_default=False, metadata={"label": "Only check"})
    name = Text(0, 64, load_default="", metadata={"label": "Name"})
    per_minute = StrictNumber(
        0.1, 60, load_default=4.0, metadata={"label": "No more than", "unit": "a minute"}
    )
    min_free_kb = Whole(
        0, 2048, load_default=60, metadata={"label": "Free memory each profile needs", "unit": "kB"}
    )

    @validates_schema
    def fits_together(self, data: dict[str, Any], **kwargs: Any) -> None:
        """One of the two."""
        if (data.get("csv") is None) == (data.get("rows") is None):
            raise ValidationError("is needed, or rows", "csv")


class DecisionForm(Form):
    """What somebody who has looked says of a row."""

    decision = Choice(
        {"again": "Try it again", "done": "It is done", "drop": "Forget it"},
        required=True,
        metadata={"label": "Decision"},
    )


class IdentifiersQuery(Query):
    """Whether numbers are wanted in full."""

    identifiers = Flag(load_default=False)


@bp.get("/esim/bulk")
@requires_scope("read")
@describes("Bulk downloads, the last first, and the columns that rows have", fails=(507,))
def list_bulk() -> dict[str, Any]:
    """Without their rows."""
    from remsim.esim.bulk_rows import COLUMNS

    return {"batches": bulk().views(), "columns": list(COLUMNS)}


@bp.post("/esim/bulk")
@requires_scope("write")
@describes("Check rows, or download a profile for each", body=BulkForm, status=202, fails=(502, 507))
def begin_bulk() -> tuple[dict[str, Any], int]:
    """422 when anything is wrong with any row: then nothing is begun. A check answers 200."""
    request.max_content_length = LARGEST_BODY
    given = load_body(BulkForm())
    rows = rows_of(given)
    min_free = given["min_free_kb"] * KILO
    if given["check"]:
        not_audited()
        return bulk().check(rows, min_free), 200
    name = given["name"].strip()
    return begun(bulk().begin(rows, name=name, per_minute=given["per_minute"], min_free=min_free, actor=actor()))


@bp.get("/esim/bulk/<batch_id>")
@requires_scope("read")
@describes("A bulk download with its rows", query=IdentifiersQuery, fails=(507,))
def show_bulk(batch_id: str) -> dict[str, Any]:
    """Codes are masked; ``identifiers`` shows numbers of cards in full."""
    return bulk().view(batch_id, identifiers=wants_identifiers())


@bp.get("/esim/bulk/<batch_id>/result.csv")
@requires_scope("read")
@describes("The same as CSV, a row a download", query=IdentifiersQuery, answer="text/csv", fails=(507,))
def show_bulk_csv(batch_id: str) -> Response:
    """Small: as many lines as rows."""
    from remsim.esim.bulk_journal import RESULT_COLUMNS, cells_of

    rows = bulk().view(batch_id, identifiers=wants_identifiers())["rows"]
    return csv_file(f"remsim-esim-bulk-{batch_id[:40]}", RESULT_COLUMNS, (cells_of(one) for one in rows))


@bp.post("/esim/bulk/<batch_id>/resume")
@requires_scope("write")
@describes("Go on with a bulk download; what was under way is settled first", status=202, fails=(502, 507))
def resume_bulk(batch_id: str) -> tuple[dict[str, Any], int]:
    """No code is used that may have been used before."""
    return begun(bulk().resume(batch_id, actor()))


@bp.post("/esim/bulk/<batch_id>/rows/<row_id>")
@requires_scope("write")
@describes("Decide on a row that failed, or of which nobody knows what became", body=DecisionForm, fails=(507,))
def decide_on_row(batch_id: str, row_id: str) -> dict[str, Any]:
    """By its number; ``again`` lets it wait for the next ``resume``."""
    if not (row_id.isascii() and row_id.isdecimal() and len(row_id) <= LONGEST_NUMBER):
        raise InvalidInput("the number of a row is meant", field="row")
    return bulk().decide(batch_id, int(row_id), load_body(DecisionForm())["decision"])


@bp.delete("/esim/bulk/<batch_id>")
@requires_scope("write")
@describes("Forget a bulk download; which codes were used stays known", fails=(507,))
def drop_bulk(batch_id: str) -> dict[str, Any]:
    """409 while it is under way."""
    bulk().drop(batch_id)
    return {"id": batch_id, "removed": True}


@bp.get("/esim/inventory")
@requires_scope("read")
@describes("Every profile that was seen on a card of this router", query=IdentifiersQuery, fails=(507,))
def show_inventory() -> dict[str, Any]:
    """Also those that their cards have no more; ``identifiers`` shows numbers of cards in full."""
    return {"profiles": inventory_views()}


@bp.get("/esim/inventory.csv")
@requires_scope("read")
@describes("The same as CSV", query=IdentifiersQuery, answer="text/csv", fails=(507,))
def show_inventory_csv() -> Response:
    """A line a profile."""
    from remsim.esim.inventory import COLUMNS, cells_of

    return csv_file("remsim-esim-inventory", COLUMNS, (cells_of(one) for one in inventory_views()))


def inventory_views() -> list[dict[str, Any]]:
    """With the bytes each profile has used on this router."""
    from remsim.esim.inventory import view_of

    router, identifiers = services().router, wants_identifiers()
    used = {
        row["sim"]: row["rx_bytes"] + row["tx_bytes"]
        for row in router.usage.query("0000-00-00", "9999-99-99", group=("sim",))
    }
    return [
        view_of(one, used.get(one.id), identifiers=identifiers)
        for one in router.esim.parts.extras.inventory.profiles()
    ]


def wants_identifiers() -> bool:
    """Whether numbers are shown in full: only to who may see them so."""
    wanted = bool(load_query(IdentifiersQuery())["identifiers"])
    if wanted and not identity().may("identifiers"):
        raise Forbidden("numbers of cards are for those only who may see identifiers in full", code="no_identifiers")
    return wanted


def csv_file(name: str, columns: Sequence[str], lines: Iterable[Sequence[str]]) -> Response:
    """A file to keep; no cell is a formula to a spreadsheet."""
    from remsim.telemetry.export import csv_line, safe_text

    text = csv_line(columns) + "".join(csv_line([safe_text(cell) for cell in line]) for line in lines)
    headers = {"Content-Disposition": f'attachment; filename="{name}.csv"'}
    return Response(text, mimetype="text/csv", headers=headers)


def rows_of(given: dict[str, Any]) -> list[Row]:
    """Rows from either."""
    from remsim.esim.bulk_rows import read_csv, read_rows

    return read_rows(given["rows"]) if given.get("csv") is None else read_csv(given["csv"])


def bulk() -> Bulk:
    """What does them."""
    return services().router.esim.parts.extras.bulk
