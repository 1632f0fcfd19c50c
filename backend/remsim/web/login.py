"""Getting in: tickets, a browser's login, a wall's link, and the pairing of apps."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, g, redirect, request
from marshmallow import fields as ma
from marshmallow import validate

from remsim.core.errors import InvalidInput
from remsim.core.events import Event
from remsim.core.forms import Form, Several, Text
from remsim.web.auth import COOKIE, COOKIE_DAYS, PUBLIC, SCOPES, TICKET_S, actor, identity, not_audited, requires_scope
from remsim.web.auth.accounts import SESSION_S, WALL_PREFIX
from remsim.web.auth.apps import Reused
from remsim.web.auth.identity import Identity, sorted_scopes
from remsim.web.auth.recorder import shown, write_down
from remsim.web.context import Services, services
from remsim.web.describe import describes
from remsim.web.errors import Forbidden, Unauthorized
from remsim.web.fields import load_body
from remsim.web.pages import refusal_page

api = Blueprint("tickets", __name__)
pages = Blueprint("login", __name__)

ORIGIN = r"https?://[A-Za-z0-9.:\[\]_-]{1,255}"
WALL = "pages.wall"
NOT_RIGHT = "this token is not right, or not any more"


class TicketRequest(Form):
    """What the ticket is for, what it may open, and for ``stream`` the page's origin."""

    purpose = ma.String(required=True, validate=validate.OneOf(tuple(TICKET_S), error="is neither {choices}"))
    scopes = Several({scope: scope for scope in SCOPES}, least=1)
    origin = Text(1, 300, pattern=ORIGIN, told="is not an origin like http://192.168.1.1")


class Pairing(Form):
    """A ticket for ``app``, and what the device is called in the list."""

    ticket = Text(1, 100, required=True, metadata={"secret": True})
    device = Text(1, 60, required=True)


class Refresh(Form):
    """A refresh token."""

    refresh = Text(1, 1024, required=True, metadata={"secret": True})


@api.post("/tickets")
@requires_scope("read", "wall", "write")
@describes("A one-time ticket: for a browser's login, an app, or one stream from another origin", body=TicketRequest)
def issue_ticket() -> dict[str, Any]:
    """It works once and not for long, and opens no more than its issuer may."""
    asked = load_body(TicketRequest())
    purpose, who = asked["purpose"], identity()
    if purpose == "stream":
        not_audited()
    elif not who.may("write"):
        raise Forbidden("this login gets tickets for the stream only", code="read_only", hint="ask for the scope write")
    scopes = handed_on(who, asked.get("scopes"))
    holder = Identity("ticket", who.user, scopes, who.credential)
    origin = asked.get("origin", request.headers.get("Origin", "")) if purpose == "stream" else ""
    origin = origin if re.fullmatch(ORIGIN, origin) else None
    ticket, lives_s = services().tickets.issue(purpose, holder, origin=origin)
    return {"ticket": ticket, "purpose": purpose, "scopes": sorted_scopes(scopes), "expires_s": lives_s}


def handed_on(who: Identity, wanted: list[str] | None) -> frozenset[str]:
    """The scopes that someone gives to something; ``InvalidInput`` when he lacks one. None: all he has."""
    if wanted is None:
        return who.scopes
    missing = [scope for scope in wanted if scope not in who.issuable()]
    if missing:
        raise InvalidInput(f"you have not the scope {missing[0]} yourself", field="scopes", code="scope_not_yours")
    return frozenset(wanted)


@api.post("/auth/pair")
@requires_scope(PUBLIC)
@describes("Pair an app: an access token for ten minutes and a refresh token for a ticket", body=Pairing, fails=(507,))
def pair() -> dict[str, Any]:
    """Whoever has the ticket is the app."""
    asked = load_body(Pairing())
    parts = services()
    spent = parts.guard.spend(asked["ticket"], "app")
    if spent is None:
        raise Unauthorized("this ticket was used already or is too old", field="ticket", hint="ask for a new one")
    g.identity = spent.holder
    address = request.remote_addr
    return parts.guard.apps.pair(spent.holder, asked["device"], by=spent.holder.user, address=address)


@api.post("/auth/refresh")
@requires_scope(PUBLIC)
@describes("New tokens for an app; the refresh token works once, and a second time ends the app's access", body=Refresh)
def refresh() -> dict[str, Any]:
    """A copy of the token that was used before betrays itself here."""
    parts = services()
    found = parts.guard.apps.refresh(load_body(Refresh())["refresh"])
    if isinstance(found, Reused):
        g.identity = found.app.identity
        words = f"the refresh token of the app {shown(found.app.name)} came a second time, from {request.remote_addr}"
        tell(parts, f"{words}; it may have been copied, so the app has to be paired again", {"app": found.app.id})
        raise Unauthorized("this token was used before; the app has to be paired again", code="token_reused")
    if found is None:
        parts.guard.count_wrong()
        raise Unauthorized(NOT_RIGHT, field="refresh", hint="pair the app again")
    not_audited()
    return found


@api.post("/auth/revoke")
@requires_scope(PUBLIC)
@describes("Log an app out: its refresh token ends all its access", body=Refresh, status=204)
def revoke() -> Response:
    """204 also for one that was revoked before."""
    parts = services()
    app = parts.guard.apps.of_refresh(load_body(Refresh())["refresh"])
    if app is None:
        parts.guard.count_wrong()
        raise Unauthorized(NOT_RIGHT, field="refresh")
    g.identity = app.identity
    if parts.accounts.is_good(app.id):
        parts.accounts.revoke(app.id, "app")
    return Response(status=204)


def tell(parts: Services, message: str, data: dict[str, Any]) -> None:
    """Tell the journal of somebody at the door."""
    parts.router.emit(Event("access", "remsim", parts.router.clock.now(), message, "warning", data))


@pages.get("/login")
@requires_scope(PUBLIC)
def login() -> Any:
    """Spend a ticket: the browser gets a cookie and the dashboard."""
    parts = services()
    cookie = request.cookies.get(COOKIE, "")
    if cookie and parts.guard.of_cookie(cookie) and not parts.tickets.holds(request.args.get("ticket", ""), "browser"):
        return redirect("/", 303)  # a reload of a spent link
    is_preview = request.method == "HEAD"  # by a program that looks where a link leads
    spent = None if is_preview else parts.guard.spend(request.args.get("ticket", ""), "browser")
    if spent is None:
        return refusal_page("This link was used already or is too old.", Forbidden.http_status)
    g.identity = spent.holder
    agent = shown(request.headers.get("User-Agent", "a browser"), 200)
    _session, secret = parts.accounts.add(
        "session", agent, spent.holder, lives_s=SESSION_S, by=actor(), address=request.remote_addr
    )
    write_down(parts.accounts, 303, {"what": "logged in"}, "done")
    answer = Response(status=303, headers={"Location": "/"})
    give_cookie(answer, secret)
    return answer


@pages.post("/logout")
@requires_scope(*SCOPES)
def logout() -> Response:
    """End the browser's session."""
    who = identity()
    if who.way == "cookie" and (session := services().accounts.by_id("session", who.credential or "")) is not None:
        services().accounts.revoke(session.id, "session")
    answer = Response(status=204)
    answer.delete_cookie(COOKIE, httponly=True, samesite="Strict")
    return answer


def wall_link() -> Response | None:
    """``/wall?token=…``: a cookie that opens the wall for as long as the token is good, and the address without it.

    Before the guard: whoever comes with it has nothing else. A browser that may see the wall already keeps its login.
    """
    if request.endpoint != WALL or "token" not in request.args:
        return None
    parts = services()
    token = parts.accounts.by_secret("token", request.args["token"])
    if token is None or "wall" not in token.scopes:
        parts.guard.count_wrong()
        return refusal_page("This link to the wall is not right, or not any more.", Unauthorized.http_status)
    rest = urlencode([(name, value) for name, value in request.args.items(multi=True) if name != "token"])
    answer = Response(status=303, headers={"Location": f"wall?{rest}" if rest else "wall"})
    cookie = request.cookies.get(COOKIE, "")
    who = None if cookie.startswith(WALL_PREFIX) else parts.guard.of_cookie(cookie)
    if who is None or not who.may("read", "wall"):
        give_cookie(answer, parts.accounts.wall_cookie(token))
    return answer


def keep_cookie(answer: Response) -> None:
    """Each page that is opened lets the browser keep its cookie for the whole time again."""
    who: Identity | None = g.get("identity")
    if who is not None and who.way == "cookie" and request.method == "GET" and answer.mimetype == "text/html":
        give_cookie(answer, request.cookies[COOKIE])


def give_cookie(answer: Response, value: str) -> None:
    """Set it. A wall's, which only reads, also comes along when a link on another site is followed."""
    answer.set_cookie(
        COOKIE,
        value,
        max_age=COOKIE_DAYS * 86400,
        secure=request.is_secure,
        httponly=True,
        samesite="Lax" if value.startswith(WALL_PREFIX) else "Strict",
    )
