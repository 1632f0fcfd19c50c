"""``/api/v1/annotations``: notes on the time axis."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response
from marshmallow import ValidationError

from remsim.core.clock import iso_utc
from remsim.core.errors import NotFound
from remsim.core.forms import Form, Text
from remsim.telemetry.annotations import LONGEST_TEXT, Annotation
from remsim.telemetry.export import note_csv
from remsim.web.auth import identity, requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import LARGEST_ID, Moment, Name, Names, PeriodQuery, asked_period, load_body, load_query
from remsim.web.modems import known_modem

bp = Blueprint("annotations", __name__)

JOINERS = str.maketrans("", "", "\u200c\u200d")
"""Zero-width joiners: no printable characters, but Persian and emoji are written with them."""


class Note(Text):
    """One line of text by people, in any script."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ValidationError("is not one line of text")
        text = value.strip()
        if not self.shortest <= len(text) <= self.longest:
            raise ValidationError(f"has not {self.shortest} to {self.longest} characters")
        super()._deserialize(text.translate(JOINERS), attr, data, **kwargs)
        return text


class AnnotationForm(Form):
    """A note: of a moment, or from ``at`` to ``to``; of one modem, or of all without one."""

    at = Moment(required=True, metadata={"label": "At"})
    until = Moment(data_key="to", allow_none=True, load_default=None, metadata={"label": "To"})
    text = Note(1, LONGEST_TEXT, required=True, metadata={"label": "Note"})
    modem = Name(allow_none=True, load_default=None, metadata={"label": "Modem"})


class AnnotationChange(Form):
    """What to change of a note; what is not named stays."""

    at = Moment()
    until = Moment(data_key="to", allow_none=True)
    text = Note(1, LONGEST_TEXT)
    modem = Name(allow_none=True)


class AnnotationsQuery(PeriodQuery):
    """A part of the past, and modems; those of all modems are of each."""

    modem = Names()


@bp.get("/annotations")
@requires_scope("read", "wall")
@describes("Notes that touch a period (all without one), in the order of time", query=AnnotationsQuery)
def list_annotations() -> dict[str, Any]:
    """``modem`` may be one that is gone for good."""
    return {"annotations": [one.as_dict() for one in asked_notes()]}


@bp.get("/annotations/export.csv")
@requires_scope("read")
@describes("The same notes as CSV, times in ISO 8601 UTC", query=AnnotationsQuery, answer="text/csv")
def export_annotations() -> Response:
    """In the order of time."""
    name = f"remsim-notes-{iso_utc(services().router.clock.now())[:16].replace(':', '-')}.csv"
    return Response(
        "".join(note_csv(asked_notes())),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def asked_notes() -> list[Annotation]:
    """The notes a query asks for."""
    asked = load_query(AnnotationsQuery())
    router = services().router
    start, end = None, None
    if asked.keys() & {"range", "start", "end"}:
        start, end = asked_period(asked, router.clock.now())
    return router.annotations.query(start, end, asked.get("modem"))


@bp.post("/annotations")
@requires_scope("write")
@describes("Put a note on the time axis", body=AnnotationForm, status=201, fails=(507,))
def add_annotation() -> tuple[dict[str, Any], int]:
    """Its author is who asks."""
    given = load_body(AnnotationForm())
    if given["modem"] is not None:
        known_modem(given["modem"])
    return services().router.annotations.add(**given, author=identity().user).as_dict(), 201


@bp.patch("/annotations/<annotation_id>")
@requires_scope("write")
@describes("Change a note", body=AnnotationChange, fails=(507,))
def change_annotation(annotation_id: str) -> dict[str, Any]:
    """Its author stays who wrote it."""
    number = number_of(annotation_id)
    notes = services().router.annotations
    notes.get(number)  # an unknown note is 404, whatever the body
    given = load_body(AnnotationChange())
    if given.get("modem") is not None:
        known_modem(given["modem"])
    return notes.change(number, given).as_dict()


@bp.delete("/annotations/<annotation_id>")
@requires_scope("write")
@describes("Delete a note", fails=(507,))
def delete_annotation(annotation_id: str) -> dict[str, Any]:
    """The note as it was."""
    notes = services().router.annotations
    found = notes.get(number_of(annotation_id))
    notes.delete(found.id)
    return found.as_dict()


def number_of(text: str) -> int:
    """The id in an address."""
    if text.isascii() and text.isdigit() and len(text) <= 16 and int(text) <= LARGEST_ID:
        return int(text)
    raise NotFound(f"there is no annotation {text[:40]!r}", field="id")
