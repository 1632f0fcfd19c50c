"""``/api/v1/openapi.json``: OpenAPI 3.1, made from the routes and their schemas."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Flask, current_app

from remsim import __version__
from remsim.core.forms import json_schema, object_schema
from remsim.web.auth import PUBLIC, requires_scope
from remsim.web.describe import Description, describes
from remsim.web.errors import TITLES

bp = Blueprint("openapi", __name__)

PREFIX = "/api/v1/"
PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code", "field", "hint"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "field": {"type": ["string", "null"]},
        "hint": {"type": ["string", "null"]},
    },
}

PROBLEM_BODY = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
CODES_OF = {status: title.title().replace(" ", "") for status, title in TITLES.items()}
"""What a status is called among the components."""
NO_CONTENT = 204


@bp.get("/openapi.json")
@requires_scope("read")
@describes("This description of the API")
def openapi() -> dict[str, Any]:
    """Made anew for each request: it is asked for rarely, and memory is dear."""
    return document(current_app)


def document(app: Flask) -> dict[str, Any]:
    """The whole description."""
    paths: dict[str, dict[str, Any]] = {}
    for path, method, view in api_routes(app):
        paths.setdefault(path, {})[method.lower()] = operation(path, method, view)
    return {
        "openapi": "3.1.0",
        "info": {"title": "remsim", "version": __version__, "license": {"name": "GPL-2.0-or-later"}},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Problem": PROBLEM},
            "responses": {CODES_OF[status]: {"description": words, **PROBLEM_BODY} for status, words in TITLES.items()},
        },
    }


def api_routes(app: Flask) -> list[tuple[str, str, Any]]:
    """Path (with ``{name}`` parts), method and view of every route of the API."""
    found = [
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method, app.view_functions[rule.endpoint])
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith(PREFIX)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]
    return sorted(found, key=lambda one: one[:2])


def operation(path: str, method: str, view: Any) -> dict[str, Any]:
    """One operation object."""
    told: Description = view.description
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", path)
    ]
    if told.query is not None:
        parameters += [
            {"name": field.data_key or name, "in": "query", "required": field.required, "schema": json_schema(field)}
            for name, field in told.query().fields.items()
        ]
    wrong = {
        str(status): {"$ref": f"#/components/responses/{CODES_OF[status]}"} for status in refusals(path, method, view)
    }
    made: dict[str, Any] = {
        "operationId": f"{view.__module__.rpartition('.')[2]}_{view.__name__}",
        "summary": told.summary,
        "parameters": parameters,
        "responses": {str(told.status): success(told), **wrong},
    }
    if (body := body_schema(told)) is not None:
        kinds = ("application/json", "application/x-www-form-urlencoded")
        made["requestBody"] = {"required": True, "content": dict.fromkeys(kinds, {"schema": body})}
    if PUBLIC in view.required_scopes:
        made["security"] = []
    return made


def success(told: Description) -> dict[str, Any]:
    """The answer of a request that is right."""
    if told.status == NO_CONTENT:
        return {"description": "done"}
    return {"description": "done", "content": {told.answer: {}}}


def body_schema(told: Description) -> dict[str, Any] | None:
    """The JSON Schema of a body; None without one."""
    if told.body is not None:
        return object_schema(told.body())
    return None if told.body_schema is None else told.body_schema()


def refusals(path: str, method: str, view: Any) -> list[int]:
    """The statuses of errors that an operation may answer."""
    told: Description = view.description
    names = set() if told.query is None else {field.data_key or name for name, field in told.query().fields.items()}
    changes, is_public = method != "GET", PUBLIC in view.required_scopes
    takes_body = told.body is not None or told.body_schema is not None
    may = {
        400: True,  # what no HTTP is
        401: not is_public or takes_body,
        403: not is_public,
        404: "{" in path or not names.isdisjoint(("modem", "measure", "kind", "types", "track", "sim")) or takes_body,
        409: changes or path.endswith(("/form", "/sms")),
        412: "etag" in names,
        413: changes,
        415: changes,
        422: bool(names) or takes_body or "{" in path,
        429: not is_public or takes_body,
    }
    return [status for status, whether in may.items() if whether] + list(told.fails)
