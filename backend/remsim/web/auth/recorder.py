"""What the audit log is told of a request that wants to change something; secrets are hidden."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Response, current_app, g, request
from werkzeug.exceptions import HTTPException

from remsim.core.forms import secrets_of
from remsim.core.masking import masked
from remsim.modems.masking import shown_command
from remsim.web.auth.audit import Entry
from remsim.web.auth.guard import UNSAFE
from remsim.web.auth.identity import Identity
from remsim.web.errors import Problem

if TYPE_CHECKING:
    from remsim.web.auth.accounts import Accounts

HIDDEN = "…"
SECRET = frozenset(
    (
        *("password", "passwd", "pass", "passphrase", "secret", "token", "ticket", "refresh", "access", "pin", "puk"),
        *("psk", "key", "auth", "authorization", "headers", "text", "number", "pdu", "code", "answer", "message"),
    )
)
"""Words in a field's name whose value is nobody's business: what opens something, and what people write."""
UNREAD = frozenset((400, 401, 403, 405, 413, 415, 429))
"""Statuses of requests whose bodies nobody has looked at."""
LONGEST_VALUE, LONGEST_SAID, LONGEST_TOLD, MOST_FIELDS, DEEPEST = 80, 300, 1000, 30, 3
LONGEST_PATH = 200


def record(accounts: Accounts, response: Response) -> None:
    """Write down a request that wanted to change something, when it has been answered."""
    status = response.status_code
    if request.method not in UNSAFE or (status < 400 and not g.get("is_audited", True)):
        return
    write_down(accounts, status, {} if status in UNREAD else told(), result_of(response))


def write_down(accounts: Accounts, status: int, what: Mapping[str, Any], result: str) -> None:
    """An entry for this request."""
    who: Identity | None = g.get("identity")
    accounts.audit.append(
        Entry(
            at=accounts.time.now(),
            user="" if who is None else who.user,
            way="" if who is None else who.way,
            address=request.remote_addr or "",
            method=request.method,
            path=masked(shown(request.path, LONGEST_PATH)),
            what=what,
            status=status,
            result=result,
        )
    )


def told() -> dict[str, Any]:
    """The body's fields, or what the view has to say of them."""
    said: Mapping[str, Any] | None = g.get("audit")
    if said is not None:
        return {name: masked(shown(str(value), LONGEST_SAID)) for name, value in said.items()}
    content = _body()
    view = None if request.endpoint is None else current_app.view_functions.get(request.endpoint)
    form = getattr(getattr(view, "description", None), "body", None)
    found = hide(content, secrets_of(form()) if form is not None else frozenset())
    if len(json.dumps(found, ensure_ascii=False)) > LONGEST_TOLD:
        return {"fields": [shown(str(name), 40) for name in content][:MOST_FIELDS]}
    return found


def hide(content: Mapping[str, Any], secret: frozenset[str] = frozenset(), depth: int = 0) -> dict[str, Any]:
    """Fields as they may be written down."""
    found = {}
    for name, value in list(content.items())[:MOST_FIELDS]:
        hidden = name in secret or is_secret(str(name))
        found[shown(str(name), 40)] = HIDDEN if hidden else _shown_value(str(name), value, depth)
    return found


def is_secret(name: str) -> bool:
    """Whether a field's name says that its value is a secret."""
    return not SECRET.isdisjoint(re.split(r"[^a-z]+", name.lower()))


def shown(text: str, most: int = LONGEST_VALUE) -> str:
    """A text of others on one line: not too long, without what a terminal would obey."""
    line = "".join(letter if letter.isprintable() else "�" for letter in text[:most])
    return line.encode("utf-8", "replace").decode() + ("…" if len(text) > most else "")


def result_of(response: Response) -> str:
    """``done``, or the code of the problem."""
    if response.status_code < 400:
        return "done"
    return response.problem_code if isinstance(response, Problem) else str(response.status_code)


def _shown_value(name: str, value: Any, depth: int) -> Any:
    if isinstance(value, str):
        if "://" in value:  # an address may carry a login before its host and a key in its query
            value = re.sub(r"(://)[^/@]*@", r"\1…@", value.partition("?")[0])
        return masked(shown(shown_command(value) if name == "command" else value))
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth >= DEEPEST:
        return HIDDEN
    if isinstance(value, Mapping):
        return hide(value, depth=depth + 1)
    return [_shown_value(name, one, depth + 1) for one in list(value)[:MOST_FIELDS]]


def _body() -> Mapping[str, Any]:
    try:
        if request.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
            return {name: values if len(values) > 1 else values[0] for name, values in request.form.lists()}
        content = request.get_json(silent=True) if request.is_json else None
    except (HTTPException, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}
