"""``/api/v1/policies/countries``: the list that tells where addresses are, brought by the user."""

from __future__ import annotations

from io import BytesIO
from typing import Any, BinaryIO, cast

from flask import Blueprint, g, request

from remsim.core.errors import InvalidInput
from remsim.core.forms import Form, Long, Text
from remsim.web.auth import actor, requires_scope
from remsim.web.describe import describes
from remsim.web.fields import Day, Query, load_body, load_query
from remsim.web.policies import policies

bp = Blueprint("policy_countries", __name__)

LARGEST_STREAM, LARGEST_JSON = 64 * 1024 * 1024, 12 * 1024 * 1024
"""A body that is the file itself is never in memory whole; JSON is, several times."""
AS_IT_IS = ("text/csv", "text/plain", "application/gzip", "application/x-gzip", "application/octet-stream")


class CountriesQuery(Query):
    """What is to be shown with the list, for a body that is the file itself: where it is from, the words that its
    licence asks for, of when it is (by default as it says itself)."""

    source = Text(0, 200, load_default="")
    attribution = Text(0, 500, load_default="")
    date = Day(load_default=None)


class CountriesBody(Form):
    """A list of ranges and countries, and what is to be shown with it."""

    csv = Long(LARGEST_JSON, required=True)
    source = Text(0, 200, load_default="")
    attribution = Text(0, 500, load_default="")
    date = Day(load_default=None)


@bp.get("/policies/countries")
@requires_scope("read")
@describes("The countries that addresses are known of: date, source, attribution, ranges", fails=(507,))
def show_countries() -> dict[str, Any]:
    """None until a list is imported."""
    return policies().countries()


@bp.post("/policies/countries")
@requires_scope("write")
@describes(
    "Import a list of countries (CSV, TSV, CIDR, RIR files; also gzip), as JSON or as the body itself",
    query=CountriesQuery,
    body=CountriesBody,
    fails=(507,),
)
def import_countries() -> dict[str, Any]:
    """It replaces the one before; that stays when this one cannot be read."""
    if request.mimetype in AS_IT_IS:
        request.max_content_length = LARGEST_STREAM
        if request.content_length == 0:
            raise InvalidInput("body: is empty", field="body", code="empty")
        told, file = load_query(CountriesQuery()), cast(BinaryIO, request.stream)
    else:
        request.max_content_length = request.max_form_memory_size = LARGEST_JSON
        told = load_body(CountriesBody())
        file = BytesIO(told["csv"].encode("utf-8", "replace"))
    g.audit = {"what": f"list of countries from {told['source'] or 'an unnamed source'}"}
    date = None if told["date"] is None else told["date"].isoformat()
    return policies().import_countries(
        file, source=told["source"], attribution=told["attribution"], date=date, actor=actor()
    )


@bp.delete("/policies/countries")
@requires_scope("write")
@describes("Forget the list of countries; policies by country fit nothing then", fails=(507,))
def forget_countries() -> dict[str, Any]:
    """What there is now: nothing."""
    return policies().remove_countries(actor())
