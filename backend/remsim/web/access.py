"""``/api/v1/tokens``, ``sessions``, ``whoami`` and ``audit``: who may get in, who has, and what he changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from flask import Blueprint, Response, g, request
from marshmallow import fields as ma
from marshmallow import validate

from remsim.core.clock import iso_utc
from remsim.core.errors import InvalidInput, StorageError
from remsim.core.forms import Flag, Form, Several, Text, Whole, object_schema, options_of
from remsim.telemetry.export import csv_line, safe_text
from remsim.web.auth import SCOPES, Identity, actor, identity, requires_scope
from remsim.web.auth.audit import COLUMNS, DAYS, MOST
from remsim.web.auth.identity import sorted_scopes
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.fields import Moment, Query, Range, load_body, load_query
from remsim.web.login import handed_on

bp = Blueprint("access", __name__)

DAY_S = 86400
LONGEST_LIFE_DAYS = 3650
SCOPE_WORDS = {
    "read": "See everything but identifiers in full (read)",
    "write": "Change settings, modems and who may get in (write)",
    "metrics": "Read the metrics only, for Prometheus (metrics)",
    "wall": "See the wall only, for a monitor (wall)",
    "at-console": "Send AT commands, which can switch a modem off (at-console)",
    "identifiers": "See IMEI, IMSI, ICCID and EID in full (identifiers)",
}


class Days(Whole):
    """A number of days; the page offers some."""

    choices = {7: "7 days", 30: "30 days", 90: "90 days", 365: "a year", None: "never"}


class NewToken(Form):
    """A token's name and what it may. ``expires_days`` null: it never ends."""

    name = Text(
        1,
        60,
        required=True,
        pattern=r"[A-Za-z0-9][A-Za-z0-9 ._-]*",
        told="begins with a letter or digit and has only letters, digits, blanks, dots, - and _",
        metadata={"label": "Name", "help": "Who or what will use it, like: Prometheus"},
    )
    scopes = Several(SCOPE_WORDS, least=1, required=True, metadata={"label": "May"})
    expires_days = Days(
        1, LONGEST_LIFE_DAYS, allow_none=True, load_default=90, metadata={"label": "Ends after"}
    )


class AuditQuery(Query):
    """Filters, and where to go on: ``cursor`` is the ``next`` of the page before."""

    limit = Whole(1, 200, load_default=50)
    cursor = Whole(1, 2**53)
    user = ma.String(validate=validate.Length(1, 64, error="is longer than 64 characters or empty"))
    text = ma.String(validate=validate.Length(1, 100, error="is longer than 100 characters or empty"))
    refused = Flag()
    range = Range()
    start = Moment(data_key="from")
    end = Moment(data_key="to")


class AuditFilter(AuditQuery):
    """The same without pages."""

    class Meta(AuditQuery.Meta):
        exclude = ("limit", "cursor")


@bp.get("/whoami")
@requires_scope(*SCOPES)
@describes("Who you are here: way, user, scopes, and the scopes you may hand on")
def whoami() -> dict[str, Any]:
    """For pages and programs that want to know what they may."""
    who = identity()
    shown = shown_identity(who)
    found = services().accounts.by_any_id(who.credential)
    if found is not None and found.expires_at is not None:
        shown["expires_at"] = iso_utc(found.expires_at)
    return shown


def shown_identity(who: Identity) -> dict[str, Any]:
    """An identity in JSON."""
    return {
        "way": who.way,
        "user": who.user,
        "scopes": sorted_scopes(who.scopes),
        "may_issue": sorted_scopes(who.issuable()),
        "expires_at": None,
    }


@bp.get("/tokens")
@requires_scope("write")
@describes("API tokens, the newest first, never their secrets; and the form of a new one")
def tokens() -> dict[str, Any]:
    """Revoked ones are shown for 30 days."""
    accounts = services().accounts
    found = [
        {**one.as_dict(), "is_good": accounts.is_good(one.id), "made_by_token": one.parent}
        for one in accounts.listed("token")
    ]
    who = identity()
    return {
        "tokens": found,
        "form": token_form(who),
        "you": shown_identity(who),
        "listen": f"{request.environ['SERVER_NAME']}:{request.environ['SERVER_PORT']}",
    }


def token_form(who: Identity) -> dict[str, Any]:
    """The form of a new token as JSON Schema, with the scopes that this one may hand on."""
    form = object_schema(NewToken())
    words = {scope: SCOPE_WORDS[scope] for scope in sorted_scopes(who.issuable())}
    form["properties"]["scopes"]["items"]["oneOf"] = options_of(words)
    life = form["properties"]["expires_days"]
    form["properties"]["expires_days"] = {name: life[name] for name in ("title", "default")} | {
        "oneOf": options_of(Days.choices)
    }
    return form


@bp.post("/tokens")
@requires_scope("write")
@describes("Make an API token; its `secret` is in this answer and never again", body=NewToken, status=201, fails=(507,))
def create_token() -> Any:
    """Nobody gives a scope that he has not himself."""
    asked = load_body(NewToken())
    who = identity()
    accounts = services().accounts
    name, days = asked["name"].strip(), asked["expires_days"]
    if any(one.name == name and accounts.is_good(one.id) for one in accounts.listed("token")):
        raise InvalidInput(f"there is a token {name!r} already", field="name", hint="revoke it or take another name")
    scopes = handed_on(who, asked["scopes"])
    holder = Identity(who.way, who.user, scopes, who.credential)
    made, secret = accounts.add("token", name, holder, lives_s=None if days is None else days * DAY_S, by=actor())
    answer = {**made.as_dict(), "secret": secret}
    if "wall" in made.scopes:
        answer["wall_path"] = f"/wall?token={secret}"
    return answer, 201


@bp.delete("/tokens/<credential_id>")
@requires_scope("write")
@describes("Revoke a token; what it has made, and its open streams, end with it", fails=(507,))
def revoke_token(credential_id: str) -> dict[str, Any]:
    """At once."""
    return revoked(credential_id, "token")


@bp.get("/sessions")
@requires_scope("write")
@describes("Browsers that are logged in and apps that are paired, the newest first")
def sessions() -> dict[str, Any]:
    """``is_current`` is the one that asks."""
    current = identity().credential
    found = services().accounts.listed("session", "app")
    return {"sessions": [{**one.as_dict(), "kind": one.kind, "is_current": one.id == current} for one in found]}


@bp.delete("/sessions/<credential_id>")
@requires_scope("write")
@describes("Log a browser or an app out; its open streams end too", fails=(507,))
def revoke_session(credential_id: str) -> dict[str, Any]:
    """At once."""
    return revoked(credential_id, "session", "app")


def revoked(credential_id: str, *kinds: str) -> dict[str, Any]:
    """Revoke, and say what it was; ``StorageError`` when it holds until the next start only."""
    accounts = services().accounts
    found = accounts.revoke(credential_id, *kinds)
    g.audit = {"what": f"revoked {found.kind} {found.name}"}
    if accounts.problem is not None:
        raise StorageError(
            f"{found.name} is revoked until the next start only: {accounts.problem}",
            hint="free space or check the disk",
        )
    return {"id": found.id, "name": found.name, "revoked": True}


@bp.get("/audit")
@requires_scope("write")
@describes("Who wanted to change what, the newest first; `next` is the cursor of the older ones", query=AuditQuery)
def audit() -> dict[str, Any]:
    """Secrets in them are hidden."""
    asked = load_query(AuditQuery())
    limit, cursor = asked.pop("limit"), asked.pop("cursor", None)
    found, following = services().accounts.audit.query(limit=limit, cursor=cursor, **filters(asked))
    return {
        "entries": [entry.as_dict() for entry in found],
        "next": following,
        "kept": {"entries": MOST, "days": DAYS},
    }


@bp.get("/audit.csv")
@requires_scope("write")
@describes("The audit log as CSV, times in ISO 8601 UTC", query=AuditFilter, answer="text/csv")
def export_audit() -> Response:
    """A page of rows at a time."""
    found = services().accounts.audit.pages(**filters(load_query(AuditFilter())))

    def lines() -> Iterator[str]:
        yield csv_line(COLUMNS)
        for entry in found:
            shown = entry.as_dict() | {"what": json.dumps(dict(entry.what), ensure_ascii=False)}
            yield csv_line([safe_text(str(shown[name])) for name in COLUMNS])

    answer = Response(lines(), mimetype="text/csv")
    answer.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return answer


def filters(asked: dict[str, Any]) -> dict[str, Any]:
    """The filters of a query."""
    if "range" in asked:
        if "start" in asked or "end" in asked:
            raise InvalidInput("give either range or from and to", field="range")
        asked["start"] = services().router.clock.now() - asked.pop("range")
    return asked
