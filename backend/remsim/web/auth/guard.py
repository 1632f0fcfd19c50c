"""Who may do what, decided before any view runs.

Nothing is answered without proof but what is declared public (health and the login itself). A view that
declares no scope is refused, so a forgotten decorator opens nothing.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from typing import Any

from flask import Flask, Request, Response, current_app, g, request

from remsim.core.clock import Clock
from remsim.web.auth.identity import LOCAL, PUBLIC, SCOPES, Identity
from remsim.web.auth.tickets import Tickets
from remsim.web.errors import Forbidden, Unauthorized

COOKIE = "remsim_session"
COOKIE_DAYS = 30
UNSAFE = frozenset(("POST", "PUT", "PATCH", "DELETE"))
ALL = frozenset(SCOPES)
LACKING = {
    "write": ("read_only", "this login may look but change nothing"),
    "at-console": ("no_console", "this login may not use the AT console"),
    "identifiers": ("no_identifiers", "this login may not see identifiers in full"),
}


class Guard:
    """Decides for each request before its view runs."""

    def __init__(self, token: str, tickets: Tickets, clock: Clock) -> None:
        self._token = token
        self._tickets = tickets
        self._clock = clock

    def install(self, app: Flask) -> None:
        """Guard every request of an application."""
        app.before_request(self.check)

    def check(self) -> Response | None:
        """Let the request pass or raise ``Unauthorized`` or ``Forbidden``."""
        g.identity = None
        view = _view_of(request)
        scopes: tuple[str, ...] = getattr(view, "required_scopes", ())
        if PUBLIC in scopes:
            return None
        who = self.identify(request)
        if who is None:
            raise Unauthorized(
                "this needs the API token", hint="send Authorization: Bearer TOKEN, or open the link of: remsim link"
            )
        g.identity = who
        if who.way == "cookie" and request.method in UNSAFE and not same_origin(request):
            raise Forbidden("a page of another origin may not do this", code="cross_origin")
        if view is not None and not who.may(*scopes):
            raise lacking(scopes)
        return None

    def identify(self, asked: Request) -> Identity | None:
        """Whom the request proves to come from."""
        authorization = asked.headers.get("Authorization", "")
        if authorization:
            kind, _, given = authorization.partition(" ")
            right = kind.lower() == "bearer" and _same(given.strip(), self._token)
            return holder_of_key(asked) if right else None
        cookie = asked.cookies.get(COOKIE)
        if cookie and self.cookie_is_good(cookie):
            return Identity("cookie", LOCAL, ALL)
        ticket = asked.args.get("ticket")
        if ticket and asked.endpoint == "stream.stream":
            spent = self._tickets.spend(ticket, "stream")
            if spent is not None:
                g.ticket = spent
                return spent.holder
        return None

    def new_cookie(self) -> str:
        """A cookie's value: when it ends, and proof that we wrote it. It needs no memory of ours."""
        return self._signed(int(self._clock.now()) + COOKIE_DAYS * 86400)

    def cookie_is_good(self, value: str) -> bool:
        """Whether we wrote it and it has not ended."""
        ends, _, _proof = value.partition(".")
        if not (ends.isascii() and ends.isdigit() and len(ends) <= 12):
            return False
        return _same(value, self._signed(int(ends))) and int(ends) > self._clock.now()

    def _signed(self, ends: int) -> str:
        proof = hmac.new(self._token.encode(), f"cookie {ends}".encode(), hashlib.sha256).hexdigest()
        return f"{ends}.{proof}"


def same_origin(asked: Request) -> bool:
    """Whether the page that sends an unsafe request is ours. Browsers set both headers; scripts cannot."""
    origin = asked.headers.get("Origin")
    if origin is not None:
        return "://" in origin and origin.partition("://")[2].lower() == asked.host.lower()
    return asked.headers.get("Sec-Fetch-Site") == "same-origin"


def holder_of_key(asked: Request) -> Identity:
    """This router's shell; or the login LuCI's relay, which has the key, speaks for, with the scopes it tells."""
    user = asked.headers.get("X-Remsim-User", "")
    granted = asked.headers.get("X-Remsim-Scopes")
    scopes = ALL if granted is None else ALL & frozenset(granted.split())
    if re.fullmatch(r"[A-Za-z0-9_.-]{1,32}", user):
        return Identity("luci", user, scopes)
    return Identity("key", LOCAL, scopes)


def lacking(scopes: tuple[str, ...]) -> Forbidden:
    """What to tell who has none of these scopes."""
    if not scopes:
        return Forbidden("this address is closed")
    code, words = LACKING.get(scopes[0], ("missing_scope", f"this needs the scope {' or '.join(scopes)}"))
    return Forbidden(words, code=code, hint=f"ask for the scope {' or '.join(scopes)}")


def _view_of(asked: Request) -> Callable[..., Any] | None:
    return None if asked.endpoint is None else current_app.view_functions.get(asked.endpoint)


def _same(given: str, right: str) -> bool:
    return hmac.compare_digest(given.encode("utf-8", "replace"), right.encode())
