"""Tickets and the login: how a browser or another origin's page gets in without seeing the token."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, redirect, request
from marshmallow import fields as ma
from marshmallow import validate

from remsim.core.forms import Form
from remsim.web.auth import COOKIE, COOKIE_DAYS, PUBLIC, TICKET_S, requires_scope
from remsim.web.context import services
from remsim.web.describe import describes
from remsim.web.errors import Forbidden
from remsim.web.fields import load_body
from remsim.web.pages import refusal_page

api = Blueprint("tickets", __name__)
pages = Blueprint("login", __name__)


class TicketRequest(Form):
    """What the ticket is for."""

    purpose = ma.String(required=True, validate=validate.OneOf(tuple(TICKET_S), error="is neither {choices}"))


@api.post("/tickets")
@requires_scope("write")
@describes("A one-time ticket: for a browser's login, or for one stream from another origin", body=TicketRequest)
def issue_ticket() -> dict[str, Any]:
    """It works once and not for long."""
    purpose = load_body(TicketRequest())["purpose"]
    ticket, lives_s = services().tickets.issue(purpose)
    return {"ticket": ticket, "purpose": purpose, "expires_s": lives_s}


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
@requires_scope("read")
def logout() -> Response:
    """Take the cookie back."""
    answer = Response(status=204)
    answer.delete_cookie(COOKIE, httponly=True, samesite="Strict")
    return answer
