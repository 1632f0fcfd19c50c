"""Tickets and the login: how a browser or another origin's page gets in without seeing the token."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, request
from marshmallow import fields as ma
from marshmallow import validate

from remsim.core.errors import InvalidInput
from remsim.core.forms import Form, Several, Text
from remsim.web.auth import COOKIE, COOKIE_DAYS, PUBLIC, SCOPES, TICKET_S, identity, requires_scope
from remsim.web.auth.identity import Identity, sorted_scopes
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.errors import Forbidden
from remsim.web.fields import load_body
from remsim.web.pages import refusal_page

api = Blueprint("tickets", __name__)
pages = Blueprint("login", __name__)

ORIGIN = r"https?://[A-Za-z0-9.:\[\]_-]{1,255}"


class TicketRequest(Form):
    """What the ticket is for, what it may open, and for ``stream`` the page's origin."""

    purpose = ma.String(required=True, validate=validate.OneOf(tuple(TICKET_S), error="is neither {choices}"))
    scopes = Several({scope: scope for scope in SCOPES}, least=1)
    origin = Text(1, 300, pattern=ORIGIN, told="is not an origin like http://192.168.1.1")


@api.post("/tickets")
@requires_scope("read", "wall", "write")
@describes("A one-time ticket: for a browser's login, an app, or one stream from another origin", body=TicketRequest)
def issue_ticket() -> dict[str, Any]:
    """It works once and not for long, and opens no more than its issuer may."""
    asked = load_body(TicketRequest())
    purpose, who = asked["purpose"], identity()
    if purpose != "stream" and not who.may("write"):
        raise Forbidden("this login gets tickets for the stream only", code="read_only", hint="ask for the scope write")
    scopes = handed_on(who, asked.get("scopes"))
    holder = Identity("ticket", who.user, scopes, who.credential)
    origin = (asked.get("origin") or request.headers.get("Origin")) if purpose == "stream" else None
    ticket, lives_s = services().tickets.issue(purpose, holder, origin=origin)
    return {"ticket": ticket, "purpose": purpose, "scopes": sorted_scopes(scopes), "expires_s": lives_s}


def handed_on(who: Identity, wanted: list[str] | None) -> frozenset[str]:
    """The scopes that someone gives to something; ``InvalidInput`` when he lacks one. None: all he has."""
    if wanted is None:
        return who.scopes
    lacking = [scope for scope in wanted if scope not in who.issuable()]
    if lacking:
        raise InvalidInput(f"you have not the scope {lacking[0]} yourself", field="scopes", code="scope_not_yours")
    return frozenset(wanted)


@pages.get("/login")
@requires_scope(PUBLIC)
def login() -> Any:
    """Spend a ticket: the browser gets a cookie and the dashboard."""
    parts = services()
    cookie = request.cookies.get(COOKIE)
    is_preview = request.method == "HEAD"  # by a program that looks where a link leads
    if not is_preview and parts.tickets.spend(request.args.get("ticket", ""), "browser"):
        answer = redirect("/", 303)
        answer.set_cookie(
            COOKIE,
            parts.guard.new_cookie(),
            max_age=COOKIE_DAYS * 86400,
            secure=request.is_secure,
            httponly=True,
            samesite="Strict",
        )
        return answer
    if cookie and parts.guard.cookie_is_good(cookie):  # a reload of a spent link
        return redirect("/", 303)
    return refusal_page("This link was used already or is too old.", Forbidden.http_status)


@pages.post("/logout")
@requires_scope(*SCOPES)
def logout() -> Response:
    """Take the cookie back."""
    answer = Response(status=204)
    answer.delete_cookie(COOKIE, httponly=True, samesite="Strict")
    return answer
