"""How query strings, forms and JSON bodies become values; field types that only addresses have."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from flask import request
from marshmallow import EXCLUDE, Schema, ValidationError, validate
from marshmallow import fields as ma
from werkzeug.exceptions import BadRequest, RequestEntityTooLarge, UnsupportedMediaType

from remsim.core.errors import InvalidInput
from remsim.core.forms import Form, Whole
from remsim.telemetry.series import LONGEST_RANGE_S as LONGEST_PERIOD_S

UNIT_S = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "mo": 2631600}
LONGEST_RANGE_S = 396 * 86400
"""Thirteen months, what the series reach back."""
LATEST = 4102444800.0  # 2100-01-01
LARGEST_ID = 2**53  # what a number in a browser holds exactly


class Moment(ma.Field[float]):
    """A moment as epoch seconds or ISO 8601 (UTC unless it says otherwise)."""

    json = {"type": "string", "description": "epoch seconds or ISO 8601, UTC unless it says otherwise"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        moment = _epoch(value)
        if moment is None or not 0 <= moment <= LATEST:
            raise ValidationError("is neither epoch seconds nor an ISO 8601 time between 1970 and 2100")
        return moment


def _epoch(value: Any) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value) if abs(value) < 1e15 else None
    if not isinstance(value, str) or len(value) > 40:
        return None
    if re.fullmatch(r"\d{1,12}(\.\d{1,9})?", value, re.ASCII):
        return float(value)
    try:
        moment = datetime.fromisoformat(value.replace(" ", "+") if "T" in value else value)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


class Range(ma.Field[float]):
    """How far back from now: ``90m``, ``6h``, ``7d``, ``13mo`` or seconds."""

    json = {"type": "string", "description": "like 1h, 6h, 24h, 7d, 30d, 13mo, or seconds; 13 months at most"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float:
        text = str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value
        match = re.fullmatch(r"(\d{1,9})(s|m|h|d|w|mo|)", text, re.ASCII) if isinstance(text, str) else None
        if match and 1 <= (seconds := int(match[1]) * UNIT_S[match[2]]) <= LONGEST_RANGE_S:
            return float(seconds)
        raise ValidationError("is not a time like 1h, 7d or 13mo, nor seconds; 13 months at most")


class Day(ma.Field[date]):
    """A day of UTC, ``YYYY-MM-DD``."""

    json = {"type": "string", "format": "date"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value, re.ASCII):
            try:
                return date.fromisoformat(value)
            except ValueError:
                pass
        raise ValidationError("is not a day like 2026-01-31")


class Names(ma.Field[tuple[str, ...]]):
    """Names, parted by commas."""

    json = {"type": "string", "description": "names, parted by commas"}

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> tuple[str, ...]:
        if not isinstance(value, str):
            raise ValidationError("is not a list of names parted by commas")
        names = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
        if not names or len(names) > 32 or any(len(name) > 64 for name in names):
            raise ValidationError("is not a list of up to 32 names of up to 64 characters")
        return names


class Period(ma.Field[float | None]):
    """Seconds from 1 to 60; null or ``off`` is no polling."""

    json = {"type": ["number", "string", "null"], "minimum": 1, "maximum": 60, "description": "null or off: no polling"}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(allow_none=True, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> float | None:
        if value == "off":
            return None
        if isinstance(value, str) and re.fullmatch(r"\d{1,2}(\.\d{1,3})?", value, re.ASCII):
            value = float(value)
        if isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= 60:
            return float(value)
        raise ValidationError("is 1 to 60 seconds, or off")


def MessageId(**kwargs: Any) -> Whole:
    """An id of the one sequence of readings and events."""
    return Whole(0, LARGEST_ID, **kwargs)


def Name(**kwargs: Any) -> ma.String:
    """A short name: a modem's id, a measure, a fault."""
    length = validate.Length(1, 64, error="is longer than 64 characters or empty")
    return ma.String(validate=[length, printable], **kwargs)


def printable(text: str) -> None:
    """JSON can say half of a character, which no answer of ours could repeat."""
    if not text.isprintable():
        raise ValidationError("has characters that no name has")


class Query(Schema):
    """The parameters in an address. Unknown ones are left alone: browsers and relays add their own."""

    class Meta:
        unknown = EXCLUDE


Q = TypeVar("Q", bound=Query)


def load_query(schema: Query) -> dict[str, Any]:
    """The validated parameters of this request; a parameter given twice is an error."""
    given: dict[str, Any] = {}
    for name, values in request.args.lists():
        key = name
        if key in schema.fields and len(values) > 1:
            raise InvalidInput(f"{name} is given twice", field=name)
        given[key] = values[0]
    loaded: dict[str, Any] = schema.load(given)
    return loaded


def load_body(schema: Form) -> dict[str, Any]:
    """The validated body of this request, from JSON or from a form, by the same schema."""
    if not request.content_length and not request.mimetype:
        raise UnsupportedMediaType
    loaded: dict[str, Any] = schema.load(body_content())
    return loaded


def body_content() -> dict[str, Any]:
    """The body as an object, not yet checked; none is an empty one. A form's repeated fields are a list."""
    if not request.content_length and not request.mimetype:
        return {}
    if request.content_length is None and len(request.get_data()) >= (request.max_content_length or LARGEST_ID):
        raise RequestEntityTooLarge  # Werkzeug cuts what comes in chunks where it is too long
    if request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
        return {name: values if len(values) > 1 else values[0] for name, values in request.form.lists()}
    if not request.is_json:
        raise UnsupportedMediaType
    try:
        content: Any = request.get_json()
    except BadRequest as error:
        raise InvalidInput("the request's body is not JSON", field="body", code="bad_json") from error
    except RecursionError as error:
        raise InvalidInput("the request's body is nested too deeply", field="body", code="bad_json") from error
    if not isinstance(content, dict):
        raise InvalidInput("the request's body is not an object", field="body")
    return content


class PeriodQuery(Query):
    """``range``, or ``from`` and ``to``: the part of the past that is asked for."""

    range = Range()
    start = Moment(data_key="from")
    end = Moment(data_key="to")


def asked_period(asked: dict[str, Any], now: float, default_s: float = 3600.0) -> tuple[float, float]:
    """The asked part of the past as (start, end), in seconds since the epoch."""
    if "range" in asked and ("start" in asked or "end" in asked):
        raise InvalidInput("give either range or from and to", field="range")
    end = asked.get("end", now)
    start = asked.get("start", end - asked.get("range", default_s))
    if start >= end:
        raise InvalidInput("from is not before to", field="from")
    if end - start > LONGEST_PERIOD_S:
        raise InvalidInput(f"from is more than {LONGEST_PERIOD_S / 86400:.0f} days before to", field="from")
    return start, end
