"""``/api/v1/openapi.json``: OpenAPI 3.1, made from the routes and their schemas."""

from __future__ import annotations

import re
from typing import Any

from flask import Blueprint, Flask, current_app

from remsim import __version__
from remsim.core.forms import json_schema, object_schema
from remsim.web.auth import PUBLIC, requires_scope
from remsim.web.describe import Description, describes

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
        paths.setdefault(path, {})[method.lower()] = operation(path, view)
    return {
        "openapi": "3.1.0",
        "info": {"title": "remsim", "version": __version__, "license": {"name": "GPL-2.0-or-later"}},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Problem": PROBLEM},
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


def operation(path: str, view: Any) -> dict[str, Any]:
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
    wrong = {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
    made: dict[str, Any] = {
        "operationId": view.__name__,
        "summary": told.summary,
        "parameters": parameters,
        "responses": {
            str(told.status): {"description": "done", "content": {told.answer: {}}},
            "default": {"description": "an error", **wrong},
        },
    }
    if told.body is not None:
        body = {"schema": object_schema(told.body())}
        kinds = ("application/json", "application/x-www-form-urlencoded")
        made["requestBody"] = {"required": True, "content": dict.fromkeys(kinds, body)}
    if PUBLIC in view.required_scopes:
        made["security"] = []
    return made
