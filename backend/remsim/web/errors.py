"""Every error leaves as one JSON shape, ``application/problem+json``, without a traceback."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Flask, Response
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from remsim.core.errors import InvalidInput, RemsimError

log = logging.getLogger(__name__)

LONGEST = 400
"""Characters of a message: input that is echoed must not make it long."""
MOST_ERRORS = 100

CODES = {
    400: "bad_request",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    409: "conflict",
    412: "changed_meanwhile",
    413: "too_large",
    414: "uri_too_long",
    415: "unsupported_media_type",
    422: "invalid_input",
    429: "too_many_attempts",
    431: "headers_too_large",
    500: "internal_error",
    503: "unavailable",
}
TITLES = {
    400: "Bad request",
    401: "Not logged in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    408: "Request timeout",
    409: "Not possible now",
    412: "Changed meanwhile",
    413: "Too large",
    414: "Address too long",
    415: "Unsupported media type",
    422: "Invalid input",
    429: "Too many attempts",
    431: "Headers too large",
    500: "Internal error",
    501: "Not implemented",
    502: "The device failed",
    503: "Busy",
    507: "Storage failed",
}


class Unauthorized(RemsimError):
    """The request proves no right to be here."""

    code = "unauthorized"
    http_status = 401


class Forbidden(RemsimError):
    """Who asks is known and may not do this."""

    code = "forbidden"
    http_status = 403


class TooManyAttempts(RemsimError):
    """Too many wrong log-ins came from this address."""

    code = "too_many_attempts"
    http_status = 429

    def __init__(self, wait_s: float) -> None:
        self.wait_s = math.ceil(wait_s)
        super().__init__(f"too many wrong log-ins from this address; wait {self.wait_s} s")


class TooManyStreams(RemsimError):
    """The cap on open streams is reached."""

    code = "too_many_streams"
    http_status = 503


class Problem(Response):
    """An error's answer, which knows its ``problem_code``."""

    problem_code = ""


def shortened(text: str) -> str:
    """The text as it can be sent, its middle left out when it is long."""
    short = text if len(text) <= LONGEST else f"{text[: LONGEST - 80]} … {text[-60:]}"
    return short.encode("utf-8", "replace").decode()  # JSON can say half of a character, UTF-8 cannot


def problem_dict(
    status: int, detail: str, *, code: str | None = None, field: str | None = None, hint: str | None = None
) -> dict[str, Any]:
    """The object every error answers with."""
    return {
        "type": "about:blank",
        "title": TITLES.get(status, "Error"),
        "status": status,
        "detail": shortened(detail),
        "code": code or CODES.get(status, "error"),
        "field": None if field is None else shortened(field),
        "hint": None if hint is None else shortened(hint),
    }


def problem(
    status: int,
    detail: str,
    *,
    code: str | None = None,
    field: str | None = None,
    hint: str | None = None,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Mapping[str, Any]] = (),
) -> Response:
    """The response of an error; ``errors`` are its parts, where it has several with a place each."""
    body = problem_dict(status, detail, code=code, field=field, hint=hint)
    if errors:
        body["errors"] = [dict(one) for one in errors[:MOST_ERRORS]]
    response = Problem(json.dumps(body, ensure_ascii=False), status, mimetype="application/problem+json")
    response.problem_code = body["code"]
    for name, value in (headers or {}).items():
        response.headers[name] = value
    return response


def of_remsim_error(error: RemsimError) -> Response:
    """An error somebody can act on."""
    status = error.http_status
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="remsim"'
    if status == 503:
        headers["Retry-After"] = "10"
    if isinstance(error, TooManyAttempts):
        headers["Retry-After"] = str(error.wait_s)
    if status >= 500 and status != 503:  # being busy is no trouble
        log.warning("%s", error.message)
    errors = error.problems if isinstance(error, InvalidInput) else ()
    return problem(
        status, error.message, code=error.code, field=error.field, hint=error.hint, headers=headers, errors=errors
    )


def invalid_from(error: ValidationError) -> InvalidInput:
    """The first field a schema refuses, in words."""
    messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
    field, told = next(iter(messages.items()))
    path = [str(field)]
    while isinstance(told, Mapping):
        key, told = next(iter(told.items()))
        path.append(str(key))
    text = str(told[0]) if isinstance(told, list) and told else str(told)
    name = ".".join(path) if field != "_schema" else None
    return InvalidInput(f"{shortened(name)}: {text}" if name else text, field=name)


def of_validation_error(error: ValidationError) -> Response:
    """Input that its schema refuses."""
    return of_remsim_error(invalid_from(error))


def of_http_error(error: HTTPException) -> Response:
    """What Flask and Werkzeug refuse themselves: 404, 405, 413 and their kin."""
    status = error.code or 500
    if error.response is not None or status < 400:  # a redirect is an HTTPException too
        return error.get_response()  # type: ignore[return-value]  # Werkzeug's class, which Flask passes on
    headers = {name: value for name, value in error.get_headers() if name in ("Allow", "Retry-After")}
    detail = {
        404: "there is nothing at this address",
        405: "this address does not take that method",
        413: "the request's body is too large",
        415: "the request's body must be JSON or a form",
    }.get(status, error.description or TITLES.get(status, "error"))
    return problem(status, detail, field="body" if status in (413, 415) else None, headers=headers)


def of_unforeseen_error(error: Exception) -> Response:
    """A mistake of ours: the log has the details, the user a sentence."""
    log.error("unforeseen error", exc_info=error)
    return problem(500, "something unforeseen went wrong; the log has the details")


def install(app: Flask) -> None:
    """Register the handlers."""
    app.register_error_handler(RemsimError, of_remsim_error)
    app.register_error_handler(ValidationError, of_validation_error)
    app.register_error_handler(HTTPException, of_http_error)
    app.register_error_handler(Exception, of_unforeseen_error)
